//! What the simulator says as Adyen verifies and is read as meant.

use paystatus_simulator::life::{OperationKind, OperationState, PaymentState};

use crate::providers::tests::{
    OPERATION_STATES, PAYMENT_STATES, SimulatedAccount, each_in_words, event, operate, payment,
};

fn words(account: &SimulatedAccount, state: PaymentState) -> Vec<String> {
    each_in_words(&account.hear(&event(&payment(state))))
}

#[test]
fn every_state_of_a_payment() {
    let account = SimulatedAccount::new("adyen", &[]);
    let payment = |word: &str| format!("psp_reference=p1 as o1: {word} 100.00 AUD");
    let capture = |word: &str| format!("psp_reference=p1: Capture capture=p1C {word} 100.00 AUD");
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
        assert_eq!(words(&account, *state), says, "{state:?}");
    }
}

#[test]
fn where_capture_is_automatic() {
    let account = SimulatedAccount::new("adyen", &[("capture", "automatic")]);
    let sold = "psp_reference=p1 as o1: SOLD 100.00 AUD";
    assert_eq!(words(&account, PaymentState::Paid), [sold]);
    assert_eq!(words(&account, PaymentState::Authorized), Vec::<String>::new());
    let corrected = words(&account, PaymentState::Corrected);
    assert_eq!(corrected[0], "psp_reference=p1: SALE_CORRECTED 100.00 AUD");
}

#[test]
fn every_state_of_an_operation() {
    let account = SimulatedAccount::new("adyen", &[("modification_reference", "own")]);
    let words = ["-", "SUCCESSFUL", "TRY_ERROR", "TRY_ERROR", "TRY_ERROR", "CORRECTED"];
    for (kind, id, amount) in [
        (OperationKind::Capture, "Capture capture", " 40.00 AUD"),
        (OperationKind::Refund, "Refund refund", " 40.00 AUD"),
        (OperationKind::Void, "Void void", ""),
    ] {
        for (state, word) in OPERATION_STATES.iter().zip(words) {
            let mut payment = payment(PaymentState::Authorized);
            let told = operate(&mut payment, (kind, "1"), *state, 4_000);
            let says = each_in_words(&account.hear(&told));
            let is_silent = *state == OperationState::Pending
                || (kind == OperationKind::Void && *state == OperationState::Corrected);
            let meant = format!("psp_reference=p1: {id}=1 {word} as x-1{amount}");
            let meant = if is_silent { vec![] } else { vec![meant] };
            assert_eq!(says, meant, "{kind:?} {state:?}");
        }
    }
}
