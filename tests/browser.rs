//! What a customer sees: the web component in a real browser, against a real server, while networks
//! and servers fail. Pictures of each state are put into `target/browser`.

use paystatus_proto::v1;
use paystatus_server::config::Config;
use serde_json::{Value, json};

use crate::harness::{
    GENERIC, System,
    api::new_attempt,
    browser::{Browser, Customer},
    webhook::{generic, generic_payment},
};

/// The texts of the component.
const TEXTS: &str = include_str!("../client/web/src/texts.json");

/// A server whose pages the shop's scripts may read, and a browser.
pub(crate) async fn start() -> Option<(System, Browser, String)> {
    start_with(|_| {}).await
}

/// The same, with some settings changed.
pub(crate) async fn start_with(
    change: impl FnOnce(&mut Config),
) -> Option<(System, Browser, String)> {
    let browser = Browser::start().await?;
    let shop = browser.shop.clone();
    let system = System::start_with(|config| {
        config.pages.origins = vec![shop];
        change(config);
    })
    .await;
    let server = format!("http://{}", system.http());
    Some((system, browser, server))
}

impl System {
    /// A token for a new order of 146.24.
    pub(crate) async fn placed(&self, order: &str) -> String {
        self.api().place(order, GENERIC, 14624).await;
        self.page_token(order, 600).await
    }

    /// The provider says that a payment is `paid`, `declined` or the like.
    pub(crate) async fn becomes(&self, order: &str, word: &str) {
        let payment = format!("pay-{order}");
        self.deliver(GENERIC, &generic_payment(&payment, order, word, "146.24")).await;
    }

    /// What was authorised is over, and nobody captured it.
    async fn lapses(&self, order: &str) {
        let data = json!({
            "payment_id": format!("pay-{order}"), "reference": order, "ended": "authorization",
        });
        self.deliver(GENERIC, &generic("lapse", "payment.expired", data)).await;
    }

    /// The customer pays again, after a refusal.
    async fn is_paid_again(&self, order: &str) {
        let reference = format!("{order}-again");
        let again = v1::CreateAttemptRequest {
            reference: reference.clone(),
            ..new_attempt(order, "again", GENERIC)
        };
        self.api().orders().create_attempt(again).await.expect("another attempt");
        self.becomes(&reference, "paid").await;
    }
}

/// What the element told the shop of outcomes.
fn outcomes(told: &[Value]) -> Vec<&Value> {
    let outcomes = told.iter().filter(|told| told[0] == "payment-outcome");
    outcomes.map(|told| &told[1]["outcome"]).collect()
}

fn title<'a>(texts: &'a Value, language: &str, message: &str) -> &'a Value {
    &texts[language][message]["title"]
}

#[tokio::test]
async fn a_page_shows_the_outcome_while_the_customer_watches() {
    let Some((system, mut browser, server)) = start().await else { return };
    let token = system.placed("A-1042").await;
    browser.open("page", &server, &token).await;
    let pending = browser.shows("page", "undecided").await;
    assert_eq!(pending["title"], "Your payment is being processed");
    assert_eq!((&pending["amount"], &pending["order"]), (&json!("A$146.24"), &json!("A-1042")));
    browser.told("page", "payment-connection", json!({"connection": "live"})).await;
    browser.look("page", "undecided").await;
    system.becomes("A-1042", "paid").await;
    let paid = browser.shows("page", "approved").await;
    assert_eq!(paid["title"], "Payment successful");
    let told = browser.told("page", "payment-connection", json!({"connection": "closed"})).await;
    assert_eq!(outcomes(&told), ["APPROVED"], "told once");
    browser.look("page", "approved").await;
}

#[tokio::test]
async fn each_state_looks_as_it_should_and_is_accessible() {
    let Some((system, mut browser, server)) = start().await else { return };
    for (order, words, state) in [
        ("B-1", &["declined"][..], "refused"),
        ("B-2", &["authorized", "lapsed"], "withdrawn"),
        ("B-3", &["paid"], "approved"),
        ("B-4", &[], "undecided"),
    ] {
        let token = system.placed(order).await;
        for word in words {
            match *word {
                "lapsed" => system.lapses(order).await,
                word => system.becomes(order, word).await,
            }
        }
        for scheme in ["light", "dark"] {
            let page = format!("{state}-{scheme}");
            let customer = Customer { name: scheme, options: json!({"colorScheme": scheme}) };
            browser.open_as(&page, &customer, &server, &token, "").await;
            browser.shows(&page, state).await;
            browser.look(&page, &page).await;
        }
    }
    browser.open("invalid", &server, "nonsense").await;
    assert_eq!(browser.shows("invalid", "expired").await["title"], "This link does not work");
    browser.told("invalid", "payment-expired", json!({"reason": "invalid"})).await;
    browser.look("invalid", "invalid").await;
}

#[tokio::test]
async fn a_customer_reads_their_own_language() {
    let Some((system, mut browser, server)) = start().await else { return };
    let texts: Value = serde_json::from_str(TEXTS).expect("it is JSON");
    let languages = texts.as_object().expect("by language");
    assert_eq!(languages.len(), 6);
    let (pending, refused) = (system.placed("C-1").await, system.placed("C-2").await);
    system.becomes("C-2", "declined").await;
    for language in languages.keys() {
        let customer = Customer { name: "customer", options: json!({}) };
        let more = format!("&lang={language}");
        for (token, state, message) in
            [(&pending, "undecided", "undecided"), (&refused, "refused", "declined")]
        {
            let page = format!("{state}-{language}");
            browser.open_as(&page, &customer, &server, token, &more).await;
            let shown = browser.shows(&page, state).await;
            assert_eq!(&shown["title"], title(&texts, language, message), "{page}");
            browser.look(&page, &page).await;
            browser.close(&page).await;
        }
    }
}

#[tokio::test]
async fn who_was_offline_catches_up_without_missing_a_state() {
    let Some((system, mut browser, server)) = start().await else { return };
    let proxy = browser.set_proxy(&server, "pass").await;
    let (token, other) = (system.placed("D-1").await, system.placed("D-2").await);
    browser.open("page", &proxy, &token).await;
    browser.shows("page", "undecided").await;
    browser.open("other", &proxy, &other).await;
    browser.shows("other", "undecided").await;

    // The browser knows that it is offline; two outcomes pass.
    browser.set_offline(true).await;
    browser.shows("page", "reconnecting").await;
    browser.look("page", "reconnecting").await;
    system.becomes("D-1", "declined").await;
    system.is_paid_again("D-1").await;
    browser.set_offline(false).await;
    browser.shows("page", "approved").await;
    let told = browser.told("page", "payment-outcome", json!({"missed": true})).await;
    assert_eq!(outcomes(&told), ["APPROVED"]);

    // It does not know.
    browser.shows("other", "undecided").await;
    browser.set_proxy(&server, "gone").await;
    system.becomes("D-2", "paid").await;
    browser.shows("other", "reconnecting").await;
    browser.set_proxy(&server, "pass").await;
    browser.shows("other", "approved").await;
}

#[tokio::test]
async fn a_page_outlives_a_restart_of_the_server() {
    let Some((mut system, mut browser, server)) = start().await else { return };
    let token = system.placed("E-1").await;
    browser.open("page", &server, &token).await;
    browser.shows("page", "undecided").await;
    system.stop().await;
    browser.shows("page", "reconnecting").await;
    system.start_again().await;
    system.becomes("E-1", "paid").await;
    browser.shows("page", "approved").await;
}

#[tokio::test]
async fn a_link_ends_under_the_page() {
    let Some((system, mut browser, server)) = start().await else { return };
    system.api().place("F-1", GENERIC, 14624).await;
    let token = system.page_token("F-1", 10).await;
    browser.open("page", &server, &token).await;
    browser.shows("page", "undecided").await;
    assert_eq!(browser.shows("page", "expired").await["title"], "This link has expired");
    browser.told("page", "payment-expired", json!({"reason": "expired"})).await;
    browser.look("page", "expired").await;
}

/// Over HTTP/1.1 a browser has six connections to a server. Nine pages share them with their
/// scripts and receipts: some stream, the others ask, and none waits for ever.
#[tokio::test]
async fn more_pages_than_connections_all_get_their_outcome() {
    let Some((system, mut browser, server)) = start().await else { return };
    let orders: Vec<_> = (0..8).map(|number| format!("G-{number}")).collect();
    let mut ways = Vec::new();
    for order in &orders {
        let token = system.placed(order).await;
        browser.open(order, &server, &token).await;
        browser.shows(order, "undecided").await;
        ways.push(browser.evaluate(order, WAY).await);
        // The first order has two tabs.
        if order == &orders[0] {
            browser.open("second tab", &server, &token).await;
            browser.shows("second tab", "undecided").await;
            ways.push(browser.evaluate("second tab", WAY).await);
        }
    }
    let streams = ways.iter().filter(|way| *way == "live").count();
    assert!((1..=4).contains(&streams) && ways.len() == 9, "{ways:?}");
    for order in &orders {
        system.becomes(order, "paid").await;
    }
    for page in orders.iter().map(String::as_str).chain(["second tab"]) {
        browser.shows(page, "approved").await;
    }
}

/// How an element is connected, by what it told last.
const WAY: &str = "window.told.findLast(([name]) => name === 'payment-connection')[1].connection";

#[tokio::test]
async fn a_proxy_that_keeps_streams_back_does_not_keep_the_outcome_back() {
    let Some((system, mut browser, server)) = start().await else { return };
    let proxy = browser.set_proxy(&server, "buffer").await;
    let token = system.placed("H-1").await;
    browser.open("page", &proxy, &token).await;
    browser.told("page", "payment-connection", json!({"connection": "polling"})).await;
    browser.shows("page", "undecided").await;
    system.becomes("H-1", "paid").await;
    browser.shows("page", "approved").await;
}

#[tokio::test]
async fn who_has_no_scripts_follows_by_the_plain_page() {
    let Some((system, mut browser, server)) = start().await else { return };
    let token = system.placed("I-1").await;
    let customer = Customer { name: "plain", options: json!({"javaScriptEnabled": false}) };
    browser.open_as("page", &customer, &server, &token, "&lang=fr").await;
    browser.reads("page", "Votre paiement est en cours de traitement").await;
    system.becomes("I-1", "paid").await;
    browser.reads("page", "Paiement réussi").await;
    browser.shoot("page", "plain").await;
    let address = format!("{server}/pages/order/plain?token={token}&lang=de");
    browser.open_address("alone", &address).await;
    browser.look("alone", "plain-alone").await;
}

#[tokio::test]
async fn nothing_moves_for_who_wants_no_motion() {
    let Some((system, mut browser, server)) = start().await else { return };
    let token = system.placed("J-1").await;
    let moves = "document.querySelector('payment-status').shadowRoot.getAnimations().length > 0";
    for (motion, is_moving) in [("reduce", false), ("no-preference", true)] {
        let customer = Customer { name: motion, options: json!({"reducedMotion": motion}) };
        browser.open_as(motion, &customer, &server, &token, "").await;
        browser.shows(motion, "undecided").await;
        assert_eq!(browser.evaluate(motion, moves).await, is_moving, "{motion}");
    }
}

#[tokio::test]
async fn a_shop_puts_its_own_words_and_ways_on_into_the_element() {
    let Some((system, mut browser, server)) = start().await else { return };
    let token = system.placed("K-1").await;
    system.becomes("K-1", "paid").await;
    let inside = "%3Cb slot=approved%3EHooray%3C/b%3E%3Ca slot=approved-after href=/%3EOn%3C/a%3E\
                  %3Ca slot=refused-after href=/again%3EAgain%3C/a%3E";
    let customer = Customer { name: "customer", options: json!({}) };
    browser.open_as("page", &customer, &server, &token, &format!("&inside={inside}")).await;
    browser.shows("page", "approved").await;
    let seen = "[...document.querySelectorAll('payment-status > *')]
        .filter((own) => own.checkVisibility()).map((own) => own.textContent)";
    assert_eq!(browser.evaluate("page", seen).await, json!(["Hooray", "On"]));
}

/// A shop of one page shows one order after another in the same element.
#[tokio::test]
async fn an_element_that_gets_another_token_shows_the_other_order() {
    let Some((system, mut browser, server)) = start().await else { return };
    let (paid, pending) = (system.placed("L-1").await, system.placed("L-2").await);
    system.becomes("L-1", "paid").await;
    browser.open("page", &server, &paid).await;
    browser.shows("page", "approved").await;
    let script = format!("document.querySelector('payment-status').token = '{pending}'");
    browser.evaluate("page", &script).await;
    assert_eq!(browser.shows("page", "undecided").await["order"], "L-2");
    system.becomes("L-2", "declined").await;
    assert_eq!(browser.shows("page", "refused").await["order"], "L-2");
    let told = browser.told("page", "payment-outcome", json!({"outcome": "REFUSED"})).await;
    assert_eq!(outcomes(&told), ["APPROVED", "REFUSED"], "each once");
}
