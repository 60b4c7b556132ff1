//! Who is told.

use super::event::Event;

/// Receives session events. Any `Fn(&Event<'_>)` is a listener; [`Sessions::on_event`](crate::Sessions::on_event) takes
/// it.
pub trait Listener: Send + Sync + 'static {
    /// Receives an event. The request waits meanwhile, so this has to be quick, and must neither block nor panic.
    fn hear(&self, event: &Event<'_>);

    /// Whether it writes a log of its own. If so, the library does not log what it tells as an event.
    fn logs(&self) -> bool {
        false
    }
}

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Listener for F {
    fn hear(&self, event: &Event<'_>) {
        self(event);
    }
}
