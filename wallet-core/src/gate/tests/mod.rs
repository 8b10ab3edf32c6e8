//! Gates as specified: deposits and releases with real keys, decisions against a naive reading of the rules,
//! the tear file under crashes at every step.

mod deposit;
mod release;
mod retention;
mod tear;

use super::*;
use crate::contract::tests::world::*;
use crate::contract::{Context, IssueGrant, RedeemGrant, Transaction, apply};
use crate::id::{BlobAddress, LedgerId};
use crate::sm::seeded::Seeded;
use crate::sm::{Key32, PublicKey, SecretKey, Signed};

/// A grant on three records with its shares split 3 of 4, accepted by the clinic's desk.
struct Shared {
    world: World,
    grant: IssueGrant,
    desk: Desk,
    halves: Vec<RecordHalf>,
    split: Split,
}

fn halves(count: u8) -> Vec<RecordHalf> {
    let half = |i: u8| RecordHalf {
        half: Key32::from_bytes([i + 1; 32]),
        blobs: vec![BlobAddress::from_bytes([i; 32]), BlobAddress::from_bytes([i + 100; 32])],
    };
    (0..count).map(half).collect()
}

impl Shared {
    fn new(change: impl FnOnce(&mut IssueGrant)) -> Self {
        let mut world = World::open();
        let (id, halves) = (GrantId::of(&world.ledger, &public(GRANT)), halves(3));
        let split = split(id.digest(), &halves, 3, 4, &mut Seeded::new(5)).unwrap();
        let (grant, desk) = world.accepted(|grant| {
            grant.shares = split.digest;
            change(grant);
        });
        Self { world, grant, desk, halves, split }
    }

    fn id(&self) -> GrantId {
        self.world.grant_id(&self.grant)
    }

    fn subject(&self) -> Subject {
        Subject::Grant(self.id())
    }

    fn redeem(&mut self, use_number: u64, records: Vec<u64>) {
        let body = RedeemGrant { records, ..self.world.redemption(&self.grant, &self.desk, use_number) };
        self.world.take(&Transaction::RedeemGrant(body), &self.desk.key()).unwrap();
    }

    fn moment(&self) -> Moment {
        now(self.world.now)
    }

    fn may_release(&self, use_number: u32, moment: &Moment) -> Result<ReleaseOrder, GateRefusal> {
        may_release(&self.world.state, &self.subject(), use_number, moment)
    }

    fn signed(&self, gate: usize) -> Signed<Deposit> {
        Signed::new(&self.split.deposits[gate - 1], &key(GRANT), &self.world.ledger)
    }

    fn accept(&self, signed: &Signed<Deposit>, gate: u8) -> Result<Deposit, GateRefusal> {
        accept_deposit(&self.world.state, signed, gate, &self.moment(), &self.world.ledger)
    }
}

/// Ledger and clock agree, and this relay alone orders.
fn now(time: u64) -> Moment {
    Moment { ledger: time, own: time, tick: None }
}

fn gate_key(gate: u16) -> SecretKey {
    key(1300 + gate)
}

fn slot(number: u64) -> Slot {
    let mut file = TearFile::open(tear::Disk::default()).unwrap();
    let object = crate::sm::Digest::from_bytes([1; 32]);
    file.deposit(&object, 0, &mut Seeded::new(number)).unwrap()
}
