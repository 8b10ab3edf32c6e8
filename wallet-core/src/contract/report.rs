//! Rules for reports and tickets (PROTOCOL §4).

use super::body::{AnchorReport, BindTicket, CancelTicket, Credential, Destination, SupersedeReport};
use super::state::{Key, State, Views as _};
use super::value::{Anchor, Binding, Cancellation};
use super::{Rejection, Step};
use crate::id::Commitment;
use crate::identity::Role;
use crate::sm::PublicKey;

/// The key that binds a report's ticket.
pub(super) fn ticket_key(state: &dyn State, report: &Commitment) -> Result<PublicKey, Rejection> {
    match state.anchor(report)?.ok_or(Rejection::UnknownAnchor)?.destination {
        Destination::Ticket(key, ..) => Ok(key),
        Destination::Holder(_) => Err(Rejection::NotATicket),
    }
}

impl Step<'_> {
    /// The commitment is new and the desk's organisation may issue.
    pub(super) fn anchor_report(&mut self, body: &AnchorReport, desk: &Credential) -> Result<(), Rejection> {
        self.good_desk(desk, Role::Issuer)?;
        self.anchor(&body.commitment, &body.destination, desk, None)
    }

    /// Only the newest version can be replaced, and only by its own organisation.
    pub(super) fn supersede_report(
        &mut self,
        body: &SupersedeReport,
        desk: &Credential,
    ) -> Result<(), Rejection> {
        super::check_text(&body.why)?;
        self.good_desk(desk, Role::Issuer)?;
        let mut replaced = self.own_anchor(&body.replaces, desk)?;
        if replaced.replaced_by.is_some() {
            return Err(Rejection::AlreadyReplaced);
        }
        self.anchor(&body.commitment, &body.destination, desk, Some(body.replaces))?;
        replaced.replaced_by = Some(body.commitment);
        self.put(&Key::Anchor(body.replaces), &replaced);
        Ok(())
    }

    /// The first wins; whoever comes later is told why.
    pub(super) fn bind_ticket(&mut self, body: &BindTicket) -> Result<(), Rejection> {
        let mut anchor = self.state.anchor(&body.commitment)?.ok_or(Rejection::UnknownAnchor)?;
        let Destination::Ticket(_, expiry, _) = anchor.destination else {
            return Err(Rejection::NotATicket);
        };
        if anchor.cancellation.is_some() {
            return Err(Rejection::TicketCancelled);
        }
        if anchor.binding.is_some() {
            return Err(Rejection::TicketUsed);
        }
        if expiry <= self.now {
            return Err(Rejection::TicketExpired);
        }
        anchor.binding =
            Some(Binding { holder: body.holder, seal: body.seal, request: body.request, at: self.now });
        self.put(&Key::Anchor(body.commitment), &anchor);
        Ok(())
    }

    /// Stands bound or unbound, and for a known patient's report too: it may have gone to the wrong one.
    pub(super) fn cancel_ticket(&mut self, body: &CancelTicket, desk: &Credential) -> Result<(), Rejection> {
        super::check_text(&body.why)?;
        self.good_desk(desk, Role::Issuer)?;
        let mut anchor = self.own_anchor(&body.commitment, desk)?;
        if anchor.cancellation.is_some() {
            return Err(Rejection::TicketCancelled);
        }
        anchor.cancellation = Some(Cancellation { why: body.why.clone(), at: self.now });
        self.put(&Key::Anchor(body.commitment), &anchor);
        Ok(())
    }

    fn anchor(
        &mut self,
        commitment: &Commitment,
        destination: &Destination,
        desk: &Credential,
        replaces: Option<Commitment>,
    ) -> Result<(), Rejection> {
        if self.state.anchor(commitment)?.is_some() {
            return Err(Rejection::AnchorKnown);
        }
        if matches!(destination, Destination::Ticket(_, expiry, _) if *expiry <= self.now) {
            return Err(Rejection::TicketTerm);
        }
        let anchor = Anchor {
            party: desk.party.clone(),
            at: self.now,
            destination: destination.clone(),
            binding: None,
            cancellation: None,
            replaces,
            replaced_by: None,
            issuer: desk.grantee,
        };
        self.put(&Key::Anchor(*commitment), &anchor);
        Ok(())
    }

    fn own_anchor(&self, commitment: &Commitment, desk: &Credential) -> Result<Anchor, Rejection> {
        let anchor = self.state.anchor(commitment)?.ok_or(Rejection::UnknownAnchor)?;
        if anchor.party == desk.party { Ok(anchor) } else { Err(Rejection::OtherIssuer) }
    }
}
