//! Sharing: the grant is made, everything that must survive a crash is stored, then it goes out (PROTOCOL §6).

use super::claim::{CLAIM_TERM, slot_of};
use super::{Session, fault, records};
use crate::engine::Engine;
use crate::gates;
use crate::http::Call;
use crate::ledger::{Ledger, NEXT_CHECKPOINT, Proven};
use crate::platform::{BrowserRandom, sleep};
use crate::store::{Change, Store, Table};
use crate::worker::tell;
use suishen_bridge::{
    Action, ClaimChoice, Event, Fault, Purpose, Share, ShareChoice, ShareSentence, ShareState, Step, Topic,
};
use suishen_core::cbor;
use suishen_core::consent::{
    Choice, Consent, Draft, DraftRecord, HolderProof, MOST_RECORDS, Message, Salt, Surroundings,
};
use suishen_core::contract::{Key, RevokeGrant, Role, SignedTransaction, Transaction};
use suishen_core::gate::Deposit;
use suishen_core::id::{Commitment, GrantId};
use suishen_core::identity::Chain;
use suishen_core::proof::log::ProvenValue;
use suishen_core::report::PartCopy;
use suishen_core::report::claim::supporting;
use suishen_core::sm::{Random as _, Signed};
use suishen_core::vault::{Answer, Body, DeviceRole, GrantIssued, GrantSecrets, Record};

/// A desk must scan within half an hour, and within five minutes where the code alone opens.
const ACCEPT: u64 = 30 * 60;
const ACCEPT_OFFLINE: u64 = 5 * 60;
/// Of 256: at how many refreshes the holder is opened, if it isn't yet. A page that is in view refreshes every half minute.
const HOLDER_CHANCE: u8 = 32;
const SHORTEST: u64 = 15 * 60;
const LONGEST: u64 = 30 * 86_400;

/// What still has to reach gates and drop box; under the device key, never in the event log.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Outgoing {
    #[n(0)]
    transaction: SignedTransaction,
    #[n(1)]
    deposits: Vec<Deposit>,
    #[cbor(n(2), with = "minicbor::bytes")]
    payload: Vec<u8>,
    /// Ciphertext that the grantee will fetch.
    #[n(3)]
    blobs: Vec<suishen_core::id::BlobAddress>,
}

fn pending_name(grant: &GrantId) -> String {
    format!("grant/{grant}")
}

/// A share's id as the page gives it.
pub fn grant_of(share: &str) -> Result<GrantId, Fault> {
    GrantId::from_hex(share).ok_or_else(|| Fault::new("request", Action::Nothing))
}

/// What is given, to whom.
pub(super) struct Giving<'a> {
    /// What the patient chose.
    pub choice: &'a ShareChoice,
    /// In a live consultation: the person whose name was shown; contents stay on this phone.
    pub person: Option<&'a Chain>,
    /// In a claim: what an insurer is shown of the one record.
    pub claim: Option<&'a ClaimChoice>,
}

impl Giving<'_> {
    /// What the grantee must act as.
    fn role(&self) -> Role {
        self.claim.map_or(Role::Physician, |claim| slot_of(claim.payer).role())
    }

    /// Within what a patient can choose.
    fn is_bounded(&self) -> bool {
        let longest = if self.claim.is_some() { CLAIM_TERM } else { LONGEST };
        (SHORTEST..=longest).contains(&self.choice.duration)
            && (1..=1000).contains(&self.choice.reads)
            && (1..=MOST_RECORDS).contains(&self.choice.records.len())
            && !self.choice.text.trim().is_empty()
    }
}

fn accept_within(choice: &ShareChoice) -> u64 {
    let most = if choice.offline { ACCEPT_OFFLINE } else { ACCEPT };
    most.min(choice.duration / 2)
}

impl Session {
    /// What a choice would mean.
    pub(super) async fn sentence(
        &self,
        engine: &Engine,
        choice: &ShareChoice,
    ) -> Result<ShareSentence, Fault> {
        let ids: Vec<Commitment> = choice.records.iter().filter_map(|id| Commitment::from_hex(id)).collect();
        let chosen: Vec<_> = self.titled(engine, &ids).await?.into_iter().flatten().collect();
        let sensitive = chosen.iter().filter(|(_, s)| *s == suishen_bridge::Sensitivity::Sensitive).count();
        Ok(ShareSentence {
            titles: chosen.into_iter().map(|(title, _)| title).collect(),
            reads: choice.reads,
            duration: choice.duration,
            accept_within: accept_within(choice),
            sensitive: u32::try_from(sensitive).unwrap_or(u32::MAX),
        })
    }

    /// Makes the grant and its code.
    pub(super) async fn share(
        &self,
        engine: &Engine,
        task: u32,
        choice: ShareChoice,
    ) -> Result<Share, Fault> {
        let giving = Giving { choice: &choice, person: None, claim: None };
        let grant = self.give(engine, task, &giving).await?;
        self.one_share(engine, &grant).await
    }

    /// Makes a grant. In a live consultation the patient has said yes to the person's name.
    pub(super) async fn give(
        &self,
        engine: &Engine,
        task: u32,
        giving: &Giving<'_>,
    ) -> Result<GrantId, Fault> {
        let Giving { choice, person, .. } = *giving;
        if !self.with(|vault| vault.is_protected())? {
            return Err(Fault::new("protect", Action::Protect));
        }
        if !giving.is_bounded() {
            return Err(Fault::new("share-bounds", Action::Nothing));
        }
        let store = engine.store().await?;
        let ledger = engine.fresh_ledger().await?;
        tell(&Event::Progress { task, step: Step::Checking, done: 0, total: 0 });
        self.open_holder(ledger, store).await?;
        self.move_holder(engine, ledger).await?;
        let ids = choice.records.iter().map(|id| records::id_of(id)).collect::<Result<Vec<_>, _>>()?;
        let holder = self.holder_proof(ledger, store, &ids).await?;
        let (draft, outgoing) = self.draft(engine, ledger, giving, &ids, holder).await?;
        let grant = draft.grant;
        let fresh = draft
            .blobs
            .iter()
            .map(|(address, blob)| Change::Put(Table::Blobs, address.to_hex(), blob.clone()));
        store.write(fresh.collect()).await?;

        let name = pending_name(&grant);
        self.keep_pending(engine, &name, &outgoing).await?;
        let issued = self.issued(&draft, choice, &ids, engine)?;
        let answer =
            |person: &Chain| Body::GrantAnswered(Answer { grant, person: person.clone(), agreed: true });
        let bodies = std::iter::once(Body::GrantIssued(Box::new(issued))).chain(person.map(answer)).collect();
        self.append(engine, bodies, Vec::new()).await?;
        tell(&Event::Progress { task, step: Step::Anchoring, done: 0, total: 0 });
        self.send(engine, ledger, &grant, &outgoing).await?;
        tell(&Event::Changed(Topic::Shares));
        Ok(grant)
    }

    /// Sends what a grant needs; each piece may be sent again. Ledger first: gates take deposits for what stands.
    async fn send(
        &self,
        engine: &Engine,
        ledger: &Ledger,
        grant: &GrantId,
        outgoing: &Outgoing,
    ) -> Result<(), Fault> {
        let store = engine.store().await?;
        let secrets = self.with(|vault| vault.grant_secrets(grant))?.map_err(fault)?;
        for address in &outgoing.blobs {
            let blob = store.get(Table::Blobs, &address.to_hex()).await?;
            let blob = blob.ok_or_else(|| Fault::new("no-file", Action::Recover))?;
            ledger.put_blob(address, &blob, &secrets.grant).await?;
        }
        ledger.submit(&outgoing.transaction).await?;
        gates::deposit(ledger, &outgoing.deposits, &secrets.grant).await?;
        let message = Message::Payload(outgoing.payload.clone());
        let call = Call::send("POST", format!("/v1/drop/{grant}"), cbor::encode(&message));
        ledger.signed(call, &secrets.grant).await?;
        store.write(vec![Change::Delete(Table::Pending, pending_name(grant))]).await?;
        Ok(())
    }

    /// Sends what a crash or a lost network left behind, while it still can be accepted.
    pub(super) async fn send_pending(&self, engine: &Engine, ledger: &Ledger) -> Result<(), Fault> {
        let store = engine.store().await?;
        for (name, _) in store.all(Table::Pending).await? {
            let Some(grant) = name.strip_prefix("grant/").and_then(GrantId::from_hex) else { continue };
            let Some(outgoing) = self.pending::<Outgoing>(engine, &name).await? else { continue };
            let revoked = self.read(|index| index.grant(&grant).is_none_or(|g| g.revoked.is_some()))?;
            let sent = if revoked { Ok(()) } else { self.send(engine, ledger, &grant, &outgoing).await };
            let over = matches!(&sent, Err(fault) if fault.key.starts_with("reject-"));
            if revoked || over {
                store.write(vec![Change::Delete(Table::Pending, name)]).await?;
            }
        }
        Ok(())
    }

    /// The holder stands before the first grant.
    async fn open_holder(&self, ledger: &Ledger, store: &Store) -> Result<(), Fault> {
        if self.holder_stands.get() {
            return Ok(());
        }
        let id = self.with(|vault| vault.holder())?;
        if ledger.holder(store, id).await?.is_none() {
            let open = self.read(|index| index.holder().cloned())?;
            let open = open.ok_or_else(|| Fault::new("store-damaged", Action::Recover))?;
            ledger.submit(&open).await?;
        }
        self.holder_stands.set(true);
        Ok(())
    }

    /// The holder's keys on the ledger follow the newest epoch, so that a removed device can share nothing any more. Any
    /// device that manages sees to it.
    pub(super) async fn move_holder(&self, engine: &Engine, ledger: &Ledger) -> Result<(), Fault> {
        let epochs = self.read(|index| index.holder_moves().len())?;
        if epochs == self.holder_moves.get() || self.with(|vault| vault.role())? < DeviceRole::Manage {
            return Ok(());
        }
        let store = engine.store().await?;
        self.open_holder(ledger, store).await?;
        let id = self.with(|vault| vault.holder())?;
        let mut standing = ledger.holder(store, id).await?;
        if standing.is_none() {
            // It was opened just now: the next checkpoint has it.
            sleep(NEXT_CHECKPOINT).await;
            ledger.refresh(store).await?;
            standing = ledger.holder(store, id).await?;
        }
        let Some(standing) = standing else { return Ok(()) };
        let authority = self.with(|vault| vault.authority())?.map_err(fault)?;
        if standing.authority != authority.public() {
            let moved = self.with(|vault| vault.move_holder(&standing.manage, standing.sequence, None))?;
            ledger.submit(&moved.map_err(fault)?).await?;
        }
        self.holder_moves.set(epochs);
        Ok(())
    }

    /// Opens the holder at a moment that chance chooses, so that it follows neither the first report nor comes right
    /// before the first grant, and its entry can't be tied to theirs by time.
    pub(super) async fn open_holder_by_and_by(&self, engine: &Engine, ledger: &Ledger) -> Result<(), Fault> {
        let [chance] = BrowserRandom.bytes();
        let due = !self.holder_stands.get() && chance < HOLDER_CHANCE && self.with(|v| v.is_protected())?;
        if due { self.open_holder(ledger, engine.store().await?).await } else { Ok(()) }
    }

    /// Holder's leaf and each anchor's, under one checkpoint.
    async fn holder_proof(
        &self,
        ledger: &Ledger,
        store: &Store,
        ids: &[Commitment],
    ) -> Result<HolderProof, Fault> {
        let holder = self.with(|vault| vault.holder())?;
        let keys: Vec<Key> =
            std::iter::once(Key::Holder(holder)).chain(ids.iter().copied().map(Key::Anchor)).collect();
        let mut values = ledger.values(store, &keys).await?.into_iter();
        let first = values.next().ok_or_else(|| Fault::new("no-holder", Action::Retry))?;
        let missing = || Fault::new("no-anchor", Action::AskDesk);
        let anchors = values.map(|p| proven(p).ok_or_else(missing)).collect::<Result<_, _>>()?;
        let checkpoint = first.note.clone();
        let leaf = proven(first).ok_or_else(|| Fault::new("no-holder", Action::Retry))?;
        Ok(HolderProof { holder, checkpoint, leaf, anchors })
    }

    async fn draft(
        &self,
        engine: &Engine,
        ledger: &Ledger,
        giving: &Giving<'_>,
        ids: &[Commitment],
        holder: HolderProof,
    ) -> Result<(Draft, Outgoing), Fault> {
        let (choice, live) = (giving.choice, giving.person.is_some());
        let store = engine.store().await?;
        let auditor = ledger.auditor_key(store).await?;
        let authority = self.with(|vault| vault.authority())?.map_err(fault)?;
        let mut drafts = Vec::new();
        for id in ids {
            let record = self.read(|index| index.record(id).cloned())?;
            let record = record.ok_or_else(|| Fault::new("no-record", Action::Nothing))?;
            drafts.push(match giving.claim {
                None => draft_record(store, &record).await?,
                Some(claim) if id.to_hex() != claim.record => {
                    let openings = supporting(&self.groups(engine, &record).await?);
                    DraftRecord { openings, ..draft_of(&record, Vec::new())? }
                }
                Some(claim) => {
                    let (openings, claim_keys) = self.claim_openings(engine, &record, claim).await?;
                    DraftRecord { openings, claim_keys, ..draft_of(&record, Vec::new())? }
                }
            });
        }
        let addresses = drafts.iter().flat_map(DraftRecord::addresses).collect::<Vec<_>>();
        let consent = Consent {
            purpose: choice.purpose.code().to_owned(),
            language: engine.language(),
            text: choice.text.clone(),
        };
        let terms = Choice {
            role: giving.role(),
            duration: choice.duration,
            accept_within: accept_within(choice),
            uses: choice.reads.into(),
            live,
        };
        let around = Surroundings {
            ledger: &ledger.id,
            now: ledger.now().ok_or_else(|| Fault::new("offline", Action::Retry))?,
            gates: ledger.gates(),
            auditor: &auditor,
            authority: &authority,
        };
        let draft = Draft::new(terms, consent, drafts, holder, &around, &mut BrowserRandom)
            .map_err(|e| Fault::new("share-bounds", Action::Nothing).with_detail(e.to_string()))?;
        let outgoing = Outgoing {
            transaction: draft.transaction.clone(),
            deposits: draft.deposits.clone(),
            payload: draft.payload.clone(),
            blobs: if live {
                Vec::new()
            } else {
                addresses.into_iter().chain(draft.blobs.iter().map(|(address, _)| *address)).collect()
            },
        };
        Ok((draft, outgoing))
    }

    fn issued(
        &self,
        draft: &Draft,
        choice: &ShareChoice,
        ids: &[Commitment],
        engine: &Engine,
    ) -> Result<GrantIssued, Fault> {
        let secrets = GrantSecrets {
            grant: draft.key.clone(),
            offer: draft.offer.clone(),
            reply: draft.reply.clone(),
            half: draft.half.clone(),
        };
        let Ok(Transaction::IssueGrant(terms)) = draft.transaction.claimed() else {
            return Err(Fault::new("request", Action::Nothing));
        };
        Ok(GrantIssued {
            grant: draft.grant,
            secrets: self
                .with(|vault| vault.seal_grant(&draft.grant, &secrets, &mut BrowserRandom))?
                .map_err(fault)?,
            terms,
            records: ids.to_vec(),
            purpose: choice.purpose.code().to_owned(),
            language: engine.language(),
            text: choice.text.clone(),
            offline: choice.offline,
        })
    }

    /// The same share anew; the old one is taken back.
    pub(super) async fn extend(&self, engine: &Engine, task: u32, share: &str) -> Result<Share, Fault> {
        let old = self.one_share(engine, &grant_of(share)?).await?;
        if old.choice.purpose == Purpose::Payment {
            // What an insurer is shown is chosen anew.
            return Err(Fault::new("request", Action::Nothing));
        }
        let new = self.share(engine, task, old.choice).await?;
        self.revoke(engine, share).await?;
        Ok(new)
    }

    /// Takes a share back: at the gates at once, on the ledger, and on this phone first of all.
    pub(super) async fn revoke(&self, engine: &Engine, share: &str) -> Result<(), Fault> {
        let grant = grant_of(share)?;
        if self.read(|index| index.grant(&grant).is_some_and(|g| g.revoked.is_none()))? {
            self.append(engine, vec![Body::GrantRevoked(grant)], Vec::new()).await?;
        }
        tell(&Event::Changed(Topic::Shares));
        self.push_revocation(engine, &grant).await
    }

    /// The same, where the patient is told that nobody can open it any more: gates or ledger have to prove it.
    pub(super) async fn revoke_proven(&self, engine: &Engine, share: &str) -> Result<(), Fault> {
        self.revoke(engine, share).await?;
        match self.one_share(engine, &grant_of(share)?).await?.state {
            ShareState::NotYetRevoked => Err(Fault::new("revoke-underway", Action::Retry)),
            _ => Ok(()),
        }
    }

    /// Sends a revocation to every gate and to the ledger; what fails is tried again at the next refresh.
    pub(super) async fn push_revocation(&self, engine: &Engine, grant: &GrantId) -> Result<(), Fault> {
        let ledger = engine.ledger().await?;
        let secrets = self.with(|vault| vault.grant_secrets(grant))?.map_err(fault)?;
        let body = Transaction::RevokeGrant(RevokeGrant { grant: *grant });
        let signed = SignedTransaction::new(&body, &secrets.grant, &ledger.id);
        let torn = gates::revoke(ledger, secrets.grant.public(), &signed).await.unwrap_or(false);
        self.seen.borrow_mut().entry(*grant).or_default().torn |= torn;
        tell(&Event::Changed(Topic::Shares));
        match ledger.submit(&signed).await {
            Ok(_) => {
                self.follow_one(engine, grant).await?;
                Ok(())
            }
            // Where the gates have destroyed, the ledger may follow later: nobody can open it any more.
            Err(_) if torn => Ok(()),
            Err(error) => {
                let fault: Fault = error.into();
                // Ended or never issued: there is nothing left to take back.
                if fault.key.starts_with("reject-") { Ok(()) } else { Err(fault) }
            }
        }
    }
}

fn proven(proven: Proven) -> Option<ProvenValue> {
    Some(ProvenValue { value: proven.value?, proof: proven.proof })
}

/// A record as it goes into a grant, every part whole.
async fn draft_record(store: &Store, record: &Record) -> Result<DraftRecord, Fault> {
    let mut parts: Vec<(PartCopy, u64)> = Vec::new();
    for copy in &record.added.parts {
        let blob = store.get(Table::Blobs, &copy.address.to_hex()).await?;
        let blob = blob.ok_or_else(|| Fault::new("no-file", Action::Recover))?;
        parts.push((copy.clone(), blob.len() as u64));
    }
    draft_of(record, parts)
}

fn draft_of(record: &Record, parts: Vec<(PartCopy, u64)>) -> Result<DraftRecord, Fault> {
    let damaged = |_| Fault::new("store-damaged", Action::Recover);
    Ok(DraftRecord {
        manifest: Signed::from_bytes(&record.added.manifest).map_err(damaged)?,
        salt: Salt(record.added.salt),
        holder_salts: record.added.holder_salts.iter().map(|s| Salt(*s.as_bytes())).collect(),
        parts,
        openings: Vec::new(),
        claim_keys: Vec::new(),
        chain: record.added.chain.clone(),
    })
}
