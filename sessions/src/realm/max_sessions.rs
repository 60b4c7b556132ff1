//! How many sessions one subject may have: the settings `max_sessions` and `beyond_max_sessions` (ASVS 5.0, 7.1.2).

use serde::Deserialize;

use super::config_error::ConfigError;
use crate::store::bounded::BoundedStore;

/// How many sessions a subject may have in a realm, and what becomes of a sign-in beyond them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaxSessions {
    pub(crate) max: usize,
    pub(crate) beyond: Beyond,
}

/// What becomes of a sign-in of a subject that has as many sessions as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Beyond {
    /// It ends the oldest of them.
    EndOldest,
    /// It is refused.
    Refuse,
}

impl MaxSessions {
    /// What the settings of a table say; `None` if nothing limits the sessions of a subject.
    pub(crate) fn read(
        table: &str,
        max: Option<usize>,
        beyond: Option<Beyond>,
    ) -> Result<Option<MaxSessions>, ConfigError> {
        match (max, beyond) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(ConfigError::new(
                format!("{table}.beyond_max_sessions"),
                "is set, but max_sessions is not",
                "both, or neither",
            )),
            (Some(0), _) => {
                let accepted = "1 or more; without the setting there is no limit";
                Err(ConfigError::new(format!("{table}.max_sessions"), "is 0", accepted))
            }
            (Some(max), beyond) => Ok(Some(MaxSessions { max, beyond: beyond.unwrap_or(Beyond::EndOldest) })),
        }
    }

    /// Refuses the launch if the realm's store cannot hold to it.
    pub(crate) fn check(
        self,
        table: &str,
        store_name: &str,
        store: &BoundedStore,
    ) -> Result<(), ConfigError> {
        let MaxSessions { max, beyond } = self;
        let refuse = |key: &str, problem: String, accepted: &str| {
            Err(ConfigError::new(format!("{table}.{key}"), problem, accepted))
        };
        if store.ledger().is_none() {
            if store.can_limit() {
                return Ok(());
            }
            let problem = format!(
                "is {max}, but the store {store_name:?} cannot list somebody's sessions and end them"
            );
            return refuse(
                "max_sessions",
                problem,
                "a store on the server; or revocation, with which it can be 1",
            );
        }
        if max != 1 {
            let problem = format!("is {max}, but a ledger cannot count sessions");
            return refuse("max_sessions", problem, "1 with revocation; more in a store on the server");
        }
        if beyond == Beyond::Refuse {
            let problem = "is \"refuse\", but a ledger does not know whether there is a session";
            return refuse("beyond_max_sessions", problem.into(), "\"end_oldest\" with revocation");
        }
        Ok(())
    }
}
