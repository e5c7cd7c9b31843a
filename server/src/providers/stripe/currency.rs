//! The digits that Stripe gives each currency (docs.stripe.com/currencies): two, unless listed.

use crate::{domain::money::Currency, providers::amount};

const WITHOUT_DIGITS: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
];

const WITH_THREE: &[&str] = &["BHD", "JOD", "KWD", "OMR", "TND"];

/// Currencies without digits that Stripe still writes with two, always zero. UGX stands in the
/// list of those without digits as well; its own entry among the special cases is the one that
/// gives an example.
const WRITTEN_WITH_TWO: &[&str] = &["ISK", "UGX"];

/// How many digits amounts of a currency have. `None` where the list and ISO 4217 leave it open.
pub(super) fn digits(currency: Currency) -> Option<u8> {
    let code = currency.as_str();
    match amount::digits(currency)? {
        _ if WITHOUT_DIGITS.contains(&code) => Some(0),
        _ if WITH_THREE.contains(&code) => Some(3),
        2 => Some(2),
        _ if WRITTEN_WITH_TWO.contains(&code) => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_stripes_own() {
        for (code, expected) in [
            ("EUR", Some(2)),
            ("USD", Some(2)),
            ("JPY", Some(0)),
            ("MGA", Some(0)),
            ("ISK", Some(2)),
            ("UGX", Some(2)),
            ("HUF", Some(2)),
            ("TWD", Some(2)),
            ("KWD", Some(3)),
            ("IQD", None),
            ("USDC", None),
        ] {
            assert_eq!(digits(Currency::parse(code).unwrap()), expected, "{code}");
        }
    }
}
