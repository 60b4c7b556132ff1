//! A session's life as a picture: opened, signed in, now, the idle end, the absolute end.

use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::page::Page;
use super::visitor::Session;

/// The width of the picture, and the least distance of two marks and of a mark to its border.
const WIDTH: f64 = 360.0;
const GAP: f64 = 30.0;
const BORDER: f64 = 16.0;

/// A moment on the line.
#[derive(Serialize)]
struct Mark {
    number: usize,
    label: &'static str,
    x: f64,
    when: Value,
    is_now: bool,
}

/// The picture of a session; `None` while there is nothing to keep.
pub(super) fn of(session: &Session<'_>, page: &Page<'_>) -> Option<Value> {
    let (opened, expires) = (session.opened_at()?, session.expires()?);
    let now = page.now();
    let signed_in = session.signed_in_at().filter(|_| session.get().user.is_some());
    let mut moments = vec![("Opened", opened)];
    moments.extend(signed_in.map(|moment| ("Signed in", moment)));
    moments.push((NOW, now));
    moments.push(("Ends when idle", expires.idle));
    moments.push(("Ends in any case", expires.absolute));
    let places = spread(&places(&moments));
    let marks: Vec<Mark> = moments
        .iter()
        .zip(places)
        .zip(1..)
        .map(|(((label, moment), x), number)| Mark {
            number,
            label,
            x,
            when: page.when(*moment),
            is_now: *label == NOW,
        })
        .collect();
    let last = marks.len().checked_sub(3)?;
    let at = |index: usize| marks.get(index).map(|mark| mark.x);
    Some(
        json!({ "width": WIDTH, "now": at(last), "idle": at(last + 1), "end": at(last + 2), "marks": marks }),
    )
}

const NOW: &str = "Now";

/// Where the moments stand to scale, from the first to the last.
fn places(moments: &[(&'static str, OffsetDateTime)]) -> Vec<f64> {
    let seconds = |moment: &OffsetDateTime| moment.unix_timestamp() as f64;
    let first = moments.first().map_or(0.0, |(_, moment)| seconds(moment));
    let length = moments.last().map_or(0.0, |(_, moment)| seconds(moment) - first).max(1.0);
    let place =
        |moment: &OffsetDateTime| BORDER + (WIDTH - 2.0 * BORDER) * (seconds(moment) - first) / length;
    moments.iter().map(|(_, moment)| place(moment)).collect()
}

/// The same places, but none so near to its neighbour that their marks would meet.
fn spread(places: &[f64]) -> Vec<f64> {
    let mut spread = Vec::with_capacity(places.len());
    let mut least = BORDER;
    for place in places {
        let x = place.max(least);
        spread.push(x);
        least = x + GAP;
    }
    let mut most = WIDTH - BORDER;
    for x in spread.iter_mut().rev() {
        *x = x.min(most);
        most = *x - GAP;
    }
    spread
}

#[cfg(test)]
mod tests {
    use super::{BORDER, GAP, WIDTH, spread};

    #[test]
    fn marks_keep_their_distance_and_stay_inside() {
        for places in [
            vec![16.0, 16.0, 16.0, 30.0, 344.0],
            vec![16.0, 17.0, 340.0, 343.0, 344.0],
            vec![16.0, 100.0, 344.0, 344.0],
        ] {
            let spread = spread(&places);
            assert!(spread.windows(2).all(|pair| pair[1] - pair[0] >= GAP - 1e-9), "{spread:?}");
            assert!(spread.iter().all(|x| (BORDER..=WIDTH - BORDER).contains(x)), "{spread:?}");
        }
    }

    #[test]
    fn marks_with_room_stay_to_scale() {
        assert_eq!(spread(&[16.0, 100.0, 200.0, 344.0]), [16.0, 100.0, 200.0, 344.0]);
    }
}
