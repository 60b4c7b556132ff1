//! A store behind TLS.

use world::{Jar, databases, program};

use crate::program::moved_to;

#[test]
fn redis_is_spoken_to_through_tls_if_its_certificate_is_trusted() {
    let Some(redis) = databases::redis_tls() else { return };
    let settings = moved_to(&redis.url(), "");
    let trusted = redis.certificate.display().to_string();
    let mut app = program!().start(&[("ROCKET_SESSION", &settings), ("SSL_CERT_FILE", &trusted)]);
    let mut jar = Jar::default();
    for count in ["1", "2", "3"] {
        assert_eq!(app.get(&mut jar, "/stateless").output("visits"), Some(count));
    }
    app.assert_well();
    let log = program!().refusal(&[("ROCKET_SESSION", &settings)]);
    assert!(log.contains("cannot be started") && log.contains("certificate"), "{log}");
    assert!(!log.contains("panicked"), "{log}");
}
