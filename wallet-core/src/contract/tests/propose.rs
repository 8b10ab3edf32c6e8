//! What the model proposes: mostly what could stand, often with one thing wrong.

use super::super::*;
use super::model::Run;
use super::naive::{Attempt, Naive};
use super::pool::{CODES, certificates, k};
use super::world::*;
use crate::consent::{GRANT_BOX, USE_BOX};
use crate::id::{Commitment, GrantId, HolderId};
use crate::sm::{Digest, PublicKey};

impl Run<'_> {
    /// Sometimes it is just the second in which a grant's term, acceptance or interval ends, or the one before.
    pub fn wait_for_an_edge(&mut self, id: &GrantId) {
        let Some((grant, issued)) = self.naive.issued(id) else { return };
        let last = self.naive.redemptions(id).last().copied().unwrap_or(issued);
        let edges = [issued + grant.accept_within, issued + grant.duration, last + grant.interval];
        let edge = self.dice.pick(&edges) - self.dice.below(2);
        if self.dice.one_in(4) && (self.now..self.now + HOUR).contains(&edge) {
            self.now = edge;
        }
    }

    pub fn propose(&mut self, kind: usize) -> Attempt {
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
            13 => self.revoke(),
            14 => self.settle(),
            _ => self.reverse(),
        }
    }

    pub fn small(&mut self, n: u64) -> u16 {
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
            CLINIC => vec![Role::Physician, Role::InsurerCommercial],
            _ => Role::ALL[..4].to_vec(),
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

    /// Mostly that of the desk that accepted a grant, else of any.
    pub fn credential_that_accepted(&mut self, id: &GrantId, role: Role) -> (Credential, PublicKey) {
        match self.naive.accepted_by(id).cloned() {
            Some(by) if !self.dice.one_in(10) => {
                let (fresh, signer) = self.credential(by.party.as_str(), role, 0);
                (Credential { grantee: by.grantee, box_key: by.box_key, ..fresh }, signer)
            }
            _ => {
                let (code, desk) = (self.dice.pick(&CODES), self.small(4));
                self.credential(code, role, desk)
            }
        }
    }

    /// A desk of an organisation, its credential mostly good, and who signed that.
    pub fn credential(&mut self, code: &str, role: Role, desk: u16) -> (Credential, PublicKey) {
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

    pub fn with_credential(
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

    pub fn reason(&mut self) -> String {
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
        let role =
            self.dice.pick(&[Role::Physician, Role::Physician, Role::Pharmacist, Role::InsurerCommercial]);
        let mut body = IssueGrant {
            key: k(200 + number),
            kind: if self.dice.one_in(20) { Kind::Claim } else { Kind::of(role) },
            offer: k(230 + number),
            role,
            duration,
            accept_within: (duration / 2).min(1800),
            uses: 1 + self.dice.below(3),
            interval: self.dice.pick(&[0, 0, 60, HOUR]),
            records: 1 + self.dice.below(3),
            shares: Digest::default(),
            auditor_box: vec![1; GRANT_BOX],
            reply: k(260),
            include_before: self.now + 600,
        };
        match self.dice.below(20) {
            0 => body.duration = self.dice.pick(&[0, 30 * DAY + 1, 180 * DAY, 180 * DAY + 1]),
            1 => body.accept_within = self.dice.pick(&[0, duration / 2 + 1, 1801]),
            2 => body.uses = self.dice.pick(&[0, 1001]),
            3 => body.records = self.dice.pick(&[0, 257]),
            4 => body.auditor_box.resize(self.dice.pick(&[0, GRANT_BOX - 1, GRANT_BOX + 1, USE_BOX]), 1),
            5 => body.include_before = self.dice.pick(&[self.now - 1, self.now + 661, u64::MAX]),
            _ => {}
        }
        let key = body.key;
        self.attempt(Transaction::IssueGrant(body), key)
    }

    /// A grant that may be there, and its number in the pool.
    pub fn grant(&mut self, wanted: impl Fn(&Naive<'_>, &GrantId) -> bool) -> (GrantId, u16) {
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
        self.wait_for_an_edge(&id);
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
        self.wait_for_an_edge(&id);
        let (role, records) =
            self.naive.issued(&id).map_or((Role::Physician, 1), |(grant, _)| (grant.role, grant.records));
        let mut credential = self.credential_that_accepted(&id, role);
        if self.dice.one_in(20) {
            credential.0.box_key = k(397);
        }
        let mut body = RedeemGrant {
            grant: id,
            credential: forged(&credential.0, &credential.1),
            use_number: self.naive.redemptions(&id).len() as u64 + 1,
            records: (0..records).collect(),
            epk: k(120 + self.small(8)),
            auditor_box: vec![1; USE_BOX],
        };
        match self.dice.below(16) {
            0 | 3 => body.use_number = self.dice.pick(&[0, body.use_number + 1, body.use_number - 1]),
            1 => body.records = self.dice.pick(&[vec![], vec![records], vec![0, 0]]),
            2 => body.auditor_box.resize(self.dice.pick(&[0, USE_BOX - 1, USE_BOX + 1, GRANT_BOX]), 1),
            _ => {}
        }
        self.with_credential(credential, |_| Transaction::RedeemGrant(body))
    }

    fn revoke(&mut self) -> Attempt {
        // Not each grant at once, or nothing else would ever happen to them.
        let wanted = if self.dice.one_in(3) { 8 } else { 24 };
        let number = self.small(wanted);
        let grant = GrantId::of(&self.naive.ledger, &k(200 + number));
        self.wait_for_an_edge(&grant);
        self.attempt(Transaction::RevokeGrant(RevokeGrant { grant }), k(200 + number))
    }
}
