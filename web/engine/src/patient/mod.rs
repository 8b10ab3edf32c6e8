//! The patient's part of the engine: the open vault, and what its pages ask.

mod card;
mod cards;
mod care;
mod claim;
mod claim_state;
mod consultation;
mod devices;
mod home;
mod keep;
mod log;
mod protect;
mod records;
mod share;
mod shares;
mod watch;

pub use claim::payer_of;
pub use claim_state::decided;
pub use share::grant_of;

pub use care::{Care, database};

use crate::engine::Engine;
use crate::platform::BrowserRandom;
use crate::store::{Change, Table};
use crate::worker::tell;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use suishen_bridge::{self as bridge, Action, Event, Fault, PatientRequest, PatientResponse, Topic};
use suishen_core::cbor;
use suishen_core::contract::{Claim, Slot};
use suishen_core::id::{Commitment, GrantId};
use suishen_core::vault::{Body, RecordIndex, Vault, VaultError};

/// What this worker holds for the patient while it runs.
#[derive(Debug, Default)]
pub struct Session {
    vault: RefCell<Option<Vault>>,
    /// Contents that were looked at, opened once: they are read often.
    opened: RefCell<BTreeMap<String, suishen_core::fhir::ReportView>>,
    /// What the list shows of each record.
    cards: cards::Cards,
    /// What the ledger and the drop boxes last said of each grant.
    seen: RefCell<BTreeMap<GrantId, watch::Seen>>,
    /// Ledger time as of which all logs are proven complete.
    complete: Cell<Option<u64>>,
    /// The salt that the passkey being made is asked with.
    passkey_salt: Cell<Option<[u8; 32]>>,
    /// What the ledger said of a record's anchor when it was opened, for the list.
    anchored: RefCell<BTreeMap<Commitment, Vec<bridge::RecordTag>>>,
    /// The holder stands on the ledger.
    holder_stands: Cell<bool>,
    /// Moves of the holder that the ledger follows.
    holder_moves: Cell<usize>,
    /// A grant's log failed its proof.
    broken: RefCell<Option<String>>,
    /// How payer slots stand, as the ledger showed them since this wallet was opened.
    slots: RefCell<BTreeMap<(Commitment, Slot), Claim>>,
    /// Invoices whose claims were shown since this wallet was opened.
    looked_at: RefCell<BTreeSet<Commitment>>,
    /// Other copies of the wallet.
    devices: devices::Devices,
    /// Another wallet is open instead: nothing is asked for this one, and nothing follows its copies.
    resting: Cell<bool>,
    /// The access log was asked for since this wallet was opened.
    listed: Cell<bool>,
    /// Doctors in the same room.
    consultations: consultation::Consultations,
}

type Answered = Result<(PatientResponse, Option<Vec<u8>>), Fault>;

impl Session {
    /// Answers one request.
    pub async fn answer(
        &self,
        engine: &Rc<Engine>,
        task: u32,
        request: PatientRequest,
        bytes: Option<Vec<u8>>,
    ) -> Answered {
        use PatientRequest as R;
        use PatientResponse as A;
        if engine.is_beside() && is_for_owner(&request) {
            return Err(Fault::new("role", Action::Nothing));
        }
        let response = match request {
            R::Wallet => A::Wallet(self.wallet(engine).await?),
            R::Scan { text } => A::Scanned(keep::notice(engine, &text).await?),
            R::Keep { text } => A::Kept { record: self.keep(engine, task, &text).await? },
            R::Records(filter) => A::Records(self.records(engine, &filter).await?),
            R::Record { record } => A::Record(Box::new(self.record(engine, &record).await?)),
            R::File { record, part } => return self.file(engine, &record, part).await,
            R::Tag { record, tag, on } => {
                self.tag(engine, &record, tag, on).await?;
                A::Done
            }
            R::Hide { record, hidden } => {
                self.hide(engine, &record, hidden).await?;
                A::Done
            }
            R::NewPasskey => protect::new_passkey(self),
            R::AddPasskey { credential, prf } => self.add_passkey(engine, credential, &prf).await?,
            R::Measure { passphrase } => protect::measure(&passphrase),
            R::Suggest => protect::suggestion(&engine.language()),
            R::AddPassphrase { passphrase } => self.add_passphrase(engine, task, &passphrase).await?,
            R::UnlockPasskey { credential, prf } => {
                self.unlock_passkey(engine, &credential, &prf).await?;
                self.follow_mailboxes(engine);
                A::Done
            }
            R::UnlockPassphrase { passphrase } => {
                self.unlock_passphrase(engine, task, &passphrase).await?;
                self.follow_mailboxes(engine);
                A::Done
            }
            R::Lock => {
                engine.lock();
                tell(&Event::Changed(Topic::Wallet));
                A::Done
            }
            R::Phrase { chinese } => self.phrase(chinese)?,
            R::CheckPhrase { words } => self.check_phrase(engine, words).await?,
            R::Restore { phrase } => self.restore(engine, task, &phrase, bytes).await?,
            R::Backup => return self.backup(engine, task).await,
            R::Identity => A::Link(self.identity(engine).await?),
            R::CheckInbox => {
                self.check_inboxes(engine, task).await?;
                A::Done
            }
            request @ (R::Preview(_)
            | R::Claim(_)
            | R::Share(_)
            | R::AwaitDoctor
            | R::AnswerDoctor { .. }
            | R::StopAwaiting
            | R::Shares
            | R::Consent { .. }
            | R::Revoke { .. }
            | R::Extend { .. }
            | R::Log
            | R::Looked) => self.answer_of_shares(engine, task, request).await?,
            R::Bundle { share, read } => return self.bundle(engine, &share, read).await,
            request @ (R::Sync
            | R::SyncNow
            | R::Devices
            | R::InviteDevice { .. }
            | R::AnswerDevice { .. }
            | R::StopInviting
            | R::AdmitDevice { .. }
            | R::AnswerOwner { .. }
            | R::StopJoining
            | R::RemoveDevice { .. }) => self.answer_of_devices(engine, request).await?,
            request @ (R::Join { .. } | R::Switch { .. } | R::PutAway { .. } | R::Delete) => {
                care::answer(engine, task, request).await?;
                A::Done
            }
        };
        Ok((response, None))
    }

    /// Follows the ledger and the drop boxes; a locked wallet has nothing to follow.
    pub async fn refresh(&self, engine: &Rc<Engine>) -> Result<(), Fault> {
        if self.is_at_work() {
            self.devices.wake();
            self.follow(engine).await?;
        }
        Ok(())
    }

    /// Forgets all secrets and all that was read.
    pub fn lock(&self) {
        drop(self.vault.take());
        self.devices.leave();
        self.consultations.leave();
        self.opened.take();
        self.cards.forget();
        self.seen.take();
        self.slots.take();
        self.anchored.take();
        self.holder_stands.set(false);
        self.holder_moves.set(0);
        self.resting.set(false);
        self.listed.set(false);
    }

    /// Another wallet is opened instead: this one stays as it is, and its links end.
    fn rest(&self) {
        self.resting.set(true);
        self.listed.set(false);
        self.devices.leave();
        self.consultations.leave();
    }

    /// Whether this wallet is open, and no other instead.
    fn is_at_work(&self) -> bool {
        self.vault.borrow().is_some() && !self.resting.get()
    }

    /// Reads from the open vault.
    fn read<T>(&self, read: impl FnOnce(&RecordIndex) -> T) -> Result<T, Fault> {
        self.with(|vault| read(vault.index()))
    }

    /// Works with the open vault. Never across an await.
    fn with<T>(&self, work: impl FnOnce(&mut Vault) -> T) -> Result<T, Fault> {
        let mut vault = self.vault.borrow_mut();
        vault.as_mut().map(work).ok_or_else(|| Fault::new("locked", Action::Unlock))
    }

    /// Adds events and stores them, with other changes, in one transaction.
    async fn append(
        &self,
        engine: &Engine,
        bodies: Vec<Body>,
        mut changes: Vec<Change>,
    ) -> Result<(), Fault> {
        let now = engine.ledger().await.ok().and_then(crate::ledger::Ledger::now).unwrap_or_default();
        let mut news = Vec::new();
        for body in bodies {
            let stored = self.with(|vault| vault.append(body, now, &mut BrowserRandom))?.map_err(fault)?;
            changes.push(Change::Put(Table::Events, stored.address.to_hex(), stored.bytes.clone()));
            news.push(stored);
        }
        engine.store().await?.write(changes).await?;
        self.devices.news(&news);
        tell(&Event::Changed(Topic::Records));
        Ok(())
    }

    /// Keeps work in progress under the device key.
    async fn keep_pending<T: minicbor::Encode<()>>(
        &self,
        engine: &Engine,
        name: &str,
        value: &T,
    ) -> Result<(), Fault> {
        let text = zeroize::Zeroizing::new(cbor::encode(value));
        let sealed = self.with(|vault| vault.seal_local(name, &text, &mut BrowserRandom))?;
        Ok(engine.store().await?.put(Table::Pending, name, sealed).await?)
    }

    /// Reads work in progress back.
    async fn pending<T>(&self, engine: &Engine, name: &str) -> Result<Option<T>, Fault>
    where
        T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
    {
        let Some(sealed) = engine.store().await?.get(Table::Pending, name).await? else { return Ok(None) };
        let text = self.with(|vault| vault.open_local(name, &sealed))?;
        Ok(text.ok().and_then(|text| cbor::decode(&text).ok()))
    }
}

/// What concerns the owner's own lock, words and backup: in another person's wallet there is none of it.
const fn is_for_owner(request: &PatientRequest) -> bool {
    use PatientRequest as R;
    matches!(
        request,
        R::AddPasskey { .. }
            | R::AddPassphrase { .. }
            | R::Phrase { .. }
            | R::CheckPhrase { .. }
            | R::Restore { .. }
            | R::Backup
    )
}

/// A vault's refusal as the person meets it.
#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn fault(error: VaultError) -> Fault {
    let (name, action) = match &error {
        VaultError::WrongSecret => ("passphrase", Action::Retry),
        VaultError::Damaged => ("store-damaged", Action::Recover),
        VaultError::Newer => ("store-newer", Action::Nothing),
        VaultError::SlotParameters => ("slot-tampered", Action::Recover),
        VaultError::NoSlot => ("no-slot", Action::Retry),
        VaultError::Protected => ("protected", Action::Nothing),
        VaultError::Weak { .. } => ("weak", Action::Retry),
        VaultError::NotProtected => ("protect", Action::Protect),
        VaultError::Role => ("role", Action::Nothing),
        VaultError::PhraseGone => ("phrase-gone", Action::Nothing),
        VaultError::Words => ("phrase-words", Action::Retry),
        VaultError::OtherWallet => ("other-wallet", Action::Recover),
        VaultError::Incomplete => ("locked", Action::Unlock),
        VaultError::NoGrant => ("no-grant", Action::Nothing),
        VaultError::Removed => ("removed", Action::Recover),
        VaultError::NoDevice => ("no-device", Action::Nothing),
        VaultError::KnownDevice => ("known-device", Action::Nothing),
        VaultError::TooManyDevices => ("too-many-devices", Action::Nothing),
        VaultError::OtherDevice | VaultError::Admission(_) => ("admission", Action::Retry),
    };
    Fault::new(name, action)
}

/// Where a slot leads, for the unlock page.
fn slot_of(slot: &suishen_core::vault::Slot) -> bridge::Slot {
    match slot {
        suishen_core::vault::Slot::Passkey { credential, salt, .. } => {
            bridge::Slot::Passkey { credential: credential.clone(), salt: salt.to_vec() }
        }
        suishen_core::vault::Slot::Passphrase { .. } => bridge::Slot::Passphrase,
    }
}
