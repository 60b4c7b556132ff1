//! Where sessions meet Rocket: they read the settings at ignition and commit with every response.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::figment::Figment;
use rocket::http::uncased::Uncased;
use rocket::http::{Header, Status};
use rocket::{Build, Orbit, Request, Response, Rocket};

use crate::clock::{Clock, SystemClock};
use crate::commit::{close, commit};
use crate::cookie::format::Lines;
use crate::data::SessionData;
use crate::engine::{Engine, RequestSessions, Setup};
use crate::error::Arrival;
use crate::error_page;
use crate::events::Listener;
use crate::guard::session::form_proof;
use crate::ledger::Log;
use crate::lifecycle::{self, Upkeep};
use crate::operator::RealmOperator;
use crate::realm::config_error::ConfigError;
use crate::realm::settings;
use crate::realm::{Given, NamedLog, NamedStore, WrapStore};
use crate::refusal::Refusal;
use crate::store::Store;

/// The fairing that gives an app sessions of `T`. Attach it once.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// use sealed_sessions::{SessionData, Sessions};
///
/// #[derive(Default, Clone, Serialize, Deserialize)]
/// struct Visitor {
///     views: u64,
/// }
///
/// impl SessionData for Visitor {}
///
/// let rocket = rocket::build().attach(Sessions::<Visitor>::fairing());
/// ```
///
/// If a session cannot be kept, the response is replaced by the app's error page. Of other fairings' headers
/// the page keeps only those that Rocket's `Shield` and the like set; attach a fairing that sets one of your
/// own after this one.
pub struct Sessions<T> {
    clock: Arc<dyn Clock>,
    stores: Vec<NamedStore>,
    logs: Vec<NamedLog>,
    wrap_store: Option<WrapStore>,
    listeners: Vec<Arc<dyn Listener>>,
    default_realm: Option<String>,
    data: PhantomData<fn() -> T>,
}

impl<T: SessionData> Sessions<T> {
    /// Sessions as the table `session` of the configuration sets them up.
    pub fn fairing() -> Sessions<T> {
        Sessions {
            clock: Arc::new(SystemClock),
            stores: Vec::new(),
            logs: Vec::new(),
            wrap_store: None,
            listeners: Vec::new(),
            default_realm: None,
            data: PhantomData,
        }
    }

    /// Takes the time from `clock` instead of the system.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Sessions<T> {
        Sessions { clock, ..self }
    }

    /// Lets [forms](crate::forms) on pages outside of every realm belong to the session of this one.
    #[must_use]
    pub fn default_realm(self, path: &str) -> Sessions<T> {
        Sessions { default_realm: Some(path.to_owned()), ..self }
    }

    /// Tells `listener` what happens to sessions, for the app's log and metrics: [`events`](crate::events). Several
    /// listeners are told in the order in which they were given.
    #[must_use]
    pub fn on_event(mut self, listener: impl Listener) -> Sessions<T> {
        self.listeners.push(Arc::new(listener));
        self
    }

    /// Makes `store` available to the setting `store = "NAME"` of one realm. The store belongs to this app, which stops
    /// it when it shuts down. Its namespace is the one given to [`ServerStore::new`](crate::store::ServerStore::new):
    /// the setting `namespace` does not reach it.
    #[must_use]
    pub fn store(mut self, name: &str, store: Arc<dyn Store>) -> Sessions<T> {
        self.stores.push((name.to_owned(), store));
        self
    }

    /// Makes `log` available to the setting `revocation = "NAME"` of one realm.
    #[must_use]
    pub fn log(mut self, name: &str, log: Arc<dyn Log>) -> Sessions<T> {
        self.logs.push((name.to_owned(), log));
        self
    }

    /// Returns an operator for each realm, which lists and ends its sessions, in alphabetical order: for a program
    /// beside the app, with the same settings, and the same stores and logs if the app brings its own.
    ///
    /// ```no_run
    /// # use sealed_sessions::{SessionData, Sessions};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Default, Clone, Serialize, Deserialize)]
    /// # struct Visitor {}
    /// # impl SessionData for Visitor {}
    /// # async fn sign_out(subject: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// for realm in Sessions::<Visitor>::fairing().operators(&rocket::Config::figment())? {
    ///     if let Some(reason) = realm.unable() {
    ///         eprintln!("{}: {reason}", realm.path());
    ///         continue;
    ///     }
    ///     realm.start().await?;
    ///     realm.end_subject(subject).await?;
    ///     realm.stop().await;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the settings cannot be read, as at launch.
    pub fn operators(&self, figment: &Figment) -> Result<Vec<RealmOperator>, ConfigError> {
        let given = self.given();
        settings::read(figment)?.into_iter().map(|settings| RealmOperator::new(settings, &given)).collect()
    }

    fn given(&self) -> Given<'_> {
        Given {
            stores: &self.stores,
            logs: &self.logs,
            wrap_store: self.wrap_store.as_ref(),
            listeners: &self.listeners,
            clock: &self.clock,
        }
    }

    /// Wraps the store of each realm, the ledger included, to count its calls, say. What `wrap` returns must have
    /// every facet of the store that it was given (`revoke`, `list`, `everyone`, `locks`, `service`), or the launch is
    /// refused.
    #[must_use]
    pub fn wrap_store(
        self,
        wrap: impl Fn(Arc<dyn Store>) -> Arc<dyn Store> + Send + Sync + 'static,
    ) -> Sessions<T> {
        Sessions { wrap_store: Some(Box::new(wrap)), ..self }
    }
}

impl Sessions<()> {
    /// The path prefixes of the configured realms, before the app launches; none where the whole site is one
    /// realm.
    ///
    /// ```
    /// use rocket::figment::Figment;
    /// use rocket::figment::providers::{Format, Toml};
    /// use sealed_sessions::Sessions;
    ///
    /// let toml = Toml::string("[session.realms]\n\"/shop\" = { cookie = \"__Host-shop\" }");
    /// assert_eq!(Sessions::realms(&Figment::from(toml)).unwrap(), ["/shop"]);
    /// ```
    ///
    /// # Errors
    /// When `session.realms` cannot be read. Other settings are checked at launch.
    pub fn realms(figment: &Figment) -> Result<Vec<String>, ConfigError> {
        settings::realm_paths(figment)
    }
}

#[rocket::async_trait]
impl<T: SessionData> Fairing for Sessions<T> {
    fn info(&self) -> Info {
        Info {
            name: "Sessions",
            kind: Kind::Ignite | Kind::Liftoff | Kind::Response | Kind::Shutdown | Kind::Singleton,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        let engine = match self.configured(&rocket) {
            Ok(engine) => engine,
            Err(problem) => {
                log::error!("sessions refuse to launch: {problem}");
                return Ok(rocket.attach(Refusal::new(&problem)));
            }
        };
        match lifecycle::start(&engine.realms).await {
            Ok(()) => Ok(rocket.manage(engine)),
            Err(problem) => {
                log::error!("sessions refuse to launch: {problem}");
                Err(rocket)
            }
        }
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        if let Some(engine) = Engine::of::<T, _>(rocket) {
            let _ = engine.upkeep.set(Upkeep::spawn(&engine.realms, &engine.clock));
        }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let sessions = RequestSessions::<T>::answered(request);
        let Some(engine) = Engine::of::<T, _>(request.rocket()) else { return };
        let failed = response.status().class().is_server_error();
        let mut lines = Lines::new();
        let mut failure = None;
        let (mut used, mut superseded) = (false, false);
        for (realm, session) in sessions.loaded(&engine.realms) {
            used = true;
            superseded |= session.arrival() == Arrival::Superseded;
            let now = engine.clock.seconds();
            let Some(state) = close(realm, session, failed, now) else { continue };
            // On the heap, so that a request that only reads does not carry the room for it.
            let committed = Box::pin(commit(realm, session, state, &engine.empty, failed, now)).await;
            lines.extend(committed.lines);
            failure = failure.or(committed.failure);
        }
        if let Some(failure) = failure {
            Box::pin(error_page::replace(request, response, failure)).await;
        }
        if superseded && response.status() == Status::Unauthorized {
            response.set_header(Header::new(STATE, "superseded"));
        }
        if used {
            finish(engine, request, response, lines);
        }
    }

    /// Rocket calls this before the last requests have been answered.
    async fn on_shutdown(&self, rocket: &Rocket<Orbit>) {
        if let Some(engine) = Engine::of::<T, _>(rocket) {
            let grace = Duration::from_secs(rocket.config().shutdown.grace.into());
            lifecycle::stop(&engine.realms, &engine.requests, grace).await;
        }
    }
}

impl<T: SessionData> Sessions<T> {
    /// Reads the settings. `Err` says why the launch is refused.
    fn configured(&self, rocket: &Rocket<Build>) -> Result<Engine, String> {
        if let Some(other) = rocket.state::<Engine>() {
            let (held, name) = (other.data_name, std::any::type_name::<T>());
            return Err(format!("they hold {held} already and cannot hold {name} too"));
        }
        let setup = Setup {
            given: self.given(),
            default_realm: self.default_realm.clone(),
            form_proof: form_proof::<T>,
        };
        Engine::new::<T>(rocket.figment(), &setup).map_err(|error| error.to_string())
    }
}

/// Tells a client that asks for JSON, say, that a 401 is no sign-out: its request came with the cookie of a session
/// that has just been renewed, and can be sent again with the new one.
const STATE: &str = "Session-State";

/// Rule 11: what was built from a session is for one browser only. Then adds the lines to those of the handler
/// and of other fairings.
fn finish(engine: &Engine, request: &Request<'_>, response: &mut Response<'_>, lines: Lines) {
    let (mut policy, mut has_cookies) = (None, false);
    for header in response.headers().iter() {
        if header.name == "Cache-Control" {
            policy = Some(is_private(&header.value));
        }
        has_cookies |= header.name == "Set-Cookie";
    }
    match policy {
        None => drop(response.set_header(NO_STORE)),
        Some(false) if !lines.is_empty() => {
            response.set_header(NO_STORE);
            engine.warn_of_public_route(request);
        }
        // With our own no-store it would add nothing.
        Some(_) => response.adjoin_raw_header("Vary", "Cookie"),
    }
    for line in lines {
        let header = Header::new("Set-Cookie", line);
        // Setting it is half the work where there is no other.
        if has_cookies {
            response.adjoin_header(header);
        } else {
            response.set_header(header);
        }
        has_cookies = true;
    }
}

const NO_STORE: Header<'static> =
    Header { name: Uncased::from_borrowed("Cache-Control"), value: Cow::Borrowed("no-store") };

/// Whether a policy keeps a response out of shared caches.
fn is_private(policy: &str) -> bool {
    let mut directives = policy.split(',').map(|directive| directive.trim());
    directives.any(|directive| {
        directive.eq_ignore_ascii_case("private") || directive.eq_ignore_ascii_case("no-store")
    })
}
