//! Decides about named subscriptions.

use super::Overlay;
use crate::{
    engine::{Answer, AskSubscription, Refused},
    record::{Actor, Record, Subject, SubscriptionRecord},
};

/// Subscriptions that may exist.
pub(crate) const SUBSCRIPTIONS_MAX: usize = 10_000;

impl Overlay {
    /// Creates, acknowledges or deletes one.
    pub(super) fn subscription(
        &mut self,
        ask: &AskSubscription,
        actor: &Option<Actor>,
    ) -> Result<Answer, Refused> {
        let (merchant, subscription) = match ask {
            AskSubscription::Create { merchant, subscription, .. }
            | AskSubscription::Acknowledge { merchant, subscription, .. }
            | AskSubscription::Delete { merchant, subscription } => (merchant, subscription),
        };
        let subject = Subject::Subscription(merchant.clone(), subscription.clone());
        let in_batch = self.subscriptions.get(&subject).cloned();
        let known = in_batch.or_else(|| self.store.subscription(merchant, subscription));
        let known = known.filter(|known| !known.deleted);
        let now = self.now;
        let record = match (ask, known) {
            (AskSubscription::Create { request, .. }, Some(known)) => {
                return match &known.request {
                    Some(before) if before.1 == request.1 => Ok(Answer::plain(true)),
                    Some(before) if before.0 == request.0 => Err(Refused::RequestIdReused),
                    _ => Err(Refused::NameTaken { what: "subscription" }),
                };
            }
            (AskSubscription::Create { filter, start, request, .. }, None) => {
                let count = self.store.subscription_count() + self.subscriptions.len();
                if count >= SUBSCRIPTIONS_MAX {
                    return Err(Refused::TooMany { what: "subscriptions", max: SUBSCRIPTIONS_MAX });
                }
                SubscriptionRecord {
                    merchant: merchant.clone(),
                    subscription: subscription.clone(),
                    filter: filter.clone(),
                    acknowledged: *start,
                    create_time: now,
                    acknowledge_time: None,
                    request: Some(request.clone()),
                    deleted: false,
                    actor: actor.clone(),
                    time: now,
                }
            }
            (AskSubscription::Acknowledge { .. }, None) => {
                return Err(Refused::NotFound { what: "subscription" });
            }
            (AskSubscription::Acknowledge { position, .. }, Some(known)) => {
                // Cumulative: an older acknowledgement says nothing new.
                if *position <= known.acknowledged {
                    return Ok(Answer::plain(true));
                }
                let acknowledge_time = Some(now);
                let actor = actor.clone();
                let acknowledged = *position;
                SubscriptionRecord { acknowledged, acknowledge_time, actor, time: now, ..known }
            }
            (AskSubscription::Delete { .. }, None) => return Ok(Answer::plain(true)),
            (AskSubscription::Delete { .. }, Some(known)) => {
                SubscriptionRecord { deleted: true, actor: actor.clone(), time: now, ..known }
            }
        };
        self.subscriptions.insert(subject, record.clone());
        Ok(Answer::recorded(self.push(Record::Subscription(record), Vec::new())))
    }
}
