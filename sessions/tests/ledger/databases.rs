//! Ledgers in databases.

use rocket::http::Status;
use sealed_sessions::Sessions;
use time::Duration;
use world::databases::{Database, mariadb, postgres, redis, sqlite};
use world::on_servers;

use crate::node::{Browser, Node, figment};
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

    on_servers!(is_kept: sqlite, postgres, mariadb, redis, redis_cluster, redis_sentinel);
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
        one.catches_up().await;
        other.catches_up().await;
        let late = node(url).await;
        for node in [&one, &other, &late] {
            assert_eq!(copy.status(node).await, 401, "{url}");
            assert_eq!((before.status(node).await, bob.status(node).await), (401, 200), "{url}");
        }
        for node in [one, other, late] {
            node.stop().await;
        }
        let again = node(url).await;
        assert_eq!((copy.status(&again).await, bob.status(&again).await), (401, 200), "after a restart");
        again.stop().await;
    }

    on_servers!(end_each_others_sessions: sqlite, postgres, mariadb, redis, redis_cluster, redis_sentinel);
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

    on_servers!(are_read_before_a_node_serves: sqlite, postgres, mariadb, redis, redis_cluster, redis_sentinel);
}

#[rocket::async_test]
async fn an_operator_ends_the_sessions_of_one_and_of_everyone() {
    for database in [sqlite(), postgres(), mariadb(), redis()].into_iter().flatten() {
        let node = node(&database.url()).await;
        let (ada, bob) = (Browser::of(&node, "ada").await, Browser::of(&node, "bob").await);
        let settings = figment("").merge(("session.revocation", database.url()));
        let ledgers = Sessions::ledgers(&settings).unwrap();
        let [(path, ledger)] = &ledgers[..] else { panic!("one realm has one ledger") };
        assert_eq!(path, "/");
        ledger.start().await.unwrap();
        ledger.end_subject("ada").await.unwrap();
        node.catches_up().await;
        assert_eq!((ada.status(&node).await, bob.status(&node).await), (401, 200));
        let ada = Browser::of(&node, "ada").await;
        assert_eq!(ada.status(&node).await, 200);
        ledger.end_everyone().await.unwrap();
        ledger.stop().await;
        node.catches_up().await;
        assert_eq!((ada.status(&node).await, bob.status(&node).await), (401, 401));
        assert_eq!(Browser::of(&node, "bob").await.status(&node).await, 200);
    }
}

#[rocket::async_test]
async fn a_database_that_goes_away_and_comes_back_loses_nothing() {
    let Some(mut database) = postgres() else { return };
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

#[rocket::async_test]
async fn a_ledger_that_redis_has_evicted_is_noticed_and_put_back() {
    let Some(database) = redis() else { return };
    let node = node(&database.url()).await;
    let mut gone = Browser::of(&node, "ada").await;
    let copy = gone.clone();
    gone.posts(&node, "/logout", "").await;
    let bob = Browser::of(&node, "bob").await;
    let mut server = ::redis::Client::open(database.url()).unwrap().get_connection().unwrap();
    let evicted: i64 =
        ::redis::cmd("DEL").arg("sessions:__Host-Http-session:ledger").query(&mut server).unwrap();
    assert_eq!(evicted, 1, "it is one key");
    node.catches_up().await;
    let late = self::node(&database.url()).await;
    for node in [&node, &late] {
        assert_eq!((copy.status(node).await, bob.status(node).await), (401, 200));
    }
}

#[rocket::async_test]
async fn an_address_that_is_none_is_refused_without_showing_a_password() {
    let log = Watched::new();
    for (setting, named) in [
        ("sqlite:", "names no file"),
        ("sqlite::memory:", "names no file"),
        ("postgres://u:secret@host:port/x", "not a URL"),
        ("redis://u:secret@h:port", "not one of Redis"),
        ("mysql://u:secret@h:port/x", "not a URL"),
        ("mssql://u:secret@h/x", "names no ledger"),
    ] {
        let figment = figment("").merge(("session.revocation", setting));
        let refused = Node::try_start(&log, figment).await.err().unwrap();
        assert!(refused.contains(named) && !refused.contains("secret"), "{refused}");
    }
}
