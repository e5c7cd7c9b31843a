//! OrderService.

use std::sync::Arc;

use paystatus_proto::{server::order_service_server::OrderService, v1};
use tonic::{Code, Request, Response, Status};

use super::{
    auth::{self, Caller},
    await_order, errors,
    filter::Filter,
    from_wire::{self, intent::OperationRequest, stream::Start},
    leave::Leave,
    page, page_watch, receipt,
    stream::{Frames, Watch},
    to_wire,
};
use crate::{
    clock,
    domain::{
        command::{Command, CreateOperation, Parent},
        digest::Digest,
        ids::{AccountId, MerchantId, OrderKey, ProviderId},
        order::Order,
        time::Time,
    },
    edge::Context,
    engine::{Answer, Ask},
    hub::{Committed, ReadError},
    record::{Role, Source},
    store::Page,
};

/// Orders of one page if the caller does not say, and at most.
const PAGE: (usize, usize) = (50, 500);
/// Facts of one page of a timeline if the caller does not say, and at most.
const TIMELINE_PAGE: (usize, usize) = (50, 200);
/// How long GetOrder waits for a provider that it asks.
const LOOK_PATIENCE: prost_types::Duration = prost_types::Duration { seconds: 5, nanos: 0 };

pub(super) struct Orders(pub(super) Arc<Context>);

impl Orders {
    async fn record(
        &self,
        caller: &Caller,
        command: Command,
        source: Source,
    ) -> Result<(Answer, Arc<Order>), Status> {
        let ask = Ask::Order { command, source, actor: Some(caller.actor()) };
        let answer = self.0.engine.ask(ask).await.map_err(errors::of_engine)?;
        let order = answer.order.clone();
        let order = order.ok_or_else(|| errors::internal(&"an accepted order is not there"))?;
        Ok((answer, order))
    }

    async fn operation(
        &self,
        caller: &Caller,
        merchant: &str,
        request: OperationRequest,
    ) -> Result<(v1::Operation, bool, String), Status> {
        let merchant = caller.merchant(merchant)?;
        let command: CreateOperation = from_wire::intent::create_operation(request, merchant)?;
        let (kind, id) = (command.kind, command.operation.clone());
        let command = Command::CreateOperation(command);
        let (answer, order) = self.record(caller, command, Source::Intent).await?;
        let operation = order.view.operation(kind, id.as_str());
        let operation = operation.ok_or_else(|| errors::internal(&"an operation is not there"))?;
        let wire = to_wire::order::operation(operation);
        Ok((wire, answer.replayed, answer.warning.unwrap_or_default()))
    }

    async fn find(&self, parent: &Parent) -> Result<Arc<Order>, Status> {
        let (store, key) = (Arc::clone(&self.0.store), parent.key());
        let found = match store.order_in_memory(&key) {
            Some(order) => Ok(Some(order)),
            None => {
                let read = tokio::task::spawn_blocking(move || store.find_order(&key)).await;
                read.map_err(|error| errors::internal(&error))?
            }
        };
        let order = found.map_err(|error| errors::internal(&error))?;
        order.filter(|order| order.facts.order.is_some()).ok_or_else(|| {
            errors::error(Code::NotFound, "ORDER_NOT_FOUND", "no such order is recorded")
        })
    }
}

#[tonic::async_trait]
impl OrderService for Orders {
    type WatchOrderStream = Frames;

    async fn create_order(
        &self,
        request: Request<v1::CreateOrderRequest>,
    ) -> Result<Response<v1::CreateOrderResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        let command = from_wire::intent::create_order(request, merchant, &self.0.accounts.load())?;
        let command = Command::CreateOrder(command);
        let (answer, order) = self.record(&caller, command, Source::Intent).await?;
        let order = Some(to_wire::order::order(&order));
        Ok(Response::new(v1::CreateOrderResponse { order, replayed: answer.replayed }))
    }

    async fn get_order(
        &self,
        request: Request<v1::GetOrderRequest>,
    ) -> Result<Response<v1::GetOrderResponse>, Status> {
        let caller = Caller::of(&request)?;
        let patience = await_order::timeout(Some(LOOK_PATIENCE), request.metadata())?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        let parent = from_wire::intent::parent(merchant, &request.order_id)?;
        let mut order = self.find(&parent).await?;
        if let Some(max_age) = from_wire::max_age(request.max_age)? {
            self.0.outbound.refresh(&order, max_age, patience).await;
            order = self.find(&parent).await?;
        }
        let order = Some(to_wire::order::checked(&order, self.0.outbound.checks(&order)));
        Ok(Response::new(v1::GetOrderResponse { order }))
    }

    async fn list_orders(
        &self,
        request: Request<v1::ListOrdersRequest>,
    ) -> Result<Response<v1::ListOrdersResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        if request.unclaimed {
            caller.require(Role::Operator)?;
        }
        let size = from_wire::page_size(request.page_size, PAGE.0, PAGE.1)?;
        let mut labels: Vec<_> = request.labels.clone().into_iter().collect();
        labels.sort();
        let digest = || {
            let digest = Digest::new("list orders").text(merchant.as_str());
            let digest = digest.number(i64::from(request.unclaimed));
            let digest = labels.iter().fold(digest, |d, (k, v)| d.text(k).text(v));
            request.statuses.iter().fold(digest, |d, s| d.number(i64::from(*s)))
        };
        let after = page::after(&request.page_token, digest())?;
        let groups = if request.unclaimed {
            self.0
                .accounts
                .load()
                .of_merchant(&merchant)
                .into_iter()
                .filter_map(unclaimed_of)
                .collect()
        } else {
            recorded_of(&merchant).into_iter().collect::<Vec<_>>()
        };
        let statuses = request.statuses.clone();
        let admits = move |order: &Order| {
            let status = to_wire::order::status(order.view.summary.status) as i32;
            let own = order.facts.order.as_ref().map(|intent| &intent.labels);
            (statuses.is_empty() || statuses.contains(&status))
                && request.labels.iter().all(|(k, v)| own.is_some_and(|l| l.get(k) == Some(v)))
        };
        let store = Arc::clone(&self.0.store);
        let list = move || list_groups(&store, &groups, after, size, &admits);
        let page = tokio::task::spawn_blocking(list).await.map_err(|e| errors::internal(&e))?;
        let page = page.map_err(|error| errors::internal(&error))?;
        let next_page_token = page.next.map(|after| page::token(after, digest()));
        let checked =
            |order: &Arc<Order>| to_wire::order::checked(order, self.0.outbound.checks(order));
        Ok(Response::new(v1::ListOrdersResponse {
            orders: page.orders.iter().map(checked).collect(),
            next_page_token: next_page_token.unwrap_or_default(),
        }))
    }

    async fn create_attempt(
        &self,
        request: Request<v1::CreateAttemptRequest>,
    ) -> Result<Response<v1::CreateAttemptResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        let command =
            from_wire::intent::create_attempt(request, merchant, &self.0.accounts.load())?;
        let id = command.attempt.clone();
        let command = Command::CreateAttempt(command);
        let (answer, order) = self.record(&caller, command, Source::Intent).await?;
        let attempt = order.view.attempt(id.as_str());
        let attempt = attempt.ok_or_else(|| errors::internal(&"an attempt is not there"))?;
        Ok(Response::new(v1::CreateAttemptResponse {
            attempt: Some(to_wire::order::attempt(attempt)),
            replayed: answer.replayed,
            warning: answer.warning.unwrap_or_default(),
        }))
    }

    async fn create_capture(
        &self,
        request: Request<v1::CreateCaptureRequest>,
    ) -> Result<Response<v1::CreateCaptureResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = request.merchant_id.clone();
        let (capture, replayed, warning) =
            self.operation(&caller, &merchant, request.into()).await?;
        Ok(Response::new(v1::CreateCaptureResponse { capture: Some(capture), replayed, warning }))
    }

    async fn create_refund(
        &self,
        request: Request<v1::CreateRefundRequest>,
    ) -> Result<Response<v1::CreateRefundResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = request.merchant_id.clone();
        let (refund, replayed, warning) =
            self.operation(&caller, &merchant, request.into()).await?;
        Ok(Response::new(v1::CreateRefundResponse { refund: Some(refund), replayed, warning }))
    }

    async fn create_void(
        &self,
        request: Request<v1::CreateVoidRequest>,
    ) -> Result<Response<v1::CreateVoidResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = request.merchant_id.clone();
        let (void, replayed, warning) = self.operation(&caller, &merchant, request.into()).await?;
        Ok(Response::new(v1::CreateVoidResponse { void: Some(void), replayed, warning }))
    }

    async fn record_provider_reply(
        &self,
        request: Request<v1::RecordProviderReplyRequest>,
    ) -> Result<Response<v1::RecordProviderReplyResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        let command = from_wire::reply::record_reply(request, merchant)?;
        let command = Command::RecordReply(command);
        let (answer, order) = self.record(&caller, command, Source::Reply).await?;
        let order = Some(to_wire::order::order(&order));
        Ok(Response::new(v1::RecordProviderReplyResponse { order, replayed: answer.replayed }))
    }

    async fn await_order(
        &self,
        request: Request<v1::AwaitOrderRequest>,
    ) -> Result<Response<v1::AwaitOrderResponse>, Status> {
        let caller = Caller::of(&request)?;
        let timeout = await_order::timeout(request.get_ref().timeout, request.metadata())?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        let parent = from_wire::intent::parent(merchant, &request.order_id)?;
        self.find(&parent).await?;
        let leave = Leave::new(&self.0, &caller, parent.merchant.clone());
        let (key, attempt) = (parent.key(), &request.attempt_id);
        await_order::wait(&self.0, leave, key, attempt, timeout).await.map(Response::new)
    }

    async fn watch_order(
        &self,
        request: Request<v1::WatchOrderRequest>,
    ) -> Result<Response<Self::WatchOrderStream>, Status> {
        if let Some(grant) = auth::page(&request) {
            return Ok(Response::new(page_watch::open(&self.0, grant, &request)?));
        }
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        let parent = from_wire::intent::parent(merchant, &request.order_id)?;
        let order = self.find(&parent).await?;
        let filter = match &order.key {
            OrderKey::Recorded { merchant, order } => Filter::of_order(merchant.clone(), order),
            OrderKey::Unclaimed { .. } => return Err(errors::internal(&"an order is unclaimed")),
        };
        let start = from_wire::stream::start(request.start, Start::Snapshot, &filter)?;
        let watch = Watch::new(self.0.clone(), filter, start, &caller, None);
        Ok(Response::new(watch.into_frames()))
    }

    async fn create_page_token(
        &self,
        request: Request<v1::CreatePageTokenRequest>,
    ) -> Result<Response<v1::CreatePageTokenResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        let parent = from_wire::intent::parent(merchant, &request.order_id)?;
        let seconds = from_wire::page_token_seconds(request.ttl)?;
        self.find(&parent).await?;
        let now = clock::now();
        let until = Time::from_seconds(now.as_seconds().saturating_add(seconds));
        let token = self.0.pages.load().keys.issue(&parent.merchant, &parent.order, now, until);
        let token = token.ok_or_else(|| errors::internal(&"a page token could not be signed"))?;
        let expire_time = Some(to_wire::time(until));
        Ok(Response::new(v1::CreatePageTokenResponse { token, expire_time }))
    }

    async fn record_receipt(
        &self,
        request: Request<v1::RecordReceiptRequest>,
    ) -> Result<Response<v1::RecordReceiptResponse>, Status> {
        receipt::record(&self.0, request).await.map(Response::new)
    }

    async fn get_timeline(
        &self,
        request: Request<v1::GetTimelineRequest>,
    ) -> Result<Response<v1::GetTimelineResponse>, Status> {
        let caller = Caller::of(&request)?;
        let request = request.into_inner();
        let merchant = caller.merchant(&request.merchant_id)?;
        let parent = from_wire::intent::parent(merchant, &request.order_id)?;
        let size = from_wire::page_size(request.page_size, TIMELINE_PAGE.0, TIMELINE_PAGE.1)?;
        let digest = || {
            let digest = Digest::new("timeline").text(parent.merchant.as_str());
            digest.text(parent.order.as_str())
        };
        let after = page::after(&request.page_token, digest())?;
        let order = self.find(&parent).await?;
        let positions: Vec<u64> =
            order.positions.iter().copied().filter(|p| *p > after).take(size + 1).collect();
        let more = positions.len() > size;
        let positions = positions[..positions.len().min(size)].to_vec();
        let next = more.then(|| positions.last().copied()).flatten();
        let hub = Arc::clone(&self.0.hub);
        let read = move || -> Result<Vec<Arc<Committed>>, ReadError> {
            let one = |position: &u64| hub.read_one(*position).transpose();
            positions.iter().filter_map(one).collect()
        };
        let records = tokio::task::spawn_blocking(read).await.map_err(|e| errors::internal(&e))?;
        let records = records.map_err(|error| errors::internal(&error))?;
        let entry = |committed: &Arc<Committed>| {
            Some(to_wire::timeline::entry(committed, committed.of_order()?))
        };
        Ok(Response::new(v1::GetTimelineResponse {
            entries: records.iter().filter_map(entry).collect(),
            next_page_token: next.map(|after| page::token(after, digest())).unwrap_or_default(),
        }))
    }
}

/// One page over several lists, one after the other. The token's number says where in the
/// list, and the list is found by it: positions are unique over all of them.
fn list_groups(
    store: &crate::store::Store,
    groups: &[OrderKey],
    after: u64,
    size: usize,
    admits: &impl Fn(&Order) -> bool,
) -> Result<Page, crate::store::Error> {
    let mut all: Vec<Arc<Order>> = Vec::new();
    let mut ends: Option<u64> = None;
    for group in groups {
        let page = store.list(group, after, size, admits)?;
        ends = match (ends, page.next) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (end, next) => end.or(next),
        };
        all.extend(page.orders);
    }
    let first = |order: &Arc<Order>| order.positions.first().copied().unwrap_or(0);
    all.sort_by_key(first);
    // Nothing after the earliest end is sure to be complete.
    if let Some(end) = ends {
        all.retain(|order| first(order) <= end);
    }
    if all.len() > size {
        all.truncate(size);
        ends = all.last().map(first);
    }
    Ok(Page { orders: all, next: ends })
}

fn recorded_of(merchant: &MerchantId) -> Option<OrderKey> {
    let order = crate::domain::ids::OrderId::parse("-").ok()?;
    Some(OrderKey::Recorded { merchant: merchant.clone(), order })
}

fn unclaimed_of(account: AccountId) -> Option<OrderKey> {
    Some(OrderKey::Unclaimed { account, anchor: ProviderId::parse("any", "-").ok()? })
}
