//! Issuing from the command line (PROTOCOL §4): sign, seal, upload, anchor, deposit; then a ticket's link, or a
//! delivery to a known patient. What leaves this process is sealed; the link's secret is only in its fragment.

use crate::{
    client::{Client, ClientError},
    desk::{DeskError, Organisation},
    http::boxes::Delivery,
    keys::{KeyError, Keys},
    random::SystemRandom,
    store::write_whole,
};
use axum::http::Method;
use std::{fs, io, path::PathBuf};
use suishen_core::{
    cbor,
    contract::{AnchorReport, Credential, Destination, SignedTransaction, Transaction},
    gate::{Deposit, RecordHalf, split},
    id::{BlobAddress, Commitment, PartyId},
    identity::{
        Certificate, CertificateError, Chain, CredentialRequest, Enrolled, Enrolment, EnrolmentError, Invite,
        Role,
    },
    qr::{IdentityOffer, QrError, ticket_url},
    report::{
        ClaimKey, ClaimTag, FHIR_MEDIA_TYPE, InvoiceNumber, Manifest, NewPart, NewReport, PartCopy,
        ReportError, Sensitivity, TagRequest, Ticket, TicketContents, commitment, seal_part,
    },
    sm::{Key32, Label, Random as _, SecretKey, Signed, sealed},
};
use zeroize::Zeroizing;

/// How long a ticket waits for its patient, in seconds.
pub const TICKET_TERM: u64 = 7 * 86_400;
const INBOX: Label = Label::new("inbox");
/// A credential is asked for anew when it has less than this left, in seconds.
const CREDENTIAL_LEFT: u64 = 3600;
/// The desk's certificates, beside its keys.
const ENROLLED: &str = "enrolled.cbor";
const ENROLLING: &str = "enrolling.cbor";

/// Why nothing was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The relay.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The report itself.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Enrolment.
    #[error(transparent)]
    Enrolment(#[from] EnrolmentError),
    /// The organisation's keys.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// A certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The desk's own certificates can't be read.
    #[error("the certificates of this desk cannot be read: remove its folder and enrol it again")]
    Enrolled,
    /// The link.
    #[error("a ticket's link could not be made: {0}")]
    Link(#[from] QrError),
    /// Shares.
    #[error("the key could not be split over the gates")]
    Split,
}

impl IssueError {
    /// Whether the report is at fault, not the way to the ledger.
    pub const fn is_report(&self) -> bool {
        matches!(self, Self::Report(_))
    }
}

/// This command line as an enrolled desk.
#[derive(Debug)]
pub struct CommandDesk {
    sign: SecretKey,
    chain: Chain,
}

impl CommandDesk {
    /// The desk enrolled in this folder before.
    pub fn open(keys: &Keys, client: &Client, now: u64) -> Result<Option<Self>, IssueError> {
        let Some(enrolled) = Self::read(keys)? else { return Ok(None) };
        let (sign, seal) = (keys.read("sign")?, keys.read("seal")?);
        match enrolled.check(&sign.public(), &seal.public(), &root(client)?, now) {
            Ok([chain, _]) => Ok(Some(Self { sign, chain })),
            // Of another ledger, or past its 90 days: enrol anew.
            Err(_) => Ok(None),
        }
    }

    /// Whose certificates are in this folder, whether or not they still hold; none where it was never enrolled.
    pub fn subject(keys: &Keys) -> Result<Option<(PartyId, Option<Role>)>, IssueError> {
        let Some(enrolled) = Self::read(keys)? else { return Ok(None) };
        let [leaf, _] = &enrolled.pair;
        Ok(Some((leaf.subject().party.clone(), leaf.role())))
    }

    fn read(keys: &Keys) -> Result<Option<Enrolled>, IssueError> {
        let path = keys.path().join(ENROLLED);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|source| IssueError::File { path, source })?,
        };
        cbor::decode(&bytes).map(Some).map_err(|_| IssueError::Enrolled)
    }

    /// Enrols this desk with an invite link.
    pub async fn enrol(keys: &Keys, client: &Client, link: &str, now: u64) -> Result<Self, IssueError> {
        let fragment = link.rsplit_once('#').map_or(link, |(_, fragment)| fragment).trim();
        let invite = Invite::from_fragment(fragment)?;
        let (sign, seal) = (keys.read_or_make("sign")?, keys.read_or_make("seal")?);
        let request = Enrolment::request(invite, &sign, &seal.public(), &client.ledger());
        let answer = client.post("/v1/desk/enrol", &request).await?;
        let enrolled: Enrolled = cbor::decode(&answer).map_err(ClientError::from)?;
        let [chain, _] = enrolled.clone().check(&sign.public(), &seal.public(), &root(client)?, now)?;
        // Whole under its name, or not at all: somebody may look for it meanwhile.
        let (path, new) = (keys.path().join(ENROLLED), keys.path().join(ENROLLING));
        write_whole(keys.path(), &new, &path, &cbor::encode(&enrolled))
            .map_err(|source| IssueError::File { path, source })?;
        Ok(Self { sign, chain })
    }

    /// Who sits at this desk, by certificate.
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The certified key.
    pub const fn key(&self) -> &SecretKey {
        &self.sign
    }

    /// Fresh keys with a credential in this role.
    pub async fn pass(&self, client: &Client, role: Role, now: u64) -> Result<Pass, IssueError> {
        let keys = [SecretKey::generate(&mut SystemRandom), SecretKey::generate(&mut SystemRandom)];
        self.renew(client, role, keys, now).await
    }

    /// A credential of today for these keys: to sign with, to be sealed to.
    pub async fn renew(
        &self,
        client: &Client,
        role: Role,
        [key, box_key]: [SecretKey; 2],
        now: u64,
    ) -> Result<Pass, IssueError> {
        let keys = vec![(key.public(), box_key.public())];
        let request = CredentialRequest { chain: self.chain.clone(), role, keys };
        let mut credentials: Vec<Signed<Credential>> =
            client.ask("/v1/desk/credentials", &request, &self.sign, now).await?;
        let unsound = || ClientError::Unsound("credential");
        let credential = credentials.pop().ok_or_else(unsound)?;
        let claimed = credential.claimed().map_err(|_| unsound())?;
        if (claimed.grantee, claimed.box_key) != (key.public(), box_key.public()) {
            return Err(unsound().into());
        }
        Ok(Pass { key, box_key, credential, expiry: claimed.expiry })
    }

    /// The claim tags of the draft's invoice; none where it has none.
    async fn tags(
        &self,
        client: &Client,
        draft: &Draft,
        now: u64,
    ) -> Result<Vec<(ClaimTag, ClaimKey)>, IssueError> {
        let Some(number) = InvoiceNumber::in_report(&draft.fhir)? else { return Ok(Vec::new()) };
        let request = TagRequest { chain: self.chain.clone(), number };
        Ok(client.ask("/v1/desk/tags", &request, &self.sign, now).await?)
    }
}

fn root(client: &Client) -> Result<Certificate, CertificateError> {
    client.genesis().root.read()
}

/// Invites a desk for an organisation whose keys are in `keys`.
pub fn invite(organisation: &Organisation, name: &str, client: &Client, now: u64) -> String {
    let person = crate::desk::Invitee {
        name: name.to_owned(),
        role: Role::Issuer,
        title: None,
        unit: None,
        server: false,
    };
    organisation.invite(&person, &client.ledger(), now)
}

/// An organisation's word for this desk, with the keys that it names.
#[derive(Clone, Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Pass {
    /// Signs the desk's transactions.
    #[n(0)]
    pub key: SecretKey,
    /// Opens what is sealed to the desk.
    #[n(1)]
    pub box_key: SecretKey,
    /// The credential.
    #[n(2)]
    pub credential: Signed<Credential>,
    /// Until when.
    #[n(3)]
    pub expiry: u64,
}

impl Pass {
    /// Whether it is good for a while yet.
    pub const fn lasts(&self, now: u64) -> bool {
        now.saturating_add(CREDENTIAL_LEFT) < self.expiry
    }
}

/// A report to issue.
#[derive(Debug)]
pub struct Draft {
    /// A FHIR R4 bundle.
    pub fhir: Vec<u8>,
    /// Name, media type, bytes.
    pub attachments: Vec<(String, &'static str, Vec<u8>)>,
    /// Shared only when chosen by hand.
    pub sensitive: bool,
}

/// What came of a draft.
#[derive(Debug)]
pub struct Issued {
    /// The report on the ledger.
    pub commitment: Commitment,
    /// Its entry.
    pub entry: u64,
    /// The ticket's link, secret in its fragment; none for a known patient.
    pub link: Option<Zeroizing<String>>,
}

/// All that is made before anything is sent.
struct Sealed {
    contents: TicketContents,
    blobs: Vec<(BlobAddress, Vec<u8>)>,
    commitment: Commitment,
}

/// Issues one report: as a ticket, or to a known patient.
pub async fn issue(
    client: &Client,
    desk: &CommandDesk,
    draft: &Draft,
    to: Option<&IdentityOffer>,
) -> Result<Issued, IssueError> {
    let info = client.info().await?;
    let pass = desk.pass(client, Role::Issuer, info.now).await?;
    let tags = desk.tags(client, draft, info.now).await?;
    let mut sealed = seal(client, desk, &pass, draft, tags, info.now)?;
    let (destination, halves) = match to {
        Some(offer) => {
            let salt: [u8; 32] = SystemRandom.bytes();
            sealed.contents.holder_salt = Some(salt);
            (Destination::Holder(offer.holder.again(&salt)), None)
        }
        None => ticket(client, &mut sealed, &pass, info.now)?,
    };
    for (address, blob) in &sealed.blobs {
        client.put_blob(address, blob.clone(), &pass.key, info.now).await?;
    }
    let body =
        AnchorReport { commitment: sealed.commitment, credential: pass.credential.clone(), destination };
    let anchor = SignedTransaction::new(&Transaction::AnchorReport(body), &pass.key, &client.ledger());
    let standing = client.submit(&anchor).await?;
    let link = match (halves, to) {
        (Some((ticket, deposits)), _) => {
            client.deposit(&deposits, &pass.key).await?;
            let origin = info.origins.first().ok_or(ClientError::Unsound("origins"))?;
            Some(ticket_url(origin, &ticket)?)
        }
        (None, Some(offer)) => {
            deliver(client, &sealed, offer, &pass, info.now).await?;
            None
        }
        (None, None) => None,
    };
    Ok(Issued { commitment: sealed.commitment, entry: standing.number, link })
}

fn seal(
    client: &Client,
    desk: &CommandDesk,
    pass: &Pass,
    draft: &Draft,
    tags: Vec<(ClaimTag, ClaimKey)>,
    now: u64,
) -> Result<Sealed, IssueError> {
    let (tags, claim_keys): (Vec<ClaimTag>, Vec<ClaimKey>) = tags.into_iter().unzip();
    let part =
        |(name, kind, bytes): &(String, &str, Vec<u8>)| NewPart::of(name, kind, bytes, &mut SystemRandom);
    let made = Manifest::make_claimable(
        NewReport {
            issuer: desk.chain.leaf().subject().party.clone(),
            issued_at: now,
            version: 1,
            replaces: None,
            sensitivity: if draft.sensitive { Sensitivity::Other } else { Sensitivity::Ordinary },
            credential: pass.credential.to_bytes(),
            fhir: Some(&draft.fhir),
            attachments: draft.attachments.iter().map(part).collect(),
        },
        &tags,
        &mut SystemRandom,
    )?;
    let manifest = Signed::new(&made.manifest, &pass.key, &client.ledger()).to_bytes();
    let (mut parts, mut blobs): (Vec<PartCopy>, _) = (Vec::new(), Vec::new());
    for (number, (entry, salt)) in (0u32..).zip(made.manifest.parts.iter().zip(&made.salts)) {
        let file = draft.attachments.iter().find(|(name, ..)| *name == entry.name);
        let plain = match file {
            _ if entry.media_type == FHIR_MEDIA_TYPE => draft.fhir.as_slice(),
            Some((.., bytes)) => bytes,
            None => unreachable!("a manifest's parts are the bundle and the attachments"),
        };
        let (copy, blob) = seal_part(number, *salt, plain, &mut SystemRandom);
        blobs.push((copy.address, blob));
        parts.push(copy);
    }
    let salt: [u8; 32] = SystemRandom.bytes();
    let commitment = commitment(&salt, &manifest);
    let chain = desk.chain.certificates().map(|c| c.to_der().to_vec().into()).collect();
    let openings = made.openings;
    let contents = TicketContents { manifest, salt, parts, openings, chain, holder_salt: None, claim_keys };
    Ok(Sealed { contents, blobs, commitment })
}

type Halves = Option<(Ticket, Vec<Deposit>)>;

fn ticket(
    client: &Client,
    sealed: &mut Sealed,
    pass: &Pass,
    now: u64,
) -> Result<(Destination, Halves), IssueError> {
    let ticket = Ticket::generate(sealed.commitment, &mut SystemRandom);
    let half = Key32::generate(&mut SystemRandom);
    let key = ticket.content_key(&half);
    let blob = sealed.contents.seal(&pass.key, &client.ledger(), &key, &mut SystemRandom);
    sealed.blobs.insert(0, blob);
    let blobs = sealed.blobs.iter().map(|(address, _)| *address).collect();
    let count = |n: usize| u8::try_from(n).map_err(|_| IssueError::Split);
    let (gates, threshold) = (count(client.genesis().count())?, count(client.genesis().threshold())?);
    let halves = [RecordHalf { half, blobs }];
    let split = split(sealed.commitment.digest(), &halves, threshold, gates, &mut SystemRandom)
        .map_err(|_| IssueError::Split)?;
    let destination = Destination::Ticket(ticket.key().public(), now + TICKET_TERM, split.digest);
    Ok((destination, Some((ticket, split.deposits))))
}

async fn deliver(
    client: &Client,
    sealed: &Sealed,
    offer: &IdentityOffer,
    pass: &Pass,
    now: u64,
) -> Result<(), IssueError> {
    let text = Zeroizing::new(cbor::encode(&sealed.contents));
    let (ledger, inbox) = (client.ledger(), offer.inbox);
    let boxed = sealed::seal(&offer.encryption_key, &ledger, inbox.digest(), INBOX, &text, &mut SystemRandom);
    let blobs = sealed.blobs.iter().map(|(address, _)| *address).collect();
    let delivery = Delivery { credential: pass.credential.clone(), sealed: boxed, blobs };
    let path = format!("/v1/inbox/{inbox}");
    client.signed(Method::POST, &path, cbor::encode(&delivery), &pass.key, now).await?;
    Ok(())
}
