//! What all sides must agree on about an invoice, whatever spelling its FHIR has: its number and sums of money.

use super::{ReportError, claim};
use crate::fhir::Json;
use crate::id::PartyId;
use crate::order;
use crate::sm::{Digest, Label};
use core::fmt;

/// The number of an invoice in one spelling: a medical e-bill's code and number, for instance.
///
/// From `Invoice.identifier`: the values of those with `use` *official*; letters and digits of each in capitals, sorted.
/// So the same number stays the same, in whatever order, width or grouping a hospital writes it when it issues the
/// invoice again, and whatever else it numbers (a check code is *secondary*). Which numbers make it up is said each time:
/// without one that is marked there is none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InvoiceNumber(String);

/// It finds an invoice at the tax office.
impl fmt::Debug for InvoiceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvoiceNumber([redacted])")
    }
}

impl InvoiceNumber {
    /// The number in an `Invoice`; none where none is marked as official.
    pub fn of(invoice: &Json) -> Option<Self> {
        let identifiers = invoice.get("identifier").and_then(Json::as_array)?;
        let official = |json: &&Json| json.get("use").and_then(Json::as_str) == Some("official");
        let chosen = identifiers.iter().filter(official);
        let values = chosen.filter_map(|json| json.get("value").and_then(Json::as_str));
        let mut values: Vec<String> = values.map(plain).filter(|value| !value.is_empty()).collect();
        order::sort(&mut values);
        values.dedup();
        (!values.is_empty()).then(|| Self(values.join(" ")))
    }

    /// The number of a report's invoice; none where it has no invoice.
    pub fn in_report(fhir: &[u8]) -> Result<Option<Self>, ReportError> {
        let report = Json::parse(fhir)?;
        let Some(invoice) = claim::resource_in(&report)? else { return Ok(None) };
        Self::of(invoice).map(Some).ok_or(ReportError::Invoice("official number"))
    }

    /// As it is hashed: the values, a blank between.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the auditor compares: SM3(label ‖ hospital ‖ 0 ‖ number).
    pub fn digest(&self, issuer: &PartyId) -> Digest {
        Digest::labelled(Label::new("invoice-number"), &[issuer.as_str().as_bytes(), &[0], self.0.as_bytes()])
    }
}

impl<C> minicbor::Encode<C> for InvoiceNumber {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for InvoiceNumber {
    /// In its one spelling.
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let text = d.str()?;
        let values: Vec<&str> = text.split(' ').collect();
        let one = values.is_sorted_by(|a, b| a < b) && values.iter().all(|v| !v.is_empty() && plain(v) == *v);
        if one {
            Ok(Self(text.to_owned()))
        } else {
            Err(minicbor::decode::Error::message("not an invoice's number"))
        }
    }
}

/// Letters and digits in capitals; full-width ones in plain width.
fn plain(value: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    value.chars().map(narrow).filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// A sum of money: hundredths of a currency's unit, 分 for CNY. Never a float.
#[derive(Clone, PartialEq, Eq)]
pub struct Money {
    hundredths: u64,
    currency: Currency,
}

/// Three capital letters (ISO 4217).
#[derive(Clone, PartialEq, Eq)]
struct Currency(String);

/// Text that isn't a sum of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal with at most two places, or negative, or beyond what is counted here.
    #[error("an amount is a number from 0 to 999999999999.99 with at most two places, such as 1280.50")]
    Amount,
    /// Not an ISO 4217 code.
    #[error("a currency is three capital letters, such as CNY")]
    Currency,
}

impl Money {
    /// The largest sum, in hundredths.
    pub const MOST: u64 = 99_999_999_999_999;

    /// So many hundredths of a currency's unit.
    pub fn new(hundredths: u64, currency: &str) -> Result<Self, MoneyError> {
        let currency = Currency::read(currency).ok_or(MoneyError::Currency)?;
        if hundredths <= Self::MOST { Ok(Self { hundredths, currency }) } else { Err(MoneyError::Amount) }
    }

    /// Reads `1280.50`, as FHIR and people write it.
    ///
    /// ```
    /// use suishen_core::report::Money;
    /// assert_eq!(Money::parse("1280.5", "CNY").unwrap().hundredths(), 128_050);
    /// assert!(Money::parse("1280.505", "CNY").is_err());
    /// ```
    pub fn parse(text: &str, currency: &str) -> Result<Self, MoneyError> {
        let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        // More places are fine as long as they say nothing.
        let (places, rest) = places.split_at_checked(2).unwrap_or((places, ""));
        let exact = digits(whole) && digits(places) && rest.bytes().all(|b| b == b'0') && whole.len() <= 12;
        if !exact {
            return Err(MoneyError::Amount);
        }
        let number = |s: &str| s.parse::<u64>().map_err(|_| MoneyError::Amount);
        let tenths = if places.len() == 1 { 10 } else { 1 };
        Self::new(number(whole)? * 100 + number(places)? * tenths, currency)
    }

    /// A FHIR `Money`.
    pub fn of(money: &Json) -> Option<Self> {
        let Json::Number(text) = money.get("value")? else { return None };
        Self::parse(text, money.get("currency")?.as_str()?).ok()
    }

    /// Whether a FHIR `Money` says in which currency its number is.
    pub(super) fn has_currency(money: &Json) -> bool {
        let currency = money.get("currency").and_then(Json::as_str).and_then(Currency::read);
        matches!(money.get("value"), Some(Json::Number(_))) && currency.is_some()
    }

    /// Hundredths of the currency's unit.
    pub const fn hundredths(&self) -> u64 {
        self.hundredths
    }

    /// Three capital letters.
    pub fn currency(&self) -> &str {
        &self.currency.0
    }

    /// Whether it is no more than `other`, in the same currency.
    pub fn is_within(&self, other: &Self) -> bool {
        self.currency == other.currency && self.hundredths <= other.hundredths
    }

    /// What is left of it after `paid`: nothing, where that is more or in another currency.
    #[must_use]
    pub fn less(&self, paid: &Self) -> Self {
        let left =
            if self.currency == paid.currency { self.hundredths.saturating_sub(paid.hundredths) } else { 0 };
        Self { hundredths: left, currency: self.currency.clone() }
    }

    /// The sum of both; none in two currencies, or beyond what is counted here.
    pub fn plus(&self, other: &Self) -> Option<Self> {
        let sum = self.hundredths.checked_add(other.hundredths)?;
        (self.currency == other.currency && sum <= Self::MOST)
            .then(|| Self { hundredths: sum, currency: self.currency.clone() })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} {}", self.hundredths / 100, self.hundredths % 100, self.currency.0)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Money([redacted] {})", self.currency.0)
    }
}

impl Currency {
    fn read(code: &str) -> Option<Self> {
        (code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())).then(|| Self(code.to_owned()))
    }
}

impl<C> minicbor::Encode<C> for Money {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?.u64(self.hundredths)?.str(&self.currency.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Money {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let wrong = |_| minicbor::decode::Error::message("not a sum of money");
        if d.array()? != Some(2) {
            return Err(wrong(MoneyError::Amount));
        }
        Self::new(d.u64()?, d.str()?).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(identifiers: &str) -> Option<String> {
        let json = Json::parse(format!(r#"{{"identifier":[{identifiers}]}}"#).as_bytes()).unwrap();
        InvoiceNumber::of(&json).map(|number| number.0)
    }

    #[test]
    fn a_number_is_the_same_in_every_spelling() {
        let code = r#"{"use":"official","value":"33010126"}"#;
        let other = r#"{"use":"official","value":"0038217745"}"#;
        let check = r#"{"use":"secondary","value":"a7c3f2"}"#;
        let expected = Some("0038217745 33010126".to_owned());
        assert_eq!(number(&format!("{code},{other},{check}")), expected);
        assert_eq!(number(&format!("{check},{other},{code},{code}")), expected);
        let other =
            r#"{"use":"official","value":"3301-0126"},{"use":"official","value":"００３８ ２１７７４５"}"#;
        assert_eq!(number(other), expected);
        assert_ne!(number(&format!("{code},{check}")), expected);
        for none in ["", check, r#"{"use":"official","value":" - "}"#, r#"{"value":"33010126"}"#] {
            assert_eq!(number(none), None);
        }
        let spelled = |text: &str| crate::cbor::decode::<InvoiceNumber>(&crate::cbor::encode(&text)).is_ok();
        assert!(spelled("0038217745 33010126"));
        for odd in ["", " ", "33010126 0038217745", "1 1", "a", "12-3", "１"] {
            assert!(!spelled(odd), "{odd}");
        }
        let of =
            |code: &str| InvoiceNumber("0038217745 33010126".to_owned()).digest(&PartyId::new(code).unwrap());
        assert_ne!(of("91HOSPITAL"), of("91CLINIC"));
    }

    #[test]
    fn money_is_exact_or_refused() {
        let sum = |text: &str| Money::parse(text, "CNY").map(|m| m.to_string());
        for (text, shown) in [("0", "0.00"), ("12.3", "12.30"), ("12.34", "12.34"), ("12.3400", "12.34")] {
            assert_eq!(sum(text), Ok(format!("{shown} CNY")));
        }
        for bad in ["", "-1", ".5", "1.", "1.234", "1e3", "1,000", "１", "9999999999999"] {
            assert_eq!(sum(bad), Err(MoneyError::Amount), "{bad}");
        }
        assert!(sum("999999999999.99").is_ok());
        for bad in ["cny", "", "RMB¥", "CN"] {
            assert_eq!(Money::parse("1", bad), Err(MoneyError::Currency));
        }
        let money = |text, currency| Money::parse(text, currency).unwrap();
        assert_eq!(money("1.50", "CNY").plus(&money("0.5", "CNY")), Some(money("2", "CNY")));
        assert_eq!(money("1", "CNY").plus(&money("1", "HKD")), None);
        assert!(money("1", "CNY").is_within(&money("1.00", "CNY")));
        assert!(!money("1.01", "CNY").is_within(&money("1", "CNY")));
        assert_eq!(money("2.50", "CNY").less(&money("0.75", "CNY")), money("1.75", "CNY"));
        for more in [money("3", "CNY"), money("1", "HKD")] {
            assert_eq!(money("2.50", "CNY").less(&more), money("0", "CNY"));
        }
        assert!(!money("1", "HKD").is_within(&money("1", "CNY")));
        let bytes = crate::cbor::encode(&money("12.34", "CNY"));
        assert_eq!(crate::cbor::decode::<Money>(&bytes).ok(), Some(money("12.34", "CNY")));
        let beyond = crate::cbor::encode(&(Money::MOST + 1, "CNY"));
        assert!(crate::cbor::decode::<Money>(&beyond).is_err());
        assert!(!format!("{:?}", money("12.34", "CNY")).contains("12"));
    }
}
