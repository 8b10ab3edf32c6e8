//! What a QR code says: tickets, consent offers, identities, and the codes that others print (PROTOCOL §4, §6;
//! FIELD.md "Other codes a scanner meets").
//!
//! Ours are URLs, `https://HOST/t#…`, `/c#…`, `/i#…`, `/p#…`, `/n#…`, `/l#…`: **everything secret, and everything about a person, is
//! in the fragment**, which no browser sends to a server. A whole URL stays within a QR code of version 15 at
//! level M in byte mode, [`MAX_URL`] bytes.
//!
//! [`scan`] takes whatever a camera, a clipboard or a keyboard-wedge scanner gives and never fails without a
//! reason that has its own sentence.

mod foreign;
mod offer;

pub use foreign::Foreign;
pub use offer::{ConsentOffer, IdentityOffer, PeerOffer, Relays};

use crate::{
    cbor,
    report::{Ticket, TicketError},
};
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

/// Bytes of a QR code of version 15 at level M in byte mode.
pub const MAX_URL: usize = 412;

/// More than any code holds: QR version 40 at level L has 7089 digits.
const MAX_TEXT: usize = 8192;

/// Something that was scanned, with the origin that its link names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// A report to keep.
    Ticket {
        /// `https://HOST`, to be checked against the relays that the wallet knows.
        origin: String,
        /// The ticket.
        ticket: Ticket,
    },
    /// A patient offers to share.
    Consent {
        /// `https://HOST`.
        origin: String,
        /// The offer.
        offer: Box<ConsentOffer>,
    },
    /// A patient asks for reports to be delivered.
    Identity {
        /// `https://HOST`.
        origin: String,
        /// Where to.
        identity: Box<IdentityOffer>,
    },
    /// A wallet takes in another device.
    Pairing {
        /// `https://HOST`.
        origin: String,
        /// Where it waits.
        offer: Box<PeerOffer>,
    },
    /// A new device waits for the wallet that is to take it in.
    NewDevice {
        /// `https://HOST`.
        origin: String,
        /// Where it waits.
        offer: Box<PeerOffer>,
    },
    /// A patient waits for a doctor in the same room.
    Live {
        /// `https://HOST`.
        origin: String,
        /// Where.
        offer: Box<PeerOffer>,
    },
    /// Somebody else's code.
    Foreign(Foreign),
}

/// Why a code of ours can't be used, or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// Nothing but white space.
    #[error("there is nothing in it; scan the code or paste the whole link")]
    Empty,
    /// Longer than any QR code.
    #[error("this is too long to be a code; paste only the link")]
    TooLong,
    /// A link of ours that was cut or changed.
    #[error("the code is damaged; scan it again or copy the whole link")]
    Damaged,
    /// Ours by its path, but not over a protected connection.
    #[error("the link does not begin with https, so it was not made by a hospital or wallet; don't open it")]
    NotHttps,
    /// The URL would not fit the code that everyone's camera reads.
    #[error("the link has {0} bytes, more than the {MAX_URL} that a code may hold; use a shorter address")]
    DoesNotFit(usize),
    /// Not `https://HOST[:PORT]`.
    #[error("the relay's address must be https://, a host name and nothing else")]
    Origin,
}

impl QrError {
    /// The key of its sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Empty => "scan-empty",
            Self::TooLong => "scan-too-long",
            Self::Damaged => "scan-damaged",
            Self::NotHttps => "scan-not-https",
            Self::DoesNotFit(_) => "qr-does-not-fit",
            Self::Origin => "qr-origin",
        }
    }
}

impl From<TicketError> for QrError {
    fn from(TicketError::Damaged: TicketError) -> Self {
        Self::Damaged
    }
}

/// Says what a scanned or pasted text is.
///
/// ```
/// use suishen_core::qr::{Foreign, Scanned, scan};
/// assert_eq!(scan("shc:/5676290952"), Ok(Scanned::Foreign(Foreign::SmartHealthCard)));
/// ```
pub fn scan(text: &str) -> Result<Scanned, QrError> {
    // Wedge scanners end with a line end, clipboards bring spaces, editors a byte order mark.
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
    if text.is_empty() {
        return Err(QrError::Empty);
    }
    if text.len() > MAX_TEXT {
        return Err(QrError::TooLong);
    }
    match Link::split(text) {
        Some(link) => link.read(),
        None => Ok(Scanned::Foreign(foreign::recognise(text))),
    }
}

/// A URL with one of our paths and a fragment that only ours have.
struct Link<'a> {
    origin: &'a str,
    path: char,
    fragment: &'a str,
}

impl<'a> Link<'a> {
    fn split(text: &'a str) -> Option<Self> {
        let (before, fragment) = text.split_once('#')?;
        // Browsers and messengers put queries between (`?from=groupmessage`): they carry nothing of ours.
        let before = before.split('?').next().unwrap_or(before);
        let scheme = before.split_once("://")?;
        let (_, path) = scheme.1.split_once('/')?;
        let path = match path.trim_end_matches('/') {
            "t" => 't',
            "c" => 'c',
            "i" => 'i',
            "p" => 'p',
            "n" => 'n',
            "l" => 'l',
            _ => return None,
        };
        let ours = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        // Other sites have a page /t or /c too; their fragments are words.
        if fragment.len() < 40 || !fragment.chars().all(ours) {
            return None;
        }
        let origin_end = scheme.0.len() + 3 + scheme.1.find('/')?;
        Some(Self { origin: &text[..origin_end], path, fragment })
    }

    fn read(self) -> Result<Scanned, QrError> {
        if !is_origin(self.origin) {
            return Err(QrError::NotHttps);
        }
        let origin = self.origin.to_ascii_lowercase();
        Ok(match self.path {
            't' => Scanned::Ticket { origin, ticket: Ticket::from_fragment(self.fragment)? },
            'c' => Scanned::Consent { origin, offer: Box::new(object(self.fragment)?) },
            'p' => Scanned::Pairing { origin, offer: Box::new(object(self.fragment)?) },
            'n' => Scanned::NewDevice { origin, offer: Box::new(object(self.fragment)?) },
            'l' => Scanned::Live { origin, offer: Box::new(object(self.fragment)?) },
            _ => Scanned::Identity { origin, identity: Box::new(object(self.fragment)?) },
        })
    }
}

fn object<T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>>(fragment: &str) -> Result<T, QrError> {
    let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(fragment.as_bytes()).map_err(|_| QrError::Damaged)?);
    cbor::decode(&bytes).map_err(|_| QrError::Damaged)
}

/// `https://HOST[:PORT]`; `http://` only for this computer, where the demo runs.
pub fn is_origin(origin: &str) -> bool {
    let lower = origin.to_ascii_lowercase();
    let (local_only, authority) = match (lower.strip_prefix("https://"), lower.strip_prefix("http://")) {
        (Some(authority), _) => (false, authority),
        (None, Some(authority)) => (true, authority),
        (None, None) => return false,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let port_holds = port.is_none_or(|p| p.parse::<u16>().is_ok_and(|n| n > 0 && n.to_string() == p));
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let local = host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1";
    port_holds && host.len() <= 253 && host.split('.').all(label) && (!local_only || local)
}

/// The URL of a ticket.
pub fn ticket_url(origin: &str, ticket: &Ticket) -> Result<Zeroizing<String>, QrError> {
    url(origin, 't', &ticket.to_fragment())
}

/// The URL of a consent offer.
pub fn consent_url(origin: &str, offer: &ConsentOffer) -> Result<Zeroizing<String>, QrError> {
    let bytes = Zeroizing::new(cbor::encode(offer));
    url(origin, 'c', &Zeroizing::new(BASE64URL_NOPAD.encode(&bytes)))
}

/// The URL of an identity.
pub fn identity_url(origin: &str, identity: &IdentityOffer) -> Result<Zeroizing<String>, QrError> {
    url(origin, 'i', &BASE64URL_NOPAD.encode(&cbor::encode(identity)))
}

/// The URL of a pairing.
pub fn pairing_url(origin: &str, offer: &PeerOffer) -> Result<Zeroizing<String>, QrError> {
    peer_url(origin, 'p', offer)
}

/// The URL of a new device that awaits its wallet.
pub fn new_device_url(origin: &str, offer: &PeerOffer) -> Result<Zeroizing<String>, QrError> {
    peer_url(origin, 'n', offer)
}

/// The URL of a live consultation.
pub fn live_url(origin: &str, offer: &PeerOffer) -> Result<Zeroizing<String>, QrError> {
    peer_url(origin, 'l', offer)
}

fn peer_url(origin: &str, path: char, offer: &PeerOffer) -> Result<Zeroizing<String>, QrError> {
    let bytes = Zeroizing::new(cbor::encode(offer));
    url(origin, path, &Zeroizing::new(BASE64URL_NOPAD.encode(&bytes)))
}

fn url(origin: &str, path: char, fragment: &str) -> Result<Zeroizing<String>, QrError> {
    if !is_origin(origin) {
        return Err(QrError::Origin);
    }
    let url = Zeroizing::new(format!("{origin}/{path}#{fragment}"));
    if url.len() <= MAX_URL { Ok(url) } else { Err(QrError::DoesNotFit(url.len())) }
}

#[cfg(test)]
mod tests;
