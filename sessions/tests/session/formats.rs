//! Golden values: a cookie that was sealed once opens in every later version, with the same key. The
//! files were written by version 0.1.0; they never change, and later formats get files of their own.

use rocket::http::Header;
use sealed_sessions::store::Record;

use crate::support::App;

const ANONYMOUS: &str = include_str!("golden/anonymous.txt");
const SIGNED_IN: &str = include_str!("golden/signed_in.txt");
const CHUNKED: &str = include_str!("golden/chunked.txt");
/// What a key of the day of 2027-01-15 sealed. Another implementation of RFC 5869 and AES-256-GCM has made them.
const OF_A_PERIOD: &str = include_str!("golden/period.txt");
const CHUNKED_OF_A_PERIOD: &str = include_str!("golden/period_chunked.txt");

/// What `/all` says of a browser that sends this.
fn opened(cookie: &'static str) -> String {
    let browser = App::new("[default.session]\ncookie = \"__Host-session\"").browser();
    let answer = browser.get("/all").header(Header::new("Cookie", cookie.trim())).dispatch();
    answer.into_string().unwrap()
}

#[test]
fn an_anonymous_session_of_0_1_0_opens() {
    assert_eq!(
        opened(ANONYMOUS),
        "Resumed views=1 user=None note=0 opened=1800000000 remembered=false signed_in=None"
    );
}

#[test]
fn a_remembered_login_of_0_1_0_opens() {
    let expected = "Resumed views=1 user=Some(\"ada\") note=0 opened=1800000000 remembered=true signed_in=Some(1800000000)";
    assert_eq!(opened(SIGNED_IN), expected);
}

#[test]
fn a_session_in_chunks_of_0_1_0_opens() {
    let expected = "Resumed views=1 user=Some(\"ada\") note=4000 opened=1800000000 remembered=false signed_in=Some(1800000000)";
    assert_eq!(opened(CHUNKED), expected);
}

#[test]
fn a_session_that_the_key_of_a_period_has_sealed_opens() {
    for (cookie, note) in [(OF_A_PERIOD, 0), (CHUNKED_OF_A_PERIOD, 4000)] {
        assert_eq!(
            opened(cookie),
            format!(
                "Resumed views=1 user=None note={note} opened=1800000000 remembered=false signed_in=None"
            )
        );
    }
}

#[test]
fn the_wire_form_of_a_record_is_this() {
    let text = r#"[1,"AAECAwQFBgcICQoLDA0ODw",1800000000,1800000061,7,{"views":7}]"#;
    let mut record = Record::decode(text).unwrap();
    assert_eq!(record.id.as_bytes(), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    assert_eq!((record.created, record.seen, record.version), (1_800_000_000, 1_800_000_061, 7));
    assert_eq!(record.encode(), text);
    record.remembered = true;
    assert!(record.encode().ends_with(r#"{"views":7},1]"#));
    record.signed_in = Some(5);
    record.subject = Some("a\"b".into());
    assert!(record.encode().ends_with(r#"{"views":7},1,5,"a\"b"]"#));
}

#[test]
fn the_position_in_the_ledger_is_the_tenth_element() {
    let text = r#"[1,"AAECAwQFBgcICQoLDA0ODw",1,2,3,{},0,4,"ada",1800000000005]"#;
    let mut record = Record::decode(text).unwrap();
    assert_eq!(record.position, Some(1_800_000_000_005));
    assert_eq!(record.encode(), text);
    record.subject = None;
    assert!(record.encode().ends_with("{},0,4]"), "nobody's session has none");
    for (tail, position) in [
        ("", None),
        (",7,{\"new\":[1]}", Some(7)),
        (",null", None),
        (",-7", None),
        (",7.5", None),
        (",\"7\"", None),
        (",7x", None),
    ] {
        let text = format!(r#"[1,"AAECAwQFBgcICQoLDA0ODw",1,2,3,{{}},0,4,"ada"{tail}]"#);
        let record = Record::decode(&text).unwrap();
        assert_eq!((record.subject.as_deref(), record.position), (Some("ada"), position), "{tail}");
    }
}

#[test]
fn a_record_of_a_later_version_may_have_a_longer_tail() {
    let text = r#"[1,"AAECAwQFBgcICQoLDA0ODw",1,2,3,{},0,4,"ada",{"new":true}]"#;
    assert_eq!(Record::decode(text).unwrap().subject.as_deref(), Some("ada"));
}
