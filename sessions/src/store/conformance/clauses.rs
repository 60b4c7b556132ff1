//! Each clause of the contract, one function each.

use super::{Bench, Clause, Failed, HOUR, Outcome, answers, expect, random_id, saved};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::Record;
use crate::record::id::IdHash;
use crate::store::{Loaded, RENEWAL_GRACE, Written};

use super::crowds::{
    delete_against_rotate, end_all_against_rotate, given_up, jumping_clock, locks, many_on_many, many_on_one,
    started_again, sweeping, two_rotations,
};

macro_rules! clauses {
    ($($name:literal $check:ident;)*) => {
        pub(super) const ALL: &[Clause] =
            &[$(Clause { name: $name, check: |bench| Box::pin($check(bench)) }),*];
    };
}

clauses! {
    "what was created is loaded, byte for byte" created_is_loaded;
    "create never overwrites" create_never_overwrites;
    "update replaces, and reports a conflict when the version moved" update_replaces;
    "update never resurrects" update_never_resurrects;
    "rotate moves a session to its new id in one step" rotate_moves;
    "rotate meets a conflict and loses nothing" rotate_conflicts;
    "rotate never resurrects" rotate_never_resurrects;
    "a rotate to an id that is taken loses nothing" rotate_to_a_taken_id;
    "an old id is superseded for a minute, then gone" superseded_for_a_minute;
    "delete is idempotent" delete_is_idempotent;
    "the end of a renewed session ends what it became" delete_follows_renewals;
    "expiry is checked on every read, also before any cleanup" expiry_on_read;
    "touch moves seen and the end, and nothing else" touch_moves_seen;
    "a late touch moves nothing back" touch_never_goes_back;
    "touch cannot revive" touch_cannot_revive;
    "a session is listed under its subject, also when it was anonymous first" listed_by_subject;
    "what has ended is not listed" not_listed_when_ended;
    "all sessions of a subject but one can be ended" end_all_but_one;
    "a store that cannot list says so" cannot_list;
    "unknown, hostile and oversized ids are nothing" hostile_ids;
    "records of no byte, of 1 MB and of any letters are kept" any_data;
    "the ends of numbers are kept" any_numbers;
    "64 tasks on one session: each write counts once" many_on_one;
    "64 tasks on 64 sessions do not meet" many_on_many;
    "two renewals of one session: one counts" two_rotations;
    "a logout and a renewal at once end in no session" delete_against_rotate;
    "who ends all sessions of a subject misses none that is being renewed" end_all_against_rotate;
    "a clock that jumps loses no live session" jumping_clock;
    "sweeping takes what has expired and nothing else" sweeping;
    "a write that is given up half way is done whole or not at all" given_up;
    "a lock keeps others out, and only of its session" locks;
    "a store can be started again" started_again;
}

async fn created_is_loaded(bench: Bench) -> Outcome {
    let bare = bench.created().await?;
    bench.finds(&bare).await?;
    let full = Record {
        created: bench.now - 500,
        seen: bench.now - 10,
        version: 7,
        remembered: true,
        signed_in: Some(bench.now - 400),
        subject: Some(bench.subject()?),
        ..bench.record()?
    };
    bench.create(&full).await?;
    bench.finds(&full).await
}

async fn create_never_overwrites(bench: Bench) -> Outcome {
    let first = bench.created().await?;
    let second = Record { data: "{}".into(), version: 2, ..first.clone() };
    let written = bench.store.create(&second, bench.until()).await?;
    answers(&written, &Written::Conflict, "create of an id that is taken")?;
    bench.finds(&first).await
}

async fn update_replaces(bench: Bench) -> Outcome {
    let first = bench.created().await?;
    let second = Record { data: r#"{"views":2}"#.into(), version: 2, ..first.clone() };
    saved(bench.update(&second, 1).await?, "update")?;
    bench.finds(&second).await?;
    let late = Record { data: r#"{"views":3}"#.into(), version: 2, ..first };
    answers(&bench.update(&late, 1).await?, &Written::Conflict, "update of an older version")?;
    bench.finds(&second).await
}

async fn update_never_resurrects(bench: Bench) -> Outcome {
    let never = Record { version: 2, ..bench.record()? };
    answers(&bench.update(&never, 1).await?, &Written::Gone, "update of what never was")?;
    bench.misses(&never.id).await?;
    let ended = bench.created().await?;
    bench.store.delete(&IdHash::of(&ended.id)).await?;
    let late = Record { version: 2, ..ended };
    answers(&bench.update(&late, 1).await?, &Written::Gone, "update after delete")?;
    bench.misses(&late.id).await?;
    let expired = bench.created().await?;
    let late = Record { seen: bench.until(), version: 2, ..expired };
    let written = bench.store.update(&late, 1, bench.until() + HOUR).await?;
    answers(&written, &Written::Gone, "update after expiry")
}

async fn rotate_moves(bench: Bench) -> Outcome {
    let old = bench.created_for(&bench.subject()?).await?;
    let new = Record { id: random_id()?, version: 2, data: r#"{"views":5}"#.into(), ..old.clone() };
    saved(bench.store.renew(&old.id, &new, 1, bench.until()).await?, "rotate")?;
    bench.finds(&new).await?;
    let loaded = bench.load(&old.id).await?;
    expect(loaded == Loaded::Superseded, || "the old id is still a session".into())?;
    bench.lists(new.subject.as_deref().unwrap_or_default(), &[&new]).await.or_else(if_lists(&bench))
}

async fn rotate_conflicts(bench: Bench) -> Outcome {
    let old = bench.created().await?;
    let theirs = Record { version: 2, ..old.clone() };
    saved(bench.update(&theirs, 1).await?, "update")?;
    let new = Record { id: random_id()?, version: 2, ..old };
    let written = bench.store.renew(&theirs.id, &new, 1, bench.until()).await?;
    answers(&written, &Written::Conflict, "rotate of an older version")?;
    bench.finds(&theirs).await?;
    bench.misses(&new.id).await
}

async fn rotate_never_resurrects(bench: Bench) -> Outcome {
    let old = bench.created().await?;
    bench.store.delete(&IdHash::of(&old.id)).await?;
    let new = Record { id: random_id()?, version: 2, ..old.clone() };
    let written = bench.store.renew(&old.id, &new, 1, bench.until()).await?;
    answers(&written, &Written::Gone, "rotate after delete")?;
    bench.misses(&new.id).await?;
    let expired = bench.created().await?;
    let new = Record { id: random_id()?, seen: bench.until(), version: 2, ..expired.clone() };
    let written = bench.store.renew(&expired.id, &new, 1, bench.until() + HOUR).await?;
    answers(&written, &Written::Gone, "rotate after expiry")?;
    bench.misses(&new.id).await
}

async fn rotate_to_a_taken_id(bench: Bench) -> Outcome {
    let (old, other) = (bench.created().await?, bench.created().await?);
    let new = Record { version: 2, data: "{}".into(), ..other.clone() };
    let written = bench.store.renew(&old.id, &new, 1, bench.until()).await?;
    answers(&written, &Written::Conflict, "rotate to an id that is taken")?;
    bench.finds(&old).await?;
    bench.finds(&other).await
}

async fn superseded_for_a_minute(bench: Bench) -> Outcome {
    let old = bench.created().await?;
    let new = Record { id: random_id()?, version: 2, ..old.clone() };
    saved(bench.store.renew(&old.id, &new, 1, bench.until()).await?, "rotate")?;
    let at = async |seconds| bench.store.load(&old.id.to_text(), bench.now + seconds).await;
    let last = at(RENEWAL_GRACE - 1).await?;
    expect(last == Loaded::Superseded, || format!("{last:?} a second before the minute is over"))?;
    let after = at(RENEWAL_GRACE).await?;
    expect(after == Loaded::Missing, || format!("{after:?} after the minute"))?;
    let late = Record { version: 3, ..old };
    answers(&bench.update(&late, 2).await?, &Written::Gone, "update of a superseded id")?;
    answers(&bench.store.touch(&late, bench.until()).await?, &Written::Gone, "touch of a superseded id")
}

async fn delete_is_idempotent(bench: Bench) -> Outcome {
    let (ended, other) = (bench.created().await?, bench.created().await?);
    bench.store.delete(&IdHash::of(&ended.id)).await?;
    bench.store.delete(&IdHash::of(&ended.id)).await?;
    bench.store.delete(&IdHash::of(&random_id()?)).await?;
    bench.misses(&ended.id).await?;
    bench.finds(&other).await
}

async fn delete_follows_renewals(bench: Bench) -> Outcome {
    let first = bench.created().await?;
    let mut last = first.clone();
    for version in 2..5 {
        let next = Record { id: random_id()?, version, ..last.clone() };
        saved(bench.store.renew(&last.id, &next, version - 1, bench.until()).await?, "rotate")?;
        last = next;
    }
    bench.store.delete(&IdHash::of(&first.id)).await?;
    bench.misses(&last.id).await
}

async fn expiry_on_read(bench: Bench) -> Outcome {
    let record = bench.created().await?;
    let at = async |now| bench.store.load(&record.id.to_text(), now).await;
    let last = at(bench.until() - 1).await?;
    expect(matches!(last, Loaded::Found(_)), || "gone a second before it expires".into())?;
    for late in [0, 1, 10 * HOUR] {
        let loaded = at(bench.until() + late).await?;
        expect(loaded == Loaded::Missing, || format!("still there {late} s after it has expired"))?;
    }
    Ok(())
}

async fn touch_moves_seen(bench: Bench) -> Outcome {
    let record = bench.created().await?;
    let seen = bench.now + 60;
    // What a touch says beside seen is not to be written.
    let touched = Record { seen, version: 9, data: r#"{"forged":1}"#.into(), ..record.clone() };
    saved(bench.store.touch(&touched, bench.until() + 60).await?, "touch")?;
    bench.finds(&Record { seen, ..record.clone() }).await?;
    let loaded = bench.store.load(&record.id.to_text(), bench.until() + 59).await?;
    expect(matches!(loaded, Loaded::Found(_)), || "the end did not move".into())
}

async fn touch_never_goes_back(bench: Bench) -> Outcome {
    let record = bench.created().await?;
    let touch = async |seconds: UnixSeconds| {
        let touched = Record { seen: bench.now + seconds, ..record.clone() };
        saved(bench.store.touch(&touched, bench.until() + seconds).await?, "touch")
    };
    touch(600).await?;
    touch(60).await?;
    bench.finds(&Record { seen: bench.now + 600, ..record.clone() }).await?;
    let loaded = bench.store.load(&record.id.to_text(), bench.until() + 599).await?;
    expect(matches!(loaded, Loaded::Found(_)), || "the end moved back".into())
}

async fn touch_cannot_revive(bench: Bench) -> Outcome {
    let ended = bench.created().await?;
    bench.store.delete(&IdHash::of(&ended.id)).await?;
    answers(&bench.store.touch(&ended, bench.until()).await?, &Written::Gone, "touch after delete")?;
    bench.misses(&ended.id).await?;
    let expired = Record { seen: bench.until(), ..bench.created().await? };
    let written = bench.store.touch(&expired, bench.until() + HOUR).await?;
    answers(&written, &Written::Gone, "touch after expiry")
}

/// Lists are checked where there are lists.
pub(super) fn if_lists(bench: &Bench) -> impl FnOnce(Failed) -> Outcome {
    let lists = bench.store.capabilities().lists;
    move |failed| if lists { Err(failed) } else { Ok(()) }
}

async fn listed_by_subject(bench: Bench) -> Outcome {
    if !bench.store.capabilities().lists {
        return Ok(());
    }
    let (ada, bob) = (bench.subject()?, bench.subject()?);
    bench.lists(&ada, &[]).await?;
    let (first, other) = (bench.created_for(&ada).await?, bench.created_for(&bob).await?);
    let anonymous = bench.created().await?;
    let updated = Record { version: 2, subject: Some(ada.clone()), ..anonymous };
    saved(bench.update(&updated, 1).await?, "update")?;
    let anonymous = bench.created().await?;
    let renewed = Record { id: random_id()?, version: 2, subject: Some(ada.clone()), ..anonymous.clone() };
    saved(bench.store.renew(&anonymous.id, &renewed, 1, bench.until()).await?, "rotate")?;
    bench.lists(&ada, &[&first, &updated, &renewed]).await?;
    bench.lists(&bob, &[&other]).await?;
    let listed = bench.store.by_subject(&bob, bench.now).await?;
    let same = listed.iter().all(|listed| {
        (listed.created, listed.seen, &listed.data) == (other.created, other.seen, &other.data)
    });
    expect(same, || "a listed session is not as it was written".into())
}

async fn not_listed_when_ended(bench: Bench) -> Outcome {
    if !bench.store.capabilities().lists {
        return Ok(());
    }
    let (ada, bob) = (bench.subject()?, bench.subject()?);
    let (ended, handed, stays) =
        (bench.created_for(&ada).await?, bench.created_for(&ada).await?, bench.created_for(&ada).await?);
    bench.store.delete(&IdHash::of(&ended.id)).await?;
    let handed = Record { version: 2, subject: Some(bob.clone()), ..handed };
    saved(bench.update(&handed, 1).await?, "update")?;
    bench.lists(&ada, &[&stays]).await?;
    bench.lists(&bob, &[&handed]).await?;
    let late = bench.listed(&ada, bench.until()).await?;
    expect(late.is_empty(), || "an expired session is listed".into())
}

async fn end_all_but_one(bench: Bench) -> Outcome {
    if !bench.store.capabilities().lists {
        return Ok(());
    }
    let (ada, bob) = (bench.subject()?, bench.subject()?);
    let other = bench.created_for(&bob).await?;
    let (one, two, mine) =
        (bench.created_for(&ada).await?, bench.created_for(&ada).await?, bench.created_for(&ada).await?);
    let ended = bench.store.end_all(&ada, Some(&IdHash::of(&mine.id)), bench.now).await?;
    expect(ended == 2, || format!("{ended} sessions were ended, not 2"))?;
    bench.misses(&one.id).await?;
    bench.misses(&two.id).await?;
    bench.finds(&mine).await?;
    bench.finds(&other).await?;
    let late = Record { version: 2, ..one };
    answers(&bench.update(&late, 1).await?, &Written::Gone, "update of a session ended from elsewhere")?;
    let ended = bench.store.end_all(&ada, None, bench.now).await?;
    expect(ended == 1, || format!("{ended} sessions were ended, not the last"))?;
    bench.misses(&mine.id).await
}

async fn cannot_list(bench: Bench) -> Outcome {
    if bench.store.capabilities().lists {
        return Ok(());
    }
    let listed = bench.store.by_subject("ada", bench.now).await;
    let ended = bench.store.end_all("ada", None, bench.now).await;
    let unsupported =
        matches!((&listed, &ended), (Err(StoreError::Unsupported(_)), Err(StoreError::Unsupported(_))));
    expect(unsupported, || "a list that cannot be had is given all the same".into())
}

async fn hostile_ids(bench: Bench) -> Outcome {
    let known = bench.created().await?.id.to_text();
    let long = "A".repeat(1 << 20);
    let tickets = [
        "",
        "\0",
        " ",
        "*",
        "' OR 1=1 --",
        "'; DROP TABLE sealed_sessions; --",
        "{\"$ne\":null}",
        "../../etc/passwd",
        "k\r\nFLUSHALL\r\n",
        "ÄÖÜ😀",
        &known[1..],
        &format!("{known}A"),
        &format!("{known}\0"),
        &known.to_lowercase(),
        &long,
        "AAAAAAAAAAAAAAAAAAAAAA",
    ];
    for ticket in tickets {
        let loaded = bench.store.load(ticket, bench.now).await?;
        expect(matches!(loaded, Loaded::Missing | Loaded::Unreadable), || {
            format!("a session for {:?}", ticket.chars().take(32).collect::<String>())
        })?;
    }
    if bench.store.capabilities().lists {
        for subject in ["", "*", "' OR 1=1 --", &long] {
            let listed = bench.store.by_subject(subject, bench.now).await?;
            expect(listed.is_empty(), || "sessions of a subject that has none".into())?;
        }
    }
    Ok(())
}

async fn any_data(bench: Bench) -> Outcome {
    let every = (0..=0x2fff_u32).chain(0x1_f600..0x1_f640).filter_map(char::from_u32).collect::<String>();
    let large = every.chars().cycle().take(400_000).collect::<String>();
    let megabyte = "x".repeat(1_000_000);
    for data in ["", "{}", "\0", "\u{feff}", "'\"\\%_$1?:", every.as_str(), large.as_str(), megabyte.as_str()]
    {
        let record = Record {
            data: data.to_owned(),
            subject: Some(bench.subject()? + data.get(..1).unwrap_or_default()),
            ..bench.record()?
        };
        bench.create(&record).await?;
        bench.finds(&record).await?;
        let turned = data.chars().rev().collect::<String>();
        let updated = Record { version: 2, data: turned, ..record };
        saved(bench.update(&updated, 1).await?, "update")?;
        bench.finds(&updated).await?;
        bench.store.delete(&IdHash::of(&updated.id)).await?;
    }
    Ok(())
}

async fn any_numbers(bench: Bench) -> Outcome {
    let record =
        Record { created: i64::MIN, signed_in: Some(i64::MAX), version: u32::MAX, ..bench.record()? };
    let expires = i64::MAX;
    saved(bench.store.create(&record, expires).await?, "create")?;
    bench.finds(&record).await?;
    saved(bench.store.update(&record, u32::MAX, expires).await?, "update")?;
    bench.store.delete(&IdHash::of(&record.id)).await?;
    bench.misses(&record.id).await
}
