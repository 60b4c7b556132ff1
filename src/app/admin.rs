//! `GET /metrics` and `GET /health` for the machine that the app runs on, at a port of their own.

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::tokio::net;
use rocket::tokio::sync::Semaphore;
use rocket::tokio::task::JoinHandle;
use rocket::tokio::time::{sleep, timeout};
use rocket::{Build, Orbit, Rocket};
use sealed_sessions::Health;
use serde_json::{Value, json};
use sqlx::SqlitePool;

use super::accounts::Accounts;

/// How many connections are served at once.
const MAX_CONNECTIONS: usize = 16;

/// How long a connection may take.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the database of accounts may take to answer.
const ACCOUNTS_TIMEOUT: Duration = Duration::from_secs(2);

const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const JSON_TYPE: &str = "application/json";

/// Serves the metrics and the health at a loopback port.
pub(super) struct Admin {
    /// `None` turns it off; 0 is any free one.
    port: Option<u16>,
    registry: Arc<Registry>,
    stage: Mutex<Stage>,
}

enum Stage {
    Off,
    /// It listens, so that a port that is taken refuses the launch.
    Bound(TcpListener),
    #[expect(dead_code, reason = "held for its Drop")]
    Serving(Server),
}

/// Serves until it is dropped.
struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the pages are made from.
struct Sources {
    registry: Arc<Registry>,
    sessions: Option<Health>,
    accounts: Option<SqlitePool>,
}

impl Admin {
    pub(super) fn new(port: Option<u16>, registry: Registry) -> Admin {
        Admin { port, registry: Arc::new(registry), stage: Mutex::new(Stage::Off) }
    }

    /// Moves on to another stage, and returns the one before.
    fn enter(&self, stage: Stage) -> Stage {
        std::mem::replace(&mut *self.stage.lock().unwrap_or_else(PoisonError::into_inner), stage)
    }
}

#[rocket::async_trait]
impl Fairing for Admin {
    fn info(&self) -> Info {
        Info { name: "Admin", kind: Kind::Ignite | Kind::Liftoff | Kind::Shutdown }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        let Some(port) = self.port else { return Ok(rocket) };
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        match bound.and_then(|listener| listener.set_nonblocking(true).map(|()| listener)) {
            Ok(listener) => {
                self.enter(Stage::Bound(listener));
                Ok(rocket)
            }
            Err(error) => {
                log::error!(
                    "the app refuses to launch: admin_port is {port}: {error}; accepted: a port that is free, 0 for \
                     any, or \"none\""
                );
                Err(rocket)
            }
        }
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let Stage::Bound(listener) = self.enter(Stage::Off) else { return };
        let accounts = rocket.state::<Accounts>().map(|accounts| accounts.pool.clone());
        let sources =
            Sources { registry: Arc::clone(&self.registry), sessions: Health::of(rocket), accounts };
        let listening = net::TcpListener::from_std(listener);
        let address = listening.and_then(|listener| listener.local_addr().map(|address| (listener, address)));
        match address {
            Ok((listener, address)) => {
                log::info!("metrics at http://{address}/metrics, health at http://{address}/health");
                self.enter(Stage::Serving(Server(rocket::tokio::spawn(serve(listener, Arc::new(sources))))));
            }
            Err(error) => log::error!("there are no metrics: {error}"),
        }
    }

    /// Whoever asks for the health of an app that stops gets no connection.
    async fn on_shutdown(&self, _: &Rocket<Orbit>) {
        self.enter(Stage::Off);
    }
}

async fn serve(listener: net::TcpListener, sources: Arc<Sources>) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((connection, _)) = listener.accept().await else {
            // No file is left for it, say.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let sources = Arc::clone(&sources);
        rocket::tokio::spawn(async move {
            let answer = service_fn(|request| answer(request, &sources));
            let served = http1::Builder::new().serve_connection(TokioIo::new(connection), answer);
            // Whoever asked has gone, or takes too long.
            let _ = timeout(CONNECTION_TIMEOUT, served).await;
            drop(place);
        });
    }
}

async fn answer(request: Request<Incoming>, sources: &Sources) -> Result<Response<Full<Bytes>>, Infallible> {
    // A page of another site whose name leads here must not read this.
    if !is_local(&request) {
        return Ok(page(StatusCode::FORBIDDEN, "text/plain", "Ask for 127.0.0.1 or localhost.\n".into()));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = page(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "GET or HEAD.\n".into());
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(refused);
    }
    Ok(match request.uri().path() {
        "/metrics" => {
            let mut text = String::new();
            match encode(&mut text, &sources.registry) {
                Ok(()) => page(StatusCode::OK, METRICS_TYPE, text),
                Err(_) => page(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", String::new()),
            }
        }
        "/health" => {
            let problems = problems(sources).await;
            let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            let body = json!({ "ready": problems.is_empty(), "problems": problems });
            page(status, JSON_TYPE, format!("{body}\n"))
        }
        _ => page(StatusCode::NOT_FOUND, "text/plain", "There are /metrics and /health.\n".into()),
    })
}

fn is_local(request: &Request<Incoming>) -> bool {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost")
}

/// What keeps the app from serving, by its part: the path of a realm, or the accounts.
async fn problems(sources: &Sources) -> Vec<Value> {
    let mut problems = Vec::new();
    if let Some(sessions) = &sources.sessions {
        let found = sessions.problems().await;
        problems.extend(found.into_iter().map(|found| json!({ "part": found.realm, "why": found.why })));
    }
    if let Some(accounts) = &sources.accounts {
        let asked =
            timeout(ACCOUNTS_TIMEOUT, sqlx::query("SELECT 1 FROM accounts LIMIT 1").execute(accounts));
        let why = match asked.await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer within {} seconds", ACCOUNTS_TIMEOUT.as_secs())),
        };
        problems.extend(why.map(|why| json!({ "part": "accounts", "why": why })));
    }
    problems
}

fn page(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
