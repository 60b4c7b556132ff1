//! Requests of one session at once: whose change is kept, and who is let in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rocket::figment::providers::{Format, Toml};
use rocket::futures::future::{join, join_all};
use rocket::http::Cookie;
use rocket::local::asynchronous::Client;
use rocket::tokio::sync::Notify;
use rocket::{State, get, routes};
use sealed_sessions::testing::{self, ManualClock};
use sealed_sessions::{Exclusive, Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::support::App;

const NAME: &str = "__Host-Http-session";

#[derive(Default, Clone, Serialize, Deserialize)]
#[serde(default)]
struct Visitor {
    user: Option<String>,
    second_factor: bool,
    coupon: bool,
    views: u64,
    note: String,
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.user.as_deref().map(Into::into)
    }
}

type Visit<'r> = Session<'r, Visitor>;

/// Where a slow request waits, and how often a coupon was paid out.
#[derive(Default)]
struct World {
    gate: Notify,
    paid: AtomicUsize,
}

#[get("/begin")]
fn begin(session: Visit<'_>) {
    session.update(|visitor| {
        visitor.user = Some("mallory".into());
        visitor.coupon = true;
    });
}

#[get("/all")]
fn all(session: Visit<'_>) -> String {
    let Visitor { user, second_factor, views, note, .. } = &*session.get();
    format!("{} {second_factor} {views} {note}", user.as_deref().unwrap_or("nobody"))
}

#[get("/visits")]
fn visits(session: Visit<'_>) {
    session.update(|visitor| visitor.views += 1);
}

#[get("/second-factor")]
fn second_factor(session: Visit<'_>) {
    session.update(|visitor| visitor.second_factor = true);
}

/// A slow login of somebody else.
#[get("/become")]
async fn become_victim(session: Visit<'_>, world: &State<Arc<World>>) {
    world.gate.notified().await;
    session.update(|visitor| *visitor = Visitor { user: Some("victim".into()), ..Visitor::default() });
}

/// A slow change.
#[get("/slow")]
async fn slow(session: Visit<'_>, world: &State<Arc<World>>) {
    world.gate.notified().await;
    session.update(|visitor| visitor.note = "slow".into());
}

/// A guard before this one has loaded the session already.
#[get("/redeem")]
async fn redeem(_before: Visit<'_>, session: Exclusive<'_, Visitor>, world: &State<Arc<World>>) {
    if session.update(|visitor| std::mem::take(&mut visitor.coupon)) {
        rocket::tokio::task::yield_now().await;
        world.paid.fetch_add(1, Ordering::SeqCst);
        session.renew();
    }
}

/// The same after a change by an earlier guard.
#[get("/redeem-changed")]
async fn redeem_changed(before: Visit<'_>, world: &State<Arc<World>>, locked: Locked<'_>) {
    before.update(|visitor| visitor.note.push('.'));
    let Locked(session) = locked;
    if session.update(|visitor| std::mem::take(&mut visitor.coupon)) {
        rocket::tokio::task::yield_now().await;
        world.paid.fetch_add(1, Ordering::SeqCst);
    }
}

/// Changes the session, and only then locks it.
struct Locked<'r>(Exclusive<'r, Visitor>);

#[rocket::async_trait]
impl<'r> rocket::request::FromRequest<'r> for Locked<'r> {
    type Error = sealed_sessions::SessionError;

    async fn from_request(
        request: &'r rocket::Request<'_>,
    ) -> rocket::request::Outcome<Self, sealed_sessions::SessionError> {
        if let rocket::request::Outcome::Success(session) = request.guard::<Visit<'r>>().await {
            session.update(|visitor| visitor.note.push('!'));
        }
        request.guard::<Exclusive<'r, Visitor>>().await.map(Locked)
    }
}

#[get("/logout")]
fn logout(session: Visit<'_>) {
    session.destroy();
}

/// Locks behind a logout.
#[get("/late")]
async fn late(session: Visit<'_>, world: &State<Arc<World>>, request: Ask<'_>) -> String {
    let before = session.get().user.clone();
    world.gate.notified().await;
    let locked = request.0.guard::<Exclusive<'_, Visitor>>().await.succeeded();
    let after = locked.map(|session| format!("{:?} {:?}", session.get().user, session.arrival()));
    format!("{before:?} {}", after.unwrap_or_default())
}

struct Ask<'r>(&'r rocket::Request<'r>);

#[rocket::async_trait]
impl<'r> rocket::request::FromRequest<'r> for Ask<'r> {
    type Error = ();

    async fn from_request(request: &'r rocket::Request<'_>) -> rocket::request::Outcome<Self, ()> {
        rocket::request::Outcome::Success(Ask(request))
    }
}

#[get("/others")]
async fn others(session: Visit<'_>) -> String {
    format!("{:?}", session.others().await.unwrap().map(|others| others.len()))
}

#[get("/handles")]
async fn handles(session: Visit<'_>) -> String {
    let others = session.others().await.unwrap().unwrap_or_default();
    let own = session.inspect().handle().unwrap_or_default();
    std::iter::once(own).chain(others.into_iter().map(|other| other.handle)).collect::<Vec<_>>().join(" ")
}

#[get("/end-other?<handle>")]
async fn end_other(session: Visit<'_>, handle: &str) -> String {
    format!("{:?}", session.end_other(handle).await.unwrap())
}

#[get("/end-others")]
async fn end_others(session: Visit<'_>) -> String {
    format!("{:?}", session.end_others().await.unwrap())
}

/// Somebody signs in by a link from a letter and chooses a new password.
#[get("/reset/<user>")]
async fn reset(session: Visit<'_>, user: String) -> String {
    session.sign_in(|visitor| visitor.user = Some(user));
    let others = session.others().await.unwrap().map(|others| others.len());
    format!("{others:?} {:?}", session.end_others().await.unwrap())
}

struct Site {
    client: Client,
    world: Arc<World>,
    clock: Arc<ManualClock>,
}

impl Site {
    async fn new(store: &str) -> Site {
        crate::log::install();
        let world = Arc::new(World::default());
        let clock = Arc::new(ManualClock::at(OffsetDateTime::now_utc()));
        let figment = testing::figment().merge(Toml::string(&format!("[session]\nstore = {store:?}")));
        let rocket = rocket::custom(figment)
            .attach(Sessions::<Visitor>::fairing().clock(clock.clone()))
            .manage(Arc::clone(&world))
            .mount(
                "/",
                routes![begin, all, visits, second_factor, become_victim, slow, redeem, redeem_changed],
            )
            .mount("/", routes![logout, late, others, end_others, handles, end_other, reset]);
        Site { client: Client::untracked(rocket).await.unwrap(), world, clock }
    }

    /// The text of a page, and the cookie afterwards.
    async fn get(&self, path: &str, cookie: &str) -> (u16, String, String) {
        let request = self.client.get(path.to_owned());
        let response = if cookie.is_empty() {
            request.dispatch().await
        } else {
            request.cookie(Cookie::new(NAME, cookie.to_owned())).dispatch().await
        };
        let set = response
            .headers()
            .get_one("Set-Cookie")
            .map(|line| line.split(';').next().unwrap().split_once('=').unwrap().1.to_owned());
        let status = response.status().code;
        (status, response.into_string().await.unwrap_or_default(), set.unwrap_or_else(|| cookie.to_owned()))
    }

    async fn begin(&self) -> String {
        self.get("/begin", "").await.2
    }
}

#[rocket::async_test]
async fn rule_9_nothing_is_merged_across_a_change_of_subject() {
    for store in ["cookie", "memory"] {
        let site = Site::new(store).await;
        let cookie = site.begin().await;
        let other_tab = async {
            site.get("/second-factor", &cookie).await;
            site.world.gate.notify_one();
        };
        let ((_, _, victim), ()) = join(site.get("/become", &cookie), other_tab).await;
        assert_eq!(site.get("/all", &victim).await.1, "victim false 0 ", "{store}");
    }
}

#[rocket::async_test]
async fn rule_9_a_coupon_is_paid_once_however_many_ask_at_once() {
    for path in ["/redeem", "/redeem-changed"] {
        let site = Site::new("memory").await;
        let cookie = site.begin().await;
        join_all((0..3).map(|_| site.get(path, &cookie))).await;
        assert_eq!(site.world.paid.load(Ordering::SeqCst), 1, "{path}");
    }
}

#[rocket::async_test]
async fn what_ended_while_a_request_waited_for_its_lock_is_anonymous_with_its_reason() {
    let site = Site::new("memory").await;
    let cookie = site.begin().await;
    let logout = async {
        site.get("/logout", &cookie).await;
        site.world.gate.notify_one();
    };
    let ((_, text, _), ()) = join(site.get("/late", &cookie), logout).await;
    assert_eq!(text, r#"Some("mallory") None Revoked"#);
}

#[rocket::async_test]
async fn rule_8_a_last_use_never_moves_back() {
    let site = Site::new("memory").await;
    let cookie = site.begin().await;
    let meanwhile = async {
        site.clock.advance(Duration::minutes(25));
        site.get("/all", &cookie).await;
        site.world.gate.notify_one();
    };
    join(site.get("/slow", &cookie), meanwhile).await;
    site.clock.advance(Duration::minutes(10));
    assert_eq!(site.get("/all", &cookie).await.1, "mallory false 0 slow");
}

#[rocket::async_test]
async fn a_long_request_counts_as_use_until_its_answer() {
    for store in ["cookie", "memory"] {
        let site = Site::new(store).await;
        let cookie = site.begin().await;
        let meanwhile = async {
            site.clock.advance(Duration::minutes(25));
            site.world.gate.notify_one();
        };
        let ((_, _, cookie), ()) = join(site.get("/slow", &cookie), meanwhile).await;
        site.clock.advance(Duration::minutes(10));
        assert_eq!(site.get("/all", &cookie).await.1, "mallory false 0 slow", "{store}");
    }
}

#[rocket::async_test]
async fn rule_9_three_hundred_visits_of_one_session_at_once_all_count() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}/sessions.db", directory.path().display());
    let stores = if cfg!(feature = "sqlite") { vec!["memory", &sqlite] } else { vec!["memory"] };
    for store in stores {
        let site = Site::new(store).await;
        let cookie = site.begin().await;
        let answers = join_all((0..300).map(|_| site.get("/visits", &cookie))).await;
        assert!(answers.iter().all(|(status, ..)| *status == 200), "{store}");
        assert_eq!(site.get("/all", &cookie).await.0, 200);
        site.client.terminate().await;
    }
}

#[rocket::async_test]
async fn rule_4_an_update_on_a_server_store_sends_no_cookie() {
    let site = Site::new("memory").await;
    let cookie = site.begin().await;
    let response = site.client.get("/visits").cookie(Cookie::new(NAME, cookie.clone())).dispatch().await;
    assert_eq!(response.headers().get("Set-Cookie").count(), 0);
    drop(response);
    assert_eq!(site.get("/all", &cookie).await.1, "mallory false 1 ");
}

#[rocket::async_test]
async fn the_other_sessions_of_a_subject_are_listed_and_ended_where_the_store_can() {
    let site = Site::new("memory").await;
    let (mine, other) = (site.begin().await, site.begin().await);
    assert_eq!(site.get("/others", &mine).await.1, "Some(1)");
    assert_eq!(site.get("/end-others", &mine).await.1, "Sessions(1)");
    assert_eq!(site.get("/all", &other).await.1, "nobody false 0 ");
    assert_eq!(site.get("/all", &mine).await.1, "mallory false 0 ");
    assert_eq!(site.get("/others", &mine).await.1, "Some(0)");
    let cookie = Site::new("cookie").await;
    let mine = cookie.begin().await;
    assert_eq!(cookie.get("/others", &mine).await.1, "None");
    assert_eq!(cookie.get("/end-others", &mine).await.1, "Unable");
}

#[rocket::async_test]
async fn l9_the_others_of_somebody_who_signs_in_with_this_request_are_theirs_and_not_those_from_before() {
    let site = Site::new("memory").await;
    let (thief, ada) = (site.begin().await, site.get("/reset/ada", "").await.2);
    assert_eq!(site.get("/reset/mallory", "").await.1, "Some(1) Sessions(1)");
    assert_eq!(site.get("/all", &thief).await.1, "nobody false 0 ");
    let adas = site.get("/reset/ada", "").await;
    assert_eq!((&*adas.1, site.get("/all", &ada).await.1), ("Some(1) Sessions(1)", "nobody false 0 ".into()));
    // Ada's own session becomes Mallory's.
    let (mallory, phone) = (site.begin().await, site.get("/reset/bob", "").await.2);
    let (_, said, after) = site.get("/reset/mallory", &adas.2).await;
    assert_eq!(said, "Some(2) Sessions(2)");
    assert_eq!(site.get("/all", &mallory).await.1, "nobody false 0 ");
    assert_eq!(site.get("/all", &after).await.1, "mallory false 0 ");
    assert_eq!(site.get("/all", &phone).await.1, "bob false 0 ");
}

#[rocket::async_test]
async fn nobody_has_no_other_sessions_and_the_cookie_store_cannot_end_any() {
    for (store, ended) in [("memory", "Sessions(0)"), ("cookie", "Unable")] {
        let app = App::new(&format!("[default.session]\nstore = {store:?}"));
        let browser = Client::untracked(app.rocket()).await.unwrap();
        let answer = browser.get("/others/end").dispatch().await.into_string().await;
        assert_eq!(answer.as_deref(), Some(ended), "{store}");
    }
}

#[rocket::async_test]
async fn one_other_session_of_the_subject_is_ended_by_its_handle() {
    let site = Site::new("memory").await;
    let (mine, other, third) = (site.begin().await, site.begin().await, site.begin().await);
    let others_own = site.get("/handles", &other).await.1;
    let handle = others_own.split(' ').next().unwrap_or_default();
    let handles = site.get("/handles", &mine).await.1;
    // The list has the name that the other session has for itself.
    let (own, listed) = handles.split_once(' ').unwrap();
    assert!(listed.split(' ').any(|listed| listed == handle), "{handles}");
    for none in ["", "0123456789abcdef", own] {
        assert_eq!(site.get(&format!("/end-other?handle={none}"), &mine).await.1, "Some(false)", "{none:?}");
    }
    assert_eq!(site.get(&format!("/end-other?handle={handle}"), &mine).await.1, "Some(true)");
    assert_eq!(site.get(&format!("/end-other?handle={handle}"), &mine).await.1, "Some(false)");
    assert_eq!(site.get("/all", &other).await.1, "nobody false 0 ");
    assert_eq!(site.get("/all", &third).await.1, "mallory false 0 ");
    let cookie = Site::new("cookie").await;
    let mine = cookie.begin().await;
    assert_eq!(cookie.get("/end-other?handle=x", &mine).await.1, "None");
}
