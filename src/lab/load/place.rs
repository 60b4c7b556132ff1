//! Where what some servers share is.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::lab::bench::Setting;

/// A setting, and the file behind it if `sqlite` alone asked for a temporary one.
pub(super) struct Place {
    pub(super) setting: Setting,
    file: Option<(PathBuf, TempDir)>,
}

impl Place {
    pub(super) fn of(setting: &Setting) -> Result<Place, String> {
        if !setting.is_temporary_file() {
            return Ok(Place { setting: setting.clone(), file: None });
        }
        let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let file = directory.path().join("sessions.db");
        Ok(Place { setting: setting.in_file(&file), file: Some((file, directory)) })
    }

    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|(file, _)| file.as_path())
    }
}
