//! The sandbox's patient: a wallet that is played by the program, so that an insurer can try its systems without one. Its
//! invoice, consent and yes are real on a real ledger; only nobody stands behind them.

use crate::{
    client::{Client, ClientError},
    http::ledger::{ValuesAnswer, ValuesAsked},
    issuing::{self, CommandDesk, IssueError},
    random::SystemRandom,
};
use axum::http::Method;
use std::time::Duration;
use suishen_core::{
    cbor,
    consent::{
        Answer, Asking, Choice, Consent, DeskIdentity, Draft, DraftError, DraftRecord, HolderProof,
        IdentityFault, Message, Salt, Surroundings,
    },
    contract::{AuditorKeys, Key, OpenHolder, RevokeGrant, SignedTransaction, Slot, Terms, Transaction},
    id::{Commitment, GrantId, HolderCommitment, HolderId, InboxId},
    identity::{Certificate, CertificateError, Chain, Role},
    proof::log::ProvenValue,
    qr::{ConsentOffer, IdentityOffer, QrError, consent_url},
    report::{
        ClaimKey, GroupOpening, Manifest, ReportError, TicketContents,
        claim::{proposal, supporting},
    },
    sm::{Label, Random as _, SecretKey, Signed, SmError, sealed},
};

const INBOX: Label = Label::new("inbox");
/// A claim grant here lasts as long as a wallet's, and is accepted within a quarter of an hour.
const TERM: u64 = 90 * 86_400;
/// And one for a doctor a day.
const SEEN: u64 = 86_400;
const ACCEPT: u64 = 15 * 60;
/// Reads of it.
const USES: u64 = 3;
/// How often the patient looks whether somebody asks.
const LOOK: Duration = Duration::from_millis(100);
/// How often, before nobody is expected any more.
const LOOKS: u32 = 6_000;

/// Why the patient did nothing.
#[derive(Debug, thiserror::Error)]
pub enum PatientError {
    /// The relay.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The hospital's desk.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// What came isn't an invoice.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// What came can't be opened.
    #[error(transparent)]
    Sealed(#[from] SmError),
    /// A certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The grant.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The link.
    #[error(transparent)]
    Link(#[from] QrError),
    /// Who asked isn't an insurer.
    #[error(transparent)]
    Identity(#[from] IdentityFault),
}

/// A patient with a holder on the ledger.
#[derive(Debug)]
pub struct Patient {
    holder: HolderId,
    authority: SecretKey,
}

/// A record that the patient has: an invoice, or what explains one.
#[derive(Clone, Debug)]
pub struct Record {
    commitment: Commitment,
    manifest: Signed<Manifest>,
    salt: Salt,
    holder_salts: Vec<Salt>,
    openings: Vec<GroupOpening>,
    claim_keys: Vec<ClaimKey>,
    chain: Chain,
}

impl Record {
    /// Its name on the ledger.
    pub const fn commitment(&self) -> Commitment {
        self.commitment
    }

    /// All of its groups.
    pub fn openings(&self) -> &[GroupOpening] {
        &self.openings
    }

    /// What is shown of it.
    fn shown(&self, openings: Vec<GroupOpening>) -> DraftRecord {
        DraftRecord {
            manifest: self.manifest.clone(),
            salt: self.salt,
            holder_salts: self.holder_salts.clone(),
            parts: Vec::new(),
            openings,
            claim_keys: self.claim_keys.clone(),
            chain: self.chain.clone(),
        }
    }
}

/// A grant for whoever has this role.
pub fn choice_for(role: Role) -> Choice {
    let duration = if Slot::of(role).is_some() { TERM } else { SEEN };
    Choice { role, duration, accept_within: ACCEPT, uses: USES, live: false }
}

/// What the patient agrees to, by whom it is for.
fn consent_to(role: Role) -> Consent {
    let (purpose, text) = match Slot::of(role) {
        Some(_) => ("HPAYMT", "我同意保险机构在 90 天内查看这张票据，用于理赔，可随时撤回。"),
        None => ("TREAT", "我同意医生查看这些病历，用于看病，可随时撤回。"),
    };
    Consent { purpose: purpose.into(), language: "zh".into(), text: text.into() }
}

/// A claim that the patient makes, or another grant.
#[derive(Clone, Debug)]
pub struct Made {
    draft: Draft,
    /// What is shown to the insurer.
    pub link: String,
}

fn fresh() -> SecretKey {
    SecretKey::generate(&mut SystemRandom)
}

impl Patient {
    /// A new patient, known to the ledger.
    pub async fn arrive(client: &Client) -> Result<Self, PatientError> {
        let (root, authority, manage) = (fresh(), fresh(), fresh());
        let body = OpenHolder { root: root.public(), authority: authority.public(), manage: manage.public() };
        let signed = SignedTransaction::new(&Transaction::OpenHolder(body), &root, &client.ledger());
        client.submit(&signed).await?;
        Ok(Self { holder: HolderId::of(&root.public()), authority })
    }

    /// Has the hospital issue a record to this patient, and takes it in.
    pub async fn receive(
        &self,
        client: &Client,
        hospital: &CommandDesk,
        fhir: Vec<u8>,
    ) -> Result<Record, PatientError> {
        let (inbox, encryption) = (fresh(), fresh());
        let inner: [u8; 32] = SystemRandom.bytes();
        let offer = IdentityOffer {
            holder: HolderCommitment::of(&inner, &self.holder),
            encryption_key: encryption.public(),
            inbox: InboxId::of(&inbox.public()),
            relays: None,
        };
        let draft = issuing::Draft { fhir, attachments: Vec::new(), sensitive: false };
        let issued = issuing::issue(client, hospital, &draft, Some(&offer)).await?;
        let (path, now) = (format!("/v1/inbox/{}", offer.inbox), client.info().await?.now);
        let delivered = client.signed(Method::GET, &path, Vec::new(), &inbox, now).await?;
        let delivered: Vec<(u64, minicbor::bytes::ByteVec)> =
            cbor::decode(&delivered).map_err(ClientError::from)?;
        let (_, boxed) = delivered.first().ok_or(ClientError::Unsound("inbox"))?;
        let text = sealed::open(&encryption, &client.ledger(), offer.inbox.digest(), INBOX, boxed)?;
        let contents: TicketContents = cbor::decode(&text).map_err(ClientError::from)?;
        let outer = contents.holder_salt.ok_or(ClientError::Unsound("delivery"))?;
        let certificates = contents.chain.iter().map(|der| Certificate::from_der(der));
        Ok(Record {
            commitment: issued.commitment,
            manifest: Signed::from_bytes(&contents.manifest)?,
            salt: Salt(contents.salt),
            holder_salts: vec![Salt(outer), Salt(inner)],
            openings: contents.openings,
            claim_keys: contents.claim_keys,
            chain: Chain::new(certificates.collect::<Result<_, _>>()?)?,
        })
    }

    /// Makes a claim for the insurers of a slot: what such a claim needs of the invoice, and nothing else.
    pub async fn claim(
        &self,
        client: &Client,
        invoice: &Record,
        slot: Slot,
        origin: &str,
    ) -> Result<Made, PatientError> {
        self.claim_with(client, (invoice, &[]), slot, origin).await
    }

    /// The same with papers that go along: what explains a claim in them, without the hospital's numbers and telephones.
    pub async fn claim_with(
        &self,
        client: &Client,
        (invoice, papers): (&Record, &[&Record]),
        slot: Slot,
        origin: &str,
    ) -> Result<Made, PatientError> {
        let openings = proposal(&invoice.openings, slot, None)?.openings(&invoice.openings);
        let papers = papers.iter().map(|paper| (*paper, supporting(&paper.openings)));
        let shown: Vec<_> = std::iter::once((invoice, openings)).chain(papers).collect();
        let made = self.make(client, &shown, choice_for(slot.role()), origin).await?;
        made.bring(client).await?;
        Ok(made)
    }

    /// Makes a grant of these groups of these records. Nothing is sent yet.
    pub async fn make(
        &self,
        client: &Client,
        shown: &[(&Record, Vec<GroupOpening>)],
        choice: Choice,
        origin: &str,
    ) -> Result<Made, PatientError> {
        let named: Vec<_> = shown.iter().map(|(record, _)| record.commitment).collect();
        let records = shown.iter().map(|(record, openings)| record.shown(openings.clone())).collect();
        let consent = consent_to(choice.role);
        let (holder, auditor) = self.proof(client, &named).await?;
        let count = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        let genesis = client.genesis();
        let now = client.info().await?.now;
        let around = Surroundings {
            ledger: &client.ledger(),
            now,
            gates: (count(genesis.count()), count(genesis.threshold())),
            auditor: &auditor.box_key().map_err(|_| ClientError::Unsound("auditor"))?,
            authority: &self.authority,
        };
        let draft = Draft::new(choice, consent, records, holder, &around, &mut SystemRandom)?;
        let offer = ConsentOffer {
            grant: draft.grant,
            offer_key: draft.offer.clone(),
            half: None,
            checkpoint: None,
            relays: None,
        };
        let link = consent_url(origin, &offer)?.to_string();
        Ok(Made { draft, link })
    }

    /// Holder and anchors under one checkpoint; and the auditor's keys.
    async fn proof(
        &self,
        client: &Client,
        records: &[Commitment],
    ) -> Result<(HolderProof, AuditorKeys), PatientError> {
        let keys = [Key::Holder(self.holder), Key::Auditor];
        let keys = keys.into_iter().chain(records.iter().map(|record| Key::Anchor(*record)));
        let asked = ValuesAsked::of(keys.map(|key| key.to_bytes()));
        let answer = client.post("/v1/ledger/values", &asked).await?;
        let answer: ValuesAnswer = cbor::decode(&answer).map_err(ClientError::from)?;
        let mut shown = answer.values.into_iter().map(|shown| {
            let value = shown.value.map(Vec::from).ok_or(ClientError::Unsound("state"))?;
            Ok::<_, ClientError>(ProvenValue { value, proof: shown.proof })
        });
        let mut next = || shown.next().unwrap_or(Err(ClientError::Unsound("state")));
        let (leaf, auditor) = (next()?, next()?);
        let anchors = records.iter().map(|_| next()).collect::<Result<_, _>>()?;
        let auditor = cbor::decode(&auditor.value).map_err(ClientError::from)?;
        let holder = HolderProof { holder: self.holder, checkpoint: answer.note, leaf, anchors };
        Ok((holder, auditor))
    }
}

impl Made {
    /// Which grant.
    pub const fn grant(&self) -> GrantId {
        self.draft.grant
    }

    /// All that the patient made, secrets included.
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Brings it to ledger, gates and drop box.
    pub async fn bring(&self, client: &Client) -> Result<(), PatientError> {
        let (draft, now) = (&self.draft, client.info().await?.now);
        for (address, blob) in &draft.blobs {
            client.put_blob(address, blob.clone(), &draft.key, now).await?;
        }
        client.submit(&draft.transaction).await?;
        client.deposit(&draft.deposits, &draft.key).await?;
        let payload = cbor::encode(&Message::Payload(draft.payload.clone()));
        let path = format!("/v1/drop/{}", draft.grant);
        client.signed(Method::POST, &path, payload, &draft.key, now).await?;
        Ok(())
    }

    /// Waits until somebody asks, checks who it is, and says yes. Gives whom the patient was shown.
    pub async fn agree(&self, client: &Client) -> Result<Chain, PatientError> {
        for _ in 0..LOOKS {
            let messages = self.messages(client).await?;
            let desk = messages.into_iter().find_map(|message| match message {
                Message::Desk(sealed) => Some(sealed),
                _ => None,
            });
            let Some(sealed) = desk else {
                tokio::time::sleep(LOOK).await;
                continue;
            };
            let answer = client.value(&Key::Terms(self.draft.grant)).await?;
            let terms = answer.values.first().ok_or(ClientError::Unsound("grant"))?;
            let terms: Terms = cbor::decode(&terms.value).map_err(ClientError::from)?;
            let accepted = terms.accepted.as_ref().ok_or(ClientError::Unsound("acceptance"))?;
            let (ledger, grant) = (client.ledger(), self.draft.grant);
            let root = client.genesis().root.read()?;
            let role = terms.grant.role;
            let asking = Asking { ledger: &ledger, root: &root, grant: &grant, role, accepted };
            let identity = DeskIdentity::open(&sealed, &self.draft.reply, &asking)?;
            let half = Message::half(&self.draft.half, accepted, &grant, &ledger, &mut SystemRandom);
            let now = client.info().await?.now;
            let path = format!("/v1/drop/{grant}");
            client.signed(Method::POST, &path, cbor::encode(&half), &self.draft.key, now).await?;
            return Ok(identity.chain);
        }
        Err(ClientError::Unsound("nobody asked").into())
    }

    /// Takes the consent back.
    pub async fn revoke(&self, client: &Client) -> Result<(), PatientError> {
        let body = Transaction::RevokeGrant(RevokeGrant { grant: self.draft.grant });
        client.submit(&SignedTransaction::new(&body, &self.draft.key, &client.ledger())).await?;
        Ok(())
    }

    /// What the insurer told the patient, in order.
    pub async fn answers(&self, client: &Client) -> Result<Vec<Answer>, PatientError> {
        let answer = client.value(&Key::Terms(self.draft.grant)).await?;
        let terms = answer.values.first().ok_or(ClientError::Unsound("grant"))?;
        let terms: Terms = cbor::decode(&terms.value).map_err(ClientError::from)?;
        let grantee = terms.accepted.ok_or(ClientError::Unsound("acceptance"))?.grantee;
        let (ledger, grant) = (client.ledger(), self.draft.grant);
        let open = |message| match message {
            Message::Answer(sealed) => Answer::open(&sealed, &self.draft.reply, &grantee, &grant, &ledger)
                .ok()
                .map(|(answer, _)| answer),
            _ => None,
        };
        Ok(self.messages(client).await?.into_iter().filter_map(open).collect())
    }

    /// All messages in the grant's drop box.
    pub async fn messages(&self, client: &Client) -> Result<Vec<Message>, PatientError> {
        let (path, now) = (format!("/v1/drop/{}", self.draft.grant), client.info().await?.now);
        let answer = client.signed(Method::GET, &path, Vec::new(), &self.draft.key, now).await?;
        let messages: Vec<minicbor::bytes::ByteVec> = cbor::decode(&answer).map_err(ClientError::from)?;
        let read = messages.iter().map(|message| cbor::decode(message).map_err(ClientError::from));
        Ok(read.collect::<Result<_, _>>()?)
    }
}
