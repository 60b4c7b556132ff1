//! Rule 12: a setting that makes no sense refuses the launch with its key, its value and what is accepted;
//! rule 13: without showing a secret.

use std::sync::Arc;

use rocket::figment::Figment;
use rocket::local::blocking::Client;
use rocket::{Build, FromForm, Rocket, get, post, routes};
use sealed_sessions::forms::Protected;
use sealed_sessions::ledger::MemoryLog;
use sealed_sessions::store::{self, Loaded, Store, StoreError, UnixSeconds, Write, Written};
use sealed_sessions::{Current, Exclusive, ReadOnly, Realms, Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};
use world::KEY;

use crate::log;
use crate::site::{self, Visitor};
use crate::support::App;

/// Why an app is refused: what the library logs. `None` if it launches.
fn refusal(rocket: Rocket<Build>) -> Option<String> {
    log::lines();
    match Client::untracked(rocket) {
        Ok(_) => return None,
        // Rocket's errors panic when they are dropped without being inspected.
        Err(error) => drop(error.kind().to_string()),
    }
    Some(log::lines().join("\n"))
}

fn refused(rocket: Rocket<Build>) -> String {
    refusal(rocket).expect("this does not launch")
}

fn with_settings(settings: &str) -> String {
    refused(App::new(&format!("[default.session]\n{settings}")).rocket())
}

fn with_key(figment: Figment) -> String {
    log::install();
    let log = refused(rocket::custom(figment).attach(Sessions::<Visitor>::fairing()));
    assert!(!log.contains(KEY), "{log}");
    log
}

#[test]
fn rule_12_a_wrong_setting_is_named_with_its_value_and_what_is_accepted() {
    for (settings, named) in [
        ("idle_timeout = \"soon\"", ["session.idle_timeout", "soon", "30 minutes"]),
        ("idle_timeout = \"0 seconds\"", ["session.idle_timeout", "0 seconds", "1 second"]),
        ("absolute_timeout = 12", ["session.absolute_timeout", "12", "12 hours"]),
        ("absolute_timeout = \"4000 days\"", ["session.absolute_timeout", "4000 days", "3650 days"]),
        ("store_timeout = \"2 hours\"", ["session.store_timeout", "2 hours", "1 minute"]),
        ("same_site = \"Loose\"", ["session.same_site", "Loose", "Strict"]),
        ("secure = \"yes\"", ["session.secure", "yes", "boolean"]),
        ("cookie = \"a b\"", ["session.cookie", "a b", "letters"]),
        (&*format!("cookie = {:?}", "n".repeat(65)), ["session.cookie", "nnn", "1 to 64"]),
        ("cookie = \"session.1\"", ["session.cookie", "session.1", "number"]),
        ("secure = false", ["session.secure", "__Host-Http-session", "cookie = \"session\""]),
        ("cookie = \"__Secure-a\"\nsecure = false", ["session.secure", "__Secure-a", "true"]),
        ("cookie = \"__Http-a\"\nsecure = false", ["session.secure", "__Http-a", "true"]),
        ("persistent = \"always\"", ["session.persistent", "always", "remembered"]),
        (
            "idle_timeout = \"2 hours\"\nabsolute_timeout = \"1 hour\"",
            ["session.idle_timeout", "2h", "at most 1h"],
        ),
        (
            "anonymous_idle_timeout = \"2 hours\"\nabsolute_timeout = \"1 hour\"",
            ["session.anonymous_idle_timeout", "2h", "at most 1h"],
        ),
        (
            "remember_idle_timeout = \"2 days\"\nremember_absolute_timeout = \"1 day\"",
            ["session.remember_idle_timeout", "2days", "at most 1day"],
        ),
        ("path = \"/shop\"", ["session.path", "/shop", "__Host-"]),
        ("domain = \"example.org\"", ["session.domain", "example.org", "__Host-"]),
        ("cookie = \"s\"\ndomain = \"a;b\"", ["session.domain", "a;b", "host name"]),
        (
            "cookie = \"s\"\nsecure = false\nsame_site = \"None\"",
            ["session.same_site", "None", "secure = true"],
        ),
        (
            "cookie = \"s\"\nsecure = false\npartitioned = true",
            ["session.partitioned", "true", "secure = true"],
        ),
        ("cookie = \"s\"\npath = \"shop\"", ["session.path", "shop", "/shop"]),
        ("max_sessions = 3", ["session.max_sessions", "is 3, but the store \"cookie\"", "on the server"]),
        ("max_sessions = 0", ["session.max_sessions", "is 0", "1 or more"]),
        (
            "beyond_max_sessions = \"refuse\"",
            ["session.beyond_max_sessions", "max_sessions is not", "both, or neither"],
        ),
        (
            "max_sessions = 1\nbeyond_max_sessions = \"wait\"",
            ["session.beyond_max_sessions", "wait", "\"end_oldest\""],
        ),
        ("max_cookie_bytes = 100", ["session.max_cookie_bytes", "100", "256 to 65536"]),
        ("max_cookie_bytes = -1", ["session.max_cookie_bytes", "-1", "a whole number"]),
        ("max_cookie_bytes = \"much\"", ["session.max_cookie_bytes", "much", "a whole number"]),
        ("idle_timout = \"1 hour\"", ["session.idle_timout", "not a setting", "idle_timeout"]),
        ("store = \"floppy://127.0.0.1\"", ["session.store", "floppy", "\"cookie\""]),
        ("store = \"cookie:here\"", ["session.store", "no address", "\"cookie\""]),
        ("[default.session.realms.\"/a/\"]", ["/a/", "path prefix", "/shop"]),
        ("[default.session.realms.\"a\"]", ["\"a\"", "path prefix", "/shop"]),
        (
            "[default.session.realms.\"/a\"]\ncookie = \"s\"\npath = \"/a/\"",
            ["realms.\"/a\".path", "/a/", "lies in"],
        ),
        (
            "[default.session.realms.\"/a\"]\nidle_timeout = \"x\"",
            ["realms.\"/a\".idle_timeout", "x", "30 minutes"],
        ),
        (
            "idle_timeout = \"x\"\n[default.session.realms.\"/a\"]",
            ["session.idle_timeout", "x", "30 minutes"],
        ),
        (
            "[default.session.realms.\"/a\"]\nnonsense = 1",
            ["realms.\"/a\".nonsense", "not a setting", "idle_timeout"],
        ),
        (
            "[default.session.realms.\"/a\"]\n[default.session.realms.\"/b\"]",
            ["realms.\"/b\".cookie", "__Host-Http-session", "another name"],
        ),
        (
            "[default.session.realms.\"/a\"]\ncookie = \"s\"\npath = \"/b\"",
            ["realms.\"/a\".path", "/b", "lies in"],
        ),
    ] {
        let log = with_settings(settings);
        assert_eq!(log.lines().count(), 1, "{settings}: {log}");
        for part in named {
            assert!(log.contains(part), "{settings}: {part:?} is not in {log}");
        }
    }
}

#[test]
fn rule_12_the_path_of_a_cookie_has_to_cover_its_realm() {
    let settings = |path: &str, realm: &str| {
        format!("[default.session.realms.{realm:?}]\ncookie = \"shop\"\npath = {path:?}")
    };
    for (path, realm) in [
        ("/", "/shop"),
        ("/shop", "/shop"),
        ("/shop", "/shop/cart"),
        ("/shop/", "/shop/cart"),
        ("/a.b~c", "/a.b~c/d"),
    ] {
        assert_eq!(refusal(App::new(&settings(path, realm)).rocket()), None, "{path} {realm}");
    }
    for (path, realm) in [("/sho", "/shop"), ("/shop/", "/shop"), ("/shop/cart", "/shop"), ("/cart", "/shop")]
    {
        let log = refused(App::new(&settings(path, realm)).rocket());
        let said = format!("path is {path:?}, so browsers do not send the cookie to {realm:?}");
        assert!(log.contains(&said), "{path} {realm}: {log}");
    }
    for path in ["shop", "/shop;Secure", "/shöp", "/sh op", ""] {
        let log = refused(App::new(&settings(path, "/shop")).rocket());
        assert!(log.contains(&format!("path is {path:?}; accepted: a path such as")), "{path}: {log}");
    }
    let longest = "n".repeat(64);
    assert!(
        Client::untracked(App::new(&format!("[default.session]\ncookie = {longest:?}")).rocket()).is_ok()
    );
}

#[test]
fn rule_12_a_missing_short_or_published_key_refuses_the_launch_in_every_profile() {
    for config in [rocket::Config::debug_default(), rocket::Config::release_default()] {
        let base = Figment::from(&config);
        assert!(with_key(base.clone()).contains("secret_key is not set"));
        assert!(
            with_key(base.clone().merge(("secret_key", vec![0_u8; 32]))).contains("secret_key is not set")
        );
        assert!(with_key(base.clone().merge(("secret_key", "short"))).contains("5 characters"));
        let few = "lEUCIfrDOM+sAAqN4i1Z4eo6IcHaqNN+qD7K7yWEeg==";
        assert!(with_key(base.clone().merge(("secret_key", few))).contains("31 bytes"));
        assert!(with_key(base.clone().merge(("secret_key", vec![7_u8; 5]))).contains("5 bytes"));
        assert!(with_key(base.clone().merge(("secret_key", "~".repeat(44)))).contains("neither base64"));
        let published = "hPRYyVRiMyxpw5sBB1XeCMN1kFsDCqKvBi2QJxBVHQk=";
        assert!(with_key(base.clone().merge(("secret_key", published))).contains("published"));
    }
}

#[test]
fn a_test_without_a_key_reads_what_to_do_in_the_error_that_it_unwraps() {
    log::install();
    let rocket = rocket::custom(rocket::Config::debug_default()).attach(Sessions::<Visitor>::fairing());
    let error = Client::untracked(rocket).err().unwrap();
    let shown = format!("{error:?}");
    assert!(!shown.contains('\n'), "{shown}");
    for part in
        ["secret_key is not set", "ROCKET_SECRET_KEY", "testing::figment()", "openssl rand -base64 32"]
    {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
}

#[test]
fn rule_12_a_bad_previous_key_is_named_by_its_place_and_not_shown() {
    let bad = "bm90IGEga2V5";
    for (keys, problem) in [
        (format!("[\"{KEY}\"]"), "listed twice"),
        (format!("[\"{bad}\"]"), "12 characters"),
        (format!("\"{bad}\""), "wrong type"),
        (format!("[{{ key = \"{bad}\" }}]"), "wrong type"),
    ] {
        let log = with_settings(&format!("previous_keys = {keys}"));
        assert!(log.contains("previous_keys") && log.contains(problem), "{log}");
        assert!(!log.contains(bad) && !log.contains(KEY), "{log}");
    }
}

#[test]
fn rule_12_a_period_of_keys_that_is_too_short_too_long_or_no_duration_is_refused() {
    for period in
        ["0 seconds", "59 seconds", "9 minutes", "10 minutes 1 second", "366 days", "1 fortnight", "off", ""]
    {
        let log = with_settings(&format!("key_rollover = {period:?}"));
        for part in
            ["session.key_rollover", &format!("{period:?}"), "from 10 minutes to 365 days", "\"none\""]
        {
            assert!(log.contains(part), "{part} is not in {log}");
        }
    }
    assert!(with_settings("key_rollover = 86400").contains("session.key_rollover"));
}

#[test]
fn rule_13_the_password_of_a_store_is_not_shown() {
    let log = with_settings("store = \"floppy://user:hunter2@127.0.0.1\"");
    assert!(!log.contains("hunter2"), "{log}");
}

#[get("/")]
fn shared(_session: Session<'_, Visitor>) {}

#[get("/")]
fn exclusive(_session: Exclusive<'_, Visitor>) {}

#[get("/")]
fn current(_session: Current<'_, Visitor>) {}

#[get("/")]
fn read_only(_session: ReadOnly<'_, Visitor>) {}

#[get("/")]
fn several(_realms: Realms<'_, Visitor>) {}

#[derive(FromForm)]
struct Note {
    #[expect(dead_code, reason = "the form has to have a field")]
    note: String,
}

#[post("/", data = "<_form>")]
fn form(_form: Protected<Note>) {}

#[test]
fn rule_12_a_session_without_its_fairing_refuses_the_launch() {
    for routes in
        [routes![shared], routes![exclusive], routes![current], routes![read_only], routes![several]]
    {
        App::new("");
        let log = refused(rocket::custom(site::figment("")).mount("/", routes));
        assert!(log.contains("Visitor") && log.contains("fairing"), "{log}");
    }
    let log = refused(rocket::custom(site::figment("")).mount("/", routes![form]));
    assert!(log.contains("a route takes Protected<_>") && log.contains("fairing"), "{log}");
}

/// Two realms whose settings say this.
fn two_realms(setting: &str) -> Figment {
    let realm =
        |name| format!("[default.session.realms.\"/{name}\"]\ncookie = \"__Host-{name}\"\n{setting}\n");
    site::figment(&(realm("a") + &realm("b")))
}

#[test]
fn rule_12_two_realms_on_one_store_or_log_of_the_app_refuse_the_launch() {
    log::install();
    let with = |setting, sessions: Sessions<Visitor>| {
        let log = refused(rocket::custom(two_realms(setting)).attach(sessions));
        assert!(log.contains("which the app brings and session.realms.\"/a\" has already"), "{log}");
    };
    let store = store::open("cookie", "own").unwrap();
    with("store = \"own\"", Sessions::fairing().store("own", store));
    with("revocation = \"own\"", Sessions::fairing().log("own", Arc::new(MemoryLog::default())));
}

#[test]
fn rule_12_a_default_realm_that_is_none_refuses_the_launch() {
    log::install();
    let sessions = Sessions::<Visitor>::fairing().default_realm("/c");
    let log = refused(rocket::custom(two_realms("")).attach(sessions));
    assert!(
        log.contains("Sessions::default_realm is \"/c\", which is no realm; accepted: \"/a\", \"/b\""),
        "{log}"
    );
}

/// Hands on what a store does, but not what it can do besides.
struct Forgetful(Arc<dyn Store>);

#[rocket::async_trait]
impl Store for Forgetful {
    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        self.0.load(ticket, now).await
    }

    async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        self.0.save(write).await
    }

    async fn delete(&self, ticket: &str) -> Result<(), StoreError> {
        self.0.delete(ticket).await
    }
}

#[test]
fn rule_12_what_wraps_a_store_and_forgets_what_it_can_do_refuses_the_launch() {
    log::install();
    let sessions = Sessions::<Visitor>::fairing().log("own", Arc::new(MemoryLog::default()));
    let sessions = sessions.wrap_store(|store| Arc::new(Forgetful(store)));
    let settings = site::figment("[default.session]\nrevocation = \"own\"");
    let log = refused(rocket::custom(settings).attach(sessions));
    assert!(log.contains("the store that wrap_store makes for \"/\" has no facet \"service\""), "{log}");
}

#[derive(Default, Clone, Serialize, Deserialize)]
struct Other {
    field: u8,
}

impl SessionData for Other {}

#[test]
fn rule_12_sessions_of_two_types_refuse_the_launch() {
    let log = refused(App::new("").rocket().attach(Sessions::<Other>::fairing()));
    assert!(log.contains("Visitor") && log.contains("Other"), "{log}");
}

#[derive(Default, Clone, Serialize, Deserialize)]
struct Bare(u8);

impl SessionData for Bare {}

#[test]
fn rule_12_data_without_field_names_refuses_the_launch() {
    App::new("");
    let log = refused(rocket::custom(site::figment("")).attach(Sessions::<Bare>::fairing()));
    assert!(log.contains("Bare") && log.contains("named fields"), "{log}");
}

#[cfg(not(feature = "memory"))]
#[test]
fn rule_12_a_store_that_is_not_built_in_names_its_feature() {
    let log = with_settings("store = \"memory\"");
    assert!(log.contains("session.store") && log.contains("add the feature \"memory\""), "{log}");
}
