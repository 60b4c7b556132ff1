//! Where sessions meet Rocket: they read the settings at ignition and commit with every response.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::figment::Figment;
use rocket::http::Header;
use rocket::{Build, Orbit, Request, Response, Rocket};

use crate::clock::{Clock, SystemClock};
use crate::commit::commit;
use crate::cookie::format::Lines;
use crate::data::SessionData;
use crate::engine::{Engine, RequestSessions};
use crate::error_page;
use crate::lifecycle::{self, Upkeep};
use crate::realm::NamedStore;
use crate::realm::config_error::ConfigError;
use crate::realm::settings;
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
    data: PhantomData<fn() -> T>,
}

impl<T: SessionData> Sessions<T> {
    /// Sessions as the table `session` of the configuration sets them up.
    pub fn fairing() -> Sessions<T> {
        Sessions { clock: Arc::new(SystemClock), stores: Vec::new(), data: PhantomData }
    }

    /// Takes the time from `clock` instead of the system.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Sessions<T> {
        Sessions { clock, ..self }
    }

    /// Makes `store` available to the setting `store = "NAME"`. The store belongs to this app, which stops it
    /// when it shuts down.
    #[must_use]
    pub fn store(mut self, name: &str, store: Arc<dyn Store>) -> Sessions<T> {
        self.stores.push((name.to_owned(), store));
        self
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
        match self.ignite(&rocket).await {
            Ok(engine) => Ok(rocket.manage(engine)),
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
        let mut used = false;
        for (realm, session) in sessions.loaded(&engine.realms) {
            let committed = commit(realm, session, &engine.empty, failed).await;
            lines.extend(committed.lines);
            failure = failure.or(committed.failure);
            used = true;
        }
        if let Some(failure) = failure {
            error_page::replace(request, response, failure).await;
        }
        if used {
            finish(response, lines);
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
    /// Reads the settings and starts the stores. `Err` says why the launch is refused.
    async fn ignite(&self, rocket: &Rocket<Build>) -> Result<Engine, String> {
        if let Some(other) = rocket.state::<Engine>() {
            let (held, name) = (other.data_name, std::any::type_name::<T>());
            return Err(format!("they hold {held} already and cannot hold {name} too"));
        }
        let engine = Engine::new::<T>(rocket.figment(), &self.stores, &self.clock)
            .map_err(|error| error.to_string())?;
        lifecycle::start(&engine.realms).await?;
        Ok(engine)
    }
}

/// Rule 11: what was built from a session is for one browser only. Then adds the lines to those of the handler
/// and of other fairings.
fn finish(response: &mut Response<'_>, lines: Lines) {
    let (mut has_caching, mut has_vary, mut varies, mut has_cookies) = (false, false, false, false);
    for header in response.headers().iter() {
        has_caching |= header.name == "Cache-Control";
        has_cookies |= header.name == "Set-Cookie";
        if header.name == "Vary" {
            has_vary = true;
            varies |= header.value.split(',').any(names_cookie);
        }
    }
    if !has_caching {
        response.set_header(Header::new("Cache-Control", "no-store"));
    }
    if !varies {
        add(response, has_vary, Header::new("Vary", "Cookie"));
    }
    for line in lines {
        add(response, has_cookies, Header::new("Set-Cookie", line));
        has_cookies = true;
    }
}

/// Adds a header without replacing others of its name. Setting it is half the work where there is none.
fn add<'r>(response: &mut Response<'r>, has_others: bool, header: Header<'r>) {
    if has_others {
        response.adjoin_header(header);
    } else {
        response.set_header(header);
    }
}

fn names_cookie(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("cookie") || name.trim() == "*"
}
