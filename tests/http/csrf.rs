//! Every POST needs its session's own token, and a refused form is offered again.

use world::{Jar, PASSWORD, form, program};

#[test]
fn a_form_without_its_sessions_own_token_is_403_and_changes_nothing() {
    let server = program!().start(&[]);
    let mut alice = server.register("alice");
    let mut bob = server.register("bob");
    let bobs = server.get(&mut bob, "/stateless").token();
    let own = server.get(&mut alice, "/stateless").token();
    let cut = &own[..own.len() - 1];
    let doubled = format!("{own}{own}");
    let tokens =
        [None, Some(""), Some("wrong"), Some(&*bobs), Some(cut), Some(&doubled), Some("\0"), Some("é")];
    for page in ["register", "login", "logout"] {
        for token in tokens {
            let mut fields = vec![("username", "mallory"), ("password", PASSWORD)];
            fields.extend(token.map(|token| ("csrf_token", token)));
            let mut jar = alice.clone();
            let answer = server.post(&mut jar, &format!("/stateless/{page}"), &fields);
            assert_eq!(answer.status, 403, "{page} {token:?}");
            assert_eq!(server.user(&jar).as_deref(), Some("alice"), "{page} {token:?}");
        }
    }
    assert_eq!(server.sign_in(&mut Jar::default(), "/stateless/login", "mallory").status, 401);
}

#[test]
fn the_token_is_checked_before_any_other_field() {
    let server = program!().start(&[]);
    let mut jar = Jar::default();
    server.get(&mut jar, "/stateless/login");
    for body in ["", "username=alice", "password", "csrf_token", "csrf_token[]=x", "&&&===", "%ff=%ff"] {
        assert_eq!(server.post_raw(&mut jar, "/stateless/login", body.as_bytes()).status, 403, "{body}");
    }
}

#[test]
fn the_403_page_of_a_form_offers_it_again_and_then_it_works() {
    let server = program!().start(&[]);
    server.register("alice");
    for (page, username) in [("login", "alice"), ("register", "bob")] {
        let mut jar = Jar::default();
        server.get(&mut jar, "/stateless");
        let path = format!("/stateless/{page}");
        let fields = [("csrf_token", "of another session"), ("username", username), ("password", PASSWORD)];
        let refused = server.post(&mut jar, &path, &fields);
        assert_eq!(refused.status, 403);
        assert!(refused.body.contains("This form had expired. Please send it again."), "{}", refused.body);
        let token = refused.token();
        let fields = [("csrf_token", &*token), ("username", username), ("password", PASSWORD)];
        server.post(&mut jar, &path, &fields).leads_to("/stateless");
        assert_eq!(server.user(&jar).as_deref(), Some(username));
    }
}

#[test]
fn signing_out_from_a_stale_page_is_offered_again_and_then_works() {
    let server = program!().start(&[]);
    let mut jar = server.register("alice");
    let refused = server.post(&mut jar, "/stateless/logout", &[("csrf_token", "stale")]);
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("href=\"/stateless/profile\">Stay signed in</a>"), "{}", refused.body);
    server
        .post(&mut jar, "/stateless/logout", &[("csrf_token", &refused.token())])
        .leads_to("/stateless/signed-out");
    assert_eq!(server.user(&jar), None);
}

#[test]
fn a_browser_that_keeps_no_cookie_is_told_so_when_it_sends_the_form_again() {
    let server = program!().start(&[]);
    for page in ["register", "login"] {
        let path = format!("/stateless/{page}");
        let token = server.get(&mut Jar::default(), "/stateless/login").token();
        let mut fields = vec![("csrf_token", &*token), ("username", "alice"), ("password", PASSWORD)];
        let first = server.post(&mut Jar::default(), &path, &fields);
        assert!(first.body.contains("This form had expired"), "{page}");
        assert!(!first.body.contains("not keeping"), "{page}");
        fields.push(("again", "true"));
        let answer = server.post(&mut Jar::default(), &path, &fields);
        assert_eq!(answer.status, 403, "{page}");
        assert!(answer.body.contains("Your browser is not keeping this site’s cookies."), "{page}");
    }
}

#[test]
fn a_token_from_before_the_login_is_worth_nothing_after_it() {
    let server = program!().start(&[]);
    server.register("alice");
    let mut jar = Jar::default();
    let before = server.get(&mut jar, "/stateless/login").token();
    server.sign_in(&mut jar, "/stateless/login", "alice").leads_to("/stateless");
    assert_eq!(server.post(&mut jar, "/stateless/logout", &[("csrf_token", &before)]).status, 403);
    assert_eq!(server.user(&jar).as_deref(), Some("alice"));
}

#[test]
fn a_token_looks_different_on_each_page() {
    let server = program!().start(&[]);
    let mut jar = Jar::default();
    let first = server.get(&mut jar, "/stateless/login").token();
    assert_ne!(server.get(&mut jar, "/stateless/login").token(), first);
}

#[test]
fn a_form_from_another_site_is_403_also_with_the_right_token() {
    let server = program!().start(&[]);
    let mut jar = server.register("alice");
    let token = server.get(&mut jar, "/stateless/profile").token();
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    let send = |said: &[(&str, &str)]| {
        let body = form(&[("csrf_token", &token)]);
        server.send(&mut jar.clone(), "POST", "/stateless/logout", &[&[kind], said].concat(), body.as_bytes())
    };
    let own = format!("http://localhost:{}", server.port);
    let (other_scheme, with_path) = (own.replace("http", "ftp"), format!("{own}/"));
    let site = |site| ("Sec-Fetch-Site", site);
    let refused: [&[_]; 10] = [
        &[site("cross-site")],
        &[site("same-site")],
        &[site("same-origin"), site("cross-site")],
        &[site("cross-site"), ("Origin", &own)],
        &[("Origin", "https://evil.example")],
        &[("Origin", "http://localhost.evil.example")],
        &[("Origin", "http://localhost")],
        &[("Origin", &other_scheme)],
        &[("Origin", &with_path)],
        &[("Origin", "null")],
    ];
    for said in refused {
        let answer = send(said);
        assert_eq!(answer.status, 403, "{said:?}");
        assert!(!answer.clears(), "{said:?}");
    }
    // Without either header the token alone decides: every browser of today sends at least one of them.
    for said in [&[site("same-origin")][..], &[("Origin", &own)], &[]] {
        send(said).leads_to("/stateless/signed-out");
    }
}
