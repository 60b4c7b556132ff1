//! Where sessions meet Rocket: read the settings at ignition, commit with every response.

use std::marker::PhantomData;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::http::{Header, Status};
use rocket::{Build, Orbit, Request, Response, Rocket};

use super::SessionData;
use super::clock::{Clock, SystemClock};
use super::commit::{Failure, commit};
use super::config::{ConfigError, Settings};
use super::cookie::Lines;
use super::ending::{self, Requests};
use super::live::RequestSessions;
use super::realm::{NamedStore, RealmMap};
use super::store::Store;
use super::upkeep::{self, Upkeep};

/// The fairing that gives an app sessions of `T`. Attach it once.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// use sealed_sessions::{SessionData, Sessions};
///
/// #[derive(Default, Clone, Serialize, Deserialize)]
/// struct Visitor {
///     views: u64,
/// }
///
/// impl SessionData for Visitor {}
///
/// let rocket = rocket::build().attach(Sessions::<Visitor>::fairing());
/// ```
pub struct Sessions<T> {
    clock: Arc<dyn Clock>,
    stores: Vec<NamedStore>,
    data: PhantomData<fn() -> T>,
}

impl<T: SessionData> Sessions<T> {
    /// Sessions as the table `session` of the configuration says.
    pub fn fairing() -> Sessions<T> {
        Sessions { clock: Arc::new(SystemClock), stores: Vec::new(), data: PhantomData }
    }

    /// Takes the time from `clock` instead of the machine.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Sessions<T> {
        Sessions { clock, ..self }
    }

    /// Makes `store` one that the setting `store = "NAME"` can choose. It belongs to this app, which stops it
    /// at its end.
    #[must_use]
    pub fn store(mut self, name: &str, store: Arc<dyn Store>) -> Sessions<T> {
        self.stores.push((name.to_owned(), store));
        self
    }
}

/// What all requests share.
pub(crate) struct Engine<T> {
    pub(crate) realms: RealmMap,
    pub(crate) clock: Arc<dyn Clock>,
    /// A `T::default()` as it is written: such a session is not worth keeping.
    empty: String,
    pub(crate) requests: Requests,
    /// Runs while the app serves.
    upkeep: OnceLock<Upkeep>,
    data: PhantomData<fn() -> T>,
}

impl<T: SessionData> Engine<T> {
    fn new(sessions: &Sessions<T>, rocket: &Rocket<Build>) -> Result<Engine<T>, ConfigError> {
        let settings = Settings::read(rocket.figment())?;
        let name = std::any::type_name::<T>();
        let refuse = |problem: String| {
            ConfigError::new(format!("the session's type {name}"), problem, "a struct with named fields")
        };
        let empty = serde_json::to_string(&T::default())
            .map_err(|error| refuse(format!("cannot be written: {error}")))?;
        if !empty.starts_with('{') {
            return Err(refuse("is not written as a JSON object".into()));
        }
        Ok(Engine {
            realms: RealmMap::new(&settings, &sessions.stores)?,
            clock: Arc::clone(&sessions.clock),
            empty,
            requests: Requests::default(),
            upkeep: OnceLock::new(),
            data: PhantomData,
        })
    }
}

/// Marks an app that has sessions, of whatever type.
struct Attached(&'static str);

#[rocket::async_trait]
impl<T: SessionData> Fairing for Sessions<T> {
    fn info(&self) -> Info {
        Info {
            name: "Sessions",
            kind: Kind::Ignite | Kind::Liftoff | Kind::Response | Kind::Shutdown | Kind::Singleton,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        let name = std::any::type_name::<T>();
        if let Some(Attached(other)) = rocket.state() {
            log::error!("sessions refuse to launch: they are of {other} already and cannot be of {name} too");
            return Err(rocket);
        }
        let engine = match Engine::new(self, &rocket) {
            Ok(engine) => engine,
            Err(error) => {
                log::error!("sessions refuse to launch: {error}");
                return Err(rocket);
            }
        };
        for realm in engine.realms.all() {
            let Err(error) = upkeep::start(&*realm.store).await else { continue };
            let (store, path) = (&realm.store_name, &realm.path);
            if realm.store_required {
                log::error!(
                    "sessions refuse to launch: the store {store:?} of {path:?} cannot be started: {error}; \
                     accepted: one that answers, or store_required = false to start without it"
                );
                return Err(rocket);
            }
            log::error!("sessions of {path:?} wait for their store {store:?}: {error}");
            realm.waiting.store(true, Ordering::Relaxed);
        }
        Ok(rocket.manage(engine).manage(Attached(name)))
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let Some(engine) = rocket.state::<Engine<T>>() else { return };
        let _ = engine.upkeep.set(Upkeep::spawn(engine.realms.all(), &engine.clock));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let sessions = request.local_cache(|| RequestSessions::<T>::unused());
        let Some(engine) = request.rocket().state::<Engine<T>>() else { return };
        let failed = response.status().class().is_server_error();
        let mut lines = Lines::new();
        let mut failure = None;
        let mut used = false;
        for (number, live) in sessions.loaded() {
            let Some(realm) = engine.realms.all().get(number) else { continue };
            let start = sessions.times.start();
            let committed = commit(realm, live, &engine.empty, failed).await;
            sessions.times.took(number, start);
            match lines.is_empty() {
                true => lines = committed.lines,
                false => lines.extend(committed.lines),
            }
            failure = failure.or(committed.failure);
            used = true;
        }
        if let Some(failure) = failure {
            replace(request, response, failure).await;
        }
        if used {
            finish(response, lines);
        }
    }

    /// Rocket asks before the last requests are answered: the stores stop after them, or when the time is
    /// over that they are given.
    async fn on_shutdown(&self, rocket: &Rocket<Orbit>) {
        if let Some(engine) = rocket.state::<Engine<T>>() {
            let grace = Duration::from_secs(rocket.config().shutdown.grace.into());
            engine.requests.are_answered(grace).await;
            ending::stop(engine.realms.all()).await;
        }
    }
}

/// Rule 11: what was built from a session is for one browser only. Then the lines, beside those of the
/// handler and of other fairings.
fn finish(response: &mut Response<'_>, lines: Lines) {
    let (mut has_caching, mut has_vary, mut varies, mut has_cookies) = (false, false, false, false);
    for header in response.headers().iter() {
        has_caching |= header.name == "Cache-Control";
        has_cookies |= header.name == "Set-Cookie";
        if header.name == "Vary" {
            has_vary = true;
            varies |= header.value.split(',').any(names_cookie);
        }
    }
    if !has_caching {
        response.set_header(Header::new("Cache-Control", "no-store"));
    }
    if !varies {
        add(response, has_vary, Header::new("Vary", "Cookie"));
    }
    for line in lines {
        add(response, has_cookies, Header::new("Set-Cookie", line));
        has_cookies = true;
    }
}

/// Adds a header beside those of its name. Where there is none, to set it is half the work of adding it.
fn add<'r>(response: &mut Response<'r>, beside: bool, header: Header<'r>) {
    match beside {
        true => response.adjoin_header(header),
        false => drop(response.set_header(header)),
    }
}

fn names_cookie(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("cookie") || name.trim() == "*"
}

/// Headers that other fairings have set for the whole app, and that an error page is to keep.
const KEPT: [&str; 10] = [
    "Server",
    "Content-Security-Policy",
    "Cross-Origin-Embedder-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
];

/// Puts the app's own error page in the place of a response whose session could not be kept.
async fn replace<'r>(request: &'r Request<'_>, response: &mut Response<'r>, failure: Failure) {
    let _ = request.local_cache(OnceLock::<Failure>::new).set(failure);
    let status = failure.status();
    let mut page = match catcher(request, status) {
        Some(catcher) => catcher.handler.handle(status, request).await.unwrap_or_else(plain),
        None => plain(status),
    };
    for name in KEPT {
        if let (false, Some(value)) = (page.headers().contains(name), response.headers().get_one(name)) {
            page.set_header(Header::new(name, value.to_owned()));
        }
    }
    *response = page;
}

/// The catcher that Rocket itself would ask: the one of the longest base, and of two such the one of
/// this very status.
fn catcher<'r>(request: &'r Request<'_>, status: Status) -> Option<&'r rocket::Catcher> {
    let path = request.uri().path();
    let fits = |catcher: &&rocket::Catcher| {
        catcher.code.is_none_or(|code| code == status.code)
            && catcher.base.path().segments().prefix_of(path.segments())
    };
    let rank = |catcher: &&rocket::Catcher| (catcher.base.path().segments().len(), catcher.code.is_some());
    request.rocket().catchers().filter(fits).max_by_key(rank)
}

fn plain<'r>(status: Status) -> Response<'r> {
    let text = format!("{} {}\n", status.code, status.reason_lossy());
    Response::build()
        .status(status)
        .header(rocket::http::ContentType::Plain)
        .sized_body(text.len(), std::io::Cursor::new(text))
        .finalize()
}

/// What went wrong with the session of this request when its response was replaced by an error page,
/// for the catcher that makes the page.
pub fn failure(request: &Request<'_>) -> Option<Failure> {
    request.local_cache(OnceLock::<Failure>::new).get().copied()
}
