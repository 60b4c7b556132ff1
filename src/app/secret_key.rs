//! A key that the app makes for itself, so that it starts without configuration and its sessions
//! survive a restart.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rocket::figment::Figment;

use crate::session::{generate_key, has_secret_key, parse_key};

/// A configuration with a key.
pub(super) struct Provided {
    pub(super) figment: Figment,
    /// Where the key was made just now, to be said once the log is open.
    pub(super) made: Option<PathBuf>,
}

/// The configuration, with the key of `data_dir/secret.key` where it has none of its own.
pub(super) fn provide(figment: Figment, data_dir: &Path) -> Result<Provided, String> {
    if has_secret_key(&figment) {
        return Ok(Provided { figment, made: None });
    }
    let mut made = None;
    let file = data_dir.join("secret.key");
    let explain =
        |what: &str, error: &dyn std::fmt::Display| format!("cannot {what} {}: {error}", file.display());
    let text = match fs::read_to_string(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let first = create(data_dir, &file).map_err(|error| explain("make", &error))?;
            made = first.then(|| file.clone());
            fs::read_to_string(&file)
        }
        read => read,
    };
    let text = text.map_err(|error| explain("read", &error))?;
    parse_key(text.trim()).map_err(|problem| explain("use", &problem))?;
    Ok(Provided { figment: figment.merge(("secret_key", text.trim())), made })
}

/// Puts a whole key in place at once: of two processes that start together, one wins and both read it.
/// Says whether it was this one.
fn create(data_dir: &Path, file: &Path) -> io::Result<bool> {
    fs::create_dir_all(data_dir)?;
    let key = generate_key().map_err(io::Error::other)?;
    let draft = data_dir.join(format!("secret.key.{}", std::process::id()));
    let mut writer = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(writer, "{key}")?;
    writer.sync_all()?;
    let placed = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    match placed {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
