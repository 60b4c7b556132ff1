//! The command line.

use std::sync::Arc;

use sealed_sessions::app;
use sealed_sessions::session::SystemClock;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[rocket::main]
async fn main() {
    let _ = app::build(app::figment(), Arc::new(SystemClock)).launch().await;
}
