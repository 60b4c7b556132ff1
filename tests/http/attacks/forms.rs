//! Fields that nobody types, in every form of the app, sent with the right token.

use world::{Jar, PASSWORD, encode};

use super::site::{PAYLOADS, Site};
use crate::routes::REALMS;

/// A form: its page below the realm, and its fields with what would be right.
struct Form {
    post: &'static str,
    /// Whether Mallory sends it, or a stranger.
    is_his: bool,
    fields: &'static [(&'static str, &'static str)],
}

/// Every form that a token alone does not make harmful: what "sign out" and "delete" do with one is what they are for.
const FORMS: [Form; 7] = [
    Form {
        post: "/login",
        is_his: false,
        fields: &[("username", "alice"), ("password", "wrong"), ("remember", "true"), ("next", "/")],
    },
    Form {
        post: "/register",
        is_his: false,
        fields: &[("username", "alice"), ("password", "too short"), ("next", "/")],
    },
    Form { post: "/confirm", is_his: true, fields: &[("password", "wrong"), ("next", "/")] },
    Form {
        post: "/password",
        is_his: true,
        fields: &[("current_password", "wrong"), ("new_password", "another battery staple")],
    },
    Form { post: "/sessions/end", is_his: true, fields: &[("session", "0000000000000000")] },
    Form { post: "/cookie/note", is_his: true, fields: &[("note", "a note")] },
    Form { post: "/cookie/tamper", is_his: true, fields: &[("character", "3")] },
];

/// Bodies that differ from what is right in one field.
fn bodies(fields: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let with = |at: usize, instead: &dyn Fn(&str, &str) -> Vec<u8>| {
        let one = |(n, (name, value)): (usize, &(&str, &str))| {
            if n == at { instead(name, value) } else { format!("{name}={}", encode(value)).into_bytes() }
        };
        fields.iter().enumerate().map(one).collect::<Vec<_>>().join(&b'&')
    };
    for (at, (field, _)) in fields.iter().enumerate() {
        let mut add = |what: &str, instead: &dyn Fn(&str, &str) -> Vec<u8>| {
            all.push((format!("{what} for {field}"), with(at, instead)));
        };
        add("nothing", &|_, _| Vec::new());
        add("no value", &|name, _| name.into());
        add("an empty value", &|name, _| format!("{name}=").into());
        add("two values", &|name, value| format!("{name}={}&{name}=alice", encode(value)).into());
        add("a list", &|name, value| format!("{name}[]={0}&{name}[1]={0}", encode(value)).into());
        add("a part", &|name, value| format!("{name}.x.y={}", encode(value)).into());
        add("broken UTF-8", &|name, _| format!("{name}=%ff%fe%c0%80%ed%a0%80").into());
        add("bytes that are no UTF-8", &|name, _| [name.as_bytes(), b"=\xff\xfe\xc0\x80"].concat());
        add("half an escape", &|name, _| format!("{name}=%f&{name}=%").into());
        add("NUL", &|name, value| format!("{name}={}%00", encode(value)).into());
        add("30 kB", &|name, _| format!("{name}={}", "x".repeat(30_000)).into());
        add("1 MiB", &|name, _| format!("{name}={}", "x".repeat(1024 * 1024)).into());
        add("5000 fields", &|name, value| format!("{name}={}{}", encode(value), "&x=y".repeat(5000)).into());
        add("more than it has", &|name, value| {
            format!(
                "{name}={}&role=admin&user.id=1&subject=1&id=1&disabled=&is_admin=true&stamp=0",
                encode(value)
            )
            .into()
        });
        for payload in PAYLOADS {
            add(payload, &|name, _| format!("{name}={}", encode(payload)).into());
        }
    }
    all
}

#[test]
fn no_field_of_any_form_of_any_realm_does_harm() {
    let site = Site::open();
    for (at, realm) in REALMS.into_iter().enumerate() {
        for Form { post, is_his, fields } in FORMS {
            let path = format!("{realm}{post}");
            let mut first = if is_his { site.mallory.clone() } else { Jar::default() };
            let page = if is_his { format!("{realm}/cookie") } else { path.clone() };
            let token = site.server.get(&mut first, &page).token();
            for (n, (what, body)) in bodies(fields).into_iter().enumerate() {
                // A text does what it does in one realm; what is no text at all is tried in each.
                if PAYLOADS.iter().any(|text| what.starts_with(text)) && n % REALMS.len() != at {
                    continue;
                }
                let what = format!("{what} at {path}");
                let body = [format!("csrf_token={}&", encode(&token)).as_bytes(), &*body].concat();
                let answer = site.server.post_raw(&mut first.clone(), &path, &body);
                site.judge(&what, is_his.then_some("mallory"), Some(&answer));
                if !is_his {
                    assert!([401, 413, 422].contains(&answer.status), "{what}: {}", answer.status);
                }
            }
        }
    }
    site.close();
}

#[test]
fn l10_nobody_ends_the_session_of_another_by_its_handle() {
    let site = Site::open();
    let list = site.server.get(&mut site.alice.clone(), "/stateful/sessions").body;
    let handle = list.split_once("<code>").unwrap().1.split_once('<').unwrap().0;
    assert_eq!(handle.len(), 16, "{list}");
    for handle in [
        handle.to_owned(),
        handle.to_uppercase(),
        format!(" {handle}"),
        format!("{handle}' OR '1'='1"),
        "%".into(),
        "_".repeat(16),
        "*".into(),
    ] {
        let mut jar = site.mallory.clone();
        let token = site.server.get(&mut jar, "/stateful/sessions").token();
        let answer = site.server.post(
            &mut jar,
            "/stateful/sessions/end",
            &[("csrf_token", &token), ("session", &handle)],
        );
        assert_eq!(answer.status, 422, "{handle}");
        site.judge(&handle, Some("mallory"), Some(&answer));
    }
    site.close();
}

#[test]
fn a_form_of_another_kind_is_none_in_any_realm() {
    let site = Site::open();
    let multipart = |token: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n--x--\r\n")
    };
    for realm in REALMS {
        let mut jar = Jar::default();
        site.server.sign_in(&mut jar, "/stateless/login", "mallory").leads_to("/stateless");
        let token = site.server.get(&mut site.mallory.clone(), &format!("{realm}/cookie")).token();
        let form =
            format!("csrf_token={}&current_password={1}&password={1}", encode(&token), encode(PASSWORD));
        let bodies = [
            &*form,
            &multipart(&token),
            &format!("{{\"csrf_token\":\"{token}\"}}"),
            "<csrf_token/>",
            "%00",
            "\u{feff}",
        ];
        for kind in [
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "multipart/mixed; boundary=x",
            "text/plain",
            "text/plain; charset=utf-7",
            "application/json",
            "text/json",
            "application/xml",
            "text/html",
            "application/octet-stream",
            "application/x-www-form-urlencoded2",
            "application/*",
            "*/*",
            "x",
            ";",
            "",
            "application/x-www-form-urlencoded, text/plain",
            "image/svg+xml",
            "application/msgpack",
        ] {
            for body in bodies {
                for path in ["/logout", "/account/delete", "/sessions/end-all", "/login"] {
                    let what = format!("{kind:?} at {realm}{path}");
                    let headers = [("Content-Type", kind), ("Sec-Fetch-Site", "same-origin")];
                    let mut jar = site.mallory.clone();
                    let answer = site.server.send(
                        &mut jar,
                        "POST",
                        &format!("{realm}{path}"),
                        &headers,
                        body.as_bytes(),
                    );
                    site.judge(&what, Some("mallory"), Some(&answer));
                    assert!(
                        [400, 403, 404, 413, 415, 422].contains(&answer.status),
                        "{what}: {}",
                        answer.status
                    );
                }
            }
        }
        for kind in [
            "application/x-www-form-urlencoded; charset=utf-16",
            "application/x-www-form-urlencoded; charset=shift_jis",
        ] {
            let utf16: Vec<u8> = form.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let headers = [("Content-Type", kind), ("Sec-Fetch-Site", "same-origin")];
            let answer = site.server.send(
                &mut site.mallory.clone(),
                "POST",
                &format!("{realm}/account/delete"),
                &headers,
                &utf16,
            );
            site.judge(kind, Some("mallory"), Some(&answer));
            assert_eq!(answer.status, 403, "{kind}");
        }
    }
    site.close();
}
