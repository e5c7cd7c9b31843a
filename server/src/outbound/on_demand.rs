//! Looks that somebody waits for: a caller who wants to know now, and a webhook that names a
//! payment and proves nothing. They have the same limits as all others, and a bounded patience.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::sync::OwnedSemaphorePermit;

use super::{Checks, Failed, Looked, Outbound, Shared, line::Line, look::About};
use crate::{
    clock,
    domain::{
        ids::{AccountId, Claim, OrderKey, ProviderId},
        order::Order,
    },
};

/// How long a look waits for its place among the requests of a second.
const PLACE_PATIENCE: Duration = Duration::from_secs(1);

impl Outbound {
    /// When an order was and will be asked about, as far as this process knows.
    #[must_use]
    pub fn checks(&self, order: &Order) -> Checks {
        let mut accounts: Vec<&AccountId> = order.undecided().map(|a| &a.account).collect();
        accounts.sort();
        accounts.dedup();
        let lines = accounts.into_iter().filter_map(|account| self.0.known_line(account));
        let checks = lines.map(|line| line.state().queue.checks(&order.key));
        checks.fold(Checks::default(), Checks::and)
    }

    /// Asks about an undecided order if nothing that is younger is known, and waits for that at
    /// most as long as `patience`. Whatever comes of it, the order stands in the store.
    pub async fn refresh(&self, order: &Order, max_age: Duration, patience: Duration) {
        let heard = order.last_evidence.map(|(time, _)| time);
        let newest = heard.max(self.checks(order).last);
        let now = clock::now();
        if !order.is_undecided() || newest.is_some_and(|newest| now.since(newest) < max_age) {
            return;
        }
        let mut accounts: Vec<&AccountId> = order.undecided().map(|a| &a.account).collect();
        accounts.sort();
        accounts.dedup();
        let looks = accounts.into_iter().filter_map(|account| self.refresh_at(account, order));
        let looks: Vec<_> = looks.collect();
        drop(tokio::time::timeout(patience, join_all(looks)).await);
    }

    fn refresh_at(
        &self,
        account: &AccountId,
        order: &Order,
    ) -> Option<impl Future<Output = ()> + use<>> {
        let (line, place) = self.0.may_look(account).ok()?;
        let (shared, key) = (Arc::clone(&self.0), order.key.clone());
        let look = self.0.runtime.spawn(async move {
            let _place = place;
            drop(shared.look_at(&line, &key, Some(PLACE_PATIENCE)).await);
        });
        Some(async move { drop(look.await) })
    }

    /// Asks about a payment of which a webhook says nothing but its id.
    ///
    /// # Errors
    /// [`Failed`]; then the webhook has to come again.
    pub async fn look_for(&self, account: &AccountId, id: &ProviderId) -> Result<Looked, Failed> {
        let (line, place) = self.0.may_look(account)?;
        let (shared, id) = (Arc::clone(&self.0), id.clone());
        let claim = Claim { account: account.clone(), id: id.clone() };
        let look = self.0.runtime.spawn(async move {
            let _place = place;
            match shared.clone().owner(vec![claim]).await {
                Some(order) => {
                    let about = About::Named(&order, std::slice::from_ref(&id));
                    shared.look(&line, about, Some(PLACE_PATIENCE)).await
                }
                None => shared.look(&line, About::Id(&id), Some(PLACE_PATIENCE)).await,
            }
        });
        look.await.unwrap_or(Err(Failed::NotAsked))
    }

    /// Asks about what an unverified webhook names, if that is known here and not too many have
    /// come. Nobody waits for it.
    pub fn hint(&self, account: &AccountId, named: Vec<Claim>) {
        let Ok((line, place)) = self.0.may_look(account) else { return };
        let shared = Arc::clone(&self.0);
        self.0.runtime.spawn(async move {
            let _place = place;
            let names: Vec<ProviderId> = named.iter().map(|claim| claim.id.clone()).collect();
            let Some(order) = shared.clone().owner(named).await else { return };
            if line.takes_hint() {
                let about = About::Named(&order, &names);
                drop(shared.look(&line, about, Some(PLACE_PATIENCE)).await);
            }
        });
    }

    /// What stands at the address of a certificate.
    ///
    /// # Errors
    /// [`Failed`]; then the webhook has to come again.
    pub async fn certificate(&self, url: &str) -> Result<Bytes, Failed> {
        let (shared, url) = (Arc::clone(&self.0), url.to_owned());
        let fetch = async move { shared.certificates.get(&shared.http, &url).await };
        self.0.runtime.spawn(fetch).await.unwrap_or(Err(Failed::NotAsked))
    }
}

impl Shared {
    /// The line to an account that can be asked, and a place among those who wait.
    fn may_look(
        self: &Arc<Self>,
        account: &AccountId,
    ) -> Result<(Arc<Line>, OwnedSemaphorePermit), Failed> {
        let accounts = self.accounts.load();
        let known = accounts.get(account.as_str());
        if known.is_none_or(|account| account.status_access.is_none()) {
            return Err(Failed::NotAsked);
        }
        let place = Arc::clone(&self.on_demand).try_acquire_owned();
        let place = place.map_err(|_| Failed::Limited { wait: PLACE_PATIENCE })?;
        Ok((self.line(account), place))
    }

    /// The order that one of these names belongs to.
    async fn owner(self: Arc<Self>, claims: Vec<Claim>) -> Option<Arc<Order>> {
        let find = move || claims.iter().find_map(|claim| self.owner_of(claim));
        tokio::task::spawn_blocking(find).await.ok().flatten()
    }

    fn owner_of(&self, claim: &Claim) -> Option<Arc<Order>> {
        let mut key: OrderKey = self.store.find_claimant(claim).ok().flatten()?;
        loop {
            let order = self.read(&key)?;
            match &order.forwarded_to {
                Some(next) => key = next.clone(),
                None => return Some(order),
            }
        }
    }
}
