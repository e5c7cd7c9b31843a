//! Exact amounts. No floating point anywhere, and no rounding: a value keeps its own digits.

use std::{cmp::Ordering, fmt};

use super::ids::InvalidName;

/// ISO 4217 code or token symbol, 2 to 12 of `A-Z0-9`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; Self::BYTES_MAX]);

impl Currency {
    /// Longest accepted code, in bytes.
    pub const BYTES_MAX: usize = 12;

    /// Accepts a code that fits. Lower case is raised.
    ///
    /// # Errors
    /// [`InvalidName`] says what would be accepted.
    pub fn parse(code: &str) -> Result<Self, InvalidName> {
        let fits = (2..=Self::BYTES_MAX).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric());
        if !fits {
            return Err(InvalidName { expected: "a currency code: 2 to 12 of A-Z 0-9" });
        }
        let mut bytes = [0; Self::BYTES_MAX];
        bytes[..code.len()].copy_from_slice(code.to_ascii_uppercase().as_bytes());
        Ok(Self(bytes))
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|b| *b == 0).unwrap_or(Self::BYTES_MAX);
        std::str::from_utf8(&self.0[..length]).unwrap_or_default()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `minor_units / 10^exponent` of a currency. Never negative.
///
/// Equality is of the value: 12.5 EUR equals 12.50 EUR.
#[derive(Clone, Copy)]
pub struct Money {
    currency: Currency,
    minor_units: i64,
    exponent: u8,
}

/// Why an amount was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMoney {
    /// Below zero.
    #[error("must not be negative")]
    Negative,
    /// More decimal digits than can be held.
    #[error("must have at most 18 decimal digits")]
    Exponent,
    /// More than can be held.
    #[error("is larger than 2^63 - 1 units of its last digit")]
    TooLarge,
    /// Not a plain decimal number.
    #[error("must be a plain decimal number such as 146.24")]
    NotDecimal,
}

impl Money {
    /// Most decimal digits.
    pub const EXPONENT_MAX: u8 = 18;

    /// An amount of so many units of the given digit.
    ///
    /// # Errors
    /// [`InvalidMoney`] for a negative amount or an exponent above 18.
    pub fn new(currency: Currency, minor_units: i64, exponent: u8) -> Result<Self, InvalidMoney> {
        if minor_units < 0 {
            return Err(InvalidMoney::Negative);
        }
        if exponent > Self::EXPONENT_MAX {
            return Err(InvalidMoney::Exponent);
        }
        Ok(Self { currency, minor_units, exponent })
    }

    /// Nothing of a currency.
    #[must_use]
    pub const fn zero(currency: Currency, exponent: u8) -> Self {
        Self { currency, minor_units: 0, exponent }
    }

    /// Reads a plain decimal text, exactly. `at_least` digits are kept after the point, and
    /// more only where the value needs them: "12" of a 2-digit currency is 1200 units, and
    /// "1.005" is 1005 units of the third digit.
    ///
    /// # Errors
    /// [`InvalidMoney`]: signs, exponents, spaces, or a value too large or too long.
    pub fn parse(text: &str, currency: Currency, at_least: u8) -> Result<Self, InvalidMoney> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.len() > 1 && whole.starts_with('-') && digits(&whole[1..]) && digits(fraction) {
            return Err(InvalidMoney::Negative);
        }
        let has_point_without_digits = text.contains('.') && fraction.is_empty();
        if whole.is_empty() || has_point_without_digits || !digits(whole) || !digits(fraction) {
            return Err(InvalidMoney::NotDecimal);
        }
        let fraction = fraction.trim_end_matches('0');
        let exponent = u8::try_from(fraction.len()).map_err(|_| InvalidMoney::Exponent)?;
        if exponent > Self::EXPONENT_MAX {
            return Err(InvalidMoney::Exponent);
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() > 19 {
            return Err(InvalidMoney::TooLarge);
        }
        let units = format!("0{whole}{fraction}").parse::<i128>();
        let units = units.map_err(|_| InvalidMoney::TooLarge)?;
        let kept = exponent.max(at_least.min(Self::EXPONENT_MAX));
        let units = units.checked_mul(10_i128.pow(u32::from(kept - exponent)));
        let units = units.and_then(|u| i64::try_from(u).ok()).ok_or(InvalidMoney::TooLarge)?;
        Self::new(currency, units, kept)
    }

    /// The currency.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Units of the last digit.
    #[must_use]
    pub const fn minor_units(&self) -> i64 {
        self.minor_units
    }

    /// How many decimal digits.
    #[must_use]
    pub const fn exponent(&self) -> u8 {
        self.exponent
    }

    /// True if it is nothing.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.minor_units == 0
    }

    /// The order of two amounts of one currency; `None` for two currencies.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        (self.currency == other.currency).then(|| self.scaled().cmp(&other.scaled()))
    }

    /// The sum, or `None` for two currencies or a sum too large to hold.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Option<Self> {
        self.combine(other, i128::checked_add)
    }

    /// The difference, at least nothing; `None` for two currencies.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Option<Self> {
        self.combine(other, |a, b| Some((a - b).max(0)))
    }

    /// The smaller of two amounts of one currency; `None` for two currencies.
    #[must_use]
    pub fn smaller(&self, other: &Self) -> Option<Self> {
        Some(if self.compare(other)? == Ordering::Greater { *other } else { *self })
    }

    fn combine(&self, other: &Self, with: fn(i128, i128) -> Option<i128>) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        let exponent = self.exponent.max(other.exponent);
        let at = |m: &Self| i128::from(m.minor_units) * pow10(exponent - m.exponent);
        let units = i64::try_from(with(at(self), at(other))?).ok()?;
        Some(Self { currency: self.currency, minor_units: units, exponent })
    }

    /// Units of the 18th decimal digit: comparable across exponents, cannot overflow.
    fn scaled(&self) -> i128 {
        i128::from(self.minor_units) * pow10(Self::EXPONENT_MAX - self.exponent)
    }
}

fn pow10(exponent: u8) -> i128 {
    10_i128.pow(u32::from(exponent))
}

impl PartialEq for Money {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other) == Some(Ordering::Equal)
    }
}

impl Eq for Money {}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.exponent);
        let text = format!("{:0>width$}", self.minor_units, width = digits + 1);
        let (whole, fraction) = text.split_at(text.len() - digits);
        let point = if digits == 0 { "" } else { "." };
        write!(f, "{whole}{point}{fraction} {}", self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aud(text: &str) -> Result<Money, InvalidMoney> {
        Money::parse(text, Currency::parse("AUD").unwrap(), 2)
    }

    #[test]
    fn decimals_are_read_exactly_or_refused() {
        for (text, shown) in [
            ("146.24", "146.24 AUD"),
            ("12", "12.00 AUD"),
            ("60", "60.00 AUD"),
            ("0.5", "0.50 AUD"),
            ("1.005", "1.005 AUD"),
            ("1.000", "1.00 AUD"),
            ("007", "7.00 AUD"),
            ("92233720368547758.07", "92233720368547758.07 AUD"),
        ] {
            assert_eq!(aud(text).unwrap().to_string(), shown);
        }
        assert_eq!(aud("-1"), Err(InvalidMoney::Negative));
        assert_eq!(aud("92233720368547758.08"), Err(InvalidMoney::TooLarge));
        assert_eq!(aud(&"9".repeat(400)), Err(InvalidMoney::TooLarge));
        assert_eq!(aud("0.0000000000000000001"), Err(InvalidMoney::Exponent));
        for text in ["", ".", "1.", ".5", "1e3", "NaN", " 1", "1 ", "+1", "1,5", "--1", "-", "1.-5"]
        {
            assert_eq!(aud(text), Err(InvalidMoney::NotDecimal), "{text:?}");
        }
    }

    #[test]
    fn values_compare_across_exponents_but_not_across_currencies() {
        assert_eq!(
            aud("12.5").unwrap(),
            Money::parse("12.5", aud("1").unwrap().currency, 4).unwrap()
        );
        let euro = Money::parse("12.50", Currency::parse("EUR").unwrap(), 2).unwrap();
        assert_ne!(aud("12.50").unwrap(), euro);
        assert_eq!(aud("12.50").unwrap().plus(&euro), None);
        assert_eq!(aud("1.005").unwrap().plus(&aud("1").unwrap()), Some(aud("2.005").unwrap()));
        assert_eq!(aud("1").unwrap().minus(&aud("2").unwrap()), Some(aud("0").unwrap()));
    }
}
