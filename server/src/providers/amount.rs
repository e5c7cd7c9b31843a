//! Amounts in major units, exactly as the body writes them: from a JSON number's own text or
//! from a string, never through floating point, never rounded.
//!
//! Digits come from ISO 4217 by the `iso_currency` crate. A code it does not know (a token
//! symbol such as USDT), or one without digits (gold, XAU), has as many digits as are written.

use serde_json::value::RawValue;

use super::{
    Unreadable,
    json::{Object, unreadable},
};
use crate::domain::{
    money::{Currency, Money},
    statement::StatedAmount,
};

/// The amount of that name, in the currency that the object's `currency` names. `None` if the
/// object has no amount.
pub(super) fn stated(object: &Object<'_>, name: &str) -> Result<Option<StatedAmount>, Unreadable> {
    stated_in(object, name, "currency")
}

/// The same, where the currency has another name.
pub(super) fn stated_in(
    object: &Object<'_>,
    name: &str,
    currency_name: &str,
) -> Result<Option<StatedAmount>, Unreadable> {
    let Some(value) = object.value(name)? else { return Ok(None) };
    let place = object.place_of(name);
    let currency = object.required_text(currency_name)?;
    let currency = Currency::parse(&currency)
        .map_err(|err| unreadable(&object.place_of(currency_name), err))?;
    let text = decimal(value).ok_or_else(|| unreadable(&place, "must be a number or a string"))?;
    let digits = digits(currency);
    let money = Money::parse(&text, currency, digits.unwrap_or(0))
        .map_err(|err| unreadable(&place, err))?;
    let too_precise = digits.is_some_and(|digits| money.exponent() > digits);
    Ok(Some(StatedAmount { money, too_precise }))
}

/// The amount in minor units of that name, an integer, in a currency that has as many digits as
/// `exponent` says. `None` if the object has no amount.
pub(super) fn in_minor_units(
    object: &Object<'_>,
    name: &str,
    currency: &str,
    exponent: impl Fn(Currency) -> Option<u8>,
) -> Result<Option<StatedAmount>, Unreadable> {
    let Some(value) = object.value(name)? else { return Ok(None) };
    let place = object.place_of(name);
    // Providers differ in the case of the code; the code itself has none.
    let currency = Currency::parse(currency).map_err(|err| unreadable(&place, err))?;
    let exponent = exponent(currency)
        .ok_or_else(|| unreadable(&place, "is of a currency whose digits are not known"))?;
    let units = value.get();
    if units.starts_with('-') {
        return Err(unreadable(&place, "must not be negative"));
    }
    if !units.bytes().all(|b| b.is_ascii_digit()) {
        return Err(unreadable(&place, "must be an integer of minor units"));
    }
    let units = units.parse().map_err(|_| unreadable(&place, "is larger than can be kept"))?;
    let money = Money::new(currency, units, exponent).map_err(|err| unreadable(&place, err))?;
    Ok(Some(StatedAmount { money, too_precise: false }))
}

/// The amount in whole tokens of that name, in the token that `symbol` names. Tokens have no table
/// of digits: it has as many as are written. `None` if the object has no amount.
pub(super) fn in_tokens(
    object: &Object<'_>,
    name: &str,
    symbol: &str,
) -> Result<Option<StatedAmount>, Unreadable> {
    let Some(value) = object.value(name)? else { return Ok(None) };
    let place = object.place_of(name);
    let token = object.required_text(symbol)?;
    let token = Currency::parse(&token).map_err(|err| unreadable(&object.place_of(symbol), err))?;
    let text = decimal(value).ok_or_else(|| unreadable(&place, "must be a number or a string"))?;
    let money = Money::parse(&text, token, 0).map_err(|err| unreadable(&place, err))?;
    Ok(Some(StatedAmount { money, too_precise: false }))
}

/// The digits that ISO 4217 gives a currency.
pub(super) fn digits(currency: Currency) -> Option<u8> {
    let known = iso_currency::Currency::from_code(currency.as_str())?;
    known.exponent().and_then(|digits| u8::try_from(digits).ok())
}

fn decimal(value: &RawValue) -> Option<String> {
    match value.get().as_bytes().first()? {
        b'"' => serde_json::from_str(value.get()).ok(),
        b'-' | b'0'..=b'9' => Some(value.get().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(amount: &str, currency: &str) -> Result<StatedAmount, String> {
        let body = format!(r#"{{"data":{{"amount":{amount},"currency":{currency}}}}}"#);
        let data = Object::of_body(body.as_bytes()).and_then(|body| body.object("data"));
        let stated = data.and_then(|data| stated(&data, "amount"));
        stated.map(|stated| stated.unwrap()).map_err(|err| err.what)
    }

    #[test]
    fn amounts_are_read_exactly() {
        for (amount, currency, shown, too_precise) in [
            ("146.24", "AUD", "146.24 AUD", false),
            ("\"12\"", "AUD", "12.00 AUD", false),
            ("60", "AUD", "60.00 AUD", false),
            ("0", "aud", "0.00 AUD", false),
            ("146.240", "AUD", "146.24 AUD", false),
            ("0.1", "AUD", "0.10 AUD", false),
            ("0.001", "AUD", "0.001 AUD", true),
            ("\"12.345\"", "AUD", "12.345 AUD", true),
            ("12.345", "KWD", "12.345 KWD", false),
            ("12.3456", "KWD", "12.3456 KWD", true),
            ("12.5", "JPY", "12.5 JPY", true),
            ("12.0", "JPY", "12 JPY", false),
            ("\"0.123456789012345678\"", "USDT", "0.123456789012345678 USDT", false),
            ("12.5", "XAU", "12.5 XAU", false),
            ("90071992547409.93", "AUD", "90071992547409.93 AUD", false),
        ] {
            let stated = read(amount, &format!("\"{currency}\"")).unwrap();
            assert_eq!(stated.money.to_string(), shown, "{amount} {currency}");
            assert_eq!(stated.too_precise, too_precise, "{amount} {currency}");
        }
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused_without_its_value() {
        let nines = "9".repeat(400);
        for (amount, says) in [
            ("1e3", "data.amount must be a plain decimal"),
            ("1.5E+2", "data.amount must be a plain decimal"),
            ("\"1e3\"", "data.amount must be a plain decimal"),
            ("-1", "data.amount must not be negative"),
            ("\"-1.50\"", "data.amount must not be negative"),
            ("\" 1\"", "data.amount must be a plain decimal"),
            ("\"1 \"", "data.amount must be a plain decimal"),
            ("\"1,50\"", "data.amount must be a plain decimal"),
            ("\"\u{661}\"", "data.amount must be a plain decimal"),
            ("\"\"", "data.amount must be a plain decimal"),
            ("\"NaN\"", "data.amount must be a plain decimal"),
            ("NaN", "the body is not a JSON object"),
            ("01", "the body is not a JSON object"),
            (".5", "the body is not a JSON object"),
            (&nines, "data.amount is larger than"),
            ("\"0.0000000000000000001\"", "data.amount must have at most 18"),
            ("{}", "data.amount must be a number or a string"),
            ("true", "data.amount must be a number or a string"),
        ] {
            let what = read(amount, "\"AUD\"").unwrap_err();
            assert!(what.starts_with(says), "{amount}: {what}");
            assert!(!what.contains("999"), "{what}");
        }
    }

    #[test]
    fn minor_units_are_whole_and_have_the_digits_of_the_provider() {
        let read = |units: &str, currency: &str| {
            let body = format!(r#"{{"value":{units}}}"#);
            let body = Object::of_body(body.as_bytes()).unwrap();
            let stated = in_minor_units(&body, "value", currency, digits);
            stated.map(|stated| stated.unwrap().money.to_string()).map_err(|err| err.what)
        };
        assert_eq!(read("1299", "eur").unwrap(), "12.99 EUR");
        assert_eq!(read("1299", "JPY").unwrap(), "1299 JPY");
        assert_eq!(read("0", "KWD").unwrap(), "0.000 KWD");
        for (units, says) in [
            ("-1", "value must not be negative"),
            ("1.5", "value must be an integer of minor units"),
            ("1e3", "value must be an integer of minor units"),
            ("\"12\"", "value must be an integer of minor units"),
            ("99999999999999999999", "value is larger than can be kept"),
        ] {
            assert_eq!(read(units, "EUR").unwrap_err(), says);
        }
        assert_eq!(
            read("1", "QQQ").unwrap_err(),
            "value is of a currency whose digits are not known"
        );
    }

    #[test]
    fn an_amount_needs_a_currency() {
        assert_eq!(read("1", "null").unwrap_err(), "data.currency is missing");
        assert_eq!(read("1", "36").unwrap_err(), "data.currency must be a JSON string");
        assert!(read("1", "\"A$\"").unwrap_err().starts_with("data.currency must be a currency"));
        let none = Object::of_body(br#"{"amount":null,"currency":7}"#).unwrap();
        assert_eq!(stated(&none, "amount").unwrap(), None);
    }
}
