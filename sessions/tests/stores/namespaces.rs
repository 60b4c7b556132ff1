//! Several apps on one database.

mod with_other_keys {
    use rocket::local::asynchronous::Client;
    use rocket::{Build, Rocket};
    use world::{KEY, on_servers};

    use crate::support::{app, clock, get, text};

    const OTHER_KEY: &str = "gU9c0xAjqMVe4LOvVlyGxY2ZV0n8tFk3sTtyGdZqkWI=";

    /// An app whose sessions are in the store at `url`, with this key, and with these settings in their table.
    fn keyed(url: &str, key: &str, settings: &str) -> Rocket<Build> {
        app(url, &format!("{settings}\n[global]\nsecret_key = {key:?}"), clock())
    }

    async fn refuses(rocket: Rocket<Build>) {
        match rocket.ignite().await {
            Ok(_) => panic!("this launches"),
            // Rocket's errors panic when they are dropped without being inspected.
            Err(error) => drop(error.kind().to_string()),
        }
    }

    async fn do_not_share_a_namespace(url: &str) {
        let first = Client::tracked(keyed(url, KEY, "")).await.unwrap();
        get(&first, "/login/ada").await;
        refuses(keyed(url, OTHER_KEY, "")).await;

        let second = Client::tracked(keyed(url, OTHER_KEY, "namespace = \"second\"")).await.unwrap();
        get(&second, "/login/ada").await;
        assert_eq!(text(&second, "/others").await, "Some(0)", "the first app's sessions are not its own");
        assert_eq!(text(&second, "/others/end").await, "Sessions(0)");
        assert_eq!(text(&first, "/read").await, "0 Resumed");

        // A key is rotated: the new one comes beside the old, then instead of it.
        let both = format!("previous_keys = [{KEY:?}]");
        let rotated = Client::tracked(keyed(url, OTHER_KEY, &both)).await.unwrap();
        Client::tracked(keyed(url, OTHER_KEY, "")).await.unwrap().terminate().await;
        refuses(keyed(url, KEY, "")).await;
        for browser in [first, second, rotated] {
            browser.terminate().await;
        }
    }

    on_servers!(
        do_not_share_a_namespace:
        sqlite, postgres, mariadb, redis, redis_cluster, redis_sentinel, mongoeco, nx_27017
    );
}
