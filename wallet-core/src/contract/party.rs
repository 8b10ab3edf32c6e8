//! Rules for organisations and the auditor (PROTOCOL §2, §5).

use super::body::{CertificateDer, Credential, LogAudit, RegisterParty, RotateKeys, Rotated, SuspendParty};
use super::state::{Key, Views as _};
use super::value::{Party, Suspension};
use super::{Rejection, Step};
use crate::id::PartyId;
use crate::identity::{Certificate, CertificateError, Role};
use crate::sm::PublicKey;

/// The longest that a credential may still run, in seconds.
pub const CREDENTIAL_TERM: u64 = 86_400;

/// Most voucher keys an issuer may register.
const MAX_VOUCHERS: usize = 64;

/// The key that the organisation's certificate certifies.
pub(super) fn certified_key(party: &Party) -> Result<PublicKey, Rejection> {
    party.certificate.read().map(|certificate| *certificate.key()).map_err(|_| Rejection::Damaged)
}

/// Reads a certificate and checks that the root certifies an organisation by it now.
fn organisation(
    certificate: &CertificateDer,
    root: &CertificateDer,
    now: u64,
) -> Result<Certificate, CertificateError> {
    let (certificate, root) = (certificate.read()?, root.read()?);
    root.validity().check(now)?;
    certificate.verify_issued_by(&root)?;
    certificate.validity().check(now)?;
    Ok(certificate)
}

impl Step<'_> {
    /// An organisation that may act now: registered, not suspended, its certificate valid.
    pub(super) fn good_party(&self, id: &PartyId) -> Result<Party, Rejection> {
        let party = self.state.party(id)?.ok_or(Rejection::UnknownParty)?;
        if party.is_suspended(self.now) {
            return Err(Rejection::PartySuspended);
        }
        let certificate = party.certificate.read().map_err(|_| Rejection::Damaged)?;
        certificate.validity().check(self.now).map_err(|_| Rejection::PartyExpired)?;
        Ok(party)
    }

    /// A desk that may act now in this role: organisation good, credential in force.
    pub(super) fn good_desk(&self, credential: &Credential, role: Role) -> Result<(), Rejection> {
        let party = self.good_party(&credential.party)?;
        if credential.role != role {
            return Err(Rejection::CredentialRole);
        }
        if !party.roles.contains(&role) {
            return Err(Rejection::RoleMissing);
        }
        if credential.expiry <= self.now {
            return Err(Rejection::CredentialExpired);
        }
        if credential.expiry - self.now > CREDENTIAL_TERM {
            return Err(Rejection::CredentialTooLong);
        }
        Ok(())
    }

    /// A new organisation, or one that renews its certificate; a suspended one can't come back like that.
    pub(super) fn register_party(&mut self, body: &RegisterParty) -> Result<(), Rejection> {
        check_roles(body)?;
        let certificate = organisation(&body.certificate, &self.state.genesis()?.root, self.now)
            .map_err(|_| Rejection::Certificate)?;
        let (id, serial) = (certificate.subject().party.clone(), certificate.serial().as_bytes().to_vec());
        if self.state.serial(&serial)?.is_some() {
            return Err(Rejection::SerialUsed);
        }
        let earlier = self.state.party(&id)?;
        if earlier.as_ref().is_some_and(|party| party.suspension.is_some()) {
            return Err(Rejection::PartySuspended);
        }
        let mut vouchers = earlier.as_ref().map(|party| party.vouchers.clone()).unwrap_or_default();
        vouchers
            .extend(body.vouchers.iter().filter(|key| !vouchers.contains(key)).copied().collect::<Vec<_>>());
        let party = Party {
            certificate: body.certificate.clone(),
            acceptance: body.acceptance,
            vouchers,
            roles: body.roles.clone(),
            sequence: earlier.as_ref().map_or(0, |party| party.sequence),
            since: earlier.as_ref().map_or(self.now, |party| party.since),
            suspension: None,
        };
        self.put(&Key::Serial(serial), &id);
        self.put(&Key::Party(id), &party);
        Ok(())
    }

    /// `from` may lie in the past, and may later be moved to an earlier moment, never to a later one.
    pub(super) fn suspend_party(&mut self, body: &SuspendParty) -> Result<(), Rejection> {
        super::check_text(&body.why)?;
        let mut party = self.state.party(&body.party)?.ok_or(Rejection::UnknownParty)?;
        if party.suspension.as_ref().is_some_and(|suspension| suspension.from <= body.from) {
            return Err(Rejection::AlreadySuspended);
        }
        party.suspension = Some(Suspension { from: body.from, why: body.why.clone(), at: self.now });
        self.put(&Key::Party(body.party.clone()), &party);
        Ok(())
    }

    /// The party's own keys and the auditor's have a sequence each.
    pub(super) fn rotate_keys(&mut self, body: &RotateKeys) -> Result<(), Rejection> {
        let mut party = self.good_party(&body.party)?;
        match body.which {
            Rotated::Acceptance => party.acceptance = body.key,
            Rotated::Voucher if !party.roles.contains(&Role::Issuer) => return Err(Rejection::RoleMissing),
            Rotated::Voucher if party.vouchers.len() >= MAX_VOUCHERS => return Err(Rejection::Roles),
            Rotated::Voucher => party.vouchers.push(body.key),
            Rotated::Audit | Rotated::AuditorBox => return self.rotate_auditor_keys(body),
        }
        party.sequence = following(party.sequence, body.sequence)?;
        self.put(&Key::Party(body.party.clone()), &party);
        Ok(())
    }

    fn rotate_auditor_keys(&mut self, body: &RotateKeys) -> Result<(), Rejection> {
        let mut keys = self.state.auditor()?;
        if keys.party != body.party {
            return Err(Rejection::NotAuditor);
        }
        keys.sequence = following(keys.sequence, body.sequence)?;
        if body.which == Rotated::Audit {
            keys.audit = body.key;
        } else {
            keys.renew(body.key, self.now);
        }
        self.put(&Key::Auditor, &keys);
        Ok(())
    }

    /// Leaves no state but the entry itself.
    pub(super) fn log_audit(&self, body: &LogAudit) -> Result<(), Rejection> {
        super::check_auditor_box(&body.auditor_box)?;
        self.good_party(&self.state.auditor()?.party)?;
        Ok(())
    }
}

/// The one number that may come after the last.
pub(super) fn following(last: u64, next: u64) -> Result<u64, Rejection> {
    if last.checked_add(1) == Some(next) { Ok(next) } else { Err(Rejection::Sequence) }
}

fn check_roles(body: &RegisterParty) -> Result<(), Rejection> {
    let ascending = body.roles.is_sorted_by(|a, b| a < b);
    let issuer = body.roles.contains(&Role::Issuer);
    let fitting = !body.roles.is_empty() && ascending && (issuer || body.vouchers.is_empty());
    if fitting && body.vouchers.len() <= MAX_VOUCHERS { Ok(()) } else { Err(Rejection::Roles) }
}
