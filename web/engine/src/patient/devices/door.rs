//! The door of a stream: this device proves itself, and asks the other side to, where it is a wallet too.

use super::Trouble;
use crate::engine::Engine;
use crate::peers::Stream;
use crate::platform::breathe;
use suishen_core::sync::{Found, Knock, Refused, Welcome, Work};

/// Digests that are tried between two messages of the worker.
const TRIES: u32 = 1 << 12;

/// Gets in at a mailbox, which is founded when it doesn't know the vault.
pub async fn at_mailbox(engine: &Engine, stream: &mut Stream, ids: (&[u8], &[u8])) -> Result<(), Trouble> {
    stream.send(knock(engine, ids)?.to_bytes()).await?;
    match welcome(stream).await? {
        Welcome::Open(_) => Ok(()),
        Welcome::Refused(refused) => Err(Trouble::Refused(refused)),
        Welcome::Unknown(bits) => {
            let (vault, epochs) = engine.patient.with(|vault| (*vault.id(), vault.epochs()))?;
            let mut search = Work::new(&vault, ids.1, bits)
                .ok_or_else(|| Trouble::Broken(format!("a mailbox asks for work of {bits} bits")))?;
            let work = loop {
                if let Some(work) = search.search(TRIES) {
                    break work;
                }
                breathe().await;
            };
            stream.send(Found { epochs, work }.to_bytes()).await?;
            match welcome(stream).await? {
                Welcome::Open(_) => Ok(()),
                Welcome::Refused(refused) => Err(Trouble::Refused(refused)),
                Welcome::Unknown(_) => Err(Trouble::Broken("a mailbox asks for work twice".into())),
            }
        }
    }
}

/// Gets in at another device of this wallet, which proves itself in turn.
pub async fn at_device(engine: &Engine, stream: &mut Stream, ids: (&[u8], &[u8])) -> Result<(), Trouble> {
    stream.send(knock(engine, ids)?.to_bytes()).await?;
    match welcome(stream).await? {
        Welcome::Open(Some(theirs)) => judge(engine, &theirs, (ids.1, ids.0)).map_err(Trouble::Refused),
        Welcome::Refused(refused) => Err(Trouble::Refused(refused)),
        Welcome::Open(None) | Welcome::Unknown(_) => Err(Trouble::Refused(Refused::Proof)),
    }
}

/// Lets another device of this wallet in, and proves itself. `ids` are this side's peer id and the other's.
pub async fn answer(engine: &Engine, stream: &mut Stream, ids: (&[u8], &[u8])) -> Result<(), Trouble> {
    let frame = stream.next().await.ok_or(Trouble::Away)?;
    let judged = Knock::from_bytes(&frame).and_then(|knock| judge(engine, &knock, (ids.1, ids.0)));
    if let Err(refused) = judged {
        stream.send(Welcome::Refused(refused).to_bytes()).await?;
        return Err(Trouble::Refused(refused));
    }
    let own = Box::new(knock(engine, ids)?);
    stream.send(Welcome::Open(Some(own)).to_bytes()).await?;
    Ok(())
}

/// Whether the one who knocks, `ids.0`, is a device of this wallet.
fn judge(engine: &Engine, knock: &Knock, ids: (&[u8], &[u8])) -> Result<(), Refused> {
    let belongs = engine.patient.with(|vault| {
        let holds = knock.verify(vault.ledger(), ids.0, ids.1)?;
        let admitted = holds.vault == *vault.id() && vault.admits(&knock.pass);
        if admitted { Ok(()) } else { Err(Refused::Device) }
    });
    belongs.unwrap_or(Err(Refused::Busy))
}

fn knock(engine: &Engine, ids: (&[u8], &[u8])) -> Result<Knock, Trouble> {
    Ok(engine.patient.with(|vault| Knock::of(vault, ids))?)
}

/// The next frame as a word at the door.
pub async fn welcome(stream: &mut Stream) -> Result<Welcome, Trouble> {
    let frame = stream.next().await.ok_or(Trouble::Away)?;
    Welcome::from_bytes(&frame).map_err(Trouble::Refused)
}
