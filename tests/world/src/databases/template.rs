//! Data directories of new servers: making one takes seconds, copying it does not.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;

use super::account::user;
use super::installed::target_directory;
use super::{directory, output};

/// Puts a new data directory, which belongs to `account`, at `data`. `make` makes it in a scratch directory,
/// once for all test runs, and again when the `recipe` changes.
pub(super) fn copy_template(account: &str, recipe: impl Hash, data: &Path, make: impl FnOnce(&Path, &Path)) {
    let mut hasher = DefaultHasher::new();
    (user(), recipe).hash(&mut hasher);
    let templates = target_directory().join("tmp");
    fs::create_dir_all(&templates).unwrap();
    let template = templates.join(format!("{account}-{:016x}", hasher.finish()));
    let lock = File::create(template.with_extension("lock")).unwrap();
    // One test makes it, and the others wait for that.
    lock.lock().unwrap();
    if !template.exists() {
        // Made where the account can enter, and moved in one step, so that an interrupted one does not count.
        let scratch = directory();
        let (made, copy) = (scratch.path().join("data"), template.with_extension("part"));
        let mut create = Command::new("install");
        if user() == 0 {
            create.args(["--owner", account, "--group", account]);
        }
        output(create.args(["--directory", "--mode=700"]).arg(&made));
        make(scratch.path(), &made);
        output(Command::new("rm").arg("-rf").arg(&copy));
        output(Command::new("cp").args(["-a", "--reflink=auto"]).args([&made, &copy]));
        fs::rename(&copy, &template).unwrap();
    }
    drop(lock);
    output(Command::new("cp").args(["-a", "--reflink=auto"]).args([template.as_path(), data]));
}

/// What the program says of its version, for the recipe.
pub(super) fn version(program: &Path) -> String {
    output(Command::new(program).arg("--version"))
}
