//! What ends sessions from outside: a logout, "sign out everywhere else", a new password, a deletion; and what a copy of
//! a cookie is worth afterwards.

use std::thread;
use std::time::{Duration, Instant};

use world::{Answer, Jar, PASSWORD, Server, program, wait_for};

const ALL: [&str; 3] = ["/stateless", "/revocable", "/stateful"];
const NEW_PASSWORD: &str = "another battery staple";

/// Signs a browser in to a realm, where it may have been before.
fn sign_in_with(server: &Server, jar: &mut Jar, realm: &str, username: &str, password: &str) -> Answer {
    let path = format!("{realm}/login");
    let token = server.get(jar, &path).token();
    let fields = [("csrf_token", &*token), ("username", username), ("password", password)];
    server.post(jar, &path, &fields)
}

/// A new browser that alice is signed in with.
fn alice(server: &Server, realm: &str) -> Jar {
    let mut jar = Jar::default();
    sign_in_with(server, &mut jar, realm, "alice", PASSWORD).leads_to(realm);
    jar
}

/// Whether the profile of the realm knows this browser.
fn is_in(server: &Server, jar: &Jar, realm: &str) -> bool {
    server.get(&mut jar.clone(), &format!("{realm}/profile")).status == 200
}

/// Presses a button of the page at `page`.
fn press(server: &Server, jar: &mut Jar, page: &str, button: &str, fields: &[(&str, &str)]) -> Answer {
    let token = server.get(jar, page).token();
    let fields = [&[("csrf_token", &*token)], fields].concat();
    server.post(jar, button, &fields)
}

fn change_password(server: &Server, jar: &mut Jar, realm: &str, current: &str, new: &str) -> Answer {
    let path = format!("{realm}/password");
    press(server, jar, &path, &path, &[("current_password", current), ("new_password", new)])
}

/// A second process over the data of the first.
fn second_node(server: &Server) -> Server {
    program!().start(&[("ROCKET_DATA_DIR", server.dir.path().join("data").to_str().unwrap())])
}

#[test]
fn l6_a_copy_of_a_cookie_is_dead_after_the_logout_on_every_node_but_in_stateless() {
    let server = program!().start(&[]);
    server.register("alice");
    let other = second_node(&server);
    for realm in ["/revocable", "/stateful"] {
        let mut jar = alice(&server, realm);
        let copy = jar.clone();
        assert!(is_in(&server, &copy, realm) && is_in(&other, &copy, realm), "{realm}");
        press(&server, &mut jar, realm, &format!("{realm}/logout"), &[])
            .leads_to(&format!("{realm}/signed-out"));
        let ended = Instant::now();
        assert!(!is_in(&server, &copy, realm), "{realm}: at once");
        wait_for("the other node to know", || (!is_in(&other, &copy, realm)).then_some(()));
        assert!(ended.elapsed() < Duration::from_secs(2), "{realm}: {:?}", ended.elapsed());
    }
    let mut jar = alice(&server, "/stateless");
    let copy = jar.clone();
    press(&server, &mut jar, "/stateless", "/stateless/logout", &[]).leads_to("/stateless/signed-out");
    assert!(is_in(&server, &copy, "/stateless") && is_in(&other, &copy, "/stateless"));
    let told = server.get(&mut jar, "/stateless/signed-out").body;
    assert!(told.contains("A copy of the cookie would still open until <time"), "{told}");
    assert!(told.contains("in 30 minutes") && told.contains("in 12 hours"), "{told}");
}

#[test]
fn l9_of_100_sessions_sign_out_everywhere_else_leaves_one() {
    let server = program!().start(&[]);
    server.register("alice");
    server.register("bob");
    for (realm, said) in
        [("/revocable", "Every other session"), ("/stateful", "99 other sessions have ended.")]
    {
        let mut jars: Vec<Jar> = thread::scope(|scope| {
            let some = |_| scope.spawn(|| (0..25).map(|_| alice(&server, realm)).collect::<Vec<_>>());
            let four: Vec<_> = (0..4).map(some).collect();
            four.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let mut bob = Jar::default();
        sign_in_with(&server, &mut bob, realm, "bob", PASSWORD).leads_to(realm);
        assert!(jars.iter().all(|jar| is_in(&server, jar, realm)));
        let mut mine = jars.swap_remove(40);
        let ended = press(
            &server,
            &mut mine,
            &format!("{realm}/sessions"),
            &format!("{realm}/sessions/end-all"),
            &[],
        );
        assert_eq!(ended.status, 303, "{}", ended.body);
        assert!(server.get(&mut mine, ended.location()).notice().unwrap().starts_with(said), "{realm}");
        assert_eq!(jars.iter().filter(|jar| is_in(&server, jar, realm)).count(), 0, "99 are dead in {realm}");
        assert!(is_in(&server, &mine, realm) && is_in(&server, &bob, realm), "{realm}");
        assert!(is_in(&server, &alice(&server, realm), realm), "she can sign in again in {realm}");
    }
}

#[test]
fn l10_the_list_shows_this_accounts_sessions_and_a_button_ends_one() {
    let server = program!().start(&[]);
    server.register("alice");
    server.register("bob");
    let mut mine = alice(&server, "/stateful");
    let mut phone = Jar::default();
    let login = "/stateful/login";
    let token = server.get(&mut phone, login).token();
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("User-Agent", firefox)];
    let body = world::form(&[("csrf_token", &token), ("username", "alice"), ("password", PASSWORD)]);
    server.send(&mut phone, "POST", login, &headers, body.as_bytes()).leads_to("/stateful");
    let mut bob = Jar::default();
    sign_in_with(&server, &mut bob, "/stateful", "bob", PASSWORD).leads_to("/stateful");

    let list = server.get(&mut mine, "/stateful/sessions").body;
    assert!(list.contains("<b>This session</b>") && list.contains("Firefox on Linux"), "{list}");
    assert!(!list.contains("Gecko"), "the browser in words, not its header");
    assert_eq!(list.matches("/stateful/sessions/end\"").count(), 1, "one other, and none of bob's: {list}");
    let handle =
        list.split_once("name=\"session\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();

    let end = |jar: &mut Jar, handle: &str| {
        press(&server, jar, "/stateful/sessions", "/stateful/sessions/end", &[("session", handle)])
    };
    let own = list.split_once("<code>").unwrap().1.split_once('<').unwrap().0;
    let others = [(bob, &*handle), (mine.clone(), own), (mine.clone(), ""), (mine.clone(), "no such name")];
    for (mut jar, handle) in others {
        let refused = end(&mut jar, handle);
        assert_eq!(refused.status, 422, "{handle}");
        assert!(refused.body.contains("No other session of yours has this name"), "{}", refused.body);
    }
    assert!(is_in(&server, &phone, "/stateful") && is_in(&server, &mine, "/stateful"));
    end(&mut mine, &handle).leads_to("/stateful/sessions");
    assert!(!is_in(&server, &phone, "/stateful") && is_in(&server, &mine, "/stateful"));
    assert_eq!(end(&mut mine, &handle).status, 422, "it has ended already");
}

#[test]
fn l10_where_there_is_no_list_the_page_says_why_and_what_would_have_one() {
    let server = program!().start(&[]);
    server.register("alice");
    for (realm, reason, can_end_all) in [
        ("/stateless", "the server can neither list them nor end a single one", false),
        ("/revocable", "a ledger that can end them", true),
    ] {
        let mut jar = alice(&server, realm);
        let page = server.get(&mut jar, &format!("{realm}/sessions")).body;
        assert!(page.contains(reason) && page.contains("This realm has no list."), "{page}");
        assert!(page.contains("<a href=\"/stateful/sessions\">Stateful</a>"), "{page}");
        assert_eq!(page.contains("/sessions/end-all\""), can_end_all, "{page}");
        assert_eq!(page.contains("disabled>Sign out everywhere else"), !can_end_all, "{page}");
        let button = format!("{realm}/sessions/end");
        let refused = press(&server, &mut jar, &format!("{realm}/sessions"), &button, &[("session", "0")]);
        assert_eq!(refused.status, 422);
        assert!(refused.body.contains("This realm cannot do that"), "{}", refused.body);
    }
    let mut jar = alice(&server, "/stateless");
    let refused = press(&server, &mut jar, "/stateless/sessions", "/stateless/sessions/end-all", &[]);
    assert_eq!(refused.status, 422);
    assert!(is_in(&server, &jar, "/stateless"));
}

#[test]
fn l9_a_new_password_ends_every_other_session_of_the_account_in_every_realm() {
    let server = program!().start(&[]);
    server.register("alice");
    server.register("bob");
    let (mut old, mut new) = (PASSWORD, NEW_PASSWORD);
    for realm in ALL {
        let sign_in = |realm| {
            let mut jar = Jar::default();
            sign_in_with(&server, &mut jar, realm, "alice", old).leads_to(realm);
            jar
        };
        let others = ALL.map(|realm| (realm, sign_in(realm)));
        let mut mine = sign_in(realm);
        let before = mine.clone();
        change_password(&server, &mut mine, realm, old, new).leads_to(&format!("{realm}/profile"));
        for (other, jar) in &others {
            assert!(!is_in(&server, jar, other), "changed at {realm}, still in at {other}");
        }
        assert!(is_in(&server, &mine, realm) && !is_in(&server, &before, realm), "{realm}");
        let mut bob = Jar::default();
        sign_in_with(&server, &mut bob, realm, "bob", PASSWORD).leads_to(realm);
        assert!(is_in(&server, &bob, realm), "nobody else's");
        let refused = sign_in_with(&server, &mut Jar::default(), realm, "alice", old);
        assert_eq!(refused.status, 401, "the old password at {realm}");
        (old, new) = (new, old);
    }
}

#[test]
fn a6_a_wrong_current_password_or_a_bad_new_one_is_422_and_changes_nothing() {
    let server = program!().start(&[]);
    server.register("alice");
    for realm in ALL {
        let (mut mine, other) = (alice(&server, realm), alice(&server, realm));
        for (current, new, said) in [
            ("not her password", NEW_PASSWORD, "That is not your current password. Nothing was changed."),
            (PASSWORD, "short", "Use 15 characters or more."),
            (PASSWORD, "passwordpassword", "That is one of the most common passwords."),
            ("", "", "That is not your current password."),
        ] {
            let refused = change_password(&server, &mut mine, realm, current, new);
            assert_eq!(refused.status, 422, "{realm} {said}");
            assert!(
                refused.body.contains(said) && refused.body.contains("aria-invalid=\"true\""),
                "{}",
                refused.body
            );
            assert!(!refused.body.contains(NEW_PASSWORD), "no password is repeated");
        }
        assert!(is_in(&server, &other, realm) && is_in(&server, &alice(&server, realm), realm), "{realm}");
    }
}

#[test]
fn l8_deleting_the_account_ends_its_sessions_in_every_realm_and_frees_its_name() {
    let server = program!().start(&[]);
    for realm in ALL {
        server.register("alice");
        let others = ALL.map(|realm| (realm, alice(&server, realm)));
        let mut mine = alice(&server, realm);
        let path = format!("{realm}/account/delete");
        let deleted = press(&server, &mut mine, &path, &path, &[]);
        deleted.leads_to(&format!("{realm}/login"));
        assert_eq!(deleted.header("clear-site-data"), Some("\"cache\""));
        assert!(
            server.get(&mut mine, deleted.location()).notice().unwrap().contains("account has been deleted")
        );
        for (other, jar) in &others {
            assert!(!is_in(&server, jar, other), "deleted at {realm}, still in at {other}");
            let page = server.get(&mut jar.clone(), other);
            assert!(!page.body.contains("Signed in as"), "{other} shows nobody as signed in");
        }
        let refused = sign_in_with(&server, &mut Jar::default(), realm, "alice", PASSWORD);
        assert_eq!(refused.status, 401);
    }
    let again = server.register("alice");
    assert!(is_in(&server, &again, "/stateless"), "the name is free");
}

#[test]
fn x1_no_form_of_an_account_works_without_its_token_or_without_a_session() {
    let server = program!().start(&[]);
    server.register("alice");
    let fields = [
        ("session", "0"),
        ("password", PASSWORD),
        ("current_password", PASSWORD),
        ("new_password", NEW_PASSWORD),
    ];
    for realm in ALL {
        let mut mine = alice(&server, realm);
        for form in ["sessions/end", "sessions/end-all", "password", "confirm", "account/delete"] {
            let path = format!("{realm}/{form}");
            assert_eq!(server.post(&mut mine, &path, &fields).status, 403, "{path}");
            let stranger = server.post(&mut Jar::default(), &path, &fields);
            assert!(
                stranger.status == 303 && stranger.location().starts_with(&format!("{realm}/login")),
                "{path}"
            );
        }
        assert!(is_in(&server, &mine, realm));
    }
}

#[test]
fn l9_a_sign_in_on_the_old_password_during_its_change_is_dead_whichever_is_first() {
    // Some 27 sign-ins on an old password come from one address.
    let server = program!().start(&[("ROCKET_THROTTLE", "{enabled=false}")]);
    server.register("alice");
    let (mut old, mut new) = (PASSWORD, NEW_PASSWORD);
    for realm in ALL.into_iter().cycle().take(9) {
        let mut mine = Jar::default();
        sign_in_with(&server, &mut mine, realm, "alice", old).leads_to(realm);
        // Each signs in again and again, until the old password is refused.
        let signs_in = || {
            let sign_in = |_| {
                let mut jar = Jar::default();
                (sign_in_with(&server, &mut jar, realm, "alice", old).status == 303).then_some(jar)
            };
            (0..).map_while(sign_in).collect::<Vec<Jar>>()
        };
        let (jars, changed) = thread::scope(|scope| {
            let threads = [scope.spawn(signs_in), scope.spawn(signs_in), scope.spawn(signs_in)];
            let changed = change_password(&server, &mut mine, realm, old, new);
            (threads.map(|thread| thread.join().unwrap()).concat(), changed)
        });
        changed.leads_to(&format!("{realm}/profile"));
        assert!(is_in(&server, &mine, realm), "{realm}");
        assert_eq!(jars.iter().filter(|jar| is_in(&server, jar, realm)).count(), 0, "{realm}");
        (old, new) = (new, old);
    }
}
