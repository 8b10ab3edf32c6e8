//! The shares as the pages show them: where each stands by what the ledger and the event log say.

use super::{Session, fault};
use crate::engine::Engine;
use crate::ledger::Ledger;
use crate::links::{Page, origin_of};
use std::rc::Rc;
use suishen_bridge::{
    Action, Fault, PatientRequest, PatientResponse, Purpose, Share, ShareChoice, ShareState,
};
use suishen_core::contract::Slot;
use suishen_core::id::{Commitment, GrantId};
use suishen_core::identity::Subject;
use suishen_core::order;
use suishen_core::qr::{ConsentOffer, consent_url};
use suishen_core::vault::{Body, DeviceRole};

impl Session {
    /// Answers what is asked about giving records to others, and about who has read.
    pub(super) async fn answer_of_shares(
        &self,
        engine: &Rc<Engine>,
        task: u32,
        request: PatientRequest,
    ) -> Result<PatientResponse, Fault> {
        use PatientRequest as R;
        use PatientResponse as A;
        Ok(match request {
            R::Preview(choice) => A::Sentence(self.sentence(engine, &choice).await?),
            R::Claim(request) => self.answer_claim(engine, task, request).await?,
            R::Share(choice) => A::Share(Box::new(self.share(engine, task, choice).await?)),
            R::AwaitDoctor => A::Link(self.await_doctor(engine).await?),
            R::AnswerDoctor { person, choice } => self.answer_doctor(engine, task, &person, choice).await?,
            R::StopAwaiting => self.stop_awaiting(),
            R::Shares => A::Shares(self.shares(engine).await?),
            R::Consent { share, person } => {
                self.agree(engine, &share, &person).await?;
                A::Done
            }
            R::Revoke { share } => {
                self.revoke_proven(engine, &share).await?;
                A::Done
            }
            R::Extend { share } => A::Share(Box::new(self.extend(engine, task, &share).await?)),
            R::Log => {
                self.listed.set(true);
                A::Log(self.access_log(engine).await?)
            }
            // Whoever helps doesn't look in the owner's place; and what was never listed wasn't looked at.
            R::Looked if engine.is_beside() || !self.listed.get() => A::Done,
            R::Looked => {
                // As of what was seen: a read that this phone hears of later is new, however old it is.
                let latest = self.read(|index| {
                    index.grants().flat_map(|(_, grant)| grant.reads.values()).map(|read| read.time).max()
                })?;
                let seen = self.complete.get().max(latest);
                if let Some(now) = seen {
                    self.append(engine, vec![Body::LastLooked(now)], Vec::new()).await?;
                }
                A::Done
            }
            _ => return Err(Fault::new("request", Action::Nothing)),
        })
    }

    /// All shares, newest first.
    pub(super) async fn shares(&self, engine: &Engine) -> Result<Vec<Share>, Fault> {
        let ids: Vec<GrantId> = self.read(|index| index.grants().map(|(id, _)| *id).collect())?;
        let mut shares = Vec::new();
        for id in ids {
            shares.push(self.one_share(engine, &id).await?);
        }
        order::sort_by_key(&mut shares, |share| core::cmp::Reverse(share.issued));
        Ok(shares)
    }

    pub(super) async fn one_share(&self, engine: &Engine, id: &GrantId) -> Result<Share, Fault> {
        let grant = self.read(|index| index.grant(id).cloned())?;
        let grant = grant.ok_or_else(|| Fault::new("no-grant", Action::Nothing))?;
        let seen = self.seen.borrow().get(id).cloned().unwrap_or_default();
        let now = engine.known_ledger().and_then(Ledger::now).unwrap_or(grant.time);
        let issued = seen.issued().unwrap_or(grant.time);
        let terms = &grant.issued.terms;
        let until = issued + terms.duration;
        let accept_by = issued + terms.accept_within;
        let uses = seen.uses();
        let state = state_of(&grant, &seen, now, until, accept_by);
        let titles = self.titles(engine, &grant.issued.records).await?;
        // A device that may only look has no code to show, and whoever was asked in a live consultation has it already.
        let looks = self.with(|vault| vault.role())? < DeviceRole::Share;
        let shows = state == ShareState::Offered && grant.answer.is_none() && !looks;
        let link = shows.then(|| self.link(engine, id, grant.issued.offline)).transpose()?;
        Ok(Share {
            share: id.to_hex(),
            choice: ShareChoice {
                records: grant.issued.records.iter().map(|r| r.to_hex()).collect(),
                purpose: purpose_of(&grant.issued.purpose),
                duration: terms.duration,
                reads: u32::try_from(terms.uses).unwrap_or(u32::MAX),
                offline: grant.issued.offline,
                text: grant.issued.text.clone(),
            },
            titles,
            state,
            issued,
            until,
            accept_by,
            reads_left: u32::try_from(terms.uses.saturating_sub(uses)).unwrap_or(0),
            link,
        })
    }

    /// A grant's offer, with the patient's half where nobody is asked again.
    pub(super) fn offer(
        &self,
        engine: &Engine,
        id: &GrantId,
        with_half: bool,
    ) -> Result<ConsentOffer, Fault> {
        let secrets = self.with(|vault| vault.grant_secrets(id))?.map_err(fault)?;
        Ok(ConsentOffer {
            grant: *id,
            offer_key: secrets.offer.clone(),
            half: with_half.then(|| secrets.half.clone()),
            checkpoint: engine.known_ledger().and_then(Ledger::root),
            relays: None,
        })
    }

    fn link(&self, engine: &Engine, id: &GrantId, offline: bool) -> Result<String, Fault> {
        let offer = self.offer(engine, id, offline)?;
        let role = self.read(|index| index.grant(id).map(|grant| grant.issued.terms.role))?;
        let page = match role.and_then(Slot::of) {
            Some(Slot::Commercial) => Page::Insurer,
            Some(Slot::Statutory) => Page::Fund,
            None => Page::Desk,
        };
        let origin = origin_of(&engine.origin(), page);
        let link = consent_url(&origin, &offer).map_err(|e| Fault::new(e.sentence(), Action::Nothing))?;
        Ok(link.to_string())
    }

    /// Titles of records, as the list has them.
    pub(super) async fn titles(&self, engine: &Engine, ids: &[Commitment]) -> Result<Vec<String>, Fault> {
        let titled = self.titled(engine, ids).await?.into_iter();
        Ok(titled.map(|titled| titled.map(|(title, _)| title).unwrap_or_default()).collect())
    }
}

/// A person's title and department.
pub fn title_of(subject: &Subject) -> String {
    [subject.title.as_deref(), subject.unit.as_deref()].into_iter().flatten().collect::<Vec<_>>().join("，")
}

/// A purpose by its code; one that a later version wrote reads as the patient's own request.
pub fn purpose_of(code: &str) -> Purpose {
    Purpose::of(code).unwrap_or(Purpose::PatientRequest)
}

fn state_of(
    grant: &suishen_core::vault::Grant,
    seen: &super::watch::Seen,
    now: u64,
    until: u64,
    accept_by: u64,
) -> ShareState {
    use suishen_core::contract::Status;
    let person = || {
        let subject = seen.person.as_ref().map(|p| p.leaf().subject().clone());
        let subject = subject.or_else(|| grant.answer.as_ref().map(|a| a.person.leaf().subject().clone()));
        subject.map_or_else(Default::default, |s| {
            let title = title_of(&s);
            (s.name.unwrap_or_default(), title, s.organisation)
        })
    };
    let status = seen.status();
    if status == Some(Status::Revoked) {
        return ShareState::Revoked;
    }
    let unaccepted = match status {
        Some(status) => status == Status::Offered,
        // Not looked at yet: what is known of an acceptance counts.
        None => grant.revoked.is_none() && grant.answer.is_none() && grant.reads.is_empty(),
    };
    let never_stood = seen.absent && now >= grant.issued.terms.include_before;
    if now >= until || never_stood || (unaccepted && now >= accept_by) {
        return ShareState::Expired;
    }
    if grant.revoked.is_some() {
        return if seen.torn { ShareState::RevokedAtGates } else { ShareState::NotYetRevoked };
    }
    match status {
        Some(Status::Exhausted) => ShareState::Exhausted,
        Some(Status::Accepted) | None if grant.answer.as_ref().is_some_and(|a| a.agreed) => {
            let (name, title, organisation) = person();
            ShareState::Open { name, title, organisation }
        }
        Some(Status::Accepted) if grant.issued.offline => {
            let (name, title, organisation) = person();
            ShareState::Open { name, title, organisation }
        }
        Some(Status::Accepted) => match &seen.person {
            Some(chain) => {
                let (name, title, organisation) = person();
                let person = chain.leaf().key().key_id().to_string();
                ShareState::Asked { person, name, title, organisation }
            }
            None => ShareState::Offered,
        },
        _ => ShareState::Offered,
    }
}
