//! An insurer's server at a grant: shown to the patient as what it is, and in no other role.

use crate::people::Patient;
use crate::records::Kept;
use crate::sharing::{Sharing, presence, redeem};
use crate::world::{DAY, World};
use suishen_core::consent::{Asking, Choice, DeskIdentity, IdentityFault, Message};
use suishen_core::contract::{Role, Slot};
use suishen_core::identity::{Kind, Subject};
use suishen_core::report::claim::proposal;
use suishen_core::report::{ClaimTag, InvoiceNumber};
use suishen_core::sm::Key32;

const INVOICE: &[u8] = include_bytes!("../../../samples/invoice/report.json");

#[test]
fn the_phone_shows_an_insurers_server_by_its_name_and_in_no_other_role() {
    let mut world = World::of(4);
    let patient = Patient::open(&mut world);
    let number = InvoiceNumber::in_report(INVOICE).unwrap().unwrap();
    let secret = Key32::from_bytes([77; 32]);
    let tags = ClaimTag::both(&secret, &world.hospital.id, &number, &world.voucher, &world.ledger);
    let record = Kept::invoice(&mut world, &patient, INVOICE, &tags);
    let openings = proposal(&record.openings, Slot::Commercial, None).unwrap().openings(&record.openings);
    let choice = Choice {
        role: Role::InsurerCommercial,
        duration: 30 * DAY,
        accept_within: 15 * DAY,
        uses: 2,
        live: false,
    };
    let drafts = vec![record.in_groups(openings)];
    let sharing = Sharing::draft_for(&mut world, &patient, &[record.commitment], drafts, choice).unwrap();
    let sharing = sharing.send(&mut world);

    let insurer = world.insurer.clone();
    let mut desk = world.claims_desk(&insurer, Role::InsurerCommercial);
    let subject = Subject { name: Some("理赔服务器".into()), ..insurer.certificate.subject().clone() };
    (desk.chain, desk.person) =
        insurer.certify(Kind::ServerSign, Role::InsurerCommercial, subject, &mut world.random);
    sharing.accept(&mut world, &desk).unwrap();
    let grant = sharing.grant();
    let identity = DeskIdentity {
        chain: desk.chain.clone(),
        presence: presence(&world, grant, &desk),
        checkpoint: world.note(),
    };
    let reply = sharing.draft.reply.public();
    let Message::Desk(sealed) = identity.seal(&reply, &grant, &world.ledger, &mut world.random) else {
        panic!("an identity")
    };
    let accepted = sharing.accepted(&world);
    let open = |role| {
        let (ledger, root) = (&world.ledger, &world.root);
        let asking = Asking { ledger, root, grant: &grant, role, accepted: &accepted };
        DeskIdentity::open(&sealed, &sharing.draft.reply, &asking)
    };
    let shown = open(Role::InsurerCommercial).unwrap();
    assert_eq!(shown.chain.leaf().subject().name.as_deref(), Some("理赔服务器"));
    assert_eq!(open(Role::InsurerStatutory).err(), Some(IdentityFault::Role));
    redeem(&mut world, &sharing, &desk, 1).unwrap();
}
