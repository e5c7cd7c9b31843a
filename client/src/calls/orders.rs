//! OrderService, but for what waits or streams.

use std::time::Duration;

use paystatus_proto::v1;

use super::{page, page_size, page_token, stated};
use crate::{
    client::{Client, request_id},
    error::Error,
    money::Money,
    order::{Attempt, Operation, Order, PageToken, ProviderId, Receipt},
    requests::{
        ListOrders, NewAttempt, NewOperation, NewOrder, NewReceipt, OrderScope, Page, PageRequest,
        ProviderReply, Recorded,
    },
    status::ReceiptDisposition,
    timeline::TimelineEntry,
    wire::{duration_to_wire, required, time_from_wire, time_to_wire},
};

impl Client {
    /// Records an order. Call it before the provider is called.
    ///
    /// # Errors
    /// `AlreadyExists` if the id is taken by an order with other content.
    pub async fn create_order(&self, order: NewOrder) -> Result<Recorded<Order>, Error> {
        let request = v1::CreateOrderRequest {
            merchant_id: self.merchant_id().to_owned(),
            request_id: request_id(order.request_id),
            order_id: order.order_id,
            amount: Some(order.amount.to_wire()),
            labels: order.labels.into_iter().collect(),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.orders().create_order(request).await)
            .await?;
        let value = Order::from_wire(required(answer.order, "order")?);
        Ok(Recorded { value, replayed: answer.replayed, warning: None })
    }

    /// Returns one order.
    ///
    /// # Errors
    /// `NotFound` if nobody recorded it.
    pub async fn get_order(&self, order_id: &str) -> Result<Order, Error> {
        self.get_order_of_age(order_id, None).await
    }

    /// Returns one order, after the server asked the provider about it if the order is not
    /// decided and nothing younger than `max_age` is known: [`Order::freshness`] says what came
    /// of that. An order is answered in any case, within a few seconds.
    ///
    /// # Errors
    /// `NotFound` if nobody recorded it.
    pub async fn get_fresh_order(&self, order_id: &str, max_age: Duration) -> Result<Order, Error> {
        self.get_order_of_age(order_id, Some(max_age)).await
    }

    async fn get_order_of_age(
        &self,
        order_id: &str,
        max_age: Option<Duration>,
    ) -> Result<Order, Error> {
        let request = v1::GetOrderRequest {
            merchant_id: self.merchant_id().to_owned(),
            order_id: order_id.to_owned(),
            // One that is too long for the message is longer than any order is old.
            max_age: max_age.and_then(|max_age| max_age.try_into().ok()),
        };
        let answer =
            self.call(request, async |rpc, request| rpc.orders().get_order(request).await).await?;
        Ok(Order::from_wire(required(answer.order, "order")?))
    }

    /// Makes a token with which a browser may watch this one order and say that its outcome was
    /// seen, and nothing else: for the order-confirmation page. `None` leaves it to the server how
    /// long it is valid.
    ///
    /// # Errors
    /// `NotFound` if nobody recorded the order; `InvalidArgument` for more than 24 hours.
    pub async fn create_page_token(
        &self,
        order_id: &str,
        ttl: Option<Duration>,
    ) -> Result<PageToken, Error> {
        let request = v1::CreatePageTokenRequest {
            merchant_id: self.merchant_id().to_owned(),
            order_id: order_id.to_owned(),
            ttl: ttl.map(duration_to_wire),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.orders().create_page_token(request).await)
            .await?;
        Ok(PageToken { token: answer.token, expires: time_from_wire(answer.expire_time) })
    }

    /// Records that a page of the checkout service's own showed an outcome to the customer. Safe to
    /// repeat: the same again says nothing new. A receipt that comes too late is no error; see
    /// [`Receipt::disposition`].
    ///
    /// # Errors
    /// `NotFound` if nobody recorded the order; `InvalidArgument` for an outcome that is not
    /// reached yet.
    pub async fn record_receipt(&self, receipt: NewReceipt) -> Result<Receipt, Error> {
        let request = v1::RecordReceiptRequest {
            merchant_id: self.merchant_id().to_owned(),
            request_id: request_id(receipt.request_id),
            order_id: receipt.order_id,
            outcome_number: receipt.outcome_number,
        };
        let answer = self
            .call(request, async |rpc, request| rpc.orders().record_receipt(request).await)
            .await?;
        Ok(Receipt {
            disposition: ReceiptDisposition::from_number(answer.disposition),
            customer_informed_time: time_from_wire(answer.customer_informed_time),
        })
    }

    /// Lists orders in order of their recording, a page at a time.
    ///
    /// # Errors
    /// `InvalidArgument` if the page token was not issued for this list.
    pub async fn list_orders(&self, list: ListOrders) -> Result<Page<Order>, Error> {
        let request = v1::ListOrdersRequest {
            merchant_id: self.merchant_id().to_owned(),
            page_size: page_size(&list.page),
            page_token: page_token(list.page),
            statuses: list.statuses.iter().map(|status| status.number()).collect(),
            labels: list.labels.into_iter().collect(),
            unclaimed: list.scope == OrderScope::Unclaimed,
        };
        let answer = self
            .call(request, async |rpc, request| rpc.orders().list_orders(request).await)
            .await?;
        Ok(page(answer.orders, answer.next_page_token, Order::from_wire))
    }

    /// Records an attempt to collect the payment. Call it before the provider is called: that is
    /// what makes a time-out traceable.
    ///
    /// # Errors
    /// `NotFound` if nobody recorded the order; `AlreadyExists` if the id is taken.
    pub async fn create_attempt(&self, attempt: NewAttempt) -> Result<Recorded<Attempt>, Error> {
        let request = v1::CreateAttemptRequest {
            merchant_id: self.merchant_id().to_owned(),
            request_id: request_id(attempt.request_id),
            order_id: attempt.order_id,
            attempt_id: attempt.attempt_id,
            account_id: attempt.account_id,
            reference: attempt.reference,
            amount: attempt.amount.as_ref().map(Money::to_wire),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.orders().create_attempt(request).await)
            .await?;
        let value = Attempt::from_wire(required(answer.attempt, "attempt")?);
        Ok(Recorded { value, replayed: answer.replayed, warning: stated(answer.warning) })
    }

    /// Records that a capture is about to be asked for.
    ///
    /// # Errors
    /// As [`Client::create_attempt`].
    pub async fn create_capture(
        &self,
        capture: NewOperation,
    ) -> Result<Recorded<Operation>, Error> {
        let request = v1::CreateCaptureRequest {
            merchant_id: self.merchant_id().to_owned(),
            request_id: request_id(capture.request_id),
            order_id: capture.order_id,
            attempt_id: capture.attempt_id,
            capture_id: capture.operation_id,
            amount: capture.amount.as_ref().map(Money::to_wire),
            reference: capture.reference,
        };
        let answer = self
            .call(request, async |rpc, request| rpc.orders().create_capture(request).await)
            .await?;
        let value = Operation::from_wire(required(answer.capture, "capture")?);
        Ok(Recorded { value, replayed: answer.replayed, warning: stated(answer.warning) })
    }

    /// Records that a refund is about to be asked for. It is never refused for what is known of
    /// the payment: [`Recorded::warning`] says what looks odd.
    ///
    /// # Errors
    /// As [`Client::create_attempt`].
    pub async fn create_refund(&self, refund: NewOperation) -> Result<Recorded<Operation>, Error> {
        let request = v1::CreateRefundRequest {
            merchant_id: self.merchant_id().to_owned(),
            request_id: request_id(refund.request_id),
            order_id: refund.order_id,
            attempt_id: refund.attempt_id,
            refund_id: refund.operation_id,
            amount: refund.amount.as_ref().map(Money::to_wire),
            reference: refund.reference,
        };
        let answer = self
            .call(request, async |rpc, request| rpc.orders().create_refund(request).await)
            .await?;
        let value = Operation::from_wire(required(answer.refund, "refund")?);
        Ok(Recorded { value, replayed: answer.replayed, warning: stated(answer.warning) })
    }

    /// Records that a void is about to be asked for.
    ///
    /// # Errors
    /// As [`Client::create_attempt`].
    pub async fn create_void(&self, void: NewOperation) -> Result<Recorded<Operation>, Error> {
        let request = v1::CreateVoidRequest {
            merchant_id: self.merchant_id().to_owned(),
            request_id: request_id(void.request_id),
            order_id: void.order_id,
            attempt_id: void.attempt_id,
            void_id: void.operation_id,
            amount: void.amount.as_ref().map(Money::to_wire),
            reference: void.reference,
        };
        let answer = self
            .call(request, async |rpc, request| rpc.orders().create_void(request).await)
            .await?;
        let value = Operation::from_wire(required(answer.void, "void")?);
        Ok(Recorded { value, replayed: answer.replayed, warning: stated(answer.warning) })
    }

    /// Records what the provider answered, or that it did not answer.
    ///
    /// # Errors
    /// `NotFound` if nobody recorded the order or the attempt.
    pub async fn record_provider_reply(
        &self,
        reply: ProviderReply,
    ) -> Result<Recorded<Order>, Error> {
        let (operation_kind, operation_id) = match reply.operation {
            Some((kind, id)) => (kind.number(), id),
            None => (0, String::new()),
        };
        let request = v1::RecordProviderReplyRequest {
            merchant_id: self.merchant_id().to_owned(),
            request_id: request_id(reply.request_id),
            order_id: reply.order_id,
            attempt_id: reply.attempt_id,
            result: reply.result.map_or(0, crate::ReplyResult::number),
            ids: reply.ids.into_iter().map(ProviderId::into_wire).collect(),
            amount: reply.amount.as_ref().map(Money::to_wire),
            operation_kind,
            operation_id,
            operation_ids: reply.operation_ids.into_iter().map(ProviderId::into_wire).collect(),
            reason: reply.reason,
            provider_time: reply.provider_time.map(time_to_wire),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.orders().record_provider_reply(request).await)
            .await?;
        let value = Order::from_wire(required(answer.order, "order")?);
        Ok(Recorded { value, replayed: answer.replayed, warning: None })
    }

    /// Lists every fact known about an order, oldest first, a page at a time.
    ///
    /// # Errors
    /// `NotFound` if nobody recorded the order.
    pub async fn timeline(
        &self,
        order_id: &str,
        list: PageRequest,
    ) -> Result<Page<TimelineEntry>, Error> {
        let request = v1::GetTimelineRequest {
            merchant_id: self.merchant_id().to_owned(),
            order_id: order_id.to_owned(),
            page_size: page_size(&list),
            page_token: page_token(list),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.orders().get_timeline(request).await)
            .await?;
        Ok(page(answer.entries, answer.next_page_token, TimelineEntry::from_wire))
    }
}
