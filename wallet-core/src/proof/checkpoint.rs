//! Checkpoints: a C2SP signed note in which the members vouch for the ledger's size and both roots.
//!
//! ```text
//! suishen/<ledger id, hex>
//! <size>
//! <base64 tree root>
//! map <base64 map root>
//! epoch <n>
//!
//! — <relay name> <base64(key id ‖ u64 time ‖ r ‖ s)>
//! ```
//!
//! A cosignature signs `cosignature/v1\ntime N\n` ‖ body with SM2; its key id is the first 4 bytes of
//! SHA-256(name ‖ "\n" ‖ ff ‖ "suishen-sm2-cosignature/v1" ‖ 65-byte point). **A note has one spelling: what
//! isn't written back as it came is refused, and so is a line that no cosigner of the epoch made.**

use crate::id::LedgerId;
use crate::sm::{Digest, PublicKey, SecretKey, Signature};
use core::fmt::Write as _;
use data_encoding::BASE64;
use sha2::Digest as _;

/// No consortium is larger, and no note longer than that many lines.
const MOST_LINES: usize = 64;

/// Why a checkpoint isn't one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a signed note in its one spelling.
    #[error("not a checkpoint in its one spelling: {0}")]
    Form(&'static str),
    /// Another ledger's.
    #[error("the checkpoint is of another ledger")]
    Ledger,
    /// Another epoch than the one whose cosigners are known.
    #[error("the checkpoint is of epoch {found}, the cosigners known are those of epoch {known}")]
    Epoch {
        /// The checkpoint's.
        found: u64,
        /// The one known.
        known: u64,
    },
    /// A line of nobody known, or a second line of the same cosigner.
    #[error("a line by {0} is not that of a cosigner of this epoch, or its second")]
    Cosigner(String),
    /// A known cosigner's line whose signature fails.
    #[error("the cosignature of {0} does not match")]
    Signature(String),
    /// Too few cosigners.
    #[error("{found} of the {needed} cosignatures that it takes")]
    Few {
        /// Lines that hold.
        found: usize,
        /// t.
        needed: usize,
    },
}

/// What the members vouch for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The ledger.
    pub ledger: LedgerId,
    /// Number of entries, the genesis object included.
    pub size: u64,
    /// Root of the entry tree.
    pub tree: Digest,
    /// Root of the state map.
    pub map: Digest,
    /// The members' epoch.
    pub epoch: u64,
}

impl Checkpoint {
    /// The note's body, newline at the end.
    pub fn body(&self) -> String {
        format!(
            "suishen/{}\n{}\n{}\nmap {}\nepoch {}\n",
            self.ledger,
            self.size,
            BASE64.encode(self.tree.as_bytes()),
            BASE64.encode(self.map.as_bytes()),
            self.epoch,
        )
    }

    fn parse(body: &str) -> Option<Self> {
        let mut lines = body.lines();
        let checkpoint = Self {
            ledger: LedgerId::from_hex(lines.next()?.strip_prefix("suishen/")?)?,
            size: lines.next()?.parse().ok()?,
            tree: base64_digest(lines.next()?)?,
            map: base64_digest(lines.next()?.strip_prefix("map ")?)?,
            epoch: lines.next()?.strip_prefix("epoch ")?.parse().ok()?,
        };
        (checkpoint.body() == body).then_some(checkpoint)
    }

    /// Cosigns at a time of the ledger. Whoever calls this has stored size and roots before.
    pub fn cosign(&self, name: &str, key: &SecretKey, time: u64) -> Cosignature {
        let signature = key.sign(signed_text(&self.body(), time).as_bytes());
        Cosignature { name: name.into(), key: key_hash(name, &key.public()), time, signature }
    }
}

fn base64_digest(text: &str) -> Option<Digest> {
    Some(Digest::from_bytes(BASE64.decode(text.as_bytes()).ok()?.try_into().ok()?))
}

fn signed_text(body: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{body}")
}

fn key_hash(name: &str, key: &PublicKey) -> [u8; 4] {
    let hash = sha2::Sha256::new()
        .chain_update(name)
        .chain_update(b"\n\xffsuishen-sm2-cosignature/v1")
        .chain_update(key.as_bytes())
        .finalize();
    *hash.first_chunk().expect("SHA-256 has 32 bytes")
}

/// One relay's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    name: String,
    key: [u8; 4],
    time: u64,
    signature: Signature,
}

impl Cosignature {
    /// The relay's name, as claimed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it signed, as claimed.
    pub const fn time(&self) -> u64 {
        self.time
    }

    /// Whether this cosigner vouches for this checkpoint.
    pub fn verify(&self, checkpoint: &Checkpoint, cosigner: &Cosigner) -> Result<(), CheckpointError> {
        if self.name != cosigner.name || self.key != key_hash(&cosigner.name, &cosigner.key) {
            return Err(CheckpointError::Cosigner(self.name.clone()));
        }
        let text = signed_text(&checkpoint.body(), self.time);
        cosigner
            .key
            .verify(text.as_bytes(), &self.signature)
            .map_err(|_| CheckpointError::Signature(self.name.clone()))
    }

    /// The line, newline at the end.
    pub fn to_line(&self) -> String {
        let time = self.time.to_be_bytes();
        let content = [self.key.as_slice(), &time, self.signature.as_bytes()].concat();
        format!("— {} {}\n", self.name, BASE64.encode(&content))
    }

    /// Reads a line, with its newline.
    pub fn parse(line: &str) -> Option<Self> {
        let (name, content) = line.strip_prefix("— ")?.strip_suffix('\n')?.split_once(' ')?;
        let content = BASE64.decode(content.as_bytes()).ok()?;
        let (key, content) = content.split_first_chunk()?;
        let (time, signature) = content.split_first_chunk()?;
        let cosignature = Self {
            name: name.into(),
            key: *key,
            time: u64::from_be_bytes(*time),
            signature: Signature::from_bytes(signature.try_into().ok()?),
        };
        (!name.is_empty() && cosignature.to_line() == line).then_some(cosignature)
    }
}

/// A member as far as checkpoints go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigner {
    /// The relay's name: no blank, no plus, no line break (C2SP key names).
    pub name: String,
    /// Its cosigner key.
    pub key: PublicKey,
}

/// How many of n may fail or lie: f = ⌊(n-1)/3⌋.
pub const fn faults(n: usize) -> usize {
    n.saturating_sub(1) / 3
}

/// How many of n it takes: t = n - f.
pub const fn threshold(n: usize) -> usize {
    n - faults(n)
}

/// The (f+1)-th largest of times told by members of n: at most f lie, so one at least that told this much or
/// more is honest. `None` for no more than f of them.
pub fn nth_largest(mut times: Vec<u64>, n: usize) -> Option<u64> {
    times.sort_unstable_by(|a, b| b.cmp(a));
    times.get(faults(n)).copied()
}

/// Who cosigns in one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Its number, from 0.
    pub number: u64,
    /// The members.
    pub cosigners: Vec<Cosigner>,
}

/// A checkpoint with its lines, nothing verified but the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What is vouched for.
    pub checkpoint: Checkpoint,
    /// By whom.
    pub cosignatures: Vec<Cosignature>,
}

/// A checkpoint for which t members vouch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    checkpoint: Checkpoint,
    time: u64,
}

impl VerifiedCheckpoint {
    /// Size and roots.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Its time: the (f+1)-th largest of its cosignatures'.
    pub const fn time(&self) -> u64 {
        self.time
    }
}

impl SignedCheckpoint {
    /// The note.
    pub fn to_note(&self) -> String {
        let mut note = self.checkpoint.body();
        note.push('\n');
        for line in &self.cosignatures {
            let _ = write!(note, "{}", line.to_line());
        }
        note
    }

    /// Reads a note.
    pub fn parse(note: &str) -> Result<Self, CheckpointError> {
        let (body, lines) = note.split_once("\n\n").ok_or(CheckpointError::Form("no blank line"))?;
        let body = [body, "\n"].concat();
        let checkpoint = Checkpoint::parse(&body).ok_or(CheckpointError::Form("body"))?;
        let cosignatures: Option<Vec<_>> =
            lines.split_inclusive('\n').take(MOST_LINES + 1).map(Cosignature::parse).collect();
        let cosignatures = cosignatures.ok_or(CheckpointError::Form("cosignature line"))?;
        if cosignatures.len() > MOST_LINES {
            return Err(CheckpointError::Form("too many lines"));
        }
        Ok(Self { checkpoint, cosignatures })
    }

    /// Checks that t members of the epoch vouch for it, on this ledger.
    pub fn verify(&self, ledger: &LedgerId, epoch: &Epoch) -> Result<VerifiedCheckpoint, CheckpointError> {
        if self.checkpoint.ledger != *ledger {
            return Err(CheckpointError::Ledger);
        }
        if self.checkpoint.epoch != epoch.number {
            return Err(CheckpointError::Epoch { found: self.checkpoint.epoch, known: epoch.number });
        }
        let mut rest: Vec<&Cosigner> = epoch.cosigners.iter().collect();
        for line in &self.cosignatures {
            let place = rest.iter().position(|c| c.name == line.name);
            let place = place.ok_or_else(|| CheckpointError::Cosigner(line.name.clone()))?;
            line.verify(&self.checkpoint, rest.swap_remove(place))?;
        }
        let (n, found) = (epoch.cosigners.len(), self.cosignatures.len());
        let few = CheckpointError::Few { found, needed: threshold(n) };
        if found < threshold(n) {
            return Err(few);
        }
        let times = self.cosignatures.iter().map(Cosignature::time).collect();
        Ok(VerifiedCheckpoint { checkpoint: self.checkpoint, time: nth_largest(times, n).ok_or(few)? })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn key(n: u8) -> SecretKey {
        SecretKey::from_bytes(&[n; 32]).unwrap()
    }

    pub(crate) fn ledger() -> LedgerId {
        LedgerId::from_bytes([9; 32])
    }

    pub(crate) fn epoch(n: u8) -> Epoch {
        let cosigner = |i| Cosigner { name: format!("relay-{i}"), key: key(i).public() };
        Epoch { number: 3, cosigners: (1..=n).map(cosigner).collect() }
    }

    pub(crate) fn checkpoint(size: u64, root: u8) -> Checkpoint {
        let (tree, map) = (Digest::from_bytes([root; 32]), Digest::from_bytes([root ^ 0xff; 32]));
        Checkpoint { ledger: ledger(), size, tree, map, epoch: 3 }
    }

    pub(crate) fn signed(checkpoint: Checkpoint, times: &[(u8, u64)]) -> SignedCheckpoint {
        let line = |&(n, time): &(u8, u64)| checkpoint.cosign(&format!("relay-{n}"), &key(n), time);
        SignedCheckpoint { checkpoint, cosignatures: times.iter().map(line).collect() }
    }

    #[test]
    fn a_note_reads_back_and_verifies() {
        let note = signed(checkpoint(7, 1), &[(1, 100)]).to_note();
        let verified = SignedCheckpoint::parse(&note).unwrap().verify(&ledger(), &epoch(1)).unwrap();
        assert_eq!((verified.checkpoint().size, verified.time()), (7, 100));
        assert_eq!(note.lines().next().unwrap(), format!("suishen/{}", "09".repeat(32)));
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let note = signed(checkpoint(7, 1), &[(1, 100), (3, 101), (4, 90)]).to_note().into_bytes();
        assert!(
            SignedCheckpoint::parse(str::from_utf8(&note).unwrap())
                .unwrap()
                .verify(&ledger(), &epoch(4))
                .is_ok()
        );
        for bit in 0..note.len() * 8 {
            let mut changed = note.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let verdict = str::from_utf8(&changed)
                .ok()
                .and_then(|text| SignedCheckpoint::parse(text).ok())
                .map(|read| read.verify(&ledger(), &epoch(4)));
            assert!(!matches!(verdict, Some(Ok(_))), "bit {bit}");
        }
    }

    #[test]
    fn it_takes_n_minus_f_cosigners() {
        assert_eq!([1, 2, 3, 4, 5, 7].map(threshold), [1, 2, 3, 3, 4, 5]);
        let three = signed(checkpoint(7, 1), &[(1, 5), (2, 5), (3, 5)]);
        assert!(three.verify(&ledger(), &epoch(4)).is_ok());
        let two = signed(checkpoint(7, 1), &[(1, 5), (2, 5)]);
        assert_eq!(two.verify(&ledger(), &epoch(4)), Err(CheckpointError::Few { found: 2, needed: 3 }));
        assert!(matches!(two.verify(&ledger(), &epoch(1)), Err(CheckpointError::Cosigner(_))));
        assert!(matches!(
            signed(checkpoint(7, 1), &[]).verify(&ledger(), &epoch(1)),
            Err(CheckpointError::Few { .. })
        ));
    }

    #[test]
    fn nobody_counts_twice() {
        let twice = signed(checkpoint(7, 1), &[(1, 5), (2, 5), (2, 6)]);
        assert_eq!(twice.verify(&ledger(), &epoch(4)), Err(CheckpointError::Cosigner("relay-2".into())));
    }

    #[test]
    fn a_member_cannot_sign_in_anothers_name() {
        let body = checkpoint(7, 1);
        let line = body.cosign("relay-1", &key(2), 5);
        let forged = SignedCheckpoint { checkpoint: body, cosignatures: vec![line] };
        assert!(forged.verify(&ledger(), &epoch(1)).is_err());
    }

    #[test]
    fn one_liar_of_four_moves_the_time_neither_far_ahead_nor_back() {
        let time = |times: &[(u8, u64)]| {
            signed(checkpoint(7, 1), times).verify(&ledger(), &epoch(4)).unwrap().time()
        };
        assert_eq!(time(&[(1, 100), (2, 101), (3, u64::MAX)]), 101);
        assert_eq!(time(&[(1, 100), (2, 101), (3, 0)]), 100);
        assert_eq!(time(&[(1, 100), (2, 101), (3, 102), (4, 0)]), 101);
    }

    #[test]
    fn other_ledgers_and_epochs_are_refused() {
        let note = signed(checkpoint(7, 1), &[(1, 5)]);
        assert_eq!(note.verify(&LedgerId::from_bytes([8; 32]), &epoch(1)), Err(CheckpointError::Ledger));
        let later = Epoch { number: 4, ..epoch(1) };
        assert_eq!(note.verify(&ledger(), &later), Err(CheckpointError::Epoch { found: 3, known: 4 }));
    }

    #[test]
    fn other_spellings_are_refused() {
        let note = signed(checkpoint(7, 1), &[(1, 5)]).to_note();
        for (from, to) in [
            ("\n7\n", "\n07\n"),
            ("\n7\n", "\n+7\n"),
            ("epoch 3", "epoch  3"),
            ("epoch 3\n", "epoch 3\nmore\n"),
            ("epoch 3\n", "epoch 3\r\n"),
            ("map ", "Map "),
            ("=\n", "\n"),
            ("— relay", "—  relay"),
            ("suishen/0909", "suishen/0909 "),
        ] {
            let changed = note.replacen(from, to, 1);
            assert_ne!(changed, note);
            assert!(matches!(SignedCheckpoint::parse(&changed), Err(CheckpointError::Form(_))), "{to:?}");
        }
        for changed in [note.trim_end(), &format!("{note}\n"), &format!("{note}x"), "", "\n\n"] {
            assert!(SignedCheckpoint::parse(changed).is_err(), "{changed:?}");
        }
    }
}
