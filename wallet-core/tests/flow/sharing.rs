//! A grant from the phone's draft to the desk's redemption; and what the drop box must not let through.

use crate::people::{Desk, Organisation, Patient};
use crate::records::Kept;
use crate::world::{DAY, World};
use suishen_core::consent::{
    Asking, AuditorUse, Choice, Consent, DeskIdentity, Draft, DraftError, DraftRecord, Facts, HolderProof,
    IdentityFault, Judged, Message, Payload, PayloadFault, Presence, Receipt, Surroundings,
};
use suishen_core::contract::{
    AcceptGrant, Acceptance, Accepted, IssueGrant, Key, RedeemGrant, Rejection, Role, SignedTransaction,
    Transaction, Views as _,
};
use suishen_core::id::{Commitment, GrantId, HolderId};
use suishen_core::identity::{Chain, Kind};
use suishen_core::sm::{Key32, PublicKey, SecretKey, Signed, SmError};

/// A grant as the phone made it.
pub struct Sharing {
    pub draft: Draft,
}

/// What the patient agreed to.
pub fn consent() -> Consent {
    Consent {
        purpose: "TREAT".into(),
        language: "zh".into(),
        text: "我同意南塘诊所的医师在一小时内查看这份报告两次，可随时撤回。".into(),
    }
}

/// Two reads in an hour, for a physician.
pub const TERMS: Choice =
    Choice { role: Role::Physician, duration: 3600, accept_within: 1800, uses: 2, live: false };

/// The holder's leaf and the anchors under the newest checkpoint, cosigned now.
pub fn proof(world: &World, holder: HolderId, records: &[Commitment]) -> HolderProof {
    HolderProof {
        holder,
        checkpoint: world.note(),
        leaf: world.proven(&Key::Holder(holder)),
        anchors: records.iter().map(|record| world.proven(&Key::Anchor(*record))).collect(),
    }
}

impl Sharing {
    /// Every part of these records, not yet sent.
    pub fn draft(world: &mut World, patient: &Patient, records: &[Kept]) -> Self {
        let drafts = records.iter().map(Kept::whole).collect();
        let auditor = world.state.auditor().unwrap().box_key().unwrap();
        Self::draft_of(world, patient, records, drafts, &auditor)
    }

    /// The records in some shape, with the auditor's box sealed to some key.
    pub fn draft_of(
        world: &mut World,
        patient: &Patient,
        records: &[Kept],
        drafts: Vec<DraftRecord>,
        auditor: &PublicKey,
    ) -> Self {
        let names: Vec<Commitment> = records.iter().map(|record| record.commitment).collect();
        let holder = proof(world, patient.holder, &names);
        let around = Surroundings {
            ledger: &world.ledger.clone(),
            now: world.now,
            gates: world.quorum(),
            auditor,
            authority: &patient.authority(),
        };
        let draft = Draft::new(TERMS, consent(), drafts, holder, &around, &mut world.random).unwrap();
        Self { draft }
    }

    /// The records in some shape, for a role and a time, with the auditor's box as it must be.
    pub fn draft_for(
        world: &mut World,
        patient: &Patient,
        names: &[Commitment],
        drafts: Vec<DraftRecord>,
        choice: Choice,
    ) -> Result<Self, DraftError> {
        let holder = proof(world, patient.holder, names);
        let around = Surroundings {
            ledger: &world.ledger.clone(),
            now: world.now,
            gates: world.quorum(),
            auditor: &world.state.auditor().unwrap().box_key().unwrap(),
            authority: &patient.authority(),
        };
        let draft = Draft::new(choice, consent(), drafts, holder, &around, &mut world.random)?;
        Ok(Self { draft })
    }

    /// Ledger first, then the gates: they take deposits for what stands.
    pub fn send(self, world: &mut World) -> Self {
        world.order(self.draft.transaction.clone()).unwrap();
        world.deposit(&self.draft.deposits, &self.draft.key).unwrap();
        self
    }

    pub fn grant(&self) -> GrantId {
        self.draft.grant
    }

    /// The grant as the ledger has it.
    pub fn issued(&self, world: &World) -> IssueGrant {
        world.state.terms(&self.grant()).unwrap().unwrap().grant
    }

    /// The payload, with the patient's half.
    pub fn payload(&self) -> Payload {
        Payload::open(&self.draft.half, &self.grant(), &self.draft.payload).unwrap()
    }

    /// Puts another grant under the same key before the ledger, as a patient who lies could.
    pub fn altered(&self, world: &World, alter: impl FnOnce(&mut IssueGrant)) -> SignedTransaction {
        let Ok(Transaction::IssueGrant(mut body)) = self.draft.transaction.claimed() else {
            panic!("a grant")
        };
        alter(&mut body);
        SignedTransaction::new(&Transaction::IssueGrant(body), &self.draft.key, &world.ledger)
    }

    /// Accepts with the offer key from the code.
    pub fn accept(&self, world: &mut World, desk: &Desk) -> Result<u64, Rejection> {
        self.accept_with(world, desk, &self.draft.offer)
    }

    fn accept_with(&self, world: &mut World, desk: &Desk, offer: &SecretKey) -> Result<u64, Rejection> {
        let acceptance = Acceptance {
            grant: self.grant(),
            grantee: desk.grantee.public(),
            box_key: desk.box_key.public(),
        };
        let body = AcceptGrant {
            grant: self.grant(),
            credential: desk.credential.clone(),
            acceptance: Signed::new(&acceptance, offer, &world.ledger),
        };
        world.send(Transaction::AcceptGrant(body), &desk.grantee)
    }

    pub fn accepted(&self, world: &World) -> Accepted {
        world.state.terms(&self.grant()).unwrap().unwrap().accepted.unwrap()
    }

    /// What the desk finds in a payload, by the ledger's facts.
    pub fn judge(&self, world: &World, payload: &Payload) -> Result<Judged, PayloadFault> {
        let terms = world.state.terms(&self.grant()).unwrap().unwrap();
        let auditor = world.state.auditor().unwrap();
        payload.judge(&Facts {
            ledger: &world.ledger,
            epoch: &world.epoch(),
            root: &world.root,
            grant: &terms.grant,
            issued: terms.issued,
            auditor: &auditor,
        })
    }
}

/// Makes a grant, sends it, hands the gates their shares.
pub fn share(world: &mut World, patient: &Patient, records: &[Kept]) -> Sharing {
    Sharing::draft(world, patient, records).send(world)
}

/// The person's word for this grant and the key that accepted.
pub fn presence(world: &World, grant: GrantId, desk: &Desk) -> Signed<Presence> {
    Signed::new(&Presence { grant, grantee: desk.grantee.public() }, &desk.person, &world.ledger)
}

/// What the desk tells the auditor of a use of all records.
pub fn told(world: &World, sharing: &Sharing, desk: &Desk, number: u32) -> AuditorUse {
    let records = u32::try_from(sharing.issued(world).records).unwrap();
    AuditorUse {
        grant: sharing.grant(),
        number,
        certificate: desk.chain.leaf().to_der().to_vec(),
        presence: presence(world, sharing.grant(), desk),
        records: (0..records).collect(),
    }
}

/// Redeems a use of all records; the fresh key that the gates seal to.
pub fn redeem(
    world: &mut World,
    sharing: &Sharing,
    desk: &Desk,
    number: u32,
) -> Result<SecretKey, Rejection> {
    let told = told(world, sharing, desk, number);
    let seed = Key32::generate(&mut world.random);
    let auditor = world.state.auditor().unwrap().box_key().unwrap();
    let epk = SecretKey::generate(&mut world.random);
    let body = RedeemGrant {
        grant: sharing.grant(),
        credential: desk.credential.clone(),
        use_number: number.into(),
        records: told.records.iter().map(|record| u64::from(*record)).collect(),
        epk: epk.public(),
        auditor_box: told.seal(&seed, &auditor, &world.ledger).unwrap(),
    };
    world.send(Transaction::RedeemGrant(body), &desk.grantee).map(|_| epk)
}

// ---- who is at the desk --------------------------------------------------------------------------------------

/// A grant that the clinic's physician has accepted.
fn accepted() -> (World, Sharing, Desk) {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = [Kept::by_ticket(&mut world, &mut patient)];
    let sharing = share(&mut world, &patient, &records);
    let desk = world.reading_desk();
    sharing.accept(&mut world, &desk).unwrap();
    (world, sharing, desk)
}

/// What the phone makes of an identity that was sealed to the grant's reply key.
fn shown(
    world: &mut World,
    sharing: &Sharing,
    chain: &Chain,
    presence: Signed<Presence>,
) -> Result<DeskIdentity, IdentityFault> {
    let identity = DeskIdentity { chain: chain.clone(), presence, checkpoint: world.note() };
    let reply = sharing.draft.reply.public();
    let message = identity.seal(&reply, &sharing.grant(), &world.ledger, &mut world.random);
    opened(world, sharing, &message, &sharing.draft.reply)
}

fn opened(
    world: &World,
    sharing: &Sharing,
    message: &Message,
    reply: &SecretKey,
) -> Result<DeskIdentity, IdentityFault> {
    let Message::Desk(sealed) = message else { panic!("an identity") };
    let asking = Asking {
        ledger: &world.ledger,
        root: &world.root,
        grant: &sharing.grant(),
        role: sharing.issued(world).role,
        accepted: &sharing.accepted(world),
    };
    DeskIdentity::open(sealed, reply, &asking)
}

/// Signs "this is me" with a person's key.
fn signs(world: &World, grant: GrantId, grantee: PublicKey, person: &SecretKey) -> Signed<Presence> {
    Signed::new(&Presence { grant, grantee }, person, &world.ledger)
}

#[test]
fn the_phone_shows_only_a_person_of_the_organisation_that_accepted_in_the_role_that_was_chosen() {
    let (mut world, sharing, desk) = accepted();
    let (grant, grantee) = (sharing.grant(), desk.grantee.public());
    let clinic = world.clinic.clone();
    let mut verdict = |organisation: &Organisation, kind, role| {
        let subject = organisation.person("张伟");
        let (chain, key) = organisation.certify(kind, role, subject, &mut world.random);
        let presence = signs(&world, grant, grantee, &key);
        shown(&mut world, &sharing, &chain, presence).err()
    };
    assert_eq!(verdict(&clinic, Kind::PersonSign, Role::Physician), None);
    assert_eq!(verdict(&clinic, Kind::PersonSign, Role::Pharmacist), Some(IdentityFault::Role));
    assert_eq!(verdict(&clinic, Kind::ServerSign, Role::Physician), Some(IdentityFault::Role));
    assert_eq!(verdict(&clinic, Kind::PersonSeal, Role::Physician), Some(IdentityFault::Role));
    let hospital = world.hospital.clone();
    let mut verdict = |organisation: &Organisation| {
        let subject = organisation.person("张伟");
        let (chain, key) =
            organisation.certify(Kind::PersonSign, Role::Physician, subject, &mut world.random);
        let presence = signs(&world, grant, grantee, &key);
        shown(&mut world, &sharing, &chain, presence).err()
    };
    assert_eq!(verdict(&hospital), Some(IdentityFault::Organisation));
    // An organisation's own certificate names nobody.
    let chain = Chain::new(vec![clinic.certificate.clone()]).unwrap();
    let presence = signs(&world, grant, grantee, &clinic.key);
    assert_eq!(shown(&mut world, &sharing, &chain, presence).err(), Some(IdentityFault::Role));
}

#[test]
fn the_phone_shows_nobody_who_signed_for_another_grant_or_key_or_not_at_all() {
    let (mut world, sharing, desk) = accepted();
    let (grant, grantee) = (sharing.grant(), desk.grantee.public());
    let forgeries = [
        signs(&world, GrantId::from_bytes([1; 32]), grantee, &desk.person),
        signs(&world, grant, desk.box_key.public(), &desk.person),
        signs(&world, grant, grantee, &desk.grantee),
    ];
    for presence in forgeries {
        let verdict = shown(&mut world, &sharing, &desk.chain, presence);
        assert_eq!(verdict.err(), Some(IdentityFault::Presence));
    }
}

#[test]
fn the_phone_shows_nobody_whose_certificate_had_ended_or_is_of_another_consortium() {
    let (mut world, sharing, desk) = accepted();
    let presence = presence(&world, sharing.grant(), &desk);
    let identity = DeskIdentity { chain: desk.chain.clone(), presence, checkpoint: world.note() };
    let reply = sharing.draft.reply.public();
    let message = identity.seal(&reply, &sharing.grant(), &world.ledger, &mut world.random);
    let Message::Desk(sealed) = &message else { panic!("an identity") };
    let verdict = |at: u64, root| {
        let accepted = Accepted { at, ..sharing.accepted(&world) };
        let asking = Asking {
            ledger: &world.ledger,
            root,
            grant: &sharing.grant(),
            role: Role::Physician,
            accepted: &accepted,
        };
        DeskIdentity::open(sealed, &sharing.draft.reply, &asking).err()
    };
    assert_eq!(verdict(world.now, &world.root), None);
    assert_eq!(verdict(world.now + 89 * DAY, &world.root), Some(IdentityFault::Certificate));
    let other = World::of(4).root;
    assert_eq!(verdict(world.now, &other), Some(IdentityFault::Certificate));
}

#[test]
fn an_identity_opens_with_the_grants_reply_key_and_says_no_more_by_its_size() {
    let (mut world, sharing, desk) = accepted();
    let presence = presence(&world, sharing.grant(), &desk);
    let mut sizes = Vec::new();
    for name in ["李静", "欧阳娜娜"] {
        let subject = world.clinic.person(name);
        let clinic = world.clinic.clone();
        let (chain, _) = clinic.certify(Kind::PersonSign, Role::Physician, subject, &mut world.random);
        let identity = DeskIdentity { chain, presence: presence.clone(), checkpoint: world.note() };
        let reply = sharing.draft.reply.public();
        let message = identity.seal(&reply, &sharing.grant(), &world.ledger, &mut world.random);
        let Message::Desk(sealed) = &message else { panic!("an identity") };
        sizes.push(sealed.len());
        let verdict = opened(&world, &sharing, &message, &sharing.draft.offer);
        assert_eq!(verdict.err(), Some(IdentityFault::Box));
    }
    assert_eq!(sizes[0], sizes[1]);
}

// ---- acceptance, half, receipt -------------------------------------------------------------------------------

#[test]
fn nobody_accepts_without_the_offer_key_and_nobody_after_the_first() {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = [Kept::by_ticket(&mut world, &mut patient)];
    let sharing = share(&mut world, &patient, &records);
    let (desk, late) = (world.reading_desk(), world.reading_desk());
    let forged = sharing.accept_with(&mut world, &desk, &desk.grantee);
    assert_eq!(forged, Err(Rejection::AcceptanceSignature));
    assert_eq!(redeem(&mut world, &sharing, &desk, 1).err(), Some(Rejection::NotAccepted));
    sharing.accept(&mut world, &desk).unwrap();
    assert_eq!(sharing.accept(&mut world, &late), Err(Rejection::AlreadyAccepted));
    assert_eq!(redeem(&mut world, &sharing, &late, 1).err(), Some(Rejection::OtherGrantee));
}

#[test]
fn nobody_accepts_after_half_an_hour_or_in_another_role() {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = [Kept::by_ticket(&mut world, &mut patient)];
    let sharing = share(&mut world, &patient, &records);
    let issuer = world.issuing_desk();
    assert_eq!(sharing.accept(&mut world, &issuer), Err(Rejection::CredentialRole));
    let desk = world.reading_desk();
    world.wait(TERMS.accept_within);
    assert_eq!(sharing.accept(&mut world, &desk), Err(Rejection::AcceptedTooLate));
}

#[test]
fn a_grant_that_was_held_back_for_over_ten_minutes_is_not_included() {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = [Kept::by_ticket(&mut world, &mut patient)];
    let sharing = Sharing::draft(&mut world, &patient, &records);
    world.wait(600);
    assert_eq!(world.order(sharing.draft.transaction), Err(Rejection::IncludeBefore));
}

#[test]
fn a_grant_for_one_ledger_stands_on_no_other() {
    let mut world = World::new();
    let mut patient = Patient::open(&mut world);
    let records = [Kept::by_ticket(&mut world, &mut patient)];
    let sharing = Sharing::draft(&mut world, &patient, &records);
    let mut other = World::of(4);
    assert_eq!(other.order(sharing.draft.transaction), Err(Rejection::Signature));
    assert_eq!(other.order(patient.opening()), Err(Rejection::Signature));
}

#[test]
fn the_half_opens_with_the_box_key_that_accepted_for_this_grant_only() {
    let (mut world, sharing, desk) = accepted();
    let (half, accepted) = (&sharing.draft.half, sharing.accepted(&world));
    let message = Message::half(half, &accepted, &sharing.grant(), &world.ledger, &mut world.random);
    let Message::Half(sealed) = message else { panic!("a half") };
    let open = |key: &SecretKey, grant| Message::open_half(&sealed, key, &grant, &world.ledger);
    assert_eq!(open(&desk.box_key, sharing.grant()), Ok(half.clone()));
    assert_eq!(open(&desk.grantee, sharing.grant()), Err(SmError::Open));
    assert_eq!(open(&desk.box_key, GrantId::from_bytes([1; 32])), Err(SmError::Open));
}

#[test]
fn a_receipt_counts_only_by_the_key_that_accepted_and_for_its_grant() {
    let (mut world, sharing, desk) = accepted();
    let (reply, ledger, grant) = (&sharing.draft.reply, world.ledger, sharing.grant());
    let receipt = Receipt { grant, number: 1, records: vec![0], checkpoint: world.note() };
    let open = |message: &Message, grant| {
        let Message::Receipt(sealed) = message else { panic!("a receipt") };
        Receipt::open(sealed, reply, &desk.grantee.public(), &grant, &ledger).map(|(receipt, _)| receipt)
    };
    let honest = receipt.seal(&desk.grantee, &reply.public(), &ledger, &mut world.random);
    assert_eq!(open(&honest, grant), Ok(receipt.clone()));
    let forged = receipt.seal(&desk.box_key, &reply.public(), &ledger, &mut world.random);
    assert_eq!(open(&forged, grant), Err(SmError::Signature));
    let other = GrantId::from_bytes([1; 32]);
    assert_eq!(open(&honest, other), Err(SmError::Open));
}
