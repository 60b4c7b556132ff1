//! The counter with tower-sessions and axum. `STORE` is `cookie`, `memory`, the URL of a database, or `none` for
//! the bare route alone. With `PRIVATE=true` the id in the cookie is encrypted.

use std::env;
use std::error::Error;
use std::net::Ipv4Addr;
use std::str::FromStr;

use axum::Router;
use axum::routing::get;
use time::Duration;
use tokio::net::TcpListener;
use tower_sessions::cookie::Key;
use tower_sessions::session::Error as SessionError;
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer, SessionStore};
use tower_sessions_cookie_store::{CookieSessionConfig, CookieSessionManagerLayer};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};
use tower_sessions_sqlx_store::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use tower_sessions_sqlx_store::sqlx::{PgPool, SqlitePool};
use tower_sessions_sqlx_store::{PostgresStore, SqliteStore};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error>>;

const COUNTER_KEY: &str = "counter";
const TIMEOUT: Expiry = Expiry::OnInactivity(Duration::minutes(30));

async fn visits(session: Session) -> Result<String, String> {
    let views = views(&session).await? + 1;
    session.insert(COUNTER_KEY, views).await.map_err(said)?;
    Ok(views.to_string())
}

async fn read(session: Session) -> Result<String, String> {
    Ok(views(&session).await?.to_string())
}

async fn views(session: &Session) -> Result<u64, String> {
    Ok(session.get(COUNTER_KEY).await.map_err(said)?.unwrap_or(0))
}

fn said(error: SessionError) -> String {
    error.to_string()
}

/// As Rocket is set up: connections are served by one worker thread, and the main thread accepts them.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Outcome<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, env::var("PORT")?.parse()?)).await?;
    let app = app(&env::var("STORE")?).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// The routes around which the sessions of this store are a layer.
async fn app(store: &str) -> Outcome<Router> {
    let bare = Router::new().route("/bare", get(async || "0"));
    let router = bare.clone().route("/visits", get(visits)).route("/read", get(read));
    Ok(match store.split(':').next() {
        Some("none") => bare,
        Some("cookie") => {
            let config = CookieSessionConfig::default().with_expiry(TIMEOUT);
            router.layer(CookieSessionManagerLayer::private(key()).with_config(config))
        }
        Some("memory") => with_sessions(router, MemoryStore::default()),
        Some("sqlite") => {
            // What sealed-sessions sets too; the defaults wait for the disk at every change.
            let options = SqliteConnectOptions::from_str(store)?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal);
            let store = SqliteStore::new(SqlitePool::connect_with(options).await?);
            store.migrate().await?;
            with_sessions(router, store)
        }
        Some("postgres") => {
            let store = PostgresStore::new(PgPool::connect(store).await?);
            store.migrate().await?;
            with_sessions(router, store)
        }
        Some("redis") => {
            let pool = Pool::new(Config::from_url(store)?, None, None, None, 6)?;
            pool.connect();
            pool.wait_for_connect().await?;
            with_sessions(router, RedisStore::new(pool))
        }
        _ => return Err(format!("STORE: {store}").into()),
    })
}

fn with_sessions(router: Router, store: impl SessionStore + Clone) -> Router {
    let sessions = SessionManagerLayer::new(store).with_expiry(TIMEOUT);
    if env::var("PRIVATE").is_ok() {
        router.layer(sessions.with_private(key()))
    } else {
        router.layer(sessions)
    }
}

/// The same at each start, so that nothing depends on chance.
fn key() -> Key {
    Key::from(&[7; 64])
}
