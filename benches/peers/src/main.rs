//! Measures Sealed Sessions beside other session libraries, and prints the tables as Markdown.
//!
//! `cargo run --release` measures all of it, `cargo run --release -- instructions` (or `throughput`) one table.
//! The README says what is compared, and what else can be set.

mod client;
mod instructions;
mod machine;
mod server;
mod sides;
mod throughput;

use std::env;
use std::error::Error;
use std::str::FromStr;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// On one thread, which all servers end with.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let tables = env::args().skip(1).collect::<Vec<_>>();
    if let Some(unknown) =
        tables.iter().find(|table| !["instructions", "throughput"].contains(&table.as_str()))
    {
        return Err(format!("unknown table {unknown:?}: expected \"instructions\" or \"throughput\"").into());
    }
    let wanted = |table: &str| tables.is_empty() || tables.iter().any(|wanted| wanted == table);
    sides::build()?;
    println!("{}", machine::description()?);
    if wanted("instructions") {
        instructions::print().await?;
    }
    if wanted("throughput") {
        throughput::print().await?;
    }
    Ok(())
}

/// What the variable says, if it is set.
fn setting<T: FromStr<Err: Error + 'static>>(name: &str, default: T) -> Outcome<T> {
    match env::var(name) {
        Ok(value) => value.parse().map_err(|error| format!("{name}={value}: {error}").into()),
        Err(_) => Ok(default),
    }
}

/// The one in the middle.
fn median<T: Copy + PartialOrd>(mut values: Vec<T>) -> Option<T> {
    values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied()
}

/// A number with its thousands apart.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let first = digits.len() % 3;
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && index % 3 == first {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}
