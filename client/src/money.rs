//! Exact amounts. No floating point, no rounding, no default number of digits.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// The largest exponent, in digits after the point.
const EXPONENT_MAX: u32 = 18;

/// An exact amount: `minor_units / 10^exponent` of a currency.
///
/// Two amounts are equal if they are written with the same digits: `1.0` and `1.00` differ.
///
/// ```
/// use paystatus_client::Money;
///
/// let price = Money::parse("146.24", "AUD")?;
/// assert_eq!((price.minor_units(), price.exponent()), (14624, 2));
/// assert_eq!(price.to_string(), "146.24 AUD");
/// # Ok::<(), paystatus_client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    currency_code: String,
    minor_units: i64,
    exponent: u32,
}

impl Money {
    /// An amount of `minor_units` in units of `10^-exponent`.
    ///
    /// # Errors
    /// `InvalidArgument` for a currency code that is not 2 to 12 of `A-Z0-9`, or an exponent
    /// above 18.
    pub fn new(currency_code: &str, minor_units: i64, exponent: u32) -> Result<Self, Error> {
        let code_is_valid = (2..=12).contains(&currency_code.len())
            && currency_code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !code_is_valid {
            return Err(invalid(format!("`{currency_code}` is not 2 to 12 of A-Z0-9")));
        }
        if exponent > EXPONENT_MAX {
            return Err(invalid(format!("exponent {exponent} is above {EXPONENT_MAX}")));
        }
        Ok(Self { currency_code: currency_code.to_owned(), minor_units, exponent })
    }

    /// Reads an amount as it is written: `"146.24"` has exponent 2, `"12"` has exponent 0.
    ///
    /// # Errors
    /// `InvalidArgument` for anything but digits with at most one point between them (and a
    /// leading minus), or more than fits.
    pub fn parse(text: &str, currency_code: &str) -> Result<Self, Error> {
        let (units, exponent) = digits(text)?;
        Self::new(currency_code, units, exponent)
    }

    /// Reads an amount and states it with `exponent`: `"12"` with 2 is 1200 minor units.
    ///
    /// # Errors
    /// As [`Money::parse`], and if the text has more digits after the point than `exponent`.
    pub fn parse_with_exponent(
        text: &str,
        currency_code: &str,
        exponent: u32,
    ) -> Result<Self, Error> {
        let (units, written) = digits(text)?;
        let missing = exponent.checked_sub(written).ok_or_else(|| {
            invalid(format!("`{text}` has more than {exponent} digits after the point"))
        })?;
        let units = 10_i64
            .checked_pow(missing)
            .and_then(|factor| units.checked_mul(factor))
            .ok_or_else(|| invalid(format!("`{text}` is too large")))?;
        Self::new(currency_code, units, exponent)
    }

    /// What a server stated, taken as it is.
    pub(crate) fn stated(currency_code: String, minor_units: i64, exponent: u32) -> Self {
        Self { currency_code, minor_units, exponent }
    }

    /// ISO 4217 code, or a token symbol.
    #[must_use]
    pub fn currency_code(&self) -> &str {
        &self.currency_code
    }

    /// The amount in units of `10^-exponent`.
    #[must_use]
    pub fn minor_units(&self) -> i64 {
        self.minor_units
    }

    /// How many decimal digits the minor units hold.
    #[must_use]
    pub fn exponent(&self) -> u32 {
        self.exponent
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor_units < 0 { "-" } else { "" };
        let digits = self.minor_units.unsigned_abs().to_string();
        // A server of a later version may state more digits than we would: bounded all the same.
        let exponent = self.exponent.min(255) as usize;
        if exponent == 0 {
            return write!(f, "{sign}{digits} {}", self.currency_code);
        }
        let digits = format!("{digits:0>width$}", width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        write!(f, "{sign}{whole}.{fraction} {}", self.currency_code)
    }
}

/// The digits of `text` as one number, and how many of them follow the point.
fn digits(text: &str) -> Result<(i64, u32), Error> {
    let malformed = || invalid(format!("`{text}` is not an amount such as 146.24"));
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(malformed()),
        None => (unsigned, ""),
    };
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits {
        return Err(malformed());
    }
    let exponent = u32::try_from(fraction.len()).map_err(|_| malformed())?;
    let sign = if negative { "-" } else { "" };
    let units = format!("{sign}{whole}{fraction}")
        .parse()
        .map_err(|_| invalid(format!("`{text}` is too large")))?;
    Ok((units, exponent))
}

fn invalid(message: String) -> Error {
    Error::local(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::Money;

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for (text, units, exponent, shown) in [
            ("146.24", 14624, 2, "146.24 AUD"),
            ("12", 12, 0, "12 AUD"),
            ("0.05", 5, 2, "0.05 AUD"),
            ("0.000000000000000001", 1, 18, "0.000000000000000001 AUD"),
            ("-3.5", -35, 1, "-3.5 AUD"),
            ("92233720368547758.07", i64::MAX, 2, "92233720368547758.07 AUD"),
            ("-92233720368547758.08", i64::MIN, 2, "-92233720368547758.08 AUD"),
        ] {
            let money = Money::parse(text, "AUD").expect(text);
            assert_eq!((money.minor_units(), money.exponent()), (units, exponent), "{text}");
            assert_eq!(money.to_string(), shown);
        }
    }

    #[test]
    fn what_is_not_an_amount_is_refused() {
        for text in
            ["", "-", ".5", "5.", "1.2.3", "1e3", "+1", " 1", "1,00", "--1", "0x1", "٣", "1_0"]
        {
            assert!(Money::parse(text, "AUD").is_err(), "`{text}`");
        }
        assert!(Money::parse("92233720368547758.08", "AUD").is_err());
        assert!(Money::parse("0.0000000000000000001", "AUD").is_err());
        for code in ["", "A", "aud", "ABCDEFGHIJKLM", "A D"] {
            assert!(Money::parse("1", code).is_err(), "`{code}`");
        }
    }

    #[test]
    fn an_exponent_can_be_stated_but_never_cuts_digits() {
        let money = Money::parse_with_exponent("12", "USD", 2).expect("two digits");
        assert_eq!(money.minor_units(), 1200);
        assert!(Money::parse_with_exponent("12.345", "USD", 2).is_err());
        assert!(Money::parse_with_exponent("9223372036854775807", "USD", 2).is_err());
    }
}
