//! `serve`: the app itself.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use rocket::error::ErrorKind;
use rocket::figment::Figment;
use sealed_sessions::SystemClock;
use sealed_sessions_app::app;
use sealed_sessions_app::terminal::say;

pub(crate) async fn execute() -> ExitCode {
    let figment = app::figment();
    app::start_logging(&figment);
    match app::build(figment.clone(), Arc::new(SystemClock)).launch().await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            match error.kind() {
                ErrorKind::Bind(problem) => say(cannot_listen(&figment, problem)),
                // Says what is wrong in Rocket's own words; what refused the launch has said so before.
                _ => drop(error.pretty_print()),
            }
            ExitCode::FAILURE
        }
    }
}

/// What to do about an address that cannot be had.
fn cannot_listen(figment: &Figment, problem: &io::Error) -> String {
    let address: String = figment.extract_inner("address").unwrap_or_default();
    let port: u16 = figment.extract_inner("port").unwrap_or_default();
    let advice = match problem.kind() {
        io::ErrorKind::AddrInUse => {
            let other = port.checked_add(1).unwrap_or(8000);
            format!(
                "another program has port {port}: end it, or choose another port, as with ROCKET_PORT={other}"
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!("port {port} is not for everyone: ROCKET_PORT chooses another")
        }
        _ => "ROCKET_ADDRESS and ROCKET_PORT choose another".into(),
    };
    format!("sealed-sessions: cannot listen on {address}, port {port}: {problem}; {advice}")
}
