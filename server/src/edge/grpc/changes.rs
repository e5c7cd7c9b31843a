//! ChangeService.

use std::sync::Arc;

use paystatus_proto::{server::change_service_server::ChangeService, v1};
use tonic::{Code, Request, Response, Status};

use super::{
    auth::Caller,
    cursor::Cursor,
    errors,
    filter::Filter,
    from_wire::{self, Violations, stream::Start},
    page,
    stream::{Frames, Watch},
    to_wire,
};
use crate::{
    clock,
    domain::{
        digest::Digest,
        ids::{MerchantId, RequestId, SubscriptionId},
    },
    edge::Context,
    engine::{Ask, AskSubscription},
    record::SubscriptionRecord,
};

/// Subscriptions of one page if the caller does not say, and at most.
const PAGE: (usize, usize) = (50, 500);

pub(super) struct Changes(pub(super) Arc<Context>);

impl Changes {
    fn find(&self, merchant: &MerchantId, id: &str) -> Result<SubscriptionRecord, Status> {
        let id = SubscriptionId::parse(id);
        let id = id.map_err(|problem| errors::field("subscription_id", problem.to_string()))?;
        self.0.store.subscription(merchant, &id).ok_or_else(|| {
            let message = "there is no such subscription";
            errors::error(Code::NotFound, "SUBSCRIPTION_NOT_FOUND", message)
        })
    }

    fn cursor(&self, record: &SubscriptionRecord) -> Cursor {
        let filter = Filter::of_record(record.merchant.clone(), &record.filter);
        Cursor {
            epoch: self.0.hub.epoch(),
            position: record.acknowledged,
            filter: filter.hash(),
            is_in_snapshot: false,
        }
    }

    fn wire(&self, record: &SubscriptionRecord) -> v1::Subscription {
        let name = (record.merchant.clone(), record.subscription.clone());
        let hub = &self.0.hub;
        let is_done = record.acknowledged >= hub.news();
        let backlog = if is_done { 0 } else { hub.head().saturating_sub(record.acknowledged) };
        v1::Subscription {
            merchant_id: record.merchant.as_str().to_owned(),
            subscription_id: record.subscription.as_str().to_owned(),
            filter: Some(v1::ChangeFilter {
                merchant_id: record.merchant.as_str().to_owned(),
                order_ids: record.filter.orders.clone(),
                account_ids: record.filter.accounts.clone(),
                labels: record.filter.labels.iter().cloned().collect(),
                kinds: record.filter.kinds.clone(),
            }),
            acknowledged_cursor: self.cursor(record).encode(),
            backlog_records: i64::try_from(backlog).unwrap_or(i64::MAX),
            create_time: Some(to_wire::time(record.create_time)),
            acknowledge_time: record.acknowledge_time.map(to_wire::time),
            connected: self.0.sessions.is_connected(&name),
        }
    }

    fn watch_subscription(
        &self,
        caller: &Caller,
        request: &v1::WatchChangesRequest,
    ) -> Result<Watch, Status> {
        let merchant = caller.merchant(&request.merchant_id)?;
        if request.filter.is_some() || request.start.is_some() {
            let problem = "must come without filter and start: it has its own";
            return Err(errors::field("subscription_id", problem));
        }
        let record = self.find(&merchant, &request.subscription_id)?;
        let filter = Filter::of_record(merchant.clone(), &record.filter);
        let now = u64::try_from(clock::now().as_micros()).unwrap_or(0);
        let name = (merchant, record.subscription.clone());
        let session = self.0.sessions.take_over(name, record.acknowledged, now);
        let start = Start::After(self.cursor(&record));
        Ok(Watch::new(self.0.clone(), filter, start, caller, Some(session)))
    }

    /// The position that a subscription begins at.
    fn start(&self, start: Start) -> Result<u64, Status> {
        match start {
            Start::Now => Ok(self.0.hub.head()),
            Start::Beginning => Ok(0),
            Start::Snapshot => Err(errors::field("start", "must be NOW, BEGINNING or a cursor")),
            Start::After(cursor) => {
                let is_ours = cursor.epoch == self.0.hub.epoch()
                    && cursor.position <= self.0.hub.head()
                    && !cursor.is_in_snapshot;
                if !is_ours {
                    return Err(errors::field("start", "this cursor cannot be honoured here"));
                }
                Ok(cursor.position)
            }
        }
    }
}

#[tonic::async_trait]
impl ChangeService for Changes {
    type WatchChangesStream = Frames;

    async fn watch_changes(
        &self,
        request: Request<v1::WatchChangesRequest>,
    ) -> Result<Response<Self::WatchChangesStream>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        if !request.subscription_id.is_empty() {
            let watch = self.watch_subscription(&caller, &request)?;
            return Ok(Response::new(watch.into_frames()));
        }
        let named = request.filter.as_ref().map(|filter| filter.merchant_id.as_str());
        let merchant = caller.merchant(named.unwrap_or_default())?;
        let filter = from_wire::stream::filter(request.filter, merchant)?;
        let start = from_wire::stream::start(request.start, Start::Now, &filter)?;
        let watch = Watch::new(self.0.clone(), filter, start, &caller, None);
        Ok(Response::new(watch.into_frames()))
    }

    async fn create_subscription(
        &self,
        request: Request<v1::CreateSubscriptionRequest>,
    ) -> Result<Response<v1::CreateSubscriptionResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        let mut wrong = Violations::default();
        let id = wrong.name("request_id", &request.request_id, RequestId::parse);
        let name = wrong.name("subscription_id", &request.subscription_id, SubscriptionId::parse);
        let (id, subscription) = wrong.finish(id.zip(name))?;
        let filter = from_wire::stream::filter(request.filter, merchant.clone())?;
        let start = from_wire::stream::start(request.start, Start::Now, &filter)?;
        let place = match start {
            Start::After(cursor) => i64::try_from(cursor.position).unwrap_or(i64::MAX),
            Start::Beginning => -1,
            Start::Now | Start::Snapshot => -2,
        };
        let fingerprint = Digest::new("create subscription v1").text(subscription.as_str());
        let hash = i64::from_be_bytes(filter.hash().to_be_bytes());
        let fingerprint = fingerprint.number(hash).number(place).finish();
        let ask = AskSubscription::Create {
            merchant: merchant.clone(),
            subscription: subscription.clone(),
            filter: filter.to_record(),
            start: self.start(start)?,
            request: (id, fingerprint),
        };
        let ask = Ask::Subscription(ask, Some(caller.actor()));
        let answer = self.0.engine.ask(ask).await.map_err(errors::of_engine)?;
        let record = self.find(&merchant, subscription.as_str())?;
        Ok(Response::new(v1::CreateSubscriptionResponse {
            subscription: Some(self.wire(&record)),
            replayed: answer.replayed,
        }))
    }

    async fn get_subscription(
        &self,
        request: Request<v1::GetSubscriptionRequest>,
    ) -> Result<Response<v1::GetSubscriptionResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        let record = self.find(&merchant, &request.subscription_id)?;
        let subscription = Some(self.wire(&record));
        Ok(Response::new(v1::GetSubscriptionResponse { subscription }))
    }

    async fn list_subscriptions(
        &self,
        request: Request<v1::ListSubscriptionsRequest>,
    ) -> Result<Response<v1::ListSubscriptionsResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        let size = from_wire::page_size(request.page_size, PAGE.0, PAGE.1)?;
        let digest = || Digest::new("list subscriptions").text(merchant.as_str());
        let all = self.0.store.subscriptions(&merchant);
        let (page, next_page_token) = page::of(&all, size, &request.page_token, digest)?;
        let subscriptions = page.iter().map(|s| self.wire(s)).collect();
        Ok(Response::new(v1::ListSubscriptionsResponse { subscriptions, next_page_token }))
    }

    async fn delete_subscription(
        &self,
        request: Request<v1::DeleteSubscriptionRequest>,
    ) -> Result<Response<v1::DeleteSubscriptionResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        let mut wrong = Violations::default();
        let id = wrong.name("request_id", &request.request_id, RequestId::parse);
        let name = wrong.name("subscription_id", &request.subscription_id, SubscriptionId::parse);
        let (_, subscription) = wrong.finish(id.zip(name))?;
        let name = (merchant.clone(), subscription.clone());
        let ask = AskSubscription::Delete { merchant, subscription };
        let ask = Ask::Subscription(ask, Some(caller.actor()));
        let answer = self.0.engine.ask(ask).await.map_err(errors::of_engine)?;
        self.0.sessions.delete(&name);
        Ok(Response::new(v1::DeleteSubscriptionResponse { replayed: answer.replayed }))
    }

    async fn ack_subscription(
        &self,
        request: Request<v1::AckSubscriptionRequest>,
    ) -> Result<Response<v1::AckSubscriptionResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        let record = self.find(&merchant, &request.subscription_id)?;
        let own = self.cursor(&record);
        let cursor = Cursor::decode(&request.cursor)
            .filter(|c| (c.epoch, c.filter) == (own.epoch, own.filter) && !c.is_in_snapshot);
        let cursor = cursor.ok_or_else(|| {
            errors::field("cursor", "must be the cursor of a frame of this subscription")
        })?;
        let name = (merchant, record.subscription);
        let session = self.0.sessions.of_ack(&name, request.generation)?;
        let (engine, hub) = (&self.0.engine, &self.0.hub);
        let by = (name, caller.actor());
        let position = session.acknowledge(engine, hub, by, cursor.position).await?;
        let acknowledged_cursor = Cursor { position, ..own }.encode();
        Ok(Response::new(v1::AckSubscriptionResponse { acknowledged_cursor }))
    }
}
