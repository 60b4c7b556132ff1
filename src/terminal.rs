//! Printing, to people at a terminal and to programs behind a pipe.

use std::env;
use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};

/// Prints text on standard output. A reader that has gone wants no more of it: that is no error.
///
/// # Errors
/// When it cannot be written for another reason.
pub fn print(text: &str) -> Result<(), String> {
    let mut output = stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// Prints a line on standard error, if anyone reads it.
pub fn say(line: impl Display) {
    let _ = writeln!(stderr(), "{line}");
}

/// Whether a person reads standard output.
pub fn is_read_by_a_person() -> bool {
    stdout().is_terminal()
}

/// How words are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// As it should be.
    Green,
    /// As it should not be.
    Red,
    /// Less than the text around it.
    Faint,
}

/// Whether to colour what goes to a terminal: not where `NO_COLOR` is set (no-color.org), nor on one that cannot.
pub fn has_colours() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    is_read_by_a_person() && !is_set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The text in this colour.
pub fn coloured(text: &str, colour: Colour) -> String {
    let code = match colour {
        Colour::Green => 32,
        Colour::Red => 31,
        Colour::Faint => 2,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
