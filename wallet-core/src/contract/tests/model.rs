//! Any sequence of transactions, honest and hostile, against the naive reference; and over what was accepted,
//! the sentence that matters: **no sequence reads outside the window, beyond the uses, after revocation, with
//! another key, or on another ledger.**
//!
//! The generator counts what it made: every kind, rejection and pair of kinds in a row at least 100 times, or
//! the test fails. Signatures aren't computed here ([`Checked::assuming`]); `form` to `grant` compute them.

use super::super::signers::Part;
use super::super::*;
use super::naive::{Attempt, Naive};
use super::pool::{CODES, Dice, certificates, k};
use super::world::*;
use crate::id::{GrantId, TagId};
use crate::sm::{Digest, PublicKey};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

const KINDS: usize = Transaction::NAMES.len();
const LEAST: usize = 100;

#[derive(Default)]
struct Coverage {
    rejections: BTreeMap<&'static str, usize>,
    kinds: [usize; KINDS],
    accepted: [usize; KINDS],
    pairs: BTreeMap<(usize, usize), usize>,
    reasons: BTreeSet<(&'static str, &'static str)>,
}

/// One run of the contract beside the reference.
pub(super) struct Run<'a> {
    pub dice: Dice,
    pub now: u64,
    state: Memory,
    pub naive: Naive<'a>,
}

impl<'a> Run<'a> {
    fn new(genesis: &'a Genesis, ledger: LedgerId) -> Self {
        let naive = Naive { genesis, ledger, certificates: certificates(), accepted: Vec::new() };
        Self { dice: Dice(0), now: START, state: Memory::new(genesis), naive }
    }

    fn advance(&mut self) {
        // Hours pass rarely: most grants must be accepted within minutes to be accepted at all.
        self.now += match self.dice.below(100) {
            0..75 => self.dice.below(5),
            75..95 => self.dice.below(200),
            95..99 => self.dice.below(2 * HOUR),
            _ => self.dice.below(72 * HOUR),
        };
    }

    pub fn context(&mut self) -> Context {
        let mut context = Context {
            number: self.naive.accepted.len() as u64 + 1,
            now: self.now,
            sponsor: party(self.dice.pick(&["91MEMBER1", "91MEMBER1", "91MEMBER1", "91MEMBER2"])),
        };
        match self.dice.below(100) {
            0 => context.sponsor = party(HOSPITAL),
            1 => context.number += 1,
            2 if !self.naive.accepted.is_empty() => context.now = START - 1,
            _ => {}
        }
        context
    }

    pub fn attempt(&mut self, transaction: Transaction, signer: PublicKey) -> Attempt {
        let mut attempt = Attempt {
            transaction,
            claimed: vec![signer],
            holds: true,
            credential: None,
            acceptance: None,
            voucher: None,
            proof: None,
            context: self.context(),
        };
        match self.dice.below(24) {
            0 => attempt.claimed = vec![k(399)],
            1 => attempt.holds = false,
            _ => {}
        }
        attempt
    }

    /// What the contract says, with these signatures taken as they truly are.
    fn verdict(&self, attempt: &Attempt) -> Result<Changes, Rejection> {
        let votes = attempt.claimed.iter().map(|key| forged(&attempt.transaction, key)).collect();
        let signed = SignedTransaction::from_votes(votes).expect("one payload");
        let mut held: Vec<(Part, PublicKey)> = Vec::new();
        if attempt.holds {
            held.extend(attempt.claimed.iter().enumerate().map(|(i, key)| (Part::Transaction(i), *key)));
        }
        held.extend(attempt.credential.as_ref().map(|(_, key)| (Part::Credential, *key)));
        held.extend(attempt.acceptance.as_ref().map(|(_, key)| (Part::Acceptance, *key)));
        held.extend(attempt.voucher.as_ref().map(|(_, key)| (Part::Voucher, *key)));
        held.extend(attempt.proof.as_ref().map(|(_, key)| (Part::TagProof, *key)));
        let checked = Checked::assuming(signed, &self.naive.ledger, held)?;
        let verdict = apply_checked(&self.state, &attempt.context, &checked);
        // A replay verifies afterwards: it takes what is taken here and nothing else.
        let unverified = apply_unverified(&self.state, &attempt.context, &checked);
        let later =
            unverified.and_then(|(changes, signatures)| signatures.verify(&checked).map(|()| changes));
        assert!(later == verdict || (later.is_err() && verdict.is_err()), "{later:?} is not {verdict:?}");
        verdict
    }

    fn step(&mut self, kind: usize, choice: u64, coverage: &mut Coverage) -> Result<(), TestCaseError> {
        self.dice = Dice(choice);
        self.advance();
        let attempt = self.propose(kind);
        let name = attempt.transaction.name();
        if self.dice.one_in(120) {
            let damaged = apply_to_damaged(self, &attempt);
            check(damaged == Err(Rejection::Damaged), || format!("{name} on a damaged store"))?;
            *coverage.rejections.entry("damaged").or_default() += 1;
        }
        let (faults, verdict) = (self.naive.faults(&attempt), self.verdict(&attempt));
        coverage.kinds[kind] += 1;
        match verdict {
            Ok(changes) => {
                check(faults.is_empty(), || format!("{name} stands despite {faults:?}: {attempt:?}"))?;
                coverage.accepted[kind] += 1;
                self.state.commit(changes);
                self.naive.accepted.push(attempt);
            }
            Err(rejection) => {
                check(faults.contains(&rejection), || {
                    format!("{name} refused by {rejection:?}, faults {faults:?}: {attempt:?}")
                })?;
                *coverage.rejections.entry(rejection.name()).or_default() += 1;
                coverage.reasons.insert((name, rejection.name()));
            }
        }
        Ok(())
    }
}

fn check(right: bool, message: impl FnOnce() -> String) -> Result<(), TestCaseError> {
    if right { Ok(()) } else { Err(TestCaseError::fail(message())) }
}

fn apply_to_damaged(run: &Run<'_>, attempt: &Attempt) -> Result<Changes, Rejection> {
    struct Broken<'a>(&'a Memory);
    impl State for Broken<'_> {
        fn get(&self, key: &Key) -> Option<Vec<u8>> {
            if *key == Key::Last { self.0.get(key) } else { Some(vec![0xff]) }
        }
    }
    let mut context = attempt.context.clone();
    (context.number, context.now) = (run.naive.accepted.len() as u64 + 1, run.now.max(START));
    let checked = Checked::read(
        SignedTransaction::from_votes(vec![forged(&attempt.transaction, &attempt.claimed[0])]).expect("one"),
        &run.naive.ledger,
    )?;
    apply_checked(&Broken(&run.state), &context, &checked)
}

/// Looks only at what was accepted, in order.
fn no_read_is_unlawful(run: &Run<'_>) -> Result<(), TestCaseError> {
    let accepted = &run.naive.accepted;
    for (i, attempt) in accepted.iter().enumerate() {
        let Transaction::RedeemGrant(read) = &attempt.transaction else { continue };
        let before = &accepted[..i];
        let reads_of = |a: &&Attempt| matches!(&a.transaction, Transaction::RedeemGrant(other) if other.grant == read.grant);
        let issue = before.iter().find_map(|a| match &a.transaction {
            Transaction::IssueGrant(b) if GrantId::of(&run.naive.ledger, &b.key) == read.grant => {
                Some((b, a.context.now))
            }
            _ => None,
        });
        let (grant, start) = issue.ok_or_else(|| TestCaseError::fail("a read without a grant"))?;
        let acceptance = before
            .iter()
            .find(|a| matches!(&a.transaction, Transaction::AcceptGrant(b) if b.grant == read.grant));
        let acceptance = acceptance.ok_or_else(|| TestCaseError::fail("a read before acceptance"))?;
        let now = attempt.context.now;
        check(start <= now && now < start + grant.duration, || "a read outside the window".into())?;
        let uses = before.iter().filter(reads_of).count() as u64;
        check(uses < grant.uses, || "a read beyond the uses".into())?;
        let revoked = before
            .iter()
            .any(|a| matches!(&a.transaction, Transaction::RevokeGrant(b) if b.grant == read.grant));
        check(!revoked, || "a read after revocation".into())?;
        check(attempt.claimed == acceptance.claimed, || "a read with another key".into())?;
        check(attempt.holds, || "a read signed for another ledger".into())?;
    }
    Ok(())
}

/// Looks only at what was accepted, in order.
fn no_slot_is_settled_twice(run: &Run<'_>) -> Result<(), TestCaseError> {
    let (mut settled, mut void) = (BTreeSet::new(), BTreeSet::new());
    for (i, attempt) in run.naive.accepted.iter().enumerate() {
        let Some((voucher, _)) = &attempt.voucher else { continue };
        let id = TagId::of(voucher);
        match &attempt.transaction {
            Transaction::SettleClaim(body) => {
                check(settled.insert(id), || "a slot settled twice".into())?;
                check(!void.contains(&id), || "a void invoice settled".into())?;
                let opened = run.naive.accepted[..i].iter().any(|a| {
                    matches!(&a.transaction, Transaction::RedeemGrant(read) if read.grant == body.grant)
                        && a.claimed == attempt.claimed
                });
                check(opened, || "settled by a key that opened nothing".into())?;
                let (_, signer) = attempt.proof.as_ref().expect("a settlement carries one");
                check(*signer == voucher.tag, || "settled without the tag's key".into())?;
            }
            Transaction::ReverseClaim(body) if body.settlement.is_none() => {
                void.insert(id);
            }
            _ => {
                check(settled.remove(&id), || "what was not settled was reversed".into())?;
            }
        }
    }
    Ok(())
}

/// The state is a fold of the entries: chains and counts can be had from what was accepted.
fn leaves_are_folds_of_the_entries(run: &Run<'_>) -> Result<(), TestCaseError> {
    let mut chains: BTreeMap<GrantId, (Digest, u64)> = BTreeMap::new();
    for attempt in &run.naive.accepted {
        let id = match &attempt.transaction {
            Transaction::IssueGrant(body) => GrantId::of(&run.naive.ledger, &body.key),
            Transaction::AcceptGrant(body) => body.grant,
            Transaction::RedeemGrant(body) => body.grant,
            Transaction::RevokeGrant(body) => body.grant,
            Transaction::SettleClaim(body) => body.grant,
            Transaction::ReverseClaim(ReverseClaim { settlement: Some(settled), .. }) => settled.grant,
            _ => continue,
        };
        let (chain, count) = chains.entry(id).or_insert((CHAIN_START, 0));
        *chain = extend_chain(chain, &attempt.transaction.id(), attempt.context.now);
        *count += 1;
    }
    let leaves = run.state.iter().filter(|(key, _)| key[0] == 5).count();
    check(leaves == chains.len(), || "a leaf without entries".into())?;
    for (id, (chain, count)) in chains {
        let leaf = run.state.grant(&id).ok().flatten();
        check(leaf.is_some_and(|l| (l.chain, l.count) == (chain, count)), || format!("chain of {id:?}"))?;
    }
    Ok(())
}

/// What is decided on bytes alone.
fn count_form(coverage: &mut Coverage, ledger: &LedgerId) {
    let huge = Transaction::LogAudit(LogAudit { auditor_box: vec![1; MAX_TRANSACTION] });
    let small = Transaction::LogAudit(LogAudit { auditor_box: vec![1] });
    let signed = |t: &Transaction| SignedTransaction::from_votes(vec![forged(t, &k(0))]).expect("one");
    let two = SignedTransaction::from_votes(vec![forged(&small, &k(0)), forged(&small, &k(1))]).expect("two");
    let verdicts = [
        Checked::read(two, ledger).map(|_| ()),
        Checked::read(signed(&huge), ledger).map(|_| ()),
        Batch::new(Vec::new()).map(|_| ()),
    ];
    for verdict in verdicts {
        let name = verdict.expect_err("each is wrong").name();
        *coverage.rejections.entry(name).or_default() += 1;
    }
}

/// Organisations that are registered and grants that are accepted when the sequence begins.
fn founding(run: &mut Run<'_>, auditor: bool) {
    let vouchers: Vec<PublicKey> = (300..364).map(k).collect();
    for (i, code) in CODES.iter().enumerate().filter(|(i, _)| *i < 3 || *i == 4 && auditor) {
        let roles = match *code {
            AUDITOR => vec![Role::Auditor],
            CLINIC => vec![Role::Physician, Role::InsurerCommercial, Role::Pharmacist],
            _ => Role::ALL[..5].to_vec(),
        };
        let vouchers = match *code {
            "91SHORT" => vouchers.clone(),
            HOSPITAL => vec![k(70)],
            _ => Vec::new(),
        };
        let certificate = certificates()[4 * i].der.clone();
        let acceptance = k(10 + u16::try_from(i).expect("small"));
        let body = RegisterParty { certificate, acceptance, vouchers, roles };
        let votes = run.naive.genesis.members.iter().map(|m| m.vote).collect();
        found(run, Transaction::RegisterParty(body), votes, None, None);
    }
    let (read, statutory, commercial) = (Role::Physician, Role::InsurerStatutory, Role::InsurerCommercial);
    let grants = [
        (10, 1, 0, 1, 9 * DAY, read),
        (11, 3, 20 * HOUR, 1, 9 * DAY, read),
        (12, 3, 0, 1, HOUR, read),
        (13, 3, 1000, 1, 9 * DAY, read),
        (14, 3, 0, 2, 9 * DAY, read),
        (15, 1, 0, 0, 170 * DAY, statutory),
        (16, 3, 0, 0, 9 * DAY, commercial),
        (17, 3, 0, 1, 9 * DAY, commercial),
        (18, 3, 0, 2, 9 * DAY, commercial),
        (19, 3, 0, 0, 9 * DAY, statutory),
    ];
    for (number, uses, interval, organisation, duration, role) in grants {
        let (key, offer, kind) = (k(200 + number), k(230 + number), Kind::of(role));
        let body = IssueGrant { key, kind, offer, role, duration, uses, interval, ..grant(START) };
        found(run, Transaction::IssueGrant(body), vec![key], None, None);
        let (id, grantee, box_key) = (GrantId::of(&run.naive.ledger, &key), k(80), k(81));
        let party = party(CODES[usize::from(organisation)]);
        let issuer_key = k(10 + organisation);
        let credential = Credential { party, role, grantee, box_key, expiry: START + DAY };
        let acceptance = Acceptance { grant: id, grantee, box_key };
        let body = AcceptGrant {
            grant: id,
            credential: forged(&credential, &issuer_key),
            acceptance: forged(&acceptance, &offer),
        };
        let credential = Some((credential, issuer_key));
        let accepted = Some((acceptance, offer));
        let signed = body.credential.clone();
        found(run, Transaction::AcceptGrant(body), vec![grantee], credential.clone(), accepted);
        if number < 12 || (15..19).contains(&number) {
            let body = RedeemGrant {
                grant: id,
                credential: signed,
                use_number: 1,
                records: vec![0],
                epk: k(120),
                auditor_box: vec![1; crate::consent::USE_BOX],
            };
            found(run, Transaction::RedeemGrant(body), vec![grantee], credential, None);
        }
    }
}

fn found(
    run: &mut Run<'_>,
    transaction: Transaction,
    claimed: Vec<PublicKey>,
    credential: Option<(Credential, PublicKey)>,
    acceptance: Option<(Acceptance, PublicKey)>,
) {
    let number = run.naive.accepted.len() as u64 + 1;
    // Neither's quota is what the sequences use.
    let sponsor = party(if number <= 16 { "91MEMBER3" } else { "91MEMBER4" });
    let context = Context { number, now: START, sponsor };
    let (voucher, proof) = (None, None);
    let attempt =
        Attempt { transaction, claimed, holds: true, credential, acceptance, voucher, proof, context };
    let changes = run.verdict(&attempt).expect("what the sequence begins with stands");
    run.state.commit(changes);
    run.naive.accepted.push(attempt);
}

#[test]
fn no_sequence_reads_unlawfully_and_the_contract_agrees_with_the_naive_reference() {
    let genesis = Genesis { quota: 16, ..genesis_of(4) };
    let ledger = genesis.ledger_id();
    let coverage = RefCell::new(Coverage::default());
    let config = Config { cases: 760, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let steps = proptest::collection::vec((0..KINDS, proptest::num::u64::ANY), 110..190);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(&steps, |steps| {
        let coverage = &mut *coverage.borrow_mut();
        let mut run = Run::new(&genesis, ledger);
        founding(&mut run, steps.first().is_some_and(|(_, choice)| choice % 4 != 0));
        for (kind, choice) in &steps {
            run.step(*kind, *choice, coverage)?;
        }
        for pair in steps.windows(2) {
            *coverage.pairs.entry((pair[0].0, pair[1].0)).or_default() += 1;
        }
        count_form(coverage, &ledger);
        no_read_is_unlawful(&run)?;
        no_slot_is_settled_twice(&run)?;
        leaves_are_folds_of_the_entries(&run)
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    enough(&coverage.into_inner());
}

fn enough(coverage: &Coverage) {
    let mut missing = Vec::new();
    for (kind, name) in Transaction::NAMES.iter().enumerate() {
        if coverage.kinds[kind].min(coverage.accepted[kind]) < LEAST {
            missing.push(format!("{name}: {} of {}", coverage.accepted[kind], coverage.kinds[kind]));
        }
        for (after, next) in Transaction::NAMES.iter().enumerate() {
            let count = coverage.pairs.get(&(kind, after)).copied().unwrap_or(0);
            if count < LEAST {
                missing.push(format!("{name}, {next}: {count}"));
            }
        }
    }
    for rejection in Rejection::ALL {
        let count = coverage.rejections.get(rejection.name()).copied().unwrap_or(0);
        if count < LEAST {
            missing.push(format!("{}: {count}", rejection.name()));
        }
    }
    assert!(missing.is_empty(), "the generator made too few of: {missing:#?}");
    super::table::agrees(&coverage.reasons);
}
