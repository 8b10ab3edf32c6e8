//! Who belongs to a vault, out of epoch objects and certificates alone (PROTOCOL §3): a mailbox, which reads no event,
//! judges by exactly this, and so does the fold over the events.
//!
//! Epochs name those that they build on, so they are a graph like the events. **Each is judged by its own past**: it is
//! valid when the root signed it, or a device that counted and managed there; nothing that comes later changes that.
//! What holds now is taken from all valid ones together:
//!
//! - The newest epoch of the root is where everything begins; epochs that don't build on it don't count. *The phrase
//!   decides.*
//! - **Whoever any of the epochs that count removes is out, for good.** So two devices that remove each other are both
//!   out, and a removed one that dates a removal back throws others out at most, never itself back in.
//! - Any other device counts when the root certified it, or a device that counts and manages, or when all newest epochs
//!   vouch for its certificate; in that case whoever signed it may be out by now.
//!
//! The same set of epochs says the same, in whatever order they came.

use super::{DeviceCertificate, DeviceRole, Epoch};
use crate::id::{LedgerId, VaultId};
use crate::order;
use crate::sm::{Digest, PublicKey, Signed};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Most certificates of a pass.
pub const MOST_PASS: usize = 8;
/// Most devices of a vault at a time.
pub const MOST_DEVICES: usize = 64;
/// Most heads of an epoch.
pub(super) const MOST_HEADS: usize = 512;
/// The largest epoch, in bytes: one of as many devices and heads as there may be has three quarters of it.
const MOST_BYTES: usize = 128 << 10;
/// Most epochs that wait for what they build on, and their bytes together.
const MOST_WAITING: usize = 64;
const MOST_WAITING_BYTES: usize = 1 << 20;
/// What the epochs of one device may take, those of all devices, and these with the root's: **the phrase has its own share**,
/// so that no device can use up what it takes to put it out.
const BY_ONE: Extent = Extent { epochs: 256, bytes: 512 << 10, removed: 512 };
const BY_DEVICES: Extent = Extent { epochs: 1024, bytes: 1 << 20, removed: 1024 };
const IN_ALL: Extent = Extent { epochs: 2048, bytes: 2 << 20, removed: 2048 };

/// Why an epoch or a pass is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// Not an epoch or certificate as they are written, or beyond their bounds.
    #[error("not an epoch or a certificate of a wallet")]
    Form,
    /// Of another vault.
    #[error("this belongs to another wallet")]
    OtherVault,
    /// Not one to eight certificates.
    #[error("a device shows one to {MOST_PASS} certificates")]
    Length,
    /// A certificate that neither the root nor the next one's device signed, and that no epoch vouches for.
    #[error("the device's certificate is not signed by the wallet or by one of its devices")]
    Certificate,
    /// A certificate signed by a device that doesn't manage.
    #[error("the device was admitted by one that may not admit others")]
    Issuer,
    /// Out.
    #[error("the device was removed from the wallet")]
    Removed,
    /// An epoch that the one it names as its signer didn't sign.
    #[error("the epoch's signature does not match")]
    Signature,
    /// An epoch signed by a device that may only look or share.
    #[error("the epoch was signed by a device that may not manage the wallet's devices")]
    Role,
    /// An epoch whose number doesn't follow.
    #[error("the epoch's number does not follow those that it builds on")]
    Number,
    /// No epoch is known yet.
    #[error("no epoch of this wallet is known yet")]
    Unknown,
    /// Too many.
    #[error("too many epochs: use the recovery phrase to start the wallet's devices anew")]
    Full,
}

/// A device that belongs to the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Signs its events and proofs.
    pub sign: PublicKey,
    /// Keys are sealed to it.
    pub seal: PublicKey,
    /// What it may do.
    pub role: DeviceRole,
}

/// The epochs of one vault, and what they say.
#[derive(Clone, Debug)]
pub struct Roster {
    ledger: LedgerId,
    vault: VaultId,
    /// Copies share them.
    taken: BTreeMap<Digest, Arc<Taken>>,
    waiting: BTreeMap<Digest, Waiting>,
    now: Option<View>,
}

/// An epoch of which something that it builds on is unknown.
#[derive(Clone, Debug)]
struct Waiting {
    signed: Signed<Epoch>,
    bytes: usize,
}

#[derive(Debug)]
struct Taken {
    signed: Signed<Epoch>,
    epoch: Epoch,
    /// The device that signed; none for the root.
    signer: Option<PublicKey>,
    bytes: usize,
}

impl Taken {
    fn extent(&self) -> Extent {
        Extent { epochs: 1, bytes: self.bytes, removed: self.epoch.removed.len() }
    }
}

/// What some epochs take.
#[derive(Clone, Copy, Debug)]
struct Extent {
    epochs: usize,
    bytes: usize,
    /// Devices that they name as removed.
    removed: usize,
}

impl Extent {
    fn and(self, other: Self) -> Self {
        Self {
            epochs: self.epochs + other.epochs,
            bytes: self.bytes + other.bytes,
            removed: self.removed + other.removed,
        }
    }

    const fn is_within(self, most: Self) -> bool {
        self.epochs <= most.epochs && self.bytes <= most.bytes && self.removed <= most.removed
    }
}

/// What a set of epochs says.
#[derive(Clone, Debug)]
struct View {
    /// The root's newest epoch.
    restart: Digest,
    /// The newest of those that count.
    tips: Vec<Digest>,
    /// Who is out, and by which epochs.
    removed: BTreeMap<PublicKey, Vec<Digest>>,
}

/// A certificate as it is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The certificate's id.
    pub(super) id: Digest,
    pub(super) sign: PublicKey,
    pub(super) epoch: u32,
    pub(super) by_root: bool,
}

/// What epochs say about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Counts,
    /// Out, by these epochs.
    Out(Vec<Digest>),
    /// As its issuer does.
    AsIssuer,
}

impl Roster {
    /// Of a vault of which nothing is known yet.
    pub const fn new(ledger: LedgerId, vault: VaultId) -> Self {
        Self { ledger, vault, taken: BTreeMap::new(), waiting: BTreeMap::new(), now: None }
    }

    /// Takes an epoch, in any order; whether it is new. One that builds on unknown ones waits for them and is judged then.
    pub fn take(&mut self, signed: &Signed<Epoch>) -> Result<bool, RosterError> {
        let id = signed.id();
        let waiting = self.waiting.get(&id).map(|waiting| &waiting.signed);
        if let Some(known) = self.taken.get(&id).map(|taken| &taken.signed).or(waiting) {
            // The id is its content's: under another signature it is no second epoch, and nothing that anybody should keep.
            return if known == signed { Ok(false) } else { Err(RosterError::Signature) };
        }
        let bytes = signed.to_bytes().len();
        if bytes > MOST_BYTES {
            return Err(RosterError::Form);
        }
        let epoch = self.well_formed(signed)?;
        if self.past_known(&epoch) {
            self.place(id, Waiting { signed: signed.clone(), bytes }, epoch)?;
            self.place_waiting();
            self.now = self.view(self.taken.keys().copied().collect());
        } else if self.waiting.len() < MOST_WAITING && self.waiting_bytes() + bytes <= MOST_WAITING_BYTES {
            self.waiting.insert(id, Waiting { signed: signed.clone(), bytes });
        } else {
            return Err(RosterError::Full);
        }
        Ok(true)
    }

    /// Whether the device with this pass belongs to the vault: its own certificate first, then its issuer's and so on,
    /// up to one that the root signed or for which all newest epochs vouch.
    pub fn admits(&self, pass: &[Signed<DeviceCertificate>]) -> Result<Member, RosterError> {
        self.judge_pass(self.now.as_ref().ok_or(RosterError::Unknown)?, pass)
    }

    /// The number of the newest epoch that counts.
    pub fn newest(&self) -> Option<u32> {
        let now = self.now.as_ref()?;
        now.tips.iter().filter_map(|id| Some(self.taken.get(id)?.epoch.number)).max()
    }

    /// All epochs that were taken, lowest numbers first: what another copy of this roster needs.
    pub fn epochs(&self) -> Vec<&Signed<Epoch>> {
        let mut taken: Vec<_> = self.taken.values().collect();
        order::sort_by_key(&mut taken, |taken| taken.epoch.number);
        taken.into_iter().map(|taken| &taken.signed).collect()
    }

    /// Bytes of all epochs that are here, taken or waiting.
    pub fn bytes(&self) -> usize {
        self.taken.values().map(|taken| taken.bytes).sum::<usize>() + self.waiting_bytes()
    }

    fn waiting_bytes(&self) -> usize {
        self.waiting.values().map(|waiting| waiting.bytes).sum()
    }

    /// The epochs that were taken, with their ids.
    pub(super) fn taken(&self) -> impl Iterator<Item = (&Digest, &Epoch)> {
        self.taken.iter().map(|(id, taken)| (id, &taken.epoch))
    }

    /// Epochs that wait for others.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The newest epochs that count: id and number, ascending by id.
    pub(super) fn tips(&self) -> Vec<(Digest, u32)> {
        let tips = self.now.iter().flat_map(|now| &now.tips);
        tips.filter_map(|id| Some((*id, self.taken.get(id)?.epoch.number))).collect()
    }

    /// An epoch that was taken.
    pub(super) fn epoch(&self, id: &Digest) -> Option<&Epoch> {
        self.taken.get(id).map(|taken| &taken.epoch)
    }

    /// The greatest number of an epoch that vouched for this certificate.
    pub(super) fn last_vouched(&self, certificate: &Digest) -> Option<u32> {
        let vouches = self.taken.values().filter(|taken| taken.epoch.vouches(certificate));
        vouches.map(|taken| taken.epoch.number).max()
    }

    /// Whether a device that counts, admitted at `epoch`, has the keys of all newest epochs.
    pub(super) fn has_keys(&self, certificate: &Digest, epoch: u32) -> bool {
        let tips = self.now.iter().flat_map(|now| &now.tips).filter_map(|id| self.epoch(id));
        tips.into_iter().all(|tip| tip.number <= epoch || tip.vouches(certificate))
    }

    /// What all epochs together say about a certificate.
    pub(super) fn judge(&self, link: &Link) -> Verdict {
        self.now.as_ref().map_or(Verdict::AsIssuer, |now| self.judge_in(now, link))
    }

    fn judge_in(&self, view: &View, link: &Link) -> Verdict {
        if let Some(by) = view.removed.get(&link.sign) {
            return Verdict::Out(by.clone());
        }
        let vouches = |id: &Digest| self.epoch(id).is_some_and(|epoch| epoch.vouches(&link.id));
        if vouches(&view.restart) {
            return Verdict::Counts;
        }
        if self.epoch(&view.restart).is_none_or(|restart| link.epoch < restart.number) {
            return Verdict::Out(vec![view.restart]);
        }
        if link.by_root || view.tips.iter().all(vouches) { Verdict::Counts } else { Verdict::AsIssuer }
    }

    fn judge_pass(&self, view: &View, pass: &[Signed<DeviceCertificate>]) -> Result<Member, RosterError> {
        let root = self.epoch(&view.restart).ok_or(RosterError::Unknown)?.root;
        if pass.is_empty() || pass.len() > MOST_PASS {
            return Err(RosterError::Length);
        }
        let claimed = |signed: &Signed<DeviceCertificate>| {
            let certificate = signed.claimed().map_err(|_| RosterError::Form)?;
            if certificate.vault == self.vault { Ok(certificate) } else { Err(RosterError::OtherVault) }
        };
        let own = claimed(&pass[0])?;
        let member = Member { sign: own.sign, seal: own.seal, role: own.role };
        let mut rest = pass;
        while let Some((signed, issuers)) = rest.split_first() {
            let certificate = claimed(signed)?;
            let link =
                Link { id: signed.id(), sign: certificate.sign, epoch: certificate.epoch, by_root: false };
            match self.judge_in(view, &link) {
                Verdict::Counts => return Ok(member),
                Verdict::Out(_) => return Err(RosterError::Removed),
                // The root's signature is looked at only where it decides.
                Verdict::AsIssuer if signed.verify(&root, &self.ledger).is_ok() => return Ok(member),
                Verdict::AsIssuer => {}
            }
            let issuer = claimed(issuers.first().ok_or(RosterError::Certificate)?)?;
            signed.verify(&issuer.sign, &self.ledger).map_err(|_| RosterError::Certificate)?;
            if issuer.role < DeviceRole::Manage {
                return Err(RosterError::Issuer);
            }
            rest = issuers;
        }
        Err(RosterError::Certificate)
    }

    /// What an epoch must be before its past is looked at.
    fn well_formed(&self, signed: &Signed<Epoch>) -> Result<Epoch, RosterError> {
        let epoch = signed.claimed().map_err(|_| RosterError::Form)?;
        if VaultId::of(&epoch.root) != self.vault {
            return Err(RosterError::OtherVault);
        }
        let sealed_to = order::set(epoch.wraps.iter().map(|wrap| wrap.to));
        let bounded = (1..=MOST_DEVICES + 1).contains(&epoch.wraps.len())
            && sealed_to.len() == epoch.wraps.len()
            && epoch.previous.len() <= MOST_DEVICES
            && epoch.previous.is_sorted_by(|a, b| a < b)
            && epoch.earlier.len() <= epoch.previous.len()
            && epoch.removed.len() <= MOST_HEADS
            && epoch.removed.is_sorted_by(|a, b| a < b)
            && epoch.heads.len() <= MOST_HEADS;
        if !bounded {
            return Err(RosterError::Form);
        }
        if epoch.previous.is_empty() != (epoch.number == 0) {
            return Err(RosterError::Number);
        }
        let by = match epoch.pass.first() {
            Some(own) => own.claimed().map_err(|_| RosterError::Form)?.sign,
            None => epoch.root,
        };
        signed.verify(&by, &self.ledger).map_err(|_| RosterError::Signature)
    }

    fn past_known(&self, epoch: &Epoch) -> bool {
        epoch.previous.iter().all(|id| self.taken.contains_key(id))
    }

    /// Judges an epoch by its own past and adds it.
    fn place(&mut self, id: Digest, new: Waiting, epoch: Epoch) -> Result<(), RosterError> {
        let before = epoch.previous.iter().filter_map(|id| self.epoch(id)).map(|epoch| epoch.number).max();
        if before.is_some_and(|before| before.checked_add(1) != Some(epoch.number)) {
            return Err(RosterError::Number);
        }
        let by = if epoch.pass.is_empty() {
            None
        } else {
            let past = self.view(epoch.previous.iter().copied().collect()).ok_or(RosterError::Signature)?;
            let member = self.judge_pass(&past, &epoch.pass)?;
            if member.role < DeviceRole::Manage {
                return Err(RosterError::Role);
            }
            Some(member.sign)
        };
        let Waiting { signed, bytes } = new;
        let taken = Taken { signed, epoch, signer: by, bytes };
        if !self.has_room(&taken) {
            return Err(RosterError::Full);
        }
        self.taken.insert(id, Arc::new(taken));
        Ok(())
    }

    fn has_room(&self, new: &Taken) -> bool {
        let fits = |counts: &dyn Fn(&Taken) -> bool, most| {
            let extents = self.taken.values().filter(|taken| counts(taken)).map(|taken| taken.extent());
            extents.fold(new.extent(), Extent::and).is_within(most)
        };
        let of_devices = new.signer.is_none()
            || fits(&|taken| taken.signer == new.signer, BY_ONE)
                && fits(&|taken| taken.signer.is_some(), BY_DEVICES);
        of_devices && fits(&|_| true, IN_ALL)
    }

    fn place_waiting(&mut self) {
        loop {
            let ready = self.waiting.iter().find_map(|(id, waiting)| {
                let epoch = waiting.signed.claimed().ok()?;
                self.past_known(&epoch).then_some((*id, epoch))
            });
            let Some((id, epoch)) = ready else { return };
            if let Some(waiting) = self.waiting.remove(&id) {
                // One that its own past doesn't allow is dropped, and so is, in the end, all that builds on it.
                let _ = self.place(id, waiting, epoch);
            }
        }
    }

    /// What these epochs and their past say.
    fn view(&self, from: BTreeSet<Digest>) -> Option<View> {
        let mut past = BTreeSet::new();
        let mut open: Vec<Digest> = from.into_iter().collect();
        while let Some(id) = open.pop() {
            if let Some(epoch) = self.epoch(&id)
                && past.insert((epoch.number, id))
            {
                open.extend(&epoch.previous);
            }
        }
        let by_root = past.iter().filter(|(_, id)| self.taken.get(id).is_some_and(|t| t.signer.is_none()));
        let (_, restart) = *by_root.max_by_key(|(number, id)| (*number, core::cmp::Reverse(*id)))?;
        let mut view = View { restart, tips: Vec::new(), removed: BTreeMap::new() };
        let mut counted = BTreeSet::new();
        let mut tips = BTreeSet::new();
        // Lowest numbers first: what an epoch builds on has been looked at.
        for (_, id) in past {
            let Some(epoch) = self.epoch(&id) else { continue };
            if id != restart && !epoch.previous.iter().any(|previous| counted.contains(previous)) {
                continue;
            }
            counted.insert(id);
            tips.insert(id);
            epoch.previous.iter().for_each(|previous| {
                tips.remove(previous);
            });
            for device in &epoch.removed {
                view.removed.entry(*device).or_default().push(id);
            }
        }
        view.tips = tips.into_iter().collect();
        Some(view)
    }
}
