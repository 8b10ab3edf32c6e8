//! What a wallet stores: its devices, slots and epochs, events of every kind, the backup file.

use super::{Found, Story};
use crate::Seeded;
use crate::world::NOW;
use std::collections::{BTreeMap, VecDeque};
use suishen_core::cbor;
use suishen_core::contract::Claim;
use suishen_core::sm::{Digest, Key32, Label, SecretKey, Signed, aead, pad, sealed};
use suishen_core::sync::{Act, LEAST_FRAME, Session};
use suishen_core::vault::{
    Answer, BackupSummary, Body, ClaimAnswered, Contact, DeviceRole, EpochKeys, Event, GrantIssued,
    GrantSecrets, GroupsCopy, Head, HeldKeys, IdentityShown, NewDevice, ReadSeen, ReceiptSeen, RecordAdded,
    Slot, SlotSeen, Source, Vault, Wrap,
};

impl Story {
    pub(super) fn vault(&mut self, found: &mut Found) {
        self.devices(found);
        self.events(found);
        self.syncs(found);
        for event in &self.patient.events {
            found.bytes("stored-event", event.bytes.clone());
        }
    }

    /// All frames of a sync in which either side lacks something.
    fn syncs(&mut self, found: &mut Found) {
        let events: BTreeMap<_, _> =
            self.patient.events.iter().map(|e| (e.address, e.bytes.clone())).collect();
        let (first, last) = (events.keys().next().copied(), events.keys().last().copied());
        let without = |left_out| events.keys().copied().filter(move |address| Some(*address) != left_out);
        let random = &mut self.world.random;
        let (mut begins, hello) = Session::begin(without(first), LEAST_FRAME, random);
        let mut answers = Session::answer(without(last), LEAST_FRAME, random);
        let mut frames = VecDeque::from([(false, hello)]);
        while let Some((to_first, frame)) = frames.pop_front() {
            let side = if to_first { &mut begins } else { &mut answers };
            let mut acts = VecDeque::from(side.take(&frame).unwrap());
            while let Some(act) = acts.pop_front() {
                match act {
                    Act::Send(frame) => frames.push_back((!to_first, frame)),
                    Act::Load(load) => {
                        let load = load.iter().map(|address| events[address].clone()).collect();
                        acts.extend(side.loaded(load).unwrap());
                    }
                    _ => {}
                }
            }
            found.bytes("sync-frame", frame);
        }
        assert!(begins.is_over() && answers.is_over());
        found.bytes("sync-piece", cbor::encode(&(minicbor::bytes::ByteVec::from(vec![1, 2]), true)));
    }

    fn devices(&mut self, found: &mut Found) {
        let random = &mut self.world.random;
        for role in [DeviceRole::View, DeviceRole::Share, DeviceRole::Manage] {
            found.add("device-role", &role);
            found.add("epoch-keys", &EpochKeys::generate(random).for_role(role));
        }
        let (mut young, events) = Vault::create(self.world.ledger, "平板", NOW, random);
        let certificate = young.index().devices().next().unwrap().certificate.clone();
        found.add("device-certificate", &certificate);
        found.add("head", &Head { device: certificate.sign, event: Digest::of(b"x") });
        young.set_platform(vec![1; 48]);
        let stored = young.to_bytes();
        let device = young.device_key().unwrap().clone();
        let secrets = stored_secrets(&stored);
        let text =
            aead::open(&device, Label::new("device-secrets"), young.id().as_bytes(), &secrets).unwrap();
        found.bytes("device-secrets", text.to_vec());
        found.add("recovery-public", &young.entropy().unwrap().keys().public());
        found.bytes("stored-vault", stored);
        young.add_passkey(vec![1], [2; 32], &[3; 32], random);
        found.bytes("stored-vault", young.to_bytes());
        found.add("slot", &young.slots()[0]);
        let slot =
            Slot::Passphrase { salt: [1; 16], memory: 65_536, passes: 3, lanes: 1, sealed: vec![1; 48] };
        found.add("slot", &slot);

        let mut file = Vec::new();
        let mut writer = young.backup(random, &mut file);
        let header = u32::from_be_bytes(*file[16..].first_chunk().unwrap());
        found.bytes("backup-header", file[20..20 + header as usize].to_vec());
        for event in &events {
            writer.event(event, &mut file);
        }
        let end: BackupSummary = writer.finish(&mut file);
        found.add("backup-end", &end);
        self.joins(found, &mut young);
        let events = young.settle(NOW, &mut self.world.random).unwrap();
        found.bytes("stored-event", events[0].bytes.clone());
        let later = young.epochs().remove(1).claimed().unwrap();
        found.add("epoch", &later);
        found.add("earlier-keys", &later.earlier[0]);
        let epoch = young.epochs().remove(0).claimed().unwrap();
        found.add("epoch", &epoch);
        let wrap: &Wrap = &epoch.wraps[0];
        found.add("wrap", wrap);
    }

    /// Another device joins.
    fn joins(&mut self, found: &mut Found, young: &mut Vault) {
        let ledger = self.world.ledger;
        let device = NewDevice::generate(&mut Seeded(77));
        // The same keys again, since they don't leave the device.
        let same = &mut Seeded(77);
        let [_, seal] = [SecretKey::generate(same), SecretKey::generate(same)];
        found.add("device-request", &device.request());
        let (admission, _) =
            young.admit(&device.request(), DeviceRole::Share, NOW, &mut self.world.random).unwrap();
        found.add("admission", &admission);
        found.add("device-pass", &admission.pass);
        let label = Label::new("admission");
        let object = Digest::labelled(label, &[admission.pass[0].id().as_bytes()]);
        let padded = sealed::open(&seal, &ledger, &object, label, &admission.sealed).unwrap();
        let keys = pad::unpad(&padded).unwrap().to_vec();
        let held: Vec<HeldKeys> = field(&keys, 1, |d| d.decode().unwrap());
        found.add("held-keys", &held[0]);
        found.bytes("admission-keys", keys);
        Vault::join(device, &admission, ledger, &mut self.world.random).unwrap();
    }

    fn events(&mut self, found: &mut Found) {
        let (grant, record) = (self.sharing.grant(), self.records[0].commitment);
        let chain = self.desk.chain.clone();
        let terms = self.sharing.issued(&self.world);
        let draft = &self.sharing.draft;
        let secrets = GrantSecrets {
            grant: draft.key.clone(),
            offer: draft.offer.clone(),
            reply: draft.reply.clone(),
            half: draft.half.clone(),
        };
        found.add("grant-secrets", &secrets);
        let sealed = self.patient.vault.seal_grant(&grant, &secrets, &mut self.world.random).unwrap();
        let issued = GrantIssued {
            grant,
            secrets: sealed,
            terms,
            records: vec![record],
            purpose: "TREAT".into(),
            language: "zh".into(),
            text: "我同意".into(),
            offline: false,
        };
        found.add("grant-issued", &issued);
        let added = self.records.each_ref().map(|kept| RecordAdded {
            claim_keys: Some(vec![1; 70].into()),
            record: kept.commitment,
            manifest: kept.manifest.to_bytes(),
            salt: kept.salt,
            holder_salts: kept.holder_salts.iter().map(|salt| Key32::from_bytes(salt.0)).collect(),
            parts: kept.parts.clone(),
            tags: kept.openings.clone(),
            groups: Some(GroupsCopy::seal(&kept.openings, &mut self.world.random).0),
            chain: kept.chain.clone(),
            source: if kept.holder_salts.len() == 1 { Source::Ticket } else { Source::Inbox },
        });
        for record in &added {
            found.add("record-added", record);
            found.add("groups-copy", record.groups.as_ref().unwrap());
        }
        let certificate = self.patient.vault.pass().remove(0);
        let device = self.patient.vault.device();
        let [ticket, _] = added;
        let claim = Claim {
            issuer: self.world.hospital.id.clone(),
            slot: suishen_core::contract::Slot::Commercial,
            settlement: None,
            reversal: None,
            void: None,
        };
        let bodies = vec![
            Body::DeviceAdmitted(certificate.clone(), "手机".into()),
            Body::HolderPrepared(self.patient.opening()),
            Body::RecordAdded(Box::new(ticket)),
            Body::Tagged(record, "妈妈".into()),
            Body::Untagged(record, "妈妈".into()),
            Body::Renamed(record, String::new()),
            Body::Hidden(record),
            Body::Unhidden(record),
            Body::GrantIssued(Box::new(issued)),
            Body::GrantAnswered(Answer { grant, person: chain.clone(), agreed: true }),
            Body::GrantRevoked(grant),
            Body::ReceiptSeen(ReceiptSeen { grant, number: 1, receipt: vec![1] }),
            Body::ClaimAnswered(Box::new(ClaimAnswered {
                grant,
                number: 0,
                answer: Signed::new(&refusal(grant), &self.desk.grantee, &self.world.ledger),
            })),
            Body::SlotSeen(Box::new(SlotSeen { record, claim })),
            Body::ReadSeen(ReadSeen { grant, number: 1, entry: 9, time: NOW, records: vec![0] }),
            Body::ContactAdded(Contact { chain, name: "李医生".into() }),
            Body::IdentityShown(IdentityShown {
                salt: Key32::from_bytes([1; 32]),
                seal: self.desk.box_key.clone(),
                inbox: self.desk.grantee.clone(),
            }),
            Body::SettingChanged("language".into(), "zh".into()),
            Body::LastLooked(NOW),
            Body::PhraseWritten,
            Body::BackedUp(NOW),
            Body::DeviceCertified(certificate),
            Body::DeviceRemoved(device),
            Body::HolderMoved(self.patient.opening()),
        ];
        for (sequence, body) in (0..).zip(bodies) {
            found.add("event-body", &body);
            let event = Event {
                device,
                sequence,
                previous: (sequence > 0).then(|| Digest::of(b"x")),
                seen: vec![Digest::of(b"y")],
                epoch: 0,
                time: NOW,
                body,
            };
            found.add("vault-event", &event);
        }
    }
}

/// The field of a stored vault, decoded as whatever is asked for.
fn field<T>(stored: &[u8], number: u8, read: impl FnOnce(&mut minicbor::Decoder<'_>) -> T) -> T {
    let mut d = minicbor::Decoder::new(stored);
    for _ in 0..d.map().unwrap().unwrap() {
        if d.u8().unwrap() == number {
            return read(&mut d);
        }
        d.skip().unwrap();
    }
    panic!("a stored vault has field {number}")
}

fn stored_secrets(stored: &[u8]) -> Vec<u8> {
    field(stored, 4, |d| d.bytes().unwrap().to_vec())
}

fn refusal(grant: suishen_core::id::GrantId) -> suishen_core::consent::Answer {
    let sum = |text| suishen_core::report::Money::parse(text, "CNY").unwrap();
    suishen_core::consent::Answer::Refused(suishen_core::consent::AuditorSettlement {
        grant,
        tag: suishen_core::id::TagId::from_bytes([1; 32]),
        invoice: suishen_core::sm::Digest::of(b"0038217745"),
        anchor: [7; 8],
        claimed: sum("1280.50"),
        paid: sum("0"),
        reason: "不在保障期内".into(),
    })
}
