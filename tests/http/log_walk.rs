//! No secret that a visitor uses gets into the log.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cookie::{Cookie, CookieJar, Key};
use world::{Answer, Jar, KEY, PASSWORD, Server, program};

const NEW_PASSWORD: &str = "staple battery horse correct";
/// What somebody typed into the field for the name.
const TYPED: &str = "my secret passphrase";

/// One browser's walk through a realm, and every secret that it used.
struct Walk<'s> {
    server: &'s Server,
    /// The name of the realm's cookie.
    cookie: String,
    jar: Jar,
    secrets: BTreeSet<String>,
}

impl Walk<'_> {
    fn get(&mut self, path: &str) -> Answer {
        let answer = self.server.get(&mut self.jar, path);
        self.note();
        answer
    }

    /// Fills in the form of a page.
    fn submit(&mut self, path: &str, form: &str, fields: &[(&str, &str)]) -> u16 {
        let token = self.get(form).token();
        self.secrets.insert(token.clone());
        let fields = [fields, &[("csrf_token", &*token)]].concat();
        let status = self.server.post(&mut self.jar, path, &fields).status;
        self.note();
        status
    }

    /// Notes the cookies that the browser has, and the ids of their sessions.
    fn note(&mut self) {
        let key = Key::derive_from(&BASE64_STANDARD.decode(KEY).unwrap());
        for pair in self.jar.pair().split("; ") {
            let Some((name, value)) = pair.split_once('=').filter(|(name, _)| *name == self.cookie) else {
                continue;
            };
            let mut jar = CookieJar::new();
            jar.add_original(Cookie::new(name.to_owned(), value.to_owned()));
            let ticket = jar.private(&key).get(name).expect("it is sealed with the key");
            // The ticket of a server store is the id. That of a cookie is the record: [1,"ID",…]
            let id = ticket.value().split('"').nth(1).unwrap_or(ticket.value());
            assert_eq!(id.len(), 22);
            self.secrets.extend([value.to_owned(), id.to_owned()]);
        }
    }
}

/// Registers, changes the password, signs out and in, and does each wrong too.
fn walk(server: &Server, realm: &str) -> BTreeSet<String> {
    let [register, login, logout, password, profile] =
        ["register", "login", "logout", "password", "profile"].map(|page| format!("{realm}/{page}"));
    let name = realm.trim_start_matches('/');
    let cookie = format!("__Host-Http-{name}");
    let mut walk = Walk { server, cookie, jar: Jar::default(), secrets: BTreeSet::new() };
    walk.get(realm);
    assert_eq!(walk.submit(&register, &register, &[("username", name), ("password", PASSWORD)]), 303);
    assert_eq!(walk.get(&profile).status, 200);
    let change = [("current_password", PASSWORD), ("new_password", NEW_PASSWORD)];
    assert_eq!(walk.submit(&password, &password, &change), 303);
    assert_eq!(walk.submit(&password, &password, &change), 422, "that was the old password");
    assert_eq!(walk.submit(&logout, realm, &[]), 303);
    for (username, password) in [(name, PASSWORD), (TYPED, NEW_PASSWORD)] {
        assert_eq!(walk.submit(&login, &login, &[("username", username), ("password", password)]), 401);
    }
    assert_eq!(walk.submit(&login, &login, &[("username", name), ("password", NEW_PASSWORD)]), 303);
    assert_eq!(server.post(&mut walk.jar, &logout, &[("csrf_token", "forged")]).status, 403);
    let mut tampered = walk.jar.pair();
    tampered.insert(tampered.len() - 4, 'A');
    server.get_with_cookies(&profile, tampered.as_bytes());
    walk.secrets.extend([PASSWORD, NEW_PASSWORD, TYPED].map(str::to_owned));
    walk.secrets
}

#[test]
fn no_secret_that_a_walk_used_is_in_the_log() {
    for format in ["text", "json"] {
        let settings =
            [("ROCKET_LOG_LEVEL", "normal"), ("ROCKET_SECRET_KEY", KEY), ("ROCKET_LOG_FORMAT", format)];
        let server = program!().start(&settings);
        for realm in ["/stateless", "/stateful", "/revocable"] {
            let secrets = walk(&server, realm);
            assert!(secrets.len() > 15, "{secrets:?}");
            let log = server.log();
            for secret in &secrets {
                assert!(!log.contains(secret.as_str()), "{secret} of {realm} is in the log: {log}");
            }
            for event in
                ["registered", "password_changed", "password_change_refused", "ended", "sign_in_refused"]
            {
                assert!(log.contains(event), "{event}: {log}");
            }
        }
    }
}
