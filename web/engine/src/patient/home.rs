//! The wallet itself: is there one, is it open, make one, open it.

use super::{Session, care, devices, fault, slot_of};
use crate::engine::Engine;
use crate::platform::{BrowserRandom, device_name};
use crate::platform_key::PlatformKey;
use crate::store::{Change, Store, Table};
use crate::worker::tell;
use suishen_bridge::{Action, Event, Fault, Step, Topic, Wallet};
use suishen_core::id::BlobAddress;
use suishen_core::sm::Key32;
use suishen_core::vault::{Locked, Origin, StoredEvent, Unlock, Vault};

const VAULT: &str = "vault";
const PLATFORM: &str = "wallet";

impl Session {
    /// The wallet's state. A wallet that isn't protected yet opens by itself.
    pub(super) async fn wallet(&self, engine: &Engine) -> Result<Wallet, Fault> {
        if !engine.holds_lock().await {
            return Ok(Wallet::Elsewhere);
        }
        let store = engine.store().await?;
        if self.vault.borrow().is_none() {
            let locked = match self.stored(store).await {
                Ok(Some(locked)) => locked,
                Ok(None) => return Ok(Wallet::None),
                Err(error) if error.code == "store-damaged" => return Ok(Wallet::Damaged),
                Err(error) => return Err(error),
            };
            let Some(wrapped) = locked.platform().map(<[u8]>::to_vec) else {
                return Ok(Wallet::Locked(locked.slots().iter().map(slot_of).collect()));
            };
            let key = PlatformKey::existing(store, PLATFORM).await?;
            let key = key.ok_or_else(|| Fault::new("store-damaged", Action::Recover))?;
            let device = key.open(&wrapped).await.ok().and_then(|b| <[u8; 32]>::try_from(b.as_slice()).ok());
            let Some(device) = device else { return Ok(Wallet::Damaged) };
            self.open(store, locked, Unlock::DeviceKey(&Key32::from_bytes(device))).await?;
        }
        self.open_state(engine).await
    }

    async fn open_state(&self, engine: &Engine) -> Result<Wallet, Fault> {
        let name = self.newest_name(engine).await?;
        let copies = self.has_copies(engine).await?;
        let kept = care::kept(engine).await?;
        let (protected, slots, phrase_gone) = self
            .with(|v| (v.is_protected(), v.slots().iter().map(slot_of).collect(), v.entropy().is_none()))?;
        let role = devices::role_of(self.with(|vault| vault.role())?);
        self.read(|index| Wallet::Open {
            name,
            records: u32::try_from(index.records().filter(|r| !index.marks(&r.added.record).hidden).count())
                .unwrap_or(u32::MAX),
            protected,
            // A device that was added never had the words.
            phrase_checked: index.phrase_written() || phrase_gone,
            backed_up: index.backed_up(),
            copies,
            unseen_reads: u32::try_from(
                index
                    .grants()
                    .flat_map(|(_, grant)| grant.reads.values())
                    .filter(|read| index.last_looked().is_none_or(|looked| read.time > looked))
                    .count(),
            )
            .unwrap_or(u32::MAX),
            slots,
            role,
            of: engine.wallet().cloned(),
            kept,
        })
    }

    pub(super) async fn stored(&self, store: &Store) -> Result<Option<Locked>, Fault> {
        let bytes = store.get(Table::Plain, VAULT).await?;
        bytes.map(|bytes| Locked::from_bytes(&bytes).map_err(fault)).transpose()
    }

    async fn open(&self, store: &Store, locked: Locked, unlock: Unlock<'_>) -> Result<(), Fault> {
        self.open_vault(store, locked.open(unlock).map_err(fault)?).await
    }

    /// Reads the vault's events and holds it open.
    pub(super) async fn open_vault(&self, store: &Store, mut vault: Vault) -> Result<(), Fault> {
        let events: Vec<StoredEvent> = store
            .all(Table::Events)
            .await?
            .into_iter()
            .map(|(key, bytes)| match BlobAddress::from_hex(&key) {
                // The vault holds the bytes against it.
                Some(address) => StoredEvent { address, bytes },
                None => StoredEvent::from_bytes(bytes),
            })
            .collect();
        let report = vault.load(&events, Origin::OwnStore);
        if report.refused.iter().any(|(_, error)| error.is_damage()) {
            return Err(Fault::new("store-damaged", Action::Recover));
        }
        *self.vault.borrow_mut() = Some(vault);
        tell(&Event::Changed(Topic::Wallet));
        Ok(())
    }

    /// Opens with a passkey's PRF output.
    pub(super) async fn unlock_passkey(&self, engine: &Engine, id: &[u8], prf: &[u8]) -> Result<(), Fault> {
        let prf: [u8; 32] = prf.try_into().map_err(|_| Fault::new("passkey", Action::Retry))?;
        let store = engine.store().await?;
        let locked = self.stored(store).await?.ok_or_else(|| Fault::new("no-wallet", Action::Nothing))?;
        self.open(store, locked, Unlock::Passkey { credential: id, prf: &prf }).await
    }

    /// Opens with the passphrase. Takes a second, on purpose.
    pub(super) async fn unlock_passphrase(
        &self,
        engine: &Engine,
        task: u32,
        text: &str,
    ) -> Result<(), Fault> {
        tell(&Event::Progress { task, step: Step::Unlocking, done: 0, total: 0 });
        let store = engine.store().await?;
        let locked = self.stored(store).await?.ok_or_else(|| Fault::new("no-wallet", Action::Nothing))?;
        self.open(store, locked, Unlock::Passphrase(text)).await
    }

    /// A wallet for the first report: made when there is none, under the platform's key until it is protected.
    pub(super) async fn provide(&self, engine: &Engine) -> Result<(), Fault> {
        match self.wallet(engine).await? {
            Wallet::Open { .. } => return Ok(()),
            Wallet::None => {}
            Wallet::Locked(_) => return Err(Fault::new("locked", Action::Unlock)),
            Wallet::Elsewhere => return Err(Fault::new("elsewhere", Action::Nothing)),
            Wallet::Damaged => return Err(Fault::new("store-damaged", Action::Recover)),
        }
        let store = engine.store().await?;
        let ledger = engine.fresh_ledger().await?;
        let now = ledger.now().unwrap_or_default();
        let (vault, events) =
            Vault::create(ledger.id, &device_name(&engine.language()), now, &mut BrowserRandom);
        self.adopt(store, vault, events, Vec::new()).await
    }

    /// Stores a vault that is new here, under the platform's key, and opens it. Never in another one's place: whoever took
    /// long to get here may find that the person has kept a report meanwhile. The same wallet brought back keeps its
    /// events; what its old device key had sealed nobody opens any more.
    pub(super) async fn adopt(
        &self,
        store: &Store,
        mut vault: Vault,
        events: Vec<StoredEvent>,
        mut changes: Vec<Change>,
    ) -> Result<(), Fault> {
        // What is damaged can't be anybody's any more: this is how it is brought back.
        match self.stored(store).await.unwrap_or_default() {
            Some(here) if here.id() != vault.id() => return Err(Fault::new("wallet-here", Action::Nothing)),
            Some(_) => {
                changes.splice(0..0, [Table::Pending, Table::Cards].map(Change::Clear));
            }
            None => {}
        }
        // Nor does anybody open the wallets of others that were in the old device key's care.
        changes.splice(0..0, care::abandoned(store).await?);
        // One in care opens with its keeper.
        if !vault.is_protected() {
            let key = PlatformKey::provide(store, PLATFORM).await?;
            let device = vault.device_key().map_err(fault)?.clone();
            vault.set_platform(key.seal(device.as_bytes()).await?);
        }
        changes.push(Change::Put(Table::Plain, VAULT.to_owned(), vault.to_bytes()));
        changes.extend(events.into_iter().map(|e| Change::Put(Table::Events, e.address.to_hex(), e.bytes)));
        store.write(changes).await?;
        *self.vault.borrow_mut() = Some(vault);
        tell(&Event::Changed(Topic::Wallet));
        Ok(())
    }

    /// Stores what slots and phrase changed; the first slot deletes the platform's key.
    pub(super) async fn save_vault(&self, engine: &Engine, mut changes: Vec<Change>) -> Result<(), Fault> {
        let (bytes, protected) = self.with(|vault| (vault.to_bytes(), vault.is_protected()))?;
        changes.push(Change::Put(Table::Plain, VAULT.to_owned(), bytes));
        if protected {
            changes.push(PlatformKey::forget(PLATFORM));
        }
        engine.store().await?.write(changes).await?;
        tell(&Event::Changed(Topic::Wallet));
        Ok(())
    }
}
