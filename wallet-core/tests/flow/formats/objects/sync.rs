//! What copies of a vault say to each other.

use super::{Found, Story};
use suishen_core::id::BlobAddress;
use suishen_core::sm::{Key32, SecretKey};
use suishen_core::sync::{
    self, Act, ContentFrame, ContentRefused, Knock, LEAST_FRAME, Link, MOST_SECTIONS, Outline, Pair,
    PairReply, Presence, Refused, WORK_BITS, Welcome,
};
use suishen_core::vault::DeviceRequest;

impl Story {
    pub(super) fn sync(&mut self, found: &mut Found) {
        self.door(found);
        self.link(found);
        content(found);
        self.pairing(found);
    }

    /// What a link says between its sessions.
    fn link(&mut self, found: &mut Found) {
        let random = &mut self.world.random;
        let (mut begins, mut answers) = (Link::new(true, LEAST_FRAME), Link::new(false, LEAST_FRAME));
        let mut acts = begins.start([], random).unwrap();
        let mut to_first = false;
        while let Some(Act::Send(frame)) = acts.first() {
            let side = if to_first { &mut begins } else { &mut answers };
            acts = side.take(frame).unwrap();
            if acts == [Act::Compare] {
                acts = side.start([], random).unwrap();
            }
            to_first = !to_first;
        }
        assert!(begins.is_level() && answers.is_level());
        let pushed = sent(&begins.news(self.patient.events.iter().take(2).cloned()));
        found.bytes("sync-frame", sent(&answers.take(&pushed).unwrap()));
        found.bytes("sync-frame", pushed);
        found.bytes("sync-frame", sent(&answers.again()));
        found.bytes("sync-frame", sent(&answers.refuse(Refused::Device)));
    }

    fn pairing(&self, found: &mut Found) {
        let key = SecretKey::from_bytes(&[9; 32]).unwrap().public();
        let pair = Pair::new(self.world.ledger, Key32::from_bytes([1; 32]), (b"old", b"new"));
        found.bytes("pair-hello", pair.hello_of_new());
        found.bytes("pair-hello", pair.hello_of_old(&[2; 32]));
        found.add("pair-ask", &pair.ask(DeviceRequest { sign: key, seal: key }, "平板"));
        let promise = PairReply::Promise(pair.promise(&[2; 32]));
        for reply in [PairReply::Nonce([2; 32]), PairReply::Admitted(vec![1]), PairReply::No, promise] {
            found.add("pair-reply", &reply);
        }
    }

    fn door(&self, found: &mut Found) {
        let vault = &self.patient.vault;
        let knock = Knock::of(vault, (b"phone", b"mailbox"));
        let presence: Presence = knock.proof.claimed().unwrap();
        found.add("device-presence", &presence);
        found.add("knock", &knock);
        found.add("found", &sync::Found { epochs: vault.epochs(), work: 1 << 40 });
        for refused in [Refused::Form, Refused::Busy] {
            found.add("refused", &refused);
            found.add("welcome", &Welcome::Refused(refused));
        }
        for welcome in
            [Welcome::Open(None), Welcome::Open(Some(Box::new(knock))), Welcome::Unknown(WORK_BITS)]
        {
            found.add("welcome", &welcome);
        }
    }
}

fn content(found: &mut Found) {
    let address = BlobAddress::of(b"x");
    let frames = [
        ContentFrame::Lacks(vec![address; 2]),
        ContentFrame::Lacking(Vec::new()),
        ContentFrame::Get(address, 1 << 20),
        ContentFrame::Content(500 << 20),
        ContentFrame::Missing,
        ContentFrame::Put(address, 1),
        ContentFrame::From(0),
        ContentFrame::Refused(ContentRefused::Large),
        ContentFrame::piece(b"x"),
        ContentFrame::Kept,
        ContentFrame::Wrong,
        ContentFrame::Section(address, MOST_SECTIONS - 1),
        ContentFrame::outline(&Outline::of(&vec![0; 3 << 20])),
    ];
    for frame in frames {
        found.bytes("content-frame", frame.to_bytes());
    }
    found.add("content-refused", &ContentRefused::Device);
}

/// The frame that is to be sent.
fn sent(acts: &[Act]) -> Vec<u8> {
    let frame = acts.iter().rev().find_map(|act| if let Act::Send(frame) = act { Some(frame) } else { None });
    frame.unwrap().clone()
}
