//! How an insurer's server gets its certificates: by an invite link, once; kept beside its keys.

use super::{ClaimsDesk, DeskError, Refusal, ledger::Ledger, rows::Rows};
use crate::{
    client::{Client, ClientError},
    issuing::{CommandDesk, IssueError},
    keys::{KeyError, Keys},
    store::make_folder,
};
use std::path::Path;
use suishen_core::{
    identity::{EnrolmentError, Invite, ServerSeat},
    sm::Key32,
};

/// The folder of an insurer's server within a data folder, its database and its keys.
pub const FOLDER: &str = "claims";
const DATABASE: &str = "claims.redb";
const KEYS: &str = "keys";
/// Seals the rows.
const ROWS: &str = "rows";

/// Why the server doesn't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Not enrolled.
    #[error(
        "this server is not enrolled, or its certificate has ended: give it a link of `suishen invite --server` \
         with --invite"
    )]
    NotEnrolled,
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

/// Whether an invite is for an insurer's server; a doctor's, or a person's, is left unused.
pub fn check_invite(link: &str) -> Result<(), StartError> {
    let fragment = link.rsplit_once('#').map_or(link, |(_, fragment)| fragment).trim();
    let invite = Invite::from_fragment(fragment).map_err(IssueError::from)?;
    let claimed = invite.claimed().map_err(|error| IssueError::from(EnrolmentError::Invite(error)))?;
    if claimed.server == Some(ServerSeat::Claims) && claimed.role.is_insurer() {
        Ok(())
    } else {
        Err(DeskError::from(Refusal::NotAServer).into())
    }
}

/// Opens the rows of a data folder.
pub fn rows(data: &Path) -> Result<Rows, StartError> {
    let folder = data.join(FOLDER);
    make_folder(&folder).map_err(|error| StartError::Folder(folder.clone(), error))?;
    let key = Keys::new(folder.join(KEYS)).read_or_make(ROWS)?;
    Ok(Rows::open(&folder.join(DATABASE), Key32::from_bytes(*key.to_bytes())).map_err(DeskError::from)?)
}

/// The server of a data folder at this relay: enrolled before, or by this invite.
pub async fn open(
    data: &Path,
    client: Client,
    rows: Rows,
    invite: Option<&str>,
) -> Result<ClaimsDesk, StartError> {
    let keys = Keys::new(data.join(FOLDER).join(KEYS));
    let ledger = Ledger::open(client, rows.clone()).map_err(DeskError::from)?;
    let now = ledger.now().await.map_err(DeskError::from)?;
    let who = match (CommandDesk::open(&keys, &ledger.client, now)?, invite) {
        (Some(who), _) => who,
        (None, Some(link)) => {
            check_invite(link)?;
            CommandDesk::enrol(&keys, &ledger.client, link, now).await?
        }
        (None, None) => return Err(StartError::NotEnrolled),
    };
    Ok(ClaimsDesk::new(ledger, rows, who).map_err(DeskError::from)?)
}
