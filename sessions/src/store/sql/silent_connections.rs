//! Connections that were dropped on the way: nobody says so, and nothing answers any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rocket::futures::future::{join_all, pending};
use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::{TcpListener, TcpStream};
use rocket::tokio::spawn;
use rocket::tokio::time::timeout;
use sqlx::{Executor, Postgres};

use super::connections::Connections;
use super::postgres::POSTGRES;

/// Messages of PostgreSQL's protocol.
const AUTHENTICATED: &[u8] = b"R\0\0\0\x08\0\0\0\0";
const DONE: &[u8] = b"C\0\0\0\x08SET\0";
const READY: &[u8] = b"Z\0\0\0\x05I";

/// Says yes to whatever it is asked, unless it is one of the first `silent` connections.
async fn serve(mut client: TcpStream, number: usize, silent: Arc<AtomicUsize>) -> std::io::Result<()> {
    let length = client.read_u32().await?;
    client.read_exact(&mut vec![0; length as usize - 4]).await?;
    client.write_all(&[AUTHENTICATED, READY].concat()).await?;
    loop {
        let kind = client.read_u8().await?;
        let length = client.read_u32().await?;
        client.read_exact(&mut vec![0; length as usize - 4]).await?;
        if number < silent.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
        let answer = if kind == b'Q' { [DONE, READY].concat() } else { READY.to_vec() };
        client.write_all(&answer).await?;
    }
}

#[rocket::async_test]
async fn a_silent_connection_costs_one_caller_a_second_and_the_others_go_with_it() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = Arc::new(AtomicUsize::new(0));
    let (accepted, are_silent) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&silent));
    let count = Arc::clone(&accepted);
    spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let number = count.fetch_add(1, Ordering::SeqCst);
            spawn(serve(client, number, Arc::clone(&are_silent)));
        }
    });
    let url = format!("postgres://ada@127.0.0.1:{port}/sessions?sslmode=disable");
    let connections = Connections::<Postgres>::new(url.parse().unwrap(), &POSTGRES, 8);
    let ask = async || connections.run(|connection| connection.execute("SET x = 1")).await.unwrap();
    join_all((0..32).map(|_| ask())).await;
    let idle = connections.idle().len();
    assert!(idle > 2, "{idle}");

    silent.store(accepted.load(Ordering::SeqCst), Ordering::SeqCst);
    let long_ago = Instant::now() - Duration::from_secs(60);
    connections.idle().iter_mut().for_each(|kept| kept.since = long_ago);
    assert!(timeout(Duration::ZERO, ask()).await.is_err(), "this caller gives up at once");
    let served = timeout(Duration::from_secs(10), async {
        ask().await;
        ask().await;
    });
    assert!(served.await.is_ok(), "they wait for one silent connection after another");
    assert_eq!(connections.idle().len(), 1, "the others are forgotten");
}
