//! What went to and fro in an experiment, as a sequence diagram: a lane for each browser and each server, and a row for each
//! request and each answer.

use serde::Serialize;

use crate::lab::Exchange;

/// How far lanes are from each other, in pixels.
const APART: usize = 22;
/// The most rows that are pictured: the last ones.
const MAX_ROWS: usize = 24;

/// A picture: who takes part, from left to right, and what they say to each other, from top to bottom.
#[derive(Debug, Serialize)]
pub(super) struct Lanes {
    width: usize,
    lanes: Vec<Lane>,
    /// Whether there is more than one server to ask.
    servers: bool,
    rows: Vec<Row>,
    /// How many rows came before those that are pictured.
    before: usize,
}

#[derive(Debug, Serialize)]
struct Lane {
    name: &'static str,
    x: usize,
}

/// A request with its answer, or one of them alone where others came in between.
#[derive(Debug, PartialEq, Serialize)]
struct Row {
    who: &'static str,
    whom: &'static str,
    from: usize,
    to: usize,
    /// The method and the path.
    request: String,
    asks: Option<Asks>,
    answers: Option<Answers>,
    /// How many alike came one after the other.
    times: usize,
}

#[derive(Debug, PartialEq, Serialize)]
struct Asks {
    /// What went on before.
    meanwhile: String,
    /// What came with it.
    with: String,
}

#[derive(Debug, PartialEq, Serialize)]
struct Answers {
    status: String,
    says: String,
    /// What it does to the cookie.
    cookie: Option<Change>,
    lost: bool,
    /// The verdict rests on this one.
    decides: bool,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    Sets,
    Removes,
}

impl Row {
    /// Whether another is the same again, but for what it has counted.
    fn is_like(&self, other: &Row) -> bool {
        let uncounted = |row: &Row| {
            row.answers.as_ref().map(|answers| {
                let says = answers.says.split(',').next().unwrap_or_default().to_owned();
                (answers.status.clone(), says, answers.cookie.is_some(), answers.lost, answers.decides)
            })
        };
        (self.who, self.whom, &self.request, &self.asks, uncounted(self))
            == (other.who, other.whom, &other.request, &other.asks, uncounted(other))
    }
}

/// The picture of these exchanges; `None` if there are none. Where none is said to decide and there `is_verdict`, the
/// last one does.
pub(super) fn of(exchanges: &[Exchange], is_verdict: bool) -> Option<Lanes> {
    let names = names(exchanges);
    let x = |name: &str| {
        let at = names.iter().position(|other| *other == name).unwrap_or_default();
        at * APART + APART / 2
    };
    let decider =
        (is_verdict && exchanges.iter().all(|exchange| !exchange.decides)).then(|| exchanges.last());
    let row = |exchange: &Exchange, asks: bool, answers: bool| Row {
        who: exchange.who,
        whom: exchange.whom,
        from: x(exchange.who),
        to: x(exchange.whom),
        request: [exchange.method, &exchange.path].join(" ").trim_start().to_owned(),
        asks: asks.then(|| Asks { meanwhile: exchange.meanwhile.clone(), with: exchange.with.clone() }),
        answers: answers.then(|| Answers {
            status: exchange.status.clone(),
            says: exchange.says.clone(),
            cookie: change(exchange),
            lost: exchange.lost,
            decides: exchange.decides
                || decider.flatten().is_some_and(|decider| std::ptr::eq(decider, exchange)),
        }),
        times: 1,
    };
    let mut rows: Vec<Row> = Vec::new();
    for (number, exchange) in exchanges.iter().enumerate() {
        let later = exchanges.iter().skip(number + 1).filter(|later| later.began == number);
        let meanwhile: Vec<Row> = later.map(|later| row(later, true, false)).collect();
        let begins = exchange.began == number;
        if begins && meanwhile.is_empty() {
            rows.push(row(exchange, true, true));
            continue;
        }
        rows.extend(meanwhile);
        rows.extend(begins.then(|| row(exchange, true, false)));
        rows.push(row(exchange, false, true));
    }
    rows.dedup_by(|next, row| {
        let is_like = next.is_like(row);
        if is_like {
            next.times += row.times;
            std::mem::swap(next, row);
        }
        is_like
    });
    let before = rows.len().saturating_sub(MAX_ROWS);
    rows.drain(..before);
    let servers =
        exchanges.iter().any(|exchange| Some(exchange.whom) != exchanges.first().map(|first| first.whom));
    let lanes = names.iter().map(|name| Lane { name, x: x(name) }).collect();
    (!rows.is_empty()).then_some(Lanes { width: names.len() * APART, lanes, servers, rows, before })
}

/// Who asks, and then who is asked, each in the order of appearance.
fn names(exchanges: &[Exchange]) -> Vec<&'static str> {
    let mut names = Vec::new();
    let asked = |name| exchanges.iter().any(|exchange| exchange.whom == name);
    let askers = exchanges.iter().map(|exchange| exchange.who).filter(|name| !asked(*name));
    for name in askers.chain(exchanges.iter().map(|exchange| exchange.whom)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn change(exchange: &Exchange) -> Option<Change> {
    let line = exchange.set_cookie.first()?;
    Some(if line.contains("=(removed)") { Change::Removes } else { Change::Sets })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a browser that asks the server, the `number`th.
    fn exchange(number: usize, who: &'static str, says: &str) -> Exchange {
        Exchange {
            who,
            whom: "server",
            method: "GET",
            path: "/profile".into(),
            status: "200".into(),
            says: says.into(),
            began: number,
            ..Exchange::default()
        }
    }

    fn decides(picture: &Lanes) -> Vec<bool> {
        picture.rows.iter().map(|row| row.answers.as_ref().is_some_and(|answers| answers.decides)).collect()
    }

    #[test]
    fn everyone_has_a_lane_and_the_last_answer_decides() {
        let all = [
            exchange(0, "visitor", ""),
            exchange(1, "thief", "signed in as ada"),
            exchange(2, "visitor", ""),
        ];
        let picture = of(&all, true).unwrap();
        let names: Vec<_> = picture.lanes.iter().map(|lane| lane.name).collect();
        assert_eq!(names, ["visitor", "thief", "server"]);
        assert!(!picture.servers && picture.before == 0);
        assert_eq!(decides(&picture), [false, false, true]);
        assert!(picture.rows.iter().all(|row| row.from < row.to && row.to < picture.width));
        assert_eq!(decides(&of(&all, false).unwrap()), [false; 3]);
        assert!(of(&[], true).is_none());
    }

    #[test]
    fn an_answer_that_is_said_to_decide_does_so_alone() {
        let all = [Exchange { decides: true, ..exchange(0, "Ada", "") }, exchange(1, "Bob", "")];
        assert_eq!(decides(&of(&all, true).unwrap()), [true, false]);
    }

    #[test]
    fn servers_come_after_browsers_and_one_that_asks_a_store_is_one_of_them() {
        let asked = Exchange { who: "server", whom: "store", began: 1, ..Exchange::default() };
        let other = Exchange { whom: "other server", ..exchange(2, "Bob", "") };
        let picture = of(&[exchange(0, "Ada", ""), asked, other], true).unwrap();
        let names: Vec<_> = picture.lanes.iter().map(|lane| lane.name).collect();
        assert_eq!(names, ["Ada", "Bob", "server", "store", "other server"]);
        assert!(picture.servers);
    }

    #[test]
    fn a_request_that_others_overtake_stands_apart_from_its_answer() {
        let slow = Exchange { path: "/slow".into(), began: 1, ..exchange(0, "Ada", "") };
        let picture = of(&[exchange(0, "Ada", ""), exchange(1, "Ada", "out"), slow], true).unwrap();
        let shown: Vec<_> = picture
            .rows
            .iter()
            .map(|row| (&*row.request, row.asks.is_some(), row.answers.is_some()))
            .collect();
        let expected = [
            ("GET /profile", true, true),
            ("GET /slow", true, false),
            ("GET /profile", true, false),
            ("GET /profile", false, true),
            ("GET /slow", false, true),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_repeated_is_pictured_once_with_its_last_count() {
        let mut all: Vec<_> =
            (0..30).map(|n| exchange(n, "Ada", &format!("signed in as ada, {n} visits"))).collect();
        all.push(Exchange { status: "503".into(), ..exchange(30, "Ada", "") });
        let picture = of(&all, true).unwrap();
        let shown: Vec<_> =
            picture.rows.iter().map(|row| (row.times, &row.answers.as_ref().unwrap().says)).collect();
        assert_eq!(shown, [(30, &"signed in as ada, 29 visits".to_owned()), (1, &String::new())]);
    }

    #[test]
    fn of_many_rows_the_last_are_pictured() {
        let all: Vec<_> = (0..30).map(|n| exchange(n, ["Ada", "Bob"][n % 2], "")).collect();
        let picture = of(&all, true).unwrap();
        assert_eq!((picture.rows.len(), picture.before), (24, 6));
        assert!(*decides(&picture).last().unwrap());
    }

    #[test]
    fn a_cookie_that_is_set_and_one_that_is_removed_differ() {
        let with = |line: &str| Exchange { set_cookie: vec![line.into()], ..exchange(0, "Ada", "") };
        assert_eq!(change(&with("__Host-lab=AbC… (90 bytes)")), Some(Change::Sets));
        assert_eq!(change(&with("__Host-lab=(removed); Max-Age=0")), Some(Change::Removes));
        assert_eq!(change(&exchange(0, "Ada", "")), None);
    }
}
