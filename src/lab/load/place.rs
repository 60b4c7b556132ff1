//! Where the store of some servers is.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A store's setting, and the file behind it if `sqlite` alone asked for a temporary one.
pub(super) struct Place {
    pub(super) setting: String,
    file: Option<(PathBuf, TempDir)>,
}

impl Place {
    pub(super) fn of(store: &str) -> Result<Place, String> {
        if store != "sqlite" {
            return Ok(Place { setting: store.to_owned(), file: None });
        }
        let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let file = directory.path().join("sessions.db");
        Ok(Place { setting: format!("sqlite:{}", file.display()), file: Some((file, directory)) })
    }

    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|(file, _)| file.as_path())
    }
}
