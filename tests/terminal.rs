//! The command line before a person at a terminal, and before a pipe that nobody reads.

use std::io::{PipeWriter, Write, pipe};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::Chars;

use world::{KEY, program};

/// A pipe whose reader has gone.
fn closed_pipe() -> PipeWriter {
    pipe().unwrap().1
}

#[test]
fn a_closed_pipe_ends_every_command_quietly() {
    let directory = tempfile::tempdir().unwrap();
    let commands: [&[&str]; 6] = [
        &["keygen"],
        &["inspect"],
        &["--help"],
        &["--version"],
        &["lab", "tamper", "--store=cookie"],
        &["lab", "tamper", "--store=cookie", "--json"],
    ];
    for arguments in commands {
        for stderr_too in [false, true] {
            let mut command = program!().command(directory.path());
            command.args(arguments).env("ROCKET_SECRET_KEY", KEY);
            command.stdin(Stdio::piped()).stdout(closed_pipe());
            command.stderr(if stderr_too { Stdio::from(closed_pipe()) } else { Stdio::piped() });
            let mut child = command.spawn().unwrap();
            // Only `inspect` reads it.
            let _ = child.stdin.take().unwrap().write_all(b"__Host-Http-stateless=junk");
            let output = child.wait_with_output().unwrap();
            let expected = i32::from(arguments == ["inspect"]);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {said}");
            assert!(!said.contains("panicked") && !said.contains("pipe"), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_the_way_to_choose_another() {
    let directory = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = program!()
        .command(directory.path())
        .env("ROCKET_PORT", &port)
        // Whatever the log's level, and whoever reads it.
        .env("ROCKET_LOG_LEVEL", "off")
        .stdout(closed_pipe())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(&format!("127.0.0.1, port {port}")) && said.contains("ROCKET_PORT="), "{said}");
}

/// What a terminal gets that the program runs in, and what is to be seen on it in the end.
fn on_a_terminal(directory: &Path, arguments: &str, no_color: &str) -> (String, Vec<String>) {
    let program = env!("CARGO_BIN_EXE_sealed-sessions");
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &format!("'{program}' {arguments}"), "/dev/null"])
        .current_dir(directory)
        .env("TERM", "xterm-256color")
        .env("NO_COLOR", no_color)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let sent = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{sent}");
    let seen = screen(&sent);
    (sent, seen)
}

/// The lines of a terminal after this text: colours have no width, and a bar that is cleared is not there.
fn screen(sent: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let (mut at, mut is_at_start) = (0, false);
    let mut letters = sent.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => {
                assert_eq!(letters.next(), Some('['));
                match code(&mut letters).as_str() {
                    "2K" => lines[at].clear(),
                    "K" | "0K" if is_at_start => lines[at].clear(),
                    code if code.ends_with('A') => at -= code.trim_end_matches('A').parse().unwrap_or(1),
                    code => assert!(code.ends_with('m'), "a code that this does not know: {code}"),
                }
            }
            '\r' => is_at_start = true,
            '\n' => {
                at += 1;
                lines.resize(lines.len().max(at + 1), String::new());
                is_at_start = true;
            }
            letter => {
                if is_at_start {
                    lines[at].clear();
                }
                is_at_start = false;
                lines[at].push(letter);
            }
        }
    }
    lines
}

/// The rest of a control sequence, which ends with a letter.
fn code(letters: &mut Chars<'_>) -> String {
    let mut code = String::new();
    while !code.ends_with(|letter: char| letter.is_ascii_alphabetic()) {
        code.push(letters.next().unwrap());
    }
    code
}

#[test]
fn the_lab_shows_a_person_colours_questions_a_key_and_the_time_it_took() {
    let directory = tempfile::tempdir().unwrap();
    let (sent, seen) = on_a_terminal(directory.path(), "lab --store cookie --store memory", "");
    for coloured in ["\u{1b}[32m✓ holds\u{1b}[0m", "\u{1b}[31m✗ does not hold\u{1b}[0m"] {
        assert!(sent.contains(coloured), "{coloured:?}: {sent}");
    }
    let experiments = sealed_sessions_app::lab::ALL;
    let heads = seen[0].split_whitespace().collect::<Vec<_>>();
    assert_eq!(heads, ["cookie", "memory"], "nothing is left of the progress: {seen:#?}");
    for (pair, experiment) in seen[1..].chunks(2).zip(experiments) {
        assert!(pair[0].starts_with(experiment.slug), "{pair:?}");
        assert_eq!(pair[1].trim(), experiment.question);
    }
    let key = &seen[1 + 2 * experiments.len()..];
    for said in ["✓ holds: ", "✗ does not hold: ", "– not applicable: ", "? not run: "] {
        assert!(key.iter().any(|line| line.starts_with(said)), "{said}: {key:?}");
    }
    let took = key.iter().rev().find(|line| !line.is_empty()).unwrap();
    assert!(took.starts_with(&format!("{} experiments on 2 stores in ", experiments.len())), "{took}");
    assert!(took.ends_with(" seconds"), "{took}");
}

#[test]
fn the_lab_has_no_colours_for_someone_who_wants_none() {
    let directory = tempfile::tempdir().unwrap();
    let (sent, seen) = on_a_terminal(directory.path(), "lab tamper --store cookie", "1");
    assert!(!sent.contains("\u{1b}[3") && !sent.contains("\u{1b}[2m"), "{sent:?}");
    assert_eq!(seen[1].split_whitespace().collect::<Vec<_>>(), ["tamper", "✓", "holds"]);
    let piped =
        program!().command(directory.path()).args(["lab", "tamper", "--store=cookie"]).output().unwrap();
    assert!(!piped.stdout.contains(&0x1b));
}

#[test]
fn a_store_that_does_not_answer_is_not_run_and_says_why_in_plain_words() {
    let directory = tempfile::tempdir().unwrap();
    // Nothing listens on port 1.
    let mut stores = vec![("sqlite:/dev/null/lab.db", "File exists")];
    if cfg!(feature = "redis") {
        stores.push(("redis://127.0.0.1:1", "Connection refused"));
    }
    if cfg!(feature = "mongodb") {
        stores.push(("mongodb://127.0.0.1:1/lab", "No available servers"));
    }
    for (store, reason) in stores {
        let arguments = ["lab", "tamper", "rollback", "--store", store, "--store", "cookie"];
        let output = program!().command(directory.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{store}");
        let printed = String::from_utf8(output.stdout).unwrap();
        let cell = printed.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>();
        assert_eq!(cell, ["tamper", "?", "not", "run", "✓", "holds"], "{printed}");
        for text in [printed, String::from_utf8(output.stderr).unwrap()] {
            assert!(text.contains(reason), "{text}");
            assert!(!text.contains(['{', '}']) && !text.contains("ErrorKind"), "{text}");
        }
    }
}
