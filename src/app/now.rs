//! The clock that a request is answered by.

use std::sync::Arc;

use rocket::request::Request;
use sealed_sessions::{Clock, SystemClock};

/// The app's clock.
pub(super) fn clock(request: &Request<'_>) -> Arc<dyn Clock> {
    let clock = request.rocket().state::<Arc<dyn Clock>>().cloned();
    clock.unwrap_or_else(|| Arc::new(SystemClock))
}
