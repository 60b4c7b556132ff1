//! Which key has sealed a cookie: whoever has that key alone can open it.

use rocket::figment::Figment;
use sealed_sessions::inspect::Inspector;
use sealed_sessions::{Clock, SystemClock};
use world::Jar;

use crate::settings::{REALMS, cookie_of};

/// All keys of a run, each with a holder for every realm who has no other.
pub struct Keyholders(Vec<Keyholder>);

struct Keyholder {
    key: &'static str,
    realm: &'static str,
    inspector: Inspector,
}

impl Keyholders {
    pub fn of(keys: &[&'static str]) -> Keyholders {
        let holder = |key: &'static str, realm: &'static str| {
            let settings =
                Figment::new().merge(("secret_key", key)).merge(("session.cookie", cookie_of(realm)));
            Keyholder { key, realm, inspector: Inspector::new(&settings).unwrap() }
        };
        Keyholders(keys.iter().flat_map(|key| REALMS.map(|realm| holder(key, realm))).collect())
    }

    /// The key that opens the realm's cookie in this jar. `None` if none of them does.
    pub fn sealed_by(&self, realm: &str, jar: &Jar) -> Option<&'static str> {
        let now = SystemClock.seconds();
        let opens = |holder: &&Keyholder| {
            holder.inspector.open(&jar.pair(), now).iter().any(|found| found.key.is_some())
        };
        self.0.iter().filter(|holder| holder.realm == realm).find(opens).map(|holder| holder.key)
    }
}

#[cfg(test)]
mod tests {
    use world::program;

    use super::*;
    use crate::settings::{KEYS, STATEFUL, STATELESS};

    #[test]
    fn a_cookie_says_which_of_the_keys_has_sealed_it() {
        let [a, b, c] = KEYS;
        let rollover = ("ROCKET_SESSION", "{key_rollover=\"10 minutes\"}");
        let jar = program!().start(&[("ROCKET_SECRET_KEY", b), rollover]).register("ada");
        assert_eq!(Keyholders::of(&[a, b, c]).sealed_by(STATELESS, &jar), Some(b));
        assert_eq!(Keyholders::of(&[a, c]).sealed_by(STATELESS, &jar), None);
        assert_eq!(Keyholders::of(&[a, b, c]).sealed_by(STATEFUL, &jar), None, "of another realm");
    }
}
