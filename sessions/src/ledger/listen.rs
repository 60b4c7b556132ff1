//! Listening for hints that there is something to read.

use std::time::Duration;

use rocket::futures::StreamExt as _;
use rocket::futures::stream::BoxStream;
use rocket::tokio::time::{sleep, timeout};

use super::node::Ledger;

/// The pause before listening again after the connection has ended.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a connection may be silent. It is replaced then, since it may have ended without anyone noticing.
const SILENCE: Duration = Duration::from_secs(60);

/// How listening came to its end.
enum End {
    Silent,
    Lost,
}

impl Ledger {
    /// Listens for as long as the app serves, if the log can tell.
    pub(super) async fn listen(&self) {
        let mut is_deaf = false;
        while let Some(listening) = self.log.listen().await {
            match listening {
                Ok(hints) => {
                    if std::mem::take(&mut is_deaf) {
                        log::info!("hints of the ledger {:?} arrive again", self.namespace);
                    }
                    // What was sent before was not heard.
                    self.hint.notify_one();
                    if let End::Silent = self.hear(hints).await {
                        continue;
                    }
                }
                Err(error) if !is_deaf => {
                    is_deaf = true;
                    log::warn!(
                        "no hints of the ledger {:?} arrive, so it is read every second: {error}",
                        self.namespace
                    );
                }
                Err(_) => {}
            }
            sleep(PAUSE).await;
        }
    }

    async fn hear(&self, mut hints: BoxStream<'static, u64>) -> End {
        loop {
            match timeout(SILENCE, hints.next()).await {
                // What this node has appended itself it knows already.
                Ok(Some(position)) if position <= self.view().reached() => {}
                Ok(Some(_)) => self.hint.notify_one(),
                Ok(None) => return End::Lost,
                Err(_) => return End::Silent,
            }
        }
    }
}
