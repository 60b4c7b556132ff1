//! How the processes are configured.

use world::Program;

pub const STATELESS: &str = "/stateless";
pub const REVOCABLE: &str = "/revocable";
pub const STATEFUL: &str = "/stateful";
pub const REALMS: [&str; 3] = [STATELESS, REVOCABLE, STATEFUL];

pub const A: &str = "YSBrZXksIHRoZSBmaXJzdCBvZiB0aGVzZSB0d28ga2U=";
pub const B: &str = "YiBrZXksIHRoZSBvdGhlciBvZiB0aGVzZSB0d28ga2U=";
pub const C: &str = "YyBrZXksIHRoZSB0aGlyZCBvZiB0aGVzZSB0d28ga2U=";
/// All that seal in a run, one after the other.
pub const KEYS: [&str; 3] = [A, B, C];

/// The name of the realm's cookie.
pub fn cookie_of(realm: &str) -> String {
    format!("__Host-Http-{}", realm.trim_start_matches('/'))
}

/// The key that seals, and one that only opens.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    pub seals: &'static str,
    pub opens: Option<&'static str>,
}

impl Keys {
    /// Whether a process with these keys opens what this one has sealed.
    pub fn open(self, key: &str) -> bool {
        self.seals == key || self.opens == Some(key)
    }
}

/// What is the same for all processes, whatever the keys.
pub struct Settings {
    pub program: Program,
    pub data_dir: String,
    pub store: String,
    pub ledger: String,
}

impl Settings {
    /// The variables of a process with these keys.
    pub fn variables(&self, keys: Keys) -> Vec<(&'static str, String)> {
        let previous = keys.opens.map(|key| format!("{key:?}")).unwrap_or_default();
        let Settings { store, ledger, .. } = self;
        let realms = format!("{STATEFUL:?}={{store={store:?}}},{REVOCABLE:?}={{revocation={ledger:?}}}");
        let session =
            format!("{{previous_keys=[{previous}],key_rollover=\"10 minutes\",realms={{{realms}}}}}");
        vec![
            ("ROCKET_SECRET_KEY", keys.seals.to_owned()),
            ("ROCKET_SESSION", session),
            ("ROCKET_DATA_DIR", self.data_dir.clone()),
            // The visitors come by way of a balancer, which says their addresses.
            ("ROCKET_IP_HEADER", "X-Real-IP".to_owned()),
            ("ROCKET_LOG_LEVEL", "critical".to_owned()),
        ]
    }
}
