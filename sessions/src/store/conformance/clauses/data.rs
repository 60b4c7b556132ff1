//! Tickets, data and numbers of every kind.

use crate::contract::{Outcome, expect};
use crate::record::Record;
use crate::store::conformance::bench::Bench;
use crate::store::{Loaded, Over, Write};

pub(in crate::store::conformance) async fn hostile_tickets(bench: Bench) -> Outcome {
    let known = bench.created().await?;
    let text = known.id.to_text();
    let long = "A".repeat(1 << 20);
    let tickets = [
        "",
        "\0",
        " ",
        "*",
        "' OR 1=1 --",
        "'; DROP TABLE sealed_session_rows; --",
        "{\"$ne\":null}",
        "../../etc/passwd",
        "k\r\nFLUSHALL\r\n",
        "ÄÖÜ😀",
        &text[1..],
        &format!("{text}A"),
        &format!("{text}\0"),
        &text.to_lowercase(),
        &long,
        "AAAAAAAAAAAAAAAAAAAAAA",
    ];
    for ticket in tickets {
        let shown = || ticket.chars().take(32).collect::<String>();
        let loaded = bench.store.load(ticket, bench.now).await?;
        let none = matches!(loaded, Loaded::Missing | Loaded::Unreadable);
        expect(none, || format!("a session for {:?}", shown()))?;
        bench.store.delete(ticket).await?;
    }
    bench.finds(&known).await?;
    for subject in ["", "*", "' OR 1=1 --", &long] {
        bench.lists(subject, &[]).await?;
    }
    Ok(())
}

pub(in crate::store::conformance) async fn any_data(bench: Bench) -> Outcome {
    let every = (0..=0x2fff_u32).chain(0x1_f600..0x1_f640).filter_map(char::from_u32).collect::<String>();
    let large = every.chars().cycle().take(400_000).collect::<String>();
    let megabyte = "x".repeat(1_000_000);
    for data in ["", "{}", "\0", "\u{feff}", "'\"\\%_$1?:", every.as_str(), large.as_str(), megabyte.as_str()]
    {
        let subject = bench.subject()? + data.get(..1).unwrap_or_default();
        let record = Record { data: data.to_owned(), ..bench.record_of(&subject)? };
        bench.saves(bench.write(&record, Over::Nothing), "creating").await?;
        bench.finds(&record).await?;
        let turned = Record { version: 2, data: data.chars().rev().collect(), ..record };
        bench.saves(bench.write(&turned, Over::Version(1)), "an update").await?;
        bench.finds(&turned).await?;
        bench.delete(&turned.id).await?;
    }
    Ok(())
}

pub(in crate::store::conformance) async fn extreme_numbers(bench: Bench) -> Outcome {
    let record =
        Record { created: i64::MIN, signed_in: Some(i64::MAX), version: u32::MAX, ..bench.record()? };
    for over in [Over::Nothing, Over::Version(u32::MAX)] {
        bench.saves(Write { expires: i64::MAX, ..bench.write(&record, over) }, "a write").await?;
        bench.finds(&record).await?;
    }
    bench.delete(&record.id).await?;
    bench.misses(&record.id).await
}
