//! Keeping a report: from a ticket, or from the inbox of an identity code (PROTOCOL §4).
//!
//! **The keys of a binding are stored before it is sent**: a phone that dies in between goes on where it was, and the
//! ticket is not lost to it.

use super::{Session, fault};
use crate::desk::open_delivery;
use crate::engine::Engine;
use crate::gates;
use crate::http::{Call, CallError};
use crate::ledger::{Ledger, LedgerError};
use crate::links::{Page, origin_of};
use crate::platform::{BrowserRandom, breathe};
use crate::store::{Change, Table};
use crate::worker::tell;
use suishen_bridge::{Action, Event, Fault, Step, TicketNotice};
use suishen_core::cbor;
use suishen_core::contract::{Anchor, BindTicket, Destination, Rejection, SignedTransaction, Transaction};
use suishen_core::id::{Commitment, HolderCommitment, InboxId};
use suishen_core::identity::{Certificate, Chain};
use suishen_core::qr::{IdentityOffer, QrError, Scanned, identity_url, scan};
use suishen_core::report::{Manifest, PartCopy, Ticket, TicketContents, open_part, seal_part};
use suishen_core::sm::{Key32, SecretKey};
use suishen_core::vault::{Body, DeviceRole, GroupsCopy, IdentityShown, RecordAdded, Source};

/// A binding under way.
#[derive(minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Binding {
    /// In the holder commitment.
    #[n(0)]
    salt: Key32,
    /// The gates seal the half to it.
    #[n(1)]
    seal: SecretKey,
    /// Signs requests for the blobs, and "kept".
    #[n(2)]
    request: SecretKey,
}

/// What a text is, and for a ticket whether it can still be kept. Binds nothing.
pub async fn notice(engine: &Engine, text: &str) -> Result<TicketNotice, Fault> {
    if text.trim().starts_with(suishen_core::identity::CODE_PREFIX) {
        return Ok(TicketNotice::Recovery);
    }
    match scan(text).map_err(|e| Fault::new(e.sentence(), Action::ScanAgain))? {
        Scanned::Ticket { ticket, .. } => ticket_notice(engine, &ticket).await,
        Scanned::Consent { .. } | Scanned::Live { .. } => Ok(TicketNotice::ConsentOffer),
        Scanned::Identity { .. } => Ok(TicketNotice::Identity),
        Scanned::Pairing { .. } => Ok(TicketNotice::Pairing),
        Scanned::NewDevice { .. } => Ok(TicketNotice::NewDevice),
        Scanned::Foreign(_) if is_torn_link(engine, text) => {
            Err(Fault::new(QrError::Damaged.sentence(), Action::ScanAgain))
        }
        Scanned::Foreign(foreign) => Ok(TicketNotice::Foreign { name: foreign.sentence().to_owned() }),
    }
}

/// Whether this is the beginning of a link of ours, whose end was lost on the way.
fn is_torn_link(engine: &Engine, text: &str) -> bool {
    let own = format!("{}/", origin_of(&engine.origin(), Page::Wallet));
    let path = text.trim().strip_prefix(&own).and_then(|rest| rest.split(['#', '?']).next());
    path.is_some_and(|path| matches!(path, "t" | "c" | "i" | "p"))
}

async fn ticket_notice(engine: &Engine, ticket: &Ticket) -> Result<TicketNotice, Fault> {
    let store = engine.store().await?;
    let ledger = engine.fresh_ledger().await?;
    let Some(anchor) = ledger.anchor(store, ticket.commitment()).await? else {
        let refused = Some(rejected(&Rejection::UnknownAnchor));
        return Ok(TicketNotice::Ticket { refused, issuer: None, until: None });
    };
    let party = ledger.party(store, anchor.party.clone()).await?;
    let certificate = party.and_then(|party| Certificate::from_der(&party.certificate.0).ok());
    let issuer = certificate.map(|c| c.subject().organisation.clone());
    let mine =
        engine.patient.pending::<Binding>(engine, &pending_name(&ticket.commitment())).await.ok().flatten();
    let refused = match &anchor.destination {
        Destination::Ticket(_, until, _) => {
            let now = ledger.now().unwrap_or_default();
            let bound = anchor.binding.as_ref();
            let by_other = bound.is_some_and(|b| mine.is_none_or(|m| m.request.public() != b.request));
            if anchor.cancellation.is_some() {
                Some(rejected(&Rejection::TicketCancelled))
            } else if by_other {
                Some(rejected(&Rejection::TicketUsed))
            } else if bound.is_none() && now >= *until {
                Some(rejected(&Rejection::TicketExpired))
            } else {
                None
            }
        }
        Destination::Holder(_) => Some(rejected(&Rejection::NotATicket)),
    };
    let until = match anchor.destination {
        Destination::Ticket(_, until, _) => Some(until),
        Destination::Holder(_) => None,
    };
    Ok(TicketNotice::Ticket { refused, issuer, until })
}

/// The contract's sentence for a refusal that this phone foresees.
fn rejected(rejection: &Rejection) -> Fault {
    let code = rejection.number().to_string();
    Fault { key: format!("reject-{code}"), code, detail: None, action: Action::AskDesk }
}

fn pending_name(commitment: &Commitment) -> String {
    format!("ticket/{commitment}")
}

/// A report that has arrived, verified.
struct Arrived {
    contents: TicketContents,
    manifest: Manifest,
    chain: Chain,
    anchor: Anchor,
}

impl Session {
    /// Binds the ticket, fetches, verifies, seals anew, stores.
    pub(super) async fn keep(&self, engine: &Engine, task: u32, text: &str) -> Result<String, Fault> {
        let Ok(Scanned::Ticket { ticket, .. }) = scan(text) else {
            return Err(Fault::new("scan-damaged", Action::ScanAgain));
        };
        self.provide(engine).await?;
        // Before the ticket is bound: a device that may only look could not keep what it was given for it.
        if self.with(|vault| vault.role())? < DeviceRole::Share {
            return Err(Fault::new("role", Action::Nothing));
        }
        let commitment = ticket.commitment();
        if self.read(|index| index.record(&commitment).is_some())? {
            return Ok(commitment.to_hex());
        }
        let ledger = engine.fresh_ledger().await?;
        let binding = self.bind(engine, ledger, &ticket).await?;
        let arrived = fetch(engine, ledger, task, &ticket, &binding).await?;
        let salts = vec![binding.salt.clone()];
        let request = binding.request.clone();
        self.take_in(engine, ledger, task, arrived, salts, &request, Source::Ticket).await?;
        gates::kept(ledger, commitment, &binding.request).await;
        Ok(commitment.to_hex())
    }

    async fn bind(&self, engine: &Engine, ledger: &Ledger, ticket: &Ticket) -> Result<Binding, Fault> {
        let name = pending_name(&ticket.commitment());
        let binding = if let Some(binding) = self.pending::<Binding>(engine, &name).await? {
            binding
        } else {
            let binding = Binding {
                salt: Key32::generate(&mut BrowserRandom),
                seal: SecretKey::generate(&mut BrowserRandom),
                request: SecretKey::generate(&mut BrowserRandom),
            };
            self.keep_pending(engine, &name, &binding).await?;
            binding
        };
        let holder = self.with(|vault| vault.holder())?;
        let body = BindTicket {
            commitment: ticket.commitment(),
            holder: HolderCommitment::of(binding.salt.as_bytes(), &holder),
            seal: binding.seal.public(),
            request: binding.request.public(),
        };
        let signed = SignedTransaction::new(&Transaction::BindTicket(body), ticket.key(), &ledger.id);
        match ledger.submit(&signed).await {
            Ok(_) => Ok(binding),
            Err(LedgerError::Call(error @ CallError::Refused { .. })) => {
                // Refused for good: these keys will never open anything.
                engine.store().await?.write(vec![Change::Delete(Table::Pending, name)]).await?;
                Err(Fault { action: Action::AskDesk, ..Fault::from(error) })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Opens every part, seals it under the vault's own keys, and adds the record.
    #[expect(
        clippy::too_many_arguments,
        reason = "one step of a protocol: what came, from where, with which keys"
    )]
    async fn take_in(
        &self,
        engine: &Engine,
        ledger: &Ledger,
        task: u32,
        arrived: Arrived,
        holder_salts: Vec<Key32>,
        request: &SecretKey,
        source: Source,
    ) -> Result<(), Fault> {
        let commitment = arrived.contents.commitment();
        let total = arrived.manifest.parts.iter().map(|part| part.size).sum();
        let mut done = 0;
        let mut parts: Vec<PartCopy> = Vec::new();
        let mut changes = vec![Change::Delete(Table::Pending, pending_name(&commitment))];
        for copy in &arrived.contents.parts {
            tell(&Event::Progress { task, step: Step::Fetching, done, total });
            let blob = ledger.get_blob(&copy.address, request).await.map_err(other_bytes)?;
            let plain = open_part(&arrived.manifest, copy, &blob)
                .map_err(|e| not_kept().with_detail(e.to_string()))?;
            let (own, blob) = seal_part(copy.part, copy.salt, &plain, &mut BrowserRandom);
            changes.push(Change::Put(Table::Blobs, own.address.to_hex(), blob));
            parts.push(own);
            done += plain.len() as u64;
            breathe().await;
        }
        let openings = arrived.contents.openings;
        let groups = (!openings.is_empty()).then(|| {
            let (own, blob) = GroupsCopy::seal(&openings, &mut BrowserRandom);
            changes.push(Change::Put(Table::Blobs, own.address.to_hex(), blob));
            own
        });
        let claim_keys = &arrived.contents.claim_keys;
        let claim_keys = self
            .with(|vault| vault.seal_claim_keys(&commitment, claim_keys, &mut BrowserRandom))?
            .map_err(fault)?;
        let added = RecordAdded {
            record: commitment,
            manifest: arrived.contents.manifest,
            salt: arrived.contents.salt,
            holder_salts,
            parts,
            tags: openings.into_iter().filter(|group| group.slot().is_some()).collect(),
            groups,
            chain: arrived.chain,
            source,
            claim_keys,
        };
        tell(&Event::Progress { task, step: Step::Sealing, done: total, total });
        debug_assert!(arrived.anchor.cancellation.is_none(), "checked when it arrived");
        self.append(engine, vec![Body::RecordAdded(Box::new(added))], changes).await
    }

    /// A fresh identity code: whoever scans it can deliver to this wallet.
    pub(super) async fn identity(&self, engine: &Engine) -> Result<String, Fault> {
        self.with(|vault| vault.is_protected())?
            .then_some(())
            .ok_or_else(|| Fault::new("protect", Action::Protect))?;
        let shown = IdentityShown {
            salt: Key32::generate(&mut BrowserRandom),
            seal: SecretKey::generate(&mut BrowserRandom),
            inbox: SecretKey::generate(&mut BrowserRandom),
        };
        let holder = self.with(|vault| vault.holder())?;
        let offer = IdentityOffer {
            holder: HolderCommitment::of(shown.salt.as_bytes(), &holder),
            encryption_key: shown.seal.public(),
            inbox: InboxId::of(&shown.inbox.public()),
            relays: None,
        };
        self.append(engine, vec![Body::IdentityShown(shown)], Vec::new()).await?;
        let origin = origin_of(&engine.origin(), Page::Wallet);
        let link = identity_url(&origin, &offer).map_err(|e| Fault::new(e.sentence(), Action::Nothing))?;
        Ok(link.to_string())
    }

    /// Brings in what was delivered to any identity code that was shown.
    pub(super) async fn check_inboxes(&self, engine: &Engine, task: u32) -> Result<(), Fault> {
        let ledger = engine.fresh_ledger().await?;
        for shown in self.read(|index| index.identities().to_vec())? {
            let inbox = InboxId::of(&shown.inbox.public());
            let answer = ledger.signed(Call::get(format!("/v1/inbox/{inbox}")), &shown.inbox).await?;
            let waiting: Vec<(u64, minicbor::bytes::ByteVec)> =
                cbor::decode(&answer).map_err(|_| Fault::new("delivery", Action::AskDesk))?;
            for (index, sealed) in waiting {
                let contents = open_delivery(&sealed, &shown.seal, &inbox, ledger)?;
                self.receive(engine, ledger, task, contents, &shown).await?;
                let mut call = Call::get(format!("/v1/inbox/{inbox}/{index}"));
                call.method = "DELETE";
                ledger.signed(call, &shown.inbox).await?;
            }
        }
        Ok(())
    }

    async fn receive(
        &self,
        engine: &Engine,
        ledger: &Ledger,
        task: u32,
        contents: TicketContents,
        shown: &IdentityShown,
    ) -> Result<(), Fault> {
        let commitment = contents.commitment();
        if self.read(|index| index.record(&commitment).is_some())? {
            return Ok(());
        }
        let bad = || Fault::new("delivery", Action::AskDesk);
        let store = engine.store().await?;
        let anchor = ledger.anchor(store, commitment).await?.ok_or_else(bad)?;
        let holder = self.with(|vault| vault.holder())?;
        let outer = contents.holder_salt.ok_or_else(bad)?;
        let expected = HolderCommitment::of(shown.salt.as_bytes(), &holder).again(&outer);
        if anchor.holder() != Some(&expected) {
            return Err(bad());
        }
        let (contents, manifest) =
            contents.verified(&commitment, &anchor.issuer, &ledger.id).map_err(|_| bad())?;
        let chain = issuer_chain(ledger, &contents, &manifest, &anchor)?;
        let arrived = Arrived { contents, manifest, chain, anchor };
        let salts = vec![Key32::from_bytes(outer), shown.salt.clone()];
        self.take_in(engine, ledger, task, arrived, salts, &shown.inbox, Source::Inbox).await
    }
}

/// What came is not what the hospital signed. The ticket stays this wallet's.
fn not_kept() -> Fault {
    Fault::new("not-kept", Action::AskDesk)
}

fn other_bytes(error: LedgerError) -> Fault {
    match error {
        LedgerError::Unsound(_) => not_kept(),
        other => other.into(),
    }
}

/// Collects the gates' half and opens what the ticket leads to.
async fn fetch(
    engine: &Engine,
    ledger: &Ledger,
    task: u32,
    ticket: &Ticket,
    binding: &Binding,
) -> Result<Arrived, Fault> {
    let store = engine.store().await?;
    let bad = not_kept;
    let commitment = ticket.commitment();
    let anchor = ledger.anchor(store, commitment).await?.ok_or_else(bad)?;
    let Destination::Ticket(_, _, shares) = &anchor.destination else { return Err(bad()) };
    let gathered =
        gates::release(ledger, commitment.digest(), 0, &binding.request, &binding.seal, *shares).await?;
    let half = gathered.halves.half(0).map_err(|_| bad())?;
    let address = gathered.blobs.first().ok_or_else(bad)?;
    let blob = ledger.get_blob(address, &binding.request).await.map_err(other_bytes)?;
    tell(&Event::Progress { task, step: Step::Checking, done: 0, total: 0 });
    let (contents, manifest) =
        TicketContents::open(&blob, &ticket.content_key(&half), &commitment, &anchor.issuer, &ledger.id)
            .map_err(|_| bad())?;
    let chain = issuer_chain(ledger, &contents, &manifest, &anchor)?;
    Ok(Arrived { contents, manifest, chain, anchor })
}

/// The issuer's certificates hold at the time of anchoring, and are of the organisation that anchored.
fn issuer_chain(
    ledger: &Ledger,
    contents: &TicketContents,
    manifest: &Manifest,
    anchor: &Anchor,
) -> Result<Chain, Fault> {
    let bad = || Fault::new("issuer", Action::AskDesk);
    let certificates = contents.chain.iter().map(|der| Certificate::from_der(der));
    let chain = Chain::new(certificates.collect::<Result<_, _>>().map_err(|_| bad())?).map_err(|_| bad())?;
    let root = Certificate::from_der(&ledger.genesis.root.0).map_err(|_| bad())?;
    let leaf = chain.verify(&root, anchor.at).map_err(|_| bad())?;
    let same_party = leaf.subject().party == anchor.party && manifest.issuer == anchor.party;
    if !same_party || manifest.replaces != anchor.replaces {
        return Err(bad());
    }
    Ok(chain)
}
