//! What the simulator says as Adyen verifies and is read as meant.

use paystatus_simulator::life::{OperationKind, OperationState, PaymentState};

use crate::providers::tests::happened::{
    OPERATION_STATES, PAYMENT_STATES, Pair, event, in_words, operation_event, payment,
    with_operation,
};

fn words(pair: &Pair, state: PaymentState) -> Vec<String> {
    pair.statements(&event(payment(state))).iter().map(in_words).collect()
}

#[test]
fn every_state_of_a_payment() {
    let pair = Pair::of("adyen", &[]);
    let id = "psp_reference=PAY0000000000001";
    let payment = |word: &str| format!("{id} as order-1: {word} 100.00 EUR");
    let capture = |word: &str| format!("{id}: Capture capture=PAY0000000000001C {word} 100.00 EUR");
    let says = [
        vec![payment("PENDING")],
        vec![payment("AUTHORIZED")],
        vec![payment("AUTHORIZED"), capture("SUCCESSFUL")],
        vec![capture("CORRECTED")],
        vec![payment("DECLINED")],
        vec![payment("TRY_EXPIRED")],
        vec![payment("TRY_EXPIRED")],
        vec![payment("DECLINED")],
        vec![payment("AUTHORIZATION_EXPIRED")],
    ];
    for (state, says) in PAYMENT_STATES.iter().zip(says) {
        assert_eq!(words(&pair, *state), says, "{state:?}");
    }
}

#[test]
fn where_capture_is_automatic() {
    let pair = Pair::of("adyen", &[("capture", "automatic")]);
    let id = "psp_reference=PAY0000000000001";
    let sold = format!("{id} as order-1: SOLD 100.00 EUR");
    assert_eq!(words(&pair, PaymentState::Paid), [sold]);
    assert_eq!(words(&pair, PaymentState::Authorized), Vec::<String>::new());
    let corrected = words(&pair, PaymentState::Corrected);
    assert_eq!(corrected[0], format!("{id}: SALE_CORRECTED 100.00 EUR"));
}

#[test]
fn every_state_of_an_operation() {
    let pair = Pair::of("adyen", &[("modification_reference", "own")]);
    let words = ["-", "SUCCESSFUL", "TRY_ERROR", "TRY_ERROR", "TRY_ERROR", "CORRECTED"];
    for (kind, id, amount) in [
        (OperationKind::Capture, "Capture capture", " 40.00 EUR"),
        (OperationKind::Refund, "Refund refund", " 40.00 EUR"),
        (OperationKind::Void, "Void void", ""),
    ] {
        for (state, word) in OPERATION_STATES.iter().zip(words) {
            let payment = with_operation(payment(PaymentState::Authorized), kind, *state);
            let says: Vec<_> =
                pair.statements(&operation_event(payment)).iter().map(in_words).collect();
            let is_silent = *state == OperationState::Pending
                || (kind == OperationKind::Void && *state == OperationState::Corrected);
            let meant = format!(
                "psp_reference=PAY0000000000001: {id}=OP00000000000000 {word} as op-0{amount}"
            );
            let meant = if is_silent { vec![] } else { vec![meant] };
            assert_eq!(says, meant, "{kind:?} {state:?}");
        }
    }
}
