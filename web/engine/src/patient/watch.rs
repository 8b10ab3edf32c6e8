//! Following the grants: their logs on the ledger, proven complete, and what lies in their drop boxes.

use super::{Session, fault, share::grant_of};
use crate::engine::Engine;
use crate::http::Call;
use crate::ledger::{Ledger, LedgerError};
use crate::platform::BrowserRandom;
use crate::worker::tell;
use suishen_bridge::{Action, Event, Fault, Topic};
use suishen_core::cbor;
use suishen_core::consent::{self, Asking, DeskIdentity, Message, Receipt};
use suishen_core::contract::{Accepted, Role, Status, Transaction};
use suishen_core::id::GrantId;
use suishen_core::identity::{Certificate, Chain};
use suishen_core::proof::log::AccessLog;
use suishen_core::sm::Signed;
use suishen_core::vault::{Answer, Body, ClaimAnswered, GrantSecrets, ReadSeen, ReceiptSeen};

/// What ledger and drop box say of one grant.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The log, proven complete.
    pub log: Option<AccessLog>,
    /// The ledger provably has no such grant.
    pub absent: bool,
    /// Who accepted, by certificate, checked against the ledger's entry.
    pub person: Option<Chain>,
    /// The gates have acknowledged that they destroyed their shares.
    pub torn: bool,
    /// Refused attempts as the relay reports them: time, code, organisation.
    pub refused: Vec<(u64, u64, Option<String>)>,
}

impl Seen {
    /// When the grant was included.
    pub fn issued(&self) -> Option<u64> {
        self.log.as_ref()?.entries.first().map(|entry| entry.now)
    }

    /// Where it stands on the ledger.
    pub fn status(&self) -> Option<Status> {
        self.log.as_ref().map(|log| log.leaf.status)
    }

    /// Redemptions.
    pub fn uses(&self) -> u64 {
        self.log.as_ref().map_or(0, |log| log.leaf.uses)
    }

    /// What the patient chose that the grantee must act as.
    pub fn role(&self) -> Option<Role> {
        self.log.as_ref()?.entries.iter().find_map(|entry| match &entry.transaction {
            Transaction::IssueGrant(body) => Some(body.role),
            _ => None,
        })
    }

    /// Who accepted, as the ledger has it.
    pub fn accepted(&self) -> Option<Accepted> {
        self.log.as_ref()?.entries.iter().find_map(|entry| match &entry.transaction {
            Transaction::AcceptGrant(body) => {
                let credential = body.credential.claimed().ok()?;
                Some(Accepted {
                    party: credential.party,
                    grantee: credential.grantee,
                    box_key: credential.box_key,
                    at: entry.now,
                })
            }
            _ => None,
        })
    }
}

impl Session {
    /// Follows every grant, and sends what could not be sent before.
    pub(super) async fn follow(&self, engine: &Engine) -> Result<(), Fault> {
        let ledger = engine.ledger().await?;
        // What is asked from here on is at least as new as this checkpoint, and complete as of it.
        let from = ledger.seen();
        self.send_pending(engine, ledger).await?;
        // Neither stands in the way of what follows: both are tried again.
        let _ = self.open_holder_by_and_by(engine, ledger).await;
        let _ = self.move_holder(engine, ledger).await;
        let ids: Vec<GrantId> = self.read(|index| index.grants().map(|(id, _)| *id).collect())?;
        let mut whole = true;
        for id in &ids {
            whole &= self.follow_one(engine, id).await.is_ok();
            let pending = self.read(|index| index.grant(id).is_some_and(|g| g.revoked.is_some()))?
                && self.seen.borrow().get(id).is_none_or(|s| s.status() != Some(Status::Revoked));
            if pending {
                // Still not everywhere: tried again each time there is a network.
                let _ = self.push_revocation(engine, id).await;
            }
        }
        whole &= self.look_at_claimed(engine, ledger).await?;
        if whole {
            self.complete.set(from.map(|(_, time)| time));
        }
        tell(&Event::Changed(Topic::Shares));
        tell(&Event::Changed(Topic::Log));
        Ok(())
    }

    /// What the ledger showed, or the alarm that it doesn't hold.
    pub(super) fn sound<T>(&self, shown: Result<T, LedgerError>) -> Result<T, Fault> {
        shown.map_err(|error| match error {
            LedgerError::Unsound(check) => {
                *self.broken.borrow_mut() = Some(check.to_owned());
                Fault::new("log-broken", Action::Nothing).with_detail(check)
            }
            error => error.into(),
        })
    }

    /// One grant: its log, then its drop box.
    pub(super) async fn follow_one(&self, engine: &Engine, id: &GrantId) -> Result<(), Fault> {
        let store = engine.store().await?;
        let ledger = engine.ledger().await?;
        let log = self.sound(ledger.log_of(store, id).await)?;
        let mut bodies = Vec::new();
        {
            let mut all = self.seen.borrow_mut();
            let seen = all.entry(*id).or_default();
            seen.absent = log.is_none();
            seen.log = log;
        }
        let seen = self.seen.borrow().get(id).cloned().unwrap_or_default();
        self.note_reads(id, &seen, &mut bodies)?;
        if seen.log.is_some() {
            self.read_box(engine, ledger, id, &seen, &mut bodies).await?;
        }
        if !bodies.is_empty() {
            self.append(engine, bodies, Vec::new()).await?;
        }
        Ok(())
    }

    /// Redemptions that this phone has proven go into the event log.
    fn note_reads(&self, id: &GrantId, seen: &Seen, bodies: &mut Vec<Body>) -> Result<(), Fault> {
        let Some(log) = &seen.log else { return Ok(()) };
        let known: Vec<u32> = self
            .read(|index| index.grant(id).map(|g| g.reads.keys().copied().collect()).unwrap_or_default())?;
        for entry in &log.entries {
            let Transaction::RedeemGrant(body) = &entry.transaction else { continue };
            let number = u32::try_from(body.use_number).unwrap_or(u32::MAX);
            if !known.contains(&number) {
                bodies.push(Body::ReadSeen(ReadSeen {
                    grant: *id,
                    number,
                    entry: entry.number,
                    time: entry.now,
                    records: body.records.iter().filter_map(|r| u32::try_from(*r).ok()).collect(),
                }));
            }
        }
        Ok(())
    }

    /// An answer that isn't known yet goes into the event log, in the order in which they came.
    fn note_answer(
        &self,
        id: &GrantId,
        answer: &consent::Answer,
        signed: Signed<consent::Answer>,
        bodies: &mut Vec<Body>,
    ) -> Result<(), Fault> {
        let known: Vec<consent::Answer> = self.read(|index| {
            index.grant(id).map(|grant| grant.answers.values().cloned().collect()).unwrap_or_default()
        })?;
        let new = |body: &&Body| matches!(body, Body::ClaimAnswered(said) if said.grant == *id);
        let number = known.len() + bodies.iter().filter(new).count();
        let again = bodies.iter().any(|body| {
            matches!(body, Body::ClaimAnswered(said) if said.answer.claimed().is_ok_and(|said| said == *answer))
        });
        if !known.contains(answer) && !again {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let said = ClaimAnswered { grant: *id, number, answer: signed };
            bodies.push(Body::ClaimAnswered(Box::new(said)));
        }
        Ok(())
    }

    /// Who is at the desk, receipts, refusals.
    async fn read_box(
        &self,
        engine: &Engine,
        ledger: &Ledger,
        id: &GrantId,
        seen: &Seen,
        bodies: &mut Vec<Body>,
    ) -> Result<(), Fault> {
        let Ok(secrets) = self.with(|vault| vault.grant_secrets(id))? else { return Ok(()) };
        let messages = match ledger.drop_box(*id, &secrets.grant).await {
            Ok(messages) => messages,
            // Emptied a month after the grant's end; what it held was noted before.
            Err(LedgerError::Call(error)) if error.is(404) || error.is(410) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let accepted = seen.accepted();
        for message in messages {
            match (message, &accepted) {
                (Message::Answer(boxed), Some(accepted)) => {
                    let opened =
                        consent::Answer::open(&boxed, &secrets.reply, &accepted.grantee, id, &ledger.id);
                    if let Ok((answer, signed)) = opened {
                        self.note_answer(id, &answer, signed, bodies)?;
                    }
                }
                (Message::Desk(boxed), Some(accepted)) => {
                    let role = seen.role();
                    if let Some(chain) =
                        role.and_then(|role| identity(ledger, id, &secrets, (accepted, role), &boxed))
                    {
                        self.seen.borrow_mut().entry(*id).or_default().person = Some(chain);
                    }
                }
                (Message::Receipt(boxed), Some(accepted)) => {
                    let receipt = receipt(ledger, id, &secrets, accepted, &boxed);
                    let known = |n: &u32| {
                        self.read(|index| index.grant(id).is_some_and(|g| g.receipts.contains_key(n)))
                    };
                    if let Some((number, receipt)) = receipt
                        && !known(&number)?
                    {
                        bodies.push(Body::ReceiptSeen(ReceiptSeen { grant: *id, number, receipt }));
                    }
                }
                _ => {}
            }
        }
        let answer = ledger.signed(Call::get(format!("/v1/drop/{id}/refused")), &secrets.grant).await?;
        let refused = cbor::decode::<Vec<(u64, u64, Option<String>)>>(&answer).unwrap_or_default();
        self.seen.borrow_mut().entry(*id).or_default().refused = refused;
        let _ = engine;
        Ok(())
    }

    /// Yes to the person whom the screen named: the half goes to the desk's box key.
    pub(super) async fn agree(&self, engine: &Engine, share: &str, person: &str) -> Result<(), Fault> {
        let id = grant_of(share)?;
        let ledger = engine.fresh_ledger().await?;
        self.follow_one(engine, &id).await?;
        let seen = self.seen.borrow().get(&id).cloned().unwrap_or_default();
        let gone = || Fault::new("nobody-asks", Action::Retry);
        let (chain, accepted) = seen.person.clone().zip(seen.accepted()).ok_or_else(gone)?;
        if chain.leaf().key().key_id().to_string() != person {
            return Err(Fault::new("other-person", Action::Retry));
        }
        let secrets = self.with(|vault| vault.grant_secrets(&id))?.map_err(fault)?;
        let message = Message::half(&secrets.half, &accepted, &id, &ledger.id, &mut BrowserRandom);
        let call = Call::send("POST", format!("/v1/drop/{id}"), cbor::encode(&message));
        ledger.signed(call, &secrets.grant).await?;
        let answer = Answer { grant: id, person: chain, agreed: true };
        self.append(engine, vec![Body::GrantAnswered(answer)], Vec::new()).await?;
        tell(&Event::Changed(Topic::Shares));
        Ok(())
    }
}

/// The person at the desk, as the core checks it.
fn identity(
    ledger: &Ledger,
    id: &GrantId,
    secrets: &GrantSecrets,
    (accepted, role): (&Accepted, Role),
    boxed: &[u8],
) -> Option<Chain> {
    let root = Certificate::from_der(&ledger.genesis.root.0).ok()?;
    let asking = Asking { ledger: &ledger.id, root: &root, grant: id, role, accepted };
    DeskIdentity::open(boxed, &secrets.reply, &asking).ok().map(|identity| identity.chain)
}

fn receipt(
    ledger: &Ledger,
    id: &GrantId,
    secrets: &GrantSecrets,
    accepted: &Accepted,
    boxed: &[u8],
) -> Option<(u32, Vec<u8>)> {
    let opened = Receipt::open(boxed, &secrets.reply, &accepted.grantee, id, &ledger.id);
    opened.ok().map(|(receipt, signed)| (receipt.number, signed.to_bytes()))
}
