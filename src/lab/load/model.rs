//! The model of `docs/at-scale.md`: what sessions cost when there are many of them, computed from what a run measured,
//! so that no figure of the page is one that somebody forgot to compute again.

use super::report::{Report, StoreReport};
use super::view::{digits, short, short_bytes};

/// Requests of one session per second, and the shares of them that change it, for a visitor who is signed in and for
/// one who is not.
const RATE: f64 = 1.0 / 30.0;
const WRITES: f64 = 0.05;
const ANONYMOUS_WRITES: f64 = 0.01;
/// Bytes of a session's data.
const DATA: f64 = 100.0;
/// Bytes that a sealed id adds to a request, and those of a `Set-Cookie` beyond those of the `Cookie`.
pub(super) const ID: f64 = 90.0;
pub(super) const SET_COOKIE: f64 = 44.0;
/// Sign-outs of one session in use per day, and for how many hours each is kept.
const SIGN_OUTS: f64 = 2.0;
const KEPT_HOURS: f64 = 12.0;
/// Bytes of an entry of the ledger: in a server's memory, as it is read, and those that a reading without news
/// returns, which are the claim and the last entry.
const ENTRY_IN_MEMORY: f64 = 53.0;
const ENTRY_READ: f64 = 25.0;
const NO_NEWS: f64 = 71.0 + ENTRY_READ;
/// The most readings of a server in a second, however many hints come.
const MAX_READINGS: f64 = 20.0;
const DAY: f64 = 86_400.0;
const MONTH: f64 = 30.4 * DAY;
/// After so many seconds without a write a request that only reads writes too.
const TOUCH_AFTER: f64 = 60.0;

/// The numbers of sessions in the columns, and of servers where a row depends on it.
const SESSIONS: [f64; 3] = [1e4, 1e6, 1e8];
const SERVERS: f64 = 10.0;

/// What a run measured of the terms; the others are bytes and counts, which are the same on every machine.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measured {
    /// Microseconds of the server for a request without a session.
    bare: f64,
    /// The same for the read-heavy mix, on each store.
    micros: Vec<(String, f64)>,
    /// Bytes of a session in each server store, besides its data.
    at_rest: Vec<(String, f64)>,
    /// Bytes of a sign-out in the file of the ledger.
    entry: Option<f64>,
}

/// Bytes that the cookie of a session with so many bytes of data adds to a request, for somebody who is signed in under
/// a name of 13 bytes: what is in it is base64.
pub(super) fn cookie(data: f64) -> f64 {
    169.0 + data * 4.0 / 3.0
}

/// The share of the requests that only move `seen`: those that read, and come more than a minute after the last
/// write. Where requests come at random, the first after that minute is 1 / `rate` seconds late.
pub(super) fn touches(rate: f64) -> f64 {
    1.0 / (1.0 + TOUCH_AFTER * rate)
}

/// The most that this share can be: one such request a minute.
fn most_touches(rate: f64) -> f64 {
    (1.0 / (TOUCH_AFTER * rate)).min(1.0)
}

impl Measured {
    /// `None` where the system does not tell a process's time.
    pub(super) fn of(report: &Report) -> Option<Measured> {
        let read_heavy = |store: &StoreReport| {
            let mix = store.mixes.iter().find(|mix| mix.mix == "read-heavy")?;
            Some((store.store.clone(), mix.server_cpu_micros?.median))
        };
        let (mut at_rest, mut entry) = (Vec::new(), None);
        for store in &report.stores {
            let Some(kept) = store.at_rest.as_ref().filter(|kept| kept.is_telling()) else { continue };
            if store.server_side {
                at_rest.push((store.store.clone(), kept.bytes_per_session - kept.data as f64));
            } else if kept.place.starts_with("file") {
                entry = Some(kept.bytes_per_session);
            }
        }
        let micros = report.stores.iter().map(read_heavy).collect::<Option<_>>()?;
        Some(Measured { bare: report.bare.server_cpu_micros?.median, micros, at_rest, entry })
    }

    /// The rows of the page's first table that a run changes.
    pub(super) fn terms(&self) -> Vec<String> {
        let listed = |all: &[(String, f64)], decimals: usize| {
            let all = all.iter().map(|(name, value)| format!("{value:.decimals$} ({name})"));
            all.collect::<Vec<_>>().join(", ")
        };
        let bare = ("no session".to_owned(), self.bare);
        let micros: Vec<_> = std::iter::once(bare).chain(self.micros.iter().cloned()).collect();
        let mut rows = vec![
            format!(
                "| m | {STORED} | {} | What a session takes on the server, without its 34 bytes of data |",
                listed(&self.at_rest, 0)
            ),
            format!("| c | {PROCESSOR} | {} | CPU µs, read-heavy and bare route |", listed(&micros, 1)),
        ];
        let entry = |bytes| {
            format!("| l | {LOGGED} | {bytes:.0} | What a session takes on the server: cookie + ledger |")
        };
        rows.extend(self.entry.map(entry));
        rows
    }

    /// The rows of the page's second table.
    pub(super) fn filled_in(&self) -> Vec<String> {
        let (s, most, k) = (touches(RATE), most_touches(RATE), cookie(DATA));
        let (rate, ended) = (|n: f64| n * RATE, |n: f64| n * SIGN_OUTS);
        let kept = |n: f64| ended(n) * KEPT_HOURS / 24.0;
        let on_the_wire = |n: f64, s: f64| rate(n) * (k + (WRITES + s) * (k + SET_COOKIE));
        let asked = |n: f64, s: f64| rate(n) * (1.0 + WRITES + s);
        let hinted = |n: f64| (ended(n) / DAY).clamp(1.0, MAX_READINGS);
        let of_log =
            |n: f64, readings: f64| SERVERS * readings + rate(n) * ANONYMOUS_WRITES + 2.0 * ended(n) / DAY;
        let read = |n: f64, readings: f64| SERVERS * (readings * DAY * NO_NEWS + ended(n) * ENTRY_READ);
        let mut rows = vec![
            row("R, requests per second", short, rate),
            row("session bytes per second, cookie", short_bytes, |n| on_the_wire(n, s)),
            row("… at most, with s = 1 / (60 r)", short_bytes, |n| on_the_wire(n, most)),
            row("session bytes per second, server store", short_bytes, |n| rate(n) * ID),
        ];
        rows.extend(self.at_rest.iter().map(|(name, bytes)| {
            row(&format!("bytes in the store, {name}"), short_bytes, |n| n * (bytes + DATA))
        }));
        rows.extend([
            row("operations of the store per second", short, |n| asked(n, s)),
            row("… at most, with s = 1 / (60 r)", short, |n| asked(n, most)),
            row("… from each server, N = 10", short, |n| asked(n, s) / 10.0),
            row("… N = 100", short, |n| asked(n, s) / 100.0),
            row("M, sign-outs per day, two for each session in use", short, ended),
            row("live entries of the ledger", short, kept),
            row("bytes of the ledger in each server, e = 53", short_bytes, |n| kept(n) * ENTRY_IN_MEMORY),
        ]);
        rows.extend(
            self.entry.map(|bytes| row("bytes of the log, SQLite", short_bytes, |n| kept(n) * bytes)),
        );
        rows.extend([
            row("operations of the log per second, N = 10, without hints", short, |n| of_log(n, 1.0)),
            row("… with hints", short, |n| of_log(n, hinted(n))),
            row("bytes per day that 10 servers read of it, without hints", short_bytes, |n| read(n, 1.0)),
            row("… with hints", short_bytes, |n| read(n, hinted(n))),
            row("cores for requests without a session", cores, |n| rate(n) * self.bare / 1e6),
        ]);
        rows.extend(self.micros.iter().map(|(name, micros)| {
            let name = format!("cores for sessions alone, {name}");
            row(&name, cores, |n| rate(n) * (micros - self.bare) / 1e6)
        }));
        rows.push(row("seals per second, cookie, at most", short, |n| rate(n) * (WRITES + most)));
        rows
    }

    /// What a session adds to the processor time of a request, store by store.
    pub(super) fn work(&self) -> String {
        let all = self.micros.iter().map(|(name, micros)| format!("{:.1} µs ({name})", micros - self.bare));
        all.collect::<Vec<_>>().join(", ")
    }

    /// How many bytes the cookie of a session transfers in a month beyond those of an id: to the server and from it,
    /// and from it alone; each with how many times as many bytes the first server store takes for as long.
    pub(super) fn bill(&self) -> Option<[String; 2]> {
        let (name, stored) = self.at_rest.first()?;
        let changes = (WRITES + touches(RATE)) * (cookie(DATA) + SET_COOKIE);
        Some([cookie(DATA) - ID + changes, changes].map(|bytes| {
            let month = bytes * RATE * MONTH;
            let times = digits(month / (stored + DATA), 2);
            format!("{} a month, {times} times what it takes in {name}", short_bytes(month))
        }))
    }
}

/// What the letters of the rows mean that a run changes.
const STORED: &str = "bytes of a session in the store, besides its data";
const PROCESSOR: &str = "processor time of the server for a request, µs";
const LOGGED: &str = "bytes of an entry in the log (SQLite)";

fn row(name: &str, written: fn(f64) -> String, of: impl Fn(f64) -> f64) -> String {
    format!("| {name} | {} |", SESSIONS.map(|sessions| written(of(sessions))).join(" | "))
}

fn cores(value: f64) -> String {
    digits(value, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/at-scale.md");

    /// The figures of a row of the first table, each with its name.
    fn figures(letter: &str) -> Vec<(String, f64)> {
        let row = PAGE.lines().find_map(|line| line.strip_prefix(&format!("| {letter} | "))).unwrap();
        let cell = row.split(" | ").nth(1).unwrap();
        let figure = |text: &str| {
            let (figure, name) = text.split_once(" (").unwrap_or((text, ""));
            (name.trim_end_matches(')').to_owned(), figure.parse().unwrap())
        };
        cell.split(", ").map(figure).collect()
    }

    fn measured() -> Measured {
        let mut micros = figures("c");
        let (name, bare) = micros.remove(0);
        assert_eq!(name, "no session");
        Measured { bare, micros, at_rest: figures("m"), entry: Some(figures("l")[0].1) }
    }

    #[test]
    fn the_page_at_scale_is_filled_in_with_the_terms_that_it_names() {
        let measured = measured();
        let rows: Vec<String> = measured.terms().into_iter().chain(measured.filled_in()).collect();
        let missing: Vec<&String> =
            rows.iter().filter(|row| !PAGE.lines().any(|line| line == *row)).collect();
        assert!(missing.is_empty(), "docs/at-scale.md lacks these rows:\n{missing:#?}");
        let prose = PAGE.split_whitespace().collect::<Vec<_>>().join(" ");
        for said in measured.bill().unwrap().iter().chain([&measured.work()]) {
            assert!(prose.contains(said), "docs/at-scale.md does not say {said:?}");
        }
    }

    #[test]
    fn a_touch_comes_less_than_once_a_minute() {
        for rate in [1e-6, 0.001, 1.0 / 30.0, 1.0, 50.0] {
            assert!(touches(rate) <= most_touches(rate) && most_touches(rate) <= 1.0, "{rate}");
        }
        assert!((touches(RATE) - 1.0 / 3.0).abs() < 1e-9);
    }
}
