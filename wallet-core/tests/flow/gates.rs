//! A gate: tear file in memory, rows, keys of the day. And what gates refuse.

use crate::Seeded;
use crate::people::{Desk, Patient};
use crate::records::Kept;
use crate::sharing::{Sharing, redeem, share};
use crate::world::{NOW, World};
use std::collections::BTreeMap;
use suishen_core::contract::{
    Memory, Rejection, RevokeGrant, SignedTransaction, SuspendParty, Transaction, Views as _,
};
use suishen_core::gate::{
    Deposit, GateRefusal, Gathering, GatheringError, Moment, Release, Released, Revocation, SLOT, Slots,
    Subject, TearFile, accept_deposit, accept_revocation, may_release, open_deposit, open_release, tear_due,
    tombstone_until,
};
use suishen_core::id::{GrantId, LedgerId};
use suishen_core::sm::{Digest, SecretKey, Signed, SmError};

/// Slots in memory.
#[derive(Debug, Default)]
pub struct File(Vec<[u8; SLOT]>);

impl Slots for File {
    type Error = ();

    fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap()
    }

    fn read(&self, slot: u32) -> Result<[u8; SLOT], ()> {
        self.0.get(slot as usize).copied().ok_or(())
    }

    fn write(&mut self, slot: u32, bytes: &[u8; SLOT]) -> Result<(), ()> {
        if slot == self.count() {
            self.0.push(*bytes);
        } else {
            self.0[slot as usize] = *bytes;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), ()> {
        Ok(())
    }
}

/// One member's gate.
pub struct Gate {
    pub number: u8,
    pub key: SecretKey,
    pub day: SecretKey,
    tear: TearFile<File>,
    rows: BTreeMap<Digest, Vec<u8>>,
    random: Seeded,
}

impl Gate {
    pub fn new(number: u8, random: &mut Seeded) -> Self {
        let (key, day) = (SecretKey::generate(random), SecretKey::generate(random));
        let tear = TearFile::open(File::default()).unwrap();
        Self { number, key, day, tear, rows: BTreeMap::new(), random: Seeded(u64::from(number) << 56) }
    }

    /// Takes a sealed deposit for an object, as a relay does.
    pub fn take(
        &mut self,
        sealed: &[u8],
        object: &Digest,
        state: &Memory,
        now: u64,
        ledger: &LedgerId,
    ) -> Result<(), GateRefusal> {
        let signed = open_deposit(sealed, object, &self.day, ledger)?;
        let deposit = accept_deposit(state, &signed, self.number, &moment(now), ledger)?;
        let subject = Subject::find(state, object)?.ok_or(GateRefusal::Unknown)?;
        let until = tombstone_until(state, &subject, &moment(now))?;
        let slot = self.tear.deposit(object, until, &mut self.random).map_err(|_| GateRefusal::Torn)?;
        self.rows.insert(*object, slot.seal_row(&deposit, &mut self.random));
        Ok(())
    }

    /// Answers a request for what a use (0 for a ticket) may have.
    pub fn release(
        &self,
        subject: &Subject,
        use_number: u32,
        state: &Memory,
        now: u64,
        ledger: &LedgerId,
    ) -> Result<Signed<Released>, GateRefusal> {
        let order = may_release(state, subject, use_number, &moment(now))?;
        let object = subject.object();
        if self.tear.is_torn(object) {
            return Err(GateRefusal::Torn);
        }
        let slot = self.tear.live(object).ok_or(GateRefusal::NoShare)?;
        let row = self.rows.get(object).ok_or(GateRefusal::NoShare)?;
        let deposit = slot.open_row(object, row).map_err(|_| GateRefusal::NoShare)?;
        order.release(&deposit, &slot, &self.key, ledger)
    }

    /// Destroys at a revocation, before and regardless of the ledger.
    pub fn revoke(
        &mut self,
        revocation: &Revocation,
        state: &Memory,
        now: u64,
        ledger: &LedgerId,
    ) -> GrantId {
        let grant = accept_revocation(revocation, ledger).unwrap();
        let until = tombstone_until(state, &Subject::Grant(grant), &moment(now)).unwrap();
        self.tear.destroy(grant.digest(), until).unwrap();
        grant
    }
}

/// The clocks agree.
pub fn moment(now: u64) -> Moment {
    Moment { ledger: now, own: now, tick: None }
}

impl World {
    /// Hands each gate its deposit.
    pub fn deposit(&mut self, deposits: &[Deposit], key: &SecretKey) -> Result<(), GateRefusal> {
        for (gate, deposit) in self.gates.iter_mut().zip(deposits) {
            let sealed = deposit.seal(key, &gate.day.public(), &self.ledger, &mut self.random);
            gate.take(&sealed, &deposit.object, &self.state, self.now, &self.ledger)?;
        }
        Ok(())
    }

    /// What each gate releases, opened with the reader's key.
    pub fn releases(
        &self,
        subject: &Subject,
        use_number: u32,
        secret: &SecretKey,
    ) -> Result<Vec<(u8, Release)>, GateRefusal> {
        let one = |gate: &Gate| {
            let released = gate.release(subject, use_number, &self.state, self.now, &self.ledger)?;
            let (key, object) = (gate.key.public(), subject.object());
            let release = open_release(&released, &key, secret, object, use_number, &self.ledger).unwrap();
            Ok((gate.number, release))
        };
        self.gates.iter().map(one).collect()
    }

    /// Puts the halves together from all gates.
    pub fn gather(
        &self,
        subject: &Subject,
        digest: Digest,
        use_number: u32,
        secret: &SecretKey,
    ) -> Result<Gathering, GateRefusal> {
        let (gates, needed) = self.quorum();
        let mut gathering = Gathering::new(*subject.object(), digest, needed, gates);
        for (gate, release) in self.releases(subject, use_number, secret)? {
            gathering.add(gate, &release).unwrap();
        }
        Ok(gathering)
    }

    fn first_gate(&self, subject: &Subject, use_number: u32) -> Result<Signed<Released>, GateRefusal> {
        self.gates[0].release(subject, use_number, &self.state, self.now, &self.ledger)
    }
}

struct Scene {
    world: World,
    desk: Desk,
    sharing: Sharing,
    subject: Subject,
}

/// A grant that the clinic has accepted, for two uses in an hour.
fn accepted(members: u8) -> Scene {
    let mut world = World::of(members);
    let mut patient = Patient::open(&mut world);
    let records = [Kept::by_ticket(&mut world, &mut patient)];
    let sharing = share(&mut world, &patient, &records);
    let desk = world.reading_desk();
    sharing.accept(&mut world, &desk).unwrap();
    let subject = Subject::Grant(sharing.grant());
    Scene { world, desk, sharing, subject }
}

impl Scene {
    /// Redeems the next use; the reader's key.
    fn redeem(&mut self) -> SecretKey {
        redeem(&mut self.world, &self.sharing, &self.desk, 1).unwrap()
    }

    fn revocation(&self) -> SignedTransaction {
        let body = Transaction::RevokeGrant(RevokeGrant { grant: self.sharing.grant() });
        SignedTransaction::new(&body, &self.sharing.draft.key, &self.world.ledger)
    }
}

#[test]
fn no_share_goes_before_the_redemption_stands() {
    let mut scene = accepted(1);
    assert_eq!(scene.world.first_gate(&scene.subject, 1).err(), Some(GateRefusal::NotRedeemed));
    scene.redeem();
    assert!(scene.world.first_gate(&scene.subject, 1).is_ok());
    assert_eq!(scene.world.first_gate(&scene.subject, 2).err(), Some(GateRefusal::NotRedeemed));
}

#[test]
fn the_same_redemption_gets_the_same_answer_for_ten_minutes_and_no_longer() {
    let mut scene = accepted(1);
    scene.redeem();
    let first = scene.world.first_gate(&scene.subject, 1).unwrap();
    scene.world.wait(599);
    assert_eq!(scene.world.first_gate(&scene.subject, 1), Ok(first));
    scene.world.wait(1);
    assert_eq!(scene.world.first_gate(&scene.subject, 1).err(), Some(GateRefusal::TooLate));
}

#[test]
fn no_share_goes_after_a_revocation_that_stands() {
    let mut scene = accepted(1);
    scene.redeem();
    let revocation = scene.revocation();
    scene.world.order(revocation).unwrap();
    assert_eq!(scene.world.first_gate(&scene.subject, 1).err(), Some(GateRefusal::Revoked));
    let again = redeem(&mut scene.world, &scene.sharing, &scene.desk, 2);
    assert_eq!(again.err(), Some(Rejection::GrantRevoked));
}

#[test]
fn a_gate_destroys_at_a_signed_revocation_that_the_ledger_has_not_seen_yet() {
    let mut scene = accepted(1);
    scene.redeem();
    let revocation = Revocation { key: scene.sharing.draft.key.public(), signed: scene.revocation() };
    let World { gates, state, now, ledger, .. } = &mut scene.world;
    gates[0].revoke(&revocation, state, *now, ledger);
    assert_eq!(scene.world.first_gate(&scene.subject, 1).err(), Some(GateRefusal::Torn));
    // And takes the same share no more.
    let (deposits, key) = (scene.sharing.draft.deposits.clone(), scene.sharing.draft.key.clone());
    assert_eq!(scene.world.deposit(&deposits, &key), Err(GateRefusal::Torn));
}

#[test]
fn a_revocation_by_another_key_destroys_nothing() {
    let scene = accepted(1);
    let other = SecretKey::from_bytes(&[7; 32]).unwrap();
    let body = Transaction::RevokeGrant(RevokeGrant { grant: scene.sharing.grant() });
    let signed = SignedTransaction::new(&body, &other, &scene.world.ledger);
    for key in [other.public(), scene.sharing.draft.key.public()] {
        let revocation = Revocation { key, signed: signed.clone() };
        assert_eq!(accept_revocation(&revocation, &scene.world.ledger), Err(GateRefusal::Signature));
    }
    let revocation = Revocation { key: scene.sharing.draft.key.public(), signed: scene.revocation() };
    let elsewhere = LedgerId::from_bytes([9; 32]);
    assert_eq!(accept_revocation(&revocation, &elsewhere), Err(GateRefusal::Signature));
}

#[test]
fn no_share_goes_at_or_after_the_grants_end() {
    let mut scene = accepted(1);
    scene.redeem();
    let end = scene.world.state.terms(&scene.sharing.grant()).unwrap().unwrap().end();
    scene.world.now = end - 301;
    let second = redeem(&mut scene.world, &scene.sharing, &scene.desk, 2);
    assert!(second.is_ok());
    scene.world.now = end - 1;
    assert!(scene.world.first_gate(&scene.subject, 2).is_ok());
    scene.world.now = end;
    assert_eq!(scene.world.first_gate(&scene.subject, 2).err(), Some(GateRefusal::Ended));
    assert_eq!(tear_due(&scene.world.state, &scene.subject, &moment(end)), Ok(true));
}

#[test]
fn no_share_goes_to_an_organisation_that_was_suspended_after_it_redeemed() {
    let mut scene = accepted(1);
    scene.redeem();
    let body = SuspendParty { party: scene.world.clinic.id.clone(), from: NOW, why: "违规".into() };
    let votes = scene.world.votes(&Transaction::SuspendParty(body));
    scene.world.order(votes).unwrap();
    assert_eq!(scene.world.first_gate(&scene.subject, 1).err(), Some(GateRefusal::Suspended));
}

#[test]
fn a_gate_whose_ledger_lags_behind_its_clock_releases_nothing() {
    let mut scene = accepted(1);
    scene.redeem();
    let now = scene.world.now;
    let at = |tick| Moment { ledger: now, own: now, tick: Some(tick) };
    assert!(may_release(&scene.world.state, &scene.subject, 1, &at(now - 29)).is_ok());
    let behind = may_release(&scene.world.state, &scene.subject, 1, &at(now - 30));
    assert_eq!(behind, Err(GateRefusal::Behind));
}

#[test]
fn what_was_sealed_to_the_redemptions_key_opens_with_no_other_and_for_no_other_use() {
    let mut scene = accepted(1);
    let secret = scene.redeem();
    let released = scene.world.first_gate(&scene.subject, 1).unwrap();
    let (gate, object) = (scene.world.gates[0].key.public(), *scene.subject.object());
    let open = |secret: &SecretKey, number, ledger: &LedgerId| {
        open_release(&released, &gate, secret, &object, number, ledger).err()
    };
    assert_eq!(open(&secret, 1, &scene.world.ledger), None);
    assert_eq!(open(&scene.desk.box_key, 1, &scene.world.ledger), Some(SmError::Open));
    assert_eq!(open(&secret, 2, &scene.world.ledger), Some(SmError::Form));
    assert_eq!(open(&secret, 1, &LedgerId::from_bytes([9; 32])), Some(SmError::Signature));
    let other = scene.world.hospital.key.public();
    let forged = open_release(&released, &other, &secret, &object, 1, &scene.world.ledger);
    assert_eq!(forged.err(), Some(SmError::Signature));
}

#[test]
fn a_wrong_share_names_its_gate_and_the_others_suffice() {
    let mut scene = accepted(4);
    let secret = scene.redeem();
    let mut releases = scene.world.releases(&scene.subject, 1, &secret).unwrap();
    let foreign = releases[0].1.records[0].share.clone();
    releases[2].1.records[0].share = foreign;
    let (gates, needed) = scene.world.quorum();
    assert_eq!((gates, needed), (4, 3));
    let object = *scene.subject.object();
    let mut gathering = Gathering::new(object, scene.sharing.issued(&scene.world).shares, needed, gates);
    let added = |(gate, release): &(u8, Release), gathering: &mut Gathering| gathering.add(*gate, release);
    assert_eq!(added(&releases[0], &mut gathering), Ok(()));
    assert_eq!(added(&releases[1], &mut gathering), Ok(()));
    assert_eq!(added(&releases[2], &mut gathering), Err(GatheringError::WrongShare { gate: 3 }));
    assert_eq!(gathering.half(0).err(), Some(GatheringError::TooFew { record: 0, have: 2, need: 3 }));
    assert_eq!(added(&releases[3], &mut gathering), Ok(()));
    assert!(gathering.half(0).is_ok());
    // A gate that passes another's share off as its own is named as well.
    let borrowed = (4, releases[0].1.clone());
    assert_eq!(added(&borrowed, &mut gathering), Err(GatheringError::WrongShare { gate: 4 }));
}

#[test]
fn a_gate_takes_only_the_deposit_that_the_grants_key_signed_for_it_on_this_ledger() {
    let mut scene = accepted(4);
    let (deposits, key) = (scene.sharing.draft.deposits.clone(), scene.sharing.draft.key.clone());
    assert_eq!(scene.world.deposit(&deposits, &scene.desk.grantee), Err(GateRefusal::Signature));
    let mut swapped = deposits.clone();
    swapped.swap(0, 1);
    assert_eq!(scene.world.deposit(&swapped, &key), Err(GateRefusal::Shares));
    let mut altered = deposits.clone();
    altered[0].records[0].share = altered[1].records[0].share.clone();
    assert_eq!(scene.world.deposit(&altered, &key), Err(GateRefusal::Shares));
    let mut more = deposits.clone();
    let extra = more[0].commitments[0];
    more[0].commitments.push(extra);
    assert_eq!(scene.world.deposit(&more, &key), Err(GateRefusal::Shares));
    let World { gates, state, now, ledger, random, .. } = &mut scene.world;
    let elsewhere = LedgerId::from_bytes([9; 32]);
    let sealed = deposits[0].seal(&key, &gates[0].day.public(), &elsewhere, random);
    let object = deposits[0].object;
    assert_eq!(gates[0].take(&sealed, &object, state, *now, ledger), Err(GateRefusal::Form));
    let sealed = deposits[0].seal(&key, &gates[1].day.public(), ledger, random);
    assert_eq!(gates[0].take(&sealed, &object, state, *now, ledger), Err(GateRefusal::Form));
}

#[test]
fn a_gate_takes_nothing_for_a_grant_that_the_ledger_does_not_know() {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = [Kept::by_ticket(&mut world, &mut patient)];
    let sharing = Sharing::draft(&mut world, &patient, &records);
    let (deposits, key) = (sharing.draft.deposits.clone(), sharing.draft.key.clone());
    assert_eq!(world.deposit(&deposits, &key), Err(GateRefusal::Unknown));
}
