//! Answers that are lost on their way: the work is done once.

use sealed_sessions::store::{Id, Loaded, Over, Record};
use world::{Proxy, databases};

use super::{ask, calls, is_found, now, reported, save, started, updated};
use crate::site::record;

/// How many changes these servers have made.
fn changes(ports: &[u16]) -> i64 {
    ports.iter().map(|port| reported(*port, "persistence", "rdb_changes_since_last_save").unwrap()).sum()
}

fn before(server: u16) -> Proxy {
    Proxy::before(&format!("redis://127.0.0.1:{server}"))
}

fn lose(proxies: &[Proxy], command: &'static str) {
    proxies.iter().for_each(|proxy| proxy.lose(command));
}

/// Every write of a session, each time with its answer lost on the way from one of the servers, by these proxies
/// before them.
async fn each_write_is_done_once(url: &str, servers: &[u16], proxies: &[Proxy]) {
    let store = started(url).await;
    // The servers come to know the scripts.
    for _ in 0..32 {
        let first = record(now());
        save(&*store, &first, Over::Nothing).await;
        save(&*store, &updated(&first), Over::Version(1)).await;
        store.delete(&first.id.to_text()).await.unwrap();
    }
    let lost = || proxies.iter().map(Proxy::cuts).sum::<usize>();
    let (mut changes_before, mut lost_before) = (changes(servers), lost());
    let mut has_made = |changed: i64, what: &str| {
        assert_eq!(changes(servers) - changes_before, changed, "changes by {what}");
        assert_eq!(lost() - lost_before, 1, "lost answers of {what}");
        (changes_before, lost_before) = (changes(servers), lost());
    };
    for _ in 0..8 {
        lose(proxies, "\r\nSET\r\n");
        let first = record(now());
        save(&*store, &first, Over::Nothing).await;
        has_made(1, "a new session");
        lose(proxies, "\r\nEVALSHA\r\n");
        let second = updated(&first);
        save(&*store, &second, Over::Version(1)).await;
        has_made(1, "an update");
        is_found(&*store, &second).await;
        lose(proxies, "\r\nEVALSHA\r\n");
        let third = Record { id: Id::random().unwrap(), ..updated(&second) };
        save(&*store, &third, Over::Renewed(&second)).await;
        has_made(2, "a renewal");
        is_found(&*store, &third).await;
        lose(proxies, "\r\nEVALSHA\r\n");
        store.delete(&third.id.to_text()).await.unwrap();
        has_made(1, "an end");
        let loaded = store.load(&third.id.to_text(), now()).await.unwrap();
        assert_eq!(loaded, Loaded::Missing);
    }
    let asked = |servers: &[u16]| servers.iter().map(|port| calls(*port, "echo")).sum::<i64>();
    let before = asked(servers);
    lose(proxies, "\r\nECHO\r\n");
    assert!(store.service().unwrap().start().await.is_err(), "nobody knows what became of it");
    assert_eq!(asked(servers) - before, 1, "the client sends nothing again by itself");
    store.service().unwrap().stop().await;
}

#[rocket::async_test]
async fn each_write_of_redis_is_done_once() {
    let Some(database) = databases::redis() else { return };
    let servers = database.ports();
    let proxies = [before(servers[0])];
    let url = format!("redis://127.0.0.1:{}", proxies[0].port());
    each_write_is_done_once(&url, &servers, &proxies).await;
}

#[rocket::async_test]
async fn each_write_of_redis_is_done_once_without_notices_of_lost_connections() {
    let Some(database) = databases::redis() else { return };
    let servers = database.ports();
    let proxies = [before(servers[0])];
    let url = format!("redis://127.0.0.1:{}?protocol=resp2", proxies[0].port());
    each_write_is_done_once(&url, &servers, &proxies).await;
}

#[rocket::async_test]
async fn each_write_of_a_redis_cluster_is_done_once() {
    let Some(database) = databases::redis_cluster() else { return };
    let servers = database.ports();
    let proxies: Vec<Proxy> = servers.iter().map(|port| before(*port)).collect();
    for (server, proxy) in servers.iter().zip(&proxies) {
        ask::<()>(*server, &format!("CONFIG SET cluster-announce-port {}", proxy.port()));
    }
    // Each knows where the others say that they are.
    for server in &servers {
        world::wait_for("the nodes to know the proxies", || {
            let nodes: String = ask(*server, "CLUSTER NODES");
            proxies.iter().all(|proxy| nodes.contains(&format!(":{}@", proxy.port()))).then_some(())
        });
    }
    let url = format!("redis-cluster://127.0.0.1:{}", proxies[0].port());
    each_write_is_done_once(&url, &servers, &proxies).await;
}
