//! A fee list (费用清单) beside an invoice: each thing that was charged, and whether all of it makes up the invoice.
//!
//! In FHIR it is a `Composition` whose sections name `ChargeItem`s, in a report without an `Invoice`. Whoever signed it,
//! an item without status, subject, price or currency is refused, when it is issued and again when it is shown. What no
//! section names, no screen shows and nothing sums up.

use super::claim::{check_item, list, resource_in, resources, text};
use super::profile::target_of;
use super::{Money, ReportError};
use crate::fhir::Json;
use std::collections::BTreeSet;

/// Items that were charged for; what was given up or entered in error isn't (FHIR `ChargeItemStatus`).
const CHARGED: [&str; 2] = ["billable", "billed"];
/// The other states of an item.
const NOT_CHARGED: [&str; 3] = ["not-billable", "aborted", "entered-in-error"];

/// A fee list as an insurer sums it up.
#[derive(Clone, PartialEq, Eq)]
pub struct FeeList {
    /// Items that were charged for.
    pub items: usize,
    /// Their prices together.
    pub total: Money,
}

/// Sums are the patient's.
impl core::fmt::Debug for FeeList {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "FeeList({} items, [redacted])", self.items)
    }
}

impl FeeList {
    /// The fee list of a report; none where it is another kind of report. Items that aren't shown aren't counted, so
    /// that they are missed in the sum.
    pub fn in_report(json: &Json) -> Result<Option<Self>, ReportError> {
        let lacks = ReportError::Invoice;
        if resources(json, "Invoice").next().is_some() {
            return Ok(None);
        }
        let mut found: Option<Self> = None;
        for item in items(json)? {
            check_item(item)?;
            if item.get("factorOverride").is_some() || item.get("code").is_none() {
                return Err(lacks("name and whole price of each line"));
            }
            let status = text(item, "status").unwrap_or_default();
            if NOT_CHARGED.contains(&status) {
                continue;
            }
            if !CHARGED.contains(&status) {
                return Err(lacks("status of each line"));
            }
            let price = item.get("priceOverride").and_then(Money::of).ok_or(lacks("price of each line"))?;
            let before = found.as_ref().map_or(0, |list| list.items);
            let total = match &found {
                Some(list) => list.total.plus(&price).ok_or(lacks("one currency for all lines"))?,
                None => price,
            };
            found = Some(Self { items: before + 1, total });
        }
        Ok(found)
    }

    /// The lines of an invoice that are shown, each with the one price that it has; none where no line is shown, or one
    /// can't be added up.
    pub fn lines_of(json: &Json) -> Result<Option<Self>, ReportError> {
        let Some(invoice) = resource_in(json)? else { return Ok(None) };
        let lines = list(invoice, "lineItem")?;
        let mut prices = lines.iter().map(|line| match list(line, "priceComponent") {
            Ok([one]) => one.get("amount").and_then(Money::of),
            _ => None,
        });
        let Some(Some(first)) = prices.next() else { return Ok(None) };
        let total = prices.try_fold(first, |sum, price| sum.plus(&price?));
        Ok(total.map(|total| Self { items: lines.len(), total }))
    }

    /// Both together, as a stay's lists of single days are; none in two currencies.
    pub fn with(&self, other: &Self) -> Option<Self> {
        Some(Self { items: self.items + other.items, total: self.total.plus(&other.total)? })
    }

    /// Whether it makes up an invoice's total, to the last 分.
    pub fn makes_up(&self, total: &Money) -> bool {
        self.total == *total
    }
}

/// The charge items that sections of a document name, each once.
fn items(json: &Json) -> Result<Vec<&Json>, ReportError> {
    let entries = json.get("entry").and_then(Json::as_array).unwrap_or_default();
    let mut named = BTreeSet::new();
    for composition in resources(json, "Composition") {
        for section in list(composition, "section")? {
            named.extend(list(section, "entry")?.iter().filter_map(|entry| target_of(entry, entries)));
        }
    }
    let resource = |at: usize| entries.get(at)?.get("resource");
    let is_item = |json: &&Json| text(json, "resourceType") == Some("ChargeItem");
    Ok(named.into_iter().filter_map(resource).filter(is_item).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::{Kind, ReportView};
    use crate::id::PartyId;
    use crate::report::claim::{Invoice, supporting};
    use crate::report::{GroupOpening, Manifest, NewReport, Sensitivity};
    use crate::sm::seeded::Seeded;

    const FEES: &str = include_str!("../../../samples/fees/report.json");
    const INVOICE: &[u8] = include_bytes!("../../../samples/invoice/report.json");
    const DISCHARGE: &[u8] = include_bytes!("../../../samples/discharge/report.json");

    fn read(text: &str) -> Result<Option<FeeList>, ReportError> {
        FeeList::in_report(&Json::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_fee_list_makes_up_its_invoice_to_the_last_fen() {
        let invoice = Invoice::in_report(&Json::parse(INVOICE).unwrap()).unwrap().unwrap();
        let fees = read(FEES).unwrap().unwrap();
        assert_eq!((fees.items, fees.makes_up(&invoice.total)), (22, true));
        let cheaper = read(&FEES.replacen("480.00", "479.99", 1)).unwrap().unwrap();
        assert!(!cheaper.makes_up(&invoice.total));
        // What was given up isn't charged.
        let given_up = read(&FEES.replacen("\"billed\"", "\"aborted\"", 1)).unwrap().unwrap();
        assert_eq!((given_up.items, given_up.makes_up(&invoice.total)), (21, false));
        assert_eq!(fees.with(&cheaper).unwrap().items, 44);
        assert!(!format!("{fees:?}").contains("31290"));
        // Neither an invoice nor a summary is one.
        for other in [INVOICE, DISCHARGE] {
            assert_eq!(FeeList::in_report(&Json::parse(other).unwrap()), Ok(None));
        }
    }

    #[test]
    fn an_invoices_own_lines_are_summed_as_far_as_they_are_shown() {
        let text = core::str::from_utf8(INVOICE).unwrap();
        let lines = |text: &str| FeeList::lines_of(&Json::parse(text.as_bytes()).unwrap()).unwrap();
        let invoice = Invoice::in_report(&Json::parse(INVOICE).unwrap()).unwrap().unwrap();
        let all = lines(text).unwrap();
        assert_eq!((all.items, all.makes_up(&invoice.total)), (9, true));
        let cheaper = lines(&text.replacen("\"value\": 480.0", "\"value\": 479.9", 1)).unwrap();
        assert_eq!((cheaper.items, cheaper.makes_up(&invoice.total)), (9, false));
        assert_eq!(lines(&text.replacen("\"lineItem\"", "\"_lineItem\"", 1)), None);
        assert_eq!(lines(FEES), None);
    }

    #[test]
    fn an_item_without_what_goes_with_its_price_is_refused() {
        for (from, to) in [
            ("\"billed\"", "\"planned\""),
            ("\"currency\": \"CNY\"", "\"currency\": \"HKD\""),
            ("\"currency\": \"CNY\"", "\"currency\": \"yuan\""),
            ("\"unit\": \"日\"", "\"comparator\": \"<\""),
            ("\"priceOverride\"", "\"note\""),
            ("\"priceOverride\"", "\"factorOverride\": 2, \"priceOverride\""),
            ("480.00", "-480.00"),
        ] {
            let changed = FEES.replacen(from, to, 1);
            assert_ne!(changed, FEES, "{from}");
            assert!(matches!(read(&changed), Err(ReportError::Invoice(_))), "{from} as {to}");
        }
    }

    #[test]
    fn it_reads_as_rows_by_section() {
        let view = ReportView::from_json(FEES.as_bytes()).unwrap();
        assert_eq!((view.kind, view.title.as_str(), view.rows.len()), (Kind::Fees, "住院费用清单", 22));
        let row = &view.rows[0];
        assert_eq!(row.name, "普通病房床位费（三人间）");
        assert_eq!((row.unit.as_deref(), row.note.as_deref()), (Some("CNY"), Some("床位费 · 8 日")));
        assert!(view.sections.is_empty(), "{:?}", view.sections);
    }

    #[test]
    fn it_goes_along_with_a_claim_whole_and_what_is_left_out_is_missed_in_the_sum() {
        let new = NewReport {
            issuer: PartyId::new("91330000ANLAN01").unwrap(),
            issued_at: 1_794_000_000,
            version: 1,
            replaces: None,
            sensitivity: Sensitivity::Ordinary,
            credential: vec![1],
            fhir: Some(FEES.as_bytes()),
            attachments: Vec::new(),
        };
        let made = Manifest::make(new, &mut Seeded::new(3)).unwrap();
        let along = supporting(&made.openings);
        let opened = made.manifest.open_groups(&along).unwrap();
        assert_eq!(FeeList::in_report(&opened.json), read(FEES));
        let text = opened.json.to_text();
        assert!(!text.contains("病案号") && opened.withheld > 0, "numbers stay hidden, and that shows");
        // A line that a patient leaves out.
        let shown = |opening: &&GroupOpening| !opening.elements.iter().any(|(_, text)| text.contains("腰麻"));
        let fewer: Vec<GroupOpening> = along.iter().filter(shown).cloned().collect();
        let fewer = made.manifest.open_groups(&fewer).unwrap();
        let fees = FeeList::in_report(&fewer.json).unwrap().unwrap();
        assert_eq!((fees.items, fees.makes_up(&read(FEES).unwrap().unwrap().total)), (21, false));
    }
}
