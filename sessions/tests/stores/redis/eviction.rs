//! A server that drops keys when its memory is full.

use rocket::http::Header;
use rocket::local::asynchronous::Client;
use world::databases::{self, Database};
use world::wait_for;

use super::{ask, calls, reported};
use crate::support::{app, clock};

const COOKIE: &str = "__Host-Http-session";

async fn said(client: &Client, path: &str, cookie: &str) -> String {
    let cookie = Header::new("Cookie", format!("{COOKIE}={cookie}"));
    client.get(path.to_owned()).header(cookie).dispatch().await.into_string().await.unwrap_or_default()
}

async fn signed_in(client: &Client) -> String {
    let answer = client.get("/login/ada").dispatch().await;
    answer.cookies().get(COOKIE).unwrap().value().to_owned()
}

fn on_each(database: &Database, command: &str) {
    database.ports().iter().for_each(|port| ask::<()>(*port, command));
}

/// An app whose servers drop keys.
async fn client(database: &Database, policy: &str) -> Client {
    on_each(database, "CONFIG SET maxmemory 1gb");
    on_each(database, &format!("CONFIG SET maxmemory-policy {policy}"));
    Client::untracked(app(&database.url(), "store_timeout = \"1 minute\"", clock())).await.unwrap()
}

/// What a server does that drops what was used least recently: the sessions were used since.
fn drop_sets(database: &Database) {
    for port in database.ports() {
        for key in ask::<Vec<String>>(port, "KEYS sessions:*:subject:*") {
            ask::<()>(port, &format!("DEL {key}"));
        }
    }
}

async fn all_others_end(database: Database) {
    let client = client(&database, "allkeys-lru").await;
    let (stolen, older, mine) =
        (signed_in(&client).await, signed_in(&client).await, signed_in(&client).await);
    drop_sets(&database);
    assert_eq!(said(&client, "/others/end", &mine).await, "Sessions(2)");
    for (cookie, expected) in [(stolen, "0 Revoked"), (older, "0 Revoked"), (mine, "0 Resumed")] {
        assert_eq!(said(&client, "/read", &cookie).await, expected);
    }
    client.terminate().await;
}

#[rocket::async_test]
async fn all_others_end_although_redis_has_dropped_their_set() {
    let Some(database) = databases::redis() else { return };
    all_others_end(database).await;
}

#[rocket::async_test]
async fn all_others_end_although_a_cluster_has_dropped_their_set() {
    let Some(database) = databases::redis_cluster() else { return };
    all_others_end(database).await;
}

/// The set that was dropped is there again, with what came since.
#[rocket::async_test]
async fn all_others_end_although_a_sign_in_has_begun_the_set_anew() {
    let Some(database) = databases::redis() else { return };
    let port = database.ports()[0];
    let client = client(&database, "volatile-ttl").await;
    let stolen = signed_in(&client).await;
    drop_sets(&database);
    // It drops one that it is told to.
    ask::<()>(port, "CONFIG SET maxmemory-samples 64");
    ask::<()>(port, &format!("SET filler {} EX 60", "f".repeat(1 << 20)));
    let full = reported(port, "memory", "used_memory").unwrap() - (1 << 19);
    ask::<()>(port, &format!("CONFIG SET maxmemory {full}"));
    wait_for("an eviction", || reported(port, "stats", "evicted_keys").filter(|count| *count > 0));
    ask::<()>(port, "CONFIG SET maxmemory 1gb");

    let mine = signed_in(&client).await;
    assert_eq!(said(&client, "/others/end", &mine).await, "Sessions(1)");
    assert_eq!(said(&client, "/read", &stolen).await, "0 Revoked");
    assert_eq!(said(&client, "/read", &mine).await, "0 Resumed");
    client.terminate().await;
}

#[rocket::async_test]
async fn not_all_rows_are_looked_at_where_nothing_was_dropped() {
    let Some(database) = databases::redis() else { return };
    for policy in ["noeviction", "allkeys-lru"] {
        let client = client(&database, policy).await;
        let (_, mine) = (signed_in(&client).await, signed_in(&client).await);
        assert_eq!(said(&client, "/others/end", &mine).await, "Sessions(1)");
        said(&client, "/logout", &mine).await;
        client.terminate().await;
    }
    assert_eq!(calls(database.ports()[0], "scan"), 0);
}
