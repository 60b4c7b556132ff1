//! Properties of what a commit writes after a conflict.

use std::borrow::Cow;
use std::sync::Arc;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cookie::keyring::KeyAge;
use crate::cookie::request_cookies::SentChunks;
use crate::cookie::ticket::Ticket;
use crate::data::SessionData;
use crate::error::Arrival;
use crate::next::rebased;
use crate::record::Record;
use crate::record::id::Id;
use crate::request::{RequestSession, Sizes};
use crate::state::{Base, Change};

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Visitor {
    user: Option<String>,
    second_factor: bool,
    views: u8,
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(Cow::Borrowed)
    }
}

fn visitors() -> impl Strategy<Value = Visitor> {
    let users = prop_oneof![Just(None), Just(Some("mallory")), Just(Some("victim"))];
    (users, any::<bool>(), 0..3_u8).prop_map(|(user, second_factor, views)| Visitor {
        user: user.map(str::to_owned),
        second_factor,
        views,
    })
}

fn record(data: &Visitor, version: u32) -> Record {
    Record {
        id: Id::from_bytes([1; Id::BYTES]),
        created: 0,
        seen: 0,
        version,
        data: serde_json::to_string(data).unwrap(),
        remembered: false,
        signed_in: None,
        subject: data.user.clone(),
        position: None,
    }
}

proptest! {
    #[test]
    fn rule_9_what_crosses_a_change_of_subject_is_whole(
        before in visitors(), mine in visitors(), mut theirs in visitors(),
    ) {
        // A change of subject has a new id, so no other request can have made it under this one.
        theirs.user = before.user.clone();
        let base = Box::new(Base {
            record: record(&before, 1),
            ticket: Ticket::new("ticket"),
            data: Arc::new(before.clone()),
        });
        let sizes = Sizes { cookies: 1, value: 1 };
        let session = RequestSession::resumed(0, base, Arrival::Resumed, KeyAge::Current, SentChunks::default(), sizes);
        session.update(Change::Modified, |visitor| *visitor = mine.clone());
        let mut state = session.close(|_| false).unwrap();
        let base = state.base.take().unwrap();
        let next = rebased(&state, &base, &record(&mine, 2), &record(&theirs, 2), 0);
        let next: Visitor = serde_json::from_str(&next.ok().unwrap().data).unwrap();
        if mine.user == before.user {
            let merged = |mine, before, theirs| if mine == before { theirs } else { mine };
            prop_assert_eq!(next.views, merged(mine.views, before.views, theirs.views));
            let factor = u8::from(next.second_factor);
            let factors = [mine.second_factor, before.second_factor, theirs.second_factor].map(u8::from);
            prop_assert_eq!(factor, merged(factors[0], factors[1], factors[2]));
        } else {
            prop_assert_eq!(next, mine);
        }
    }
}
