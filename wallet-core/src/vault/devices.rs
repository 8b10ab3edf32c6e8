//! The certificates that a log knows, and which of its events the epochs let count.

use super::log::Placed;
use super::roster::{Link, Roster, Verdict};
use super::{DeviceCertificate, Epoch};
use crate::order;
use crate::sm::{Digest, Signed};
use std::collections::{BTreeMap, BTreeSet};

/// A certificate and who signed it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) signed: Signed<DeviceCertificate>,
    pub(super) certificate: DeviceCertificate,
    /// Ids of certificates; none for the root.
    issuers: BTreeSet<Option<Digest>>,
}

/// All certificates, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Devices(BTreeMap<Digest, Known>);

impl Devices {
    /// Adds a certificate that was verified under its issuer; whether that is new.
    pub(super) fn learn(
        &mut self,
        signed: &Signed<DeviceCertificate>,
        certificate: &DeviceCertificate,
        issuer: Option<Digest>,
    ) -> bool {
        let new =
            || Known { signed: signed.clone(), certificate: certificate.clone(), issuers: BTreeSet::new() };
        self.0.entry(signed.id()).or_insert_with(new).issuers.insert(issuer)
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Digest, &Known)> {
        self.0.iter()
    }

    /// The epochs by which a certificate doesn't count; `None` when it does.
    fn out_by(
        &self,
        roster: &Roster,
        id: &Digest,
        on_the_way: &mut BTreeSet<Digest>,
    ) -> Option<BTreeSet<Digest>> {
        let nobodys = || Some(order::set([Digest::default()]));
        let Some(known) = self.0.get(id) else { return nobodys() };
        let Known { certificate, issuers, .. } = known;
        let by_root = issuers.contains(&None);
        match roster.judge(&Link { id: *id, sign: certificate.sign, epoch: certificate.epoch, by_root }) {
            Verdict::Counts => None,
            Verdict::Out(by) => Some(by.into_iter().collect()),
            // Certificates that vouch for each other in a circle vouch for nothing.
            Verdict::AsIssuer if !on_the_way.insert(*id) => nobodys(),
            Verdict::AsIssuer => {
                let mut by = BTreeSet::new();
                for issuer in issuers.iter().flatten() {
                    by.extend(self.out_by(roster, issuer, on_the_way)?);
                }
                Some(by)
            }
        }
    }
}

/// Which certificates are out, and how far their events count all the same.
#[derive(Debug)]
pub(super) struct Judgement {
    out: BTreeMap<Digest, BTreeSet<Digest>>,
    /// What each of these epochs accepted.
    accepted: BTreeMap<Digest, BTreeSet<Digest>>,
    /// Accepted heads that haven't come yet.
    pub(super) missing: BTreeSet<Digest>,
}

impl Judgement {
    /// Judges all certificates by all epochs. `event` finds an event that was placed.
    pub(super) fn new<'e>(
        devices: &Devices,
        roster: &Roster,
        event: impl Fn(&Digest) -> Option<&'e Placed>,
    ) -> Self {
        let out = devices.0.keys();
        let out =
            order::map(out.filter_map(|id| Some((*id, devices.out_by(roster, id, &mut BTreeSet::new())?))));
        let mut judgement = Self { out, accepted: BTreeMap::new(), missing: BTreeSet::new() };
        let by: BTreeSet<Digest> = order::set(judgement.out.values().flatten().copied());
        for id in by {
            let epoch = roster.epoch(&id);
            let accepted = epoch.map(|epoch| judgement.chains(epoch, &event)).unwrap_or_default();
            judgement.accepted.insert(id, accepted);
        }
        judgement
    }

    /// The heads of an epoch and all events of the same devices before them.
    fn chains<'e>(
        &mut self,
        epoch: &Epoch,
        event: &impl Fn(&Digest) -> Option<&'e Placed>,
    ) -> BTreeSet<Digest> {
        let mut accepted = BTreeSet::new();
        for head in &epoch.heads {
            let Some(last) = event(&head.event) else {
                self.missing.insert(head.event);
                continue;
            };
            if last.event.device != head.device {
                continue;
            }
            let mut at = Some(head.event);
            while let Some(id) = at {
                at = if accepted.insert(id) {
                    event(&id).and_then(|placed| placed.event.previous)
                } else {
                    None
                };
            }
        }
        accepted
    }

    /// Whether any certificate doesn't count.
    pub(super) fn is_anyone_out(&self) -> bool {
        !self.out.is_empty()
    }

    /// Whether a certificate doesn't count.
    pub(super) fn is_out(&self, certificate: &Digest) -> bool {
        self.out.contains_key(certificate)
    }

    /// Whether an event counts: all of a device that counts, and those of others that every epoch which put them out
    /// had accepted. **No event is dated back by this**: what an epoch accepted is fixed by hashes.
    pub(super) fn accepts(&self, id: &Digest, placed: &Placed) -> bool {
        self.out.get(&placed.certificate).is_none_or(|by| {
            by.iter().all(|epoch| self.accepted.get(epoch).is_some_and(|accepted| accepted.contains(id)))
        })
    }
}
