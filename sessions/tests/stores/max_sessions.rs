//! How many sessions one subject may have (L18; ASVS 5.0, 7.1.2).

use rocket::http::{Header, Status};
use rocket::local::asynchronous::{Client, LocalResponse};

use crate::support::{app, clock};

const COOKIE: &str = "__Host-Http-session";

/// A request with this cookie and no other.
async fn with<'c>(client: &'c Client, path: &str, cookie: &str) -> LocalResponse<'c> {
    let header = Header::new("Cookie", format!("{COOKIE}={cookie}"));
    client.get(path.to_owned()).header(header).dispatch().await
}

/// The cookie that a response sets.
fn cookie(response: &LocalResponse<'_>) -> Option<String> {
    response.cookies().get(COOKIE).map(|cookie| cookie.value().to_owned())
}

/// Signs in without a cookie.
async fn signed_in(client: &Client, user: &str) -> String {
    let answer = client.get(format!("/login/{user}")).dispatch().await;
    assert_eq!(answer.status(), Status::Ok);
    cookie(&answer).unwrap()
}

async fn is_alive(client: &Client, cookie: &str) -> bool {
    with(client, "/read", cookie).await.into_string().await.unwrap().ends_with(" Resumed")
}

async fn client(url: &str, settings: &str) -> Client {
    Client::untracked(app(url, settings, clock())).await.unwrap()
}

mod twenty_sign_ins_at_once {
    use rocket::futures::future::join_all;
    use rocket::http::Status;
    use world::on_every_store;

    use super::{client, cookie, is_alive};

    /// Of two processes, where they can share the store.
    async fn leave_as_many_sessions_as_the_subject_may_have(url: &str) {
        for (beyond, user) in [("end_oldest", "ada"), ("refuse", "bob")] {
            let settings = format!(
                "max_sessions = 3\nbeyond_max_sessions = \"{beyond}\"\nlock_timeout = \"1 minute\"\n\
                 store_timeout = \"1 minute\""
            );
            let one = client(url, &settings).await;
            let other = if url == "memory" { None } else { Some(client(url, &settings).await) };
            let node = |n: usize| if n.is_multiple_of(2) { &one } else { other.as_ref().unwrap_or(&one) };
            let sign_ins = (0..20).map(|n| node(n).get(format!("/login/{user}")).dispatch());
            let answers = join_all(sign_ins).await;
            let statuses: Vec<Status> = answers.iter().map(|answer| answer.status()).collect();
            let cookies: Vec<String> = answers.iter().filter_map(cookie).collect();
            drop(answers);
            let signed_in = statuses.iter().filter(|status| **status == Status::Ok).count();
            assert_eq!(signed_in, if beyond == "refuse" { 3 } else { 20 }, "{url}: {statuses:?}");
            let refused = statuses.iter().filter(|status| **status == Status::Conflict).count();
            assert_eq!(signed_in + refused, 20, "{url}: {statuses:?}");
            let mut alive = 0;
            for cookie in &cookies {
                alive += usize::from(is_alive(&one, cookie).await);
            }
            assert_eq!(alive, signed_in.min(3), "{url}: {beyond}");
            one.terminate().await;
            if let Some(other) = other {
                other.terminate().await;
            }
        }
    }

    on_every_store!(leave_as_many_sessions_as_the_subject_may_have);
}

mod of_two_sign_ins_at_once {
    use rocket::futures::future::join_all;
    use world::on_every_store;

    use super::{client, cookie, is_alive};

    /// Of two processes, where they can share the store.
    async fn one_lives_on_where_a_subject_may_have_one_session(url: &str) {
        let settings = "max_sessions = 1\nlock_timeout = \"1 minute\"\nstore_timeout = \"1 minute\"";
        let one = client(url, settings).await;
        let other = if url == "memory" { None } else { Some(client(url, settings).await) };
        for round in 0..20 {
            let sign_ins =
                [&one, other.as_ref().unwrap_or(&one)].map(|node| node.get("/login/ada").dispatch());
            let cookies: Vec<String> = join_all(sign_ins).await.iter().filter_map(cookie).collect();
            let mut alive = 0;
            for cookie in &cookies {
                alive += usize::from(is_alive(&one, cookie).await);
            }
            assert_eq!(alive, 1, "{url}: round {round}");
        }
        one.terminate().await;
        if let Some(other) = other {
            other.terminate().await;
        }
    }

    on_every_store!(one_lives_on_where_a_subject_may_have_one_session);
}

mod the_oldest_session {
    use rocket::local::asynchronous::Client;
    use time::Duration;
    use world::on_every_store;

    use super::{app, clock, is_alive, signed_in};

    async fn ends_and_the_newest_never_does(url: &str) {
        let clock = clock();
        let client = Client::untracked(app(url, "max_sessions = 2", clock.clone())).await.unwrap();
        let mut cookies = Vec::new();
        for _ in 0..4 {
            client.get("/visits").dispatch().await;
            cookies.push(signed_in(&client, "ada").await);
            clock.advance(Duration::seconds(1));
        }
        let bob = signed_in(&client, "bob").await;
        let alive = [false, false, true, true];
        for (cookie, alive) in cookies.iter().zip(alive) {
            assert_eq!(is_alive(&client, cookie).await, alive, "{url}");
        }
        // In one second, where no time tells which came first.
        for _ in 0..4 {
            cookies.push(signed_in(&client, "ada").await);
            assert!(is_alive(&client, cookies.last().unwrap()).await, "{url}");
        }
        assert!(is_alive(&client, &bob).await, "somebody else's");
        client.terminate().await;
    }

    on_every_store!(ends_and_the_newest_never_does);
}

mod a_sign_in_that_is_refused {
    use rocket::http::Status;
    use world::on_every_store;

    use super::{client, cookie, is_alive, signed_in, with};

    async fn changes_nothing_until_there_is_room(url: &str) {
        let client = client(url, "max_sessions = 1\nbeyond_max_sessions = \"refuse\"").await;
        let first = signed_in(&client, "ada").await;
        let visitor = cookie(&client.get("/visits").dispatch().await).unwrap();
        let refused = with(&client, "/login/ada", &visitor).await;
        assert_eq!((refused.status(), cookie(&refused)), (Status::Conflict, None), "{url}");
        assert_eq!(refused.into_string().await.unwrap(), "our page for 409");
        assert!(is_alive(&client, &first).await && is_alive(&client, &visitor).await, "{url}");
        assert_eq!(with(&client, "/login/bob", &first).await.status(), Status::Ok, "becoming somebody else");
        let welcome = with(&client, "/login/ada", &visitor).await;
        assert_eq!(welcome.status(), Status::Ok, "{url}");
        let all = with(&client, "/all", &cookie(&welcome).unwrap()).await.into_string().await.unwrap();
        drop(welcome);
        assert!(all.contains("views=1") && all.contains("ada"), "{url}: {all}");
        client.terminate().await;
    }

    on_every_store!(changes_nothing_until_there_is_room);
}

mod a_second_click {
    use rocket::http::Status;
    use world::on_every_store;

    use super::{client, cookie, is_alive, signed_in, with};

    async fn on_sign_in_is_no_second_session(url: &str) {
        for beyond in ["end_oldest", "refuse"] {
            let settings = format!("max_sessions = 2\nbeyond_max_sessions = \"{beyond}\"");
            let client = client(url, &settings).await;
            let user = format!("ada-{beyond}");
            let phone = signed_in(&client, &user).await;
            let visitor = cookie(&client.get("/visits").dispatch().await).unwrap();
            let mut clicks = Vec::new();
            for _ in 0..3 {
                let answer = with(&client, &format!("/login/{user}"), &visitor).await;
                assert_eq!(answer.status(), Status::Ok, "{url}: {beyond}");
                clicks.push(cookie(&answer).unwrap());
            }
            assert!(is_alive(&client, &phone).await, "{url}: {beyond}");
            for (cookie, alive) in clicks.iter().zip([false, false, true]) {
                assert_eq!(is_alive(&client, cookie).await, alive, "{url}: {beyond}");
            }
            // Two tabs of one browser, two people.
            let bob = with(&client, &format!("/login/bob-{beyond}"), &visitor).await.status();
            assert_eq!(bob, Status::Ok);
            assert!(is_alive(&client, &clicks[2]).await, "somebody else's is not the same click");
            client.terminate().await;
        }
    }

    on_every_store!(on_sign_in_is_no_second_session);
}

mod a_new_id {
    use rocket::http::Status;
    use world::on_every_store;

    use super::{client, cookie, is_alive, signed_in, with};

    async fn is_no_new_session_and_visitors_do_not_count(url: &str) {
        for beyond in ["end_oldest", "refuse"] {
            let settings = format!("max_sessions = 2\nbeyond_max_sessions = \"{beyond}\"");
            let client = client(url, &settings).await;
            let user = format!("ada-{beyond}");
            let phone = signed_in(&client, &user).await;
            let mut laptop = signed_in(&client, &user).await;
            for path in ["/renew", "/proves", "/visits", "/remember", "/proves"] {
                let answer = with(&client, path, &laptop).await;
                assert_eq!(answer.status(), Status::Ok, "{url}: {beyond} {path}");
                laptop = cookie(&answer).unwrap_or(laptop);
                assert!(is_alive(&client, &laptop).await && is_alive(&client, &phone).await, "{url}: {path}");
            }
            // Asked for the password again, somebody clicks twice.
            let clicks = [with(&client, "/proves", &laptop).await, with(&client, "/proves", &laptop).await];
            assert!(clicks.iter().all(|answer| answer.status() == Status::Ok), "{url}: {beyond}");
            assert!(is_alive(&client, &phone).await, "{url}: {beyond}");
            for _ in 0..5 {
                let visitor = cookie(&client.get("/visits").dispatch().await).unwrap();
                assert!(is_alive(&client, &visitor).await, "{url}: {beyond}");
            }
            assert!(is_alive(&client, &phone).await, "{url}: {beyond}");
            drop(clicks);
            client.terminate().await;
        }
    }

    on_every_store!(is_no_new_session_and_visitors_do_not_count);
}

mod a_store_that_cannot_list {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rocket::async_trait;
    use rocket::http::Status;
    use rocket::local::asynchronous::Client;
    use sealed_sessions::Sessions;
    use sealed_sessions::store::{
        self, IdHash, List, Listed, Loaded, Locks, Revoke, Service, Store, StoreError, UnixSeconds, Write,
        Written,
    };

    use super::{cookie, is_alive, signed_in, with};
    use crate::site;
    use crate::support::clock;

    /// Lists so many times, and then no more.
    struct Listing {
        inner: Arc<dyn Store>,
        left: AtomicUsize,
    }

    #[async_trait]
    impl Store for Listing {
        async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
            self.inner.load(ticket, now).await
        }

        async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError> {
            self.inner.save(write).await
        }

        async fn delete(&self, ticket: &str) -> Result<(), StoreError> {
            self.inner.delete(ticket).await
        }

        fn revoke(&self) -> Option<&dyn Revoke> {
            self.inner.revoke()
        }

        fn list(&self) -> Option<&dyn List> {
            Some(self)
        }

        fn locks(&self) -> Option<&dyn Locks> {
            self.inner.locks()
        }

        fn service(&self) -> Option<&dyn Service> {
            self.inner.service()
        }
    }

    #[async_trait]
    impl List for Listing {
        async fn of_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
            if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
            {
                return Err(StoreError::TimedOut);
            }
            self.inner.list().unwrap().of_subject(subject, now).await
        }

        async fn successor(&self, ticket: &str, now: UnixSeconds) -> Result<Option<IdHash>, StoreError> {
            self.inner.list().unwrap().successor(ticket, now).await
        }
    }

    async fn start(beyond: &str) -> (Arc<Listing>, Client) {
        let inner = store::open("memory", super::COOKIE).unwrap();
        let store = Arc::new(Listing { inner, left: AtomicUsize::new(usize::MAX) });
        let settings = format!(
            "[default.session]\nstore = \"listing\"\nmax_sessions = 1\nbeyond_max_sessions = {beyond:?}"
        );
        let sessions = Sessions::fairing().clock(clock()).store("listing", store.clone());
        let client = Client::untracked(site::rocket(&settings, sessions)).await.unwrap();
        (store, client)
    }

    #[rocket::async_test]
    async fn refuses_a_password_asked_again_and_nothing_is_lost() {
        for beyond in ["end_oldest", "refuse"] {
            let (store, client) = start(beyond).await;
            let before = signed_in(&client, "ada").await;
            store.left.store(0, Ordering::SeqCst);
            let answer = with(&client, "/proves", &before).await;
            assert_eq!((answer.status(), cookie(&answer)), (Status::ServiceUnavailable, None), "{beyond}");
            assert!(is_alive(&client, &before).await, "{beyond}");
        }
    }

    /// It could still list before the new session was written.
    #[rocket::async_test]
    async fn keeps_the_session_that_is_written_and_the_next_sign_in_ends_what_is_too_much() {
        let (store, client) = start("end_oldest").await;
        let first = signed_in(&client, "ada").await;
        let second = signed_in(&client, "ada").await;
        assert!(!is_alive(&client, &first).await);
        store.left.store(1, Ordering::SeqCst);
        let third = signed_in(&client, "ada").await;
        store.left.store(1, Ordering::SeqCst);
        let answer = with(&client, "/proves", &third).await;
        let third = cookie(&answer).unwrap();
        assert!(is_alive(&client, &third).await && is_alive(&client, &second).await);
        store.left.store(usize::MAX, Ordering::SeqCst);
        let last = signed_in(&client, "ada").await;
        for (cookie, expected) in [(second, false), (third, false), (last, true)] {
            assert_eq!(is_alive(&client, &cookie).await, expected);
        }
    }
}
