//! Measures Sealed Sessions beside other session libraries, and prints the tables as Markdown.
//!
//! `cargo run --release` measures all of it, `cargo run --release -- instructions memory` one table of one store.
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
use std::time::Duration;

use tokio::time::timeout;

use crate::sides::Store;

type Outcome<T> = Result<T, Box<dyn Error>>;

const INSTRUCTIONS: &str = "instructions";
const THROUGHPUT: &str = "throughput";
const TABLES: [&str; 2] = [INSTRUCTIONS, THROUGHPUT];

/// On one thread, which all servers end with.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let words = env::args().skip(1).collect::<Vec<_>>();
    let (mut tables, mut stores) = (Vec::new(), Vec::new());
    for word in &words {
        match Store::ALL.into_iter().find(|store| store.name().eq_ignore_ascii_case(word)) {
            Some(store) => stores.push(store),
            None if TABLES.contains(&word.as_str()) => tables.push(word.as_str()),
            None => {
                let known = Store::ALL.map(Store::name).join(", ");
                return Err(
                    format!("unknown {word:?}: expected {} or one of {known}", TABLES.join(", ")).into()
                );
            }
        }
    }
    let tables = if tables.is_empty() { TABLES.to_vec() } else { tables };
    let stores = if stores.is_empty() { Store::ALL.to_vec() } else { stores };

    sides::build()?;
    println!("{}", machine::description()?);
    if tables.contains(&INSTRUCTIONS) {
        instructions::print(&stores).await?;
    }
    if tables.contains(&THROUGHPUT) {
        throughput::print(&stores).await?;
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

/// What it comes to, if it does so in time: nothing here waits forever.
async fn within<T>(longest: Duration, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    timeout(longest, work).await.map_err(|_| format!("no answer within {longest:?}"))?
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
