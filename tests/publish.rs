//! What a stranger gets: the files that are published, and the guide's counter in an empty project.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use world::{Jar, Program};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a command says, which has to succeed.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}\n{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn cargo(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(dir).env("CARGO_NET_OFFLINE", "true");
    command
}

/// Every file below `folder` of the library, as a path from the library.
fn files(folder: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join("sessions").join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else {
                found.insert(path.to_str().unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn the_package_has_the_library_its_examples_and_its_papers_and_nothing_else() {
    let list = said(cargo(root()).args(["package", "-p", "sealed-sessions", "--list", "--allow-dirty"]));
    let papers = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];
    let manifests = ["Cargo.lock", "Cargo.toml", "Cargo.toml.orig"];
    let mut expected: BTreeSet<String> = papers.into_iter().chain(manifests).map(str::to_owned).collect();
    expected.extend(files("src"));
    expected.extend(files("examples"));
    // Only where the checkout is of git.
    let listed: BTreeSet<String> =
        list.lines().filter(|line| *line != ".cargo_vcs_info.json").map(str::to_owned).collect();
    assert_eq!(listed, expected);
}

/// The command in the README that makes a key.
fn making_a_key() -> String {
    let readme = fs::read_to_string(root().join("sessions/README.md")).unwrap();
    readme.lines().find(|line| line.trim_start().starts_with("printf")).unwrap().to_owned()
}

#[test]
fn an_empty_project_builds_and_tests_the_guides_counter_and_its_key_survives_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let site = dir.path().join("stranger");
    // Where this test was built, so that what is compiled already need not be again.
    let target = Path::new(env!("CARGO_BIN_EXE_sealed-sessions")).ancestors().nth(2).unwrap();
    let cargo = || {
        let mut command = cargo(&site);
        command.env("CARGO_TARGET_DIR", target);
        command
    };
    fs::create_dir(&site).unwrap();
    said(cargo().args(["init", "--quiet", "--vcs", "none"]));
    // The releases that the workspace has: nothing is downloaded.
    fs::copy(root().join("Cargo.lock"), site.join("Cargo.lock")).unwrap();
    said(cargo().args(["add", "--quiet", "rocket@0.5.2"]));
    said(cargo().args(["add", "--quiet", "serde@1", "--features", "derive"]));
    said(cargo().args(["add", "--quiet", "--path"]).arg(root().join("sessions")));
    fs::copy(root().join("sessions/examples/counter.rs"), site.join("src/main.rs")).unwrap();
    assert!(said(cargo().args(["test", "--quiet"])).contains("1 passed"));
    said(cargo().args(["build", "--quiet"]));
    said(Command::new("sh").args(["-c", &making_a_key()]).current_dir(&site));

    let program = target.join("debug/stranger").to_str().unwrap().to_owned();
    let settings = site.join("Rocket.toml").to_str().unwrap().to_owned();
    let settings = [("ROCKET_CONFIG", settings.as_str())];
    let app = Program::at(program.leak()).start(&settings);
    let mut jar = Jar::default();
    assert_eq!(app.get(&mut jar, "/").body, "1");
    let app = app.restart(&settings);
    assert_eq!(app.get(&mut jar, "/").body, "2");
}
