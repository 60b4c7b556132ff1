//! What listeners are told, each once and in order.

use rocket::http::Header;
use sealed_sessions::events::{Kind, Unkept};
use time::Duration;

use crate::ear::Ear;
use crate::log;
use crate::support::{App, COOKIE, cookie, get};

#[test]
fn each_step_of_a_session_is_told_once_and_in_order() {
    let ear = Ear::default();
    let browser = App::new("").listener(&ear).browser();
    for (path, told) in [
        ("/bare", &[][..]),
        ("/read", &[]),
        ("/visits", &["opened", "sealed"]),
        ("/visits", &["resumed", "sealed"]),
        ("/read", &["resumed"]),
        ("/login/ada", &["resumed", "signed_in", "sealed"]),
        ("/login/ada", &["resumed", "renewed", "sealed"]),
        ("/proves", &["resumed", "reauthenticated", "sealed"]),
        ("/renew", &["resumed", "renewed", "sealed"]),
        ("/logout", &["resumed", "ended visitor"]),
        ("/login/bob", &["opened", "signed_in", "sealed"]),
        ("/visits/fails", &["resumed"]),
        ("/logout/fails", &["resumed", "ended visitor"]),
    ] {
        get(&browser, path);
        assert_eq!(ear.names(), told, "{path}");
    }
}

#[test]
fn the_events_of_one_request_have_its_name_and_a_sign_in_leads_from_handle_to_handle() {
    let ear = Ear::default();
    let browser = App::new("").listener(&ear).browser();
    get(&browser, "/visits");
    get(&browser, "/login/ada");
    get(&browser, "/logout");
    let heard = ear.events();
    let [opened, _, resumed, signed_in, sealed, again, ended] = &heard[..] else { panic!("{heard:?}") };
    assert!(opened.session.is_some() && opened.before.is_none() && opened.subject.is_none());
    assert_eq!(resumed.session, opened.session);
    assert_eq!(signed_in.before, opened.session);
    assert_ne!(signed_in.session, signed_in.before);
    assert_eq!(sealed.session, signed_in.session);
    assert_eq!((&again.session, &ended.session), (&signed_in.session, &signed_in.session));
    assert!(ended.request.is_some() && ended.request == again.request);
    for one in [signed_in, again, ended] {
        assert_eq!(one.subject.as_deref(), Some("ada"));
    }
    assert_eq!((&resumed.request, &signed_in.request), (&sealed.request, &sealed.request));
    assert!(opened.request.is_some() && opened.request != resumed.request);
    assert!(heard.iter().all(|heard| heard.realm == "/"));
}

#[test]
fn a_cookie_that_is_ignored_is_told_with_its_reason() {
    let ear = Ear::default();
    let app = App::new("").listener(&ear);
    let browser = app.browser();
    get(&browser, "/visits");
    let genuine = cookie(&browser).unwrap().value().to_owned();
    let other_key = "b3RoZXIga2V5IG90aGVyIGtleSBvdGhlciBrZXkgb3Q=";
    let foreign = crate::support::seal(other_key, COOKIE, "{}");
    let send = |value: &str| {
        ear.events();
        browser.get("/read").header(Header::new("Cookie", format!("{COOKIE}={value}"))).dispatch();
        ear.names()
    };
    assert_eq!(send("forged"), ["refused malformed"]);
    assert_eq!(send(&foreign), ["refused seal"]);
    assert_eq!(send(&genuine), ["resumed"]);
    app.advance(Duration::minutes(31));
    assert_eq!(send(&genuine), ["expired idle"]);
}

#[test]
fn which_timeout_has_ended_a_session_is_told() {
    let ear = Ear::default();
    let app = App::new("[default.session]\nidle_timeout = \"10 hours\"").listener(&ear);
    let browser = app.browser();
    for told in [&["opened", "sealed"][..], &["resumed", "sealed"], &["expired absolute", "opened", "sealed"]]
    {
        get(&browser, "/visits");
        assert_eq!(ear.names(), told);
        app.advance(Duration::hours(7));
    }
    app.advance(Duration::hours(4));
    get(&browser, "/read");
    assert_eq!(ear.names(), ["expired idle"]);
}

#[test]
fn a_session_that_is_too_large_is_told_with_why_and_without_its_data() {
    let ear = Ear::default();
    let browser = App::new("").listener(&ear).browser();
    get(&browser, "/visits");
    ear.events();
    get(&browser, "/note/20000");
    let heard = ear.events();
    let [resumed, not_kept] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!(not_kept.kind, Kind::NotKept(Unkept::TooLarge));
    assert_eq!(not_kept.session, resumed.session);
    let why = not_kept.why.as_deref().unwrap();
    assert!(why.contains("max_cookie_bytes") && why.contains("\"note\"") && !why.contains("abc"), "{why}");
}

#[test]
fn an_event_holds_no_credential() {
    let ear = Ear::default();
    let browser = App::new("").listener(&ear).browser();
    let mut secrets = Vec::new();
    for path in ["/visits", "/login/ada", "/proves", "/note/20000", "/logout"] {
        get(&browser, path);
        secrets.extend(cookie(&browser).map(|cookie| cookie.value().to_owned()));
        let shown = get(&browser, "/debug");
        assert!(!shown.is_empty());
    }
    let told = format!("{:?}", ear.events());
    assert!(secrets.len() > 3 && secrets.iter().all(|secret| !told.contains(secret.as_str())), "{told}");
}

#[test]
fn how_many_bytes_were_sealed_and_how_often_the_key_was_used_is_told() {
    let ear = Ear::default();
    let browser = App::new("").listener(&ear).browser();
    for count in 1..=3 {
        let answer = browser.get("/visits").dispatch();
        let line = answer.headers().get_one("Set-Cookie").unwrap().len();
        assert!(ear.kinds().contains(&Kind::Sealed { bytes: line, seals: count }));
    }
}

#[test]
fn the_library_does_not_log_what_a_listener_logs() {
    let faults = ["/note/20000", "/read"];
    let said = |ear: Option<&Ear>| {
        let app = App::new("");
        let browser = ear.map_or_else(|| app.browser(), |ear| App::new("").listener(ear).browser());
        log::lines();
        for path in faults {
            browser.get(path).header(Header::new("Cookie", format!("{COOKIE}=forged"))).dispatch();
        }
        log::lines()
    };
    assert_eq!(said(None).len(), 3, "a refused cookie twice, and a session that is too large");
    assert_eq!(said(Some(&Ear::default())).len(), 3, "who only counts does not log");
    let mut ear = Ear::default();
    ear.logs = true;
    assert_eq!(said(Some(&ear)), [""; 0]);
    assert_eq!(ear.names(), ["refused malformed", "not_kept too_large", "refused malformed"]);
}

#[cfg(feature = "memory")]
mod on_a_server_store {
    use rocket::http::Header;
    use rocket::local::asynchronous::Client;
    use sealed_sessions::events::{By, Kind};
    use sealed_sessions::store::Record;

    use crate::ear::{Ear, Heard};
    use crate::faulty::Act;
    use crate::support::{App, COOKIE, get};

    #[test]
    fn a_fault_of_the_store_and_a_merge_are_told() {
        let ear = Ear::default();
        let (store, app) = crate::late::faulty("");
        let browser = app.listener(&ear).browser();
        get(&browser, "/login/ada");
        ear.events();
        store.next("load", Act::Fault);
        get(&browser, "/visits");
        let heard = ear.events();
        assert_eq!((heard.len(), heard[0].kind), (1, Kind::StoreFault), "{heard:?}");
        assert!(heard[0].why.as_deref().unwrap().starts_with("cannot load: "), "{heard:?}");
        assert!(heard[0].request.is_some());
        store.next("update", Act::Fault);
        get(&browser, "/visits");
        same_session(&ear.events(), ["resumed", "store_fault"]);
        let others = |record: &mut Record| record.data = r#"{"views":9,"user":"ada"}"#.into();
        store.next("update", Act::Meanwhile(others));
        get(&browser, "/note/3");
        let heard = ear.events();
        same_session(&heard, ["resumed", "merged"]);
        assert_eq!(heard[1].subject.as_deref(), Some("ada"));
        store.next("update", Act::Forget);
        get(&browser, "/visits");
        same_session(&ear.events(), ["resumed", "change_lost"]);
        get(&browser, "/read");
        assert_eq!(ear.names(), ["refused revoked"]);
    }

    /// What a request has told of its one session.
    fn same_session(heard: &[Heard], names: [&str; 2]) {
        let told: Vec<_> = heard.iter().map(|heard| heard.kind.name()).collect();
        assert_eq!(told, names);
        assert!(heard[0].session.is_some() && heard[0].request.is_some());
        assert_eq!((&heard[0].session, &heard[0].request), (&heard[1].session, &heard[1].request));
    }

    #[rocket::async_test]
    async fn who_has_ended_the_other_sessions_of_a_subject_is_told() {
        let ear = Ear::default();
        let settings = "[default.session]\nstore = \"memory\"\nmax_sessions = 2\n";
        let app = App::new(settings).listener(&ear);
        let client = Client::untracked(app.rocket()).await.unwrap();
        let mut handles = Vec::new();
        let mut last = None;
        for _ in 0..3 {
            app.advance(time::Duration::seconds(1));
            ear.events();
            let answer = client.get("/login/ada").dispatch().await;
            last = answer.cookies().get(COOKIE).cloned();
            let heard = ear.events();
            handles.push(heard[heard.len() - 1].session.clone());
            if handles.len() == 3 {
                let names: Vec<_> = heard.iter().map(|heard| heard.kind.name()).collect();
                assert_eq!(names, ["ended", "opened", "signed_in", "sealed"]);
                assert_eq!(heard[0].kind.reason(), Some("limit"));
                assert_eq!(heard[0].session, handles[0], "the oldest");
            }
        }
        let header = Header::new("Cookie", format!("{COOKIE}={}", last.unwrap().value()));
        let _ = client.get("/others/end").header(header).dispatch().await;
        let heard = ear.events();
        assert_eq!(heard.len(), 2, "{heard:?}");
        assert_eq!(heard[1].kind, Kind::AllEnded { by: By::Subject, count: Some(1) });
        assert_eq!((&heard[1].session, heard[1].subject.as_deref()), (&handles[2], Some("ada")));
        assert!(heard[1].request.is_some() && heard[1].request == heard[0].request);
    }
}
