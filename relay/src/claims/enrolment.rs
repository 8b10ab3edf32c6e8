//! How an insurer's server gets its certificates: by an invite link, and every ninety days by another. Each time it makes
//! fresh keys in a folder of their own, so that the old ones serve until the new certificate is there.

use super::{ClaimsDesk, DeskError, Refusal, ledger::Ledger, rows::Rows};
use crate::{
    client::{Client, ClientError},
    issuing::{CommandDesk, IssueError},
    keys::{KeyError, Keys},
    store::make_folder,
};
use std::{path::Path, sync::Arc, time::Duration};
use suishen_core::{
    id::PartyId,
    identity::{EnrolmentError, Invite, Role, ServerSeat},
    sm::Key32,
};

/// The folder of an insurer's server within a data folder, its database and its keys.
pub const FOLDER: &str = "claims";
const DATABASE: &str = "claims.redb";
const KEYS: &str = "keys";
/// Seals the rows.
const ROWS: &str = "rows";

/// How long before its certificate ends the server says so, in seconds: three weeks.
pub const RENEW_BEFORE: u64 = 21 * 86_400;
/// How often a running server looks whether its certificate was renewed, and how often it says that it should be.
const LOOK: Duration = Duration::from_secs(3);
const SAY: Duration = Duration::from_hours(12);
/// How long after a new certificate that couldn't be taken over it is looked at again.
const AGAIN: Duration = Duration::from_mins(1);
/// More renewals than a server lives through.
const MOST_SETS: u32 = 1_000;

/// Why the server doesn't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Not enrolled.
    #[error(
        "this server is not enrolled, or its certificate has ended: ask for a link of `suishen invite --server` and \
         run `suishen claims enrol LINK`, or start with --invite LINK"
    )]
    NotEnrolled,
    /// The link is for somebody else.
    #[error(
        "this server is enrolled for {0}, and the link is for another organisation or role: give another server a data \
         folder of its own with --data"
    )]
    OtherInsurer(PartyId),
    /// Refused, or the ledger.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The certificates.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The folder.
    #[error("the folder {0} could not be made: {1}")]
    Folder(std::path::PathBuf, std::io::Error),
}

impl From<ClientError> for StartError {
    fn from(error: ClientError) -> Self {
        Self::Desk(error.into())
    }
}

/// Reads an invite for an insurer's server; a doctor's, or a person's, is left unused.
fn read_invite(link: &str) -> Result<Invite, StartError> {
    let fragment = link.rsplit_once('#').map_or(link, |(_, fragment)| fragment).trim();
    let invite = Invite::from_fragment(fragment).map_err(IssueError::from)?;
    let claimed = invite.claimed().map_err(|error| IssueError::from(EnrolmentError::Invite(error)))?;
    if claimed.server == Some(ServerSeat::Claims) && claimed.role.is_insurer() {
        Ok(claimed)
    } else {
        Err(DeskError::from(Refusal::NotAServer).into())
    }
}

/// The keys of a data folder's server.
fn keys(data: &Path) -> Keys {
    Keys::new(data.join(FOLDER).join(KEYS))
}

/// The folder of a set of keys: the first set lies beside those of the later ones.
fn set(keys: &Keys, number: u32) -> Keys {
    if number == 1 { keys.clone() } else { keys.folder(&number.to_string()) }
}

/// The number of the last set that there is, whole or not; 0 where there is none.
fn last(keys: &Keys) -> u32 {
    let there = |number: &u32| *number == 1 || set(keys, *number).path().exists();
    (1..=MOST_SETS).take_while(there).last().unwrap_or_default()
}

/// The newest set that was certified, whether or not its certificate still holds: its number, for whom, in which role.
fn newest(keys: &Keys) -> Result<Option<(u32, PartyId, Option<Role>)>, IssueError> {
    let mut found = None;
    for number in 1..=last(keys) {
        found = match (CommandDesk::subject(&set(keys, number)), found) {
            // Damaged: its number is taken, and whose server this is the one before says.
            (Ok(Some((party, role))), _) | (Err(_), Some((_, party, role))) => Some((number, party, role)),
            // Broken off: the next attempt goes on with its keys.
            (Ok(None), found) => found,
            (Err(error), None) => return Err(error),
        };
    }
    Ok(found)
}

/// Enrols the server of a data folder, or renews its certificate, with fresh keys. What it has goes on serving meanwhile, and
/// stays where the relay says no.
pub async fn enrol(data: &Path, client: &Client, link: &str, now: u64) -> Result<CommandDesk, StartError> {
    let (keys, invite) = (keys(data), read_invite(link)?);
    let number = match newest(&keys)? {
        None => 1,
        Some((number, party, role)) if party == invite.party && role == Some(invite.role) => number + 1,
        Some((_, party, _)) => return Err(StartError::OtherInsurer(party)),
    };
    Ok(CommandDesk::enrol(&set(&keys, number), client, link, now).await?)
}

/// How many seconds a server's certificate still holds, where that is little enough to be said.
pub fn ends_within(who: &CommandDesk, now: u64) -> Option<u64> {
    let left = who.chain().leaf().validity().not_after.saturating_sub(now);
    (left < RENEW_BEFORE).then_some(left)
}

/// The newest set that opens: one that was broken off, or is damaged, takes nothing from those before it. Where none opens,
/// why the newest doesn't, if that is more than that it has ended.
fn newest_that_opens(keys: &Keys, client: &Client, now: u64) -> Result<Option<CommandDesk>, IssueError> {
    let mut failed = None;
    for number in (1..=last(keys)).rev() {
        match CommandDesk::open(&set(keys, number), client, now) {
            Ok(None) => {}
            Ok(Some(who)) => return Ok(Some(who)),
            Err(error) => {
                tracing::error!(set = number, %error, "a set of certificates cannot be read");
                failed = failed.or(Some(error));
            }
        }
    }
    failed.map_or(Ok(None), Err)
}

/// Goes on with this set, where it is another than the one in use; whether that is done.
fn take_over(desk: &ClaimsDesk, set: &Keys, now: u64) -> bool {
    match CommandDesk::open(set, &desk.ledger.client, now) {
        Ok(Some(who)) if who.key().public() == desk.who().key().public() => return true,
        Ok(Some(who)) => match desk.renewed(who) {
            Ok(()) => {
                tracing::info!("the server's certificate was renewed");
                return true;
            }
            Err(error) => tracing::error!(%error, "a new certificate is not this server's"),
        },
        Ok(None) => tracing::error!("a new certificate does not hold"),
        Err(error) => tracing::error!(%error, "a new certificate cannot be read"),
    }
    false
}

/// Takes over a renewed certificate when there is one, and says in time that there should be. Until it is dropped.
pub async fn follow(desk: Arc<ClaimsDesk>, data: std::path::PathBuf) {
    follow_at((LOOK, AGAIN), desk, data).await;
}

/// The same at another pace: how often is looked, and how long after one that couldn't be taken over.
pub async fn follow_at((look, again): (Duration, Duration), desk: Arc<ClaimsDesk>, data: std::path::PathBuf) {
    let keys = keys(&data);
    let (mut said, mut known): (Option<std::time::Instant>, Option<u32>) = (None, None);
    loop {
        let now = desk.ledger.clock().await.ok();
        if let (Ok(Some((number, ..))), Some(now)) = (newest(&keys), now)
            && known != Some(number)
        {
            if take_over(&desk, &set(&keys, number), now) {
                known = Some(number);
            } else {
                tokio::time::sleep(again).await;
            }
        }
        let left = now.and_then(|now| ends_within(&desk.who(), now));
        if let Some(left) = left.filter(|_| said.is_none_or(|said| said.elapsed() > SAY)) {
            said = Some(std::time::Instant::now());
            let days = left / 86_400;
            tracing::warn!(
                days,
                "the server's certificate ends soon: renew it with `suishen claims enrol LINK`"
            );
        }
        tokio::time::sleep(look).await;
    }
}

/// Opens the rows of a data folder.
pub fn rows(data: &Path) -> Result<Rows, StartError> {
    let folder = data.join(FOLDER);
    make_folder(&folder).map_err(|error| StartError::Folder(folder.clone(), error))?;
    let key = keys(data).read_or_make(ROWS)?;
    Ok(Rows::open(&folder.join(DATABASE), Key32::from_bytes(*key.to_bytes())).map_err(DeskError::from)?)
}

/// The server of a data folder at this relay: enrolled before, or by this invite.
pub async fn open(
    data: &Path,
    client: Client,
    rows: Rows,
    invite: Option<&str>,
) -> Result<ClaimsDesk, StartError> {
    let keys = keys(data);
    let ledger = Ledger::open(client, rows.clone()).map_err(DeskError::from)?;
    let now = ledger.now().await.map_err(DeskError::from)?;
    let who = match (newest_that_opens(&keys, &ledger.client, now)?, invite) {
        (Some(who), _) => who,
        (None, Some(link)) => enrol(data, &ledger.client, link, now).await?,
        (None, None) => return Err(StartError::NotEnrolled),
    };
    Ok(ClaimsDesk::new(ledger, rows, who).map_err(DeskError::from)?)
}
