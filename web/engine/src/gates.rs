//! The gates as a wallet or desk meets them: deposits out, releases in, revocations acknowledged (PROTOCOL §7).

use crate::http::{self, Call, CallError};
use crate::ledger::{Gate, Ledger, LedgerError};
use crate::platform::BrowserRandom;
use suishen_bridge::{Action, Fault};
use suishen_core::cbor;
use suishen_core::contract::SignedTransaction;
use suishen_core::gate::{self, Deposit, Gathering, Released, Revocation, Torn};
use suishen_core::id::BlobAddress;
use suishen_core::sm::{Digest, PublicKey, SecretKey, Signed};

#[derive(minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Shares {
    #[n(0)]
    object: Digest,
    #[n(1)]
    day: PublicKey,
    #[cbor(n(2), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

#[derive(minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Ask {
    #[n(0)]
    object: Digest,
    #[n(1)]
    use_number: u32,
}

/// Hands each gate its deposit. Done when t of them have acknowledged.
pub async fn deposit(ledger: &Ledger, deposits: &[Deposit], key: &SecretKey) -> Result<(), Fault> {
    let (_, needed) = ledger.gates();
    let mut taken = 0u8;
    let mut last = Fault::new("gates", Action::Retry);
    for gate in ledger.gate_keys().await? {
        let Some(deposit) = deposits.iter().find(|d| d.gate == gate.number) else { continue };
        let sealed = deposit.seal(key, &gate.day, &ledger.id, &mut BrowserRandom);
        let body = cbor::encode(&Shares { object: deposit.object, day: gate.day, sealed });
        match http::send(&gate.relay, &Call::send("POST", "/v1/gate/shares", body)).await {
            Ok(_) => taken += 1,
            Err(error) => last = error.into(),
        }
    }
    if taken >= needed { Ok(()) } else { Err(last) }
}

/// What the gates released.
#[derive(Debug)]
pub struct Gathered {
    /// The halves, each share checked against its commitment.
    pub halves: Gathering,
    /// The addresses deposited with them.
    pub blobs: Vec<BlobAddress>,
}

/// Gathers the halves that the gates release for a use (0 for a ticket). `reader` signs the asking: the grantee key,
/// or for a ticket any key.
pub async fn release(
    ledger: &Ledger,
    object: &Digest,
    use_number: u32,
    reader: &SecretKey,
    secret: &SecretKey,
    shares: Digest,
) -> Result<Gathered, Fault> {
    let (gates, needed) = ledger.gates();
    let mut gathering = Gathering::new(*object, shares, needed, gates);
    let mut blobs = Vec::new();
    let mut came = 0u8;
    let mut last = Fault::new("gates", Action::Retry);
    let body = cbor::encode(&Ask { object: *object, use_number });
    for gate in ledger.gate_keys().await? {
        let call = Call::send("POST", "/v1/gate/release", body.clone());
        let answer = ledger.signed_to(std::slice::from_ref(&gate.relay), call, reader).await;
        match open(&gate, answer, ledger, object, use_number, secret) {
            Ok(release) => match gathering.add(gate.number, &release) {
                Ok(()) => {
                    came += 1;
                    blobs = release.records.into_iter().flat_map(|record| record.blobs).collect();
                }
                Err(error) => last = Fault::new("gate-share", Action::Nothing).with_detail(error.to_string()),
            },
            Err(fault) => last = fault,
        }
    }
    if came >= needed { Ok(Gathered { halves: gathering, blobs }) } else { Err(last) }
}

fn open(
    gate: &Gate,
    answer: Result<Vec<u8>, CallError>,
    ledger: &Ledger,
    object: &Digest,
    use_number: u32,
    secret: &SecretKey,
) -> Result<gate::Release, Fault> {
    let answer = answer?;
    let unsound = || Fault::new("gate-share", Action::Retry);
    let released: Signed<Released> = cbor::decode(&answer).map_err(|_| unsound())?;
    gate::open_release(&released, &gate.key, secret, object, use_number, &ledger.id).map_err(|_| unsound())
}

/// Sends a revocation to every gate; true once n-t+1+f have acknowledged under their keys that they destroyed.
pub async fn revoke(ledger: &Ledger, key: PublicKey, signed: &SignedTransaction) -> Result<bool, Fault> {
    let revocation = cbor::encode(&Revocation { key, signed: signed.clone() });
    let needed = ledger.genesis.torn_quorum();
    let mut torn = 0;
    for gate in ledger.gate_keys().await.or_else(unreachable_is_none)? {
        let call = Call::send("POST", "/v1/gate/revoke", revocation.clone());
        let Ok(answer) = http::send(&gate.relay, &call).await else { continue };
        let Ok(signed) = cbor::decode::<Signed<Torn>>(&answer) else { continue };
        let grant = suishen_core::id::GrantId::of(&ledger.id, &key);
        if signed.verify(&gate.key, &ledger.id).is_ok_and(|torn| torn.object == *grant.digest()) {
            torn += 1;
        }
    }
    Ok(torn >= needed)
}

/// With no relay in reach there is nobody to ask, which is an answer.
fn unreachable_is_none(error: LedgerError) -> Result<Vec<Gate>, Fault> {
    match error {
        LedgerError::Call(CallError::Unreachable) => Ok(Vec::new()),
        other => Err(other.into()),
    }
}

/// Tells the gates that a ticket's content is kept: its half and its blobs go.
pub async fn kept(ledger: &Ledger, commitment: suishen_core::id::Commitment, key: &SecretKey) {
    let body = cbor::encode(&Signed::new(&gate::Kept { commitment }, key, &ledger.id));
    for relay in &ledger.relays {
        // Not heard now, the ticket's half is torn seven days after its binding.
        let _ = http::send(relay, &Call::send("POST", "/v1/gate/kept", body.clone())).await;
    }
}
