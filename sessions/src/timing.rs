//! How long commits take, for a page that shows it. A request that does not ask pays for no clock.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rocket::Request;

use super::SessionData;
use super::fairing::Engine;
use super::guard::Realms;
use super::live::RequestSessions;

/// The commits of one request, by the number of their realm, once they were asked for.
#[derive(Default)]
pub(crate) struct Times(OnceLock<Mutex<Vec<(usize, Duration)>>>);

impl Times {
    /// The moment, if anybody asked.
    pub(crate) fn start(&self) -> Option<Instant> {
        self.0.get().map(|_| Instant::now())
    }

    pub(crate) fn took(&self, realm: usize, since: Option<Instant>) {
        if let (Some(times), Some(since)) = (self.0.get(), since) {
            let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
            times.push((realm, since.elapsed()));
        }
    }
}

impl<T: SessionData> Realms<'_, T> {
    /// Has the commits of this request timed, for [`commit_times`].
    pub fn time_commits(&self) {
        self.sessions().times.0.get_or_init(Mutex::default);
    }
}

/// How long the commit of each realm of this request took, by the realm's path. For a response fairing
/// that is attached behind the sessions; empty unless the request asked by [`Realms::time_commits`].
pub fn commit_times<'r, T: SessionData>(request: &'r Request<'_>) -> Vec<(&'r str, Duration)> {
    let Some(engine) = request.rocket().state::<Engine<T>>() else { return Vec::new() };
    let sessions = request.local_cache(|| RequestSessions::<T>::unused());
    let Some(times) = sessions.times.0.get() else { return Vec::new() };
    let times = times.lock().unwrap_or_else(PoisonError::into_inner);
    let named = |(realm, took): &(usize, Duration)| {
        let path = engine.realms.all().get(*realm)?.path.as_str();
        Some((if path.is_empty() { "/" } else { path }, *took))
    };
    times.iter().filter_map(named).collect()
}
