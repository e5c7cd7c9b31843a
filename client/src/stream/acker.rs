//! Writes down, in the background, how far the application confirmed: the newest position only,
//! at most once in an interval, and once more at the end.

use std::sync::Arc;

use paystatus_proto::v1;
use tokio::{
    sync::{Notify, oneshot, watch},
    time::sleep,
};

use super::progress::Target;
use crate::{
    client::{Client, Phase},
    cursor_store::CursorStore,
    error::Error,
};

/// Where a position is kept.
pub(crate) enum Keeper {
    /// In the application's own store, under a name.
    Store { name: String, store: Arc<dyn CursorStore> },
    /// At the server.
    Server { subscription_id: String },
}

/// The task that writes. It ends when told to, when the client closes, or when nobody can confirm
/// any more, and writes what is left before it does.
pub(crate) struct Acker {
    pub(crate) client: Client,
    pub(crate) keeper: Keeper,
    pub(crate) targets: watch::Receiver<Option<Target>>,
}

impl Acker {
    /// Runs until `stop`; tells `stopped` whether the last position is written.
    pub(crate) async fn run(self, stop: Arc<Notify>, stopped: oneshot::Sender<Result<(), Error>>) {
        let mut targets = self.targets.clone();
        let mut written = None;
        let closing = self.client.reached(Phase::Draining);
        tokio::pin!(closing);
        loop {
            tokio::select! {
                is_new = next_target(&mut targets, &written) => if !is_new { break },
                () = stop.notified() => break,
                () = &mut closing => break,
            }
            self.write_newest(&mut written).await.unwrap_or_else(|error| {
                // It stays to be written: the next round tries again.
                tracing::warn!(%error, "a confirmed position could not be written");
            });
            tokio::select! {
                () = sleep(self.client.settings().ack_interval) => {}
                () = stop.notified() => break,
                () = &mut closing => break,
            }
        }
        let result = self.write_newest(&mut written).await;
        if let Err(error) = &result {
            tracing::warn!(%error, "the last confirmed position could not be written");
        }
        // Nobody may be waiting for it.
        let _ = stopped.send(result);
    }

    async fn write_newest(&self, written: &mut Option<Target>) -> Result<(), Error> {
        let newest = self.targets.borrow().clone();
        let Some(target) = newest.filter(|newest| is_news(newest, written)) else {
            return Ok(());
        };
        match &self.keeper {
            Keeper::Store { name, store } => store.save(name, &target.cursor).await?,
            Keeper::Server { subscription_id } => {
                self.acknowledge(subscription_id.clone(), &target).await?;
            }
        }
        *written = Some(target);
        Ok(())
    }

    async fn acknowledge(&self, subscription_id: String, target: &Target) -> Result<(), Error> {
        let request = v1::AckSubscriptionRequest {
            merchant_id: self.client.merchant_id().to_owned(),
            subscription_id,
            generation: target.generation,
            cursor: target.cursor.clone(),
        };
        self.client
            .call_until(Phase::Closed, request, async |rpc, request| {
                rpc.changes().ack_subscription(request).await
            })
            .await?;
        Ok(())
    }
}

/// Waits for something to write. False if nobody can confirm any more.
async fn next_target(
    targets: &mut watch::Receiver<Option<Target>>,
    written: &Option<Target>,
) -> bool {
    let is_waiting = |target: &Option<Target>| target.as_ref().is_some_and(|t| is_news(t, written));
    let waited = targets.wait_for(is_waiting).await.is_ok();
    // The value is also found when its sender is gone: then only the last write is left to do.
    waited && targets.has_changed().is_ok()
}

fn is_news(newest: &Target, written: &Option<Target>) -> bool {
    written.as_ref().is_none_or(|written| written.cursor != newest.cursor)
}
