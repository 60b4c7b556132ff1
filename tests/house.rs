//! How the code is laid out: CONTRIBUTING.md says it, this holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const MAX_LINES: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, as a path from the root of the repository.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn no_file_is_longer_than_a_reader_bears() {
    for path in ["src", "tests", "sessions"].iter().flat_map(|folder| files(folder)) {
        let lines = read(&path).lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines, more than {MAX_LINES}", path.display());
    }
}

#[test]
fn no_two_files_import_each_other_even_by_way_of_others() {
    for source in ["src", "sessions/src", "tests/world/src"] {
        let imports = imports(source);
        assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 5, "{source}: {imports:?}");
        for start in imports.keys() {
            let mut path = vec![start];
            assert!(!leads_back(&imports, start, &mut path, &mut BTreeSet::new()), "a circle: {path:?}");
        }
    }
}

#[test]
fn the_library_knows_neither_templates_nor_accounts_nor_the_lab() {
    for path in files("sessions/src") {
        let code: String = read(&path)
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        for word in ["tera::", "template", "argon2", "lab::", "sealed_sessions_app"] {
            assert!(!code.to_lowercase().contains(word), "{} names {word}", path.display());
        }
    }
}

/// A start and the lab are told to people; what happens to sessions and accounts is a line of `key=value`, written by
/// `event_line.rs` (ASVS 5.0, 16.3).
#[test]
fn the_app_says_nothing_of_sessions_and_accounts_in_free_text() {
    let of_the_start = ["accounts.rs", "admin.rs", "data_dir.rs", "load.rs", "mod.rs"];
    let allowed = [&of_the_start[..], &["event_line.rs", "lab.rs"]].concat();
    let says = |path: &PathBuf| {
        let text = read(path);
        ["log::log!", "log::error!", "log::warn!", "log::info!", "log::debug!"]
            .iter()
            .any(|line| text.contains(line))
    };
    let found: Vec<PathBuf> = files("src/app").into_iter().filter(says).collect();
    let allowed: Vec<PathBuf> = allowed.iter().map(|name| Path::new("src/app").join(name)).collect();
    assert_eq!(found.iter().filter(|path| !allowed.contains(path)).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(found.len(), allowed.len(), "every file of the list does: {found:?}");
}

/// A deploy can be taken back: the release before runs on the database that the new one has migrated.
#[test]
fn a_migration_only_adds() {
    let mut found = 0;
    for entry in fs::read_dir(root().join("migrations")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        // The first line of each statement; the others are indented, or close it.
        for line in text.lines().filter(|line| line.starts_with(|letter: char| letter.is_alphabetic())) {
            let adds = ["CREATE TABLE ", "CREATE INDEX ", "CREATE TRIGGER "]
                .iter()
                .any(|verb| line.starts_with(verb))
                || (line.starts_with("ALTER TABLE ") && line.contains(" ADD COLUMN "))
                || line == "END;";
            assert!(adds, "{}: {line}", path.display());
            found += 1;
        }
    }
    assert!(found > 5, "{found}");
}

/// SP 800-90A by way of the operating system: ASVS 5.0, 7.2.3 and 11.5.1. Two more files take numbers that are no secret:
/// the name of a request, and of an account.
#[test]
fn c7_the_operating_system_is_the_only_source_of_random_bits() {
    let calls = |path: &PathBuf, call: &str| read(path).contains(call);
    let all: Vec<PathBuf> = ["src", "sessions/src"].iter().flat_map(|folder| files(folder)).collect();
    for other in
        ["rand::", "thread_rng", "fastrand", "oorandom", "SystemRandom", "StdRng", "SmallRng", "Uuid"]
    {
        // The name of the source itself ends like one of others.
        let found = all.iter().find(|path| read(path).replace("getrandom::", "").contains(other));
        assert_eq!(found, None, "{other}");
    }
    let secret =
        ["cookie/form_token.rs", "cookie/key.rs", "cookie/seal.rs", "ledger/identity.rs", "record/id.rs"];
    let secret: Vec<PathBuf> = secret.iter().map(|name| Path::new("sessions/src").join(name)).collect();
    let found: Vec<PathBuf> = all.iter().filter(|path| calls(path, "getrandom::fill(")).cloned().collect();
    assert_eq!(found, secret);
    let id = read(Path::new("sessions/src/record/id.rs"));
    assert!(id.contains("pub const BYTES: usize = 16;"), "128 bits");
}

type Imports = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

fn leads_back<'i>(
    imports: &'i Imports,
    start: &PathBuf,
    path: &mut Vec<&'i PathBuf>,
    seen: &mut BTreeSet<&'i PathBuf>,
) -> bool {
    let here = *path.last().unwrap();
    for next in imports.get(here).into_iter().flatten() {
        if next == start {
            return true;
        }
        if seen.insert(next) {
            path.push(next);
            if leads_back(imports, start, path, seen) {
                return true;
            }
            path.pop();
        }
    }
    false
}

/// Which files each file of a crate imports from. A `mod.rs` that only hands on what its room makes is a signpost,
/// and its `pub use` is no import.
fn imports(source: &str) -> Imports {
    let all: BTreeSet<PathBuf> = files(source).into_iter().collect();
    let mut imports = Imports::new();
    for file in &all {
        let module = module(source, file);
        let text = read(file);
        let code = text.split("\nmod tests {").next().unwrap();
        let imported = imports.entry(file.clone()).or_default();
        for used in used_paths(code) {
            let target = absolute(&module, &used).and_then(|path| file_of(source, &all, &path));
            imported.extend(target.filter(|target| target != file));
        }
    }
    imports
}

/// The module of a file, as the names from the crate's root.
fn module(source: &str, file: &Path) -> Vec<String> {
    let path = file.strip_prefix(source).unwrap().with_extension("");
    let mut names: Vec<String> = path.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
    if names.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        names.pop();
    }
    names
}

/// The paths that `use` declarations, other than public ones, and `super::`, `crate::` expressions name.
fn used_paths(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut statement = String::new();
    for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
        if !statement.is_empty() || line.trim_start().starts_with("use ") {
            statement.push_str(line.trim());
            if line.trim_end().ends_with(';') {
                let tree = statement.trim_start_matches("use ").trim_end_matches(';');
                expand(&[], tree, &mut paths);
                statement.clear();
            }
            continue;
        }
        if line.trim_start().starts_with("pub use ") {
            continue;
        }
        // A visibility names a module, but imports nothing.
        let line = match line.split_once("pub(in ") {
            Some((before, after)) => {
                format!("{before}{}", after.split_once(')').map_or("", |(_, rest)| rest))
            }
            None => line.to_owned(),
        };
        for word in line.split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == ':')) {
            if word.starts_with("super::") || word.starts_with("crate::") {
                paths.push(word.split("::").map(str::to_owned).collect());
            }
        }
    }
    paths
}

/// Writes out the paths of a tree such as `a::{b, c::{d, e}}`.
fn expand(before: &[String], tree: &str, paths: &mut Vec<Vec<String>>) {
    let mut before = before.to_vec();
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        before.extend(tree.split(" as ").next().unwrap().split("::").map(|name| name.trim().to_owned()));
        paths.push(before);
        return;
    };
    before.extend(head.split("::").filter(|name| !name.is_empty()).map(|name| name.trim().to_owned()));
    let group = group.strip_suffix('}').unwrap();
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in group.char_indices().chain([(group.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !group[start..at].trim().is_empty() {
                    expand(&before, &group[start..at], paths);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// A path from the crate's root; none if it leads to another crate.
fn absolute(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let mut names = path.iter().peekable();
    let mut absolute = match names.next()?.as_str() {
        "crate" => Vec::new(),
        "self" => module.to_vec(),
        "super" => {
            let mut up = module.to_vec();
            up.pop();
            while names.next_if(|name| *name == "super").is_some() {
                up.pop();
            }
            up
        }
        _ => return None,
    };
    absolute.extend(names.cloned());
    Some(absolute)
}

/// The file that defines the longest module in front of a path.
fn file_of(source: &str, all: &BTreeSet<PathBuf>, path: &[String]) -> Option<PathBuf> {
    (0..=path.len()).rev().find_map(|length| {
        let module: PathBuf = path[..length].iter().collect();
        let candidates = if length == 0 {
            vec![Path::new(source).join("lib.rs")]
        } else {
            let file = Path::new(source).join(module);
            vec![file.with_extension("rs"), file.join("mod.rs")]
        };
        candidates.into_iter().find(|candidate| all.contains(candidate))
    })
}
