//! What somebody may need of sessions, and which stores give it, by the experiments that show it.

use super::run::Row;

/// One need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Its name in addresses.
    pub name: &'static str,
    /// Completes "I need …".
    pub text: &'static str,
    /// The experiment that shows it.
    pub slug: &'static str,
    /// Whether a store that the experiment does not apply to gives it too.
    without: bool,
}

/// All of them, in the order of the form.
pub const NEEDS: [Need; 9] = [
    need("end-copies", "a copied cookie that is dead after sign-out", "replay-after-logout"),
    need("everywhere", "a way to sign out everywhere", "theft-and-log-out-everywhere"),
    need("list", "a list of who is signed in, and where", "who-is-signed-in"),
    need("servers", "several servers, without sticky routing", "second-node"),
    need("restart", "sessions that outlive a restart", "restart"),
    // What lives in the server's own process is nothing that has to be run.
    Need { without: true, ..need("nothing", "nothing to run beside the server", "store-outage") },
    need("parallel", "no change lost when requests overlap", "lost-update"),
    need("forward", "counts that no old cookie can set back", "rollback"),
    need("large", "more than a few kilobytes in a session", "growth"),
];

const fn need(name: &'static str, text: &'static str, slug: &'static str) -> Need {
    Need { name, text, slug, without: false }
}

/// How far a store gives what is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// The name of the column.
    pub store: String,
    /// What it was not seen to give.
    pub lacks: Vec<Need>,
}

/// How far each store gives all of these, those that lack least first.
pub fn fits(rows: &[Row], needs: &[Need]) -> Vec<Fit> {
    let stores = rows.first().map(|row| row.outcomes.iter().map(|outcome| outcome.store.clone()));
    let fit = |store: String| {
        let lacks = needs.iter().filter(|need| !gives(rows, &store, need)).copied().collect();
        Fit { store, lacks }
    };
    let mut fits: Vec<Fit> = stores.into_iter().flatten().map(fit).collect();
    fits.sort_by_key(|fit| fit.lacks.len());
    fits
}

fn gives(rows: &[Row], store: &str, need: &Need) -> bool {
    let row = rows.iter().find(|row| row.experiment.slug == need.slug);
    let outcome = row.and_then(|row| row.outcomes.iter().find(|outcome| outcome.store == store));
    outcome.is_some_and(|outcome| match outcome.verdict.name() {
        "holds" => true,
        "not-applicable" => need.without,
        _ => false,
    })
}
