//! Wallets of others in this browser, beside its owner's: a helper looks, shares or manages in them as the patient allowed,
//! until the patient takes that back.
//!
//! Each has a database and an engine of its own. What opens it lies sealed with the owner's wallet
//! ([`suishen_core::vault::Vault::take_into_care`]): it opens and locks with that one. One wallet is open at a time.

use super::fault;
use crate::engine::Engine;
use crate::platform::BrowserRandom;
use crate::store::{Change, OWN, Store, Table};
use crate::worker::tell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use suishen_bridge::{Action, Event, Fault, KeptWallet, PatientRequest, Topic, Wallet};
use suishen_core::order;
use suishen_core::vault::Vault;

/// What opens a wallet, by its id; gone when it was taken back.
const KEY: &str = "care/";
/// What the owner calls it, by its id; there until it is put away.
const NAME: &str = "called/";

/// The wallets of others since the worker's start.
#[derive(Debug, Default)]
pub struct Care {
    /// Those that were opened. **One engine a wallet until it is locked**, so that no two write for one device.
    engines: RefCell<BTreeMap<String, Rc<Engine>>>,
    open: RefCell<Option<Rc<Engine>>>,
}

impl Care {
    /// The engine of the one that is open instead of the owner's.
    pub fn opened(&self) -> Option<Rc<Engine>> {
        self.open.borrow().clone()
    }

    /// Locks all.
    pub fn lock(&self) {
        self.open.take();
        for engine in self.engines.take().values() {
            engine.patient.lock();
        }
    }
}

/// The database of another person's wallet.
pub fn database(wallet: &str) -> String {
    format!("{OWN}-{wallet}")
}

fn gone() -> Fault {
    Fault::new("kept-damaged", Action::Nothing)
}

/// The wallets of others that are kept here, by name.
pub async fn kept(engine: &Engine) -> Result<Vec<KeptWallet>, Fault> {
    let owner = engine.own();
    let rows = owner.store().await?.keys(Table::Pending).await?;
    let mut kept = Vec::new();
    for wallet in rows.iter().filter_map(|row| row.strip_prefix(NAME)) {
        let name = owner.patient.pending::<String>(owner, &format!("{NAME}{wallet}")).await?;
        let taken_back = !rows.contains(&format!("{KEY}{wallet}"));
        kept.extend(name.map(|name| KeptWallet { wallet: wallet.to_owned(), name, taken_back }));
    }
    order::sort_by(&mut kept, |a, b| a.name.cmp(&b.name));
    Ok(kept)
}

/// Answers what concerns the wallets of this browser: which there are, and which is open.
pub async fn answer(engine: &Rc<Engine>, task: u32, request: PatientRequest) -> Result<(), Fault> {
    use PatientRequest as R;
    match request {
        R::Join { text, name, whose } => join(engine, task, text.as_deref(), &name, &whose).await,
        R::Switch { to } => switch(engine, to.as_deref()).await,
        R::PutAway { wallet } => put_away(engine, &wallet).await,
        R::Delete => delete(engine).await,
        _ => Ok(()),
    }
}

/// Becomes a device of the wallet whose code was scanned, or that scans this device's: this browser's first, or another person's
/// beside the owner's.
async fn join(
    engine: &Rc<Engine>,
    task: u32,
    text: Option<&str>,
    name: &str,
    whose: &str,
) -> Result<(), Fault> {
    let owner = engine.owner();
    match owner.patient.wallet(&owner).await? {
        Wallet::None => return owner.patient.join(&owner, task, text, name, whose).await,
        Wallet::Open { protected: true, .. } if text.is_some() => {}
        Wallet::Open { protected: false, .. } => return Err(Fault::new("protect", Action::Protect)),
        Wallet::Locked(_) => return Err(Fault::new("locked", Action::Unlock)),
        Wallet::Open { .. } | Wallet::Elsewhere | Wallet::Damaged => {
            return Err(Fault::new("wallet-here", Action::Nothing));
        }
    }
    let other = Engine::beside(&owner);
    let joined = other.patient.join(&other, task, text, name, whose).await;
    match (other.wallet(), &joined) {
        (Some(wallet), Ok(())) => {
            owner.care.engines.borrow_mut().insert(wallet.clone(), other.clone());
            turn(&owner, Some(&other));
        }
        (wallet, _) => {
            other.patient.lock();
            if let Some(wallet) = wallet {
                put_away(&owner, wallet).await?;
            }
        }
    }
    joined
}

/// Takes a wallet that was just joined into the owner's care. The same one from before makes room for it: the patient has
/// invited anew, perhaps to do more.
pub async fn take(engine: &Rc<Engine>, vault: &mut Vault, whose: &str) -> Result<(), Fault> {
    let owner = engine.owner();
    let sealed = owner.patient.with(|own| own.take_into_care(vault, &mut BrowserRandom))?.map_err(fault)?;
    let wallet = vault.id().to_hex();
    close(&owner, &wallet);
    engine.is_of(wallet.clone());
    engine.store().await?.erase().await?;
    owner.patient.keep_pending(&owner, &format!("{NAME}{wallet}"), &whose.to_owned()).await?;
    owner.store().await?.put(Table::Pending, &format!("{KEY}{wallet}"), sealed).await?;
    Ok(())
}

/// Opens another person's wallet, or the owner's again.
async fn switch(engine: &Rc<Engine>, to: Option<&str>) -> Result<(), Fault> {
    let owner = engine.owner();
    let other = match to {
        Some(wallet) => Some(open(&owner, wallet).await?),
        None => None,
    };
    turn(&owner, other.as_ref());
    Ok(())
}

/// The engine of a wallet in care, open.
async fn open(owner: &Rc<Engine>, wallet: &str) -> Result<Rc<Engine>, Fault> {
    if let Some(known) = owner.care.engines.borrow().get(wallet) {
        return Ok(known.clone());
    }
    let sealed = owner.store().await?.get(Table::Pending, &format!("{KEY}{wallet}")).await?;
    let sealed = sealed.ok_or_else(gone)?;
    let other = Engine::beside(owner);
    other.is_of(wallet.to_owned());
    let store = other.store().await?;
    let locked = other.patient.stored(store).await.map_err(|_| gone())?.ok_or_else(gone)?;
    let vault = owner.patient.with(|own| own.open_in_care(locked, &sealed))?.map_err(|_| gone())?;
    other.patient.open_vault(store, vault).await.map_err(|_| gone())?;
    // Of two that opened it at once the first stands.
    Ok(owner.care.engines.borrow_mut().entry(wallet.to_owned()).or_insert(other).clone())
}

/// Puts the open wallet to rest, and another in its place.
fn turn(owner: &Rc<Engine>, to: Option<&Rc<Engine>>) {
    let before = owner.care.open.replace(to.cloned());
    let (before, next) = (before.as_ref().unwrap_or(owner), to.unwrap_or(owner));
    if !Rc::ptr_eq(before, next) {
        before.patient.rest();
        next.patient.resting.set(false);
        next.patient.follow_mailboxes(next);
    }
    tell(&Event::Changed(Topic::Wallet));
}

/// The patient took this device out of the wallet: nothing is left that opens it. The owner's own stays as it is.
pub async fn taken_back(engine: &Rc<Engine>) -> Result<(), Fault> {
    let Some(wallet) = engine.wallet() else { return Ok(()) };
    let owner = engine.owner();
    owner.store().await?.write(vec![Change::Delete(Table::Pending, format!("{KEY}{wallet}"))]).await?;
    close(&owner, wallet);
    Ok(())
}

fn close(owner: &Rc<Engine>, wallet: &str) {
    if owner.care.opened().is_some_and(|open| open.wallet().is_some_and(|open| open == wallet)) {
        turn(owner, None);
    }
    let closed = owner.care.engines.borrow_mut().remove(wallet);
    if let Some(closed) = closed {
        closed.patient.lock();
    }
    tell(&Event::Changed(Topic::Wallet));
}

/// Deletes another person's wallet from this browser.
async fn put_away(engine: &Rc<Engine>, wallet: &str) -> Result<(), Fault> {
    let owner = engine.owner();
    close(&owner, wallet);
    let rows = [KEY, NAME].map(|row| Change::Delete(Table::Pending, format!("{row}{wallet}")));
    owner.store().await?.write(rows.into()).await?;
    remove(database(wallet));
    tell(&Event::Changed(Topic::Wallet));
    Ok(())
}

/// Deletes the owner's wallet from this browser, and with it all others.
async fn delete(engine: &Rc<Engine>) -> Result<(), Fault> {
    let owner = engine.owner();
    let store = owner.store().await?;
    owner.care.lock();
    abandoned(store).await?;
    store.erase().await?;
    owner.patient.lock();
    tell(&Event::Changed(Topic::Wallet));
    Ok(())
}

/// Deletes the databases of all wallets that are in the care of the one in `store`; the changes that make it forget them.
pub async fn abandoned(store: &Store) -> Result<Vec<Change>, Fault> {
    let rows = store.keys(Table::Pending).await?.into_iter();
    let rows: Vec<String> = rows.filter(|row| row.starts_with(KEY) || row.starts_with(NAME)).collect();
    for wallet in rows.iter().filter_map(|row| row.strip_prefix(NAME)) {
        remove(database(wallet));
    }
    Ok(rows.into_iter().map(|row| Change::Delete(Table::Pending, row)).collect())
}

/// Deletes a database as soon as nothing has it open any more.
fn remove(name: String) {
    wasm_bindgen_futures::spawn_local(async move {
        // What can't be deleted can't be opened either: its key is gone.
        let _ = Store::delete(&name).await;
    });
}
