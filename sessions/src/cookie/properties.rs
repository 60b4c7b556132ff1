//! Properties of every record, every ticket and every change on the wire.

use std::sync::Arc;

use proptest::prelude::*;

use super::format::CookieFormat;
use super::key::parse_key;
use super::keyring::{AppKey, KeyAge, Keyring, Rollover};
use super::request_cookies::RequestCookies;
use super::settings::{CookieSettings, Persistent, SameSite};
use super::ticket::Ticket;
use crate::error::Invalid;
use crate::record::Record;
use crate::record::id::Id;

pub(super) const NAME: &str = "__Host-session";

pub(super) fn format() -> CookieFormat {
    named(NAME)
}

fn named(name: &str) -> CookieFormat {
    CookieFormat::new(&CookieSettings {
        name: name.into(),
        secure: true,
        same_site: SameSite::Lax,
        path: "/".into(),
        domain: None,
        partitioned: false,
        persistent: Persistent::Always,
        max_bytes: 65536,
    })
}

fn keyring(letter: &str) -> Keyring {
    let key = AppKey::new(&parse_key(&letter.repeat(64)).unwrap()).unwrap();
    Keyring::new(Arc::new(key), &[], Rollover { length: None, lifetime: 0 }).unwrap()
}

/// The Cookie header of a browser that got these Set-Cookie lines.
pub(super) fn header(lines: &[String]) -> String {
    let pairs = lines.iter().map(|line| line.split(';').next().unwrap());
    pairs.collect::<Vec<_>>().join("; ")
}

fn sealed(text: &str) -> String {
    let lines = format().set(&keyring("a"), Ticket::new(text), false, 1800, &Default::default(), 0).unwrap();
    assert!(lines.iter().all(|line| line.len() + "Set-Cookie: ".len() <= 4096));
    header(&lines)
}

/// What opens of a Cookie header.
fn opened(header: &str) -> Vec<String> {
    let sent = RequestCookies::parse(std::iter::once(header), NAME);
    let opened = sent.values().filter_map(|value| format().open(&keyring("a"), &value, 0).ok());
    opened.map(|(ticket, _)| ticket.text().to_owned()).collect()
}

fn records() -> impl Strategy<Value = Record> {
    let data = proptest::collection::btree_map(any::<String>(), any::<String>(), 0..4);
    let subject = any::<Option<(String, Option<u32>)>>();
    let tail = (any::<bool>(), any::<Option<i64>>(), subject);
    let head = (any::<[u8; 16]>(), any::<i64>(), any::<i64>(), any::<u32>());
    (head, data, tail).prop_map(|((id, created, seen, version), data, (remembered, signed_in, subject))| {
        Record {
            id: Id::from_bytes(id),
            created,
            seen,
            version,
            data: serde_json::to_string(&data).unwrap(),
            remembered,
            signed_in,
            position: subject.as_ref().and_then(|(_, position)| *position).map(u64::from),
            subject: subject.map(|(subject, _)| subject),
        }
    })
}

proptest! {
    #[test]
    fn a_record_is_read_as_it_was_written(record in records()) {
        let text = record.encode();
        prop_assert!(serde_json::from_str::<Vec<serde_json::Value>>(&text).is_ok());
        prop_assert_eq!(Record::decode(&text).unwrap(), record);
    }

    #[test]
    fn whatever_stands_in_a_ticket_is_a_record_or_invalid(text in any::<String>(), cut in any::<prop::sample::Index>(), record in records()) {
        let _ = Record::decode(&text);
        let _ = Record::decode(&format!("[1,\"AAAAAAAAAAAAAAAAAAAAAA\",{text}"));
        let whole = record.encode();
        let at = cut.index(whole.len());
        if whole.is_char_boundary(at) {
            prop_assert_eq!(Record::decode(&whole[..at]), Err(Invalid::Format));
        }
    }

    #[test]
    fn what_was_sealed_opens_whatever_its_size(text in "\\PC{0,300}", repeat in 1_usize..30) {
        let text = text.repeat(repeat);
        prop_assert_eq!(opened(&sealed(&text)), vec![text]);
    }

    #[test]
    fn whatever_a_browser_sends_opens_to_nothing(value in "[ -~]{0,200}") {
        let header = format!("{NAME}={value}");
        prop_assert!(opened(&header).is_empty());
        prop_assert!(opened(&value).is_empty());
    }

    #[test]
    fn chunks_of_two_seals_do_not_mix(choices in proptest::collection::vec(any::<bool>(), 3)) {
        let text = "x".repeat(7000);
        let (one, two) = (sealed(&text), sealed(&text));
        let pairs = one.split("; ").zip(two.split("; "));
        let mixed: Vec<&str> = pairs.zip(&choices).map(|((one, two), first)| if *first { one } else { two }).collect();
        prop_assert_eq!(mixed.len(), 3);
        let whole = choices.iter().all(|choice| *choice == choices[0]);
        prop_assert_eq!(opened(&mixed.join("; ")).len(), usize::from(whole));
    }
}

#[test]
fn every_change_of_one_byte_opens_to_nothing() {
    for (text, step) in [("[1]", 1), (&*"y".repeat(4000), 5)] {
        let header = sealed(text);
        let places = header.char_indices().skip(NAME.len() + 1).filter(|(_, letter)| *letter != ' ');
        for (place, letter) in places.step_by(step) {
            let others = ['A', 'B', '/', '+', '=', '.', '1', '3', '~', '-', '%', ' ', ';', ','];
            for other in others.into_iter().filter(|other| *other != letter) {
                let changed = format!("{}{other}{}", &header[..place], &header[place + 1..]);
                assert!(opened(&changed).is_empty(), "{letter:?} at {place} changed to {other:?}");
            }
        }
    }
}

#[test]
fn every_truncation_opens_to_nothing() {
    for text in ["[1]", &"z".repeat(4000)] {
        let header = sealed(text);
        for end in 0..header.len() {
            assert!(opened(&header[..end]).is_empty(), "cut at {end}");
        }
    }
}

#[test]
fn no_chunk_can_be_left_out_doubled_or_moved() {
    let header = sealed(&"w".repeat(7000));
    let [first, second, third] = header.split("; ").collect::<Vec<_>>()[..] else { panic!("three chunks") };
    let swapped = format!("{first}; {NAME}.1={}; {NAME}.2={}", value(third), value(second));
    for other in
        [format!("{first}; {second}"), format!("{first}; {third}"), format!("{second}; {third}"), swapped]
    {
        assert!(opened(&other).is_empty(), "{other:.40}");
    }
    assert_eq!(opened(&format!("{third}; {second}; {first}")).len(), 1, "their order in the header is free");
    assert_eq!(
        opened(&format!("{header}; {NAME}.3=more")).len(),
        1,
        "a leftover chunk beside them is not read"
    );
}

fn value(pair: &str) -> &str {
    pair.split_once('=').unwrap().1
}

#[test]
fn two_seals_of_one_ticket_share_no_nonce() {
    assert_ne!(sealed("[1]"), sealed("[1]"));
}

#[test]
fn a_seal_is_bound_to_its_cookie_and_to_its_key() {
    let header = sealed("[1]").replace(NAME, "__Host-other");
    let sent = RequestCookies::parse(std::iter::once(header.as_str()), "__Host-other");
    let other = named("__Host-other");
    let value = sent.values().next().unwrap();
    assert_eq!(other.open(&keyring("a"), &value, 0).err(), Some(Invalid::Seal));
    assert_eq!(format().open(&keyring("b"), &value, 0).err(), Some(Invalid::Seal));
    assert_eq!(format().open(&keyring("a"), &value, 0).map(|(_, age)| age).ok(), Some(KeyAge::Current));
}
