//! What the documents say about the code.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every page, as a path from the top of the repository.
fn pages() -> Vec<PathBuf> {
    let top = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
    let top =
        top.into_iter().chain(["benches/peers/README.md", "sessions/README.md", "sessions/CHANGELOG.md"]);
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let docs = docs.map(|path| path.strip_prefix(root()).unwrap().to_owned());
    top.map(PathBuf::from).chain(docs).collect()
}

/// What stands between backticks within a line.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// The file that a page means by `path`: from the top of the repository, from `tests`, or from the page's own
/// folder.
fn file_of(page: &Path, path: &str) -> Option<PathBuf> {
    let folders = [Path::new(""), Path::new("tests"), page.parent().unwrap()];
    folders.iter().map(|folder| folder.join(path)).find(|path| root().join(path).is_file())
}

/// Every Rust file of the library and of the app, as text.
fn sources() -> Vec<String> {
    let mut sources = Vec::new();
    let mut folders = vec![root().join("src"), root().join("sessions/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(read(path));
            }
        }
    }
    sources
}

/// Whether a source declares or implements the type.
fn has_type(source: &str, name: &str) -> bool {
    let words: Vec<&str> =
        source.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).collect();
    let generic = format!("> {name}<");
    words.windows(2).any(|pair| ["struct", "enum", "trait", "impl"].contains(&pair[0]) && pair[1] == name)
        || source.lines().any(|line| line.starts_with("impl<") && line.contains(&generic))
}

/// Whether a source has a function, a constant or a variant of this name.
fn has_member(source: &str, name: &str) -> bool {
    source.lines().map(str::trim).any(|line| {
        let member = line.split_once("fn ").or_else(|| line.split_once("const ")).map(|(_, rest)| rest);
        let rest = member.unwrap_or(line).strip_prefix(name);
        let ends = if member.is_some() { ['(', '<', ':'] } else { [',', '(', '{'] };
        rest.is_some_and(|rest| rest.trim_start().starts_with(ends))
    })
}

/// The tests that a row names, as `FILE::test`, or `::test` of the file before it.
fn named(row: &str) -> Vec<(PathBuf, String)> {
    let mut file = PathBuf::new();
    let mut all = Vec::new();
    for (path, test) in code(row).filter_map(|code| code.split_once("::")) {
        if path.ends_with(".rs") {
            file = file_of(Path::new("docs/security.md"), path).unwrap_or_else(|| panic!("no {path}: {row}"));
        }
        if path.is_empty() || path.ends_with(".rs") {
            all.push((file.clone(), test.to_owned()));
        }
    }
    all
}

const REALM_BY_REALM: &str = "\n## Realm by realm\n";

/// The rows of a table whose first cell is a requirement's ID, each with that.
fn rows_of(text: &str) -> Vec<(&str, &str)> {
    let id = |line: &'_ str| {
        let is_id = |id: &str| id.len() >= 2 && "CLXAKO".contains(&id[..1]) && id[1..].parse::<u8>().is_ok();
        line.strip_prefix("| ")?.split(' ').next().filter(|id| is_id(id)).map(str::len)
    };
    text.lines().filter_map(|line| Some((&line[2..2 + id(line)?], line))).collect()
}

/// Whether cells of a table are verdicts; one that something fails has its reason.
#[track_caller]
fn assert_verdicts(row: &str, cells: &[&str]) {
    for cell in cells {
        let (verdict, reason) = cell.split_once(": ").unwrap_or((cell, ""));
        assert!(["pass", "fail", "n/a"].contains(&verdict), "{cell:?} in {row}");
        assert!(verdict != "fail" || reason.len() > 5, "why does it fail? {row}");
    }
}

#[test]
fn every_row_of_the_security_page_has_a_verdict_for_every_realm() {
    let page = read("docs/security.md");
    let (requirements, rest) = page.split_once(REALM_BY_REALM).unwrap();
    let (verdicts, rest) = rest.split_once("\n## ASVS 5.0, chapter 7\n").unwrap();
    let ids = |text| rows_of(text).into_iter().map(|(id, _)| id.to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(verdicts), ids(requirements), "the same rows in the same order");
    let realms: Vec<String> = read("Rocket.toml")
        .lines()
        .filter_map(|line| {
            line.strip_prefix("[default.session.realms.\"")?.strip_suffix("\"]").map(str::to_owned)
        })
        .collect();
    let head = verdicts.lines().find(|line| line.starts_with("| ID |")).unwrap();
    assert!(realms.len() == 3 && realms.iter().all(|realm| head.contains(&format!("`{realm}`"))), "{head}");
    for ((_, row), (_, requirement)) in rows_of(verdicts).into_iter().zip(rows_of(requirements)) {
        let cells: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").skip(1).collect();
        assert_eq!(cells.len(), 3, "{row}");
        assert_verdicts(row, &cells);
        let passes = cells.iter().any(|cell| cell.starts_with("pass"));
        assert!(!passes || !requirement.ends_with("| – |"), "no test shows it: {requirement}");
    }
    let clauses: Vec<&str> = rest.lines().filter(|line| line.starts_with("| 7.")).collect();
    assert_eq!(clauses.len(), 18, "the clauses of levels 1 and 2");
    for row in clauses {
        let cells: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").collect();
        assert_verdicts(row, &cells[3..6]);
        let rows = cells[6].split([',', ';']).map(str::trim).filter(|id| id.len() < 4 && *id != "–");
        for id in rows {
            assert!(ids(requirements).iter().any(|known| known == id), "no row {id}: {row}");
        }
    }
}

#[test]
fn every_row_of_the_security_page_names_tests_that_exist_or_says_that_there_are_none() {
    let page = read("docs/security.md");
    let (requirements, _) = page.split_once(REALM_BY_REALM).unwrap();
    let rows = rows_of(requirements);
    assert_eq!(rows.len(), 42, "as many as there are requirements");
    for (_, row) in rows {
        let proof = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap();
        let tests = named(proof);
        let open = ["–", "not built", "no test yet", "by reading"].iter().any(|word| proof.contains(word));
        assert!(!tests.is_empty() || open, "{row}");
        if proof == "–" {
            assert!(row.contains("not built"), "{row}");
        }
        for (file, test) in tests {
            let source = read(&file);
            let found = source.split_once(&format!("fn {test}(")).is_some_and(|(before, _)| {
                before.contains("proptest!")
                    || before.lines().rev().take(3).any(|line| line.contains("test]"))
            });
            let on_stores: String = source.split_whitespace().collect();
            let found = found
                || on_stores.contains(&format!("on_every_store!({test});"))
                || on_stores.contains(&format!("on_servers!({test}:"));
            assert!(found, "{} has no test {test}, which {row:.60} names", file.display());
        }
    }
}

#[test]
fn every_type_and_member_that_the_security_page_names_exists() {
    let page = read("docs/security.md");
    let sources = sources();
    let is_type = |name: &str| name.starts_with(|letter: char| letter.is_ascii_uppercase());
    let names = code(&page).filter_map(|code| code.split_once("::")).filter(|(name, _)| is_type(name));
    let names: Vec<_> = names.filter(|name| *name != ("FILE", "test")).collect();
    assert!(names.len() > 10, "{names:?}");
    for (owner, member) in names {
        let found = sources.iter().any(|source| has_type(source, owner) && has_member(source, member));
        assert!(found, "there is no {owner}::{member}");
    }
}

#[test]
fn every_rust_file_that_a_page_names_exists_and_has_what_is_named_in_it() {
    for page in pages() {
        let text = read(&page);
        for code in code(&text) {
            let (path, name) = code.split_once("::").unwrap_or((code, ""));
            if !path.ends_with(".rs") || path.contains(' ') {
                continue;
            }
            let file = file_of(&page, path).unwrap_or_else(|| panic!("{}: no file {path}", page.display()));
            let source = read(file);
            let has_it =
                name.is_empty() || has_member(&source, name) || source.contains(&format!("!({name})"));
            assert!(has_it, "{}: {path} has no {name}", page.display());
        }
    }
}

/// A heading's name in addresses.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    text.chars().filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter)).collect()
}

/// Where links lead to, as addresses and as paths, each with the page it is on.
fn links() -> Vec<(PathBuf, String)> {
    let links = |page: PathBuf| {
        let text = read(&page);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        links.map(|link| (page.clone(), link.to_owned())).collect::<Vec<_>>()
    };
    pages().into_iter().flat_map(links).collect()
}

/// The address of the repository's files, as the library's manifest has it.
fn repository() -> String {
    let manifest = read("sessions/Cargo.toml");
    let address = manifest.split_once("repository = \"").unwrap().1.split_once('"').unwrap().0;
    format!("{address}/blob/main/")
}

#[test]
fn every_link_between_pages_leads_to_a_file_and_a_heading() {
    let repository = repository();
    let mut to_repository = 0;
    for (page, link) in links() {
        let file = link.strip_prefix(&repository);
        if file.is_some() || !link.contains("://") {
            to_repository += usize::from(file.is_some());
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path.strip_prefix(&repository) {
                Some(file) => root().join(file),
                None if path.is_empty() => root().join(&page),
                None => root().join(&page).with_file_name(path),
            };
            assert!(target.exists(), "{} links to {link}", page.display());
            if !anchor.is_empty() {
                let found =
                    read(target).lines().any(|line| line.starts_with('#') && anchor_of(line) == anchor);
                assert!(found, "{} links to {link}, where no such heading is", page.display());
            }
        }
    }
    assert!(to_repository > 0, "no link to {repository}");
}

#[test]
fn what_is_published_links_to_nothing_outside_of_it_by_a_path() {
    for (page, link) in links().into_iter().filter(|(page, _)| page.starts_with("sessions")) {
        assert!(!link.starts_with("../"), "{} links to {link}", page.display());
    }
}

/// An example of the library without the comment at its head.
fn example(name: &str) -> String {
    let text = read(format!("sessions/examples/{name}.rs"));
    text.split_once("\n\n").unwrap().1.to_owned()
}

/// The Rust blocks of a page by the comment above them: the blocks below `<!-- program: NAME -->` are together the
/// example of that name, and each below `<!-- excerpt: NAME -->` is a part of it.
fn rust_of(page: &Path) -> Vec<(String, Vec<String>)> {
    let mut programs: Vec<(String, Vec<String>)> = Vec::new();
    for (n, part) in read(page).split("```rust\n").enumerate() {
        let (block, prose) = if n == 0 { ("", part) } else { part.split_once("```").unwrap() };
        if n > 0 {
            let program = programs.last_mut();
            let (_, blocks) = program.unwrap_or_else(|| panic!("{}: whose is\n{block}", page.display()));
            blocks.push(block.to_owned());
        }
        let comment = prose.rsplit("<!-- ").next().and_then(|rest| rest.split_once(" -->"));
        if let Some((name, _)) = comment
            && name.contains(": ")
        {
            programs.push((name.to_owned(), Vec::new()));
        }
    }
    programs
}

#[test]
fn the_rust_in_the_pages_is_that_of_examples_which_compile() {
    let mut names = Vec::new();
    for page in pages() {
        for (name, blocks) in rust_of(&page) {
            let place = format!("{}: {name}", page.display());
            assert!(!blocks.is_empty(), "{place}: no block follows");
            match name.split_once(": ").unwrap() {
                ("program", name) => assert_eq!(blocks.join("\n"), example(name), "{place}"),
                ("excerpt", name) => {
                    for block in blocks {
                        assert!(example(name).contains(&block), "{place} has no\n{block}");
                    }
                }
                _ => panic!("{place}: neither a program nor an excerpt"),
            }
            names.push(name);
        }
    }
    for guide in ["counter", "express", "from_private_cookies", "from_tower_sessions"] {
        assert!(names.contains(&format!("program: {guide}")), "no page shows {guide}: {names:?}");
    }
}

/// In a guide's table the last column is what is to be called here.
#[test]
fn every_call_that_a_guides_table_leads_to_exists() {
    let sources = sources();
    let guides = pages().into_iter().filter(|page| page.to_string_lossy().starts_with("docs/from-"));
    let mut calls = 0;
    for guide in guides {
        for row in read(&guide).lines().filter(|line| line.starts_with("| ")) {
            let here = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap();
            for call in code(here).filter_map(|code| code.strip_prefix("session.")) {
                let name = call.split('(').next().unwrap();
                let found =
                    sources.iter().any(|source| has_type(source, "Session") && has_member(source, name));
                assert!(found, "{}: a session has no {name}: {row}", guide.display());
                calls += 1;
            }
        }
    }
    assert!(calls > 20, "{calls}");
}

#[test]
fn the_readme_has_a_row_for_every_setting_that_is_read() {
    let settings = read("sessions/src/realm/settings.rs");
    let table = settings.split_once("struct Table {").unwrap().1.split_once('}').unwrap().0;
    let keys = table.lines().filter_map(|line| line.trim().split_once(": ")).map(|(key, _)| key);
    let keys: Vec<&str> = keys.chain(["secret_key", "realms"]).collect();
    assert!(keys.len() > 15, "{keys:?}");
    let readme = read("README.md");
    for key in keys {
        assert!(readme.contains(&format!("| `{key}`")), "no row for {key}");
    }
}

#[test]
fn every_feature_has_its_rows_and_the_oldest_rust_is_the_manifests() {
    let manifest = read("sessions/Cargo.toml");
    let (readme, guide) = (read("sessions/README.md"), read("sessions/src/lib.rs"));
    let features = manifest.split_once("[features]\n").unwrap().1.split_once("\n\n").unwrap().0;
    let names = features.lines().filter_map(|line| line.split_once(" = [")).map(|(name, _)| name);
    // "sql" is what three of the others share.
    let names: Vec<&str> = names.filter(|name| !["default", "sql"].contains(name)).collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        assert!(readme.contains(&format!("\n| `{name}` |")), "the README has no row for {name}");
        assert!(guide.contains(&format!("\n//! | `{name}` |")), "the guide has no row for {name}");
    }
    let rust_of = |manifest: &str| {
        manifest.split_once("\nrust-version = \"").unwrap().1.split('"').next().unwrap().to_owned()
    };
    let (library, workspace) = (rust_of(&manifest), rust_of(&read("Cargo.toml")));
    assert!(
        readme.contains(&format!("Rust {library} or later")) && guide.contains(&format!("Rust {library}."))
    );
    assert!(read("README.md").contains(&format!("Rust {workspace} or later")));
    let workflow = read(".github/workflows/test.yml");
    assert!(
        [library, workspace].iter().all(|rust| workflow.contains(&format!("rust: \"{rust}\""))),
        "{workflow}"
    );
}

#[test]
fn the_site_shows_every_guide() {
    let shown = read("src/app/guides.rs");
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(shown.contains(&format!("    \"{name}\",\n")), "src/app/guides.rs does not list {name}");
        }
    }
}
