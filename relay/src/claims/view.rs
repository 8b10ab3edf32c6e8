//! What an insurer's systems are told of an open invoice: the disclosed groups, verified, as plain fields. Nothing is
//! filled in: what isn't shown is left out and counted.

use super::{held::Paper, opening::Seen};
use serde::Serialize;
use serde_json::value::RawValue;
use std::iter;
use suishen_core::{contract::Slot, fhir::Json, report::ReportError};

/// An open invoice.
#[derive(Clone, Debug, Serialize)]
pub struct InvoiceBody {
    /// Its official number, in one spelling.
    pub number: String,
    /// FHIR's: `issued` or `balanced`.
    pub status: &'static str,
    /// When, as the hospital wrote it.
    pub date: String,
    /// Who issued it, by certificate.
    pub hospital: HospitalBody,
    /// ISO 4217.
    pub currency: String,
    /// Everything together.
    pub total: String,
    /// Who pays how much, in the invoice's words.
    pub shares: Vec<AmountBody>,
    /// The most that this class of insurer pays; none where the invoice doesn't say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payable: Option<String>,
    /// What was charged.
    pub items: Vec<LineBody>,
    /// What was treated.
    pub diagnoses: Vec<DiagnosisBody>,
    /// Whose invoice it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insured: Option<String>,
    /// The policies that are shown.
    pub policies: Vec<PolicyBody>,
    /// Groups of the report that the patient didn't show.
    pub withheld: usize,
    /// When it was opened.
    pub opened_at: u64,
    /// What the patient agreed to.
    pub consent: String,
}

/// A hospital.
#[derive(Clone, Debug, Serialize)]
pub struct HospitalBody {
    /// Its name.
    pub name: String,
    /// Its code.
    pub code: String,
}

/// A sum with what it is for.
#[derive(Clone, Debug, Serialize)]
pub struct AmountBody {
    /// What for.
    pub name: String,
    /// In the invoice's currency.
    pub amount: String,
}

/// A line of an invoice.
#[derive(Clone, Debug, Serialize)]
pub struct LineBody {
    /// What for.
    pub name: String,
    /// Its price, where it has just one and that is in the invoice's currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// How many of what, where it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<String>,
    /// All that makes up its price, as far as it is shown.
    pub prices: Vec<PriceBody>,
}

/// A part of a line's price, each value as the hospital wrote it.
#[derive(Clone, Debug, Serialize)]
pub struct PriceBody {
    /// FHIR's: `base`, `surcharge`, `deduction`, `discount`, `tax` or `informational`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// By which it is multiplied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<String>,
    /// The sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Its currency, ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// A diagnosis.
#[derive(Clone, Debug, Serialize)]
pub struct DiagnosisBody {
    /// In words.
    pub name: String,
    /// ICD-10, where it is coded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A policy.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyBody {
    /// Its product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// With whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insurer: Option<String>,
}

/// A record that explains the invoice, as far as the patient shows it.
#[derive(Clone, Debug, Serialize)]
pub struct PaperBody {
    /// What it is called.
    pub title: String,
    /// `discharge`, `laboratory`, `imaging`, `prescription`, `invoice` or `other`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When, as the hospital wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Who issued it, by certificate.
    pub hospital: HospitalBody,
    /// What is shown: FHIR R4, each value as the hospital wrote it.
    pub shown: Box<RawValue>,
    /// Groups and files of the report that the patient didn't show.
    pub withheld: usize,
}

impl PaperBody {
    /// What is shown of it, verified again.
    pub fn of(paper: &Paper) -> Result<Self, ReportError> {
        let report = paper.read()?;
        let view = report.view()?;
        let shown = RawValue::from_string(report.json.to_text()).map_err(|_| ReportError::Form)?;
        // A report that is shown in groups counts by its groups and not as a file.
        let files = paper.manifest.parts.len().saturating_sub(1);
        Ok(Self {
            title: view.title,
            kind: view.kind.name(),
            date: view.effective.or(view.issued).map(|moment| moment.text),
            hospital: HospitalBody { name: paper.hospital.clone(), code: paper.hospital_code.clone() },
            shown,
            withheld: report.withheld + files,
        })
    }
}

/// A sum without its currency.
pub fn plain(sum: &impl ToString) -> String {
    sum.to_string().split(' ').next().unwrap_or_default().to_owned()
}

impl InvoiceBody {
    /// What is shown of a claim.
    pub fn of(seen: &Seen, opened: &super::held::Opened, slot: Slot) -> Self {
        let (invoice, json) = (&seen.shown.invoice, &seen.report.json);
        let amount = |name: &str, sum: &suishen_core::report::Money| AmountBody {
            name: name.to_owned(),
            amount: plain(sum),
        };
        Self {
            number: invoice.number.as_str().to_owned(),
            status: invoice.status,
            date: invoice.date.clone(),
            hospital: HospitalBody { name: opened.hospital.clone(), code: opened.hospital_code.clone() },
            currency: invoice.total.currency().to_owned(),
            total: plain(&invoice.total),
            shares: invoice.shares.iter().map(|(name, sum)| amount(name, sum)).collect(),
            payable: invoice.payable(slot).as_ref().map(plain),
            items: items(json, invoice.total.currency()),
            diagnoses: of_type(json, "Condition").filter_map(diagnosis).collect(),
            insured: of_type(json, "Patient").find_map(name_of),
            policies: of_type(json, "Coverage").map(policy).collect(),
            withheld: seen.report.withheld,
            opened_at: opened.at,
            consent: opened.consent.clone(),
        }
    }
}

fn entries(json: &Json) -> impl Iterator<Item = &Json> {
    json.get("entry").and_then(Json::as_array).unwrap_or_default().iter()
}

fn of_type<'a>(json: &'a Json, kind: &'static str) -> impl Iterator<Item = &'a Json> {
    // A bundle's, or the lone one.
    let resources = entries(json).filter_map(|entry| entry.get("resource")).chain(iter::once(json));
    resources.filter(move |resource| text(resource, "resourceType").as_deref() == Some(kind))
}

fn text(json: &Json, name: &str) -> Option<String> {
    json.get(name).and_then(Json::as_str).map(str::to_owned)
}

fn first<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    json.get(name).and_then(Json::as_array).and_then(<[Json]>::first)
}

/// What a person reads of a concept, and its code.
fn concept(json: &Json) -> (Option<String>, Option<String>) {
    let coding = first(json, "coding");
    let name = text(json, "text").or_else(|| text(coding?, "display"));
    (name, coding.and_then(|coding| text(coding, "code")))
}

fn diagnosis(condition: &Json) -> Option<DiagnosisBody> {
    let (name, code) = concept(condition.get("code")?);
    Some(DiagnosisBody { name: name.or_else(|| code.clone())?, code })
}

fn name_of(patient: &Json) -> Option<String> {
    let name = first(patient, "name")?;
    let given = || first(name, "given").and_then(Json::as_str).unwrap_or_default().to_owned();
    text(name, "text").or_else(|| Some(text(name, "family")? + &given()))
}

fn policy(coverage: &Json) -> PolicyBody {
    PolicyBody {
        name: coverage.get("type").and_then(|kind| concept(kind).0),
        number: text(coverage, "subscriberId"),
        insurer: first(coverage, "payor").and_then(|payor| text(payor, "display")),
    }
}

/// Each line with its prices, named by what was charged.
fn items(json: &Json, currency: &str) -> Vec<LineBody> {
    let lines = of_type(json, "Invoice").filter_map(|invoice| invoice.get("lineItem")?.as_array()).flatten();
    lines.map(|line| item(json, line, currency)).collect()
}

fn item(json: &Json, line: &Json, currency: &str) -> LineBody {
    let reference = line.get("chargeItemReference");
    let named = reference.and_then(|reference| text(reference, "reference"));
    let full = |entry: &&Json| named.is_some() && text(entry, "fullUrl") == named;
    let charged = entries(json).find(full).and_then(|entry| entry.get("resource"));
    let own = line.get("chargeItemCodeableConcept").or_else(|| charged?.get("code"));
    let display = || reference.and_then(|reference| text(reference, "display"));
    let quantity = charged.and_then(|item| item.get("quantity")).and_then(|quantity| {
        let value = number(quantity, "value")?;
        let unit = text(quantity, "unit").or_else(|| text(quantity, "code")).unwrap_or_default();
        Some(format!("{value} {unit}").trim().to_owned())
    });
    let prices = line.get("priceComponent").and_then(Json::as_array).unwrap_or_default();
    let prices: Vec<PriceBody> = prices.iter().map(price).collect();
    let amount = match prices.as_slice() {
        [only] if only.currency.as_deref() == Some(currency) => only.amount.clone(),
        _ => None,
    };
    let name = own.and_then(|own| concept(own).0).or_else(display).unwrap_or_default();
    LineBody { name, amount, quantity, prices }
}

fn price(component: &Json) -> PriceBody {
    let sum = component.get("amount");
    PriceBody {
        kind: text(component, "type"),
        name: component.get("code").and_then(|code| concept(code).0),
        factor: number(component, "factor"),
        amount: sum.and_then(|sum| number(sum, "value")),
        currency: sum.and_then(|sum| text(sum, "currency")),
    }
}

/// A number as it was written.
fn number(json: &Json, name: &str) -> Option<String> {
    match json.get(name)? {
        Json::Number(value) => Some(value.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_all_their_prices_and_those_without_one() {
        let json = br#"{
            "resourceType": "Invoice",
            "lineItem": [
                { "chargeItemCodeableConcept": { "text": "a" }, "priceComponent": [
                    { "type": "base", "amount": { "value": 480.00, "currency": "CNY" } } ] },
                { "chargeItemCodeableConcept": { "text": "b" }, "priceComponent": [
                    { "type": "base", "amount": { "value": 100, "currency": "CNY" } },
                    { "type": "discount", "code": { "text": "staff" }, "factor": -0.10,
                      "amount": { "value": -10.0, "currency": "CNY" } } ] },
                { "chargeItemCodeableConcept": { "text": "c" }, "priceComponent": [
                    { "type": "base", "amount": { "value": 7, "currency": "USD" } } ] },
                { "chargeItemCodeableConcept": { "text": "d" } },
                { "chargeItemCodeableConcept": { "text": "e" }, "priceComponent": [ { "type": "base" } ] }
            ]
        }"#;
        let lines = items(&Json::parse(json).unwrap(), "CNY");
        let told: Vec<_> = lines
            .iter()
            .map(|line| (line.name.as_str(), line.amount.as_deref(), line.prices.len()))
            .collect();
        assert_eq!(
            told,
            [("a", Some("480.00"), 1), ("b", None, 2), ("c", None, 1), ("d", None, 0), ("e", None, 1)]
        );
        let discount = serde_json::to_value(&lines[1].prices[1]).unwrap();
        let expected = serde_json::json!({
            "type": "discount", "name": "staff", "factor": "-0.10", "amount": "-10.0", "currency": "CNY",
        });
        assert_eq!(discount, expected);
        assert_eq!(lines[2].prices[0].currency.as_deref(), Some("USD"));
    }
}
