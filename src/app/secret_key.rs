//! A key that the app creates for itself, so that it starts without configuration and its sessions
//! survive a restart.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use rocket::figment::Figment;
use sealed_sessions::keys::{generate_key, has_secret_key, parse_key};

use super::data_dir::{self, KEY_FILE};

/// A configuration with a key.
pub(super) struct Provided {
    pub(super) figment: Figment,
    /// The file of a key that was just created, to be logged once the log is open.
    pub(super) made: Option<PathBuf>,
}

/// The configuration; if it has no key, with that of `data_dir/secret.key`, which is created if need be.
pub(super) fn provide(figment: Figment, data_dir: &Path) -> Result<Provided, String> {
    let file = file_in(data_dir);
    if has_secret_key(&figment) || file.exists() {
        return Ok(Provided { figment: existing(figment, data_dir)?, made: None });
    }
    let first =
        create(data_dir, &file).map_err(|error| format!("cannot make {}: {error}", file.display()))?;
    Ok(Provided { figment: existing(figment, data_dir)?, made: first.then_some(file) })
}

/// The configuration; if it has no key, with that of `data_dir/secret.key`.
pub(super) fn existing(figment: Figment, data_dir: &Path) -> Result<Figment, String> {
    if has_secret_key(&figment) {
        return Ok(figment);
    }
    let file = file_in(data_dir);
    let text =
        fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    match parse_key(text.trim()) {
        Ok(_) => Ok(figment.merge(("secret_key", text.trim()))),
        Err(problem) => Err(format!("cannot use the key in {}: {problem}", file.display())),
    }
}

fn file_in(data_dir: &Path) -> PathBuf {
    data_dir.join(KEY_FILE)
}

/// Puts a whole key in place atomically: of processes that start together, one wins and all read its key.
/// Returns whether it was this one.
fn create(data_dir: &Path, file: &Path) -> io::Result<bool> {
    data_dir::make(data_dir)?;
    let key = generate_key().map_err(io::Error::other)?;
    // Its name is random, since processes in containers can have equal ids; its mode is 600.
    let mut draft = tempfile::Builder::new().prefix(KEY_FILE).tempfile_in(data_dir)?;
    writeln!(draft, "{key}")?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(file) {
        // The name must last too: sessions sealed under a key that a power cut takes away are lost.
        Ok(_) => File::open(data_dir)?.sync_all().map(|()| true),
        Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(failed) => Err(failed.error),
    }
}
