//! The names and numbers of this crate's enums are those of the contract.

use paystatus_proto::v1;

use crate::{
    ChangeKind, ConditionKind, Disposition, FactSource, OperationKind, OperationStatus, Outcome,
    PaymentStatus, ReplyResult, Role, StatementSubject,
};

/// Every number of the wire enum from 1 on is known here under the same name, and no others.
macro_rules! same_as_the_contract {
    ($($ours:ident),+) => {$(
        for number in 1.. {
            let value = $ours::from_number(number);
            let Ok(wire) = v1::$ours::try_from(number) else {
                assert_eq!(value, $ours::Unrecognized(number));
                assert_eq!($ours::KNOWN.len(), number as usize - 1, stringify!($ours));
                break;
            };
            let name = value.to_string();
            assert!(wire.as_str_name().ends_with(&format!("_{name}")), "{wire:?} {name}");
            assert_eq!($ours::from_name(&name), Some(value));
            assert_eq!(value.number(), number);
        }
        assert_eq!($ours::from_number(0), $ours::Unrecognized(0));
    )+};
}

#[test]
fn enums_match_the_contract() {
    same_as_the_contract!(
        ChangeKind,
        ConditionKind,
        Disposition,
        FactSource,
        OperationKind,
        OperationStatus,
        Outcome,
        PaymentStatus,
        ReplyResult,
        Role,
        StatementSubject
    );
}
