//! Ledgers in databases.

use rocket::http::Status;
use sealed_sessions::Sessions;
use sealed_sessions::operator::{OperatorError, Unable};
use time::{Duration, OffsetDateTime};
use world::databases::{Database, mariadb, mongoeco, nx_27017, postgres, redis, sqlite};
use world::on_servers;

use crate::node::{Browser, Node, figment};
use crate::site::Visitor;
use crate::watched::Watched;

/// A node of an app whose ledger is at `url`.
async fn node(url: &str) -> Node {
    let log = Watched::new();
    Node::try_start(&log, figment("").merge(("session.revocation", url))).await.unwrap()
}

mod contract {
    use super::*;
    use crate::conformance::check;

    async fn is_kept(url: &str) {
        let url = url.to_owned();
        check(move |namespace| sealed_sessions::ledger::open(&url, namespace).unwrap()).await;
    }

    on_servers!(is_kept: sqlite, postgres, mariadb, redis, redis_cluster, redis_sentinel, mongoeco, nx_27017);
}

mod unusual_defaults {
    use super::*;
    use crate::conformance::check;

    async fn are_no_obstacle(server: Option<Database>, settings: &[&str]) {
        let Some(mut server) = server else { return };
        server.restart_with(settings);
        let url = server.url();
        check(move |namespace| sealed_sessions::ledger::open(&url, namespace).unwrap()).await;
    }

    #[rocket::async_test]
    async fn of_a_serializable_mariadb_without_autocommit() {
        are_no_obstacle(mariadb(), &["--transaction-isolation=SERIALIZABLE", "--autocommit=OFF"]).await;
    }

    #[rocket::async_test]
    async fn of_a_serializable_postgres() {
        are_no_obstacle(postgres(), &["-c", "default_transaction_isolation=serializable"]).await;
    }
}

mod two_processes {
    use super::*;

    async fn end_each_others_sessions(url: &str) {
        let (one, other) = (node(url).await, node(url).await);
        let mut ada = Browser::of(&one, "ada").await;
        let mut bob = Browser::of(&other, "bob").await;
        let (copy, before) = (ada.clone(), bob.clone());
        assert_eq!(ada.posts(&one, "/logout", "").await, Status::Ok);
        assert_eq!(bob.posts(&other, "/others/end", "").await, Status::Ok);
        let mut labelled = Browser::of(&one, "carol").await;
        labelled.gets(&one, "/label/tenant:7").await;
        assert_eq!(Browser::default().posts(&other, "/end/label/tenant:7", "").await, Status::Ok);
        one.catches_up().await;
        other.catches_up().await;
        let late = node(url).await;
        for node in [&one, &other, &late] {
            assert_eq!(copy.status(node).await, 401, "{url}");
            assert_eq!((before.status(node).await, bob.status(node).await), (401, 200), "{url}");
            assert_eq!(labelled.status(node).await, 401, "{url}");
        }
        for node in [one, other, late] {
            node.stop().await;
        }
        let again = node(url).await;
        assert_eq!((copy.status(&again).await, bob.status(&again).await), (401, 200), "after a restart");
        again.stop().await;
    }

    on_servers!(end_each_others_sessions: sqlite, postgres, mariadb, redis, redis_cluster, redis_sentinel, mongoeco, nx_27017);
}

mod many_entries {
    use sealed_sessions::ledger::Line;

    use super::*;

    /// More than a node reads at once.
    async fn are_read_before_a_node_serves(url: &str) {
        let first = node(url).await;
        let mut ada = Browser::of(&first, "ada").await;
        let copy = ada.clone();
        ada.posts(&first, "/logout", "").await;
        let log = sealed_sessions::ledger::open(url, crate::node::COOKIE).unwrap();
        log.start().await.unwrap();
        let last = log.read(0, 1000).await.unwrap().lines.last().unwrap().0;
        let lines = (1..=25_000_u64).map(|n| {
            let body = [&[1][..], &n.to_be_bytes()].concat();
            (last + n, Line { until: 4_000_000_000, body })
        });
        log.put(&lines.collect::<Vec<_>>()).await.unwrap();
        let bob = Browser::of(&first, "bob").await;
        let late = node(url).await;
        assert_eq!((copy.status(&late).await, bob.status(&late).await), (401, 200));
    }

    // MongoDB's substitutes take longer for so many than a store may.
    on_servers!(are_read_before_a_node_serves: sqlite, postgres, mariadb, redis, redis_cluster, redis_sentinel);
}

#[rocket::async_test]
async fn an_operator_ends_the_sessions_of_one_and_of_everyone() {
    for database in [sqlite(), postgres(), mariadb(), redis(), mongoeco()].into_iter().flatten() {
        let node = node(&database.url()).await;
        let (ada, bob) = (Browser::of(&node, "ada").await, Browser::of(&node, "bob").await);
        let settings = figment("").merge(("session.revocation", database.url()));
        let operators = Sessions::<Visitor>::fairing().operators(&settings).unwrap();
        let [operator] = &operators[..] else { panic!("there is one realm") };
        assert_eq!((operator.path(), operator.unable()), ("/", None));
        operator.start().await.unwrap();
        assert_eq!(operator.end_subject("ada").await.unwrap(), None, "a ledger does not count");
        node.catches_up().await;
        assert_eq!((ada.status(&node).await, bob.status(&node).await), (401, 200));
        let ada = Browser::of(&node, "ada").await;
        assert_eq!(ada.status(&node).await, 200);
        assert_eq!(operator.end_everyone().await.unwrap(), None);
        let mut bob = Browser::of(&node, "bob").await;
        let eve = Browser::of(&node, "eve").await;
        let handle = bob.gets(&node, "/handle").await.parse().unwrap();
        assert_eq!(operator.end_session(&handle).await.unwrap(), None);
        let listed = operator.sessions_of("eve").await;
        assert!(matches!(listed, Err(OperatorError::Unable(Unable::Unlisted))), "{listed:?}");
        operator.stop().await;
        node.catches_up().await;
        assert_eq!((ada.status(&node).await, bob.status(&node).await), (401, 401));
        assert_eq!(eve.status(&node).await, 200);
        assert_eq!(Browser::of(&node, "bob").await.status(&node).await, 200);
    }
}

#[rocket::async_test]
async fn a_database_that_goes_away_and_comes_back_loses_nothing() {
    for mut database in [postgres(), mariadb(), nx_27017()].into_iter().flatten() {
        let node = node(&database.url()).await;
        let mut gone = Browser::of(&node, "ada").await;
        let copy = gone.clone();
        gone.posts(&node, "/logout", "").await;
        let bob = Browser::of(&node, "bob").await;
        database.kill();
        assert_eq!((bob.status(&node).await, copy.status(&node).await), (200, 401));
        node.clock.advance(Duration::seconds(11));
        assert_eq!((bob.status(&node).await, copy.status(&node).await), (503, 401));
        assert_eq!(bob.clone().posts(&node, "/logout", "").await, Status::ServiceUnavailable);
        assert_eq!(Browser::default().gets(&node, "/who").await, "nobody  Absent");
        database.restart();
        assert_eq!((bob.status(&node).await, copy.status(&node).await), (200, 401));
        let late = self::node(&database.url()).await;
        assert_eq!((bob.status(&late).await, copy.status(&late).await), (200, 401));
    }
}

mod a_ledger_that_was_emptied {
    use sqlx::Connection as _;

    use super::*;

    /// Deletes all that a database keeps of ledgers, as an eviction or a careless hand does.
    async fn empty(url: &str) {
        let delete = "DELETE FROM sealed_session_ledger";
        match url.split(':').next().unwrap() {
            "redis" => {
                let mut server = redis::Client::open(url).unwrap().get_connection().unwrap();
                let key = "sessions:__Host-Http-session:ledger";
                let deleted: i64 = redis::cmd("DEL").arg(key).query(&mut server).unwrap();
                assert_eq!(deleted, 1, "it is one key");
            }
            "postgres" => {
                let mut server = sqlx::PgConnection::connect(url).await.unwrap();
                sqlx::query(delete).execute(&mut server).await.unwrap();
            }
            "mysql" => {
                let mut server = sqlx::MySqlConnection::connect(url).await.unwrap();
                sqlx::query(delete).execute(&mut server).await.unwrap();
            }
            _ => {
                let server = mongodb::Client::with_uri_str(url).await.unwrap();
                let entries = server
                    .database("sessions")
                    .collection::<mongodb::bson::Document>("sealed_session_ledger");
                entries.delete_many(mongodb::bson::Document::new()).await.unwrap();
            }
        }
    }

    async fn is_noticed_and_put_back(url: &str) {
        let node = node(url).await;
        let mut gone = Browser::of(&node, "ada").await;
        let copy = gone.clone();
        gone.posts(&node, "/logout", "").await;
        let bob = Browser::of(&node, "bob").await;
        empty(url).await;
        node.catches_up().await;
        let late = super::node(url).await;
        for node in [&node, &late] {
            assert_eq!((copy.status(node).await, bob.status(node).await), (401, 200));
        }
    }

    on_servers!(is_noticed_and_put_back: postgres, mariadb, redis, mongoeco, nx_27017);
}

mod a_clock_that_is_ahead {
    use super::*;
    use sealed_sessions::ledger::Line;
    use sealed_sessions::store::UnixSeconds;

    async fn forgets_nothing_that_matters(url: &str) {
        let log = sealed_sessions::ledger::open(url, "ahead").unwrap();
        log.start().await.unwrap();
        let now: UnixSeconds = OffsetDateTime::now_utc().unix_timestamp();
        let line = |until| Line { until, body: vec![1] };
        log.put(&[(1, line(now - 60)), (2, line(now + 3600)), (3, line(now - 60))]).await.unwrap();
        assert_eq!(log.forget(now + 86_400).await.unwrap(), 1);
        let left: Vec<u64> =
            log.read(0, 10).await.unwrap().lines.iter().map(|(position, _)| *position).collect();
        assert_eq!(left, [2, 3]);
        log.stop().await;
    }

    on_servers!(forgets_nothing_that_matters: sqlite, postgres, mariadb, redis, mongoeco, nx_27017);
}

#[rocket::async_test]
async fn an_address_that_is_none_is_refused_without_showing_a_password() {
    let log = Watched::new();
    for (setting, named) in [
        ("sqlite:", "names no file"),
        ("sqlite::memory:", "names no file"),
        ("postgres://u:secret@host:port/x", "not a URL"),
        ("redis://u:secret@h:port", "not a Redis address"),
        ("mysql://u:secret@h:port/x", "not a URL"),
        ("mongodb://u:secret@h:port/x", "not a MongoDB address"),
        ("mssql://u:secret@h/x", "names no ledger"),
    ] {
        let figment = figment("").merge(("session.revocation", setting));
        let refused = Node::try_start(&log, figment).await.err().unwrap();
        assert!(refused.contains(named) && !refused.contains("secret"), "{refused}");
    }
}
