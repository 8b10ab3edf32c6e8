//! A small ledger by hand: one grant issued, accepted, read twice; another beside it.

use super::super::checkpoint::Epoch;
use super::super::checkpoint::tests::{epoch, key, ledger, signed};
use super::super::map::{Leaf, pages};
use super::super::tree::{self, Edge, NodeSource};
use super::*;
use crate::contract::{
    AcceptGrant, Acceptance, Credential, IssueGrant, Kind, Party, RedeemGrant, RevokeGrant,
    SignedTransaction, Status,
};
use crate::id::PartyId;
use crate::identity::Role;
use crate::sm::{SecretKey, Signed};
use core::convert::Infallible;
use std::collections::BTreeMap;

pub(crate) struct Small {
    pub(crate) entries: Vec<Vec<u8>>,
    nodes: BTreeMap<(u8, u64), Digest>,
    state: BTreeMap<Vec<u8>, Vec<u8>>,
    pages: BTreeMap<pages::PagePath, pages::Page>,
    pub(crate) note: String,
    pub(crate) checkpoint: Checkpoint,
}

impl NodeSource for Small {
    type Error = Infallible;
    fn node(&self, level: u8, index: u64) -> Result<Digest, Infallible> {
        Ok(self.nodes[&(level, index)])
    }
}

pub(crate) fn party() -> PartyId {
    PartyId::new("91110000MA00ABCD1X").unwrap()
}

fn credential(ledger: &LedgerId) -> Signed<Credential> {
    let (grantee, box_key) = (key(21).public(), key(22).public());
    let credential = Credential { party: party(), role: Role::Physician, grantee, box_key, expiry: 9000 };
    Signed::new(&credential, &key(23), ledger)
}

fn issue(grant: u8, ledger: &LedgerId) -> (SecretKey, Transaction, GrantId) {
    let secret = key(grant);
    let body = IssueGrant {
        key: secret.public(),
        kind: Kind::Read,
        offer: key(20).public(),
        role: Role::Physician,
        duration: 900,
        accept_within: 300,
        uses: 3,
        interval: 0,
        records: 1,
        shares: Digest::of(b"shares"),
        auditor_box: vec![1; 8],
        reply: key(24).public(),
        include_before: 2000,
    };
    let id = GrantId::of(ledger, &body.key);
    (secret, Transaction::IssueGrant(body), id)
}

fn redeem(grant: GrantId, use_number: u64, ledger: &LedgerId) -> Transaction {
    let (credential, records, epk) = (credential(ledger), vec![0], key(25).public());
    Transaction::RedeemGrant(RedeemGrant {
        grant,
        credential,
        use_number,
        records,
        epk,
        auditor_box: vec![2; 8],
    })
}

impl Small {
    /// `history` says who signs what; the grant's leaves follow from it.
    pub(crate) fn new(
        ledger: LedgerId,
        genesis: Vec<u8>,
        history: &[(GrantId, Transaction, SecretKey)],
    ) -> Self {
        let mut entries = vec![genesis];
        let mut leaves: BTreeMap<GrantId, GrantLeaf> = BTreeMap::new();
        for (now, (grant, transaction, signer)) in (1000..).zip(history) {
            let signed = SignedTransaction::new(transaction, signer, &ledger);
            let start = GrantLeaf {
                kind: Kind::Read,
                status: Status::Offered,
                uses: 0,
                count: 0,
                chain: CHAIN_START,
            };
            let leaf = leaves.entry(*grant).or_insert(start);
            leaf.count += 1;
            leaf.chain = extend_chain(&leaf.chain, &signed.id(), now);
            entries.push(Entry { now, sponsor: party(), signed }.to_bytes());
        }
        let mut state: BTreeMap<_, _> =
            leaves.iter().map(|(id, leaf)| (Key::Grant(*id).to_bytes(), cbor::encode(leaf))).collect();
        let registered = Party {
            certificate: crate::contract::CertificateDer(vec![]),
            acceptance: key(23).public(),
            vouchers: vec![],
            roles: vec![Role::Physician],
            sequence: 0,
            since: 5,
            suspension: None,
        };
        state.insert(Key::Party(party()).to_bytes(), cbor::encode(&registered));
        Self::of(ledger, entries, state)
    }

    fn of(ledger: LedgerId, entries: Vec<Vec<u8>>, state: BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        let (mut nodes, mut edge, mut pages) = (BTreeMap::new(), Edge::new(), BTreeMap::new());
        for entry in &entries {
            edge.append::<Sm3>(Sm3::leaf(entry), |n| {
                nodes.insert((n.level, n.index), n.hash);
            });
        }
        let leaves = state.iter().map(|(k, v)| Leaf::of(k, v)).map(|l| (l.key, Some(l.value))).collect();
        let update = pages::update(&pages, &leaves).unwrap();
        let map = update.root;
        update.write_to(&mut pages);
        let checkpoint =
            Checkpoint { ledger, size: entries.len() as u64, tree: edge.root::<Sm3>(), map, epoch: 0 };
        let note = signed(checkpoint, &[(1, 1500)]).to_note();
        Self { entries, nodes, state, pages, note, checkpoint }
    }

    pub(crate) fn entry(&self, number: u64) -> ProvenEntry {
        let inclusion = tree::prove_inclusion::<Sm3, _>(self, number, self.checkpoint.size).unwrap();
        ProvenEntry { number, bytes: self.entries[usize::try_from(number).unwrap()].clone(), inclusion }
    }

    pub(crate) fn value(&self, key: &Key) -> ProvenValue {
        let prefix = Prefix::whole(&MapKey::of(&key.to_bytes()));
        let proof = pages::prove(&self.pages, &prefix).unwrap();
        ProvenValue { value: self.state[&key.to_bytes()].clone(), proof }
    }

    pub(crate) fn grant(&self, id: GrantId, numbers: &[u64]) -> ShownGrant {
        let leaf = self.state[&Key::Grant(id).to_bytes()].clone();
        ShownGrant { id, leaf, entries: numbers.iter().map(|n| self.entry(*n)).collect() }
    }

    fn all(&self, prefix: &Prefix, grants: Vec<ShownGrant>) -> ShownGrants {
        let proof = pages::prove(&self.pages, prefix).unwrap();
        ShownGrants { note: self.note.clone(), proof, grants, claims: Vec::new() }
    }
}

/// Entry 1, 2, 4, 5 are on the first grant, entry 3 on the second.
pub(crate) fn history(ledger: &LedgerId) -> (GrantId, GrantId, Vec<(GrantId, Transaction, SecretKey)>) {
    let ((one, issue_one, a), (two, issue_two, b)) = (issue(11, ledger), issue(12, ledger));
    let (grantee, box_key) = (key(21).public(), key(22).public());
    let acceptance = Signed::new(&Acceptance { grant: a, grantee, box_key }, &key(20), ledger);
    let accept =
        Transaction::AcceptGrant(AcceptGrant { grant: a, credential: credential(ledger), acceptance });
    let revoke = Transaction::RevokeGrant(RevokeGrant { grant: a });
    let history = vec![
        (a, issue_one, one.clone()),
        (a, accept, key(21)),
        (b, issue_two, two),
        (a, redeem(a, 1, ledger), key(21)),
        (a, revoke, one),
    ];
    (a, b, history)
}

fn small() -> (Small, GrantId, GrantId) {
    let (a, b, history) = history(&ledger());
    (Small::new(ledger(), b"genesis".to_vec(), &history), a, b)
}

#[test]
fn all_entries_of_a_grant_are_its_complete_log() {
    let (small, a, b) = small();
    let shown = small.all(&Prefix::ALL, vec![small.grant(a, &[1, 2, 4, 5]), small.grant(b, &[3])]);
    let shown: ShownGrants = cbor::decode(&cbor::encode(&shown)).unwrap();
    let log = shown.log_of(&a, &Prefix::ALL, &small.checkpoint).unwrap().unwrap();
    let names: Vec<_> = log.entries.iter().map(|e| (e.number, e.now, e.transaction.name())).collect();
    assert_eq!(
        names,
        [
            (1, 1000, "issue-grant"),
            (2, 1001, "accept-grant"),
            (4, 1003, "redeem-grant"),
            (5, 1004, "revoke-grant")
        ]
    );
    assert_eq!(shown.log_of(&b, &Prefix::ALL, &small.checkpoint).unwrap().unwrap().entries.len(), 1);
}

#[test]
fn malicious_relay_cannot_withhold_an_entry_whichever_it_is() {
    let (small, a, _) = small();
    for numbers in [&[1_u64, 2, 4][..], &[1, 2, 5], &[1, 4, 5], &[2, 4, 5], &[1], &[]] {
        let shown = small.all(&Prefix::ALL, vec![small.grant(a, numbers)]);
        let verdict = shown.log_of(&a, &Prefix::ALL, &small.checkpoint);
        assert!(
            matches!(verdict, Err(LogError::Incomplete { counted: 4, .. } | LogError::OtherGrant(_))),
            "{numbers:?}: {verdict:?}"
        );
    }
}

#[test]
fn entries_of_another_grant_twice_or_out_of_order_are_refused() {
    let (small, a, _) = small();
    let verdict = |numbers: &[u64]| {
        small.all(&Prefix::ALL, vec![small.grant(a, numbers)]).log_of(&a, &Prefix::ALL, &small.checkpoint)
    };
    assert_eq!(verdict(&[1, 2, 3, 4, 5]), Err(LogError::OtherGrant(3)));
    assert_eq!(verdict(&[1, 2, 2, 4, 5]), Err(LogError::Order));
    assert_eq!(verdict(&[1, 4, 2, 5]), Err(LogError::Order));
}

#[test]
fn malicious_relay_cannot_leave_out_a_grant_and_an_absent_one_is_proven_absent() {
    let (small, a, _) = small();
    let nothing = small.all(&Prefix::ALL, vec![]);
    assert_eq!(nothing.log_of(&a, &Prefix::ALL, &small.checkpoint), Err(LogError::Withheld));
    let never = issue(13, &ledger()).2;
    assert_eq!(nothing.log_of(&never, &Prefix::ALL, &small.checkpoint), Ok(None));
    let elsewhere = Prefix::of(&MapKey::of(&Key::Grant(never).to_bytes()), 200);
    assert_eq!(nothing.log_of(&a, &elsewhere, &small.checkpoint), Err(LogError::Withheld));
}

#[test]
fn malicious_relay_cannot_invent_a_read_by_a_key_that_it_does_not_have() {
    let (a, _, mut history) = history(&ledger());
    history[3].2 = key(30);
    let small = Small::new(ledger(), b"genesis".to_vec(), &history);
    let shown = small.all(&Prefix::ALL, vec![small.grant(a, &[1, 2, 4, 5])]);
    assert_eq!(shown.log_of(&a, &Prefix::ALL, &small.checkpoint), Err(LogError::Signature(4)));
}

#[test]
fn every_changed_byte_is_refused() {
    let (small, a, _) = small();
    let bytes = cbor::encode(&small.all(&Prefix::ALL, vec![small.grant(a, &[1, 2, 4, 5])]));
    let honest = |bytes: &[u8]| {
        let shown: ShownGrants = cbor::decode(bytes).ok()?;
        let checkpoint = super::super::checkpoint::SignedCheckpoint::parse(&shown.note).ok()?;
        let checkpoint = checkpoint.verify(&ledger(), &Epoch { number: 0, ..epoch(1) }).ok()?;
        shown.log_of(&a, &Prefix::ALL, checkpoint.checkpoint()).ok()?
    };
    assert!(honest(&bytes).is_some());
    for i in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[i] ^= 1 << (i % 8);
        assert!(honest(&changed).is_none(), "byte {i}");
    }
}

#[test]
fn a_value_is_proven_under_its_own_key_only() {
    let (small, a, b) = small();
    let shown = small.value(&Key::Grant(a));
    assert!(shown.verify::<GrantLeaf>(&Key::Grant(a), &small.checkpoint).is_ok());
    assert!(shown.verify::<GrantLeaf>(&Key::Grant(b), &small.checkpoint).is_err());
    let forged = ProvenValue { value: small.value(&Key::Grant(b)).value, ..shown };
    assert_eq!(forged.verify::<GrantLeaf>(&Key::Grant(a), &small.checkpoint), Err(MapError::Value));
}
