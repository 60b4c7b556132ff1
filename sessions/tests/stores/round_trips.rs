//! How often an app and its database speak to each other.

mod a_sign_in {
    use rocket::local::asynchronous::Client;
    use world::{Proxy, on_servers};

    use crate::support::{app, clock, get};

    async fn counts_its_subjects_sessions_only_where_they_are_limited(url: &str) {
        // A turn (one or two questions), what an earlier click has opened, and the list before and after come on top; the
        // end of the turn comes aside.
        for (settings, expected) in [("", 3..=3), ("max_sessions = 3", 6..=8)] {
            let proxy = Proxy::before(url);
            let browser = Client::tracked(app(&proxy.url(), settings, clock())).await.unwrap();
            get(&browser, "/login/bob").await;
            let mut fewest = usize::MAX;
            for user in ["ada", "bob"].into_iter().cycle().take(12) {
                proxy.count(None);
                get(&browser, &format!("/login/{user}")).await;
                fewest = fewest.min(proxy.messages());
                get(&browser, "/read").await;
            }
            assert!(expected.contains(&fewest), "{url}: {fewest} with {settings:?}");
            browser.terminate().await;
        }
    }

    on_servers!(counts_its_subjects_sessions_only_where_they_are_limited: postgres, mariadb);
}

mod a_request {
    use rocket::local::asynchronous::Client;
    use world::{Proxy, on_servers};

    use crate::support::{app, clock, get};

    async fn that_reads_asks_once_and_one_that_changes_asks_twice(url: &str) {
        let proxy = Proxy::before(url);
        let browser = Client::tracked(app(&proxy.url(), "", clock())).await.unwrap();
        for login in ["/visits", "/login/ada"] {
            get(&browser, login).await;
            // Statements are prepared once.
            get(&browser, "/visits").await;
            for (path, expected) in [("/read", 1), ("/visits", 2)] {
                let mut fewest = usize::MAX;
                // The app's own work in the background may come in between.
                for _ in 0..10 {
                    proxy.count(None);
                    get(&browser, path).await;
                    fewest = fewest.min(proxy.messages());
                }
                assert_eq!(fewest, expected, "{url}: {path} after {login}");
            }
        }
        browser.terminate().await;
    }

    on_servers!(
        that_reads_asks_once_and_one_that_changes_asks_twice: postgres, mariadb, redis, mongoeco, nx_27017
    );
}
