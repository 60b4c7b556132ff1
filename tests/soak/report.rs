//! What a run has seen, as a table for docs/soak.md.

use std::fmt;

use crate::run::Run;
use crate::site::PROCESSES;
use crate::tally::{Tally, percentiles};

pub struct Report<'r> {
    pub run: &'r Run,
    pub visitors: usize,
    pub seconds: f64,
    pub keys: usize,
    pub tally: Tally,
    /// How often a copy was answered at the end.
    pub audited: u64,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { run, visitors, seconds, keys, tally, audited } = self;
        let copies = run.copies.counted();
        let requests = tally.requests();
        writeln!(f, "| what | how many |\n|---|---:|")?;
        writeln!(f, "| visitors, for {seconds:.0} s | {visitors} |")?;
        writeln!(f, "| requests that were answered | {requests} |")?;
        writeln!(f, "| requests per second | {:.0} |", requests as f64 / seconds)?;
        writeln!(f, "| sign-ins | {} |", tally.sign_ins)?;
        writeln!(f, "| new accounts | {} |", tally.accounts)?;
        writeln!(f, "| sign-outs | {} |", tally.sign_outs)?;
        writeln!(f, "| passwords given again | {} |", tally.confirmations)?;
        writeln!(f, "| of them done, but the answer lost in an outage: signed in again | {} |", tally.outs)?;
        writeln!(f, "| wrong passwords, answered or not | {} |", tally.refusals)?;
        writeln!(f, "| copies of ended sessions that a key still opens at the end | {} |", copies.open)?;
        writeln!(f, "| of them tried at {PROCESSES} processes at the end, and answered | {audited} |")?;
        writeln!(f, "| copies that no key opens any more, tried until then only | {} |", copies.lost)?;
        writeln!(f, "| copies tried meanwhile where a key opens them, and answered | {} |", tally.replays)?;
        writeln!(
            f,
            "| of them opened at another process before the ledger had told it, the last after {:.2} s | {} |",
            tally.opened_after.as_secs_f64(),
            tally.opened
        )?;
        writeln!(f, "| keys replaced, in three rounds | {keys} |")?;
        write!(f, "{}", run.outages)?;
        writeln!(f, "| anything else that broke a rule | {} |", run.findings.count())?;
        writeln!(f, "\n| answered within, ms | 50% | 99% |\n|---|---:|---:|")?;
        for (what, times) in
            [("pages", &tally.pages), ("forms", &tally.forms), ("forms with a password", &tally.passwords)]
        {
            let (half, most) = percentiles(times);
            writeln!(f, "| {what} ({}) | {half:.1} | {most:.1} |", times.len())?;
        }
        writeln!(
            f,
            "\n| memory, MB | at its start | second quarter | last quarter | seconds measured |\n|---|---:|---:|---:|---:|"
        )?;
        for process in 0..PROCESSES {
            if let Some(held) = run.site.memory(process).held() {
                let [start, middle, end] =
                    [held.start, held.middle, held.end].map(|bytes| bytes as f64 / 1e6);
                writeln!(
                    f,
                    "| process {process} | {start:.1} | {middle:.1} | {end:.1} | {} |",
                    held.seconds
                )?;
            }
        }
        Ok(())
    }
}
