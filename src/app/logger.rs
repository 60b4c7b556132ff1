//! The program's log. Rocket's own would show nothing below a warning at `log_level = "critical"`, which is the default
//! of a release build: no sign-in, and not why a cookie was refused.

use std::io::{Write, stderr, stdout};
use std::sync::OnceLock;
use std::time::SystemTime;

use log::{Level, LevelFilter, Log, Metadata, Record};
use rocket::config::LogLevel;
use rocket::figment::Figment;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use yansi::Paint;

/// What the app and the library say: it tells of security, and is shown down to its details at every level but `off`.
const OWN: &str = "sealed_sessions";
/// Lines that are formatted already.
pub(super) const EVENT: &str = "sealed_sessions::event";
/// What Rocket says of its start, as warnings; it shows it at every level but `off` too.
const LAUNCH: &str = "rocket::launch";
/// What Rocket shows at `debug` only.
const NOISY: [&str; 2] = ["hyper", "rustls"];

/// How the lines of the log are written: the setting `log_format`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// For people; what is said of sessions and accounts as `key=value`.
    #[default]
    Text,
    /// An object for each line.
    Json,
}

/// The format of the process's log.
static FORMAT: OnceLock<Format> = OnceLock::new();

/// How the lines of the process's log are written.
pub(super) fn format() -> Format {
    FORMAT.get().copied().unwrap_or_default()
}

/// Makes this the log of the process, in place of Rocket's, with the level and the format of the configuration.
pub fn start_logging(figment: &Figment) {
    let level = figment.extract_inner("log_level").unwrap_or(LogLevel::Normal);
    // One that is wrong refuses the launch.
    let format = *FORMAT.get_or_init(|| figment.extract_inner("log_format").unwrap_or_default());
    if log::set_boxed_logger(Box::new(Logger { others: level.into(), format })).is_ok() {
        log::set_max_level(match level {
            LogLevel::Off => LevelFilter::Off,
            level => LevelFilter::from(level).max(LevelFilter::Debug),
        });
    }
}

/// Why a level or a format is refused, unless the configuration allows it.
pub(super) fn problem(figment: &Figment) -> Option<String> {
    if figment.contains("log_format")
        && let Err(error) = figment.extract_inner::<Format>("log_format")
    {
        return Some(format!("log_format: {error}; accepted: \"text\" or \"json\""));
    }
    let is_debug = figment.extract_inner("log_level").is_ok_and(|level: LogLevel| level == LogLevel::Debug);
    match figment.extract_inner("allow_secret_logs") {
        Ok(true) => None,
        Ok(false) if !is_debug => None,
        Ok(false) => Some(
            "log_level is \"debug\", at which Rocket prints every password that is typed and every session's cookie; \
             accepted: \"normal\", \"critical\", \"off\", or \"debug\" with allow_secret_logs = true"
                .into(),
        ),
        Err(error) => Some(format!("allow_secret_logs: {error}; accepted: true or false")),
    }
}

/// Whether a line is of the lab's own small servers, which meet faults on purpose.
fn is_experiment() -> bool {
    #[cfg(feature = "lab")]
    return crate::lab::is_experiment();
    #[cfg(not(feature = "lab"))]
    false
}

struct Logger {
    /// What is shown of others than the app and the library.
    others: LevelFilter,
    format: Format,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let shown = if target.starts_with(OWN) {
            self.others.max(LevelFilter::Debug)
        } else if NOISY.iter().any(|noisy| target.starts_with(noisy)) && self.others < LevelFilter::Trace {
            LevelFilter::Off
        } else {
            self.others
        };
        metadata.level() <= shown || target.contains(LAUNCH)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) || is_experiment() {
            return;
        }
        let line = match self.format {
            _ if record.target() == EVENT => format!("{}\n", record.args()),
            Format::Text => text(record),
            Format::Json => object(record),
        };
        // One call for a line, so that those of two threads do not mix; a log that nobody reads is no reason to stop.
        let _ = stdout().write_all(line.as_bytes()).or_else(|_| stderr().write_all(line.as_bytes()));
    }

    fn flush(&self) {}
}

fn text(record: &Record<'_>) -> String {
    let (said, target) = (record.args(), record.target());
    // Rocket marks a line that belongs to the one before it by the end of its target.
    match record.level() {
        _ if target.ends_with('_') => format!("   {} {said}\n", ">>".bold()),
        Level::Error => format!("{} {said}\n", "Error:".red().bold()),
        Level::Warn if !target.contains(LAUNCH) => format!("{} {said}\n", "Warning:".yellow().bold()),
        _ => format!("{said}\n"),
    }
}

fn object(record: &Record<'_>) -> String {
    let now = OffsetDateTime::from(SystemTime::now()).format(&Rfc3339).unwrap_or_default();
    let level = record.level().as_str().to_ascii_lowercase();
    let object = json!({
        "time": now,
        "level": level,
        "target": record.target().trim_end_matches('_'),
        "message": record.args().to_string(),
    });
    format!("{object}\n")
}
