//! What /compare shows of a realm's session, and how the realms differ in it.

use serde::Serialize;

use super::accounts::Account;
use super::bars::{self, Bar, Bars};
use super::page::{Page, realm_name};
use super::standing::{Standing, Standings};
use super::store_names;
use super::times::Median;
use super::visitor::{ReadOnly, Visitor};

/// One realm, as this browser's request finds it.
#[derive(Serialize)]
pub(super) struct Compared<'r> {
    name: String,
    path: &'r str,
    store: String,
    has_ledger: bool,
    /// Its store answers.
    answers: bool,
    /// `None` without a session.
    kept: Option<Kept<'r>>,
}

/// What a request shows of a session.
#[derive(Serialize)]
struct Kept<'r> {
    contents: String,
    /// The bytes of the data, as text.
    data: usize,
    up: usize,
    /// The Set-Cookie of a change: a server store sends none.
    down: usize,
    /// The Set-Cookie of a new session.
    opening: usize,
    cookie: &'r str,
    cookies: usize,
    sealed: usize,
    server_side: bool,
    server: usize,
    version: u32,
    /// How long sessions of the realm took to load the last times.
    load: Option<Shown>,
}

/// A median as it is shown.
#[derive(Serialize)]
pub(super) struct Shown {
    millis: String,
    of: usize,
    #[serde(skip)]
    micros: f64,
}

pub(super) fn shown(Median { micros, of }: Median) -> Shown {
    Shown { millis: format!("{:.3}", micros / 1000.0), of, micros }
}

/// Where a realm's sessions are kept, in words.
pub(super) fn kept_in(page: &Page<'_>, path: &str) -> String {
    let store = store_names::written(page.realms().store_name(path).unwrap_or_default());
    if page.realms().has_ledger(path) { format!("{store} + ledger") } else { format!("{store} store") }
}

impl<'r> Compared<'r> {
    /// `session` is `None` where the store does not answer, and `loads` while none of them has been timed.
    pub(super) async fn of(
        page: &Page<'r>,
        standings: &Standings<'_>,
        path: &'r str,
        session: Option<ReadOnly<'r>>,
        loads: Option<Median>,
    ) -> Compared<'r> {
        let standing = match session {
            Some(session) => standings.of(session).await,
            None => Standing::Nobody,
        };
        Compared {
            name: realm_name(path),
            path,
            store: kept_in(page, path),
            has_ledger: page.realms().has_ledger(path),
            answers: session.is_some(),
            kept: session.and_then(|session| kept(session, standing, loads)),
        }
    }
}

fn kept(session: ReadOnly<'_>, standing: Standing, loads: Option<Median>) -> Option<Kept<'_>> {
    let (wire, record) = (session.inspect().wire()?, session.inspect().record()?);
    let server_side = session.inspect().is_on_server();
    let visitor = session.get();
    Some(Kept {
        contents: contents(&visitor, standing),
        data: record.data.len(),
        up: wire.request,
        down: if server_side { 0 } else { wire.lines },
        opening: wire.lines,
        cookie: session.inspect().cookie_name(),
        cookies: wire.cookies,
        sealed: wire.ticket,
        server_side,
        server: if server_side { record.encode().len() } else { 0 },
        version: record.version,
        load: loads.map(shown),
    })
}

/// Everything that the session holds, in words.
fn contents(visitor: &Visitor, standing: Standing) -> String {
    let counted = |count: u64, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let mut all = vec![counted(visitor.visits, "visit")];
    all.extend(visitor.user.as_ref().map(|Account { name, .. }| match standing {
        Standing::Over => format!("a sign-in as {name} that is over"),
        _ => format!("signed in as {name}"),
    }));
    all.extend(visitor.stamp.is_some().then(|| "a stamp to notice changes of the account".to_owned()));
    all.extend(visitor.browser.as_ref().map(|_| "the browser’s name".to_owned()));
    if !visitor.note.is_empty() {
        all.push(format!("a note of {}", counted(visitor.note.len() as u64, "byte")));
    }
    all.join(", ")
}

/// Whether the sessions hold `equal` or `different` things; `None` while there are no two of them.
pub(super) fn likeness(realms: &[Compared<'_>]) -> Option<&'static str> {
    let mut all = realms.iter().filter_map(|realm| realm.kept.as_ref());
    let first = all.next()?;
    let others: Vec<_> = all.collect();
    let equal = others.iter().all(|other| other.contents == first.contents);
    (!others.is_empty()).then_some(if equal { "equal" } else { "different" })
}

/// A figure in bytes.
type Bytes = fn(&Kept<'_>) -> usize;

/// The figures as bars. Those in bytes have one scale.
pub(super) fn pictures(realms: &[Compared<'_>]) -> Vec<Bars> {
    let all = || realms.iter().filter_map(|realm| Some((&realm.name, realm.kept.as_ref()?)));
    let sizes: [(&'static str, Bytes); 3] = [
        ("Up, with every request", |kept| kept.up),
        ("Down, with every change", |kept| kept.down),
        ("Kept on the server for this session", |kept| kept.server),
    ];
    let most = sizes.iter().flat_map(|(_, of)| all().map(|(_, kept)| of(kept))).max().unwrap_or_default();
    let bytes = |(title, of): (&'static str, Bytes)| {
        let bar = |(name, kept): (&String, &Kept<'_>)| {
            let value = of(kept);
            Bar { name: name.clone(), value: value as f64, text: format!("{value} bytes") }
        };
        bars::of(title, all().map(bar).collect(), most as f64)
    };
    let loads: Vec<Bar> = all()
        .filter_map(|(name, kept)| {
            let load = kept.load.as_ref()?;
            Some(Bar { name: name.clone(), value: load.micros, text: format!("{} ms", load.millis) })
        })
        .collect();
    let slowest = loads.iter().map(|bar| bar.value).fold(0.0, f64::max);
    let mut pictures: Vec<Bars> = sizes.into_iter().filter(|_| most > 0).map(bytes).collect();
    if !loads.is_empty() {
        pictures.push(bars::of("Loading, the median", loads, slowest));
    }
    pictures
}
