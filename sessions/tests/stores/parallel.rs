//! Parallel requests of one session: nothing is lost (rule 9).

mod different_fields {
    use std::collections::BTreeMap;

    use rocket::futures::future::join_all;
    use rocket::local::asynchronous::Client;
    use rocket::{get, routes, tokio};
    use sealed_sessions::{Session, SessionData, Sessions};
    use serde::{Deserialize, Serialize};
    use world::on_every_store;

    use crate::site::figment;
    use crate::support::{clock, get, table, text};

    #[derive(Default, Clone, Serialize, Deserialize)]
    struct Counters {
        views: u64,
        /// By name, as fields of the session itself.
        #[serde(flatten)]
        counts: BTreeMap<String, u64>,
    }

    impl SessionData for Counters {}

    #[get("/visits")]
    fn visits(session: Session<'_, Counters>) {
        session.update(|counters| counters.views += 1);
    }

    /// Adds one to a field of its own, and lets other requests run between reading and writing.
    #[get("/count/<field>")]
    async fn count(session: Session<'_, Counters>, field: String) {
        session.get();
        tokio::task::yield_now().await;
        session.update(|counters| *counters.counts.entry(field).or_default() += 1);
    }

    #[get("/sum")]
    fn sum(session: Session<'_, Counters>) -> String {
        session.get().counts.values().sum::<u64>().to_string()
    }

    async fn sixty_four_of_different_fields_lose_none(url: &str) {
        let sessions = Sessions::<Counters>::fairing().clock(clock());
        let routes = routes![visits, count, sum];
        let rocket = rocket::custom(figment(&table(url, ""))).attach(sessions).mount("/", routes);
        let browser = Client::tracked(rocket).await.unwrap();
        get(&browser, "/visits").await;
        let paths: Vec<String> = (0..64).map(|n| format!("/count/field{n}")).collect();
        let answers = join_all(paths.iter().map(|path| get(&browser, path))).await;
        assert!(answers.iter().all(|answer| answer.status().code == 200));
        drop(answers);
        assert_eq!(text(&browser, "/sum").await, "64");
        browser.terminate().await;
    }

    on_every_store!(sixty_four_of_different_fields_lose_none);
}

mod the_same_field {
    use rocket::futures::future::join_all;
    use world::on_every_store;

    use crate::support::{browser, get, text};

    async fn sixty_four_in_turn_count_to_sixty_four(url: &str) {
        let browser = browser(url, "lock_timeout = \"1 minute\"").await;
        get(&browser, "/visits").await;
        let answers = join_all((0..64).map(|_| get(&browser, "/exclusive"))).await;
        assert!(answers.iter().all(|answer| answer.status().code == 200));
        drop(answers);
        assert_eq!(text(&browser, "/read").await, "65 Resumed");
        browser.terminate().await;
    }

    on_every_store!(sixty_four_in_turn_count_to_sixty_four);
}

mod a_busy_session {
    use rocket::futures::future::join_all;
    use world::on_every_store;

    use crate::support::{browser, get, text};

    async fn is_answered_three_hundred_times(url: &str) {
        let browser = browser(url, "").await;
        get(&browser, "/visits").await;
        let answers = join_all((0..300).map(|_| get(&browser, "/visits"))).await;
        let failed = answers.iter().filter(|answer| answer.status().code != 200).count();
        assert_eq!(failed, 0, "{url}");
        drop(answers);
        assert!(text(&browser, "/read").await.ends_with(" Resumed"));
        browser.terminate().await;
    }

    on_every_store!(is_answered_three_hundred_times);
}

mod two_processes {
    use rocket::futures::future::join_all;
    use world::on_servers;

    use crate::support::{browser, get, text};

    /// Two apps with pools and locks of their own, as two processes have them.
    async fn take_turns_too(url: &str) {
        let settings = "lock_timeout = \"1 minute\"";
        let (one, other) = (browser(url, settings).await, browser(url, settings).await);
        get(&one, "/visits").await;
        let cookie = one.cookies().get("__Host-Http-session").cloned().unwrap();
        let there = || other.get("/exclusive").cookie(cookie.clone()).dispatch();
        let all = join_all((0..32).map(|_| async {
            let (here, there) = rocket::tokio::join!(get(&one, "/exclusive"), there());
            (here.status().code, there.status().code)
        }));
        assert!(all.await.iter().all(|codes| *codes == (200, 200)));
        assert_eq!(text(&one, "/read").await, "65 Resumed");
        one.terminate().await;
        other.terminate().await;
    }

    on_servers!(take_turns_too: sqlite, postgres, mariadb, redis, mongoeco);
}
