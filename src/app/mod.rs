//! The web app: the same pages in every realm, one file per page.

mod account;
mod account_changes;
mod accounts;
mod admin;
mod assets;
mod audit;
mod bars;
mod browser;
#[cfg(feature = "lab")]
mod chart;
mod code;
mod compare;
mod compared;
mod confirm;
mod cookie;
mod copies;
mod csrf;
mod data_dir;
mod elsewhere;
mod errors;
mod event_line;
mod flash;
mod guide_tables;
mod guides;
mod headers;
#[cfg(feature = "lab")]
mod lab;
#[cfg(feature = "lab")]
mod lab_asked;
#[cfg(feature = "lab")]
mod lab_choice;
mod lab_setting;
#[cfg(feature = "lab")]
mod lab_work;
#[cfg(feature = "lab")]
mod lanes;
mod live;
#[cfg(feature = "lab")]
mod load;
mod logger;
mod login;
mod logout;
mod metrics;
mod names;
mod next;
mod now;
mod operator;
mod outage;
mod overview;
mod page;
mod password;
mod passwords;
mod profile;
mod register;
mod secret_key;
mod sender;
mod sessions;
mod setting;
mod settings;
mod signed_out;
mod spans;
mod standing;
mod store_names;
mod templates;
mod throttle;
mod timeline;
mod times;
mod tour;
mod turns;
mod user;
mod visitor;
mod visits;

use std::path::PathBuf;
use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::{Build, Rocket, Route};
use sealed_sessions::operator::RealmOperator;
use sealed_sessions::{Clock, Sessions};

pub use self::accounts::Account;
pub use self::logger::start_logging;
pub use self::operator::AccountBook;
use self::secret_key::Provided;
use self::settings::Settings;
pub use self::visitor::Visitor;

/// A fuzz target of the folder `fuzz`.
#[cfg(fuzzing)]
pub fn fuzz_next(bytes: &[u8]) {
    next::stays_here(bytes);
}

/// The settings of the app: built-in defaults, then `Rocket.toml`, then `ROCKET_…` variables.
pub fn figment() -> Figment {
    settings::figment()
}

/// The configuration with the key that the app would use. Unlike [`build`], creates none.
///
/// # Errors
/// When there is no key yet, or the file in `data_dir` does not hold one.
pub fn with_existing_key(figment: Figment) -> Result<Figment, String> {
    let settings = Settings::read(&figment)?;
    secret_key::existing(settings.with_stores(figment), &settings.data_dir)
}

/// What lists and ends the sessions of each realm, with the key and the stores that the app would use.
///
/// # Errors
/// When there is no key yet, or the configuration is wrong.
pub fn operators(figment: Figment) -> Result<Vec<RealmOperator>, String> {
    let figment = with_existing_key(figment)?;
    Sessions::<Visitor>::fairing().operators(&figment).map_err(|error| error.to_string())
}

/// Where the app keeps its files: the key, the database, the last load test.
///
/// # Errors
/// When the configuration is wrong.
pub fn data_dir(figment: &Figment) -> Result<PathBuf, String> {
    Settings::read(figment).map(|settings| settings.data_dir)
}

/// The whole app. Nothing in it is global: any number can run in one process, each with its own
/// configuration and clock. A wrong configuration refuses the launch.
pub fn build(figment: Figment, clock: Arc<dyn Clock>) -> Rocket<Build> {
    let configured = Settings::read(&figment).and_then(|settings| {
        if let Some(problem) = logger::problem(&figment) {
            return Err(problem);
        }
        let provided = secret_key::provide(settings.with_stores(figment.clone()), &settings.data_dir)?;
        Ok((provided, settings))
    });
    match configured {
        Ok((provided, settings)) => launchable(provided, settings, clock),
        Err(problem) => refusing(figment, problem),
    }
}

fn launchable(provided: Provided, settings: Settings, clock: Arc<dyn Clock>) -> Rocket<Build> {
    let sessions = Sessions::<Visitor>::fairing().clock(Arc::clone(&clock)).on_event(audit::SessionLog);
    let (metrics, registry) = metrics::Metrics::new();
    let sessions = sessions.on_event(metrics);
    let sessions = sessions.default_realm(&settings.default_realm);
    // The accounts come first: the sessions may be in their database, and the templates need its directory.
    // Sessions come before the headers, so that an error page that replaces a response gets those too.
    let mut rocket = rocket::custom(templates::configure(provided.figment, &settings))
        .attach(accounts::fairing(&settings, Arc::clone(&clock)))
        .attach(data_dir::warnings(&settings.data_dir))
        .attach(compare::before_saving())
        .attach(sessions)
        .attach(compare::after_saving())
        .attach(headers::fairing())
        .attach(cookie::inspector())
        .attach(templates::fairing())
        .attach(admin::Admin::new(settings.admin_port, registry))
        .mount("/", overview::routes())
        .mount("/", assets::routes())
        .mount("/", compare::routes())
        .mount("/", guides::routes())
        .register("/", errors::catchers())
        .register("/", outage::catchers());
    #[cfg(feature = "lab")]
    {
        rocket = rocket.attach(lab::fairing());
        if settings.lab {
            rocket = rocket.mount("/", lab::routes()).mount("/", load::routes());
        }
    }
    for realm in &settings.realms {
        rocket = rocket.mount(realm.as_str(), realm_routes());
    }
    if let Some(file) = provided.made {
        rocket = rocket.attach(AdHoc::on_ignite("Secret Key", |rocket| async move {
            let file = file.display();
            log::warn!(
                "no secret_key is configured: made one in {file}. Anyone who has it can forge any session."
            );
            rocket
        }));
    }
    let rocket = rocket.manage(settings).manage(clock).manage(compare::Taken::default());
    rocket.manage(Arc::new(audit::Names::default()))
}

fn refusing(figment: Figment, problem: String) -> Rocket<Build> {
    rocket::custom(figment).attach(AdHoc::try_on_ignite("Configuration", |rocket| async move {
        log::error!("the app refuses to launch: {problem}");
        Err(rocket)
    }))
}

/// The pages of one realm.
fn realm_routes() -> Vec<Route> {
    [
        visits::routes(),
        register::routes(),
        login::routes(),
        profile::routes(),
        logout::routes(),
        signed_out::routes(),
        cookie::routes(),
        sessions::routes(),
        password::routes(),
        confirm::routes(),
        account::routes(),
        live::routes(),
    ]
    .concat()
}
