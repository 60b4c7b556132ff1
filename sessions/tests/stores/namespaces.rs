//! Several apps on one database.

mod with_one_key {
    use rocket::http::Header;
    use rocket::local::asynchronous::Client;
    use world::on_every_store;

    use crate::support::{app, clock};

    const COOKIE: &str = "__Host-Http-session";

    /// What this path says to a browser with this cookie.
    async fn said(client: &Client, path: &str, cookie: &str) -> String {
        let cookie = Header::new("Cookie", format!("{COOKIE}={cookie}"));
        let answer = client.get(path.to_owned()).header(cookie).dispatch().await;
        answer.into_string().await.unwrap_or_default()
    }

    /// The cookie that this path sets for a new browser.
    async fn cookie(client: &Client, path: &str) -> String {
        let answer = client.get(path.to_owned()).dispatch().await;
        answer.cookies().get(COOKIE).unwrap().value().to_owned()
    }

    /// Whoever brings the cookie of one to the other, which can open it, finds nothing there and changes nothing.
    async fn and_two_namespaces_see_nothing_of_each_other(url: &str) {
        for bound in ["", "max_anonymous_sessions = 100"] {
            let site = async |namespace: &str| {
                let settings = format!("namespace = {namespace:?}\n{bound}");
                Client::untracked(app(url, &settings, clock())).await.unwrap()
            };
            let (shop, other) = (site("shop").await, site("shop-2").await);
            let (ada, visitor) = (cookie(&shop, "/login/ada").await, cookie(&shop, "/visits").await);
            for cookie in [&ada, &visitor] {
                assert_eq!(said(&other, "/read", cookie).await, "0 Revoked", "{url}: {bound:?}");
                for path in ["/visits", "/logout", "/login/ada", "/others/end", "/login/bob"] {
                    said(&other, path, cookie).await;
                }
            }
            assert_eq!(said(&shop, "/read", &ada).await, "0 Resumed", "{url}: {bound:?}");
            assert_eq!(said(&shop, "/read", &visitor).await, "1 Resumed", "{url}: {bound:?}");

            // A visitor becomes a user: the cookie leads to what the session has become, there alone.
            said(&shop, "/login/bob", &visitor).await;
            assert_eq!(said(&shop, "/read", &visitor).await, "1 Superseded", "{url}: {bound:?}");
            let late = said(&other, "/read", &visitor).await;
            assert!(!late.starts_with('1'), "{url}: {bound:?}: {late}");

            let (mine, theirs) = (cookie(&shop, "/login/ada").await, cookie(&other, "/login/ada").await);
            said(&other, "/others/end", &theirs).await;
            assert_eq!(said(&shop, "/others", &mine).await, "Some(1)", "{url}: {bound:?}");
            assert_eq!(said(&shop, "/read", &ada).await, "0 Resumed", "{url}: {bound:?}");
            for cookie in [&ada, &mine, &theirs] {
                said(&shop, "/logout", cookie).await;
            }
            shop.terminate().await;
            other.terminate().await;
        }
    }

    on_every_store!(and_two_namespaces_see_nothing_of_each_other);
}

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
