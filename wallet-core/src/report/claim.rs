//! An invoice in a claim: what an insurer needs of it, what stays hidden, what an insurer was shown (PROTOCOL §4, §6).
//!
//! **A claim discloses an invoice, not a life**: [`proposal`] names the groups that a claim needs and counts all
//! others; of several policies the patient picks one, and of diagnoses only those that the invoice is for go along.
//! What goes with every amount (number, status, currency, date, whose it is) is asked for when an invoice is
//! issued and again when it is shown, whoever signed it.

use super::disclosure::{describe, resource_types, select};
use super::profile::target_of;
use super::{ClaimTag, GroupKind, GroupOpening, InvoiceNumber, Money, Opened, ReportError};
use crate::contract::{Slot, TagProof};
use crate::fhir::{INVOICE_STATUS, Json};
use crate::id::{GrantId, LedgerId};
use crate::order;
use crate::sm::Signed;
use std::collections::BTreeSet;

/// Whose shares make up a medical e-bill's total, funds first, then the patient; what the patient bears is told apart
/// again beside them.
const SHARES: [&str; 4] = ["医保统筹基金支付", "其他支付", "个人账户支付", "个人现金支付"];

/// Where coverage is coded (HL7 v3 ActCode).
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// The codes of publicly funded coverage there; all others of it are commercial.
const STATUTORY: [&str; 4] = ["PUBLICPOL", "SUBSIDIZ", "SUBSIDMC", "MANDPOL"];

/// The head of an invoice, with everything that goes with every amount in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Its number in one spelling.
    pub number: InvoiceNumber,
    /// FHIR's: `issued`, `balanced`, `cancelled`…
    pub status: &'static str,
    /// When, as the hospital wrote it.
    pub date: String,
    /// Everything together.
    pub total: Money,
    /// Who pays how much, in the invoice's words.
    pub shares: Vec<(String, Money)>,
}

/// Sums and numbers are the patient's.
impl core::fmt::Debug for Invoice {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Invoice([redacted], {})", self.status)
    }
}

impl Invoice {
    /// The invoice of a report; none where it has none. Several can't be told apart in a claim and are refused.
    pub fn in_report(json: &Json) -> Result<Option<Self>, ReportError> {
        let Some(invoice) = resource_in(json)? else { return Ok(None) };
        for item in resources(json, "ChargeItem") {
            check_item(item)?;
        }
        // A line is an amount; what was charged, how many of it and whether at all, its charge item says.
        let entries = json.get("entry").and_then(Json::as_array).unwrap_or_default();
        let named = |line: &Json| {
            let item = line.get("chargeItemReference")?;
            let target = target_of(item, entries).and_then(|target| entries[target].get("resource"));
            Some(target.is_some_and(|resource| text(resource, "resourceType") == Some("ChargeItem")))
        };
        if list(invoice, "lineItem")?.iter().any(|line| named(line) == Some(false)) {
            return Err(ReportError::Invoice("charge item of each line"));
        }
        Self::read(invoice).map(Some)
    }

    fn read(json: &Json) -> Result<Self, ReportError> {
        let lacks = ReportError::Invoice;
        let status =
            text(json, "status").and_then(|code| INVOICE_STATUS.iter().find(|known| **known == code));
        if !names_somebody(json.get("subject")) {
            return Err(lacks("subject"));
        }
        let lines = list(json, "lineItem")?;
        let totals = list(json, "totalPriceComponent")?;
        for component in totals.iter().chain(lines.iter().flat_map(components)) {
            check_amount(component.get("amount"))?;
        }
        for net in [json.get("totalNet"), json.get("totalGross")] {
            check_amount(net)?;
        }
        let shares = totals.iter().filter_map(|component| {
            let name = component.get("code").and_then(label)?;
            let amount = component.get("amount").and_then(Money::of).ok_or(lacks("amount of each share"));
            Some(amount.map(|amount| (name.to_owned(), amount)))
        });
        let shares = shares.collect::<Result<Vec<_>, _>>()?;
        // Two shares of one name: nobody can tell which of them counts.
        if shares.iter().enumerate().any(|(i, (name, _))| shares[..i].iter().any(|(other, _)| other == name))
        {
            return Err(lacks("name of its own for each share"));
        }
        let total = json.get("totalGross").or_else(|| json.get("totalNet")).and_then(Money::of);
        Ok(Self {
            number: InvoiceNumber::of(json).ok_or(lacks("official number"))?,
            status: status.copied().ok_or(lacks("status"))?,
            date: text(json, "date").ok_or(lacks("date"))?.to_owned(),
            total: total.ok_or(lacks("total with its currency"))?,
            shares,
        })
    }

    /// Whether the payers' shares make up the total; none where the invoice doesn't say who pays.
    pub fn adds_up(&self) -> Option<bool> {
        let mut shares = self.shares.iter().filter(|(name, _)| SHARES.contains(&name.as_str()));
        let (_, first) = shares.next()?;
        let sum = shares.try_fold(first.clone(), |sum, (_, share)| sum.plus(share));
        Some(sum.as_ref() == Some(&self.total))
    }

    /// The most that a payer of this class pays: statutory insurance its share, commercial insurance the self-paid part,
    /// which is what statutory and other funds left. None where the invoice doesn't say, or its shares don't make up the
    /// total: nobody can tell then what was paid already.
    pub fn payable(&self, slot: Slot) -> Option<Money> {
        self.adds_up().filter(|whole| *whole)?;
        let share = |name| self.shares.iter().find(|(known, _)| known == name).map(|(_, share)| share);
        match slot {
            Slot::Statutory => share(SHARES[0]).cloned(),
            Slot::Commercial => {
                let funds = SHARES[..2].iter().filter_map(|name| share(name));
                Some(funds.fold(share(SHARES[0]).map(|_| self.total.clone())?, |left, paid| left.less(paid)))
            }
        }
    }

    /// Neither a draft nor reversed: it may be settled.
    pub fn is_payable(&self) -> bool {
        matches!(self.status, "issued" | "balanced")
    }
}

/// The resources of a type: a bundle's, or the lone one.
pub(super) fn resources<'a>(json: &'a Json, kind: &'static str) -> impl Iterator<Item = &'a Json> {
    let entries = json.get("entry").and_then(Json::as_array).unwrap_or_default();
    let all = entries.iter().filter_map(|entry| entry.get("resource")).chain([json]);
    all.filter(move |json| text(json, "resourceType") == Some(kind))
}

/// The `Invoice` of a report.
pub(super) fn resource_in(json: &Json) -> Result<Option<&Json>, ReportError> {
    let mut invoices = resources(json, "Invoice");
    match (invoices.next(), invoices.next()) {
        (invoice, None) => Ok(invoice),
        _ => Err(ReportError::Invoice("place of its own: a report has one invoice")),
    }
}

/// A text that says something.
pub(super) fn text<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Json::as_str).filter(|text| !text.trim().is_empty())
}

fn names_somebody(reference: Option<&Json>) -> bool {
    reference.is_some_and(|json| text(json, "reference").or_else(|| text(json, "display")).is_some())
}

/// What a person reads of a `CodeableConcept`.
fn label(concept: &Json) -> Option<&str> {
    let codings = concept.get("coding").and_then(Json::as_array).unwrap_or_default();
    text(concept, "text").or_else(|| codings.iter().find_map(|coding| text(coding, "display")))
}

pub(super) fn list<'a>(json: &'a Json, name: &'static str) -> Result<&'a [Json], ReportError> {
    match json.get(name) {
        None => Ok(&[]),
        Some(Json::Array(items)) => Ok(items),
        Some(_) => Err(ReportError::Invoice(name)),
    }
}

fn components(line: &Json) -> &[Json] {
    line.get("priceComponent").and_then(Json::as_array).unwrap_or_default()
}

/// No amount without its currency.
fn check_amount(amount: Option<&Json>) -> Result<(), ReportError> {
    if amount.is_none_or(Money::has_currency) {
        Ok(())
    } else {
        Err(ReportError::Invoice("currency beside each amount"))
    }
}

/// No line without its status, no quantity without its unit.
pub(super) fn check_item(item: &Json) -> Result<(), ReportError> {
    if text(item, "status").is_none() {
        return Err(ReportError::Invoice("status of each line"));
    }
    if !names_somebody(item.get("subject")) {
        return Err(ReportError::Invoice("subject of each line"));
    }
    check_amount(item.get("priceOverride"))?;
    let measured =
        |q: &Json| q.get("value").is_none() || text(q, "unit").or_else(|| text(q, "code")).is_some();
    if item.get("quantity").is_none_or(measured) {
        Ok(())
    } else {
        Err(ReportError::Invoice("unit beside each quantity"))
    }
}

/// Why a claim needs a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Says what the report is and how much of it is shown; always goes along.
    Head,
    /// Number, status, date, total, who pays how much.
    Invoice,
    /// What was charged.
    Line,
    /// What was treated.
    Diagnosis,
    /// Whose invoice it is.
    Insured,
    /// The policy, this class of insurer's only.
    Policy,
    /// Who issued it.
    Hospital,
    /// Lets this class of insurer settle, once.
    Tag,
}

/// What a claim usually needs and an invoice lacks: said before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// No claim tag for this class of insurer: the hospital doesn't take part, and nothing can be settled.
    Tag,
    /// No lines.
    Lines,
    /// No diagnosis.
    Diagnosis,
    /// No policy with this class of insurer.
    Policy,
    /// Several policies, or one that doesn't say which class of insurer it is with: the patient picks.
    WhichPolicy,
}

/// What a claim to one class of insurer needs of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Which class.
    pub slot: Slot,
    /// The groups by their place among the openings, ascending, each with its reason.
    pub groups: Vec<(usize, Why)>,
    /// The groups that stay hidden; the insurer sees how many. The other insurer's tag isn't among them: it goes to
    /// nobody else and isn't counted.
    pub hidden: Vec<usize>,
    /// The policies with this class of insurer, or with a class that they don't say, by the place of their groups. At
    /// most one of them is proposed.
    pub policies: Vec<usize>,
    /// What should be there and isn't.
    pub missing: Vec<Missing>,
}

/// The groups that a claim needs of a report whose groups are these, all of them, as the wallet keeps them. `policy` is
/// the one that the patient picked of [`Proposal::policies`].
pub fn proposal(
    openings: &[GroupOpening],
    slot: Slot,
    policy: Option<usize>,
) -> Result<Proposal, ReportError> {
    let types = resource_types(openings);
    let type_of = |opening: &GroupOpening| types.get(opening.home()).map_or("", String::as_str);
    let owns = |name: &'static str| {
        let of_type = move |(_, o): &(usize, &GroupOpening)| o.is_own() && type_of(o) == name;
        openings.iter().enumerate().filter(of_type)
    };
    let (_, invoice) = owns("Invoice").next().ok_or(ReportError::NoInvoice)?;
    let line = format!("{}/lineItem/", path_of(invoice, "resourceType").trim_end_matches("/resourceType"));
    let reference =
        |member| element(invoice, member).and_then(|json| text(&json, "reference").map(str::to_owned));
    let (issuer, subject) = (reference("issuer"), reference("subject"));
    let only = owns("Patient").count() == 1;
    let policies: Vec<(usize, Option<Slot>)> = owns("Coverage")
        .map(|(i, o)| (i, slot_of(o)))
        .filter(|(_, class)| class.is_none_or(|class| class == slot))
        .collect();
    let picked = match (policy, policies.as_slice()) {
        (Some(picked), _) => policies.iter().map(|(i, _)| *i).find(|i| *i == picked),
        (None, [(only, Some(_))]) => Some(*only),
        (None, _) => None,
    };
    let why = |(place, opening): (usize, &GroupOpening)| {
        if opening.is_head() {
            return Some(Why::Head);
        }
        if let Some(tag) = opening.slot() {
            return (tag == slot).then_some(Why::Tag);
        }
        if opening.elements.iter().any(|(path, _)| path.starts_with(&line)) {
            return Some(Why::Line);
        }
        if !opening.is_own() {
            return None;
        }
        match type_of(opening) {
            "Invoice" => Some(Why::Invoice),
            "Patient" if is_named(opening, "Patient", subject.as_deref()) || only && subject.is_none() => {
                Some(Why::Insured)
            }
            "Condition" if is_diagnosis(opening) => Some(Why::Diagnosis),
            "Coverage" if picked == Some(place) => Some(Why::Policy),
            "Organization" if is_named(opening, "Organization", issuer.as_deref()) => Some(Why::Hospital),
            _ => None,
        }
    };
    let groups: Vec<(usize, Why)> =
        openings.iter().enumerate().filter_map(|(i, opening)| Some((i, why((i, opening))?))).collect();
    let chosen: BTreeSet<usize> = order::set(groups.iter().map(|(i, _)| *i));
    let hidden = (0..openings.len()).filter(|i| !chosen.contains(i) && openings[*i].slot().is_none());
    let needed = [
        (Why::Tag, Missing::Tag),
        (Why::Line, Missing::Lines),
        (Why::Diagnosis, Missing::Diagnosis),
        (Why::Policy, if policies.is_empty() { Missing::Policy } else { Missing::WhichPolicy }),
    ];
    let missing = needed.into_iter().filter(|(why, _)| !groups.iter().any(|(_, found)| found == why));
    Ok(Proposal {
        slot,
        hidden: hidden.collect(),
        missing: missing.map(|(_, missing)| missing).collect(),
        policies: policies.into_iter().map(|(i, _)| i).collect(),
        groups,
    })
}

impl Proposal {
    /// The openings to hand on as proposed.
    pub fn openings(&self, openings: &[GroupOpening]) -> Vec<GroupOpening> {
        self.chosen(openings, &self.groups.iter().map(|(i, _)| *i).collect())
    }

    /// The openings to hand on as the patient changed it: the invoice's own group, whose it is, the head and this
    /// insurer's tag always go along, the other insurer's tag never.
    pub fn chosen(&self, openings: &[GroupOpening], keep: &BTreeSet<usize>) -> Vec<GroupOpening> {
        let always = |why: &Why| matches!(why, Why::Head | Why::Invoice | Why::Insured | Why::Tag);
        let always = self.groups.iter().filter(|(_, why)| always(why)).map(|(i, _)| *i);
        let own = |i: &usize| openings.get(*i).is_some_and(|o| o.slot().is_none_or(|slot| slot == self.slot));
        let keep = keep.iter().copied().chain(always).filter(own).collect();
        select(openings, &keep)
    }
}

/// What goes along of another report that explains a claim, a discharge summary say: what it found and concluded, without
/// the hospital's numbers, telephones and relatives, and without what retells it whole.
pub fn supporting(openings: &[GroupOpening]) -> Vec<GroupOpening> {
    let told = |kind| {
        matches!(kind, GroupKind::Resource | GroupKind::Conclusion | GroupKind::Section | GroupKind::Line)
    };
    let kinds = describe(openings).into_iter().enumerate();
    select(openings, &kinds.filter(|(_, (kind, _))| told(*kind)).map(|(place, _)| place).collect())
}

/// What an insurer was shown, once the groups hold under the hospital's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The invoice.
    pub invoice: Invoice,
    /// The slot, vouched for.
    pub tag: ClaimTag,
    /// The tag's word that this grant settles it.
    pub proof: Signed<TagProof>,
    /// The grant that it was shown under.
    pub grant: GrantId,
}

impl Shown {
    /// The invoice and the tag of this class of insurer, with the tag's proof for this grant. Other insurers' tags among
    /// it, a proof for another grant, an invoice that isn't shown, or one that its hospital has reversed, is refused.
    /// Whether the hospital vouches for the tag, [`ClaimTag::check`] says.
    pub fn read(
        opened: &Opened,
        proof: Option<&Signed<TagProof>>,
        slot: Slot,
        (grant, ledger): (&GrantId, &LedgerId),
    ) -> Result<Self, ReportError> {
        let invoice = Invoice::in_report(&opened.json)?.ok_or(ReportError::NoInvoice)?;
        let [tag] = opened.tags.as_slice() else { return Err(ReportError::Tag) };
        if tag.slot()? != slot {
            return Err(ReportError::Tag);
        }
        if !invoice.is_payable() {
            return Err(ReportError::NotPayable(invoice.status));
        }
        let proof = proof.ok_or(ReportError::TagProof)?;
        let key = tag.voucher().claimed().map_err(|_| ReportError::Tag)?.tag;
        match proof.verify(&key, ledger) {
            Ok(TagProof { grant: named }) if named == *grant => {}
            _ => return Err(ReportError::TagProof),
        }
        Ok(Self { invoice, tag: tag.clone(), proof: proof.clone(), grant: *grant })
    }
}

/// The path of a member in a resource's own group.
fn path_of<'a>(opening: &'a GroupOpening, member: &str) -> &'a str {
    let named = |path: &&str| path.rsplit('/').next() == Some(member);
    opening.elements.iter().map(|(path, _)| path.as_str()).find(named).unwrap_or_default()
}

/// A member of a resource, or what stands beside it, from its own group.
fn element(opening: &GroupOpening, member: &str) -> Option<Json> {
    let path = path_of(opening, member);
    let (_, text) = opening.elements.iter().find(|(known, _)| !path.is_empty() && known == path)?;
    Json::parse(text.as_bytes()).ok()
}

/// What was treated, and neither whatever else is known of the patient nor what was ruled out.
fn is_diagnosis(opening: &GroupOpening) -> bool {
    let Some(Json::Array(categories)) = element(opening, "category") else { return false };
    let ruled_out = element(opening, "verificationStatus")
        .is_some_and(|status| has_code(&[status], &["refuted", "entered-in-error"]));
    has_code(&categories, &["encounter-diagnosis"]) && !ruled_out
}

/// Which class of insurer a policy is with, where it is coded.
fn slot_of(opening: &GroupOpening) -> Option<Slot> {
    let kind = element(opening, "type")?;
    let codings = kind.get("coding").and_then(Json::as_array).unwrap_or_default();
    let coding = codings.iter().find(|coding| text(coding, "system") == Some(ACT_CODE))?;
    let statutory = STATUTORY.contains(&text(coding, "code")?);
    Some(if statutory { Slot::Statutory } else { Slot::Commercial })
}

/// What a person knows a policy by, beside others: with whom it is, and what it is called.
pub fn policy_name(opening: &GroupOpening) -> Option<String> {
    let payor = element(opening, "payor")
        .and_then(|payors| Some(text(payors.as_array()?.first()?, "display")?.to_owned()));
    let kind = element(opening, "type").and_then(|kind| Some(label(&kind)?.to_owned()));
    let parts: Vec<String> = payor.into_iter().chain(kind).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn has_code(concepts: &[Json], codes: &[&str]) -> bool {
    let codings = concepts.iter().filter_map(|concept| concept.get("coding").and_then(Json::as_array));
    codings.flatten().filter_map(|coding| text(coding, "code")).any(|code| codes.contains(&code))
}

/// Whether a reference names this entry, by full URL or by type and id.
fn is_named(opening: &GroupOpening, kind: &str, reference: Option<&str>) -> bool {
    let Some(reference) = reference else { return false };
    let name = |member| element(opening, member).and_then(|json| json.as_str().map(str::to_owned));
    name("fullUrl").as_deref() == Some(reference)
        || name("id")
            .is_some_and(|id| reference.strip_prefix(kind).is_some_and(|rest| rest == format!("/{id}")))
}
