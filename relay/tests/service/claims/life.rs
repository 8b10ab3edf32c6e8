//! From an issued invoice to its settlement, refusal and reversal, without a door.

use super::world::{FUND, INSURER, RIVAL, Server, World, damage, offer};
use crate::{process::suishen, relay::credential};
use axum::http::Method;
use suishen_core::{
    cbor,
    consent::{Answer, AuditorReversal, Decision, Message, Reversing},
    contract::{ReversalReason, Role, SignedTransaction, Slot},
    sm::{Key32, Signed},
};
use suishen_relay::{
    claims::{DeskError, Refusal, enrolment::StartError, held::State},
    client::ClientError,
    random::SystemRandom,
};

fn refused<T: core::fmt::Debug>(result: Result<T, DeskError>) -> Refusal {
    match result {
        Err(DeskError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_claim_is_opened_settled_once_taken_back_and_settled_elsewhere() {
    let world = World::found().await;
    let (insurer, rival) = (world.insurer().await, world.server(RIVAL, Role::InsurerCommercial).await);
    let (made, claim) = world.opened(&insurer, Slot::Commercial).await;
    let (theirs, other) = world.opened(&rival, Slot::Commercial).await;

    let seen = insurer.desk.seen(&insurer.desk.claim(&claim).unwrap()).unwrap();
    assert_eq!(seen.report.withheld, 6);
    assert_eq!(seen.shown.invoice.payable(Slot::Commercial).unwrap().to_string(), "9927.86 CNY");
    assert_eq!(refused(insurer.desk.decide(&claim, "9927.87", "").await), Refusal::Amount);
    assert_eq!(refused(insurer.desk.decide(&claim, "100", " ").await), Refusal::Reason);
    assert_eq!(refused(insurer.desk.reverse(&claim, ReversalReason::Error, "x").await), Refusal::NotSettled);

    let held = insurer.desk.decide(&claim, "7927.86", "超出约定的自费项目").await.unwrap();
    assert_eq!(held.state(), State::Settled);
    let again = insurer.desk.decide(&claim, "7927.86", "超出约定的自费项目").await.unwrap();
    assert_eq!(again.settled(), held.settled(), "a repeat is the same entry");
    assert_eq!(refused(insurer.desk.decide(&claim, "1", "x").await), Refusal::Decided);
    assert_eq!(refused(rival.desk.decide(&other, "9927.86", "").await), Refusal::SettledElsewhere);

    let held = insurer.desk.reverse(&claim, ReversalReason::Duplicate, "票据重复报销").await.unwrap();
    assert_eq!(held.state(), State::Reversed);
    let held = rival.desk.decide(&other, "9927.86", "").await.unwrap();
    assert_eq!(held.state(), State::Settled);

    let told = made.answers(&world.client).await.unwrap();
    let [Answer::Settled(settled, ..), Answer::Reversed(back, _)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!((settled.decision(), settled.paid.to_string().as_str()), (Decision::Partly, "7927.86 CNY"));
    assert_eq!(back.words, "票据重复报销");
    assert!(matches!(theirs.answers(&world.client).await.unwrap().as_slice(), [Answer::Settled(..)]));
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_statutory_insurance_has_its_own_part() {
    let world = World::found().await;
    let fund = world.server(FUND, Role::InsurerStatutory).await;
    let (made, claim) = world.opened(&fund, Slot::Statutory).await;
    let held = fund.desk.decide(&claim, "0", "不在保障期内").await.unwrap();
    assert_eq!(held.state(), State::Refused);
    // The slot stays open, also for the same insurer.
    let held = fund.desk.decide(&claim, "19862.44", "").await.unwrap();
    assert_eq!(held.state(), State::Settled);
    let told = made.answers(&world.client).await.unwrap();
    assert!(matches!(told.as_slice(), [Answer::Refused(_), Answer::Settled(..)]), "{told:?}");
}

#[tokio::test]
async fn a_claim_for_others_taken_late_or_withdrawn_is_refused_or_closed() {
    let world = World::found().await;
    let insurer = world.insurer().await;
    let statutory = world.claim(Slot::Statutory).await;
    assert_eq!(refused(insurer.desk.take(&offer(&statutory.link)).await), Refusal::OtherRole);
    let mut forged = offer(&statutory.link);
    forged.offer_key = crate::relay::fresh();
    assert_eq!(refused(insurer.desk.take(&forged).await), Refusal::NotAConsent);
    forged.grant = suishen_core::id::GrantId::from_bytes([7; 32]);
    assert_eq!(refused(insurer.desk.take(&forged).await), Refusal::NoGrant);

    let withdrawn = world.claim(Slot::Commercial).await;
    insurer.desk.take(&offer(&withdrawn.link)).await.unwrap();
    assert_eq!(refused(insurer.desk.decide(&withdrawn.grant(), "1", "x").await), Refusal::NotOpened);
    insurer.until(&withdrawn.grant(), State::Waiting).await;
    withdrawn.revoke(&world.client).await.unwrap();
    let held = insurer.until(&withdrawn.grant(), State::Closed).await;
    assert_eq!(held.closed.unwrap().code, "revoked");
    assert_eq!(refused(insurer.desk.claim(&statutory.grant())), Refusal::NoClaim);
}

#[tokio::test]
async fn only_a_servers_invite_enrols_a_server_and_others_stay_unused() {
    let world = World::found().await;
    for (party, role, server) in
        [(crate::relay::HOSPITAL, Role::Physician, false), (INSURER, Role::InsurerCommercial, false)]
    {
        let invite = world.invite(party, role, server).await;
        let dir = tempfile::tempdir().unwrap();
        let Err(error) = Server::open(dir, &world.relay.base, Some(&invite)).await else {
            panic!("enrolled")
        };
        assert!(matches!(error, StartError::Desk(DeskError::Refused(Refusal::NotAServer))), "{error}");
        let keys = suishen_relay::keys::Keys::new(world.relay.dir.path().join(format!("{role:?}")));
        let now = world.client.info().await.unwrap().now;
        suishen_relay::issuing::CommandDesk::enrol(&keys, &world.client, &invite, now).await.unwrap();
    }
    // A relay certifies no doctor's server, whoever signed the invite.
    let invite = world.invite(crate::relay::HOSPITAL, Role::Physician, true).await;
    let keys = suishen_relay::keys::Keys::new(world.relay.dir.path().join("doctor"));
    let now = world.client.info().await.unwrap().now;
    let error = suishen_relay::issuing::CommandDesk::enrol(&keys, &world.client, &invite, now).await;
    assert!(error.unwrap_err().to_string().contains("not-allowed"));
    let dir = tempfile::tempdir().unwrap();
    let Err(error) = Server::open(dir, &world.relay.base, None).await else { panic!("enrolled") };
    assert!(error.to_string().contains("--invite"), "{error}");
}

#[tokio::test]
async fn the_command_line_invites_an_insurers_server_and_nobody_elses() {
    let world = World::found().await;
    let invite = async |party: &str, role: &str| {
        let flags = ["invite", "--server", "--name", "理赔服务器", "--desk-origin", "https://desk.example"];
        suishen(world.relay.dir.path(), &[&flags[..], &["--party", party, "--role", role]].concat()).await
    };
    let (code, printed) = invite(crate::relay::HOSPITAL, "physician").await;
    assert!(code == 2 && printed.contains("--role insurer-statutory"), "{printed}");
    let (code, link) = invite(FUND, "insurer-statutory").await;
    assert_eq!(code, 0, "{link}");
    let dir = tempfile::tempdir().unwrap();
    let server = Server::open(dir, &world.relay.base, Some(link.trim())).await.unwrap();
    assert_eq!(server.desk.slot(), Slot::Statutory);
}

#[tokio::test]
async fn a_settlement_whose_invoice_the_hospital_voids_is_flagged_though_another_claim_is_damaged() {
    let world = World::found().await;
    let insurer = world.insurer().await;
    let damaged = world.claim(Slot::Commercial).await;
    insurer.desk.take(&offer(&damaged.link)).await.unwrap();
    let (_made, claim) = world.opened(&insurer, Slot::Commercial).await;
    let held = insurer.desk.decide(&claim, "9927.86", "").await.unwrap();
    let tag = insurer.desk.seen(&held).unwrap().shown.tag;
    let client = &world.client;
    let now = client.info().await.unwrap().now;
    let (key, _, credential) = credential(&world.relay.keys(), client, Role::Issuer, now);
    let reversing = Reversing { tag: tag.id().unwrap(), desk: key.public() };
    let told = AuditorReversal {
        tag: tag.id().unwrap(),
        settlement: None,
        why: ReversalReason::Reversed,
        words: "冲红".into(),
        certificate: insurer.desk.who().chain().leaf().to_der().to_vec(),
        presence: Signed::new(&reversing, &key, &client.ledger()),
    };
    let auditor = insurer.desk.ledger.auditor_key().await.unwrap();
    let seed = Key32::generate(&mut SystemRandom);
    let body =
        told.reverse(tag.voucher().clone(), credential, &seed, now, (&auditor, &client.ledger())).unwrap();
    client.submit(&SignedTransaction::new(&body, &key, &client.ledger())).await.unwrap();
    let dir = insurer.stop().await;
    damage(dir.path(), &damaged.grant());
    let insurer = Server::open(dir, &world.relay.base, None).await.unwrap();
    insurer.desk.look_over().await.unwrap();
    assert_eq!(insurer.desk.claim(&claim).unwrap().state(), State::Flagged);
}

#[tokio::test]
async fn a_server_that_was_killed_goes_on_where_it_stopped() {
    let world = World::found().await;
    let insurer = world.insurer().await;
    let made = world.claim(Slot::Commercial).await;
    insurer.desk.take(&offer(&made.link)).await.unwrap();
    let insurer = insurer.restart(&world.relay.base).await;
    made.agree(&world.client).await.unwrap();
    let insurer = insurer.restart(&world.relay.base).await;
    insurer.until(&made.grant(), State::Open).await;
    let insurer = insurer.restart(&world.relay.base).await;
    let held = insurer.desk.decide(&made.grant(), "9927.86", "").await.unwrap();
    let insurer = insurer.restart(&world.relay.base).await;
    assert_eq!(insurer.desk.claim(&made.grant()).unwrap().settled(), held.settled());
    let held = insurer.desk.reverse(&made.grant(), ReversalReason::PaidBack, "退款").await.unwrap();
    assert_eq!(held.state(), State::Reversed);
}

#[tokio::test]
async fn a_drop_box_that_is_full_keeps_nothing_from_being_decided_and_is_not_tried_for_ever() {
    let world = World::found().await;
    let insurer = world.insurer().await;
    let (made, claim) = world.opened(&insurer, Slot::Commercial).await;
    let (draft, now) = (made.draft(), world.client.info().await.unwrap().now);
    let path = format!("/v1/drop/{claim}");
    let full = async {
        for number in 0_u8.. {
            let message = cbor::encode(&Message::Payload(vec![number; 20]));
            let sent = world.client.signed(Method::POST, &path, message, &draft.key, now).await;
            if let Err(error) = sent {
                return error;
            }
        }
        unreachable!()
    };
    let full = full.await;
    assert!(matches!(&full, ClientError::Refused { code, .. } if code == "box-full"), "{full}");
    let held = insurer.desk.decide(&claim, "9927.86", "").await.unwrap();
    assert_eq!((held.state(), held.is_under_way()), (State::Settled, false));
    assert!(made.answers(&world.client).await.unwrap().is_empty());
    let held = insurer.desk.reverse(&claim, ReversalReason::Error, "误付").await.unwrap();
    assert_eq!((held.state(), held.telling().len()), (State::Reversed, 0));
}
