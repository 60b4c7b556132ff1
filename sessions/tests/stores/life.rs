//! The life of a session as an app sees it, the same on every store.

mod a_life {
    use rocket::http::Status;
    use time::Duration;
    use world::on_every_store;

    use crate::support::{app, clock, get, text};

    async fn is_the_same_on_every_store(url: &str) {
        let clock = clock();
        let rocket = app(url, "seal_at_rest = true", clock.clone());
        let browser = rocket::local::asynchronous::Client::tracked(rocket).await.unwrap();
        assert_eq!(text(&browser, "/read").await, "0 Absent");
        assert_eq!(text(&browser, "/visits").await, "1");
        let anonymous = browser.cookies().get("__Host-Http-session").cloned().unwrap();
        assert!(anonymous.value().len() < 100, "only the id travels");
        assert_eq!(get(&browser, "/login/ada").await.status(), Status::Ok);
        let signed_in = browser.cookies().get("__Host-Http-session").cloned().unwrap();
        assert_eq!(text(&browser, "/visits").await, "2");

        // A request with the id from before the login comes late: it is anonymous and signs nobody out.
        let late = browser.get("/read").private_header(&anonymous);
        let late = late.dispatch().await;
        assert_eq!(late.headers().get("Set-Cookie").count(), 0);
        assert_eq!(late.into_string().await.as_deref(), Some("1 Superseded"));
        assert_eq!(text(&browser, "/read").await, "2 Resumed");

        clock.advance(Duration::minutes(29));
        assert_eq!(text(&browser, "/read").await, "2 Resumed");
        clock.advance(Duration::minutes(29));
        assert_eq!(text(&browser, "/read").await, "2 Resumed", "use has moved the end");

        get(&browser, "/logout").await;
        let replayed = browser.get("/read").private_header(&signed_in).dispatch().await;
        assert_eq!(replayed.into_string().await.as_deref(), Some("0 Revoked"), "a saved cookie is dead");

        get(&browser, "/visits").await;
        clock.advance(Duration::minutes(31));
        assert_eq!(text(&browser, "/read").await, "0 Revoked", "idle for too long");
        browser.terminate().await;
    }

    trait PrivateHeader {
        fn private_header(self, cookie: &rocket::http::Cookie<'_>) -> Self;
    }

    impl PrivateHeader for rocket::local::asynchronous::LocalRequest<'_> {
        /// Sends this cookie and no other.
        fn private_header(self, cookie: &rocket::http::Cookie<'_>) -> Self {
            let header = format!("{}={}", cookie.name(), cookie.value());
            self.header(rocket::http::Header::new("Cookie", header))
        }
    }

    on_every_store!(is_the_same_on_every_store);
}

mod other_sessions {
    use rocket::http::Cookie;
    use rocket::local::asynchronous::Client;
    use world::on_every_store;

    use crate::support::{app, clock};

    async fn are_listed_and_ended(url: &str) {
        let browser = Client::untracked(app(url, "", clock())).await.unwrap();
        let signed_in = async |user: &str| {
            let answer = browser.get(format!("/login/{user}")).dispatch().await;
            answer.cookies().get("__Host-Http-session").cloned().unwrap().into_owned()
        };
        let (mine, other, bob) = (signed_in("ada").await, signed_in("ada").await, signed_in("bob").await);
        let ask = async |path: &'static str, cookie: &Cookie<'static>| {
            browser.get(path).cookie(cookie.clone()).dispatch().await.into_string().await.unwrap()
        };
        let nobody = browser.get("/others").dispatch().await.into_string().await.unwrap();
        assert_eq!(nobody, "Some(0)", "nobody is signed in");
        assert_eq!(ask("/others", &mine).await, "Some(1)");
        assert_eq!(ask("/others/end", &mine).await, "Sessions(1)");
        assert_eq!(ask("/others", &mine).await, "Some(0)");
        assert_eq!(ask("/read", &mine).await, "0 Resumed");
        assert_eq!(ask("/read", &other).await, "0 Revoked");
        assert_eq!(ask("/read", &bob).await, "0 Resumed");
        browser.terminate().await;
    }

    on_every_store!(are_listed_and_ended);
}

mod at_rest {
    use sealed_sessions::store;
    use sqlx::Connection as _;

    use crate::support::{browser, get, listed};

    #[rocket::async_test]
    async fn what_is_sealed_shows_nothing_and_what_is_not_shows_the_data() {
        for (settings, shown) in [("seal_at_rest = true", false), ("", true)] {
            let directory = tempfile::tempdir().unwrap();
            let url = format!("sqlite:{}/sessions.db", directory.path().display());
            let browser = browser(&url, settings).await;
            get(&browser, "/login/ada").await;
            let mut database = sqlx::SqliteConnection::connect(&url).await.unwrap();
            let body = sqlx::query_scalar::<_, Vec<u8>>(
                "SELECT body FROM sealed_session_rows WHERE subject_hash IS NOT NULL",
            );
            let body = body.fetch_one(&mut database).await.unwrap();
            assert_eq!(String::from_utf8_lossy(&body).contains("ada"), shown, "{settings}");
            let store = store::open(&url, "__Host-Http-session").unwrap();
            let found = listed(&*store, "ada", 0).await;
            assert_eq!(found.len(), usize::from(shown), "what no key opens, no browser can resume");
        }
    }

    #[cfg(unix)]
    #[rocket::async_test]
    async fn the_files_are_for_their_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let browser = browser(&format!("sqlite:{}/sessions.db", directory.path().display()), "").await;
        get(&browser, "/login/ada").await;
        let files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(Result::unwrap).collect();
        assert!(files.len() > 1, "the log lies beside the database");
        for file in files {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
        }
    }

    #[rocket::async_test]
    async fn the_file_holds_no_ticket() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/sessions.db", directory.path().display());
        let browser = browser(&url, "").await;
        get(&browser, "/visits").await;
        let cookie = browser.cookies().get("__Host-Http-session").cloned().unwrap();
        let request = browser.get("/read").cookie(cookie);
        let ticket = request.inner().cookies().get_private("__Host-Http-session").unwrap().value().to_owned();
        drop(request);
        browser.terminate().await;
        assert!(std::fs::read(directory.path().join("sessions.db")).is_ok_and(|bytes| !bytes.is_empty()));
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            // The store is being closed, so the files that SQLite keeps beside its own may be gone.
            let Ok(bytes) = std::fs::read(entry.unwrap().path()) else { continue };
            let found = bytes.windows(ticket.len()).any(|window| window == ticket.as_bytes());
            assert!(!found, "a stolen file would open sessions");
        }
    }
}

mod two_realms {
    use sealed_sessions::store::{self, Record};
    use sealed_sessions::{Clock, SystemClock};
    use world::on_every_store;

    use crate::site::record;
    use crate::support::{listed, new};

    async fn in_one_database_list_only_their_own(url: &str) {
        if url == "memory" {
            return;
        }
        let now = SystemClock.seconds();
        let subject = Some("ada".to_owned());
        let mut stores = Vec::new();
        for realm in ["__Host-shop", "__Host-admin"] {
            let store = store::open(url, realm).unwrap();
            store.service().unwrap().start().await.unwrap();
            let record = Record { subject: subject.clone(), ..record(now) };
            store.save(&new(&record, now + 60)).await.unwrap();
            stores.push(store);
        }
        assert_eq!(listed(&*stores[0], "ada", now).await.len(), 1);
        assert_eq!(stores[0].revoke().unwrap().end_all("ada", None, now).await.unwrap(), 1);
        assert_eq!(listed(&*stores[1], "ada", now).await.len(), 1);
        for store in stores {
            store.service().unwrap().stop().await;
        }
    }

    on_every_store!(in_one_database_list_only_their_own);
}

mod given_up {
    use std::time::Duration;

    use rocket::tokio::time::timeout;
    use sealed_sessions::store::{self, Id, Loaded, Over, Record, Write, Written};
    use sealed_sessions::{Clock, SystemClock};
    use sqlx::{ConnectOptions, Connection, Executor};

    use crate::site::record;
    use crate::support::new;

    /// A caller that gave up knows only the old id, which must still work after the store has done its work.
    #[rocket::async_test]
    async fn a_renewal_leaves_the_old_session_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("sessions.db");
        let store = store::open(&format!("sqlite:{}", file.display()), "__Host-Http-session").unwrap();
        store.service().unwrap().start().await.unwrap();
        let now = SystemClock.seconds();
        let old = record(now);
        store.save(&new(&old, now + 1800)).await.unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
        let mut other = options.connect().await.unwrap();
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        let renewed = Record { id: Id::random().unwrap(), version: 2, ..old.clone() };
        let renewal = Write { over: Over::Renewed(&old), ..new(&renewed, now + 1800) };
        assert!(
            timeout(Duration::from_millis(200), store.save(&renewal)).await.is_err(),
            "another one is writing"
        );
        other.execute("COMMIT").await.unwrap();
        // SQLite has one writer at a time: this comes after what is left of the renewal.
        let touch = Write { over: Over::Touch, ..new(&old, now + 1800) };
        let touched = store.save(&touch).await.unwrap();
        assert!(matches!(touched, Written::Saved(_)), "{touched:?}");
        assert_eq!(store.load(&old.id.to_text(), now).await.unwrap(), Loaded::Found(old));
        assert_eq!(store.load(&renewed.id.to_text(), now).await.unwrap(), Loaded::Missing);
        other.close().await.unwrap();
        store.service().unwrap().stop().await;
    }
}
