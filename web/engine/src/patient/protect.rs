//! Protection: passkey, passphrase, recovery phrase, backup file, restore (PROTOCOL §3).

use super::{Session, fault};
use crate::engine::Engine;
use crate::platform::{BrowserRandom, breathe, device_name};
use crate::store::{Change, Table};
use crate::worker::tell;
use std::collections::BTreeMap;
use std::rc::Rc;
use suishen_bridge::{Action, Event, Fault, PatientResponse, Step};
use suishen_core::id::BlobAddress;
use suishen_core::identity::{Entropy, Language};
use suishen_core::sm::{Random as _, Signed};
use suishen_core::vault::{
    BackupReader, Body, ENOUGH_BITS, Epoch, Item, Origin, StoredEvent, Vault, new_prf_salt, strength, suggest,
};

/// Events of a backup file that are checked between two words on the screen.
const CHECKED_AT_ONCE: usize = 256;

/// What a new passkey is asked with. The salt is remembered with the passkey.
pub fn new_passkey(session: &Session) -> PatientResponse {
    let user: [u8; 16] = BrowserRandom.bytes();
    let salt = new_prf_salt(&mut BrowserRandom);
    session.passkey_salt.set(Some(salt));
    PatientResponse::Passkey { user: user.to_vec(), salt: salt.to_vec() }
}

/// How hard a passphrase is to guess offline.
pub fn measure(passphrase: &str) -> PatientResponse {
    let bits = strength(passphrase);
    PatientResponse::Strength { bits, enough: bits >= ENOUGH_BITS }
}

/// A generated passphrase in the page's language.
pub fn suggestion(language: &str) -> PatientResponse {
    PatientResponse::Suggestion(suggest(language_of(language), &mut BrowserRandom).to_string())
}

fn language_of(tag: &str) -> Language {
    if tag.starts_with("zh") { Language::Chinese } else { Language::English }
}

impl Session {
    /// Stores a passkey slot.
    pub(super) async fn add_passkey(
        &self,
        engine: &Rc<Engine>,
        credential: Vec<u8>,
        prf: &[u8],
    ) -> Result<PatientResponse, Fault> {
        let bad = || Fault::new("passkey", Action::Retry);
        let prf: [u8; 32] = prf.try_into().map_err(|_| bad())?;
        let salt = self.passkey_salt.take().ok_or_else(bad)?;
        self.with(|vault| vault.add_passkey(credential, salt, &prf, &mut BrowserRandom))?;
        self.save_vault(engine, Vec::new()).await?;
        self.follow_mailboxes(engine);
        Ok(PatientResponse::Done)
    }

    /// Stores a passphrase slot.
    pub(super) async fn add_passphrase(
        &self,
        engine: &Rc<Engine>,
        task: u32,
        passphrase: &str,
    ) -> Result<PatientResponse, Fault> {
        tell(&Event::Progress { task, step: Step::Unlocking, done: 0, total: 0 });
        self.with(|vault| vault.add_passphrase(passphrase, &mut BrowserRandom))?.map_err(fault)?;
        self.save_vault(engine, Vec::new()).await?;
        self.follow_mailboxes(engine);
        Ok(PatientResponse::Done)
    }

    /// The phrase, while it is still here.
    pub(super) fn phrase(&self, chinese: bool) -> Result<PatientResponse, Fault> {
        let entropy = self.with(|vault| vault.entropy())?;
        let entropy = entropy.ok_or_else(|| Fault::new("phrase-gone", Action::Nothing))?;
        let language = if chinese { Language::Chinese } else { Language::English };
        let words = entropy.words(language).into_iter().map(str::to_owned).collect();
        Ok(PatientResponse::Phrase { words, code: entropy.to_code().to_string(), ask: three_of_24() })
    }

    /// Three words are right: the phrase leaves this device for good.
    pub(super) async fn check_phrase(
        &self,
        engine: &Engine,
        words: Vec<(u8, String)>,
    ) -> Result<PatientResponse, Fault> {
        let now = engine.ledger().await.ok().and_then(crate::ledger::Ledger::now).unwrap_or_default();
        let asked: Vec<(u8, &str)> = words.iter().map(|(at, word)| (*at, word.as_str())).collect();
        let event =
            self.with(|vault| vault.confirm_phrase(&asked, now, &mut BrowserRandom))?.map_err(fault)?;
        let change = Change::Put(Table::Events, event.address.to_hex(), event.bytes.clone());
        self.save_vault(engine, vec![change]).await?;
        self.devices.news(&[event]);
        Ok(PatientResponse::Done)
    }

    /// An encrypted backup file: everything that this device holds.
    pub(super) async fn backup(&self, engine: &Engine, task: u32) -> super::Answered {
        let store = engine.store().await?;
        let ledger = engine.ledger().await?;
        let now = ledger.now().unwrap_or_default();
        self.append(engine, vec![Body::BackedUp(now)], Vec::new()).await?;
        let mut file = Vec::new();
        let mut writer = self.with(|vault| vault.backup(&mut BrowserRandom, &mut file))?;
        for (_, bytes) in store.all(Table::Events).await? {
            writer.event(&StoredEvent::from_bytes(bytes), &mut file);
        }
        let blobs = store.all(Table::Blobs).await?;
        let total = blobs.len() as u64;
        for (done, (_, bytes)) in (0u64..).zip(blobs) {
            tell(&Event::Progress { task, step: Step::Sealing, done, total });
            let address = BlobAddress::of(&bytes);
            writer.blob(&address, bytes.len() as u64, &mut file);
            writer.piece(&bytes, &mut file);
        }
        writer.finish(&mut file);
        let records = self.read(|index| index.records().count())?;
        let name = format!("{now}.suishen");
        let records = u32::try_from(records).unwrap_or(u32::MAX);
        Ok((PatientResponse::Backup { name, records }, Some(file)))
    }

    /// A new browser: the wallet back from its phrase and a backup file, or without one from the mailbox.
    pub(super) async fn restore(
        &self,
        engine: &Rc<Engine>,
        task: u32,
        phrase: &str,
        file: Option<Vec<u8>>,
    ) -> Result<PatientResponse, Fault> {
        // What comes back has another device key, in whose care there is nothing.
        engine.care.lock();
        let store = engine.store().await?;
        let entropy = Entropy::from_text(phrase)
            .map_err(|e| Fault::new("phrase", Action::Retry).with_detail(e.to_string()))?;
        let Some(file) = file else {
            self.restore_from_mailbox(engine, task, &entropy).await?;
            return Ok(PatientResponse::Done);
        };
        let bad = |e: suishen_core::vault::BackupError| {
            Fault::new("backup", Action::Retry).with_detail(e.to_string())
        };
        let ledger = engine.fresh_ledger().await?;
        let now = ledger.now().unwrap_or_default();
        let total = file.len() as u64;
        tell(&Event::Progress { task, step: Step::Checking, done: 0, total });
        let mut reader = BackupReader::new(&entropy);
        let mut items = reader.push(&file).map_err(bad)?;
        items.extend(reader.finish().map_err(bad)?.0);
        let Restored { epochs, events, blobs } = Restored::of(items);
        let mut vault = Vault::restore(&entropy, ledger.id, epochs, &mut BrowserRandom).map_err(fault)?;
        for (done, some) in (0..).step_by(CHECKED_AT_ONCE).zip(events.chunks(CHECKED_AT_ONCE)) {
            tell(&Event::Progress { task, step: Step::Checking, done, total: events.len() as u64 });
            breathe().await;
            let refused = vault.load(some, Origin::Elsewhere).refused;
            if refused.iter().any(|(_, error)| error.is_damage()) {
                return Err(
                    Fault::new("backup", Action::Retry).with_detail(format!("{} events", refused.len()))
                );
            }
        }
        let admitted = vault
            .rejoin(&entropy, &device_name(&engine.language()), now, &mut BrowserRandom)
            .map_err(fault)?;
        let changes = blobs
            .into_iter()
            .map(|(address, bytes)| Change::Put(Table::Blobs, address.to_hex(), bytes))
            .collect();
        let mut all = events;
        all.push(admitted);
        self.adopt(store, vault, all, changes).await?;
        Ok(PatientResponse::Done)
    }
}

/// What a backup file held.
#[derive(Default)]
struct Restored {
    epochs: Vec<Signed<Epoch>>,
    events: Vec<StoredEvent>,
    blobs: BTreeMap<BlobAddress, Vec<u8>>,
}

impl Restored {
    fn of(items: Vec<Item>) -> Self {
        let mut restored = Self::default();
        for item in items {
            match item {
                Item::Epochs(_, epochs) => restored.epochs = epochs,
                Item::Event(event) => restored.events.push(event),
                Item::Piece(address, bytes) => restored.blobs.entry(address).or_default().extend(bytes),
                Item::Blob(_) => {}
            }
        }
        restored
    }
}

/// Three different places, ascending.
fn three_of_24() -> [u8; 3] {
    let mut places: Vec<u8> = (1..=24).collect();
    let mut picked = [0; 3];
    for slot in &mut picked {
        let [byte]: [u8; 1] = BrowserRandom.bytes();
        *slot = places.remove(usize::from(byte) % places.len());
    }
    picked.sort_unstable();
    picked
}
