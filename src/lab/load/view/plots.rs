//! The plots of a report.

use serde::Serialize;

use super::bars::{Bar, Group, bars};
use super::chart::{Axis, Line, lines, log_lines};
use super::format::{grouped, median, millis, names, range, trimmed};
use super::svg::Whose;
use super::tables::{Table, mixes, name_of};
use crate::lab::load::measure::{Figures, Spread};
use crate::lab::load::report::{OnTheWire, Report, StoreReport};

/// A picture and its numbers.
#[derive(Debug, Clone, Serialize)]
pub struct Plot {
    /// A word for addresses.
    pub slug: &'static str,
    /// What it is of.
    pub title: &'static str,
    /// What to see in it.
    pub note: &'static str,
    /// The picture; `None` if there is nothing to draw.
    pub svg: Option<String>,
    /// Its numbers.
    pub table: Table,
}

/// The plots of a report, each with its numbers.
pub(super) fn plots(report: &Report) -> Result<Vec<Plot>, String> {
    let mut plots = vec![throughput(report)?, latency(report)?, wire(report)?];
    plots.extend(delays(report)?);
    Ok(plots)
}

fn throughput(report: &Report) -> Result<Plot, String> {
    let mut groups: Vec<Group> = Vec::new();
    for (whose, figures, store) in mixes(report) {
        let name = capitalised(&figures.mix);
        if groups.last().is_none_or(|group| group.name != name) {
            groups.push(Group { name, bars: Vec::new() });
        }
        if let Some(group) = groups.last_mut() {
            group.bars.push(bar(report, whose, figures, store));
        }
    }
    let said = |group: &Group| {
        let bars = group.bars.iter().map(|bar| format!("{} {}", bar.name, bar.text)).collect::<Vec<_>>();
        format!("{}: {}", group.name, bars.join(", "))
    };
    let said = groups.iter().map(said).collect::<Vec<_>>();
    let about = format!("Bars: requests per second. {}.", said.join("; "));
    let head = names(&[
        "Mix and store",
        "Requests/s",
        "least to most",
        "Cores",
        "CPU µs",
        "least to most",
        "p50",
        "p99",
    ]);
    let rows = mixes(report).map(|(_, figures, store)| {
        let rate = &figures.requests_per_second;
        let cpu =
            |written: fn(&Spread) -> String, of: &Option<Spread>| of.as_ref().map_or("–".into(), written);
        let (cores, micros) = (&figures.server_cores, &figures.server_cpu_micros);
        let mut row = vec![name_of(figures, store), median(rate), range(rate), cpu(median, cores)];
        row.extend([cpu(median, micros), cpu(range, micros)]);
        row.extend([figures.latency.p50, figures.latency.p99].map(millis));
        row
    });
    Ok(Plot {
        slug: "throughput",
        title: "Throughput",
        note: "The server has one thread for requests. A database inside it, such as SQLite, has threads of its own, so that \
               it may use more than one core: compare the processor time as well (a million by it is what one \
               core answers in a second). Another process’s time is not in it. \
               The bare route takes no session and is the ceiling: the percentages are of it. Visitors are signed in. Read-heavy is 95 reads \
               to 5 writes, write-heavy one to one, anonymous the same by visitors who are not signed in; login is a sign-in, eight reads and a sign-out, without the \
               hashing of a password.",
        svg: Some(bars(&groups, &about)?),
        table: Table::new(
            "Throughput, the server’s processor time, and latency in milliseconds",
            head,
            rows.collect(),
        ),
    })
}

fn bar(report: &Report, whose: Whose, figures: &Figures, store: Option<&StoreReport>) -> Bar {
    let value = figures.requests_per_second.median;
    let share = 100.0 * value / report.bare.requests_per_second.median;
    let text = match store {
        Some(_) if share.is_finite() => {
            format!("{}, {share:.0}% of bare", median(&figures.requests_per_second))
        }
        _ => median(&figures.requests_per_second),
    };
    Bar { name: store.map_or("no session".into(), |store| store.store.clone()), whose, value, text }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn latency(report: &Report) -> Result<Plot, String> {
    let in_mix = |store: &StoreReport| store.mixes.iter().find(|mix| mix.mix == "read-heavy").cloned();
    let line = |name: &str, whose: Whose, figures: &Figures| Line {
        name: name.to_owned(),
        whose,
        dashed: false,
        points: figures
            .latency
            .curve
            .iter()
            .map(|(share, micros)| (1.0 / (1.0 - share), micros / 1000.0))
            .collect(),
    };
    let mut all = vec![line("bare route", Whose::Bare, &report.bare)];
    for (number, store) in report.stores.iter().enumerate() {
        all.extend(in_mix(store).map(|figures| line(&store.store, Whose::Store(number), &figures)));
    }
    let named = std::iter::once(("bare route".to_owned(), report.bare.clone()));
    let named = named.chain(report.stores.iter().filter_map(|s| Some((s.store.clone(), in_mix(s)?))));
    let rows: Vec<Vec<String>> = named
        .map(|(name, figures)| {
            let Figures { latency, .. } = &figures;
            let times = [latency.p50, latency.p90, latency.p99, latency.p999, latency.max].map(millis);
            std::iter::once(name).chain(times).collect()
        })
        .collect();
    let said =
        rows.iter().map(|row| format!("{}: half within {} ms, 99.9% within {} ms", row[0], row[1], row[4]));
    let about = format!("Lines: latency by percentile. {}.", said.collect::<Vec<_>>().join("; "));
    let share = |place| format!("{}%", trimmed(100.0 - 100.0 / place));
    let x = Axis { name: "share of requests", written: share };
    let y = Axis { name: "milliseconds, or less", written: trimmed };
    Ok(Plot {
        slug: "latency",
        title: "Latency",
        note: "The read-heavy mix. Each point says within how many milliseconds that share of the requests was \
               answered. Both scales are logarithmic: from 90% to 99% is as far as from 99% to 99.9%, which leaves \
               room for the few slow requests. Each client asks again as soon as it is answered, so the server is \
               always busy, and a request takes on average the clients divided by the requests per second: this \
               is the wait in a full queue, not that of a server with time to spare.",
        svg: log_lines(&all, &about, &x, &y).ok(),
        table: Table::new(
            "Latency of the read-heavy mix, in milliseconds",
            names(&["Store", "p50", "p90", "p99", "p99.9", "Longest"]),
            rows,
        ),
    })
}

fn wire(report: &Report) -> Result<Plot, String> {
    let alike = alike(&report.stores);
    let mut all: Vec<Line> = Vec::new();
    for Alike { name, first, store } in &alike {
        let points = |of: fn(&OnTheWire) -> Option<u64>| -> Vec<(f64, f64)> {
            store.wire.iter().filter_map(|at| Some((at.data as f64, of(at)? as f64))).collect()
        };
        let line = |kind: &str, dashed, points| Line {
            name: format!("{name}, {kind}"),
            whose: Whose::Store(*first),
            dashed,
            points,
        };
        all.push(line("read", false, points(|at| at.read)));
        all.push(line("write", true, points(|at| at.write)));
    }
    let ends = all.iter().filter_map(|line| {
        let (first, last) = (line.points.first()?, line.points.last()?);
        Some(format!("{} from {} to {} bytes with {} of data", line.name, first.1, last.1, last.0))
    });
    let about = format!("Lines: bytes on the wire. {}.", ends.collect::<Vec<_>>().join("; "));
    let x = Axis { name: "bytes of data in the session", written: grouped };
    let y = Axis { name: "bytes, request and answer", written: grouped };
    Ok(Plot {
        slug: "wire",
        title: "Bytes on the wire",
        note: "A cookie carries all of the data up with each request, and down again with each write, in base64. \
               The line ends where a session is refused as too large (max_cookie_bytes). Stores that are within \
               1% of each other share a line and a column.",
        svg: Some(lines(&all, &about, &x, &y)?),
        table: wire_table(&alike),
    })
}

/// Stores whose sessions take as many bytes on the wire.
struct Alike<'r> {
    /// The names of all of them.
    name: String,
    /// The number in the report of the first of them, and its figures.
    first: usize,
    store: &'r StoreReport,
}

/// The stores of a report, those that nobody could tell apart in a picture as one.
fn alike(stores: &[StoreReport]) -> Vec<Alike<'_>> {
    let mut all: Vec<Alike<'_>> = Vec::new();
    for (first, store) in stores.iter().enumerate() {
        match all.iter_mut().find(|others| are_alike(&others.store.wire, &store.wire)) {
            Some(others) => others.name += &format!(" and {}", store.store),
            None => all.push(Alike { name: store.store.clone(), first, store }),
        }
    }
    all
}

/// Whether these differ by no more than 1%.
fn are_alike(one: &[OnTheWire], other: &[OnTheWire]) -> bool {
    let is_near = |one: Option<u64>, other: Option<u64>| match (one, other) {
        (Some(one), Some(other)) => one.abs_diff(other) * 100 <= one,
        _ => one == other,
    };
    let is_alike = |(one, other): (&OnTheWire, &OnTheWire)| {
        is_near(one.read, other.read) && is_near(one.write, other.write)
    };
    one.len() == other.len() && one.iter().zip(other).all(is_alike)
}

fn wire_table(stores: &[Alike<'_>]) -> Table {
    let mut head = names(&["Bytes of data"]);
    for Alike { name, .. } in stores {
        head.extend(["read", "write"].map(|kind| format!("{name}, {kind}")));
    }
    let written = |bytes: Option<u64>| bytes.map_or("refused".into(), |bytes| grouped(bytes as f64));
    let sizes = stores.first().map_or(&[][..], |alike| &alike.store.wire);
    let rows = sizes.iter().enumerate().map(|(number, size)| {
        let of_stores = stores.iter().filter_map(|alike| alike.store.wire.get(number));
        let cells = of_stores.flat_map(|at| [written(at.read), written(at.write)]);
        std::iter::once(grouped(size.data as f64)).chain(cells).collect()
    });
    Table::new("Bytes on the wire for a request and its answer, headers and all", head, rows.collect())
}

fn delays(report: &Report) -> Result<Option<Plot>, String> {
    let Some(delayed) = report.delayed.as_ref().filter(|delayed| !delayed.is_empty()) else {
        return Ok(None);
    };
    let of_store =
        |at: fn(&Figures) -> f64| delayed.iter().map(move |one| (one.delay_millis, at(&one.figures)));
    let last = delayed.last().map_or(0.0, |one| one.delay_millis);
    let mut rows: Vec<Vec<String>> = delayed
        .iter()
        .map(|one| {
            let latency = &one.figures.latency;
            let name = format!("{}, {} ms away", one.store, one.delay_millis);
            vec![name, median(&one.figures.requests_per_second), millis(latency.p50), millis(latency.p99)]
        })
        .collect();
    let half = |figures: &Figures| figures.latency.p50 / 1000.0;
    let name = delayed.first().map_or("", |one| &one.store).to_owned();
    let number = |is: &dyn Fn(&StoreReport) -> bool| report.stores.iter().position(is);
    let whose = Whose::Store(number(&|store| store.store == name).unwrap_or_default());
    let mut all = vec![Line { name, whose, dashed: false, points: of_store(half).collect() }];
    let cookie = number(&|store| !store.server_side).and_then(|at| Some((at, report.stores.get(at)?)));
    let read_heavy = |store: &'_ StoreReport| store.mixes.iter().find(|mix| mix.mix == "read-heavy").cloned();
    if let Some((at, figures)) = cookie.and_then(|(at, store)| Some((at, read_heavy(store)?))) {
        let points = vec![(0.0, half(&figures)), (last, half(&figures))];
        let name = "cookie: asks no store".into();
        all.push(Line { name, whose: Whose::Store(at), dashed: false, points });
        let latency = &figures.latency;
        let rate = median(&figures.requests_per_second);
        rows.push(vec!["cookie".into(), rate, millis(latency.p50), millis(latency.p99)]);
    }
    let said = rows.iter().map(|row| format!("{}: half within {} ms", row[0], row[2])).collect::<Vec<_>>();
    let about = format!("Lines: median latency as the store gets slower. {}.", said.join("; "));
    let x = Axis { name: "milliseconds to the store, for each operation", written: trimmed };
    let y = Axis { name: "milliseconds, median", written: trimmed };
    Ok(Some(Plot {
        slug: "delay",
        title: "As the store gets slower",
        note: "The read-heavy mix. The delay is added in the server before each operation of the store; the timer \
               counts whole milliseconds, so up to one more may pass. The cookie asks no store.",
        svg: Some(lines(&all, &about, &x, &y)?),
        table: Table::new(
            "The read-heavy mix as the store gets slower",
            names(&["Store", "Requests/s", "p50 ms", "p99 ms"]),
            rows,
        ),
    }))
}
