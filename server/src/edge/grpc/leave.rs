//! Whether the caller of a stream may go on reading: a stream lives for hours, and a key may be
//! revoked, expire, or lose a merchant with its operator.

use tokio::{sync::watch, time::Instant};
use tonic::Status;

use super::auth::Caller;
use crate::{clock, domain::ids::MerchantId, edge::Context};

/// The leave of one caller to read what is of one merchant.
pub(super) struct Leave {
    caller: Caller,
    merchant: MerchantId,
    /// When it was last seen to stand.
    checked: Instant,
    /// Tells when somebody may less than before.
    withdrawals: watch::Receiver<()>,
}

impl Leave {
    /// The leave of a caller that may read now.
    pub(super) fn new(context: &Context, caller: &Caller, merchant: MerchantId) -> Self {
        let (caller, withdrawals) = (caller.clone(), context.store.withdrawals());
        Self { caller, merchant, checked: Instant::now(), withdrawals }
    }

    /// Refuses to go on once the caller may not read any more. Looked up whenever something was
    /// withdrawn, when the key ends, and once in an interval.
    ///
    /// # Errors
    /// UNAUTHENTICATED, PERMISSION_DENIED.
    pub(super) fn check(&mut self, context: &Context) -> Result<(), Status> {
        let is_due = self.checked.elapsed() >= context.config.streams.heartbeat
            || self.withdrawals.has_changed().unwrap_or(false)
            || self.caller.expire_time().is_some_and(|end| end <= clock::now());
        if !is_due {
            return Ok(());
        }
        self.checked = Instant::now();
        self.withdrawals.mark_unchanged();
        self.caller = self.caller.again(&context.store, &context.certificates)?;
        self.caller.merchant(self.merchant.as_str()).map(drop)
    }

    /// Returns when it is time to check.
    pub(super) async fn is_doubtful(&self) {
        // A copy, so that `check` sees it too.
        let mut withdrawals = self.withdrawals.clone();
        let withdrawn = async { drop(withdrawals.changed().await) };
        match self.caller.expire_time() {
            None => withdrawn.await,
            Some(end) => {
                let left = end.since(clock::now());
                drop(tokio::time::timeout(left, withdrawn).await);
            }
        }
    }
}
