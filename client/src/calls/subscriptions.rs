//! Named subscriptions at the server. Reading one is [`Client::subscribe`].

use paystatus_proto::v1;

use super::{page, page_size, page_token};
use crate::{
    client::{Client, request_id},
    error::Error,
    requests::{Page, PageRequest, Recorded},
    subscription::{NewSubscription, Subscription},
    wire::required,
};

impl Client {
    /// Creates a named subscription: a position that the server keeps for a reader.
    ///
    /// # Errors
    /// `AlreadyExists` if the name is taken by one with other content.
    pub async fn create_subscription(
        &self,
        subscription: NewSubscription,
    ) -> Result<Recorded<Subscription>, Error> {
        let request = v1::CreateSubscriptionRequest {
            merchant_id: self.merchant_id().to_owned(),
            request_id: request_id(subscription.request_id),
            subscription_id: subscription.subscription_id,
            filter: Some(subscription.filter.to_wire(self.merchant_id())),
            start: Some(subscription.start.into_wire()),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.changes().create_subscription(request).await)
            .await?;
        let value = Subscription::from_wire(required(answer.subscription, "subscription")?);
        Ok(Recorded { value, replayed: answer.replayed, warning: None })
    }

    /// Returns a subscription with its position.
    ///
    /// # Errors
    /// `NotFound` if there is none of this name.
    pub async fn get_subscription(&self, subscription_id: &str) -> Result<Subscription, Error> {
        let request = v1::GetSubscriptionRequest {
            merchant_id: self.merchant_id().to_owned(),
            subscription_id: subscription_id.to_owned(),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.changes().get_subscription(request).await)
            .await?;
        Ok(Subscription::from_wire(required(answer.subscription, "subscription")?))
    }

    /// Lists the subscriptions of the merchant by name, a page at a time.
    ///
    /// # Errors
    /// `InvalidArgument` if the page token was not issued for this list.
    pub async fn list_subscriptions(&self, list: PageRequest) -> Result<Page<Subscription>, Error> {
        let request = v1::ListSubscriptionsRequest {
            merchant_id: self.merchant_id().to_owned(),
            page_size: page_size(&list),
            page_token: page_token(list),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.changes().list_subscriptions(request).await)
            .await?;
        Ok(page(answer.subscriptions, answer.next_page_token, Subscription::from_wire))
    }

    /// Deletes a subscription; its stream ends. Returns false if there was nothing to delete.
    ///
    /// # Errors
    /// `PermissionDenied` if the key may not.
    pub async fn delete_subscription(&self, subscription_id: &str) -> Result<bool, Error> {
        let request = v1::DeleteSubscriptionRequest {
            merchant_id: self.merchant_id().to_owned(),
            request_id: request_id(None),
            subscription_id: subscription_id.to_owned(),
        };
        let answer = self
            .call(request, async |rpc, request| rpc.changes().delete_subscription(request).await)
            .await?;
        Ok(!answer.replayed)
    }
}
