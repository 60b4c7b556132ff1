//! What an operator does to the sessions in a store while nodes use it.

use std::sync::Arc;

use rocket::futures::future::join_all;
use sealed_sessions::operator::{Handle, OperatorError, RealmOperator, Unable};
use sealed_sessions::store::{self, Loaded, Over, Record, Store, Write, Written};
use sealed_sessions::testing::ManualClock;
use sealed_sessions::{Clock, Sessions, SystemClock};
use time::OffsetDateTime;

use crate::site::{Visitor, figment, record};
use crate::support::new;

const REALMS: [&str; 2] = ["__Host-admin", "__Host-shop"];

/// Two realms whose sessions are in the store at `url`.
fn operators(url: &str) -> Vec<RealmOperator> {
    let realm = |path: &str, cookie| {
        format!("[default.session.realms.{path:?}]\nstore = {url:?}\ncookie = {cookie:?}\n")
    };
    let settings = realm("/admin", REALMS[0]) + &realm("/shop", REALMS[1]);
    Sessions::<Visitor>::fairing().operators(&figment(&settings)).unwrap()
}

async fn started(url: &str) -> Vec<RealmOperator> {
    let operators = operators(url);
    for operator in &operators {
        operator.start().await.unwrap();
    }
    operators
}

/// The stores as a node of the app has them.
fn stores(url: &str) -> Vec<Arc<dyn Store>> {
    REALMS.iter().map(|realm| store::open(url, realm).unwrap()).collect()
}

async fn sign_in(store: &dyn Store, subject: &str) -> Record {
    let now = SystemClock.seconds();
    let record = Record { subject: Some(subject.to_owned()), signed_in: Some(now), ..record(now) };
    store.save(&new(&record, now + 3600)).await.unwrap();
    record
}

async fn renew(store: &dyn Store, old: &Record) -> Option<Record> {
    let next = Record { version: old.version + 1, ..record(old.seen) };
    let next = Record { id: next.id, version: next.version, ..old.clone() };
    let write = Write { record: &next, expires: old.seen + 3600, over: Over::Renewed(old) };
    matches!(store.save(&write).await.unwrap(), Written::Saved(_)).then_some(next)
}

async fn lives(store: &dyn Store, record: &Record) -> bool {
    let loaded = store.load(&record.id.to_text(), record.seen).await.unwrap();
    matches!(loaded, Loaded::Found(_))
}

async fn handles(operator: &RealmOperator, subject: &str) -> Vec<Handle> {
    let listed = operator.sessions_of(subject).await.unwrap();
    listed.iter().map(|session| session.handle.parse().unwrap()).collect()
}

async fn stop(operators: Vec<RealmOperator>, stores: Vec<Arc<dyn Store>>) {
    for operator in operators {
        operator.stop().await;
    }
    for store in stores {
        store.service().unwrap().stop().await;
    }
}

mod one_session {
    use super::*;

    async fn is_listed_and_ended_by_its_handle_in_its_own_realm(url: &str) {
        let (operators, stores) = (started(url).await, stores(url));
        let [admin, shop] = &operators[..] else { panic!("two realms") };
        let (ada, phone) = (sign_in(&*stores[1], "ada").await, sign_in(&*stores[1], "ada").await);
        let other = sign_in(&*stores[0], "ada").await;
        let in_shop = handles(shop, "ada").await;
        assert_eq!((in_shop.len(), handles(admin, "ada").await.len()), (2, 1));
        for handle in &in_shop {
            assert_eq!(admin.end_session(handle).await.unwrap(), Some(0), "{url}: it is another realm's");
        }
        assert!(lives(&*stores[1], &ada).await && lives(&*stores[1], &phone).await, "{url}");
        assert_eq!(shop.end_session(&in_shop[0]).await.unwrap(), Some(1), "{url}");
        assert_eq!(shop.end_session(&in_shop[0]).await.unwrap(), Some(0), "{url}: it has ended");
        assert_eq!(handles(shop, "ada").await, [in_shop[1].clone()], "{url}");
        assert!(lives(&*stores[1], &ada).await != lives(&*stores[1], &phone).await, "{url}");
        assert!(lives(&*stores[0], &other).await, "{url}");
        // One that is renewed after its handle was shown.
        let left = if lives(&*stores[1], &ada).await { ada } else { phone };
        let renewed = renew(&*stores[1], &left).await.unwrap();
        assert_eq!(shop.end_session(&in_shop[1]).await.unwrap(), Some(1), "{url}");
        assert!(!lives(&*stores[1], &renewed).await, "{url}");
        stop(operators, stores).await;
    }

    world::on_servers!(
        is_listed_and_ended_by_its_handle_in_its_own_realm:
        sqlite, postgres, mariadb, redis, redis_cluster, redis_sentinel, mongoeco, nx_27017
    );
}

mod all_sessions {
    use super::*;

    /// More than a page of them.
    const COUNT: usize = 1100;

    async fn of_one_or_of_everyone_end_in_their_own_realm(url: &str) {
        let (operators, stores) = (started(url).await, stores(url));
        let [admin, shop] = &operators[..] else { panic!("two realms") };
        let other = sign_in(&*stores[0], "ada").await;
        let anonymous = record(SystemClock.seconds());
        stores[1].save(&new(&anonymous, anonymous.seen + 3600)).await.unwrap();
        let (ada, bob) = (sign_in(&*stores[1], "ada").await, sign_in(&*stores[1], "bob").await);
        assert_eq!(shop.end_subject("ada").await.unwrap(), Some(1), "{url}");
        assert!(!lives(&*stores[1], &ada).await && lives(&*stores[1], &bob).await, "{url}");
        for heap in (0..COUNT).collect::<Vec<_>>().chunks(50) {
            let subjects: Vec<String> = heap.iter().map(|n| format!("user {n}")).collect();
            join_all(subjects.iter().map(|subject| sign_in(&*stores[1], subject))).await;
        }
        assert_eq!(shop.end_everyone().await.unwrap(), Some(1 + COUNT as u64), "{url}");
        assert_eq!(shop.end_everyone().await.unwrap(), Some(0), "{url}");
        assert!(!lives(&*stores[1], &bob).await, "{url}");
        assert!(lives(&*stores[0], &other).await && lives(&*stores[1], &anonymous).await, "{url}");
        assert_eq!(admin.end_everyone().await.unwrap(), Some(1), "{url}");
        stop(operators, stores).await;
    }

    world::on_servers!(
        of_one_or_of_everyone_end_in_their_own_realm:
        sqlite, postgres, mariadb, redis, redis_cluster, redis_sentinel, mongoeco, nx_27017
    );
}

mod by_a_clock_that_is_ahead {
    use super::*;

    async fn what_lives_on_elsewhere_ends_too(url: &str) {
        let now = SystemClock.seconds();
        let ahead = ManualClock::at(OffsetDateTime::from_unix_timestamp(now + 40).unwrap());
        let table = format!("[default.session]\nstore = {url:?}\ncookie = {:?}\n", REALMS[1]);
        let sessions = Sessions::<Visitor>::fairing().clock(Arc::new(ahead));
        let operators = sessions.operators(&figment(&table)).unwrap();
        operators[0].start().await.unwrap();
        let stores = vec![store::open(url, REALMS[1]).unwrap()];
        let signed_in = async |subject: &str| {
            let record = Record { subject: Some(subject.to_owned()), signed_in: Some(now), ..record(now) };
            stores[0].save(&new(&record, now + 30)).await.unwrap();
            record
        };
        let ada = signed_in("ada").await;
        operators[0].end_subject("ada").await.unwrap();
        assert!(!lives(&*stores[0], &ada).await, "{url}");
        let bob = signed_in("bob").await;
        assert_eq!(operators[0].end_everyone().await.unwrap(), Some(1), "{url}");
        assert!(!lives(&*stores[0], &bob).await, "{url}");
        stop(operators, stores).await;
    }

    world::on_servers!(what_lives_on_elsewhere_ends_too: sqlite, postgres, mariadb, redis, mongoeco, nx_27017);
}

mod a_session_that_is_being_renewed {
    use super::*;

    /// Renews a session some times, or until it has ended; what it was last.
    async fn renewed(store: &dyn Store, mut record: Record) -> Record {
        for _ in 0..12 {
            match renew(store, &record).await {
                Some(next) => record = next,
                None => break,
            }
        }
        record
    }

    async fn does_not_escape(url: &str) {
        let (operators, stores) = (started(url).await, stores(url));
        let shop = &operators[1];
        let mut all = Vec::new();
        for n in 0..20 {
            all.push(sign_in(&*stores[1], &format!("user {n}")).await);
        }
        let renewals = join_all(all.into_iter().map(|record| renewed(&*stores[1], record)));
        let (ended, last) = rocket::tokio::join!(shop.end_everyone(), renewals);
        assert!(ended.unwrap() >= Some(20), "{url}");
        for record in &last {
            assert!(!lives(&*stores[1], record).await, "{url}");
        }
        stop(operators, stores).await;
    }

    world::on_servers!(does_not_escape: sqlite, postgres, mariadb, redis, redis_cluster, nx_27017);
}

#[rocket::async_test]
async fn a_realm_that_nobody_can_reach_says_why() {
    let settings = "[default.session.realms.\"/cookies\"]\ncookie = \"__Host-a\"\n\
                    [default.session.realms.\"/ledger\"]\ncookie = \"__Host-b\"\nrevocation = \"memory\"\n\
                    [default.session.realms.\"/memory\"]\ncookie = \"__Host-c\"\nstore = \"memory:10\"\n";
    let operators = Sessions::<Visitor>::fairing().operators(&figment(settings)).unwrap();
    let unable: Vec<_> = operators.iter().map(|operator| (operator.path(), operator.unable())).collect();
    let expected = [Unable::CookiesAlone, Unable::InMemory, Unable::InMemory].map(Some);
    assert_eq!(unable, ["/cookies", "/ledger", "/memory"].into_iter().zip(expected).collect::<Vec<_>>());
    for operator in &operators {
        operator.start().await.unwrap();
        let refused = [
            operator.end_subject("ada").await.err(),
            operator.end_everyone().await.err(),
            operator.end_session(&"0123456789abcdef".parse().unwrap()).await.err(),
            operator.sessions_of("ada").await.err(),
        ];
        for refused in refused {
            assert!(matches!(refused, Some(OperatorError::Unable(_))), "{refused:?}");
        }
    }
}
