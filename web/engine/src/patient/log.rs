//! Who read what: the access log for the screen, and the proof bundle of a read.

use super::share::grant_of;
use super::shares::{purpose_of, title_of};
use super::{Answered, Session};
use crate::engine::Engine;
use suishen_bridge::{Access, AccessLog, AccessOutcome, Action, Fault, LedgerState, PatientResponse};
use suishen_core::id::GrantId;
use suishen_core::order;
use suishen_core::vault::Grant;

/// What a screen says of a person.
#[derive(Default)]
struct Reader {
    name: String,
    title: String,
    organisation: String,
}

impl Session {
    /// All accesses, newest first.
    pub(super) async fn access_log(&self, engine: &Engine) -> Result<AccessLog, Fault> {
        if let Some(check) = self.broken.borrow().clone() {
            return Err(Fault::new("log-broken", Action::Nothing).with_detail(check));
        }
        let grants: Vec<(GrantId, Grant)> =
            self.read(|index| index.grants().map(|(id, grant)| (*id, grant.clone())).collect())?;
        let mut accesses = Vec::new();
        for (id, grant) in grants {
            let titles = self.titles(engine, &grant.issued.records).await?;
            let from = accesses.len();
            self.accesses_of(&id, &grant, &titles, &mut accesses);
            let by = self.made_by(&grant)?;
            accesses[from..].iter_mut().for_each(|access| access.by.clone_from(&by));
        }
        order::sort_by_key(&mut accesses, |access| core::cmp::Reverse((access.at, access.entry)));
        let fresh = engine.known_ledger().is_some_and(|l| l.state() == LedgerState::Fresh);
        let as_of = self.complete.get();
        Ok(AccessLog {
            complete: fresh && as_of.is_some(),
            as_of,
            accesses,
            last_looked: self.read(suishen_core::vault::RecordIndex::last_looked)?,
        })
    }

    /// The device that made a share, by name; none for this one.
    fn made_by(&self, grant: &Grant) -> Result<Option<String>, Fault> {
        if self.with(|vault| vault.device())? == grant.by {
            return Ok(None);
        }
        self.read(|index| index.device(&grant.by).and_then(|device| device.name.clone()))
    }

    fn accesses_of(&self, id: &GrantId, grant: &Grant, titles: &[String], out: &mut Vec<Access>) {
        let seen = self.seen.borrow().get(id).cloned().unwrap_or_default();
        let chain = seen.person.as_ref().or(grant.answer.as_ref().map(|a| &a.person));
        let reader = chain.map(|c| c.leaf().subject().clone()).map(|s| Reader {
            title: title_of(&s),
            name: s.name.unwrap_or_default(),
            organisation: s.organisation,
        });
        let reader = reader.unwrap_or_default();
        let all: Vec<String> = grant.issued.records.iter().map(|r| r.to_hex()).collect();
        let line = |read: u32, outcome, at, numbers: Option<&[u32]>, entry| {
            let wanted = |i: &usize| numbers.is_none_or(|n| n.iter().any(|n| usize::try_from(*n) == Ok(*i)));
            let pick = |list: &[String]| {
                list.iter().enumerate().filter(|(i, _)| wanted(i)).map(|(_, s)| s.clone()).collect()
            };
            Access {
                share: id.to_hex(),
                read,
                outcome,
                at,
                name: reader.name.clone(),
                title: reader.title.clone(),
                organisation: reader.organisation.clone(),
                titles: pick(titles),
                records: pick(&all),
                purpose: purpose_of(&grant.issued.purpose),
                entry,
                by: None,
            }
        };
        for (number, read) in &grant.reads {
            let receipt = grant.receipts.contains_key(number);
            let outcome = if receipt { AccessOutcome::Read } else { AccessOutcome::NoReceipt };
            out.push(line(*number, outcome, read.time, Some(&read.records), Some(read.entry)));
        }
        for (at, code, _) in &seen.refused {
            let outcome = AccessOutcome::Refused { reason: format!("reject-{code}") };
            out.push(line(0, outcome, *at, None, None));
        }
    }

    /// A proof bundle of a grant's reads: verifies offline with `suishen audit --bundle`.
    pub(super) async fn bundle(&self, engine: &Engine, share: &str, read: u32) -> Answered {
        let id = grant_of(share)?;
        let receipts = self.read(|index| {
            index.grant(&id).map(|g| g.receipts.values().map(|r| r.receipt.clone()).collect::<Vec<_>>())
        })?;
        let receipts = receipts.ok_or_else(|| Fault::new("no-grant", Action::Nothing))?;
        let ledger = engine.fresh_ledger().await?;
        let bundle = ledger.bundle(engine.store().await?, &id, receipts).await?;
        let name = format!("{}-{read}.proof", &share[..share.len().min(12)]);
        let media_type = "application/cbor".to_owned();
        Ok((PatientResponse::File { name, media_type }, Some(bundle.to_bytes())))
    }
}
