//! The directory of the app's files: for their owner only, and prepared by one process at a time.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rocket::fairing::{AdHoc, Fairing};

/// The key that the app created for itself.
pub(super) const KEY_FILE: &str = "secret.key";
/// The accounts, the sessions of `/stateful` and the ledger of `/revocable`. SQLite creates its other files with the permissions of this one.
pub(super) const DATABASE_FILE: &str = "app.db";

/// How long a change of the database may wait for its turn among those of this process, and then as long again for those
/// of others. SQLite lets processes poll, so that one of them may have to wait for much longer than each of them writes.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Creates the data directory, for its owner only: it holds the key and the password hashes.
pub(super) fn make(data_dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir)
}

/// Creates an empty file for its owner only, unless it exists.
pub(super) fn make_file(file: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(file).map(drop)
}

/// Waits for other processes that prepare this directory, until they drop what this returns. `None` on a file
/// system without locks: processes that start together may then refuse to launch, but break nothing.
pub(super) fn lock(data_dir: &Path) -> Option<File> {
    let directory = File::open(data_dir).ok()?;
    directory.lock().ok()?;
    Some(directory)
}

/// Says at launch which files others than their owner can read or change.
pub(super) fn warnings(data_dir: &Path) -> impl Fairing {
    let files = [KEY_FILE, DATABASE_FILE].map(|name| data_dir.join(name));
    AdHoc::on_ignite("Data Directory", |rocket| async move {
        for file in &files {
            let Ok(metadata) = fs::metadata(file) else { continue };
            let mode = metadata.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                let file = file.display();
                log::warn!(
                    "others than its owner can use {file}, whose mode is {mode:o}: chmod 600 '{file}'"
                );
            }
        }
        rocket
    })
}
