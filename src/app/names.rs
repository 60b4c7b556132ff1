//! Names of accounts: which are accepted, and which are the same.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// The most characters of a name.
pub(super) const MAX_CHARACTERS: usize = 64;

/// Why a name is refused, in words for the form.
pub(super) fn problem(name: &str) -> Option<&'static str> {
    let hidden =
        |letter: char| letter.is_control() || UNSEEN.iter().any(|unseen| unseen.contains(&u32::from(letter)));
    match name.chars().count() {
        0 => Some("Choose a username."),
        count if count > MAX_CHARACTERS => Some("Use at most 64 characters."),
        _ if name.trim() != name => Some("Remove the spaces at the beginning and end."),
        _ if name.contains(hidden) => Some("Use visible characters only."),
        _ => None,
    }
}

/// Characters that show nothing: those of Unicode's property Default_Ignorable_Code_Point, the separators
/// of lines, the controls of annotations, and the blank among the Braille patterns.
const UNSEEN: [RangeInclusive<u32>; 19] = [
    0xad..=0xad,
    0x34f..=0x34f,
    0x61c..=0x61c,
    0x115f..=0x1160,
    0x17b4..=0x17b5,
    0x180b..=0x180f,
    0x200b..=0x200f,
    0x2028..=0x202e,
    0x2060..=0x206f,
    0x2800..=0x2800,
    0x3164..=0x3164,
    0xfe00..=0xfe0f,
    0xfeff..=0xfeff,
    0xffa0..=0xffa0,
    0xfff0..=0xfffb,
    0x1bca0..=0x1bca3,
    0x1d173..=0x1d17a,
    0x1d159..=0x1d159,
    0xe0000..=0xe0fff,
];

/// A name as its owner may write it: in any case, in any of Unicode's forms.
pub(super) fn key(name: &str) -> String {
    name.nfkc().collect::<String>().to_lowercase().nfkc().collect()
}

/// How a name looks (UTS #39, section 4), in the case it is written in and in lower case: "PaypaI" looks like
/// "Paypal", "раура1" in Cyrillic letters like "paypal". Names that share one look the same.
pub(super) fn looks(name: &str) -> BTreeSet<String> {
    let name: String = name.nfkc().collect();
    let look = |name: &str| folded(&skeleton(name).collect::<String>());
    BTreeSet::from([look(&name), look(&folded(&name))])
}

/// Without the difference of case. By way of the capitals, so that "ß" is "ss" and "ς" is "σ".
fn folded(name: &str) -> String {
    name.to_uppercase().to_lowercase().nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_the_same(one: &str, other: &str) -> bool {
        !looks(one).is_disjoint(&looks(other))
    }

    #[test]
    fn names_that_look_the_same_are_the_same() {
        for (one, other) in [
            ("Zo\u{eb}", "zoe\u{308}"),
            ("alice", "\u{430}lice"),
            ("ALICE", "\u{410}lice"),
            ("alice", "\u{ff41}\u{ff2c}\u{ff29}ce"),
            ("paypal", "paypaI"),
            ("paypal", "paypa1"),
            ("Ian", "lan"),
            ("bob", "b0b"),
            ("BOB", "b0b"),
            ("scope", "\u{455}\u{441}\u{43e}\u{440}\u{435}"),
            ("straße", "STRASSE"),
            ("modern", "modem"),
            ("ﬁona", "fiona"),
        ] {
            assert!(look_the_same(one, other), "{one} {other}: {:?} {:?}", looks(one), looks(other));
        }
    }

    #[test]
    fn names_that_look_different_are_different() {
        for (one, other) in [
            ("zoe", "zo\u{eb}"),
            ("ian", "lan"),
            ("bill", "bili"),
            ("ada", "adam"),
            ("李", "季"),
            ("a b", "ab"),
        ] {
            assert!(!look_the_same(one, other), "{one} {other}: {:?} {:?}", looks(one), looks(other));
        }
    }

    #[test]
    fn a_name_is_visible_and_not_too_long() {
        assert_eq!(problem("<script>alert(1)</script>"), None);
        for name in ["", " ", "two\nlines", "nul\0", "a\u{202e}b", &"x".repeat(65)] {
            assert!(problem(name).is_some(), "{name:?}");
        }
        for unseen in ['\u{ad}', '\u{2800}', '\u{3164}', '\u{feff}', '\u{2066}', '\u{34f}', '\u{e0001}'] {
            assert!(problem(&format!("al{unseen}ice")).is_some(), "{unseen:?}");
        }
    }
}
