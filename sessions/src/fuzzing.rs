//! What must hold for any bytes: the bodies of the fuzz targets in the folder `fuzz`, whose corpora ordinary tests
//! replay.

use std::sync::{Arc, LazyLock};

use cookie::Key;
use rocket::figment::Figment;
use rocket::figment::providers::{Format, Toml};

use crate::clock::UnixSeconds;
use crate::cookie::format::CookieFormat;
use crate::cookie::keyring::{AppKey, Keyring, Rollover};
use crate::cookie::request_cookies::{RequestCookies, SentChunks};
use crate::cookie::ticket::Ticket;
use crate::ledger::reads_what_it_writes;
use crate::realm::settings;
use crate::record::Record;
use crate::testing;

const NOW: UnixSeconds = 1_800_000_000;

/// A realm as its settings make it, with a key of its own.
struct World {
    keyring: Keyring,
    format: CookieFormat,
    name: String,
}

static WORLD: LazyLock<Option<World>> = LazyLock::new(|| {
    let rollover = Rollover { length: None, lifetime: 0 };
    let key = AppKey::new(&Key::from(&[7; 64]))?;
    let keyring = Keyring::new(Arc::new(key), &[Key::from(&[8; 64])], rollover)?;
    let settings = settings::read(&testing::figment()).ok()?.into_iter().next()?;
    let (format, name) = (CookieFormat::new(&settings.cookie), settings.cookie.name);
    Some(World { keyring, format, name })
});

fn world() -> &'static World {
    WORLD.as_ref().expect("the settings for tests are right")
}

/// No `Cookie` header makes a session that was not sealed, and reading one neither fails nor loses a value.
pub fn header(bytes: &[u8]) {
    let World { keyring, format, name } = world();
    let text = String::from_utf8_lossy(bytes);
    // With and without the name, so that the values are reached.
    for header in [
        text.clone().into_owned(),
        format!("{name}={text}"),
        format!("{name}=2.{text}; {name}.1={text}"),
        format!("{name}=-5a0-5161-{text}"),
    ] {
        let sent = RequestCookies::parse(std::iter::once(&*header), name);
        for value in sent.values() {
            assert!(value.bytes() <= header.len());
            assert!(format.open(keyring, &value, NOW).is_err(), "nothing was sealed");
        }
    }
}

/// What is sealed opens as it was, also in chunks; with one bit changed it does not.
pub fn open(bytes: &[u8]) {
    let World { keyring, format, name } = world();
    let Some((choice, rest)) = bytes.split_first() else { return };
    let Ok(ticket) = std::str::from_utf8(rest) else { return };
    let Ok(lines) = format.set(keyring, Ticket::new(ticket), false, 3600, &SentChunks::default(), NOW) else {
        return;
    };
    let cookies: Vec<&str> = lines.iter().filter_map(|line| line.split(';').next()).collect();
    let header = cookies.join("; ");
    let opens = |header: &str| {
        let sent = RequestCookies::parse(std::iter::once(header), name);
        let opened = sent.values().find_map(|value| format.open(keyring, &value, NOW).ok());
        opened.map(|(ticket, _)| ticket.text().to_owned())
    };
    assert_eq!(opens(&header).as_deref(), Some(ticket));
    let at = name.len() + 1 + usize::from(*choice) % (header.len() - name.len() - 1);
    let mut changed = header.into_bytes();
    if let Some(byte) = changed.get_mut(at) {
        *byte ^= 1;
    }
    if let Ok(changed) = String::from_utf8(changed) {
        assert_ne!(opens(&changed).as_deref(), Some(ticket), "a bit of it is another");
    }
}

/// Any text is a record or none, and one that was read is written the same.
pub fn record(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(record) = Record::decode(text) {
        let written = record.encode();
        assert_eq!(Record::decode(&written), Ok(record));
    }
}

/// Any configuration is accepted or refused with a reason.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let figment = Figment::from(testing::figment()).merge(Toml::string(&format!("[session]\n{text}")));
    if let Err(problem) = settings::read(&figment) {
        assert!(!problem.to_string().is_empty());
    }
}

/// Any body is an entry of a ledger or of an unknown kind, and one that was read is written the same.
pub fn entry(bytes: &[u8]) {
    reads_what_it_writes(bytes);
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Runs a target on every input that is kept of it.
    fn replay(target: &str, run: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
        let inputs = fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()));
        let mut count = 0;
        for input in inputs {
            run(&fs::read(input.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count >= 5, "{target} has {count} inputs");
    }

    #[test]
    fn every_kept_cookie_header_is_no_session() {
        replay("header", super::header);
    }

    #[test]
    fn every_kept_ticket_opens_as_it_was_sealed() {
        replay("open", super::open);
    }

    #[test]
    fn every_kept_record_is_written_as_it_was_read() {
        replay("record", super::record);
    }

    #[test]
    fn every_kept_configuration_is_accepted_or_refused_with_a_reason() {
        replay("config", super::config);
    }

    #[test]
    fn every_kept_entry_is_written_as_it_was_read() {
        replay("entry", super::entry);
    }
}
