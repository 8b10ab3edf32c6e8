//! What changed, without content: so that pages needn't ask again and again. Anybody may watch any topic; a
//! topic's name must be known to be watched, and says nothing but "look again".

use crate::replica::{Published, Replica, ReplicaError};
use std::{fmt, str::FromStr};
use suishen_core::{
    contract::{Entry, Transaction},
    id::{Commitment, GrantId, InboxId, LedgerId},
};
use tokio::sync::broadcast;

/// Topics that may wait for a slow listener.
const WAITING: usize = 1024;

/// Something that can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// The ledger has grown.
    Ledger,
    /// An entry, a message or a refusal on a grant.
    Grant(GrantId),
    /// An entry on a report.
    Anchor(Commitment),
    /// A message in an inbox.
    Inbox(InboxId),
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger => f.write_str("ledger"),
            Self::Grant(id) => write!(f, "grant:{id}"),
            Self::Anchor(id) => write!(f, "anchor:{id}"),
            Self::Inbox(id) => write!(f, "inbox:{id}"),
        }
    }
}

/// Not a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a topic is ledger, grant:ID, anchor:ID or inbox:ID")]
pub struct TopicError;

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        let topic = match text.split_once(':') {
            None if text == "ledger" => Some(Self::Ledger),
            Some(("grant", id)) => GrantId::from_hex(id).map(Self::Grant),
            Some(("anchor", id)) => Commitment::from_hex(id).map(Self::Anchor),
            Some(("inbox", id)) => InboxId::from_hex(id).map(Self::Inbox),
            _ => None,
        };
        topic.ok_or(TopicError)
    }
}

/// Where changes are told.
#[derive(Clone, Debug)]
pub struct Events(broadcast::Sender<Topic>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::channel(WAITING).0)
    }
}

impl Events {
    /// Tells all who listen. Nobody listening is fine.
    pub fn tell(&self, topic: Topic) {
        let _ = self.0.send(topic);
    }

    /// All topics from now on.
    pub fn listen(&self) -> broadcast::Receiver<Topic> {
        self.0.subscribe()
    }

    /// Tells what each new entry is on, as long as the replica lives.
    pub async fn follow(self, replica: Replica) {
        let mut following = replica.follow();
        let mut size = following.borrow_and_update().size();
        while following.changed().await.is_ok() {
            let published = following.borrow_and_update().clone();
            if published.size() == size {
                continue;
            }
            match topics(&published, size, &replica.ledger()) {
                Ok(topics) => topics.into_iter().for_each(|topic| self.tell(topic)),
                Err(error) => tracing::error!(%error, "new entries could not be read"),
            }
            size = published.size();
            self.tell(Topic::Ledger);
        }
    }
}

fn topics(published: &Published, from: u64, ledger: &LedgerId) -> Result<Vec<Topic>, ReplicaError> {
    let mut topics = Vec::new();
    for number in from..published.size() {
        let entry = published.snapshot().entry(number)?.and_then(|bytes| Entry::from_bytes(&bytes).ok());
        topics.extend(entry.and_then(|entry| topic_of(&entry.signed.claimed().ok()?, ledger)));
    }
    Ok(topics)
}

fn topic_of(transaction: &Transaction, ledger: &LedgerId) -> Option<Topic> {
    Some(match transaction {
        Transaction::AnchorReport(body) => Topic::Anchor(body.commitment),
        Transaction::SupersedeReport(body) => Topic::Anchor(body.replaces),
        Transaction::BindTicket(body) => Topic::Anchor(body.commitment),
        Transaction::CancelTicket(body) => Topic::Anchor(body.commitment),
        Transaction::IssueGrant(body) => Topic::Grant(GrantId::of(ledger, &body.key)),
        Transaction::AcceptGrant(body) => Topic::Grant(body.grant),
        Transaction::RedeemGrant(body) => Topic::Grant(body.grant),
        Transaction::RevokeGrant(body) => Topic::Grant(body.grant),
        Transaction::SettleClaim(body) => Topic::Grant(body.grant),
        // The hospital's names no grant: whoever waits for it looks at the slot's state.
        Transaction::ReverseClaim(body) => Topic::Grant(body.settlement?.grant),
        Transaction::RegisterParty(_)
        | Transaction::SuspendParty(_)
        | Transaction::RotateKeys(_)
        | Transaction::LogAudit(_)
        | Transaction::OpenHolder(_)
        | Transaction::MoveHolder(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_reads_back_and_nothing_else_is_one() {
        let id = [7; 32];
        for topic in [
            Topic::Ledger,
            Topic::Grant(GrantId::from_bytes(id)),
            Topic::Anchor(Commitment::from_bytes(id)),
            Topic::Inbox(InboxId::from_bytes(id)),
        ] {
            assert_eq!(topic.to_string().parse(), Ok(topic));
        }
        for bad in ["", "ledger:", "grant:", "grant:07", "vault:0707", "Ledger"] {
            assert_eq!(bad.parse::<Topic>(), Err(TopicError), "{bad}");
        }
    }
}
