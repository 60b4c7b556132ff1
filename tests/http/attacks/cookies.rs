//! Cookies that nobody was given, in each realm: none of them is a session.

use world::{Jar, PASSWORD};

use super::site::Site;
use crate::bad_cookies::forged;
use crate::routes::REALMS;

fn name_of(realm: &str) -> String {
    format!("__Host-Http-{}", realm.trim_start_matches('/'))
}

/// Headers with a genuine value that is not where it belongs, or not alone, or not whole.
fn misplaced(realm: &str, name: &str, genuine: &str) -> Vec<(String, Vec<u8>)> {
    let (head, tail) = genuine.split_at(genuine.len() / 2);
    let short = name.trim_start_matches("__Host-Http-");
    let headers = [
        ("a name in capitals", format!("{}={genuine}", name.to_uppercase())),
        ("a name in small letters", format!("{}={genuine}", name.to_lowercase())),
        ("a name without its prefix", format!("{short}={genuine}")),
        ("a name with half its prefix", format!("__Host-{short}={genuine}")),
        ("a percent-encoded name", format!("%5F%5FHost-Http-{short}={genuine}")),
        ("a quoted name", format!("\"{name}\"={genuine}")),
        ("a name of two words", format!("x {name}={genuine}")),
        ("a name with a dot", format!("{name}.={genuine}")),
        ("the first piece of none", format!("{name}.0={genuine}")),
        ("the second piece alone", format!("{name}.1={genuine}")),
        ("no name", format!("={genuine}")),
        ("nothing but the value", genuine.to_owned()),
        ("a colon for the sign", format!("{name}:{genuine}")),
        ("a comma before it", format!("x=y,{name}={genuine}")),
        ("inside another value", format!("x=\"; {name}={genuine}\"; {name}=junk").replace("; __", ";__")),
        ("a space inside", format!("{name}={head} {tail}")),
        ("a tab inside", format!("{name}={head}\t{tail}")),
        ("the halves swapped", format!("{name}={tail}{head}")),
        ("twice as one", format!("{name}={genuine}{genuine}")),
        (
            "a letter percent-encoded twice",
            format!("{name}=%25{:02X}{}", genuine.as_bytes()[0], &genuine[1..]),
        ),
        ("a count of pieces", format!("{name}=2.{genuine}; {name}.2={genuine}")),
        ("too many pieces", {
            let pieces = (1..99).map(|n| format!("; {name}.{n}={tail}"));
            format!("{name}=99.{head}{}", pieces.collect::<String>())
        }),
        ("pieces that overlap", format!("{name}=2.{head}; {name}.1={genuine}")),
        ("a piece twice", format!("{name}=3.{head}; {name}.1={tail}; {name}.1={head}; {name}.2={tail}")),
        ("another alphabet's digits", format!("{name}=\u{0662}.{genuine}")),
        ("a version of RFC 2109", format!("$Version=1; {name}=junk; $Path=/{realm}")),
        ("an attribute for a value", format!("{name}; HttpOnly; Secure; value={genuine}")),
    ];
    headers.into_iter().map(|(what, header)| (what.to_owned(), header.into_bytes())).collect()
}

/// Cookies that other parts of the site have given.
fn others(site: &Site, realm: &str, name: &str) -> Vec<(String, Vec<u8>)> {
    let mut visitor = Jar::default();
    let token = site.server.get(&mut visitor, &format!("{realm}/login")).token();
    let mut headers = vec![
        ("a form's token".to_owned(), format!("{name}={token}")),
        ("an anonymous session".to_owned(), format!("{name}={}", visitor.get(name).unwrap())),
        ("a handle".to_owned(), format!("{name}=27a324b3f2f5b03b")),
        ("a path".to_owned(), format!("{name}=../../../../etc/passwd")),
        ("SQL".to_owned(), format!("{name}=' OR '1'='1")),
    ];
    for other in REALMS.iter().filter(|other| **other != realm) {
        let value = site.alice.get(&name_of(other)).unwrap();
        headers.push((format!("the cookie of {other}"), format!("{name}={value}")));
    }
    headers.into_iter().map(|(what, header)| (what, header.into_bytes())).collect()
}

#[test]
fn c5_no_cookie_that_nobody_was_given_is_a_session_in_any_realm() {
    let site = Site::open();
    for realm in REALMS {
        let name = name_of(realm);
        let genuine = site.alice.get(&name).unwrap();
        let inputs = [forged(&name, genuine), misplaced(realm, &name, genuine), others(&site, realm, &name)];
        for (what, header) in inputs.concat() {
            let what = format!("{what} in {realm}");
            for page in ["/profile", "", "/sessions"] {
                let answer = site.server.get_with_cookies(&format!("{realm}{page}"), &header);
                site.judge(&what, None, Some(&answer));
                assert!(!answer.body.contains("alice"), "{what} at {page:?}: {}", answer.body);
                if page == "/profile" {
                    answer.leads_to(&format!("{realm}/login?next=%2F{}%2Fprofile", &realm[1..]));
                }
            }
            // With Alice's cookie in it a sign-out would be hers.
            let line = [b"Cookie: ", &*header, b"\r\nContent-Length: 0\r\n"].concat();
            let posted = site.server.raw("POST", format!("{realm}/sessions/end-all").as_bytes(), &line, b"");
            site.judge(&what, None, Some(&posted));
        }
    }
    site.close();
}

#[test]
fn c5_the_pieces_of_two_sessions_or_in_another_order_are_none() {
    let site = Site::open();
    let name = name_of("/stateless");
    let large = |letter: &str| {
        let mut jar = Jar::default();
        site.server.sign_in(&mut jar, "/stateless/login", "mallory").leads_to("/stateless");
        let token = site.server.get(&mut jar, "/stateless/cookie").token();
        let fields = [("csrf_token", &*token), ("note", &*letter.repeat(4000))];
        assert_eq!(site.server.post(&mut jar, "/stateless/cookie/note", &fields).status, 303);
        let piece = |name: &str| jar.get(name).unwrap().to_owned();
        (piece(&name), piece(&format!("{name}.1")))
    };
    let (one, other) = (large("a"), large("b"));
    let whole = format!("{name}={}; {name}.1={}", one.0, one.1);
    assert_eq!(site.server.get_with_cookies("/stateless/profile", whole.as_bytes()).status, 200);
    let rest = one.0.strip_prefix("2.").unwrap();
    let inputs = [
        ("the first alone", format!("{name}={}", one.0)),
        ("the second alone", format!("{name}.1={}", one.1)),
        ("in the other order", format!("{name}={}; {name}.1={}", one.1, one.0)),
        ("of two sessions", format!("{name}={}; {name}.1={}", one.0, other.1)),
        ("of two sessions, the other way", format!("{name}={}; {name}.1={}", other.0, one.1)),
        ("under another number", format!("{name}={}; {name}.2={}", one.0, one.1)),
        ("under a number with a zero", format!("{name}={}; {name}.01={}", one.0, one.1)),
        ("one piece fewer", format!("{name}=1.{rest}; {name}.1={}", one.1)),
        ("one piece more", format!("{name}=3.{rest}; {name}.1={}", one.1)),
        ("no pieces", format!("{name}=0.{rest}; {name}.1={}", one.1)),
        ("a count with a zero", format!("{name}=02.{rest}; {name}.1={}", one.1)),
        ("a count with a sign", format!("{name}=+2.{rest}; {name}.1={}", one.1)),
        ("without a count", format!("{name}={rest}; {name}.1={}", one.1)),
        ("a letter lost", format!("{name}={}; {name}.1={}", one.0, &one.1[1..])),
        ("a letter too many", format!("{name}={}; {name}.1={}A", one.0, one.1)),
        ("both twice, mixed", format!("{name}={}; {name}.1={}; {name}.1={}", one.0, other.1, one.1)),
    ];
    for (what, header) in inputs {
        let answer = site.server.get_with_cookies("/stateless/profile", header.as_bytes());
        site.judge(what, Some("mallory"), Some(&answer));
        if what != "both twice, mixed" {
            assert_eq!(answer.status, 303, "{what}");
        }
    }
    site.close();
}

#[test]
fn l1_l6_a_cookie_that_was_replaced_or_signed_out_is_nobodys() {
    let site = Site::open();
    for realm in REALMS {
        let login = format!("{realm}/login");
        let mut jar = Jar::default();
        let token = site.server.get(&mut jar, &login).token();
        let anonymous = jar.clone();
        let fields = [("csrf_token", &*token), ("username", "mallory"), ("password", PASSWORD)];
        site.server.post(&mut jar, &login, &fields).leads_to(realm);
        assert!(site.signed_in_as(&anonymous).is_empty(), "{realm}: superseded by the sign-in");
        let before = jar.clone();
        let token = site.server.get(&mut jar, &format!("{realm}/confirm")).token();
        let fields = [("csrf_token", &*token), ("password", PASSWORD)];
        assert_eq!(site.server.post(&mut jar, &format!("{realm}/confirm"), &fields).status, 303);
        let signed_in = jar.clone();
        let token = site.server.get(&mut jar, realm).token();
        let logout = format!("{realm}/logout");
        site.server
            .post(&mut jar, &logout, &[("csrf_token", &token)])
            .leads_to(&format!("{realm}/signed-out"));
        for copy in [before, signed_in] {
            // A cookie that nobody can end opens until it expires: rows L1 and L6 of the security page.
            let expected = if realm == "/stateless" { vec!["mallory"] } else { vec![] };
            assert_eq!(site.signed_in_as(&copy), expected, "{realm}");
            let answer = site.server.post(&mut copy.clone(), &logout, &[("csrf_token", &token)]);
            assert!(answer.status < 500, "{realm}");
        }
    }
    assert_eq!(site.signed_in_as(&site.alice), ["alice"; 3]);
}
