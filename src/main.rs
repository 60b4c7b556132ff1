//! The command line.

use std::sync::Arc;

use sealed_sessions::app;
use sealed_sessions::session::SystemClock;

#[rocket::main]
async fn main() {
    let _ = app::build(app::figment(), Arc::new(SystemClock)).launch().await;
}
