//! A grant as ledgers that are measured hold it: issued, accepted under fresh keys, redeemed once.

use suishen_core::{
    consent::{GRANT_BOX, USE_BOX},
    contract::{
        AcceptGrant, Acceptance, Credential, IssueGrant, Kind, RedeemGrant, Role, SignedTransaction,
        Transaction,
    },
    id::{GrantId, LedgerId, PartyId},
    sm::{Digest, SecretKey, Signed},
};
use suishen_relay::random::SystemRandom;

/// Whose grant it is.
#[derive(Clone, Copy, Debug)]
pub struct Grantee<'a> {
    /// The organisation, and the key by which it certifies its desks.
    pub party: &'a PartyId,
    /// See there.
    pub acceptance: &'a SecretKey,
    /// As what.
    pub role: Role,
    /// For what.
    pub kind: Kind,
    /// For how long, and for how long the desk's credential holds; seconds.
    pub duration: u64,
    /// See there.
    pub certified: u64,
}

/// A grant that was redeemed.
#[derive(Clone, Debug)]
pub struct Redeemed {
    /// Which.
    pub grant: GrantId,
    /// The desk's key.
    pub desk: SecretKey,
    /// The organisation's word for it.
    pub credential: Signed<Credential>,
    /// Its entries, in their order.
    pub entries: [SignedTransaction; 3],
}

/// Makes one with keys of its own.
pub fn redeemed(by: &Grantee<'_>, ledger: &LedgerId, now: u64) -> Redeemed {
    let (key, offer, desk, box_key) = (fresh(), fresh(), fresh(), fresh());
    let grant = GrantId::of(ledger, &key.public());
    let issue = IssueGrant {
        key: key.public(),
        kind: by.kind,
        offer: offer.public(),
        role: by.role,
        duration: by.duration,
        accept_within: 600,
        uses: 1,
        interval: 0,
        records: 1,
        shares: Digest::of(b"shares"),
        auditor_box: vec![0; GRANT_BOX],
        reply: offer.public(),
        include_before: now + 600,
    };
    let credential = Credential {
        party: by.party.clone(),
        role: by.role,
        grantee: desk.public(),
        box_key: box_key.public(),
        expiry: now + by.certified,
    };
    let credential = Signed::new(&credential, by.acceptance, ledger);
    let accepts = Acceptance { grant, grantee: desk.public(), box_key: box_key.public() };
    let acceptance = Signed::new(&accepts, &offer, ledger);
    let accept = AcceptGrant { grant, credential: credential.clone(), acceptance };
    let redeem = RedeemGrant {
        grant,
        credential: credential.clone(),
        use_number: 1,
        records: vec![0],
        epk: box_key.public(),
        auditor_box: vec![0; USE_BOX],
    };
    let entries = [
        SignedTransaction::new(&Transaction::IssueGrant(issue), &key, ledger),
        SignedTransaction::new(&Transaction::AcceptGrant(accept), &desk, ledger),
        SignedTransaction::new(&Transaction::RedeemGrant(redeem), &desk, ledger),
    ];
    Redeemed { grant, desk, credential, entries }
}

/// A key that nobody had before.
pub fn fresh() -> SecretKey {
    SecretKey::generate(&mut SystemRandom)
}
