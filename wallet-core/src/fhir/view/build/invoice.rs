//! An invoice as rows: its numbers, its total, who pays how much, each line with its amount; then what it was for
//! and the policies, as far as they are shown. Every row carries the invoice's status.

use super::super::super::{
    datatype::{CodeableConcept, Quantity},
    invoice::{Amount, ChargeItem, Component, Coverage, Invoice, Line, codings},
    resource::{CompositionSection, Named, Resource},
};
use super::super::{Code, Finding, Kind, LabRow, Value, Verdict};
use super::Build;

impl<'a> Build<'a> {
    /// Whether there was an invoice to begin with.
    pub(super) fn head_of_invoice(&mut self) -> bool {
        let Some((named, invoice)) = self.bundle.first(|r| match r {
            Resource::Invoice(invoice) => Some(invoice.as_ref()),
            _ => None,
        }) else {
            return false;
        };
        self.view.kind = Kind::Invoice;
        self.view.title = invoice.kind.as_ref().and_then(CodeableConcept::label).unwrap_or_default();
        invoice.status.clone_into(&mut self.view.status);
        self.view.issued.clone_from(&invoice.date);
        self.patient(named, invoice.subject.as_ref());
        if let Some(issuer) = &invoice.issuer {
            self.organisation(named, issuer);
        }
        for number in &invoice.identifiers {
            let name = number.kind.as_ref().and_then(CodeableConcept::label).unwrap_or_default();
            if let Some(value) = &number.value {
                self.invoice_row(invoice, name, Value::Text(value.clone()));
            }
        }
        if let Some(total) = &invoice.total {
            let title = self.view.title.clone();
            self.amount_row(invoice, title, total);
            self.view.finding = Finding::Sentence(format!("{} {}", total.value.text(), total.currency));
        }
        if let Some(why) = &invoice.cancelled {
            // Before any amount: it no longer counts.
            self.view.conclusion = Some(why.clone());
            self.view.finding = Finding::Sentence(why.clone());
        }
        for share in &invoice.shares {
            let name = share.code.as_ref().and_then(CodeableConcept::label).unwrap_or_default();
            if let Some(amount) = &share.amount {
                self.amount_row(invoice, name, amount);
            }
        }
        for line in &invoice.lines {
            self.line_row(named, invoice, line);
        }
        self.what_for(invoice);
        true
    }

    /// A document whose sections name charge items is a fee list: each item once, with its price, its section and how
    /// many of it.
    pub(super) fn fees(&mut self, named: &'a Named, sections: &'a [CompositionSection]) {
        let mut parts: Vec<String> = Vec::new();
        for section in sections {
            let title = section.title.clone().or_else(|| section.code.as_ref()?.label());
            for entry in &section.entry {
                let Some(target) = self.resolve(named, entry) else { continue };
                let Resource::ChargeItem(item) = &target.resource else { continue };
                if self.seen.insert(target.pointer.as_str()) {
                    self.fee_row(item, title.as_deref());
                    parts.extend(title.clone().filter(|title| parts.last() != Some(title)));
                }
            }
        }
        if !parts.is_empty() {
            self.view.finding = Finding::Sentence(parts.join("、").chars().take(120).collect());
        }
    }

    fn fee_row(&mut self, item: &ChargeItem, section: Option<&str>) {
        self.view.kind = Kind::Fees;
        let name = item.code.label().unwrap_or_default();
        let value = item
            .price
            .as_ref()
            .map_or(Value::Absent(None), |price| Value::Text(price.value.text().to_owned()));
        let quantity = item.quantity.as_ref().and_then(Quantity::with_unit);
        let note: Vec<String> = section.map(str::to_owned).into_iter().chain(quantity).collect();
        self.view.rows.push(LabRow {
            name,
            short: None,
            panel: None,
            value,
            unit: item.price.as_ref().map(|price| price.currency.clone()),
            ucum: None,
            range: None,
            verdict: Verdict::None,
            bar: None,
            codes: Vec::new(),
            status: item.status.clone(),
            note: (!note.is_empty()).then(|| note.join(" · ")),
        });
    }

    fn line_row(&mut self, named: &'a Named, invoice: &Invoice, line: &Line) {
        let item = match line.item.as_ref().and_then(|item| self.resolve(named, item)).map(|n| &n.resource) {
            Some(Resource::ChargeItem(item)) => Some(item),
            _ => None,
        };
        let concept = item.map(|item| &item.code).or(line.concept.as_ref());
        let display = || line.item.as_ref().and_then(|item| item.display.clone());
        let name = concept.and_then(CodeableConcept::label).or_else(display).unwrap_or_default();
        let quantity = item.and_then(|item| item.quantity.as_ref()).and_then(Quantity::with_unit);
        let codes = concept.map(|concept| {
            codings(concept).filter_map(|c| Some(Code { system: c.system.clone(), code: c.code.clone()? }))
        });
        let codes: Vec<Code> = codes.into_iter().flatten().collect();
        for (i, component) in line.components.iter().enumerate() {
            let Component { code, amount: Some(amount) } = component else { continue };
            // The first is the line's own price, further ones say what they add.
            let own = if i == 0 { None } else { code.as_ref().and_then(CodeableConcept::label) };
            self.amount_row(invoice, own.unwrap_or_else(|| name.clone()), amount);
            if let Some(row) = self.view.rows.last_mut() {
                (row.note, row.codes) = (quantity.clone(), codes.clone());
            }
        }
    }

    /// Diagnoses with their codes, policies with their numbers.
    fn what_for(&mut self, invoice: &Invoice) {
        for named in &self.bundle.entries {
            match &named.resource {
                Resource::Condition(condition) => {
                    let Some(concept) = &condition.code else { continue };
                    let code = codings(concept).find_map(|coding| coding.code.clone());
                    let name = concept.label().unwrap_or_default();
                    self.invoice_row(invoice, name, code.map_or(Value::Absent(None), Value::Text));
                }
                Resource::Coverage(Coverage { kind, subscriber, payor }) => {
                    let payor = payor.iter().find_map(|payor| payor.display.clone());
                    let kind = kind.as_ref().and_then(CodeableConcept::label);
                    let name = kind.or_else(|| payor.clone()).unwrap_or_default();
                    let value = subscriber.clone().map_or(Value::Absent(None), Value::Text);
                    self.invoice_row(invoice, name, value);
                    if let Some(row) = self.view.rows.last_mut() {
                        row.note = payor;
                    }
                }
                _ => {}
            }
        }
    }

    fn amount_row(&mut self, invoice: &Invoice, name: String, amount: &Amount) {
        self.invoice_row(invoice, name, Value::Text(amount.value.text().to_owned()));
        if let Some(row) = self.view.rows.last_mut() {
            row.unit = Some(amount.currency.clone());
        }
    }

    fn invoice_row(&mut self, invoice: &Invoice, name: String, value: Value) {
        self.view.rows.push(LabRow {
            name,
            short: None,
            panel: None,
            value,
            unit: None,
            ucum: None,
            range: None,
            verdict: Verdict::None,
            bar: None,
            codes: Vec::new(),
            status: invoice.status.to_owned(),
            note: None,
        });
    }
}
