//! The app's key in its configuration, and the keyring that it makes with a realm's `previous_keys`.

use std::sync::Arc;

use cookie::Key;
use rocket::figment::Figment;

use super::config_error::ConfigError;
use crate::cookie::key::{ConfiguredKey, KEY_FORMS, KeyProblem};
use crate::cookie::keyring::{AppKey, Keyring, Rollover};

/// The setting `secret_key`: the realms share it, and count its seals together.
pub(super) struct SecretKey {
    key: Key,
    shared: Arc<AppKey>,
}

impl SecretKey {
    pub(super) fn read(figment: &Figment) -> Result<SecretKey, ConfigError> {
        let key = secret_key(figment)?;
        let shared = Arc::new(AppKey::new(&key).ok_or_else(refused_by_cipher)?);
        Ok(SecretKey { key, shared })
    }

    /// The keyring of a realm.
    pub(super) fn keyring(
        &self,
        previous: Vec<ConfiguredKey>,
        table: &str,
        rollover: Rollover,
    ) -> Result<Keyring, ConfigError> {
        let mut keys: Vec<Key> = Vec::with_capacity(previous.len());
        for (n, ConfiguredKey(key)) in previous.into_iter().enumerate() {
            let refuse = |problem| {
                let problem = format!("cannot be used: {problem}");
                ConfigError::new(format!("{table}.previous_keys[{n}]"), problem, KEY_FORMS)
            };
            match key {
                Ok(key) if key == self.key || keys.contains(&key) => {
                    return Err(refuse(KeyProblem::Duplicate));
                }
                Ok(key) => keys.push(key),
                Err(problem) => return Err(refuse(problem)),
            }
        }
        Keyring::new(Arc::clone(&self.shared), &keys, rollover).ok_or_else(refused_by_cipher)
    }
}

fn refused_by_cipher() -> ConfigError {
    ConfigError::new("secret_key", "cannot be used by the cipher", KEY_FORMS)
}

fn secret_key(figment: &Figment) -> Result<Key, ConfigError> {
    let refuse = |problem: &str| ConfigError::new("secret_key", problem, KEY_FORMS);
    let missing = || {
        refuse(
            "is not set, and sessions cannot be sealed without a key: set it in Rocket.toml or in ROCKET_SECRET_KEY; \
             a test can start from sealed_sessions::testing::figment(), which has one",
        )
    };
    match figment.extract_inner::<ConfiguredKey>("secret_key") {
        Ok(ConfiguredKey(Ok(key))) => Ok(key),
        Ok(ConfiguredKey(Err(KeyProblem::Missing))) => Err(missing()),
        Ok(ConfiguredKey(Err(problem))) => Err(refuse(&format!("cannot be used: {problem}"))),
        Err(error) if error.missing() => Err(missing()),
        Err(_) => Err(refuse("cannot be used: it is neither text nor bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_realms_seal_with_one_key_so_that_its_seals_are_counted_together() {
        let key = SecretKey::read(&testing::figment()).unwrap();
        let rollover = Rollover { length: None, lifetime: 1 };
        let _realms = [(); 2].map(|()| key.keyring(Vec::new(), "session", rollover).unwrap());
        assert_eq!(Arc::strong_count(&key.shared), 3);
    }
}
