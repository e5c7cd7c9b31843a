//! The generated clients with an API key, and the calls that most tests make.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use paystatus_proto::v1::{
    self, access_service_client::AccessServiceClient, account_service_client::AccountServiceClient,
    change_service_client::ChangeServiceClient, order_service_client::OrderServiceClient,
    webhook_service_client::WebhookServiceClient,
};
use tonic::{
    Code, Request, Status,
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};
use tonic_types::StatusExt as _;

type Keyed = InterceptedService<Channel, Bearer>;

/// All services, called with one key.
#[derive(Clone)]
pub(crate) struct Api {
    orders: OrderServiceClient<Keyed>,
    changes: ChangeServiceClient<Keyed>,
    webhooks: WebhookServiceClient<Keyed>,
    access: AccessServiceClient<Keyed>,
    accounts: AccountServiceClient<Keyed>,
}

/// Adds the key to a call; an empty one is left out.
#[derive(Clone)]
pub(crate) struct Bearer(String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if !self.0.is_empty() {
            let value = format!("Bearer {}", self.0).parse().expect("a key is plain text");
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    }
}

impl Api {
    pub(crate) fn new(channel: Channel, secret: &str) -> Self {
        let bearer = Bearer(secret.to_owned());
        Self {
            orders: OrderServiceClient::with_interceptor(channel.clone(), bearer.clone()),
            changes: ChangeServiceClient::with_interceptor(channel.clone(), bearer.clone()),
            webhooks: WebhookServiceClient::with_interceptor(channel.clone(), bearer.clone()),
            access: AccessServiceClient::with_interceptor(channel.clone(), bearer.clone()),
            accounts: AccountServiceClient::with_interceptor(channel, bearer),
        }
    }

    pub(crate) fn orders(&self) -> OrderServiceClient<Keyed> {
        self.orders.clone()
    }

    pub(crate) fn changes(&self) -> ChangeServiceClient<Keyed> {
        self.changes.clone()
    }

    pub(crate) fn webhooks(&self) -> WebhookServiceClient<Keyed> {
        self.webhooks.clone()
    }

    pub(crate) fn access(&self) -> AccessServiceClient<Keyed> {
        self.access.clone()
    }

    pub(crate) fn accounts(&self) -> AccountServiceClient<Keyed> {
        self.accounts.clone()
    }

    /// A new key; returns its secret.
    pub(crate) async fn create_key(&self, role: v1::Role, merchants: &[&str]) -> String {
        self.create_named_key(role, merchants).await.secret
    }

    pub(crate) async fn create_named_key(
        &self,
        role: v1::Role,
        merchants: &[&str],
    ) -> v1::CreateKeyResponse {
        let request = v1::CreateKeyRequest {
            name: format!("{} of {}", role.as_str_name(), merchants.join(", ")),
            role: role.into(),
            merchant_ids: merchants.iter().map(|&m| m.to_owned()).collect(),
            request_id: request_id(),
            ..Default::default()
        };
        self.access().create_key(request).await.expect("the key is made").into_inner()
    }

    /// Records an order with an attempt `a1` at an account, both of so many cents.
    pub(crate) async fn place(&self, order: &str, account: &str, cents: i64) {
        self.create_order(order, cents).await;
        self.create_attempt(order, "a1", account).await;
    }

    pub(crate) async fn create_order(&self, order: &str, cents: i64) -> v1::Order {
        let answer = self.orders().create_order(new_order(order, cents)).await;
        answer.expect("the order is recorded").into_inner().order.expect("it is answered")
    }

    pub(crate) async fn create_attempt(
        &self,
        order: &str,
        attempt: &str,
        account: &str,
    ) -> v1::Attempt {
        let answer = self.orders().create_attempt(new_attempt(order, attempt, account)).await;
        answer.expect("the attempt is recorded").into_inner().attempt.expect("it is answered")
    }

    pub(crate) async fn get_order(&self, order: &str) -> v1::Order {
        let request = v1::GetOrderRequest { order_id: order.to_owned(), ..Default::default() };
        let answer = self.orders().get_order(request).await;
        answer.expect("the order is there").into_inner().order.expect("it is answered")
    }

    pub(crate) async fn timeline(&self, order: &str) -> Vec<v1::TimelineEntry> {
        let order_id = order.to_owned();
        let request = v1::GetTimelineRequest { order_id, page_size: 200, ..Default::default() };
        let answer = self.orders().get_timeline(request).await;
        answer.expect("the order is there").into_inner().entries
    }

    /// All webhooks that the key may see, newest first.
    pub(crate) async fn list_webhooks(&self, account: &str) -> Vec<v1::Webhook> {
        let account_id = account.to_owned();
        let request = v1::ListWebhooksRequest { account_id, page_size: 200, ..Default::default() };
        let answer = self.webhooks().list_webhooks(request).await;
        answer.expect("webhooks can be listed").into_inner().webhooks
    }

    pub(crate) async fn get_webhook(&self, id: &str) -> v1::GetWebhookResponse {
        let request = v1::GetWebhookRequest { webhook_id: id.to_owned(), ..Default::default() };
        self.webhooks().get_webhook(request).await.expect("the webhook is there").into_inner()
    }

    /// The same with card tokens.
    pub(crate) async fn get_whole_webhook(&self, id: &str) -> v1::GetWebhookResponse {
        let webhook_id = id.to_owned();
        let request = v1::GetWebhookRequest { webhook_id, include_card_tokens: true };
        self.webhooks().get_webhook(request).await.expect("the webhook is there").into_inner()
    }

    /// All accounts that the key may see, by id.
    pub(crate) async fn list_accounts(&self) -> Vec<v1::Account> {
        let answer = self.accounts().list_accounts(v1::ListAccountsRequest::default()).await;
        answer.expect("accounts can be listed").into_inner().accounts
    }
}

/// An id that no other call has.
pub(crate) fn request_id() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("test-{}", LAST.fetch_add(1, Relaxed))
}

pub(crate) fn aud(cents: i64) -> v1::Money {
    v1::Money { currency_code: "AUD".to_owned(), minor_units: cents, exponent: 2 }
}

pub(crate) fn new_order(order: &str, cents: i64) -> v1::CreateOrderRequest {
    v1::CreateOrderRequest {
        request_id: request_id(),
        order_id: order.to_owned(),
        amount: Some(aud(cents)),
        ..Default::default()
    }
}

pub(crate) fn new_attempt(order: &str, attempt: &str, account: &str) -> v1::CreateAttemptRequest {
    v1::CreateAttemptRequest {
        request_id: request_id(),
        order_id: order.to_owned(),
        attempt_id: attempt.to_owned(),
        account_id: account.to_owned(),
        ..Default::default()
    }
}

/// The stable reason of an error, from its `google.rpc.ErrorInfo`.
pub(crate) fn reason(status: &Status) -> String {
    let info = status.get_details_error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status}"));
    assert_eq!(info.domain, "paystatus");
    info.reason
}

/// The call was refused like this.
#[track_caller]
pub(crate) fn assert_refused<T: std::fmt::Debug>(
    result: Result<T, Status>,
    code: Code,
    expected: &str,
) -> Status {
    let status = result.expect_err("the call is refused");
    assert_eq!((status.code(), reason(&status).as_str()), (code, expected), "{status}");
    status
}
