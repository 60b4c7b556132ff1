//! The program itself, moved from store to store by nothing but a URL.

use world::{Jar, KEY, PASSWORD, TO_LOGIN, databases, on_every_store, program};

/// The setting that moves the sessions of `/stateless`, whose pages the client knows.
pub fn moved_to(url: &str, more: &str) -> String {
    format!(r#"{{realms={{"/stateless"={{store={url:?}{more}}}}}}}"#)
}

mod the_walk {
    use super::*;

    async fn is_the_same_on_every_store(url: &str) {
        let server = program!().start(&[("ROCKET_SESSION", &moved_to(url, ""))]);
        let mut jar = Jar::default();
        for count in ["1", "2", "3"] {
            assert_eq!(server.get(&mut jar, "/stateless").output("visits"), Some(count));
        }
        let token = server.get(&mut jar, "/stateless/register").token();
        let fields = [("csrf_token", &*token), ("username", "alice"), ("password", PASSWORD)];
        server.post(&mut jar, "/stateless/register", &fields).leads_to("/stateless");
        assert_eq!(server.user(&jar).as_deref(), Some("alice"));
        assert_eq!(server.visits(&jar), 3, "registering keeps the count");
        let saved = jar.clone();
        let token = server.get(&mut jar, "/stateless/profile").token();
        server
            .post(&mut jar, "/stateless/logout", &[("csrf_token", &token)])
            .leads_to("/stateless/signed-out");
        let refused = server.get(&mut jar, "/stateless/profile");
        refused.leads_to(TO_LOGIN);
        assert_eq!(server.user(&saved), None, "a cookie that was saved before the logout is dead");
        server.get(&mut jar, "/stateless");
        server.sign_in(&mut jar, refused.location(), "alice").leads_to("/stateless/profile");
        assert_eq!(server.user(&jar).as_deref(), Some("alice"));
        assert_eq!(server.visits(&jar), 1, "signing in keeps the count");
        assert_eq!(server.get(&mut jar, "/stateless/cookie").status, 200);
    }

    on_every_store!(is_the_same_on_every_store);
}

/// Two processes that take turns with one browser.
fn alternate(settings: &[(&str, &str)]) {
    let all = [&[("ROCKET_SECRET_KEY", KEY)], settings].concat();
    let servers = [program!().start(&all), program!().start(&all)];
    let mut jar = servers[0].register("alice");
    for n in 1..=20 {
        let page = servers[n % 2].get(&mut jar, "/stateless");
        assert_eq!(page.output("visits"), Some(&*n.to_string()), "no request is lost between the two");
    }
    for server in &servers {
        assert_eq!(server.user(&jar).as_deref(), Some("alice"));
    }
    let token = servers[0].get(&mut jar, "/stateless/profile").token();
    // Each process accepts the other's forms.
    servers[1]
        .post(&mut jar, "/stateless/logout", &[("csrf_token", &token)])
        .leads_to("/stateless/signed-out");
    assert!(servers.iter().all(|server| server.user(&jar).is_none()));
}

#[test]
fn two_processes_share_one_redis() {
    let Some(redis) = databases::redis() else { return };
    alternate(&[("ROCKET_SESSION", &moved_to(&redis.url(), ""))]);
}

#[test]
fn two_processes_share_one_postgres() {
    let Some(postgres) = databases::postgres() else { return };
    alternate(&[("ROCKET_SESSION", &moved_to(&postgres.url(), ""))]);
}

#[test]
fn two_processes_share_nothing_but_the_key() {
    alternate(&[]);
}

#[test]
fn stateful_has_the_file_of_the_accounts_and_survives_a_restart() {
    let server = program!().start(&[]);
    let mut jar = Jar::default();
    assert_eq!(server.get(&mut jar, "/stateful").output("visits"), Some("1"));
    assert!(jar.pair().len() < 110, "only the id travels: {}", jar.pair());
    let server = server.restart(&[]);
    assert_eq!(server.get(&mut jar, "/stateful").output("visits"), Some("2"));
    assert!(server.dir.path().join("data/app.db").exists());
}
