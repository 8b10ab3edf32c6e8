//! Any sequence of transactions, honest and hostile, against the naive reference; and over what was accepted,
//! the sentence that matters: **no sequence reads outside the window, beyond the uses, after revocation, with
//! another key, or on another ledger.**
//!
//! The generator counts what it made: every kind, rejection and pair of kinds in a row at least 100 times, or
//! the test fails. Signatures aren't computed here ([`Checked::assuming`]); `form` to `grant` compute them.

use super::super::signers::Part;
use super::super::*;
use super::naive::{Attempt, Known, Naive};
use super::world::*;
use crate::id::{Commitment, GrantId, HolderId};
use crate::identity::Validity;
use crate::sm::{Digest, PublicKey};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

const CODES: [&str; 5] = [HOSPITAL, CLINIC, "91SHORT", "91LATE", AUDITOR];
const KINDS: usize = Transaction::NAMES.len();
const LEAST: usize = 100;

/// Small random choices from one number.
struct Dice(u64);

impl Dice {
    /// `SplitMix64`.
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).expect("an index")].clone()
    }
}

/// Public keys by number, computed once.
fn k(number: u16) -> PublicKey {
    static KEYS: OnceLock<Vec<PublicKey>> = OnceLock::new();
    KEYS.get_or_init(|| (0..400).map(|i| public(2000 + i)).collect())[usize::from(number)]
}

fn certificates() -> &'static [Known] {
    static KNOWN: OnceLock<Vec<Known>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let short = Validity { not_before: START, not_after: START + 2 * DAY };
        let past = Validity { not_before: START - DAY, not_after: START - 1 };
        let mut known = Vec::new();
        for (i, code) in (0u64..).zip(CODES) {
            let validity = if code == "91SHORT" { short } else { YEARS };
            for j in 0..4 {
                known.push((code, ROOT, 10 * i + j, validity));
            }
        }
        known.push((CLINIC, ROOT, 90, past));
        known.push((HOSPITAL, 2, 91, YEARS));
        let made = known.into_iter().map(|(code, root, serial, validity)| Known {
            der: certificate(code, root, serial, validity),
            code,
            from: validity.not_before,
            to: validity.not_after,
            certifies: root == ROOT,
            serial,
        });
        made.collect()
    })
}

#[derive(Default)]
struct Coverage {
    rejections: BTreeMap<&'static str, usize>,
    kinds: [usize; KINDS],
    accepted: [usize; KINDS],
    pairs: BTreeMap<(usize, usize), usize>,
    reasons: BTreeSet<(&'static str, &'static str)>,
}

/// One run of the contract beside the reference.
struct Run<'a> {
    dice: Dice,
    now: u64,
    state: Memory,
    naive: Naive<'a>,
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

    /// Sometimes it is just the second in which a grant's term, acceptance or interval ends, or the one before.
    fn to_an_edge(&mut self, id: &GrantId) {
        let Some((grant, issued)) = self.naive.issued(id) else { return };
        let last = self.naive.redemptions(id).last().copied().unwrap_or(issued);
        let edges = [issued + grant.accept_within, issued + grant.duration, last + grant.interval];
        let edge = self.dice.pick(&edges) - self.dice.below(2);
        if self.dice.one_in(4) && (self.now..self.now + HOUR).contains(&edge) {
            self.now = edge;
        }
    }

    fn context(&mut self) -> Context {
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

    fn attempt(&mut self, transaction: Transaction, signer: PublicKey) -> Attempt {
        let mut attempt = Attempt {
            transaction,
            claimed: vec![signer],
            holds: true,
            credential: None,
            acceptance: None,
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
        let checked = Checked::assuming(signed, &self.naive.ledger, held)?;
        apply_checked(&self.state, &attempt.context, &checked)
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

// ---- what is proposed: mostly what could stand, often with one thing wrong

impl Run<'_> {
    fn propose(&mut self, kind: usize) -> Attempt {
        if !self.naive.accepted.is_empty() && self.dice.one_in(40) {
            // Somebody sends again what stood before, of the same kind.
            let same = |a: &&Attempt| usize::from(a.transaction.number()) == kind;
            let earlier: Vec<Attempt> = self.naive.accepted.iter().filter(same).cloned().collect();
            if !earlier.is_empty() {
                return Attempt { context: self.context(), ..self.dice.pick(&earlier) };
            }
        }
        match kind {
            0 => self.register(),
            1 => self.suspend(),
            2 => self.rotate(),
            3 => {
                let size = usize::from(!self.dice.one_in(8)) * 40;
                let body = LogAudit { auditor_box: vec![self.dice.pick(&[1, 2, 3]); size] };
                let key = self.naive.audit_key();
                self.attempt(Transaction::LogAudit(body), key)
            }
            4 => {
                let root = k(50 + self.small(12));
                let body = OpenHolder { root, authority: k(60), manage: k(61 + self.small(3)) };
                self.attempt(Transaction::OpenHolder(body), root)
            }
            5 => self.move_holder(),
            6 => self.anchor(),
            7 => self.supersede(),
            8 => self.bind(),
            9 => self.cancel(),
            10 => self.issue(),
            11 => self.accept(),
            12 => self.redeem(),
            _ => self.revoke(),
        }
    }

    fn small(&mut self, n: u64) -> u16 {
        u16::try_from(self.dice.below(n)).expect("small")
    }

    fn votes(&mut self, transaction: Transaction) -> Attempt {
        let mut attempt = self.attempt(transaction, k(0));
        let vote = |i: usize| self.naive.genesis.members[i].vote;
        attempt.claimed = match self.dice.below(10) {
            0 => vec![vote(0), vote(1)],
            1 => vec![vote(0), vote(1), vote(1)],
            2 => vec![vote(0), vote(1), k(1)],
            3 => (0..4).map(vote).collect(),
            _ => vec![vote(3), vote(1), vote(2)],
        };
        attempt
    }

    fn register(&mut self) -> Attempt {
        let index = usize::try_from(self.dice.below(certificates().len() as u64)).expect("an index");
        let known = &certificates()[index];
        let mut roles = match known.code {
            AUDITOR => vec![Role::Auditor],
            CLINIC => vec![Role::Physician],
            _ => vec![Role::Issuer, Role::Physician],
        };
        match self.dice.below(10) {
            0 => roles.reverse(),
            1 => roles.clear(),
            2 => roles = vec![Role::Pharmacist],
            _ => {}
        }
        let vouchers = if self.dice.one_in(6) { vec![k(70)] } else { Vec::new() };
        let certificate = known.der.clone();
        let body = RegisterParty { certificate, acceptance: k(10 + self.small(4)), vouchers, roles };
        self.votes(Transaction::RegisterParty(body))
    }

    fn suspend(&mut self) -> Attempt {
        let code = self.dice.pick(&[HOSPITAL, CLINIC, "91SHORT", "91LATE", "91LATE", AUDITOR]);
        let far = START + 500 * DAY;
        let from = match self.dice.below(8) {
            0 => self.now,
            1 => self.now - self.dice.below(DAY),
            2 => self.now + self.dice.below(DAY),
            _ => far + self.dice.below(3),
        };
        let why = if self.dice.one_in(10) { "" } else { "why" };
        self.votes(suspension(code, from, why))
    }

    fn rotate(&mut self) -> Attempt {
        let which =
            self.dice.pick(&[Rotated::Acceptance, Rotated::Voucher, Rotated::Audit, Rotated::AuditorBox]);
        let auditors = matches!(which, Rotated::Audit | Rotated::AuditorBox) && !self.dice.one_in(4);
        let code = if auditors { AUDITOR } else { self.dice.pick(&CODES) };
        let id = party(code);
        let sequence = self.naive.sequence(&id, which) + 1 - u64::from(self.dice.one_in(10));
        let body = RotateKeys { party: id, sequence, which, key: k(10 + self.small(4)) };
        self.attempt(Transaction::RotateKeys(body), certified_key(code).public())
    }

    fn move_holder(&mut self) -> Attempt {
        let root = k(50 + self.small(12));
        let holder = HolderId::of(&root);
        let (manage, sequence) = self.naive.manage_key(&holder).unwrap_or((k(61), 0));
        let given = match self.dice.below(6) {
            0 | 1 => Some(root),
            2 => Some(k(50 + self.small(12))),
            _ => None,
        };
        let body = MoveHolder {
            holder,
            authority: k(60),
            manage: k(61 + self.small(3)),
            sequence: sequence + self.dice.pick(&[1, 1, 1, 1, 0, 2]),
            root: given,
        };
        self.attempt(Transaction::MoveHolder(body), given.unwrap_or(manage))
    }

    /// A desk of an organisation, its credential mostly good, and who signed that.
    fn credential(&mut self, code: &str, role: Role, desk: u16) -> (Credential, PublicKey) {
        let id = party(code);
        let mut signer = self.naive.acceptance_key(&id).unwrap_or(k(10));
        let (mut role, mut expiry) = (role, self.now + 1 + self.dice.below(DAY));
        match self.dice.below(24) {
            0 => signer = k(398),
            1 => role = Role::Auditor,
            2 => expiry = self.now - self.dice.below(2),
            3 => expiry = self.now + DAY + 1,
            _ => {}
        }
        let credential =
            Credential { party: id, role, grantee: k(80 + 2 * desk), box_key: k(81 + 2 * desk), expiry };
        (credential, signer)
    }

    fn with_credential(
        &mut self,
        credential: (Credential, PublicKey),
        transaction: impl FnOnce(crate::sm::Signed<Credential>) -> Transaction,
    ) -> Attempt {
        let signed = forged(&credential.0, &credential.1);
        let mut attempt = self.attempt(transaction(signed), credential.0.grantee);
        attempt.credential = Some(credential);
        attempt
    }

    fn issuer(&mut self) -> (Credential, PublicKey) {
        let code = self.dice.pick(&[HOSPITAL, HOSPITAL, HOSPITAL, "91SHORT", "91LATE", CLINIC]);
        let desk = self.small(4);
        self.credential(code, Role::Issuer, desk)
    }

    fn commitment(&mut self) -> Commitment {
        commitment(u8::try_from(self.dice.below(16)).expect("a byte"))
    }

    fn destination(&mut self) -> Destination {
        match self.dice.below(8) {
            0 | 1 => Destination::Holder(holder_commitment(1)),
            2 => Destination::Ticket(k(100), self.now - self.dice.below(2), Digest::default()),
            3 => Destination::Ticket(k(101), self.now + 60, Digest::default()),
            _ => Destination::Ticket(k(102), self.now + 5 * DAY, Digest::default()),
        }
    }

    /// A report that may be there.
    fn report(&mut self) -> Commitment {
        for _ in 0..4 {
            let commitment = self.commitment();
            if self.naive.anchor(&commitment).is_some() {
                return commitment;
            }
        }
        self.commitment()
    }

    fn reason(&mut self) -> String {
        if self.dice.one_in(12) { String::new() } else { "why".to_owned() }
    }

    fn anchor(&mut self) -> Attempt {
        let (desk, commitment, destination) = (self.issuer(), self.commitment(), self.destination());
        self.with_credential(desk, |credential| {
            Transaction::AnchorReport(AnchorReport { commitment, credential, destination })
        })
    }

    fn supersede(&mut self) -> Attempt {
        let replaces = self.report();
        let desk = self.desk_of(&replaces);
        let (commitment, destination, why) = (self.commitment(), self.destination(), self.reason());
        self.with_credential(desk, |credential| {
            Transaction::SupersedeReport(SupersedeReport {
                commitment,
                credential,
                destination,
                replaces,
                why,
            })
        })
    }

    /// Mostly a desk of the report's own organisation.
    fn desk_of(&mut self, report: &Commitment) -> (Credential, PublicKey) {
        let own = self.naive.anchor(report).map(|(issuer, _)| issuer.as_str().to_owned());
        match own {
            Some(code) if !self.dice.one_in(4) => {
                let desk = self.small(4);
                self.credential(&code, Role::Issuer, desk)
            }
            _ => self.issuer(),
        }
    }

    fn bind(&mut self) -> Attempt {
        let commitment = self.report();
        let key = match self.naive.anchor(&commitment) {
            Some((_, Destination::Ticket(key, ..))) => *key,
            _ => k(100),
        };
        let holder = holder_commitment(self.dice.pick(&[1, 2, 3]));
        let body = BindTicket { commitment, holder, seal: k(110), request: k(111) };
        self.attempt(Transaction::BindTicket(body), key)
    }

    fn cancel(&mut self) -> Attempt {
        let commitment = self.report();
        let (desk, why) = (self.desk_of(&commitment), self.reason());
        self.with_credential(desk, |credential| {
            Transaction::CancelTicket(CancelTicket { commitment, credential, why })
        })
    }

    fn issue(&mut self) -> Attempt {
        let number = self.small(24);
        let duration = self.dice.pick(&[2, 600, 2 * HOUR, 2 * HOUR, 2 * DAY, 30 * DAY]);
        let mut body = IssueGrant {
            key: k(200 + number),
            kind: Kind::Read,
            offer: k(230 + number),
            role: self.dice.pick(&[Role::Physician, Role::Physician, Role::Physician, Role::Pharmacist]),
            duration,
            accept_within: (duration / 2).min(1800),
            uses: 1 + self.dice.below(3),
            interval: self.dice.pick(&[0, 0, 60, HOUR]),
            records: 1 + self.dice.below(3),
            shares: Digest::default(),
            auditor_box: vec![1; 40],
            reply: k(260),
            include_before: self.now + 600,
        };
        match self.dice.below(20) {
            0 => body.duration = self.dice.pick(&[0, 30 * DAY + 1]),
            1 => body.accept_within = self.dice.pick(&[0, duration / 2 + 1, 1801]),
            2 => body.uses = self.dice.pick(&[0, 1001]),
            3 => body.records = self.dice.pick(&[0, 257]),
            4 => body.auditor_box.clear(),
            5 => body.include_before = self.now - 1,
            _ => {}
        }
        let key = body.key;
        self.attempt(Transaction::IssueGrant(body), key)
    }

    /// A grant that may be there, and its number in the pool.
    fn grant(&mut self, wanted: impl Fn(&Naive<'_>, &GrantId) -> bool) -> (GrantId, u16) {
        for attempt in 0..12 {
            let number = self.small(24);
            let id = GrantId::of(&self.naive.ledger, &k(200 + number));
            if attempt == 11 || wanted(&self.naive, &id) {
                return (id, number);
            }
        }
        unreachable!("the last attempt returns")
    }

    fn accept(&mut self) -> Attempt {
        let (id, number) =
            self.grant(|naive, id| naive.issued(id).is_some() && naive.accepted_by(id).is_none());
        self.to_an_edge(&id);
        let role = self.naive.issued(&id).map_or(Role::Physician, |(grant, _)| grant.role);
        let code =
            self.dice.pick(&[CLINIC, CLINIC, CLINIC, HOSPITAL, HOSPITAL, HOSPITAL, "91SHORT", "91LATE"]);
        let desk = self.small(4);
        let credential = self.credential(code, role, desk);
        let (grantee, box_key) = (credential.0.grantee, credential.0.box_key);
        let mut acceptance = Acceptance { grant: id, grantee, box_key };
        let mut signer = k(230 + number);
        match self.dice.below(20) {
            0 => signer = k(230 + self.small(24)),
            1 => acceptance.grantee = k(80 + 2 * self.small(4)),
            2 => acceptance.box_key = k(397),
            3 => acceptance.grant = GrantId::from_bytes([0; 32]),
            _ => {}
        }
        let under_offer_key = forged(&acceptance, &signer);
        let mut attempt = self.with_credential(credential, |credential| {
            Transaction::AcceptGrant(AcceptGrant { grant: id, credential, acceptance: under_offer_key })
        });
        attempt.acceptance = Some((acceptance, signer));
        attempt
    }

    fn redeem(&mut self) -> Attempt {
        let (wanted, now) = (self.dice.below(8), self.now);
        let (id, _) = self.grant(|naive, id| match (naive.issued(id), wanted) {
            (None, _) => false,
            (Some(_), 0) => true,
            (Some(_), 1) => naive.accepted_by(id).is_some(),
            (Some((grant, _)), 2 | 3) => {
                let used = naive.redemptions(id).len() as u64;
                grant.interval > 0 && (1..grant.uses).contains(&used)
            }
            (Some((grant, at)), _) => naive.accepted_by(id).is_some() && now < at + grant.duration,
        });
        self.to_an_edge(&id);
        let (role, records) =
            self.naive.issued(&id).map_or((Role::Physician, 1), |(grant, _)| (grant.role, grant.records));
        let accepted = self.naive.accepted_by(&id).cloned();
        let mut credential = match &accepted {
            Some(by) if !self.dice.one_in(10) => {
                let code = by.party.as_str().to_owned();
                let (fresh, signer) = self.credential(&code, role, 0);
                (Credential { grantee: by.grantee, box_key: by.box_key, ..fresh }, signer)
            }
            _ => {
                let (code, desk) = (self.dice.pick(&CODES), self.small(4));
                self.credential(code, role, desk)
            }
        };
        if self.dice.one_in(20) {
            credential.0.box_key = k(397);
        }
        let mut body = RedeemGrant {
            grant: id,
            credential: forged(&credential.0, &credential.1),
            use_number: self.naive.redemptions(&id).len() as u64 + 1,
            records: (0..records).collect(),
            epk: k(120 + self.small(8)),
            auditor_box: vec![1; 40],
        };
        match self.dice.below(16) {
            0 | 3 => body.use_number = self.dice.pick(&[0, body.use_number + 1, body.use_number - 1]),
            1 => body.records = self.dice.pick(&[vec![], vec![records], vec![0, 0]]),
            2 => body.auditor_box.clear(),
            _ => {}
        }
        self.with_credential(credential, |_| Transaction::RedeemGrant(body))
    }

    fn revoke(&mut self) -> Attempt {
        // Not each grant at once, or nothing else would ever happen to them.
        let wanted = if self.dice.one_in(3) { 8 } else { 24 };
        let number = self.small(wanted);
        let grant = GrantId::of(&self.naive.ledger, &k(200 + number));
        self.to_an_edge(&grant);
        self.attempt(Transaction::RevokeGrant(RevokeGrant { grant }), k(200 + number))
    }
}

// ---- what must never be

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

/// The state is a fold of the entries: chains and counts can be had from what was accepted.
fn leaves_are_folds_of_the_entries(run: &Run<'_>) -> Result<(), TestCaseError> {
    let mut chains: BTreeMap<GrantId, (Digest, u64)> = BTreeMap::new();
    for attempt in &run.naive.accepted {
        let id = match &attempt.transaction {
            Transaction::IssueGrant(body) => GrantId::of(&run.naive.ledger, &body.key),
            Transaction::AcceptGrant(body) => body.grant,
            Transaction::RedeemGrant(body) => body.grant,
            Transaction::RevokeGrant(body) => body.grant,
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
            CLINIC => vec![Role::Physician, Role::Pharmacist],
            _ => vec![Role::Issuer, Role::Physician, Role::Pharmacist],
        };
        let vouchers = if *code == "91SHORT" { vouchers.clone() } else { Vec::new() };
        let certificate = certificates()[4 * i].der.clone();
        let acceptance = k(10 + u16::try_from(i).expect("small"));
        let body = RegisterParty { certificate, acceptance, vouchers, roles };
        let votes = run.naive.genesis.members.iter().map(|m| m.vote).collect();
        found(run, Transaction::RegisterParty(body), votes, None, None);
    }
    let grants = [
        (10, 1, 0, 1, 9 * DAY),
        (11, 3, 20 * HOUR, 1, 9 * DAY),
        (12, 3, 0, 1, HOUR),
        (13, 3, 1000, 1, 9 * DAY),
        (14, 3, 0, 2, 9 * DAY),
    ];
    for (number, uses, interval, organisation, duration) in grants {
        let (key, offer) = (k(200 + number), k(230 + number));
        let body = IssueGrant { key, offer, uses, interval, duration, ..grant(START) };
        found(run, Transaction::IssueGrant(body), vec![key], None, None);
        let (id, grantee, box_key) = (GrantId::of(&run.naive.ledger, &key), k(80), k(81));
        let party = party(CODES[usize::from(organisation)]);
        let vouching = k(10 + organisation);
        let credential = Credential { party, role: Role::Physician, grantee, box_key, expiry: START + DAY };
        let acceptance = Acceptance { grant: id, grantee, box_key };
        let body = AcceptGrant {
            grant: id,
            credential: forged(&credential, &vouching),
            acceptance: forged(&acceptance, &offer),
        };
        let credential = Some((credential, vouching));
        let accepted = Some((acceptance, offer));
        let signed = body.credential.clone();
        found(run, Transaction::AcceptGrant(body), vec![grantee], credential.clone(), accepted);
        if number < 12 {
            let body = RedeemGrant {
                grant: id,
                credential: signed,
                use_number: 1,
                records: vec![0],
                epk: k(120),
                auditor_box: vec![1; 40],
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
    let context = Context { number, now: START, sponsor: party("91MEMBER3") };
    let attempt = Attempt { transaction, claimed, holds: true, credential, acceptance, context };
    let changes = run.verdict(&attempt).expect("what the sequence begins with stands");
    run.state.commit(changes);
    run.naive.accepted.push(attempt);
}

#[test]
fn no_sequence_reads_unlawfully_and_the_contract_agrees_with_the_naive_reference() {
    let genesis = Genesis { quota: 16, ..genesis_of(4) };
    let ledger = genesis.ledger_id();
    let coverage = RefCell::new(Coverage::default());
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
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
