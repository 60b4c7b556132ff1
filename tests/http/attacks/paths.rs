//! Targets that no link has: each leads to an error page or to a sign-in, and to no file.

use world::Jar;

use super::site::{EVIL, Site};

/// As they stand in a request's first line.
fn targets() -> Vec<Vec<u8>> {
    let paths = [
        // Another way to write the path of a page.
        "/stateless%2Fprofile",
        "/stateless%2fprofile",
        "/stateless/%70rofile",
        "/%73tateless/profile",
        "/STATELESS/profile",
        "/stateless/PROFILE",
        "/stateless/profile/",
        "/stateless/profile//",
        "/stateless//profile",
        "//stateless/profile",
        "/./stateless/profile",
        "/stateless/./profile",
        "/stateless/profile/.",
        "/stateless/profile/..",
        "/stateless/x/../profile",
        "/stateful/../stateless/profile",
        "/stateless/%2e/profile",
        "/stateless/x/%2e%2e/profile",
        "/stateless/profile%20",
        "/stateless/profile%00",
        "/stateless/profile%0d%0aX-Injected:%201",
        "/stateless/profile;jsessionid=1",
        "/stateless;x/profile",
        "/stateless/profile.html",
        "/stateless/profile.json",
        "/stateless/profile~",
        "/stateless/profile.css",
        "/stateless/profile/site.css",
        "/stateless/profile%2f..%2fsite.css",
        "/stateless/profile%3f.css",
        "/stateless/profile%23.css",
        "/stateless/profile?.css",
        "/stateless\\profile",
        "/stateless/\\..\\profile",
        "/stateless%5Cprofile",
        "/stateless/profile%c0%af",
        "/stateless%c0%afprofile",
        "/stateless%e0%80%afprofile",
        "/stateless/%c0%ae%c0%ae/profile",
        "/stateless\u{2215}profile",
        "/\u{ff0f}stateless/profile",
        "/stateless/%ff",
        "/%",
        "/%z",
        "/%zz",
        "/%u002f",
        "/%25",
        "/%252e%252e%252fetc%252fpasswd",
        "/stateless/%7b%7b7777*7777%7d%7d",
        // Files.
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/etc/passwd",
        "/site.css/../../Cargo.toml",
        "/site.css/..%2f..%2fCargo.toml",
        "/site.css%00.html",
        "/site.css/x",
        "/docs/../../Cargo.toml",
        "/docs/..%2f..%2fCargo.toml",
        "/docs/..%5c..%5cCargo.toml",
        "/docs/%2e%2e%2fREADME",
        "/docs/....//....//etc/passwd",
        "/docs/keys.md",
        "/docs/keys%00",
        "/docs/%2fetc%2fpasswd",
        "/docs/",
        "/docs/<script>alert(31337)</script>",
        "/docs/%3Cscript%3Ealert(31337)%3C%2Fscript%3E",
        "/lab/../../data/secret.key",
        "/lab/..%2f..%2fdata%2fsecret.key",
        "/lab/%7b%7b7777*7777%7d%7d",
        "/lab/%27%20OR%20%271%27%3D%271",
        "/lab/%3Cscript%3Ealert(31337)%3C/script%3E",
        "/lab/growth/..",
        "/lab/load.html",
        "/data/secret.key",
        "/data/app.db",
        "/secret.key",
        "/app.db",
        "/app.db-wal",
        "/.git/config",
        "/.env",
        "/Rocket.toml",
        "/Cargo.toml",
        "/src/main.rs",
        "/templates/base.html.tera",
        "/static/site.css",
        "/robots.txt",
        "/.well-known/security.txt",
        "/favicon.ico",
        "/favicon.svg/..",
        "/crossdomain.xml",
        "/server-status",
        // Places that are not here, or not at this port.
        "/metrics",
        "/health",
        "/admin",
        "/debug",
        "/actuator/env",
        "/graphql",
        "/api",
        "/wp-login.php",
        "/cgi-bin/x",
        "/console",
        "/stateless/metrics",
        "/stateless/admin",
        "/stateless/user",
        "/user/1",
        "/stateless/profile/1",
        "/stateless/sessions/27a324b3f2f5b03b",
        "/stateless/sessions/end/1",
        "/stateless/account",
        "/stateless/delete",
        // Targets of other forms.
        "*",
        "?",
        "#",
        "stateless",
        "stateless/profile",
        "..",
        "/#/stateless",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "http:/stateless",
        "http://evil.example/stateless/profile",
        "https://evil.example/",
        "http://x@evil.example/",
        "ftp://evil.example/",
        "http://[::1/",
        "evil.example:443",
        "javascript:alert(31337)",
        "/stateless/login?next=//evil.example",
        "/stateless/profile?x=//evil.example#x",
        "/\u{202e}",
        "/stateless HTTP/1.1\r\nX:",
    ];
    let long = [
        format!("/{}", "a".repeat(8000)),
        format!("/{}", "a/".repeat(30_000)),
        format!("/{}", "../".repeat(5000)),
    ];
    let long = long.into_iter().chain([format!("/docs/{}", "%2e%2e%2f".repeat(2000)), "/".repeat(70_000)]);
    let long = long.chain([
        format!("/stateless/profile?{}", "x=1&".repeat(15_000)),
        format!("/lab/{}", "x".repeat(60_000)),
    ]);
    let texts = paths.map(str::to_owned).into_iter().chain(long).map(String::into_bytes);
    let bytes: [&[u8]; 7] =
        [b"/\0", b"/\x01", b"/\x7f", b"/stateless/\xff\xfe", b"/stateless/pro\tfile", b"/\xc0\xaf", b""];
    texts.chain(bytes.map(<[u8]>::to_vec)).collect()
}

#[test]
fn x5_no_target_leads_to_a_file_past_a_guard_or_to_another_site() {
    let site = Site::open();
    let all = targets();
    assert!(all.len() > 130, "{}", all.len());
    for target in all {
        let what = String::from_utf8_lossy(&target[..target.len().min(80)]).into_owned();
        for jar in [Jar::default(), site.mallory.clone()] {
            let sender = jar.values().next().is_some().then_some("mallory");
            let host = format!(
                "Host: localhost:{}\r\nConnection: close\r\nCookie: {}\r\n\r\n",
                site.server.port,
                jar.pair()
            );
            let request = [b"GET ", &*target, b" HTTP/1.1\r\n", host.as_bytes()].concat();
            let answer = site.server.bytes(&request);
            site.judge(&what, sender, answer.as_ref());
            let Some(answer) = answer else { continue };
            if sender.is_none() {
                assert_eq!(answer.output("username"), None, "{what} is past the guard");
            }
            assert!(!answer.location().starts_with(&format!("//{EVIL}")), "{what}: {}", answer.location());
            let links =
                [format!("href=\"https://{EVIL}"), format!("action=\"//{EVIL}"), format!("href=\"//{EVIL}")];
            assert!(links.iter().all(|link| !answer.body.contains(link.as_str())), "{what}: {}", answer.body);
        }
    }
    site.close();
}
