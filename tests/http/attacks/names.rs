//! Names that look like another's, or like none.

use world::{Jar, PASSWORD};

use super::site::{MARKUP, Site};
use crate::routes::REALMS;

/// None of them makes an account: each looks like "alice", or cannot be read aloud.
const REFUSED: [&str; 39] = [
    "alice",
    "Alice",
    "ALICE",
    "aLiCe",
    "\u{ff41}lice",
    "\u{430}lice",
    "ali\u{441}e",
    "alic\u{435}",
    "aI\u{69}ce",
    "al\u{456}ce",
    "\u{1d41a}lice",
    "\u{24d0}lice",
    "a1ice",
    "alice\u{200b}",
    "\u{200b}alice",
    "al\u{200d}ice",
    "alice\u{feff}",
    "alice\u{ad}",
    "alice\u{2060}",
    "\u{202e}ecila",
    "\u{2066}alice\u{2069}",
    "alice\u{61c}",
    "alice\u{180e}",
    "alice\u{fe0f}",
    "alice\u{e0061}",
    "alice\u{3164}",
    "alice\u{115f}",
    "alice\u{2800}",
    " alice",
    "alice ",
    "\talice",
    "alice\u{a0}",
    "alice\n",
    "alice\r\nroot",
    "alice\0",
    "",
    " ",
    "\u{2028}",
    "\u{7f}",
];

#[test]
fn no_name_makes_an_account_that_looks_like_another_or_like_none() {
    let site = Site::open();
    let long = ["x".repeat(65), "\u{1f980}".repeat(65), "a\u{301}".repeat(40), "x".repeat(10_000)];
    for (n, name) in REFUSED.into_iter().chain(long.iter().map(String::as_str)).enumerate() {
        let realm = REALMS[n % REALMS.len()];
        let path = format!("{realm}/register");
        let mut jar = Jar::default();
        let token = site.server.get(&mut jar, &path).token();
        let fields = [("csrf_token", &*token), ("username", name), ("password", "not the password of alice")];
        let answer = site.server.post(&mut jar, &path, &fields);
        assert_eq!(answer.status, 422, "{name:?}");
        site.judge(&format!("{name:?}"), None, Some(&answer));
    }
    site.close();
}

#[test]
fn a_name_of_any_script_is_shown_as_text_in_every_realm() {
    let site = Site::open();
    for name in [
        "\u{1f980}\u{1f512}",
        MARKUP,
        "{{ 7777*7777 }}",
        "' OR 1=1 --",
        "../../x",
        "\u{5d0}\u{5d1}\u{5d2}",
        "\u{65e5}\u{672c}",
    ] {
        let mut jar = site.server.register(name);
        for realm in REALMS {
            if realm != "/stateless" {
                site.server.sign_in(&mut jar, &format!("{realm}/login"), name).leads_to(realm);
            }
            for page in ["", "/profile", "/cookie", "/sessions", "/password"] {
                let page = site.server.get(&mut jar, &format!("{realm}{page}"));
                assert_eq!(page.status, 200, "{name}");
                for run in ["<script>alert", "60481729"] {
                    assert!(!page.body.contains(run), "{name}: {}", page.body);
                }
            }
        }
    }
    let mut stranger = Jar::default();
    let token = site.server.get(&mut stranger, "/stateless/login").token();
    let fields = [("csrf_token", &*token), ("username", "' OR 1=1 --"), ("password", PASSWORD)];
    let found = site.server.post(&mut stranger, "/stateless/login", &fields);
    found.leads_to("/stateless");
    assert_eq!(site.signed_in_as(&stranger), ["&#x27; OR 1=1 --"], "the name, and no other's");
}
