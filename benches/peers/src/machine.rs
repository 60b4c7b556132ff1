//! Where it was measured, and with what.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use crate::Outcome;

/// The libraries whose versions are said.
const LIBRARIES: [&str; 9] = [
    "rocket",
    "rocket_flex_session",
    "axum",
    "tower-sessions",
    "tower-sessions-cookie-store",
    "tower-sessions-sqlx-store",
    "tower-sessions-redis-store",
    "libsqlite3-sys",
    "mimalloc",
];

/// The processor, the compiler and the libraries.
pub fn description() -> Outcome<String> {
    let processor = fs::read_to_string("/proc/cpuinfo")?;
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let rustc = String::from_utf8(Command::new("rustc").arg("--version").output()?.stdout)?;
    let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"))?;
    let versions = LIBRARIES.map(|library| format!("{library} {}", version(&lock, library).unwrap_or("?")));
    Ok(format!(
        "Measured on {} cores of {}, {}, with {}.\n",
        available_parallelism()?,
        model.map_or("an unknown processor", |(_, model)| model),
        rustc.trim(),
        versions.join(", ")
    ))
}

/// Of the first that the lock file has by this name.
fn version<'a>(lock: &'a str, library: &str) -> Option<&'a str> {
    lock.split_once(&format!("name = \"{library}\"\nversion = \""))?.1.split('"').next()
}
