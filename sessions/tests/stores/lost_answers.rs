//! A server that has done what it was asked to while its answer is lost, at every message of a visit in turn: the step
//! is tried again, and recognised.

mod a_visit {
    use rocket::http::Cookie;
    use rocket::local::asynchronous::Client;
    use sealed_sessions::store::{self, Store};
    use sealed_sessions::{Clock, SystemClock};
    use world::{Proxy, on_servers};

    use crate::support::{app, clock, listed};

    /// A browser of its own for each visit.
    struct Visit<'c> {
        client: &'c Client,
        cookie: Option<Cookie<'static>>,
        /// What has been done, for a test that fails.
        name: String,
    }

    impl Visit<'_> {
        /// A page, which must be answered as if nothing had happened.
        async fn get(&mut self, path: &str) -> String {
            let mut request = self.client.get(path.to_owned());
            if let Some(cookie) = &self.cookie {
                request = request.cookie(cookie.clone());
            }
            let answer = request.dispatch().await;
            assert_eq!(answer.status().code, 200, "{}, {path}", self.name);
            if let Some(cookie) = answer.cookies().get("__Host-Http-session") {
                self.cookie = Some(cookie.clone().into_owned());
            }
            answer.into_string().await.unwrap_or_default()
        }

        /// First visit, change, sign-in, changes, two in turn, sign-out.
        async fn all(&mut self, user: &str, store: &dyn Store) {
            assert_eq!(self.get("/visits").await, "1", "{}", self.name);
            assert_eq!(self.get("/visits").await, "2", "{}", self.name);
            self.get(&format!("/login/{user}")).await;
            self.is_signed_in(user, 2).await;
            assert_eq!(self.get("/visits").await, "3", "{}", self.name);
            for _ in 0..2 {
                assert_eq!(self.get("/exclusive").await, "true", "{}", self.name);
            }
            self.is_signed_in(user, 5).await;
            let now = SystemClock.seconds();
            assert_eq!(listed(store, user, now).await.len(), 1, "{}", self.name);
            self.get("/renew").await;
            self.is_signed_in(user, 5).await;
            assert_eq!(listed(store, user, now).await.len(), 1, "{}", self.name);
            self.get("/logout").await;
            assert_eq!(listed(store, user, now).await.len(), 0, "{}", self.name);
        }

        /// What its browser shows.
        async fn is_signed_in(&mut self, user: &str, views: u64) {
            let shown = self.get("/all").await;
            let expected = format!("Resumed views={views} user=Some({user:?})");
            assert!(shown.starts_with(&expected), "{}: {shown}", self.name);
        }
    }

    async fn is_the_same_whichever_answer_is_lost(url: &str) {
        let proxy = Proxy::before(url);
        let client = Client::untracked(app(&proxy.url(), "", clock())).await.unwrap();
        // Past the proxy, to see what is there.
        let store = store::open(url, "__Host-Http-session").unwrap();
        store.service().unwrap().start().await.unwrap();
        let visit = async |lost: Option<usize>| {
            let name = format!("{url} without the answer {lost:?}");
            let mut visit = Visit { client: &client, cookie: None, name };
            // Whatever has been lost before, there is a connection again.
            visit.get("/visits").await;
            visit.cookie = None;
            proxy.count(lost);
            visit.all(&format!("user{}", lost.unwrap_or_default()), &*store).await;
        };
        visit(None).await;
        let messages = proxy.messages();
        assert!(messages > 15, "{url}: {messages}");
        // Until a visit is over before so many messages. How many it has is not always the same: with each connection
        // that is lost, statements have to be prepared again.
        let mut cuts = 0;
        while cuts == 0 || proxy.cuts() > 0 {
            cuts += 1;
            visit(Some(cuts)).await;
        }
        assert!(cuts > 15, "{url}: {cuts}");
        store.service().unwrap().stop().await;
        client.terminate().await;
    }

    on_servers!(is_the_same_whichever_answer_is_lost: postgres, mariadb, redis, mongoeco, nx_27017);
}
