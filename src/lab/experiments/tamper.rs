//! A cookie with one character changed.

use crate::lab::bench::{Bench, COOKIE};
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "tamper",
    group: Group::Theft,
    question: "Is every changed or forged cookie refused, and the true session unharmed?",
    steps: &[
        "Ada signs in.",
        "Somebody sends her cookie with one character changed, at eight places in turn.",
        "They cut its end off, and send one of Mallory’s that another app sealed with another key.",
        "Ada checks whether she is still signed in.",
    ],
    need: "nobody to make or change a session without the key",
    run: |bench| Box::pin(run(bench)),
};

const PLACES: usize = 8;

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let ada = bench.browser("Ada");
    ada.post(&node, "/login/ada").await?;
    let genuine = ada.cookies().remove(COOKIE).ok_or("the sign-in set no cookie")?;
    let mut forgeries: Vec<String> =
        (0..PLACES).map(|place| changed_at(&genuine, place * genuine.len() / PLACES)).collect();
    forgeries.push(genuine.chars().take(genuine.len() / 2).collect());
    let other = bench.node_with_another_key(&node).await?;
    let forger = bench.browser("forger");
    forger.post(&other, "/login/mallory").await?;
    forgeries.push(forger.cookies().remove(COOKIE).ok_or("the sign-in at the other app set no cookie")?);
    let mut accepted = 0;
    for forgery in &forgeries {
        forger.put([(COOKIE.to_owned(), forgery.clone())].into());
        let answer = forger.get(&node, "/profile").await?;
        accepted += usize::from(answer.resumed() || answer.user().is_some());
    }
    let unharmed = ada.get(&node, "/profile").await?.user() == Some("ada");
    let tried = forgeries.len();
    Ok(match (accepted, unharmed) {
        (0, true) => Verdict::Holds(format!("{tried} forgeries, none accepted; Ada is still signed in")),
        (0, false) => {
            Verdict::DoesNotHold(format!("of {tried} forgeries none was accepted, but Ada is signed out"))
        }
        (accepted, _) => Verdict::DoesNotHold(format!("{accepted} of {tried} forgeries were accepted")),
    })
}

fn changed_at(value: &str, place: usize) -> String {
    let other = |letter: char| if letter == 'A' { 'B' } else { 'A' };
    value.chars().enumerate().map(|(at, letter)| if at == place { other(letter) } else { letter }).collect()
}
