//! A server that the test plays itself: every call arrives as a [`Call`], and the test answers.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use paystatus_client::{Client, ClientBuilder, RetryPolicy};
use paystatus_proto::{
    codec::Encoded,
    server::{
        access_service_server::{AccessService, AccessServiceServer},
        account_service_server::{AccountService, AccountServiceServer},
        change_service_server::{ChangeService, ChangeServiceServer},
        order_service_server::{OrderService, OrderServiceServer},
        webhook_service_server::{WebhookService, WebhookServiceServer},
    },
    v1,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc, oneshot},
    task::JoinSet,
    time::timeout,
};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, transport::Server};

/// Longer than anything here takes: reached only when a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How the test answers a call.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Status>>;
/// What the test sends over a stream.
pub(crate) type Frames = mpsc::Receiver<Result<Encoded, Status>>;

/// A running server, and a gate in front of it that can cut connections.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    calls: mpsc::UnboundedReceiver<Call>,
    connections: Arc<Mutex<JoinSet<()>>>,
    freeze: Arc<Notify>,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let server_address = listener.local_addr().expect("an address");
        let (sender, calls) = mpsc::unbounded_channel();
        let server = Server::builder()
            .add_service(OrderServiceServer::new(Script(sender.clone())))
            .add_service(ChangeServiceServer::new(Script(sender.clone())))
            .add_service(WebhookServiceServer::new(Script(sender.clone())))
            .add_service(AccountServiceServer::new(Script(sender.clone())))
            .add_service(AccessServiceServer::new(Script(sender)))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);

        let gate = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = gate.local_addr().expect("an address");
        let connections = Arc::new(Mutex::new(JoinSet::new()));
        let freeze = Arc::new(Notify::new());
        let (passing, freezing) = (connections.clone(), freeze.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = gate.accept().await {
                let pass = pass(client, server_address, freezing.clone());
                passing.lock().expect("no panic").spawn(pass);
            }
        });
        Self { address, calls, connections, freeze }
    }

    /// A client of this server that tries again and acknowledges without much delay.
    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(format!("http://{}", self.address))
            .api_key("secret")
            .merchant("shop")
            .call_timeout(PATIENCE)
            .ack_interval(Duration::from_millis(1))
            .retry(quick_retries())
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().connect_lazy().expect("valid settings")
    }

    /// The next call that arrives.
    pub(crate) async fn next(&mut self) -> Call {
        let call = timeout(PATIENCE, self.calls.recv()).await;
        call.expect("a call in time").expect("a running server")
    }

    /// The call that has arrived, if any.
    pub(crate) fn arrived(&mut self) -> Option<Call> {
        self.calls.try_recv().ok()
    }

    /// Makes every present connection half-open: it stays, but nothing passes any more.
    pub(crate) fn freeze(&self) {
        self.freeze.notify_waiters();
    }

    /// Cuts every connection, as a network does: without a word.
    pub(crate) fn cut(&self) {
        self.connections.lock().expect("no panic").abort_all();
    }
}

pub(crate) fn quick_retries() -> RetryPolicy {
    RetryPolicy {
        attempts_max: 5,
        backoff_initial: Duration::from_millis(1),
        backoff_max: Duration::from_millis(20),
        budget_tokens: 100,
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr, freeze: Arc<Notify>) {
    if let Ok(mut server) = TcpStream::connect(server).await {
        tokio::select! {
            // How the connection ends is no concern of the gate.
            _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
            () = freeze.notified() => std::future::pending().await,
        }
    }
}

struct Script(mpsc::UnboundedSender<Call>);

impl Script {
    async fn ask<T>(&self, call: impl FnOnce(Reply<T>) -> Call) -> Result<T, Status> {
        let (reply, answer) = oneshot::channel();
        self.0.send(call(reply)).map_err(|_| Status::internal("the test is over"))?;
        answer.await.map_err(|_| Status::internal("the test did not answer"))?
    }
}

/// Makes the calls and both services from one list of methods.
macro_rules! script {
    ($($service:ident {
        $($method:ident $call:ident $request:ident -> $response:ident;)+
    } $($watch:ident $watch_call:ident $watch_request:ident as $stream:ident)?;)+) => {
        /// One call of the client, and how to answer it.
        pub(crate) enum Call {
            $($($call(Request<v1::$request>, Reply<v1::$response>),)+
            $($watch_call(Request<v1::$watch_request>, Reply<Frames>),)?)+
        }

        impl Call {
            pub(crate) fn name(&self) -> &'static str {
                match self {
                    $($(Self::$call(..) => stringify!($call),)+
                    $(Self::$watch_call(..) => stringify!($watch_call),)?)+
                }
            }
        }

        $(#[tonic::async_trait]
        impl $service for Script {
            $(async fn $method(
                &self,
                request: Request<v1::$request>,
            ) -> Result<Response<v1::$response>, Status> {
                self.ask(|reply| Call::$call(request, reply)).await.map(Response::new)
            })+

            $(type $stream = ReceiverStream<Result<Encoded, Status>>;

            async fn $watch(
                &self,
                request: Request<v1::$watch_request>,
            ) -> Result<Response<Self::$stream>, Status> {
                let frames = self.ask(|reply| Call::$watch_call(request, reply)).await?;
                Ok(Response::new(ReceiverStream::new(frames)))
            })?
        })+
    };
}

script! {
    OrderService {
        create_order CreateOrder CreateOrderRequest -> CreateOrderResponse;
        get_order GetOrder GetOrderRequest -> GetOrderResponse;
        list_orders ListOrders ListOrdersRequest -> ListOrdersResponse;
        create_attempt CreateAttempt CreateAttemptRequest -> CreateAttemptResponse;
        create_capture CreateCapture CreateCaptureRequest -> CreateCaptureResponse;
        create_refund CreateRefund CreateRefundRequest -> CreateRefundResponse;
        create_void CreateVoid CreateVoidRequest -> CreateVoidResponse;
        record_provider_reply RecordProviderReply RecordProviderReplyRequest
            -> RecordProviderReplyResponse;
        await_order AwaitOrder AwaitOrderRequest -> AwaitOrderResponse;
        create_page_token CreatePageToken CreatePageTokenRequest -> CreatePageTokenResponse;
        record_receipt RecordReceipt RecordReceiptRequest -> RecordReceiptResponse;
        get_timeline GetTimeline GetTimelineRequest -> GetTimelineResponse;
    } watch_order WatchOrder WatchOrderRequest as WatchOrderStream;
    ChangeService {
        create_subscription CreateSubscription CreateSubscriptionRequest
            -> CreateSubscriptionResponse;
        get_subscription GetSubscription GetSubscriptionRequest -> GetSubscriptionResponse;
        list_subscriptions ListSubscriptions ListSubscriptionsRequest
            -> ListSubscriptionsResponse;
        delete_subscription DeleteSubscription DeleteSubscriptionRequest
            -> DeleteSubscriptionResponse;
        ack_subscription AckSubscription AckSubscriptionRequest -> AckSubscriptionResponse;
    } watch_changes WatchChanges WatchChangesRequest as WatchChangesStream;
    WebhookService {
        submit_webhook SubmitWebhook SubmitWebhookRequest -> SubmitWebhookResponse;
        list_webhooks ListWebhooks ListWebhooksRequest -> ListWebhooksResponse;
        get_webhook GetWebhook GetWebhookRequest -> GetWebhookResponse;
        replay_webhooks ReplayWebhooks ReplayWebhooksRequest -> ReplayWebhooksResponse;
    };
    AccountService {
        list_accounts ListAccounts ListAccountsRequest -> ListAccountsResponse;
    };
    AccessService {
        create_key CreateKey CreateKeyRequest -> CreateKeyResponse;
        list_keys ListKeys ListKeysRequest -> ListKeysResponse;
        delete_key DeleteKey DeleteKeyRequest -> DeleteKeyResponse;
        create_operator CreateOperator CreateOperatorRequest -> CreateOperatorResponse;
        update_operator UpdateOperator UpdateOperatorRequest -> UpdateOperatorResponse;
        list_operators ListOperators ListOperatorsRequest -> ListOperatorsResponse;
        delete_operator DeleteOperator DeleteOperatorRequest -> DeleteOperatorResponse;
        list_audit_entries ListAuditEntries ListAuditEntriesRequest -> ListAuditEntriesResponse;
    };
}

/// Waits for the next call, which must be of this method; gives its request and its reply.
macro_rules! receive {
    ($fake:expr, $method:ident) => {
        match $fake.next().await {
            crate::fake::Call::$method(request, reply) => (request, reply),
            other => panic!("expected {}, got {}", stringify!($method), other.name()),
        }
    };
}
pub(crate) use receive;
