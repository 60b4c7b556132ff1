//! What went to and fro in an experiment, as a sequence diagram.

use serde::Serialize;

use crate::lab::Exchange;

/// The width of the picture, what of it is left and right of the outer lanes, the height of the heads and that of one
/// exchange.
const WIDTH: f64 = 360.0;
const MARGIN: f64 = 40.0;
const HEAD: f64 = 34.0;
const STEP: f64 = 46.0;
/// The most exchanges that are pictured: the last ones.
const MAX_STEPS: usize = 24;
/// The width of a letter, at most.
const LETTER: f64 = 6.1;
/// The most letters of a label: so many fit into the picture, which a label has to itself where it stands.
const MAX_LETTERS: usize = ((WIDTH - 2.0 * EDGE) / LETTER) as usize;
/// The width of a letter in the head of a lane, at most.
const HEAD_LETTER: f64 = 7.6;
/// What is left free beside a label.
const EDGE: f64 = 8.0;

/// A picture: who takes part, and what they say to each other, from top to bottom.
#[derive(Serialize)]
pub(super) struct Lanes {
    width: f64,
    height: f64,
    lanes: Vec<Lane>,
    steps: Vec<Step>,
    /// The names of the lanes, where the lanes are too near each other for them and are numbered instead.
    legend: Vec<&'static str>,
    /// How many exchanges came before those that are pictured.
    before: usize,
}

#[derive(Serialize)]
struct Lane {
    name: String,
    x: f64,
}

/// A request and its answer.
#[derive(Serialize)]
struct Step {
    from: f64,
    to: f64,
    y: f64,
    asks: Label,
    answers: Label,
    /// The answer sets a cookie.
    sets: bool,
    /// The verdict rests on this one.
    decides: bool,
}

/// A text and where its middle is.
#[derive(Serialize)]
struct Label {
    text: String,
    x: f64,
}

impl Label {
    /// Over the middle of the arrow, but within the picture: beside a short arrow it begins further left.
    fn over(from: f64, to: f64, text: &str) -> Label {
        let text = short(text, MAX_LETTERS);
        let half = text.chars().count() as f64 * LETTER / 2.0;
        let x = f64::midpoint(from, to).min(to - half).max(EDGE + half);
        Label { text, x }
    }
}

const SERVER: &str = "server";

/// The picture of these exchanges; `None` if there are none.
pub(super) fn of(exchanges: &[Exchange]) -> Option<Lanes> {
    let before = exchanges.len().saturating_sub(MAX_STEPS);
    let exchanges = exchanges.get(before..).unwrap_or_default();
    let mut names: Vec<&'static str> = Vec::new();
    for exchange in exchanges {
        if !names.contains(&exchange.who) {
            names.push(exchange.who);
        }
    }
    names.push(SERVER);
    let apart = (WIDTH - 2.0 * MARGIN) / (names.len() - 1).max(1) as f64;
    let lane = |name: &str| {
        let at = names.iter().position(|other| *other == name).unwrap_or_default();
        MARGIN + apart * at as f64
    };
    let step = |(number, exchange): (usize, &Exchange)| Step {
        from: lane(exchange.who),
        to: lane(SERVER),
        y: HEAD + STEP * number as f64 + 20.0,
        asks: Label::over(
            lane(exchange.who),
            lane(SERVER),
            &format!("{} {}", exchange.method, exchange.path),
        ),
        answers: Label::over(lane(exchange.who), lane(SERVER), &answer(exchange)),
        sets: !exchange.set_cookie.is_empty(),
        decides: number + 1 == exchanges.len(),
    };
    let steps: Vec<Step> = exchanges.iter().enumerate().map(step).collect();
    let height = HEAD + STEP * steps.len() as f64 + 8.0;
    let legend = if fit(&names, apart) {
        Vec::new()
    } else {
        names.iter().copied().filter(|name| *name != SERVER).collect()
    };
    let head = |(at, name): (usize, &&'static str)| {
        let x = lane(name);
        let is_numbered = legend.contains(name);
        Lane { name: if is_numbered { (at + 1).to_string() } else { (*name).to_owned() }, x }
    };
    let lanes = names.iter().enumerate().map(head).collect();
    (!exchanges.is_empty()).then_some(Lanes { width: WIDTH, height, lanes, steps, legend, before })
}

/// Whether these names can stand over lanes that are so far apart.
fn fit(names: &[&str], apart: f64) -> bool {
    let half = |name: &&str| name.chars().count() as f64 * HEAD_LETTER / 2.0;
    let outer = names.first().into_iter().chain(names.last());
    outer.map(half).all(|half| half <= MARGIN)
        && names.iter().zip(names.iter().skip(1)).all(|(left, right)| half(left) + half(right) < apart)
}

fn answer(exchange: &Exchange) -> String {
    match exchange.says.as_str() {
        "" => exchange.status.clone(),
        says => format!("{} {says}", exchange.status),
    }
}

/// So much of a text as fits.
fn short(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(letters.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(who: &'static str, says: &str) -> Exchange {
        Exchange {
            who,
            method: "GET",
            path: "/profile".into(),
            status: "200".into(),
            says: says.into(),
            ..Exchange::default()
        }
    }

    #[test]
    fn everyone_has_a_lane_and_the_last_step_decides() {
        let picture =
            of(&[exchange("visitor", ""), exchange("thief", "ada"), exchange("visitor", "")]).unwrap();
        let names: Vec<_> = picture.lanes.iter().map(|lane| &*lane.name).collect();
        assert_eq!(names, ["visitor", "thief", "server"]);
        assert!(picture.legend.is_empty());
        assert_eq!(picture.steps.iter().map(|step| step.decides).collect::<Vec<_>>(), [false, false, true]);
        assert!(picture.steps.windows(2).all(|pair| pair[0].y < pair[1].y));
        assert!(picture.steps.iter().all(|step| step.from < step.to && step.y < picture.height));
        assert!(picture.lanes.iter().all(|lane| (MARGIN..=WIDTH - MARGIN).contains(&lane.x)));
        assert_eq!(picture.steps[1].answers.text, "200 ada");
        assert!(of(&[]).is_none());
    }

    #[test]
    fn lanes_with_long_names_are_numbered() {
        let long = "the same, by another process";
        let picture = of(&[exchange("Ada", ""), exchange(long, ""), exchange("visitor", "")]).unwrap();
        let names: Vec<_> = picture.lanes.iter().map(|lane| &*lane.name).collect();
        assert_eq!(names, ["1", "2", "3", "server"]);
        assert_eq!(picture.legend, ["Ada", long, "visitor"]);
    }

    #[test]
    fn of_many_exchanges_the_last_are_pictured() {
        let picture = of(&vec![exchange("visitor", ""); 30]).unwrap();
        assert_eq!((picture.steps.len(), picture.before), (24, 6));
        assert!(picture.steps.last().unwrap().decides);
    }

    #[test]
    fn a_label_that_is_longer_than_its_arrow_stays_in_the_picture() {
        let says = "live session: signed in as ada; others: 2";
        let picture = of(&[exchange("phone", ""), exchange("desk", ""), exchange("thief", says)]).unwrap();
        let Step { answers, from, to, .. } = &picture.steps[2];
        assert_eq!(answers.text, format!("200 {says}"));
        let half = answers.text.chars().count() as f64 * LETTER / 2.0;
        assert!(half > (to - from) / 2.0, "it is longer");
        assert!(answers.x - half >= 0.0 && answers.x + half <= WIDTH, "{}", answers.x);
    }

    #[test]
    fn a_long_label_is_cut() {
        assert_eq!(short(&"é".repeat(40), 30), format!("{}…", "é".repeat(29)));
        assert_eq!(short("GET /", 5), "GET /");
    }
}
