//! `Invoice`, `ChargeItem` and `Coverage` of FHIR R4: a medical e-bill, its lines, the policies that pay.

use super::{
    FhirError, Json, Moment,
    datatype::{CodeableConcept, Coding, Quantity, Reference},
    element::{Decimal, Element, Fields},
};

/// An invoice's status.
pub(crate) const INVOICE_STATUS: [&str; 5] = ["draft", "issued", "balanced", "cancelled", "entered-in-error"];

/// An amount with its currency; neither is shown without the other.
#[derive(Clone, Debug)]
pub(super) struct Amount {
    pub value: Decimal,
    pub currency: String,
}

impl Element for Amount {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        Ok(Self { value: f.required("value")?, currency: f.required("currency")? })
    }
}

/// A number of an invoice.
#[derive(Clone, Debug)]
pub(super) struct Identifier {
    pub kind: Option<CodeableConcept>,
    pub value: Option<String>,
}

impl Element for Identifier {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        Ok(Self { kind: f.optional("type")?, value: f.optional("value")? })
    }
}

/// A part of a price: what it is called, how much.
#[derive(Clone, Debug)]
pub(super) struct Component {
    pub code: Option<CodeableConcept>,
    pub amount: Option<Amount>,
}

impl Element for Component {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        f.no_unknown_modifier()?;
        Ok(Self { code: f.optional("code")?, amount: f.optional("amount")? })
    }
}

/// A line: what was charged, by reference or in words.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub item: Option<Reference>,
    pub concept: Option<CodeableConcept>,
    pub components: Vec<Component>,
}

impl Element for Line {
    fn read(json: &Json) -> Result<Self, FhirError> {
        let f = Fields::of(json)?;
        f.no_unknown_modifier()?;
        Ok(Self {
            item: f.optional("chargeItemReference")?,
            concept: f.optional("chargeItemCodeableConcept")?,
            components: f.list("priceComponent")?,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Invoice {
    pub status: &'static str,
    pub identifiers: Vec<Identifier>,
    pub kind: Option<CodeableConcept>,
    pub subject: Option<Reference>,
    pub date: Option<Moment>,
    pub issuer: Option<Reference>,
    pub lines: Vec<Line>,
    pub shares: Vec<Component>,
    pub total: Option<Amount>,
    /// Why it was reversed or issued on paper.
    pub cancelled: Option<String>,
}

impl Invoice {
    pub(super) fn read(f: Fields<'_>) -> Result<Self, FhirError> {
        let gross: Option<Amount> = f.optional("totalGross")?;
        Ok(Self {
            status: f.code("status", &INVOICE_STATUS)?,
            identifiers: f.list("identifier")?,
            kind: f.optional("type")?,
            subject: f.optional("subject")?,
            date: f.optional("date")?,
            issuer: f.optional("issuer")?,
            lines: f.list("lineItem")?,
            shares: f.list("totalPriceComponent")?,
            total: gross.or(f.optional("totalNet")?),
            cancelled: f.optional("cancelledReason")?,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct ChargeItem {
    pub status: String,
    pub code: CodeableConcept,
    pub quantity: Option<Quantity>,
    /// What all of it costs.
    pub price: Option<Amount>,
}

impl ChargeItem {
    pub(super) fn read(f: Fields<'_>) -> Result<Self, FhirError> {
        Ok(Self {
            status: f.required("status")?,
            code: f.required("code")?,
            quantity: f.optional("quantity")?,
            price: f.optional("priceOverride")?,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Coverage {
    pub kind: Option<CodeableConcept>,
    pub subscriber: Option<String>,
    pub payor: Vec<Reference>,
}

impl Coverage {
    pub(super) fn read(f: Fields<'_>) -> Result<Self, FhirError> {
        f.required::<String>("status")?;
        Ok(Self {
            kind: f.optional("type")?,
            subscriber: f.optional("subscriberId")?,
            payor: f.list("payor")?,
        })
    }
}

/// All codes of a concept that have one.
pub(super) fn codings(concept: &CodeableConcept) -> impl Iterator<Item = &Coding> {
    concept.coding.iter().filter(|coding| coding.code.is_some())
}
