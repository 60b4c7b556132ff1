//! Properties of what the keys of periods seal, whatever the period and the clocks.

use std::sync::Arc;

use proptest::prelude::*;

use super::key::parse_key;
use super::keyring::{AppKey, KeyAge, Keyring, Rollover};
use super::period::{KeyId, PeriodLength};
use super::properties::{NAME, format, header};
use super::request_cookies::RequestCookies;
use super::ticket::Ticket;
use crate::clock::UnixSeconds;
use crate::error::Invalid;
use crate::record::timeouts::MAX_SKEW;

const DAY: UnixSeconds = 24 * 60 * 60;
const NOW: UnixSeconds = 1_800_000_000;

/// A keyring that seals with the first of these keys, in periods of so many minutes.
fn keyring(letters: &[&str], minutes: Option<UnixSeconds>, lifetime: UnixSeconds) -> Keyring {
    let keys = letters.iter().map(|letter| parse_key(&letter.repeat(64)).unwrap());
    let [current, previous @ ..] = &keys.collect::<Vec<_>>()[..] else { panic!("a key") };
    let length = minutes.map(|minutes| PeriodLength::of_minutes(minutes).unwrap());
    let current = Arc::new(AppKey::new(current).unwrap());
    Keyring::new(current, previous, Rollover { length, lifetime }).unwrap()
}

fn sealed(keyring: &Keyring, text: &str, now: UnixSeconds) -> String {
    let lines = format().set(keyring, Ticket::new(text), false, 1800, &Default::default(), now).unwrap();
    assert!(lines.iter().all(|line| line.len() + "Set-Cookie: ".len() <= 4096));
    header(&lines)
}

fn opened(keyring: &Keyring, header: &str, now: UnixSeconds) -> Result<(Ticket, KeyAge), Invalid> {
    let sent = RequestCookies::parse(std::iter::once(header), NAME);
    let value = sent.values().next().ok_or(Invalid::Malformed)?;
    format().open(keyring, &value, now)
}

fn lengths() -> impl Strategy<Value = UnixSeconds> {
    prop_oneof![10_i64..1000, 10_i64..=365 * 24 * 60, Just(24 * 60)]
}

/// A length in minutes, and a moment in a period of it: often within a minute of its ends.
fn moments() -> impl Strategy<Value = (UnixSeconds, UnixSeconds)> {
    lengths().prop_flat_map(|minutes| {
        let length = minutes * 60;
        let second = prop_oneof![0..60_i64, 0..length, length - 60..length];
        (1..4_000_000_000 / length, second)
            .prop_map(move |(number, second)| (minutes, number * length + second))
    })
}

proptest! {
    #[test]
    fn what_was_sealed_opens_on_every_node_for_as_long_as_its_session_can_live(
        (minutes, at) in moments(),
        lifetime in 1..=3650 * DAY,
        skew in -MAX_SKEW..=MAX_SKEW,
        part in 0.0..1.0_f64,
    ) {
        let keyring = keyring(&["a"], Some(minutes), lifetime);
        let header = sealed(&keyring, "[1]", at);
        // The last moment on the other node's clock at which it takes a session for alive that began with this seal.
        let last = at + MAX_SKEW + lifetime - 1;
        let first = at + skew;
        for now in [first, first + ((last - first) as f64 * part) as i64, last] {
            let age = opened(&keyring, &header, now).map(|(_, age)| age);
            prop_assert_eq!(age, Ok(KeyAge::Current), "at {}", now);
        }
    }

    #[test]
    fn it_does_not_open_for_longer_than_a_period_and_a_minute_beyond_that(
        (minutes, at) in moments(),
        lifetime in 1..=3650 * DAY,
        beyond in 0..10_000_000_i64,
    ) {
        let keyring = keyring(&["a"], Some(minutes), lifetime);
        let header = sealed(&keyring, "[1]", at);
        let (after, before) = (at + lifetime + minutes * 60 + MAX_SKEW, at - minutes * 60 - MAX_SKEW);
        for now in [after + beyond, before - beyond] {
            prop_assert_eq!(opened(&keyring, &header, now).err(), Some(Invalid::Seal));
        }
    }

    #[test]
    fn it_opens_whatever_its_size(text in "\\PC{0,300}", repeat in 1_usize..30, minutes in lengths()) {
        let keyring = keyring(&["a"], Some(minutes), DAY);
        let text = text.repeat(repeat);
        let (ticket, _) = opened(&keyring, &sealed(&keyring, &text, NOW), NOW).unwrap();
        prop_assert_eq!(ticket.text(), text);
    }

    #[test]
    fn whatever_a_browser_sends_as_the_id_of_a_key_opens_to_nothing(value in "-[ -:<-~]{0,60}", rest in any::<String>()) {
        let keyring = keyring(&["a", "b"], Some(10), DAY);
        let header = format!("{NAME}={value}");
        prop_assert!(opened(&keyring, &header, NOW).is_err());
        let value = format!("-a-1-{rest}");
        prop_assert!(KeyId::split(&value).is_none_or(|(id, _)| id.tag.len() == 2));
    }
}

#[test]
fn every_change_of_one_byte_of_a_value_with_the_id_of_its_key_opens_to_nothing() {
    let keyring = keyring(&["a", "b"], Some(10), 3650 * DAY);
    for (text, step) in [("[1]", 1), (&*"y".repeat(4000), 5)] {
        let header = sealed(&keyring, text, NOW);
        assert!(opened(&keyring, &header, NOW).is_ok());
        let places = header.char_indices().skip(NAME.len() + 1).filter(|(_, letter)| *letter != ' ');
        for (place, letter) in places.step_by(step) {
            for other in "ABaf/+=.-019~% ;,".chars().filter(|other| *other != letter) {
                let changed = format!("{}{other}{}", &header[..place], &header[place + 1..]);
                assert!(
                    opened(&keyring, &changed, NOW).is_err(),
                    "{letter:?} at {place} changed to {other:?}"
                );
            }
        }
    }
}

#[test]
fn the_period_and_its_length_are_bound_to_the_seal() {
    let keyring = keyring(&["a"], Some(10), 3650 * DAY);
    let header = sealed(&keyring, "[1]", NOW);
    let id = format!("-a-{:x}-", NOW / 600);
    assert!(header.contains(&id), "{header}");
    // Another period; the same start under another length; the same numbers, written otherwise.
    for other in [
        format!("-a-{:x}-", NOW / 600 - 1),
        format!("-14-{:x}-", NOW / 1200),
        format!("-0a-{:x}-", NOW / 600),
        format!("-A-{:x}-", NOW / 600),
    ] {
        let changed = header.replace(&id, &other);
        assert_eq!(opened(&keyring, &changed, NOW).err(), Some(Invalid::Seal), "{other}");
    }
}

#[test]
fn every_length_opens_what_another_has_sealed_and_both_forms_open_either_way() {
    let (day, hour, off) = (Some(24 * 60), Some(60), None);
    for (seals, opens, expected) in [
        (day, hour, KeyAge::Current),
        (hour, day, KeyAge::Current),
        (off, day, KeyAge::Current),
        // Rocket's own form again, with the next response.
        (day, off, KeyAge::Previous),
        (off, off, KeyAge::Current),
    ] {
        let header = sealed(&keyring(&["a"], seals, DAY), "[1]", NOW);
        let age = |letters: &[&str]| opened(&keyring(letters, opens, DAY), &header, NOW).map(|(_, age)| age);
        assert_eq!(age(&["a"]), Ok(expected), "{seals:?} {opens:?}");
        assert_eq!(age(&["b", "a"]), Ok(KeyAge::Previous), "{seals:?} {opens:?}");
        assert_eq!(age(&["b"]), Err(Invalid::Seal), "{seals:?} {opens:?}");
    }
}

#[test]
fn a_value_with_the_id_of_a_key_costs_one_trial_at_most_however_many_keys_there_are() {
    let all = ["a", "b", "c", "d"];
    let trials = |header: &str, now| {
        let value = header.split_once('=').unwrap().1;
        let (id, _) = KeyId::split(value).unwrap();
        keyring(&all, Some(10), DAY).named(&id, now).count()
    };
    for letter in all {
        let header = sealed(&keyring(&[letter], Some(60), DAY), "[1]", NOW);
        assert_eq!(trials(&header, NOW), 1, "{letter}");
        assert_eq!(trials(&header, NOW + 2 * DAY), 0, "its period is over");
    }
    let unknown = sealed(&keyring(&["e"], Some(60), DAY), "[1]", NOW);
    assert_eq!(trials(&unknown, NOW), 0);
}
