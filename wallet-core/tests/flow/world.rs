//! The ledger of the tests: genesis, entries through the contract, state, proofs and cosigned checkpoints. What a relay
//! does with files and sockets is done here with a vector.

use crate::Seeded;
use crate::gates::Gate;
use crate::people::{Desk, Organisation, certify_organisation, consortium_root};
use std::collections::BTreeMap;
use suishen_core::cbor;
use suishen_core::contract::{
    Auditor, Bounds, CertificateDer, Context, Entry, Genesis, Key, Member, Memory, RegisterParty, Rejection,
    Role, SignedTransaction, State as _, Transaction, Views as _, apply,
};
use suishen_core::id::{LedgerId, PartyId};
use suishen_core::identity::Certificate;
use suishen_core::proof::bundle::first_epoch;
use suishen_core::proof::checkpoint::{Checkpoint, Epoch, SignedCheckpoint};
use suishen_core::proof::log::{ProvenEntry, ProvenValue};
use suishen_core::proof::map::pages::{Page, PagePath, prove, update};
use suishen_core::proof::map::{Leaf, MapKey, MapProof, Prefix, root_of};
use suishen_core::proof::tree::{Edge, Node, NodeSource, Sm3, TreeHash as _, prove_inclusion};
use suishen_core::sm::{Digest, SecretKey, Signed};

/// When the story begins.
pub const NOW: u64 = 1_780_000_000;
/// A day.
pub const DAY: u64 = 86_400;

/// One member's keys.
#[derive(Debug)]
pub struct MemberKeys {
    pub name: String,
    pub vote: SecretKey,
    pub cosigner: SecretKey,
}

/// Everything that isn't one person's.
pub struct World {
    pub random: Seeded,
    pub genesis: Genesis,
    pub ledger: LedgerId,
    pub root: Certificate,
    pub root_key: SecretKey,
    pub members: Vec<MemberKeys>,
    pub gates: Vec<Gate>,
    /// Issues reports, and has physicians.
    pub hospital: Organisation,
    /// Has physicians.
    pub clinic: Organisation,
    /// Statutory insurance.
    pub fund: Organisation,
    /// Commercial insurance.
    pub insurer: Organisation,
    /// Commercial insurance too.
    pub rival: Organisation,
    /// The hospital's, for claim tags.
    pub voucher: SecretKey,
    pub auditor: Organisation,
    pub audit: SecretKey,
    pub auditor_box: SecretKey,
    pub state: Memory,
    /// Leaves of the tree: the genesis object, then the entries.
    pub leaves: Vec<Vec<u8>>,
    /// The ledger's time.
    pub now: u64,
}

impl World {
    /// One member, who holds all keys.
    pub fn new() -> Self {
        Self::of(1)
    }

    /// So many members.
    pub fn of(count: u8) -> Self {
        let mut random = Seeded(u64::from(count) << 32);
        let (root, root_key) = consortium_root(&mut random);
        let mut gates = Vec::new();
        let mut members = Vec::new();
        let mut listed = Vec::new();
        for number in 1..=count {
            let [vote, sponsor, cosigner, time] = core::array::from_fn(|_| SecretKey::generate(&mut random));
            let gate = Gate::new(number, &mut random);
            let name = format!("relay-{number}");
            listed.push(Member {
                party: PartyId::new(&format!("RELAY{number}")).unwrap(),
                origins: vec![format!("https://relay-{number}.example")],
                vote: vote.public(),
                sponsor: sponsor.public(),
                cosigner: cosigner.public(),
                gate: gate.key.public(),
                time: time.public(),
                name: name.clone(),
            });
            gates.push(gate);
            members.push(MemberKeys { name, vote, cosigner });
        }
        let [hospital, clinic, fund, insurer, rival, auditor] = [
            ("12330100470038456X", "安澜市人民医院"),
            ("91330100MA27CLINIC", "南塘诊所"),
            ("11330100FUND000001", "安澜市医疗保障局"),
            ("91330100INSURER001", "康宁健康保险"),
            ("91330100INSURER002", "同舟人寿保险"),
            ("AUDITOR01", "安澜市卫生监督所"),
        ]
        .map(|(code, name)| certify_organisation(code, name, &root, &root_key, &mut random));
        let voucher = SecretKey::generate(&mut random);
        let (audit, auditor_box) = (SecretKey::generate(&mut random), SecretKey::generate(&mut random));
        let genesis = Genesis {
            root: CertificateDer::from(&root),
            members: listed,
            auditor: Auditor {
                party: auditor.id.clone(),
                audit: audit.public(),
                box_key: auditor_box.public(),
            },
            quota: 10_000,
            bounds: Bounds { read: Bounds::READ },
            time: NOW - DAY,
        };
        genesis.check().unwrap();
        let mut world = Self {
            ledger: genesis.ledger_id(),
            state: Memory::new(&genesis),
            leaves: vec![cbor::encode(&genesis)],
            now: NOW,
            random,
            genesis,
            root,
            root_key,
            members,
            gates,
            hospital,
            clinic,
            fund,
            insurer,
            rival,
            voucher,
            auditor,
            audit,
            auditor_box,
        };
        world.register();
        world
    }

    fn register(&mut self) {
        let registrations = [
            (&self.hospital, vec![Role::Issuer, Role::Physician]),
            (&self.clinic, vec![Role::Physician]),
            (&self.fund, vec![Role::InsurerStatutory]),
            (&self.insurer, vec![Role::InsurerCommercial]),
            (&self.rival, vec![Role::InsurerCommercial]),
            (&self.auditor, vec![Role::Auditor]),
        ];
        let registrations = registrations.map(|(organisation, roles)| {
            Transaction::RegisterParty(RegisterParty {
                certificate: CertificateDer::from(&organisation.certificate),
                acceptance: organisation.acceptance.public(),
                vouchers: if roles.contains(&Role::Issuer) {
                    vec![self.voucher.public()]
                } else {
                    Vec::new()
                },
                roles,
            })
        });
        for registration in registrations {
            let votes = self.votes(&registration);
            self.order(votes).unwrap();
        }
    }

    /// A transaction under all members' votes.
    pub fn votes(&self, transaction: &Transaction) -> SignedTransaction {
        let vote = |member: &MemberKeys| Signed::new(transaction, &member.vote, &self.ledger);
        SignedTransaction::from_votes(self.members.iter().map(vote).collect()).unwrap()
    }

    /// Puts a transaction before the contract, a second after the last; gives its entry's number.
    pub fn order(&mut self, signed: SignedTransaction) -> Result<u64, Rejection> {
        let number = self.leaves.len() as u64;
        let sponsor = self.genesis.members[0].party.clone();
        let context = Context { number, now: self.now + 1, sponsor };
        let changes = apply(&self.state, &context, &signed, &self.ledger)?;
        self.now = context.now;
        self.state.commit(changes);
        self.leaves.push(Entry { now: context.now, sponsor: context.sponsor, signed }.to_bytes());
        Ok(number)
    }

    /// Signs with one key and orders.
    #[allow(clippy::needless_pass_by_value, reason = "a transaction is made to be sent")]
    pub fn send(&mut self, transaction: Transaction, key: &SecretKey) -> Result<u64, Rejection> {
        self.order(SignedTransaction::new(&transaction, key, &self.ledger))
    }

    /// Time passes.
    pub fn wait(&mut self, seconds: u64) {
        self.now += seconds;
    }

    /// How many gates, how many of them suffice.
    pub fn quorum(&self) -> (u8, u8) {
        let narrow = |n: usize| u8::try_from(n).unwrap();
        (narrow(self.genesis.count()), narrow(self.genesis.threshold()))
    }

    pub fn epoch(&self) -> Epoch {
        first_epoch(&self.genesis)
    }

    /// A desk of the hospital that issues.
    pub fn issuing_desk(&mut self) -> Desk {
        Desk::enrol(&self.hospital, Role::Issuer, "王敏", &self.ledger, self.now, &mut self.random)
    }

    /// A desk of the clinic that reads.
    pub fn reading_desk(&mut self) -> Desk {
        Desk::enrol(&self.clinic, Role::Physician, "李静", &self.ledger, self.now, &mut self.random)
    }

    /// A desk of an insurer's.
    pub fn claims_desk(&mut self, insurer: &Organisation, role: Role) -> Desk {
        Desk::enrol(insurer, role, "赵岚", &self.ledger, self.now, &mut self.random)
    }

    // ---- what a relay proves --------------------------------------------------------------------------------

    /// Size and roots as they are.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut edge = Edge::new();
        for leaf in &self.leaves {
            edge.append::<Sm3>(Sm3::leaf(leaf), |_| {});
        }
        Checkpoint {
            ledger: self.ledger,
            size: edge.size(),
            tree: edge.root::<Sm3>(),
            map: root_of(self.mapped().map(|(key, value)| Leaf::of(key, value))),
            epoch: 0,
        }
    }

    /// The newest checkpoint, cosigned by everyone at a time.
    pub fn note_at(&self, time: u64) -> String {
        let checkpoint = self.checkpoint();
        let line = |member: &MemberKeys| checkpoint.cosign(&member.name, &member.cosigner, time);
        let cosignatures = self.members.iter().map(line).collect();
        SignedCheckpoint { checkpoint, cosignatures }.to_note()
    }

    /// The newest checkpoint, cosigned now.
    pub fn note(&self) -> String {
        self.note_at(self.now)
    }

    fn mapped(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.state.iter().filter(|(key, _)| Key::is_mapped(key))
    }

    fn pages(&self) -> BTreeMap<PagePath, Page> {
        let leaves = self.mapped().map(|(key, value)| (MapKey::of(key), Some(Digest::of(value)))).collect();
        let mut pages = BTreeMap::new();
        update(&pages, &leaves).unwrap().write_to(&mut pages);
        pages
    }

    /// What the state holds under a key, with its proof under the newest checkpoint.
    pub fn proven(&self, key: &Key) -> ProvenValue {
        let value = self.state.get(key).unwrap();
        ProvenValue { value, proof: self.proof(&Prefix::whole(&MapKey::of(&key.to_bytes()))) }
    }

    /// All that the state map holds under a prefix.
    pub fn proof(&self, prefix: &Prefix) -> MapProof {
        prove(&self.pages(), prefix).unwrap()
    }

    /// An entry with its audit path.
    pub fn proven_entry(&self, number: u64) -> ProvenEntry {
        let mut nodes = Nodes::default();
        let mut edge = Edge::new();
        for leaf in &self.leaves {
            edge.append::<Sm3>(Sm3::leaf(leaf), |node| nodes.keep(node));
        }
        let bytes = self.leaves[usize::try_from(number).unwrap()].clone();
        let inclusion = prove_inclusion::<Sm3, _>(&nodes, number, edge.size()).unwrap();
        ProvenEntry { number, bytes, inclusion }
    }
}

#[derive(Default)]
struct Nodes(BTreeMap<(u8, u64), Digest>);

impl Nodes {
    fn keep(&mut self, node: Node) {
        self.0.insert((node.level, node.index), node.hash);
    }
}

impl NodeSource for Nodes {
    type Error = ();

    fn node(&self, level: u8, index: u64) -> Result<Digest, ()> {
        self.0.get(&(level, index)).copied().ok_or(())
    }
}

#[test]
fn what_the_world_proves_holds_under_its_own_checkpoint() {
    for members in [1, 4] {
        let world = World::of(members);
        let note = SignedCheckpoint::parse(&world.note()).unwrap();
        let verified = note.verify(&world.ledger, &world.epoch()).unwrap();
        let party = Key::Party(world.hospital.id.clone());
        let proven = world.proven(&party).verify(&party, verified.checkpoint()).unwrap();
        assert_eq!(world.state.party(&world.hospital.id), Ok(Some(proven)));
        for number in 1..verified.checkpoint().size {
            world.proven_entry(number).verify(verified.checkpoint()).unwrap();
        }
        world.proven_entry(0).check(verified.checkpoint()).unwrap();
    }
}
