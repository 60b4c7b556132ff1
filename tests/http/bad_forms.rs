//! What nobody types into a form, and where nobody should be led.

use world::{Jar, PASSWORD, Server, encode, form, program};

/// A body with the token that the form needs.
fn with_token(server: &Server, jar: &mut Jar, body: &[u8]) -> Vec<u8> {
    let token = server.get(jar, "/stateless/login").token();
    [format!("csrf_token={token}&").as_bytes(), body].concat()
}

#[test]
fn odd_credentials_sign_nobody_in() {
    let mut server = program!().start(&[]);
    let alice = server.register("alice");
    let password = encode(PASSWORD);
    let wrong = |username: &str| form(&[("username", username), ("password", "wrong")]).into_bytes();
    let megabyte = "x".repeat(1024 * 1024);
    let bodies: [(&str, Vec<u8>, u16); 19] = [
        ("a password of 1 MiB", format!("username=alice&password={megabyte}").into(), 413),
        ("a password of 30 KiB", format!("username=alice&password={}", &megabyte[..30_000]).into(), 401),
        ("a username of 10 kB", wrong(&megabyte[..10_000]), 401),
        ("NUL in the username", form(&[("username", "alice\0"), ("password", PASSWORD)]).into(), 401),
        ("NUL in the password", format!("username=alice&password={password}%00").into(), 401),
        ("a longer password", format!("username=alice&password={password}x").into(), 401),
        ("spaces around the password", format!("username=alice&password=+{password}+").into(), 401),
        ("no password", b"username=alice".to_vec(), 422),
        ("no username", format!("password={password}").into(), 422),
        ("an empty password", b"username=alice&password=".to_vec(), 401),
        ("nothing but names", b"username&password".to_vec(), 401),
        ("broken UTF-8, encoded", b"username=%ff%fe&password=%c0%80".to_vec(), 422),
        ("broken UTF-8, raw", b"username=\xff\xfe&password=\xc0\x80".to_vec(), 422),
        ("half an escape", b"username=%f&password=%".to_vec(), 401),
        ("markup", wrong("<script>alert(1)</script>"), 401),
        ("quotes", wrong("\" onfocus=\"x' --"), 401),
        ("line breaks", wrong("alice\r\nSet-Cookie: x=y\nGET / HTTP/1.1"), 401),
        ("a template", wrong("{{ csrf }}{% raw %}"), 401),
        ("SQL", wrong("' OR 1=1 --"), 401),
    ];
    for (what, body, status) in bodies {
        let mut jar = Jar::default();
        let body = with_token(&server, &mut jar, &body);
        let answer = server.post_raw(&mut jar, "/stateless/login", &body);
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert!(!answer.body.contains("<script>") && !answer.body.contains("\" onfocus"), "{what}");
        assert_eq!(answer.all("set-cookie").filter(|line| line.starts_with("x=")).count(), 0, "{what}");
        assert_eq!(server.user(&jar), None, "{what}");
    }
    assert_unharmed(&mut server, &alice);
}

#[test]
fn a_field_given_twice_or_as_a_list_never_signs_in_as_somebody_else() {
    let mut server = program!().start(&[]);
    let alice = server.register("alice");
    server.register("bob");
    let password = encode(PASSWORD);
    for (body, allowed) in [
        (format!("username=alice&username=bob&password={password}"), [Some("alice"), Some("bob")]),
        (format!("username=alice&password={password}&password=wrong"), [Some("alice"), None]),
        (format!("username=alice&password=wrong&password={password}"), [Some("alice"), None]),
        (format!("username[]=alice&password[]={password}"), [Some("alice"), None]),
        (format!("username.x=alice&password.y={password}"), [Some("alice"), None]),
    ] {
        let mut jar = Jar::default();
        let body = with_token(&server, &mut jar, body.as_bytes());
        let answer = server.post_raw(&mut jar, "/stateless/login", &body);
        assert!([303, 401, 422].contains(&answer.status), "{}", answer.status);
        let user = server.user(&jar);
        assert!(user.is_none() || allowed.contains(&user.as_deref()), "{user:?}");
    }
    assert_unharmed(&mut server, &alice);
}

#[test]
fn fields_that_no_form_has_change_nothing() {
    let server = program!().start(&[]);
    let mut jar = Jar::default();
    let fields = form(&[
        ("username", "alice"),
        ("password", PASSWORD),
        ("role", "admin"),
        ("visits", "99"),
        ("user.id", "7"),
    ]);
    let body = with_token(&server, &mut jar, fields.as_bytes());
    server.post_raw(&mut jar, "/stateless/register", &body).leads_to("/stateless");
    assert_eq!(server.visits(&jar), 0);
    let record = server.get(&mut jar, "/stateless/cookie").body;
    assert!(!record.contains("admin") && !record.contains("role&quot;"), "{record}");
    assert!(record.contains("&quot;id&quot;: ") && !record.contains("&quot;id&quot;: 7,"), "{record}");
}

#[test]
fn a_body_that_is_no_form_is_refused() {
    let server = program!().start(&[]);
    let mut jar = Jar::default();
    let token = server.get(&mut jar, "/stateless/login").token();
    let json = format!(r#"{{"csrf_token":"{token}","username":"alice","password":"{PASSWORD}"}}"#);
    let form = form(&[("csrf_token", &token), ("username", "alice"), ("password", PASSWORD)]);
    for (kind, body, status) in [
        ("application/json", &json, 415),
        ("application/x-www-form-urlencoded", &json, 403),
        ("text/plain", &form, 415),
        ("multipart/form-data; boundary=x", &form, 415),
        ("no/such; thing", &form, 415),
        (";", &form, 415),
    ] {
        for page in ["login", "register", "logout"] {
            let path = format!("/stateless/{page}");
            let answer =
                server.send(&mut jar.clone(), "POST", &path, &[("Content-Type", kind)], body.as_bytes());
            assert_eq!(answer.status, status, "{page} {kind}");
        }
    }
    assert_eq!(
        server.sign_in(&mut Jar::default(), "/stateless/login", "alice").status,
        401,
        "no such account"
    );
}

#[test]
fn a_name_is_the_same_in_either_normal_form_and_a_password_is_verbatim() {
    let server = program!().start(&[]);
    server.register("zo\u{eb}");
    let user = |username: &str, password: &str| {
        let mut jar = Jar::default();
        let body =
            with_token(&server, &mut jar, form(&[("username", username), ("password", password)]).as_bytes());
        server.post_raw(&mut jar, "/stateless/login", &body);
        server.user(&jar)
    };
    assert_eq!(user("zoe\u{308}", PASSWORD).as_deref(), Some("zo\u{eb}"));
    assert_eq!(user("zoe", PASSWORD), None);
    assert_eq!(user("zo\u{eb}", &PASSWORD.to_uppercase()), None);
    assert_eq!(user("zo\u{eb}", &format!("{PASSWORD} ")), None);
}

#[test]
fn a_name_is_shown_as_it_is_and_does_nothing() {
    let server = program!().start(&[]);
    let mut jar = server.register("<script>alert(1)</script>");
    for path in ["/", "/stateless", "/stateless/profile", "/stateless/cookie"] {
        let page = server.get(&mut jar, path).body;
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)"), "{path}: {page}");
    }
}

#[test]
fn a_name_that_cannot_be_is_422_and_makes_no_account() {
    let server = program!().start(&[]);
    for name in ["", " ", "two\nlines", "nul\0", "a\u{202e}b", " alice", &"x".repeat(65), "\u{fffd}\u{0}"] {
        let mut jar = Jar::default();
        let body = form(&[("username", name), ("password", PASSWORD)]);
        let body = with_token(&server, &mut jar, body.as_bytes());
        assert_eq!(server.post_raw(&mut jar, "/stateless/register", &body).status, 422, "{name:?}");
        assert_eq!(server.user(&jar), None, "{name:?}");
    }
}

#[test]
fn next_leads_only_to_a_path_of_this_site() {
    let mut server = program!().start(&[]);
    let alice = server.register("alice");
    let long = format!("/{}", "a".repeat(10_000));
    let elsewhere = [
        "//evil",
        "///evil",
        "/\\evil",
        "\\\\evil",
        "https:evil",
        "https://evil/",
        "javascript:alert(1)",
        "data:text/html,x",
        "/\t/evil",
        "/%09/evil",
        "/%2Fevil",
        "/%5Cevil",
        "http://localhost@evil/",
        "//localhost@evil/",
        "@evil",
        ".evil",
        "/\r\nSet-Cookie: x=y",
        "/%0d%0aSet-Cookie:x=y",
        "/\0",
        " //evil",
        "\u{ff0f}\u{ff0f}evil",
        "",
        &long,
    ];
    for next in elsewhere {
        let path = format!("/stateless/login?next={}", encode(next));
        let page = server.get(&mut Jar::default(), &path);
        assert_eq!(page.status, 200, "{next:?}");
        assert!(
            !page.body.contains("evil") && !page.body.contains("name=\"next\""),
            "{next:?}: {}",
            page.body
        );

        let mut jar = Jar::default();
        let body = form(&[("username", "alice"), ("password", PASSWORD), ("next", next)]);
        let body = with_token(&server, &mut jar, body.as_bytes());
        let answer = server.post_raw(&mut jar, "/stateless/login", &body);
        answer.leads_to("/stateless");
        assert_eq!(answer.all("set-cookie").count(), 1, "{next:?}");
    }
    assert_unharmed(&mut server, &alice);
}

#[test]
fn of_two_next_none_leads_elsewhere() {
    let server = program!().start(&[]);
    server.register("alice");
    for query in [
        "next=//evil&next=/stateless/profile",
        "next=/stateless/profile&next=//evil",
        "next[]=//evil",
        "next=",
        "next",
        "next=%ff",
        "next=%",
    ] {
        let mut jar = Jar::default();
        let page = server.get(&mut jar, &format!("/stateless/login?{query}"));
        assert!(page.status < 500 && !page.body.contains("evil"), "{query}: {}", page.status);
        let body = with_token(
            &server,
            &mut jar,
            format!("{}&{query}", form(&[("username", "alice"), ("password", PASSWORD)])).as_bytes(),
        );
        let answer = server.post_raw(&mut jar, "/stateless/login", &body);
        assert!(answer.status < 500, "{query}: {}", answer.status);
        assert!(["", "/stateless", "/stateless/profile"].contains(&answer.location()), "{query}");
    }
}

#[test]
fn a_target_that_no_client_would_send_is_a_4xx() {
    let mut server = program!().start(&[]);
    let alice = server.register("alice");
    let targets: [&[u8]; 9] = [
        b"/stateless/login?next=/\t/evil",
        b"/stateless/login?next=\xff\xfe",
        b"/stateless/login?next=/\0",
        b"/stateless/\\..\\profile",
        b"//evil",
        b"http://evil/",
        b"*",
        b"stateless",
        &[b'/'; 100_000],
    ];
    for target in targets {
        let answer = server.raw("GET", target, b"", b"");
        assert!(answer.status < 500, "{}", answer.status);
        assert!(!answer.location().contains("evil"), "{}", answer.location());
    }
    assert_unharmed(&mut server, &alice);
}

/// Checks that the attempts harmed neither the real session and account nor the server.
#[track_caller]
fn assert_unharmed(server: &mut Server, alice: &Jar) {
    server.assert_well();
    assert_eq!(server.user(alice).as_deref(), Some("alice"));
    server.sign_in(&mut Jar::default(), "/stateless/login", "alice").leads_to("/stateless");
    assert!(!server.log().contains(PASSWORD), "a password is in the log");
}
