//! The session's data as text that reads back.

use serde_json::Value;

use crate::data::SessionData;
use crate::record::merge::{replaced_fields, with_unknown};

/// Why data cannot be kept: it has no text that reads back.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// The fields that do not, as far as they can be told apart.
    pub(crate) fields: Vec<String>,
}

/// The text of some data. `before` is the text that it replaces, to tell which field does not read back: NaN, say, or a
/// type that reads something else than it writes. Text that stays as it is needs no check.
pub(crate) fn encoded<T: SessionData>(data: &T, before: &str) -> Result<String, Unreadable> {
    let Ok(text) = serde_json::to_string(data) else { return Err(Unreadable { fields: Vec::new() }) };
    // An enum may be an object in some of its variants only.
    if text == before || (text.starts_with('{') && reads_back::<T>(&text, &text)) {
        return Ok(text);
    }
    let fields = replaced_fields(&text, before).into_iter();
    let mended = fields.filter(|(_, rest)| reads_back::<T>(rest, rest));
    Err(Unreadable { fields: mended.map(|(name, _)| name).collect() })
}

/// `text`, with what `stored` holds beyond what this release knows of it: a newer release has written that, and
/// reads it again. `known` is `stored` as this release reads it and writes it.
pub(crate) fn with_newer_fields<T: SessionData>(text: String, stored: &str, known: &str) -> String {
    if stored == known {
        return text;
    }
    match with_unknown(&text, stored, known) {
        // A name of old that this release still reads would stand there twice.
        Some(whole) if reads_back::<T>(&whole, &text) => whole,
        _ => text,
    }
}

/// Whether `T` reads `text` and writes it as `expected`.
fn reads_back<T: SessionData>(text: &str, expected: &str) -> bool {
    let Ok(data) = serde_json::from_str::<T>(text) else { return false };
    match serde_json::to_string(&data) {
        Ok(again) if again == expected => true,
        // Maps and sets have no order of their own.
        Ok(again) => match (serde_json::from_str(&again), serde_json::from_str(expected)) {
            (Ok(again), Ok(expected)) => is_same(&again, &expected),
            _ => false,
        },
        Err(_) => false,
    }
}

/// Whether two values are equal, arrays in any order.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let has = |(name, value)| other.get(name).is_some_and(|theirs| is_same(value, theirs));
            one.len() == other.len() && one.iter().all(has)
        }
        (Value::Array(one), Value::Array(other)) => {
            let mut left: Vec<&Value> = other.iter().collect();
            let mut take = |value| {
                let place = left.iter().position(|theirs| is_same(value, theirs));
                place.map(|place| left.swap_remove(place)).is_some()
            };
            one.len() == other.len() && one.iter().all(&mut take)
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
    struct Number {
        number: f64,
    }

    impl SessionData for Number {}

    #[test]
    fn the_order_of_an_array_makes_no_difference_but_its_members_do() {
        for (one, other, same) in [
            ("[1,2,2]", "[2,1,2]", true),
            ("[1,2]", "[1,3]", false),
            ("[1,1]", "[1,2]", false),
            ("[1]", "[1,1]", false),
            ("[]", "[1]", false),
            (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#, true),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
            (r#"{"a":1,"b":2}"#, r#"{"a":1}"#, false),
            (r#"{"a":1}"#, r#"{"b":1}"#, false),
        ] {
            let value = |text| serde_json::from_str::<Value>(text).unwrap();
            assert_eq!(is_same(&value(one), &value(other)), same, "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn a_finite_number_comes_back_as_itself_and_no_other_is_kept(number in any::<f64>()) {
            match encoded(&Number { number }, "{}") {
                Ok(text) => prop_assert_eq!(serde_json::from_str::<Number>(&text).unwrap(), Number { number }),
                Err(Unreadable { fields }) => {
                    prop_assert!(!number.is_finite());
                    // Without it there is nothing to read, so it cannot be told apart.
                    prop_assert!(fields.is_empty());
                }
            }
        }
    }
}
