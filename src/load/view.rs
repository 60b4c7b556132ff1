//! A report as people read it: plots, each with its numbers as a table.

use rocket_dyn_templates::tera::{Context, Tera};
use serde::Serialize;

use super::measure::Figures;
use super::plots::{Axis, Bar, Line, bars, lines, log_lines};
use super::report::{OnTheWire, Report, StoreReport};

/// A report in words, numbers and pictures.
#[derive(Debug, Clone, Serialize)]
pub struct View {
    /// When it was made.
    pub made: String,
    /// Under which conditions.
    pub conditions: String,
    /// What makes the figures less than they could be; empty when there is nothing.
    pub warnings: Vec<String>,
    /// The pictures, each with its table.
    pub plots: Vec<Plot>,
    /// What stands in no picture.
    pub tables: Vec<Table>,
}

/// A picture and its numbers.
#[derive(Debug, Clone, Serialize)]
pub struct Plot {
    /// A word for addresses.
    pub slug: &'static str,
    /// What it is of.
    pub title: &'static str,
    /// What to see in it.
    pub note: &'static str,
    /// The picture; none when there is nothing to draw.
    pub svg: Option<String>,
    /// Its numbers.
    pub table: Table,
}

/// A table of text; the first of each row names it.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// What it is of.
    pub caption: String,
    /// The names of its columns.
    pub head: Vec<String>,
    /// The rest.
    pub rows: Vec<Vec<String>>,
}

impl View {
    /// Draws a report.
    ///
    /// # Errors
    /// When a picture cannot be drawn.
    pub fn of(report: &Report) -> Result<View, String> {
        let Report { cores, clients, seconds, nodes, version, .. } = report;
        let servers = if *nodes == 1 { "one server".to_owned() } else { format!("{nodes} servers") };
        let mut conditions = format!(
            "{clients} clients over kept connections, {seconds} s for each mix and store, {servers} with one \
             thread, {cores} cores, version {version}. Each client sends its next request when the last one is \
             answered."
        );
        if report.store_delay_millis > 0.0 {
            let delay = report.store_delay_millis;
            conditions += &format!(" Each operation of a server store waited {delay} ms before it began.");
        }
        let mut plots = vec![throughput(report)?, latency(report)?, wire(report)?];
        plots.extend(delays(report)?);
        Ok(View {
            made: report.made.clone(),
            conditions,
            warnings: warnings(report),
            plots,
            tables: vec![operations(report), at_rest(report)],
        })
    }

    /// The report as one file, which needs no other.
    ///
    /// # Errors
    /// When the template cannot be filled.
    pub fn html(&self) -> Result<String, String> {
        let fails = |error| format!("the report cannot be written: {error:?}");
        let mut tera = Tera::default();
        tera.autoescape_on(vec![""]);
        tera.add_raw_templates([
            ("load_report", include_str!("../../templates/load_report.html.tera")),
            ("partials/load", include_str!("../../templates/partials/load.html.tera")),
        ])
        .map_err(fails)?;
        let mut context = Context::new();
        context.insert("load", self);
        tera.render("load_report", &context).map_err(fails)
    }

    /// The tables as text.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.conditions);
        for warning in &self.warnings {
            text += &format!("Note: {warning}\n");
        }
        for table in self.plots.iter().map(|plot| &plot.table).chain(&self.tables) {
            text += &table.text();
        }
        text
    }
}

impl Table {
    fn text(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain(self.head.get(column).map(|name| name.chars().count())).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let line = |cells: &[String]| {
            let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ") + "\n"
        };
        let mut text = format!("\n{}\n{}", self.caption, line(&self.head));
        for row in &self.rows {
            text += &line(row);
        }
        text
    }
}

fn warnings(report: &Report) -> Vec<String> {
    let mut all = Vec::new();
    if !report.optimised {
        all.push("this was a debug build; a release build is many times faster.".into());
    }
    let figures = || std::iter::once(&report.bare).chain(report.stores.iter().flat_map(|store| &store.mixes));
    if figures().any(|figures| figures.driver_busy.is_some_and(|busy| busy > 0.9)) {
        all.push("the driver used a whole core at times, and not the server, was the bound there.".into());
    }
    let failures: u64 = figures().map(|figures| figures.failures).sum();
    if failures > 0 {
        all.push(format!("{failures} requests were answered with another status than 200."));
    }
    all
}

/// All mixes of all stores, the bare route first.
fn mixes(report: &Report) -> impl Iterator<Item = (usize, &Figures, Option<&StoreReport>)> {
    let count = report.stores.first().map_or(0, |store| store.mixes.len());
    let of_stores = (0..count).flat_map(move |mix| {
        let stores = report.stores.iter().enumerate();
        stores.filter_map(move |(number, store)| Some((number, store.mixes.get(mix)?, Some(store))))
    });
    std::iter::once((5, &report.bare, None)).chain(of_stores)
}

fn name_of(figures: &Figures, store: Option<&StoreReport>) -> String {
    match store {
        Some(store) => format!("{}, {}", figures.mix, store.store),
        None => figures.mix.clone(),
    }
}

fn throughput(report: &Report) -> Result<Plot, String> {
    let all = mixes(report).map(|(colour, figures, store)| Bar {
        name: name_of(figures, store),
        colour,
        value: figures.requests_per_second,
    });
    let all: Vec<Bar> = all.collect();
    let most = all.iter().map(|bar| format!("{} {}", bar.name, grouped(bar.value))).collect::<Vec<_>>();
    let about = format!("Bars: requests per second. {}.", most.join("; "));
    let head =
        names(&["Mix and store", "Requests/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "CPU µs/request"]);
    let rows = mixes(report).map(|(_, figures, store)| {
        let latency = &figures.latency;
        let mut row = vec![name_of(figures, store), grouped(figures.requests_per_second)];
        row.extend([latency.p50, latency.p90, latency.p99, latency.p999].map(millis));
        row.push(figures.server_cpu_micros.map_or("–".into(), |micros| format!("{micros:.1}")));
        row
    });
    Ok(Plot {
        slug: "throughput",
        title: "Throughput",
        note: "One thread of one server; the bare route takes no session and is the ceiling. Read-heavy is 95 reads \
               to 5 writes, write-heavy one to one, login is a login, eight reads and a logout, without the \
               hashing of a password.",
        svg: Some(bars(&all, &about, grouped)?),
        table: Table {
            caption: "Throughput, latency and processor time of the server".into(),
            head,
            rows: rows.collect(),
        },
    })
}

fn latency(report: &Report) -> Result<Plot, String> {
    let in_mix = |store: &StoreReport| store.mixes.iter().find(|mix| mix.mix == "read-heavy").cloned();
    let line = |name: &str, colour: usize, figures: &Figures| Line {
        name: name.to_owned(),
        colour,
        points: figures
            .latency
            .curve
            .iter()
            .map(|(share, micros)| (1.0 / (1.0 - share), micros / 1000.0))
            .collect(),
    };
    let mut all = vec![line("bare route", 5, &report.bare)];
    for (number, store) in report.stores.iter().enumerate() {
        all.extend(in_mix(store).map(|figures| line(&store.store, number, &figures)));
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
        rows.iter().map(|row| format!("{}: half within {} ms, 99.9 % within {} ms", row[0], row[1], row[4]));
    let about = format!("Lines: latency by percentile. {}.", said.collect::<Vec<_>>().join("; "));
    let x =
        Axis { name: "share of requests", written: |place| format!("{} %", trimmed(100.0 - 100.0 / place)) };
    let y = Axis { name: "milliseconds, or less", written: trimmed };
    Ok(Plot {
        slug: "latency",
        title: "Latency",
        note: "The read-heavy mix. Both axes go up by factors: each step to the right is ten times rarer.",
        svg: log_lines(&all, &about, &x, &y).ok(),
        table: Table {
            caption: "Latency of the read-heavy mix, in milliseconds".into(),
            head: names(&["Store", "p50", "p90", "p99", "p99.9", "Longest"]),
            rows,
        },
    })
}

fn wire(report: &Report) -> Result<Plot, String> {
    let mut all: Vec<Line> = Vec::new();
    for store in &report.stores {
        let points = |of: fn(&OnTheWire) -> Option<u64>| -> Vec<(f64, f64)> {
            store.wire.iter().filter_map(|at| Some((at.data as f64, of(at)? as f64))).collect()
        };
        // Server stores all look alike here: one of them stands for all.
        if store.server_side && all.iter().any(|line| !line.name.starts_with("cookie")) {
            continue;
        }
        let colour = all.len();
        all.push(Line { name: format!("{}, read", store.store), colour, points: points(|at| at.read) });
        let write = points(|at| at.write);
        all.push(Line { name: format!("{}, write", store.store), colour: colour + 1, points: write });
    }
    let ends = all.iter().filter_map(|line| {
        let (first, last) = (line.points.first()?, line.points.last()?);
        Some(format!("{} from {} to {} bytes with {} of data", line.name, first.1, last.1, last.0))
    });
    let about = format!("Lines: bytes on the wire. {}.", ends.collect::<Vec<_>>().join("; "));
    let x = Axis { name: "bytes of data in the session", written: grouped };
    let y = Axis { name: "bytes for a request and its answer", written: grouped };
    Ok(Plot {
        slug: "wire",
        title: "Bytes on the wire",
        note: "A cookie carries all of the data up with each request, and down again with each write, in base64. It \
               ends where a session is refused as too large (max_cookie_bytes).",
        svg: Some(lines(&all, &about, &x, &y)?),
        table: wire_table(report),
    })
}

fn wire_table(report: &Report) -> Table {
    let mut head = names(&["Bytes of data"]);
    for store in &report.stores {
        head.extend(["read", "write"].map(|kind| format!("{}, {kind}", store.store)));
    }
    let written = |bytes: Option<u64>| bytes.map_or("refused".into(), |bytes| grouped(bytes as f64));
    let sizes = report.stores.first().map_or(&[][..], |store| &store.wire);
    let rows = sizes.iter().enumerate().map(|(number, size)| {
        let of_stores = report.stores.iter().filter_map(|store| store.wire.get(number));
        let cells = of_stores.flat_map(|at| [written(at.read), written(at.write)]);
        std::iter::once(grouped(size.data as f64)).chain(cells).collect()
    });
    Table {
        caption: "Bytes on the wire for a request and its answer, headers and all".into(),
        rows: rows.collect(),
        head,
    }
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
            vec![name, grouped(one.figures.requests_per_second), millis(latency.p50), millis(latency.p99)]
        })
        .collect();
    let median = |figures: &Figures| figures.latency.p50 / 1000.0;
    let name = delayed.first().map_or("", |one| &one.store).to_owned();
    let mut all = vec![Line { name, colour: 1, points: of_store(median).collect() }];
    let cookie = report.stores.iter().find(|store| !store.server_side);
    if let Some(figures) = cookie.and_then(|store| store.mixes.iter().find(|mix| mix.mix == "read-heavy")) {
        let points = vec![(0.0, median(figures)), (last, median(figures))];
        all.push(Line { name: "cookie, which asks no store".into(), colour: 0, points });
        let latency = &figures.latency;
        let rate = grouped(figures.requests_per_second);
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
               goes by whole milliseconds, so that up to one more may pass. The cookie asks no store.",
        svg: Some(lines(&all, &about, &x, &y)?),
        table: Table {
            caption: "The read-heavy mix as the store gets slower".into(),
            head: names(&["Store", "Requests/s", "p50 ms", "p99 ms"]),
            rows,
        },
    }))
}

fn operations(report: &Report) -> Table {
    let rows = mixes(report).map(|(_, figures, store)| {
        let named =
            figures.store_operations.iter().map(|(name, count)| format!("{} {name}", trimmed(*count)));
        let named: Vec<String> = named.collect();
        let operations = if named.is_empty() { "none".into() } else { named.join(", ") };
        let bytes = [figures.bytes_up, figures.bytes_down].map(grouped);
        std::iter::once(name_of(figures, store)).chain(bytes).chain([operations]).collect()
    });
    Table {
        caption: "Bytes and store operations of one request, on average".into(),
        head: names(&["Mix and store", "Bytes up", "Bytes down", "Store operations"]),
        rows: rows.collect(),
    }
}

fn at_rest(report: &Report) -> Table {
    let rows = report.stores.iter().map(|store| match &store.at_rest {
        Some(at_rest) => vec![
            store.store.clone(),
            grouped(at_rest.bytes_per_session),
            grouped(at_rest.sessions as f64),
            match at_rest.sessions {
                ..10_000 => format!("{}; too few to tell", at_rest.place),
                _ => at_rest.place.clone(),
            },
        ],
        None => vec![store.store.clone(), "not measured".into(), "–".into(), "another server".into()],
    });
    Table {
        caption: "What a session takes on the server".into(),
        head: names(&["Store", "Bytes per session", "Sessions made", "Where"]),
        rows: rows.collect(),
    }
}

fn millis(micros: f64) -> String {
    format!("{:.2}", micros / 1000.0)
}

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

/// Whole, with thousands apart.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.max(0.0));
    let mut grouped = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// As many digits as it takes, and three at most.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
