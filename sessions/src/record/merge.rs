//! Field by field: what a commit writes when somebody else has written meanwhile (rule 9).

use std::collections::BTreeMap;

use serde_json::value::RawValue;

type Fields<'d> = BTreeMap<String, &'d RawValue>;

/// `theirs`, with every field that differs between `base` and `mine` as it is in `mine`. All three are
/// objects; a field that I removed is removed. Where that changes nothing, it is `theirs` to the letter.
///
/// # Errors
/// When one of them is not an object.
pub(crate) fn merge(base: &str, mine: &str, theirs: &str) -> serde_json::Result<String> {
    let (mut changed, written) = (false, theirs.to_owned());
    let (base, mine, theirs) = (fields(base)?, fields(mine)?, fields(theirs)?);
    let text = |fields: &Fields<'_>, name: &String| fields.get(name).map(|value| value.get().to_owned());
    let mut merged = theirs.clone();
    for name in base.keys().chain(mine.keys()) {
        let after = text(&mine, name);
        if text(&base, name) != after && text(&theirs, name) != after {
            match mine.get(name) {
                Some(value) => merged.insert(name.clone(), value),
                None => merged.remove(name),
            };
            changed = true;
        }
    }
    if changed { serde_json::to_string(&merged) } else { Ok(written) }
}

/// `text` with the fields that stand in `stored` but not in `known`, also inside objects that all three have. `None` if
/// there are none, or one of the three is not an object.
pub(crate) fn with_unknown(text: &str, stored: &str, known: &str) -> Option<String> {
    let (own, stored, known) = (fields(text).ok()?, fields(stored).ok()?, fields(known).ok()?);
    let mut added: Vec<(String, Box<RawValue>)> = Vec::new();
    for (name, value) in stored {
        let (written, read) = (own.get(&name), known.get(&name));
        let whole = match (written, read) {
            (None, None) => Some(value.get().to_owned()),
            (Some(written), Some(read)) => with_unknown(written.get(), value.get(), read.get()),
            _ => None,
        };
        added.extend(whole.and_then(|whole| Some((name, RawValue::from_string(whole).ok()?))));
    }
    if added.is_empty() {
        return None;
    }
    let mut whole = own;
    whole.extend(added.iter().map(|(name, value)| (name.clone(), &**value)));
    serde_json::to_string(&whole).ok()
}

/// For each field that differs from what it was `before`: its name, and the text with that field as it was.
pub(crate) fn replaced_fields(text: &str, before: &str) -> Vec<(String, String)> {
    let (Ok(all), Ok(before)) = (fields(text), fields(before)) else { return Vec::new() };
    let mut replaced = Vec::new();
    for (name, value) in &all {
        let old = before.get(name);
        if old.is_some_and(|old| old.get() == value.get()) {
            continue;
        }
        let mut rest = all.clone();
        match old {
            Some(old) => rest.insert(name.clone(), old),
            None => rest.remove(name),
        };
        replaced.extend(serde_json::to_string(&rest).ok().map(|text| (name.clone(), text)));
    }
    replaced
}

/// The fields of some data by size, largest first: for the log, so without their values.
pub(crate) fn largest_fields(data: &str) -> Vec<(String, usize)> {
    let mut sizes: Vec<(String, usize)> = fields(data)
        .map(|fields| fields.into_iter().map(|(name, value)| (name, value.get().len())).collect())
        .unwrap_or_default();
    sizes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    sizes.truncate(5);
    sizes
}

fn fields(data: &str) -> serde_json::Result<Fields<'_>> {
    serde_json::from_str(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(base: &str, mine: &str, theirs: &str) -> String {
        merge(base, mine, theirs).unwrap()
    }

    #[test]
    fn rule_9_changes_of_different_fields_are_both_kept() {
        assert_eq!(merged(r#"{"a":1,"b":1}"#, r#"{"a":2,"b":1}"#, r#"{"a":1,"b":3}"#), r#"{"a":2,"b":3}"#);
    }

    #[test]
    fn rule_9_mine_wins_where_both_changed() {
        assert_eq!(merged(r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#), r#"{"a":2}"#);
    }

    #[test]
    fn rule_9_added_and_removed_fields_are_changes_too() {
        assert_eq!(
            merged(r#"{"a":1,"b":1}"#, r#"{"b":1,"c":1}"#, r#"{"a":1,"b":1,"d":1}"#),
            r#"{"b":1,"c":1,"d":1}"#
        );
    }
}
