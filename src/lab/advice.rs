//! Which store suits whom, derived from the matrix.

use super::run::Row;

/// What speaks for a store, and what against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// The name of the column.
    pub store: String,
    /// Whom it suits.
    pub whom: &'static str,
    /// What it gives that another store here does not, each with the experiment that shows it.
    pub gives: Vec<(&'static str, &'static str)>,
    /// What it does not give.
    pub lacks: Vec<(&'static str, &'static str)>,
}

/// What the outcomes say about each column.
pub fn advise(rows: &[Row]) -> Vec<Advice> {
    let stores = rows.first().map(|row| row.outcomes.iter().map(|outcome| outcome.store.clone()));
    stores.into_iter().flatten().map(|store| of(rows, store)).collect()
}

fn of(rows: &[Row], store: String) -> Advice {
    let verdict = |row: &Row| {
        row.outcomes.iter().find(|outcome| outcome.store == store).map(|outcome| outcome.verdict.name())
    };
    let held =
        |slug: &str| rows.iter().any(|row| row.experiment.slug == slug && verdict(row) == Some("holds"));
    let differs = |row: &&Row| row.outcomes.iter().any(|outcome| !outcome.verdict.holds());
    let named = |row: &Row| (row.experiment.need, row.experiment.slug);
    let gives = rows.iter().filter(|row| verdict(row) == Some("holds")).filter(differs).map(named).collect();
    let lacks = rows.iter().filter(|row| verdict(row) == Some("does-not-hold")).map(named).collect();
    let takes_back = held("replay-after-logout") && held("theft-and-log-out-everywhere");
    let ran = |row: &Row| verdict(row).is_some_and(|name| name != "not-run");
    let whom = match (takes_back, held("restart") && held("second-node"), held("store-outage")) {
        (true, true, _) if !held("rollback") => {
            "For sites with small sessions that a sign-out has to end for good, also where the cookie was stolen: sign-ins, mail, anything with an administrator. The servers share a log of what has ended; an ordinary request asks nobody, but while that log is out of reach for long, signed-in visitors have to wait."
        }
        (true, true, _) => {
            "For sites where a session is worth stealing: shops, mail, anything with money or an administrator. You run a store, and every request that has a session asks it."
        }
        (true, false, _) => {
            "For development, for tests, and for one process whose visitors may be signed out when it restarts."
        }
        (false, true, true) => {
            "For sites with small sessions and short timeouts that want nothing to run beside the server: visits, preferences, ordinary sign-ins, any number of servers."
        }
        _ if !rows.iter().any(ran) => {
            "Nobody knows: no experiment could be run on it, since it does not answer."
        }
        (false, ..) => "By these outcomes for nobody: look at what does not hold before you choose it.",
    };
    Advice { store, whom, gives, lacks }
}
