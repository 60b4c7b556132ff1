//! Tokens that are not of the session that sends the form: no POST of the app does anything with one.

use world::{Jar, encode};

use super::site::Site;
use crate::routes::{REALMS, paths};

/// Fields that every form of the app would take.
const FIELDS: &str = "username=mallory&password=correct+horse+battery&current_password=correct+horse+battery\
    &new_password=another+battery+staple&session=0000000000000000&note=forged&character=3&next=%2F";

fn token_of(site: &Site, jar: &mut Jar, realm: &str) -> String {
    site.server.get(jar, &format!("{realm}/cookie")).token()
}

/// Bodies without the token of Mallory's session in this realm.
fn bodies(site: &Site, realm: &str) -> Vec<(&'static str, String)> {
    let own = token_of(site, &mut site.mallory.clone(), realm);
    let alices = token_of(site, &mut site.alice.clone(), realm);
    let other = REALMS.iter().find(|other| **other != realm).unwrap();
    let elsewhere = token_of(site, &mut site.mallory.clone(), other);
    let mut visitor = Jar::default();
    let visitors = site.server.get(&mut visitor, &format!("{realm}/login")).token();
    let changed = format!("{}{}", &own[..own.len() - 1], if own.ends_with('A') { "B" } else { "A" });
    let is = |token: &str| format!("csrf_token={}", encode(token));
    vec![
        ("no token", String::new()),
        ("a name without a value", "csrf_token".into()),
        ("an empty one", is("")),
        ("a wrong one", is("wrong")),
        ("another user's", is(&alices)),
        ("another realm's", is(&elsewhere)),
        ("a visitor's", is(&visitors)),
        ("one that was cut", is(&own[..own.len() - 1])),
        ("the first half", is(&own[..own.len() / 2])),
        ("one with more", is(&format!("{own}A"))),
        ("twice in one", is(&format!("{own}{own}"))),
        ("one letter changed", is(&changed)),
        ("in capitals", is(&own.to_uppercase())),
        ("reversed", is(&own.chars().rev().collect::<String>())),
        ("with a space", is(&format!(" {own}"))),
        ("with NUL", is(&format!("{own}\0"))),
        ("encoded twice", format!("csrf_token={}", encode(&encode(&format!("{own}=")))).replace("%2541", "")),
        ("of zeros", is(&"A".repeat(own.len()))),
        ("of 20 kB", is(&"A".repeat(20_000))),
        ("broken UTF-8", "csrf_token=%ff%fe%c0%80".into()),
        ("another name", format!("token={0}&_csrf={0}&authenticity_token={0}", encode(&own))),
        ("a name in capitals", format!("CSRF_TOKEN={}", encode(&own))),
        ("a wrong one, then the right one", format!("{}&{}", is("wrong"), is(&own))),
        ("markup", is("\"><script>alert(31337)</script>")),
        ("SQL", is("' OR '1'='1")),
    ]
}

#[test]
fn x1_no_post_of_any_realm_does_anything_without_its_own_token() {
    let site = Site::open();
    for realm in REALMS {
        let all = bodies(&site, realm);
        for path in paths(&site.server, "POST").iter().filter(|path| path.starts_with(realm)) {
            for (what, token) in &all {
                let what = format!("{what} at {path}");
                let mut jar = site.mallory.clone();
                let answer = site.server.post_raw(&mut jar, path, format!("{token}&{FIELDS}").as_bytes());
                site.judge(&what, Some("mallory"), Some(&answer));
                assert_eq!(answer.status, 403, "{what}: {}", answer.body);
                assert!(!answer.clears(), "{what}");
            }
        }
    }
    assert_eq!(site.signed_in_as(&site.mallory), ["mallory"; 3], "he is not signed out either");
    site.close();
}

#[test]
fn x1_no_post_outside_of_the_realms_does_anything_without_a_token_either() {
    let site = Site::open();
    let all = bodies(&site, REALMS[0]);
    let posts = paths(&site.server, "POST");
    let posts: Vec<&String> =
        posts.iter().filter(|path| REALMS.iter().all(|realm| !path.starts_with(realm))).collect();
    assert_eq!(posts, ["/compare", "/lab", "/lab/growth"]);
    for path in posts {
        // The token of another realm may be the one that such a page has.
        for (what, token) in all.iter().filter(|(what, _)| *what != "another realm's") {
            let what = format!("{what} at {path}");
            let body = format!("{token}&{FIELDS}");
            for mut jar in [Jar::default(), site.mallory.clone()] {
                let sender = jar.values().next().is_some().then_some("mallory");
                let answer = site.server.post_raw(&mut jar, path, body.as_bytes());
                site.judge(&what, sender, Some(&answer));
                assert_eq!(answer.status, 403, "{what}: {}", answer.body);
            }
        }
    }
    site.close();
}

#[test]
fn x1_a_token_anywhere_but_in_the_body_is_none_and_get_sends_no_form() {
    let site = Site::open();
    for realm in REALMS {
        let token = token_of(&site, &mut site.mallory.clone(), realm);
        let query = format!("csrf_token={}&{FIELDS}", encode(&token));
        for path in paths(&site.server, "POST").iter().filter(|path| path.starts_with(realm)) {
            let form = ("Content-Type", "application/x-www-form-urlencoded");
            let own = ("Sec-Fetch-Site", "same-origin");
            let cookie = format!("{}; csrf_token={token}", site.mallory.pair());
            let sent = [
                ("the query", format!("{path}?{query}"), vec![form, own]),
                ("a header", path.clone(), vec![form, own, ("X-CSRF-Token", &*token)]),
                ("another header", path.clone(), vec![form, own, ("csrf_token", &*token)]),
                ("a cookie", path.clone(), vec![form, own, ("Cookie", &*cookie)]),
                ("a referrer", path.clone(), vec![form, own, ("Referer", &*token)]),
            ];
            for (what, target, headers) in sent {
                let what = format!("{what} at {path}");
                let answer =
                    site.server.send(&mut site.mallory.clone(), "POST", &target, &headers, FIELDS.as_bytes());
                site.judge(&what, Some("mallory"), Some(&answer));
                // The note and the password are asked for the newest cookie first, which may be another by now.
                assert!([403, 409].contains(&answer.status), "{what}: {}", answer.status);
            }
            let answer = site.server.get(&mut site.mallory.clone(), &format!("{path}?{query}"));
            site.judge(&format!("GET {path}"), Some("mallory"), Some(&answer));
            assert!(
                answer.status == 404 || answer.location() != realm,
                "GET {path} signs in: {}",
                answer.status
            );
        }
    }
    assert_eq!(site.signed_in_as(&site.mallory), ["mallory"; 3]);
    site.close();
}
