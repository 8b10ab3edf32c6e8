//! The gate's shell (PROTOCOL §7): the rules are `suishen_core::gate`'s, here are the tear file, the rows and
//! the clock.
//!
//! Order of a deposit: slot synced → row, encrypted under the slot's key, committed → acknowledged. Of a
//! destruction: key overwritten and synced → acknowledged → row deleted. **No share is ever logged.** The list
//! of blob addresses is kept by [`crate::blob`], apart from the share, and outlives it.

mod file;
mod strangers;

use crate::{
    blob::{Blobs, Named},
    order::Clock,
    random::SystemRandom,
    replica::{Replica, ReplicaError},
    store::{Store, StoreError},
};
use file::SlotFile;
use redb::{ReadableTable as _, TableDefinition};
use std::{
    collections::BTreeSet,
    fmt, io,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};
use strangers::Strangers;
use suishen_core::{
    contract::Views as _,
    gate::{
        Day, Deposit, GateDay, GateRefusal, Kept, Moment, Released, Revocation, STRANGER_TERM, Slot, Subject,
        TearError, TearFile, Torn, accept_deposit, accept_kept, accept_revocation, depositor, may_release,
        open_deposit, tear_due, tombstone_until,
    },
    id::GrantId,
    sm::{Digest, PublicKey, SecretKey, Signed},
};

/// The tear file's name in the data folder. Leave it out of backups.
pub const TEAR_FILE: &str = "tear";
/// Deposits, each encrypted under its slot's key.
pub(crate) const ROWS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("gate-rows");
/// Seconds of a gate key's day, and how long after it deposits sealed to it still open.
const DAY: u64 = 86_400;
const GRACE: u64 = 3600;

/// Why a gate doesn't do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// By the rules.
    #[error(transparent)]
    Refused(#[from] GateRefusal),
    /// A deposit names a blob which the key that signed it has not uploaded here.
    #[error("the deposit names a blob which its signer has not uploaded here")]
    NotOwner,
    /// More grants that the ledger doesn't know were revoked than this gate remembers at a time.
    #[error("too many grants that the ledger does not know were revoked here")]
    Strangers,
    /// The tear file.
    #[error("{0}")]
    Tear(String),
    /// The ledger.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// The rows.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TearError<io::Error>> for GateError {
    fn from(error: TearError<io::Error>) -> Self {
        match error {
            TearError::Torn => Self::Refused(GateRefusal::Torn),
            other => Self::Tear(other.to_string()),
        }
    }
}

/// This relay's gate.
pub struct Gate {
    replica: Replica,
    store: Store,
    blobs: Blobs,
    clock: Clock,
    key: SecretKey,
    /// Position among the members, from 1.
    number: u8,
    tear: Mutex<TearFile<SlotFile>>,
    /// Locked before `tear` where both are.
    strangers: Mutex<Strangers>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gate({})", self.number)
    }
}

impl Gate {
    /// Opens the tear file and makes it agree with the rows.
    pub fn open(
        data: &Path,
        replica: Replica,
        store: Store,
        blobs: Blobs,
        clock: Clock,
        key: SecretKey,
    ) -> Result<Self, GateError> {
        let tear =
            SlotFile::open(&data.join(TEAR_FILE)).and_then(TearFile::open).map_err(StoreError::from)?;
        let place = replica.genesis().members.iter().position(|m| m.gate == key.public());
        let number = place.and_then(|place| u8::try_from(place + 1).ok());
        let number = number.ok_or_else(|| GateError::Tear("the gate key is not that of a member".into()))?;
        let (tear, strangers) = (Mutex::new(tear), Mutex::default());
        let gate = Self { replica, store, blobs, clock, key, number, tear, strangers };
        gate.reconcile()?;
        gate.find_strangers()?;
        gate.day()?;
        Ok(gate)
    }

    fn reconcile(&self) -> Result<(), GateError> {
        let rows: BTreeSet<Digest> = self.store.write(|tx| {
            let table = tx.open_table(ROWS).map_err(StoreError::from)?;
            let keys = table.iter().map_err(StoreError::from)?;
            keys.map(|row| Ok(Digest::from_bytes(*row.map_err(StoreError::from)?.0.value())))
                .collect::<Result<_, StoreError>>()
        })?;
        let lost = self.tear().reconcile(&rows)?;
        if !lost.is_empty() {
            tracing::warn!(lost = lost.len(), "rows of shares whose keys are gone were deleted");
        }
        self.forget(&lost)
    }

    /// At start: whose tombstones are of grants that the ledger doesn't know. How long they stood already is not
    /// known any more, so their time begins anew.
    fn find_strangers(&self) -> Result<(), GateError> {
        let until = self.moment_latest().saturating_add(STRANGER_TERM);
        let torn: Vec<Digest> = self.tear().torn_objects().copied().collect();
        let mut strangers = self.strangers();
        for object in torn {
            if !self.is_known(&object)? {
                strangers.remember(&object, until);
            }
        }
        Ok(())
    }

    /// The key of today, signed; made when there is none yet.
    pub fn day(&self) -> Result<Signed<GateDay>, GateError> {
        let now = (self.clock)();
        let mut tear = self.tear();
        let today = |days: Vec<Day>| days.into_iter().rev().find(|day| (day.from..day.until).contains(&now));
        let day = if let Some(day) = today(tear.days()) {
            day
        } else {
            let from = now - now % DAY;
            let day = Day { from, until: from + DAY, secret: SecretKey::generate(&mut SystemRandom) };
            tear.add_day(&day, GRACE)?;
            day
        };
        let day = GateDay { from: day.from, until: day.until, key: day.secret.public() };
        Ok(Signed::new(&day, &self.key, &self.replica.ledger()))
    }

    /// Takes a deposit; durable when this returns. Its signer must have uploaded every blob that it names:
    /// naming one lets others fetch it.
    pub fn deposit(&self, object: &Digest, day: &PublicKey, sealed: &[u8]) -> Result<(), GateError> {
        let ledger = self.replica.ledger();
        let mut tear = self.tear();
        let day =
            tear.days().into_iter().find(|held| held.secret.public() == *day).ok_or(GateRefusal::Form)?;
        let signed = open_deposit(sealed, object, &day.secret, &ledger)?;
        let moment = self.moment();
        let (deposit, owner, subject, until) =
            self.replica.published().snapshot().with_state(|state| {
                let deposit = accept_deposit(state, &signed, self.number, &moment, &ledger)?;
                let subject = Subject::find(state, object)?.ok_or(GateRefusal::Unknown)?;
                let owner = depositor(state, &subject)?;
                Ok::<_, GateRefusal>((deposit, owner, subject, tombstone_until(state, &subject, &moment)?))
            })??;
        if tear.is_torn(object) {
            return Err(GateRefusal::Torn.into());
        }
        let known = tear.live(object).map(|slot| self.row(object, &slot)).transpose()?.flatten();
        if let Some(known) = known {
            return if known == deposit { Ok(()) } else { Err(GateRefusal::Shares.into()) };
        }
        if !self.blobs.owns_all(deposit.records.iter().flat_map(|record| &record.blobs), &owner)? {
            return Err(GateError::NotOwner);
        }
        let slot = tear.deposit(object, until, &mut SystemRandom)?;
        let row = slot.seal_row(&deposit, &mut SystemRandom);
        self.store.write(|tx| {
            let mut table = tx.open_table(ROWS).map_err(StoreError::from)?;
            table.insert(object.as_bytes(), row.as_slice()).map_err(StoreError::from)?;
            let named = deposit.records.iter().map(|r| Named { record: r.record, blobs: r.blobs.clone() });
            self.blobs.name(tx, &subject, &named.collect::<Vec<_>>(), until)
        })?;
        Ok(())
    }

    /// Releases the shares of a redemption, or of a ticket (use 0): the same answer as often as asked.
    pub fn release(&self, object: &Digest, use_number: u32) -> Result<Signed<Released>, GateError> {
        let moment = self.moment();
        let order = self.replica.published().snapshot().with_state(|state| {
            let subject = Subject::find(state, object)?.ok_or(GateRefusal::Unknown)?;
            may_release(state, &subject, use_number, &moment)
        })??;
        // Held until the answer is made: no release is under way when a destruction is acknowledged.
        let tear = self.tear();
        let missing = if tear.is_torn(object) { GateRefusal::Torn } else { GateRefusal::NoShare };
        let slot = tear.live(object).ok_or(missing)?;
        let deposit = self.row(object, &slot)?.ok_or(GateRefusal::NoShare)?;
        Ok(order.release(&deposit, &slot, &self.key, &self.replica.ledger())?)
    }

    /// Destroys the shares of a grant on the word of its own key, whatever the ledger says; durable when this
    /// returns. Only a grant that the ledger doesn't know, which has no share here, may find no room.
    pub fn revoke(&self, revocation: &Revocation) -> Result<(GrantId, Signed<Torn>), GateError> {
        let ledger = self.replica.ledger();
        let grant = accept_revocation(revocation, &ledger)?;
        if self.is_known(grant.digest())? {
            self.destroy(&Subject::Grant(grant))?;
        } else {
            let mut strangers = self.strangers();
            if !strangers.admit(grant.digest(), self.moment_latest().saturating_add(STRANGER_TERM)) {
                return Err(GateError::Strangers);
            }
            self.destroy(&Subject::Grant(grant))?;
        }
        let torn = Torn { object: *grant.digest(), at: (self.clock)() };
        Ok((grant, Signed::new(&torn, &self.key, &ledger)))
    }

    /// Destroys a ticket's share and deletes its blobs, on the word of the wallet that has everything.
    pub fn kept(&self, signed: &Signed<Kept>) -> Result<(), GateError> {
        let snapshot = self.replica.published();
        let ledger = self.replica.ledger();
        let commitment = snapshot.snapshot().with_state(|state| accept_kept(state, signed, &ledger))??;
        let subject = Subject::Ticket(commitment);
        self.destroy(&subject)?;
        let anchor = snapshot.snapshot().view(|state| state.anchor(&commitment))?;
        if let Some(anchor) = anchor {
            self.blobs.drop_named(&subject, &anchor.issuer)?;
        }
        Ok(())
    }

    /// Destroys what is due and forgets what is over; tells how many shares were destroyed.
    pub fn tear_due(&self) -> Result<usize, GateError> {
        let moment = self.moment();
        let live: Vec<Digest> = self.tear().live_objects().copied().collect();
        let published = self.replica.published();
        let mut destroyed = 0;
        for object in live {
            let due = published.snapshot().with_state(|state| match Subject::find(state, &object)? {
                Some(subject) if tear_due(state, &subject, &moment)? => Ok(Some(subject)),
                _ => Ok::<_, GateRefusal>(None),
            })??;
            if let Some(subject) = due {
                self.destroy(&subject)?;
                destroyed += 1;
            }
        }
        let now = moment.own.min(moment.ledger);
        self.tear().expire(now)?;
        let mut strangers = self.strangers();
        let over = strangers.settle(now, |object| self.is_known(object))?;
        self.tear().lift(&over)?;
        drop(strangers);
        self.day()?;
        Ok(destroyed)
    }

    fn destroy(&self, subject: &Subject) -> Result<(), GateError> {
        let moment = self.moment();
        let until = self
            .replica
            .published()
            .snapshot()
            .with_state(|state| tombstone_until(state, subject, &moment))??;
        self.tear().destroy(subject.object(), until)?;
        self.forget(&[*subject.object()])
    }

    fn forget(&self, objects: &[Digest]) -> Result<(), GateError> {
        if objects.is_empty() {
            return Ok(());
        }
        Ok(self.store.write(|tx| {
            let mut table = tx.open_table(ROWS).map_err(StoreError::from)?;
            for object in objects {
                table.remove(object.as_bytes()).map_err(StoreError::from)?;
            }
            Ok::<_, StoreError>(())
        })?)
    }

    fn row(&self, object: &Digest, slot: &Slot) -> Result<Option<Deposit>, GateError> {
        let row = self.store.read(|tx| {
            let table = tx.open_table(ROWS)?;
            Ok::<_, StoreError>(table.get(object.as_bytes())?.map(|row| row.value().to_vec()))
        })?;
        row.map(|row| slot.open_row(object, &row).map_err(|_| StoreError::Row.into())).transpose()
    }

    fn is_known(&self, object: &Digest) -> Result<bool, GateError> {
        let found = self.replica.published().snapshot().with_state(|state| Subject::find(state, object))?;
        Ok(found.map_err(GateRefusal::from)?.is_some())
    }

    /// The later of both clocks: what ends is over by neither before.
    fn moment_latest(&self) -> u64 {
        let moment = self.moment();
        moment.ledger.max(moment.own)
    }

    fn strangers(&self) -> MutexGuard<'_, Strangers> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This relay orders alone: the ledger's time is its own, never before the last entry's.
    fn moment(&self) -> Moment {
        let own = (self.clock)();
        Moment { ledger: own.max(self.replica.published().snapshot().last_time()), own, tick: None }
    }

    fn tear(&self) -> MutexGuard<'_, TearFile<SlotFile>> {
        // After a panic the file refuses to go on by itself where it must.
        self.tear.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
