//! Who is compared.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use world::databases::{self, Database};

use crate::Outcome;

/// A program of this crate, built with one of its features.
#[derive(Clone, Copy, PartialEq)]
pub struct Program {
    name: &'static str,
    feature: &'static str,
}

const OURS: Program = Program { name: "ours", feature: "ours" };
const OURS_WITH_STORES: Program = Program { name: "ours", feature: "ours-stores" };
const PRIVATE_COOKIE: Program = Program { name: "private_cookie", feature: "private-cookie" };
const FLEX: Program = Program { name: "flex", feature: "flex" };
const TOWER: Program = Program { name: "tower", feature: "tower" };

/// One library with one store.
#[derive(Clone, Copy)]
pub struct Side {
    pub name: &'static str,
    pub program: Program,
    pub store: Store,
    /// Whether the id is encrypted in a cookie where that is left to the app.
    pub private: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Store {
    Cookie,
    Memory,
    Sqlite,
    Redis,
    Postgres,
}

const fn side(name: &'static str, program: Program, store: Store) -> Side {
    Side { name, program, store, private: false }
}

/// Those of these stores, in the order of the tables.
pub fn sides(stores: &[Store]) -> impl Iterator<Item = Side> {
    SIDES.into_iter().filter(|side| stores.contains(&side.store))
}

const SIDES: [Side; 14] = [
    side("**Sealed Sessions**", OURS, Store::Cookie),
    side("Rocket's private cookie, by hand", PRIVATE_COOKIE, Store::Cookie),
    side("rocket_flex_session", FLEX, Store::Cookie),
    side("tower-sessions-cookie-store", TOWER, Store::Cookie),
    side("**Sealed Sessions**", OURS_WITH_STORES, Store::Memory),
    side("rocket_flex_session", FLEX, Store::Memory),
    side("tower-sessions", TOWER, Store::Memory),
    Side { private: true, ..side("tower-sessions, private cookie", TOWER, Store::Memory) },
    side("**Sealed Sessions**", OURS_WITH_STORES, Store::Sqlite),
    side("tower-sessions-sqlx-store", TOWER, Store::Sqlite),
    side("**Sealed Sessions**", OURS_WITH_STORES, Store::Redis),
    side("tower-sessions-redis-store", TOWER, Store::Redis),
    side("**Sealed Sessions**", OURS_WITH_STORES, Store::Postgres),
    side("tower-sessions-sqlx-store", TOWER, Store::Postgres),
];

impl Program {
    /// Where [`build`] puts it.
    pub fn path(self) -> Outcome<PathBuf> {
        Ok(directory()?.join(self.feature))
    }
}

impl Store {
    pub const ALL: [Store; 5] = [Store::Cookie, Store::Memory, Store::Sqlite, Store::Redis, Store::Postgres];

    pub fn name(self) -> &'static str {
        match self {
            Store::Cookie => "cookie",
            Store::Memory => "memory",
            Store::Sqlite => "SQLite",
            Store::Redis => "Redis",
            Store::Postgres => "PostgreSQL",
        }
    }

    /// A new and empty one: what programs know it by, and the database, which ends with the second value.
    pub fn open(self) -> Outcome<(String, Option<Database>)> {
        let start: fn() -> Option<Database> = match self {
            Store::Cookie => return Ok(("cookie".into(), None)),
            Store::Memory => return Ok(("memory".into(), None)),
            Store::Sqlite => databases::sqlite,
            Store::Redis => databases::redis,
            Store::Postgres => databases::postgres,
        };
        let database = start().ok_or_else(|| format!("{} is not installed", self.name()))?;
        let url = database.url();
        if let Some(parent) = url.strip_prefix("sqlite:").and_then(|path| Path::new(path).parent()) {
            fs::create_dir_all(parent)?;
        }
        Ok((url, Some(database)))
    }
}

/// Builds all programs, each on its own, so that none has a feature that another asked for.
pub fn build() -> Outcome<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for program in [OURS, OURS_WITH_STORES, PRIVATE_COOKIE, FLEX, TOWER] {
        let built = Command::new(&cargo)
            .args(["build", "--release", "--features", program.feature, "--bin", program.name])
            .arg("--target-dir")
            .arg(target_directory()?)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()?;
        if !built.success() {
            return Err(
                format!("{} does not build with the feature {}", program.name, program.feature).into()
            );
        }
        fs::create_dir_all(directory()?)?;
        fs::copy(target_directory()?.join("release").join(program.name), program.path()?)?;
    }
    Ok(())
}

/// What is kept beside the build: the programs and their logs.
pub fn directory() -> Outcome<PathBuf> {
    Ok(target_directory()?.join("peers"))
}

/// This program is in `<target>/release`.
fn target_directory() -> Outcome<PathBuf> {
    Ok(env::current_exe()?.ancestors().nth(2).ok_or("no target directory")?.to_owned())
}
