//! Where the programs of the databases are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::skip::skipped;

/// The paths of the programs, or None, said once for each store, when one of them is not installed.
pub(crate) fn installed<const N: usize>(
    store: &'static str,
    programs: [impl AsRef<Path>; N],
) -> Option<[PathBuf; N]> {
    let found = programs.each_ref().map(|program| find(program.as_ref()));
    if let Some(missing) = found.iter().position(Option::is_none) {
        skipped(store, programs[missing].as_ref().display());
    }
    found.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok()
}

/// The program, wherever Debian puts it: that of the newest PostgreSQL, one on the path, or one for daemons.
fn find(program: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path()).collect();
    versions.sort_by_key(|path| {
        path.file_name().and_then(OsStr::to_str).and_then(|name| name.parse::<u32>().ok())
    });
    let postgres = versions.into_iter().rev().map(|version| version.join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let mut paths = postgres.chain(env::split_paths(&path)).chain([PathBuf::from("/usr/sbin")]);
    paths.find_map(|path| Some(path.join(program)).filter(|path| path.is_file()))
}

/// A program of the environment that scripts/test installs beside the build.
pub(super) fn python_program(name: &str) -> PathBuf {
    target_directory().join("python/bin").join(name)
}

/// The directory of the build. Cargo names it only when it compiles integration tests, but programs are in
/// `<target>/<profile>`, and those of tests in `deps` there.
pub(super) fn target_directory() -> PathBuf {
    let program = env::current_exe().unwrap();
    let mut directories = program.ancestors().skip(1).skip_while(|directory| directory.ends_with("deps"));
    directories.nth(1).unwrap().to_owned()
}
