//! What is only asked for changes nothing: every page, by GET and by HEAD, in every realm.

use std::collections::BTreeSet;

use world::{Answer, Jar};

use super::site::Site;
use crate::database::lines;
use crate::routes::{REALMS, glance, paths};

/// Every row of every table, but for when a session was last used.
const EVERYTHING: &str = "
    SELECT 'account ' || id || name || name_key || password_hash || created || ifnull(disabled, '') || stamp FROM accounts
    UNION ALL SELECT 'look ' || look || account FROM account_looks
    UNION ALL SELECT 'deleted ' || id FROM deleted_accounts
    UNION ALL SELECT 'guess ' || hex(key) || clear_at FROM throttle
    UNION ALL SELECT 'ledger ' || hex(namespace) || position || hex(body) FROM sealed_session_ledger
    UNION ALL SELECT 'session ' || iif(subject_hash IS NULL, 'anonymous ', hex(subject_hash)) || hex(id_hash) || version || hex(body)
              FROM sealed_session_rows";

fn everything(site: &Site) -> BTreeSet<String> {
    lines(&site.server, EVERYTHING).into_iter().collect()
}

/// The pages that change the session of somebody who is signed in, each in the one way that the row X3 allows: the page
/// that counts visits, and the forms that lead on to the profile with a notice.
fn is_excepted(path: &str) -> bool {
    REALMS.iter().any(|realm| {
        path.strip_prefix(realm).is_some_and(|page| ["", "/", "/login", "/register"].contains(&page))
    })
}

#[test]
fn x3_every_page_by_get_and_by_head_changes_nothing_for_a_user_in_any_realm() {
    let site = Site::open();
    let before = everything(&site);
    let mut pages = 0;
    for path in paths(&site.server, "GET").iter().filter(|path| !is_excepted(path)) {
        if path.ends_with("/live") {
            let stream = glance(&site.server, &site.mallory, path);
            assert!(stream.starts_with("HTTP/1.1 200") && !stream.contains("set-cookie"), "{path}: {stream}");
        } else {
            for method in ["GET", "HEAD"] {
                let answer = site.server.send(&mut site.mallory.clone(), method, path, &[], b"");
                site.judge(path, Some("mallory"), Some(&answer));
                assert_eq!(answer.all("set-cookie").collect::<Vec<_>>(), [""; 0], "{method} {path}");
            }
        }
        assert_eq!(everything(&site), before, "{path} changed something");
        pages += 1;
    }
    assert!(pages > 35, "{pages}");
    site.close();
}

#[test]
fn x3_a_visit_counts_and_a_form_to_sign_in_tells_a_user_so_and_neither_does_more() {
    let site = Site::open();
    for realm in REALMS {
        let fields =
            ["visits", "user", "name", "stamp", "note", "flash"].map(|name| format!("&quot;{name}&quot;: "));
        let data = |jar: &Jar| -> String {
            let page = site.server.get(&mut jar.clone(), &format!("{realm}/cookie")).body;
            page.lines().filter(|line| fields.iter().any(|field| line.contains(field))).collect()
        };
        let mut jar = site.mallory.clone();
        let (before, first) = (everything(&site), data(&jar));
        site.server.get(&mut jar, realm);
        let second = data(&jar);
        assert!(second.contains("&quot;visits&quot;: 1") && !first.contains("visits"), "{realm}: {second}");
        for page in ["login", "register"] {
            let led = site.server.get(&mut jar, &format!("{realm}/{page}?next=%2F&ended=idle"));
            led.leads_to(&format!("{realm}/profile"));
            let told = site.server.get(&mut jar, led.location());
            assert_eq!(told.notice(), Some("You are already signed in."), "{realm}/{page}");
            assert_eq!(data(&jar), second, "{realm}/{page}: the notice is told once");
        }
        let changed: Vec<String> = everything(&site).symmetric_difference(&before).cloned().collect();
        let is_his = |row: &String| row.starts_with("session ") && !row.starts_with("session anonymous");
        assert!(changed.iter().all(is_his), "{realm}: {changed:?}");
        assert_eq!(changed.len(), if realm == "/stateful" { 2 } else { 0 }, "{realm}: {changed:?}");
    }
    site.close();
}

#[test]
fn x3_a_page_for_a_stranger_opens_at_most_a_session_of_nobody() {
    let site = Site::open();
    for path in paths(&site.server, "GET") {
        let before = everything(&site);
        for method in ["GET", "HEAD"] {
            let answer = site.server.send(&mut Jar::default(), method, &path, &[], b"");
            site.judge(&path, None, Some(&answer));
            assert!(opened(&answer) <= 3, "{method} {path}");
        }
        let now = everything(&site);
        let changed: Vec<&String> = now.symmetric_difference(&before).collect();
        let is_nobodys = |row: &&String| row.starts_with("session anonymous");
        assert!(changed.iter().all(|row| is_nobodys(row) && now.contains(*row)), "{path}: {changed:?}");
    }
    site.close();
}

/// How many sessions an answer opens: one in a realm at most, for the token of a form.
fn opened(answer: &Answer) -> usize {
    let names: Vec<&str> = answer.all("set-cookie").filter_map(|line| line.split('=').next()).collect();
    let apart: BTreeSet<&&str> = names.iter().collect();
    assert_eq!(apart.len(), names.len(), "{names:?}");
    names.len()
}
