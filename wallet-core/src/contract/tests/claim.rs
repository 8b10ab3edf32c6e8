//! Claims: each payer slot of an invoice once, at whichever insurer.

use super::super::ReversalReason::{Duplicate, Error, OnPaper, PaidBack, Reversed};
use super::super::*;
use super::world::*;
use crate::consent::{REVERSAL_BOX, SETTLEMENT_BOX, USE_BOX};
use crate::id::{GrantId, TagId};
use crate::sm::{SecretKey, Signed};

const INSURER: &str = "91INSURER";
const RIVAL: &str = "91RIVAL";
const VOUCHER: u16 = 700;
const TAG: u16 = 710;

/// A claim grant that an insurer's desk has accepted and redeemed.
struct Redeemed {
    grant: GrantId,
    key: SecretKey,
    desk: Desk,
}

/// Hospital with a voucher key, two insurers that may settle either slot.
fn insured() -> World {
    let mut world = World::open();
    for code in [INSURER, RIVAL] {
        let roles = vec![Role::InsurerStatutory, Role::InsurerCommercial];
        world.vote(&registration(code, 1, roles)).unwrap();
    }
    rotate(&mut world, HOSPITAL, 1, VOUCHER);
    world
}

fn rotate(world: &mut World, code: &str, sequence: u64, voucher: u16) {
    let body = RotateKeys { party: party(code), sequence, which: Rotated::Voucher, key: public(voucher) };
    world.take(&Transaction::RotateKeys(body), &certified_key(code)).unwrap();
}

fn voucher(tag: u16, slot: Slot) -> Voucher {
    Voucher { issuer: party(HOSPITAL), tag: public(tag), slot }
}

/// A claim grant of its own number, accepted by a desk of its own.
fn accepted(world: &mut World, number: u16, code: &str, slot: Slot) -> (IssueGrant, Redeemed) {
    let (key, offer) = (key(800 + number), public(OFFER));
    let (kind, role) = (Kind::Claim, slot.role());
    let body = IssueGrant { key: key.public(), offer, kind, role, duration: 180 * DAY, ..grant(world.now) };
    world.take(&Transaction::IssueGrant(body.clone()), &key).unwrap();
    let desk = Desk::numbered(900 + 2 * number, code, role, world.now);
    let acceptance = world.acceptance(&body, &desk);
    world.take(&acceptance, &desk.key()).unwrap();
    let grant = world.grant_id(&body);
    (body, Redeemed { grant, key, desk })
}

fn redeemed(world: &mut World, number: u16, code: &str, slot: Slot) -> Redeemed {
    let (body, redeemed) = accepted(world, number, code, slot);
    world.redeem(&body, &redeemed.desk, 1).unwrap();
    redeemed
}

fn settlement(world: &World, by: &Redeemed, voucher: &Voucher, tag: u16) -> SettleClaim {
    SettleClaim {
        grant: by.grant,
        credential: world.credential(&by.desk),
        voucher: Signed::new(voucher, &key(VOUCHER), &world.ledger),
        proof: Signed::new(&TagProof { grant: by.grant }, &key(tag), &world.ledger),
        auditor_box: vec![1; SETTLEMENT_BOX],
        include_before: world.now + 600,
    }
}

fn settle(world: &mut World, by: &Redeemed, tag: u16, slot: Slot) -> Result<u64, Rejection> {
    let body = settlement(world, by, &voucher(tag, slot), tag);
    world.take(&Transaction::SettleClaim(body), &by.desk.key())
}

/// A fresh desk's word for an organisation: an insurer's for what is settled, a hospital's for the invoice.
fn reversal(world: &World, (code, role): (&str, Role), voucher: &Voucher) -> (ReverseClaim, Desk) {
    let desk = Desk::numbered(990, code, role, world.now);
    let by_hospital = role == Role::Issuer;
    let settled = world.state.claim(&TagId::of(voucher)).unwrap().and_then(|claim| claim.settlement);
    let settlement = settled.map(|settled| Settled { grant: settled.grant, entry: settled.entry });
    let body = ReverseClaim {
        credential: world.credential(&desk),
        voucher: Signed::new(voucher, &key(VOUCHER), &world.ledger),
        settlement: settlement.filter(|_| !by_hospital),
        why: if by_hospital { ReversalReason::Reversed } else { ReversalReason::Duplicate },
        auditor_box: vec![1; REVERSAL_BOX],
        include_before: world.now + 600,
    };
    (body, desk)
}

fn reverse_as(
    world: &mut World,
    who: (&str, Role),
    voucher: &Voucher,
    change: impl FnOnce(&mut ReverseClaim),
) -> Result<u64, Rejection> {
    let (mut body, desk) = reversal(world, who, voucher);
    change(&mut body);
    world.take(&Transaction::ReverseClaim(body), &desk.key())
}

fn reverse(world: &mut World, who: (&str, Role), voucher: &Voucher) -> Result<u64, Rejection> {
    reverse_as(world, who, voucher, |_| ())
}

fn claim(world: &World, voucher: &Voucher) -> Claim {
    world.state.claim(&TagId::of(voucher)).unwrap().unwrap()
}

const HOSPITALS: (&str, Role) = (HOSPITAL, Role::Issuer);

#[test]
fn a_claim_goes_to_an_insurer_for_half_a_year_at_most() {
    let mut world = insured();
    let mut issue = |number: u16, change: &dyn Fn(&mut IssueGrant)| {
        let key = key(800 + number);
        let mut body = IssueGrant {
            key: key.public(),
            kind: Kind::Claim,
            role: Role::InsurerCommercial,
            duration: 180 * DAY,
            ..grant(world.now)
        };
        change(&mut body);
        world.take(&Transaction::IssueGrant(body), &key)
    };
    assert_eq!(issue(1, &|g| g.role = Role::Physician), Err(Rejection::ClaimRole));
    assert_eq!(issue(1, &|g| g.duration += 1), Err(Rejection::Duration));
    assert_eq!(issue(1, &|g| g.accept_within = 90 * DAY + 1), Err(Rejection::AcceptWithin));
    assert!(issue(1, &|g| g.accept_within = 90 * DAY).is_ok(), "a server accepts at night");
    assert!(issue(2, &|_| ()).is_ok());
}

#[test]
fn a_slot_is_settled_once_at_whichever_insurer_in_whichever_order() {
    for first in [INSURER, RIVAL] {
        let mut world = insured();
        let mine = redeemed(&mut world, 1, INSURER, Slot::Commercial);
        let theirs = redeemed(&mut world, 2, RIVAL, Slot::Commercial);
        let (first, second) = if first == INSURER { (mine, theirs) } else { (theirs, mine) };
        let entry = settle(&mut world, &first, TAG, Slot::Commercial).unwrap();
        assert_eq!(settle(&mut world, &second, TAG, Slot::Commercial), Err(Rejection::ClaimSettled));
        let mut again = settlement(&world, &first, &voucher(TAG, Slot::Commercial), TAG);
        again.auditor_box[0] = 2;
        let again = world.take(&Transaction::SettleClaim(again), &first.desk.key());
        assert_eq!(again, Err(Rejection::ClaimSettled));
        let claim = claim(&world, &voucher(TAG, Slot::Commercial));
        let (party, grant) = (first.desk.credential.party.clone(), first.grant);
        assert_eq!(claim.settlement, Some(Settlement { party, grant, at: world.now, entry }));
        // Another invoice's slot isn't touched.
        settle(&mut world, &second, TAG + 1, Slot::Commercial).unwrap();
    }
}

#[test]
fn statutory_and_commercial_insurance_have_a_slot_each() {
    let mut world = insured();
    let statutory = redeemed(&mut world, 1, INSURER, Slot::Statutory);
    let commercial = redeemed(&mut world, 2, RIVAL, Slot::Commercial);
    assert_eq!(settle(&mut world, &statutory, TAG, Slot::Commercial), Err(Rejection::WrongSlot));
    settle(&mut world, &statutory, TAG, Slot::Statutory).unwrap();
    settle(&mut world, &commercial, TAG + 1, Slot::Commercial).unwrap();
}

#[test]
fn an_invented_tag_is_not_settled() {
    let mut world = insured();
    let by = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    let invented = voucher(TAG, Slot::Commercial);
    let take = |world: &mut World, voucher: &Voucher, signer: u16| {
        let mut body = settlement(world, &by, voucher, TAG);
        body.voucher = Signed::new(voucher, &key(signer), &world.ledger);
        world.take(&Transaction::SettleClaim(body), &by.desk.key())
    };
    assert_eq!(take(&mut world, &invented, VOUCHER + 1), Err(Rejection::Voucher));
    // A hospital's key vouches for that hospital only.
    let other = Voucher { issuer: party(CLINIC), ..invented.clone() };
    assert_eq!(take(&mut world, &other, VOUCHER), Err(Rejection::Voucher));
    let nobody = Voucher { issuer: party("91NOBODY"), ..invented.clone() };
    assert_eq!(take(&mut world, &nobody, VOUCHER), Err(Rejection::UnknownParty));
    // Whoever changes the slot in the voucher has no signature for it.
    let mut moved = settlement(&world, &by, &invented, TAG);
    let statutory = voucher(TAG, Slot::Statutory);
    moved.voucher = forged(&statutory, &public(VOUCHER));
    let verdict = world.take(&Transaction::SettleClaim(moved), &by.desk.key());
    assert_eq!(verdict, Err(Rejection::Voucher));
    assert!(take(&mut world, &invented, VOUCHER).is_ok());
}

#[test]
fn a_tag_that_was_seen_on_the_ledger_is_not_settled_with() {
    let mut world = insured();
    let mine = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    let theirs = redeemed(&mut world, 2, RIVAL, Slot::Commercial);
    let seen = settlement(&world, &mine, &voucher(TAG, Slot::Commercial), TAG);
    let take = |world: &mut World, body: SettleClaim| {
        world.take(&Transaction::SettleClaim(body), &theirs.desk.key())
    };
    // Copied as it is, under one's own grant, with one's own key's word, with one's own word in the tag's name.
    let credential = world.credential(&theirs.desk);
    let copied = SettleClaim { grant: theirs.grant, credential, ..seen.clone() };
    assert_eq!(take(&mut world, copied.clone()), Err(Rejection::TagProof));
    let own = TagProof { grant: theirs.grant };
    let proof = Signed::new(&own, &theirs.desk.key(), &world.ledger);
    assert_eq!(take(&mut world, SettleClaim { proof, ..copied.clone() }), Err(Rejection::TagSignature));
    let proof = forged(&own, &public(TAG));
    assert_eq!(take(&mut world, SettleClaim { proof, ..copied.clone() }), Err(Rejection::TagSignature));
    // For another ledger.
    let proof = Signed::new(&own, &key(TAG), &LedgerId::from_bytes([9; 32]));
    assert_eq!(take(&mut world, SettleClaim { proof, ..copied }), Err(Rejection::TagSignature));
    assert_eq!(take(&mut world, seen), Err(Rejection::Signature));
}

#[test]
fn another_insurers_grant_does_not_settle() {
    let mut world = insured();
    let mine = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    let theirs = redeemed(&mut world, 2, RIVAL, Slot::Commercial);
    let by = Redeemed { desk: theirs.desk.clone(), key: mine.key.clone(), grant: mine.grant };
    assert_eq!(settle(&mut world, &by, TAG, Slot::Commercial), Err(Rejection::OtherGrantee));
    // Nor does a colleague's key, or the same key with another box.
    let colleague = Desk::numbered(970, INSURER, Role::InsurerCommercial, world.now);
    let by = Redeemed { desk: colleague, ..by };
    assert_eq!(settle(&mut world, &by, TAG, Slot::Commercial), Err(Rejection::OtherGrantee));
}

#[test]
fn a_grant_to_read_settles_nothing() {
    let mut world = insured();
    let (grant, desk) = world.accepted(|_| ());
    world.redeem(&grant, &desk, 1).unwrap();
    let by = Redeemed { grant: world.grant_id(&grant), key: key(GRANT), desk };
    assert_eq!(settle(&mut world, &by, TAG, Slot::Commercial), Err(Rejection::NotAClaim));
}

#[test]
fn what_was_not_opened_is_not_settled() {
    let mut world = insured();
    let (body, by) = accepted(&mut world, 1, INSURER, Slot::Commercial);
    assert_eq!(settle(&mut world, &by, TAG, Slot::Commercial), Err(Rejection::NotRedeemed));
    world.redeem(&body, &by.desk, 1).unwrap();
    settle(&mut world, &by, TAG, Slot::Commercial).unwrap();
    let unknown = Redeemed { grant: GrantId::from_bytes([1; 32]), ..by };
    assert_eq!(settle(&mut world, &unknown, TAG, Slot::Commercial), Err(Rejection::UnknownGrant));
}

#[test]
fn after_its_end_or_its_revocation_a_grant_settles_nothing() {
    let mut world = insured();
    let (early, late) = (
        redeemed(&mut world, 1, INSURER, Slot::Commercial),
        redeemed(&mut world, 2, RIVAL, Slot::Commercial),
    );
    let revocation = Transaction::RevokeGrant(RevokeGrant { grant: early.grant });
    world.take(&revocation, &early.key).unwrap();
    assert_eq!(settle(&mut world, &early, TAG, Slot::Commercial), Err(Rejection::GrantRevoked));
    world.now += 180 * DAY - 1;
    let renewed = Redeemed { desk: late.desk.clone().until(world.now + HOUR), ..late };
    settle(&mut world, &renewed, TAG, Slot::Commercial).unwrap();
    world.now += 1;
    assert_eq!(settle(&mut world, &renewed, TAG + 1, Slot::Commercial), Err(Rejection::GrantExpired));
}

#[test]
fn an_insurer_that_is_suspended_or_a_desk_whose_credential_ended_settles_nothing() {
    let mut world = insured();
    let by = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    world.now += 12 * HOUR;
    assert_eq!(settle(&mut world, &by, TAG, Slot::Commercial), Err(Rejection::CredentialExpired));
    let by = Redeemed { desk: by.desk.clone().until(world.now + HOUR), ..by };
    world.suspend(INSURER, world.now);
    assert_eq!(settle(&mut world, &by, TAG, Slot::Commercial), Err(Rejection::PartySuspended));
}

#[test]
fn a_voucher_outlives_its_key_and_its_hospitals_standing() {
    let mut world = insured();
    let by = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    rotate(&mut world, HOSPITAL, 2, VOUCHER + 1);
    world.suspend(HOSPITAL, START);
    settle(&mut world, &by, TAG, Slot::Commercial).unwrap();
}

#[test]
fn the_settling_insurer_reverses_and_the_slot_is_open_again() {
    let mut world = insured();
    let mine = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    let theirs = redeemed(&mut world, 2, RIVAL, Slot::Commercial);
    let voucher = voucher(TAG, Slot::Commercial);
    let (me, them) = ((INSURER, Role::InsurerCommercial), (RIVAL, Role::InsurerCommercial));
    assert_eq!(reverse(&mut world, me, &voucher), Err(Rejection::NotSettled));
    let settled = settle(&mut world, &mine, TAG, Slot::Commercial).unwrap();
    assert_eq!(reverse(&mut world, them, &voucher), Err(Rejection::OtherInsurer));
    for wrong in [
        None,
        Some(Settled { grant: theirs.grant, entry: settled }),
        Some(Settled { grant: mine.grant, entry: settled + 1 }),
    ] {
        let verdict = reverse_as(&mut world, me, &voucher, |body| body.settlement = wrong);
        assert_eq!(verdict, Err(Rejection::OtherInsurer));
    }
    let other_slot = (INSURER, Role::InsurerStatutory);
    assert_eq!(reverse(&mut world, other_slot, &voucher), Err(Rejection::WrongSlot));
    let count = world.state.grant(&mine.grant).unwrap().unwrap().count;
    let entry = reverse(&mut world, me, &voucher).unwrap();
    let open = claim(&world, &voucher);
    assert!(open.is_open());
    assert_eq!(open.reversal, Some(Reversal { why: ReversalReason::Duplicate, at: world.now, entry }));
    let leaf = world.state.grant(&mine.grant).unwrap().unwrap();
    assert_eq!(leaf.count, count + 1, "the patient's log shows it");
    settle(&mut world, &theirs, TAG, Slot::Commercial).unwrap();
}

#[test]
fn a_void_invoice_is_never_settled_and_a_settled_one_raises_a_flag() {
    let mut world = insured();
    let by = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    let open = voucher(TAG, Slot::Commercial);
    reverse(&mut world, HOSPITALS, &open).unwrap();
    assert!(!claim(&world, &open).is_flagged() && !claim(&world, &open).is_open());
    assert_eq!(settle(&mut world, &by, TAG, Slot::Commercial), Err(Rejection::ClaimVoid));
    world.now += 1;
    assert_eq!(reverse(&mut world, HOSPITALS, &open), Err(Rejection::ClaimVoid));

    settle(&mut world, &by, TAG + 1, Slot::Commercial).unwrap();
    let settled = voucher(TAG + 1, Slot::Commercial);
    reverse(&mut world, HOSPITALS, &settled).unwrap();
    assert!(claim(&world, &settled).is_flagged());
    // The insurer takes its part back; the invoice stays void.
    let me = (INSURER, Role::InsurerCommercial);
    reverse(&mut world, me, &settled).unwrap();
    assert!(!claim(&world, &settled).is_flagged());
    let mut again = settlement(&world, &by, &settled, TAG + 1);
    again.auditor_box[0] = 2;
    let verdict = world.take(&Transaction::SettleClaim(again), &by.desk.key());
    assert_eq!(verdict, Err(Rejection::ClaimVoid));
}

#[test]
fn a_hospital_reverses_its_own_invoices_only_and_closes_no_other_hospitals_slot() {
    let mut world = insured();
    world.vote(&registration("91OTHER", 1, vec![Role::Issuer])).unwrap();
    rotate(&mut world, "91OTHER", 1, VOUCHER + 5);
    let mine = voucher(TAG, Slot::Commercial);
    let other = ("91OTHER", Role::Issuer);
    assert_eq!(reverse(&mut world, other, &mine), Err(Rejection::OtherVoucher));
    let known = Some(Settled { grant: GrantId::from_bytes([1; 32]), entry: 1 });
    let verdict = reverse_as(&mut world, HOSPITALS, &mine, |body| body.settlement = known);
    assert_eq!(verdict, Err(Rejection::OtherVoucher), "a hospital knows no grant");
    // It saw the tag pass, vouches for it too and reverses that: a slot of its own.
    let stolen = Voucher { issuer: party("91OTHER"), ..mine.clone() };
    let signed = Signed::new(&stolen, &key(VOUCHER + 5), &world.ledger);
    reverse_as(&mut world, other, &stolen, |body| body.voucher = signed).unwrap();
    let by = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    settle(&mut world, &by, TAG, Slot::Commercial).unwrap();
    assert!(claim(&world, &mine).settlement.is_some() && claim(&world, &stolen).void.is_some());
}

#[test]
fn settlements_and_reversals_carry_a_box_of_one_size_and_come_in_time_or_not_at_all() {
    let mut world = insured();
    let by = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    let voucher = voucher(TAG, Slot::Commercial);
    let mut take = |change: &dyn Fn(&mut SettleClaim)| {
        let mut body = settlement(&world, &by, &voucher, TAG);
        change(&mut body);
        world.take(&Transaction::SettleClaim(body), &by.desk.key())
    };
    for size in [0, SETTLEMENT_BOX - 1, SETTLEMENT_BOX + 1, USE_BOX] {
        assert_eq!(take(&|body| body.auditor_box = vec![1; size]), Err(Rejection::AuditorBox));
    }
    assert_eq!(take(&|body| body.include_before = START - 1), Err(Rejection::IncludeBefore));
    assert_eq!(take(&|body| body.include_before = u64::MAX), Err(Rejection::IncludeBefore));
    for size in [0, REVERSAL_BOX - 1, REVERSAL_BOX + 1, USE_BOX] {
        let verdict = reverse_as(&mut world, HOSPITALS, &voucher, |body| body.auditor_box = vec![1; size]);
        assert_eq!(verdict, Err(Rejection::AuditorBox));
    }
    let late = reverse_as(&mut world, HOSPITALS, &voucher, |body| body.include_before = START - 1);
    assert_eq!(late, Err(Rejection::IncludeBefore));
}

#[test]
fn a_reason_to_reverse_is_an_insurers_or_a_hospitals() {
    let mut world = insured();
    let by = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    settle(&mut world, &by, TAG, Slot::Commercial).unwrap();
    let voucher = voucher(TAG, Slot::Commercial);
    let me = (INSURER, Role::InsurerCommercial);
    for (who, wrong) in
        [(me, Reversed), (me, OnPaper), (HOSPITALS, Error), (HOSPITALS, Duplicate), (HOSPITALS, PaidBack)]
    {
        let verdict = reverse_as(&mut world, who, &voucher, |body| body.why = wrong);
        assert_eq!(verdict, Err(Rejection::ReversalReason));
    }
    assert!(reverse_as(&mut world, HOSPITALS, &voucher, |body| body.why = OnPaper).is_ok());
}

#[test]
fn what_was_reversed_once_and_settled_again_takes_a_reversal_of_its_own() {
    let mut world = insured();
    let by = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    let voucher = voucher(TAG, Slot::Commercial);
    settle(&mut world, &by, TAG, Slot::Commercial).unwrap();
    let (first, desk) = reversal(&world, (INSURER, Role::InsurerCommercial), &voucher);
    world.take(&Transaction::ReverseClaim(first), &desk.key()).unwrap();
    let mut again = settlement(&world, &by, &voucher, TAG);
    again.auditor_box[0] = 2;
    world.take(&Transaction::SettleClaim(again), &by.desk.key()).unwrap();
    let (second, desk) = reversal(&world, (INSURER, Role::InsurerCommercial), &voucher);
    world.take(&Transaction::ReverseClaim(second), &desk.key()).unwrap();
    assert!(claim(&world, &voucher).is_open());
}

#[test]
fn a_grant_is_settled_and_taken_back_sixteen_times_and_not_without_end() {
    let mut world = insured();
    let by = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    let voucher = voucher(TAG, Slot::Commercial);
    let again = |world: &mut World, n: u8| {
        let mut body = settlement(world, &by, &voucher, TAG);
        body.auditor_box[0] = n;
        world.take(&Transaction::SettleClaim(body), &by.desk.key())
    };
    for n in 0..16 {
        again(&mut world, n).unwrap();
        let (back, desk) = reversal(&world, (INSURER, Role::InsurerCommercial), &voucher);
        world.take(&Transaction::ReverseClaim(back), &desk.key()).unwrap();
    }
    assert_eq!(again(&mut world, 16), Err(Rejection::GrantExhausted));
    // The patient's next consent settles it.
    let next = redeemed(&mut world, 2, INSURER, Slot::Commercial);
    settle(&mut world, &next, TAG, Slot::Commercial).unwrap();
}

/// An insurer that was shown an invoice, and from which it was taken back, makes a claim grant for itself.
#[test]
fn a_tag_given_under_one_grant_settles_under_no_other() {
    let mut world = insured();
    let given = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    let body = settlement(&world, &given, &voucher(TAG, Slot::Commercial), TAG);
    world.take(&Transaction::RevokeGrant(RevokeGrant { grant: given.grant }), &given.key).unwrap();
    let own = redeemed(&mut world, 2, INSURER, Slot::Commercial);
    let moved = SettleClaim {
        grant: own.grant,
        credential: world.credential(&own.desk),
        include_before: world.now + 600,
        ..body
    };
    let verdict = world.take(&Transaction::SettleClaim(moved), &own.desk.key());
    assert_eq!(verdict, Err(Rejection::TagProof));
}

#[test]
fn a_settlement_extends_its_grants_chain() {
    let mut world = insured();
    let by = redeemed(&mut world, 1, INSURER, Slot::Commercial);
    let before = world.state.grant(&by.grant).unwrap().unwrap();
    let body = settlement(&world, &by, &voucher(TAG, Slot::Commercial), TAG);
    let transaction = Transaction::SettleClaim(body);
    world.take(&transaction, &by.desk.key()).unwrap();
    let after = world.state.grant(&by.grant).unwrap().unwrap();
    let chain = extend_chain(&before.chain, &transaction.id(), world.now);
    assert_eq!((after.chain, after.count, after.uses), (chain, before.count + 1, before.uses));
}
