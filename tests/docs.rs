//! What the documents say about the code.

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The tests that a row names, as `FILE::test`, or `::test` of the file before it.
fn named(row: &str) -> Vec<(String, String)> {
    let mut file = String::new();
    let mut all = Vec::new();
    let code = row.split('`').skip(1).step_by(2);
    for (path, test) in code.filter_map(|code| code.split_once("::")) {
        if path.ends_with(".rs") {
            file = if path.starts_with("src/") || path.starts_with("sessions/") {
                path.to_owned()
            } else {
                format!("tests/{path}")
            };
        }
        if path.is_empty() || path.ends_with(".rs") {
            all.push((file.clone(), test.to_owned()));
        }
    }
    all
}

#[test]
fn every_row_of_the_security_page_names_tests_that_exist_or_says_that_there_are_none() {
    let page = read("docs/security.md");
    let is_row = |line: &&str| {
        let id = line.trim_start_matches("| ").split(' ').next().unwrap_or_default();
        id.len() >= 2 && id.starts_with(['C', 'L', 'X', 'A', 'K', 'O']) && id[1..].parse::<u8>().is_ok()
    };
    let rows: Vec<&str> = page.lines().filter(is_row).collect();
    assert_eq!(rows.len(), 38, "as many as there are requirements");
    for row in rows {
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
            let found = found || source.contains(&format!("on_every_store!({test});"));
            assert!(found, "{file} has no test {test}, which {row:.60} names");
        }
    }
}

#[test]
fn the_readme_has_a_row_for_every_setting_that_is_read() {
    let config = read("sessions/src/config.rs");
    let table = config.split_once("struct Table {").unwrap().1.split_once('}').unwrap().0;
    let keys = table.lines().filter_map(|line| line.trim().split_once(": ")).map(|(key, _)| key);
    let keys: Vec<&str> = keys.chain(["secret_key", "realms"]).collect();
    assert!(keys.len() > 15, "{keys:?}");
    let readme = read("README.md");
    for key in keys {
        assert!(readme.contains(&format!("| `{key}`")), "no row for {key}");
    }
}
