//! The fee lists beside a claim's invoice, at an insurer's desk.

use suishen_bridge::{DeskFees, ReadRecord};
use suishen_core::fhir::Kind;
use suishen_core::id::PartyId;
use suishen_core::report::claim::Shown;
use suishen_core::report::{FeeList, Money};

/// A fee list among what was shown.
#[derive(Debug)]
pub struct Listed {
    /// Its record's number.
    pub number: u32,
    /// Who issued it.
    pub issuer: PartyId,
    /// What it sums up to.
    pub list: FeeList,
}

/// One list against the invoice's total.
pub fn sum(list: &FeeList, total: &Money) -> DeskFees {
    DeskFees { items: list.items as u64, total: Some(list.total.to_string()), makes_up: list.makes_up(total) }
}

/// What the invoice's own fee lists come to: those of its hospital about the same person. Others say nothing about it.
pub fn beside(shown: &Shown, listed: &[Listed], records: &[ReadRecord]) -> Option<DeskFees> {
    let issuer = shown.tag.voucher().claimed().ok()?.issuer;
    let patient = |number: u32| records.iter().find(|record| record.number == number)?.view.patient.as_ref();
    let invoice = records.iter().find(|record| record.view.kind == Kind::Invoice)?;
    let whose = invoice.view.patient.as_ref()?;
    let own = |it: &&Listed| {
        it.issuer == issuer && patient(it.number).is_some_and(|patient| patient.is_same_person(whose))
    };
    let own: Vec<&FeeList> = listed.iter().filter(own).map(|it| &it.list).collect();
    let (first, more) = own.split_first()?;
    let together = more.iter().try_fold((*first).clone(), |sum, list| sum.with(list));
    Some(DeskFees {
        items: own.iter().map(|list| list.items as u64).sum(),
        makes_up: together.as_ref().is_some_and(|sum| sum.makes_up(&shown.invoice.total)),
        total: together.map(|sum| sum.total.to_string()),
    })
}
