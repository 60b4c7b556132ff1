//! Texts in the query of each page: shown as text, or not at all.

use world::{Jar, encode};

use super::site::{EVIL, PAYLOADS, Site};
use crate::routes::REALMS;

/// The parameters that pages read, and some that none does.
fn pages() -> Vec<String> {
    let of_realms =
        ["/login?next=", "/login?ended=", "/login?next=%2F&ended=", "/register?next=", "/confirm?next="];
    let more = ["/cookie?character=", "/signed-out?realm=", "?visits=", "/password?user="];
    let mut pages: Vec<String> = REALMS
        .iter()
        .flat_map(|realm| of_realms.iter().chain(&more).map(move |page| format!("{realm}{page}")))
        .collect();
    let others = [
        "/lab?need=",
        "/lab/growth?store=",
        "/lab/load?file=",
        "/docs?page=",
        "/docs/keys?name=",
        "/site.css?v=",
    ];
    pages.extend(
        others
            .iter()
            .chain(&["/?page=", "/?debug=", "/compare?bytes=", "/login?next=", "/user?id="])
            .map(|page| (*page).to_owned()),
    );
    pages
}

#[test]
fn x5_no_text_in_a_query_is_run_followed_or_kept() {
    let site = Site::open();
    for (at, page) in pages().into_iter().enumerate() {
        for (n, payload) in PAYLOADS.into_iter().enumerate() {
            let path = format!("{page}{}", encode(payload));
            let jars = [Jar::default(), site.mallory.clone()];
            // Every text to strangers and users in turn, and so every page.
            for jar in jars.into_iter().skip((at + n) % 2).take(1) {
                let sender = jar.values().next().is_some().then_some("mallory");
                let answer = site.server.get(&mut jar.clone(), &path);
                // A stranger who asks for a page of an account is led to the sign-in, which may lead back to what was
                // asked for: to a path of this site.
                let next = answer.location().contains("/login?next=%2F")
                    || answer.location().contains("/confirm?next=%2F");
                assert!(next || !answer.location().contains(EVIL), "{path}: {}", answer.location());
                for link in ["href", "action", "src", "value"] {
                    let leads = [
                        format!("{link}=\"https://{EVIL}"),
                        format!("{link}=\"//{EVIL}"),
                        format!("{link}=\"javascript:"),
                    ];
                    assert!(
                        leads.iter().all(|lead| !answer.body.contains(lead.as_str())),
                        "{path}: {}",
                        answer.body
                    );
                }
                site.judge(&path, sender, Some(&answer));
            }
        }
    }
    for query in [
        "next",
        "next=",
        "=",
        "&&&",
        "next[]=x&next[]=y",
        "next.x=1",
        "next=%",
        "next=%ff%fe",
        "%00=%00",
        "next=/&next=//evil.example",
    ] {
        for page in ["/stateless/login", "/stateful/sessions", "/revocable/profile", "/lab", "/site.css"] {
            let answer = site.server.get(&mut site.mallory.clone(), &format!("{page}?{query}"));
            site.judge(query, Some("mallory"), Some(&answer));
        }
    }
    site.close();
}
