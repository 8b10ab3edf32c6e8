//! From the patient's yes to an open invoice: judge, redeem, gather the gates' half, open, verify (PROTOCOL §6, §7).
//!
//! **What was opened is kept as it came and verified again each time it is read**: what each hospital signed of the groups, and
//! the tag's word for this grant. One record that doesn't hold, and nothing of the claim is taken in.

use super::{
    desk::{ClaimsDesk, DeskError},
    held::{Held, Opened, Paper, Redemption},
    ledger::LedgerError,
};
use crate::{client::ClientError, random::SystemRandom};
use suishen_core::{
    consent::{
        AuditorUse, Disclosure, Facts, Judged, JudgedRecord, Payload, PayloadFault, PayloadRecord, Presence,
        Receipt, RecordKey, WrappedGroups,
    },
    contract::{
        AuditorKeys, GrantLeaf, Key, Party, RedeemGrant, SignedTransaction, Status, Terms, Transaction, Use,
    },
    gate::Gathering,
    id::GrantId,
    report::{Manifest, Opened as ReportOpened, ReportError, claim::Shown},
    sm::{Key32, SecretKey, Signed, SmError},
};

/// After so many uses whose contents didn't come, it is given up: each stands in the patient's list.
const MOST_USES: u32 = 3;
/// Largest ciphertext of a record's groups: twice what a report's text may be, since each value goes with its path.
const MOST_GROUPS: usize = 32 << 20;
/// The same of all records of a claim together.
const MOST_IN_ALL: u64 = 64 << 20;
/// Claims with more ciphertext than this are opened one at a time.
const LARGE: u64 = 1 << 20;

/// A payload in which everything holds.
pub(super) struct Sound {
    payload: Payload,
    judged: Judged,
    half: Key32,
}

/// Why what lies in a drop box isn't taken for what the patient left there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotTaken {
    /// It doesn't open.
    #[error(transparent)]
    Sealed(#[from] SmError),
    /// Something in it doesn't hold.
    #[error(transparent)]
    Fault(#[from] PayloadFault),
}

/// What an insurer is shown.
#[derive(Debug)]
pub struct Seen {
    /// As the hospital signed it, as far as it is shown.
    pub report: ReportOpened,
    /// Invoice and tag.
    pub shown: Shown,
}

/// A record as it came: what its hospital signed, what of it is shown, and the hospital by name and code.
struct Came {
    manifest: Manifest,
    disclosed: Disclosure,
    hospital: (String, String),
}

/// Why a record isn't taken: a stable word and a sentence.
type Unfit = (&'static str, String);

fn not_given() -> Unfit {
    ("content", "what came is not what the patient gave".to_owned())
}

impl ClaimsDesk {
    /// Redeems, and opens what is shown. A claim that doesn't hold is closed, with the reason.
    pub(super) async fn open(&self, held: &mut Held) -> Result<(), DeskError> {
        let (terms, leaf) = self.grant(held).await?;
        let now = self.ledger.now().await?;
        if !self.check_running(held, &terms, &leaf, now).await? {
            return Ok(());
        }
        let Some(sound) = self.judged(held, &terms).await? else { return Ok(()) };
        let Some(redemption) = self.redeem(held, (&terms, &leaf), now).await? else { return Ok(()) };
        let object = held.grant.digest();
        let client = &self.ledger.client;
        let released =
            client.release(object, redemption.number, &held.pass.key, &redemption.secret, now).await;
        let (gate, release) = released?;
        let genesis = client.genesis();
        let count = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        let (gates, needed) = (count(genesis.count()), count(genesis.threshold()));
        let mut gathering = Gathering::new(*object, terms.grant.shares, needed, gates);
        gathering.add(gate, &release).map_err(|_| ClientError::Unsound("gate share"))?;
        let mut keys = Vec::with_capacity(sound.payload.records.len());
        for record in &sound.payload.records {
            let half = gathering.half(record.number).map_err(|_| ClientError::Unsound("gate share"))?;
            keys.push(RecordKey::new(&sound.half, &half, &held.grant, record.number));
        }
        self.take_in(held, &sound, &keys, redemption.number, now).await
    }

    /// What a half opens, judged against the ledger's facts.
    pub(super) fn judge(
        &self,
        terms: &Terms,
        auditor: &AuditorKeys,
        (half, sealed): (&Key32, &[u8]),
    ) -> Result<Sound, NotTaken> {
        let ledger = self.ledger.id();
        let payload = Payload::open(half, &GrantId::of(&ledger, &terms.grant.key), sealed)?;
        let facts = Facts {
            ledger: &ledger,
            epoch: &self.ledger.epoch,
            root: &self.ledger.root,
            grant: &terms.grant,
            issued: terms.issued,
            auditor,
        };
        let judged = payload.judge(&facts)?;
        Ok(Sound { payload, judged, half: half.clone() })
    }

    /// The payload that was found, judged: where everything in it holds it is the patient's, and what the claim comes to
    /// follows from it. One that doesn't hold is let go, and looked for again.
    async fn judged(&self, held: &mut Held, terms: &Terms) -> Result<Option<Sound>, DeskError> {
        let (Some(half), Some(sealed)) = (held.half.clone(), held.payload.clone()) else { return Ok(None) };
        let auditor = self.ledger.auditor().await?;
        let sound = match self.judge(terms, &auditor, (&half, &sealed)) {
            Ok(sound) => sound,
            Err(fault) => {
                tracing::warn!(claim = %held.grant, %fault, "what the patient left is looked for again");
                let before = held.state().name();
                held.payload = None;
                self.save(held, before).await?;
                return Ok(None);
            }
        };
        if !self.ledger.agrees(&sound.judged.checkpoint).await? {
            let detail = "patient and server were shown different ledgers; report this to the auditor";
            self.close(held, "split-view", detail).await?;
            return Ok(None);
        }
        // The invoice comes first, then what goes along with it.
        if sound.payload.records.first().is_none_or(|record| record.groups.is_none()) {
            self.close(held, "no-invoice", "a claim shows an invoice first, in groups").await?;
            return Ok(None);
        }
        Ok(Some(sound))
    }

    /// A use that stands, and for which gates still release. None where no use is left.
    async fn redeem(
        &self,
        held: &mut Held,
        (terms, leaf): (&Terms, &GrantLeaf),
        now: u64,
    ) -> Result<Option<Redemption>, DeskError> {
        if let Some(redemption) = held.redemption.clone().filter(|redemption| redemption.goes_on(now)) {
            if redemption.at.is_some() {
                return Ok(Some(redemption));
            }
        } else {
            let number = u32::try_from(leaf.uses.saturating_add(1)).unwrap_or(u32::MAX);
            if leaf.status == Status::Exhausted || number > MOST_USES {
                self.close(held, "content", "the contents did not come, and no use is left").await?;
                return Ok(None);
            }
            let secret = SecretKey::generate(&mut SystemRandom);
            self.new_redemption(held, terms, (number, secret), now).await?;
        }
        let Some(mut redemption) = held.redemption.clone() else { return Ok(None) };
        let used = Key::Use(held.grant, redemption.number);
        let mut found: Option<Use> = self.ledger.values(std::slice::from_ref(&used)).await?.get(0)?;
        if found.is_none() {
            if !held.pass.lasts(now) {
                let same = (redemption.number, redemption.secret.clone());
                self.new_redemption(held, terms, same, now).await?;
                redemption = held.redemption.clone().unwrap_or(redemption);
            }
            let entry = self.ledger.submit(&redemption.transaction).await?;
            found = self.after(entry, &[used]).await?.get(0)?;
        }
        // Ours, by the key that the gates seal to.
        let ours = found.filter(|found| found.epk == redemption.secret.public());
        let Some(found) = ours else { return Err(LedgerError::Unsound("redemption").into()) };
        redemption.at = Some(found.at);
        let before = held.state().name();
        held.redemption = Some(redemption.clone());
        self.save(held, before).await?;
        Ok(Some(redemption))
    }

    /// Makes a use and stores it, before it is sent.
    async fn new_redemption(
        &self,
        held: &mut Held,
        terms: &Terms,
        (number, secret): (u32, SecretKey),
        now: u64,
    ) -> Result<(), DeskError> {
        self.renew(held, now).await?;
        let records: Vec<u32> = (0..).zip(0..terms.grant.records).map(|(number, _)| number).collect();
        let ledger = self.ledger.id();
        let presence = Presence { grant: held.grant, grantee: held.pass.key.public() };
        let who = self.who();
        let told = AuditorUse {
            grant: held.grant,
            number,
            certificate: who.chain().leaf().to_der().to_vec(),
            presence: Signed::new(&presence, who.key(), &ledger),
            records: records.clone(),
        };
        let auditor = self.ledger.auditor_key().await?;
        let seed = Key32::generate(&mut SystemRandom);
        let auditor_box =
            told.seal(&seed, &auditor, &ledger).map_err(|_| LedgerError::Unsound("certificate too long"))?;
        let body = RedeemGrant {
            grant: held.grant,
            credential: held.pass.credential.clone(),
            use_number: number.into(),
            records: records.into_iter().map(u64::from).collect(),
            epk: secret.public(),
            auditor_box,
        };
        let transaction = SignedTransaction::new(&Transaction::RedeemGrant(body), &held.pass.key, &ledger);
        let before = held.state().name();
        held.redemption = Some(Redemption { number, secret, transaction, at: None });
        self.save(held, before).await
    }

    /// Fetches, opens, verifies, keeps.
    async fn take_in(
        &self,
        held: &mut Held,
        sound: &Sound,
        keys: &[RecordKey],
        number: u32,
        now: u64,
    ) -> Result<(), DeskError> {
        let sizes = sound.payload.records.iter().filter_map(|record| Some(record.groups.as_ref()?.size));
        let size = sizes.fold(0_u64, u64::saturating_add);
        if size > MOST_IN_ALL {
            let (code, detail) = not_given();
            return self.close(held, code, detail).await;
        }
        let _alone = if size > LARGE { Some(self.opening.lock().await) } else { None };
        let mut came = Vec::new();
        for ((record, facts), key) in sound.payload.records.iter().zip(&sound.judged.records).zip(keys) {
            match self.fetch(held, (record, facts), key, now).await? {
                Ok(one) => came.push(one),
                Err((code, detail)) => return self.close(held, code, detail).await,
            }
        }
        let mut came = came.into_iter();
        let (Some(invoice), Some(facts)) = (came.next(), sound.judged.records.first()) else { return Ok(()) };
        let papers: Vec<Paper> = came.map(Paper::from).collect();
        let opened = Opened {
            record: facts.commitment,
            manifest: invoice.manifest,
            disclosed: invoice.disclosed,
            hospital: invoice.hospital.0,
            hospital_code: invoice.hospital.1,
            at: now,
            receipt: false,
            number,
            consent: sound.payload.consent.text.clone(),
            papers: (!papers.is_empty()).then_some(papers),
        };
        let read = self.read(held, &opened);
        let read =
            read.and_then(|seen| opened.papers().iter().try_for_each(|p| p.read().map(drop)).map(|()| seen));
        let seen = match read {
            Ok(seen) => seen,
            Err(error) => return self.close(held, unclaimable(&error), error.to_string()).await,
        };
        let hospital = Key::Party(facts.manifest.issuer.clone());
        let hospital: Party = self.ledger.values(&[hospital]).await?.need(0, "party")?;
        if let Err(error) = seen.shown.tag.check(&hospital, &self.ledger.id()) {
            return self.close(held, unclaimable(&error), error.to_string()).await;
        }
        let before = held.state().name();
        held.opened = Some(opened);
        held.payload = None;
        self.save(held, before).await
    }

    /// A record's groups, as the patient gave them and its hospital signed them: held against the manifest before another
    /// is fetched. Where something else came, why it isn't taken.
    async fn fetch(
        &self,
        held: &Held,
        (record, facts): (&PayloadRecord, &JudgedRecord),
        key: &RecordKey,
        now: u64,
    ) -> Result<Result<Came, Unfit>, DeskError> {
        let disclosed = match &record.groups {
            Some(wrapped) if wrapped.size > MOST_GROUPS as u64 => return Ok(Err(not_given())),
            Some(wrapped) => {
                let client = &self.ledger.client;
                let blob = client.get_blob_within(&wrapped.address, &held.pass.key, now, MOST_GROUPS).await?;
                let (key, wrapped, manifest) = (key.clone(), wrapped.clone(), facts.manifest.clone());
                let opening = tokio::task::spawn_blocking(move || unwrap(&key, &wrapped, &blob, &manifest));
                match opening.await.unwrap_or_else(|_| Err(not_given())) {
                    Ok(disclosed) => disclosed,
                    Err(unfit) => return Ok(Err(unfit)),
                }
            }
            // Files alone: without a group there is no report.
            None => match facts.manifest.open_groups(&[]) {
                Ok(_) => Disclosure::default(),
                Err(error) => return Ok(Err((unclaimable(&error), error.to_string()))),
            },
        };
        let subject = record.chain.leaf().subject();
        let hospital = (subject.organisation.clone(), subject.party.as_str().to_owned());
        Ok(Ok(Came { manifest: facts.manifest.clone(), disclosed, hospital }))
    }

    /// What was opened, verified.
    pub fn read(&self, held: &Held, opened: &Opened) -> Result<Seen, ReportError> {
        let Disclosure { groups, proof } = &opened.disclosed;
        let report = opened.manifest.open_groups(groups)?;
        let shown = Shown::read(&report, proof.as_ref(), self.slot, (&held.grant, &self.ledger.id()))?;
        Ok(Seen { report, shown })
    }

    /// Tells the patient what was opened. Its absence shows as "key released, no receipt".
    pub(super) async fn tell_opened(&self, held: &mut Held) -> Result<(), DeskError> {
        let Some(opened) = &held.opened else { return Ok(()) };
        let (number, count) = (opened.number, opened.papers().len() + 1);
        let proven = self.ledger.values(&[Key::Terms(held.grant)]).await?;
        let terms: Terms = proven.need(0, "grant")?;
        let receipt = Receipt {
            grant: held.grant,
            number,
            records: (0..).take(count).collect(),
            checkpoint: proven.note,
        };
        let ledger = self.ledger.id();
        let message = receipt.seal(&held.pass.key, &terms.grant.reply, &ledger, &mut SystemRandom);
        self.drop_in(held, &message).await?;
        let before = held.state().name();
        if let Some(opened) = &mut held.opened {
            opened.receipt = true;
        }
        self.save(held, before).await
    }
}

/// A record's groups, decrypted, and held against the manifest.
fn unwrap(
    key: &RecordKey,
    wrapped: &WrappedGroups,
    blob: &[u8],
    manifest: &Manifest,
) -> Result<Disclosure, Unfit> {
    let disclosed = key.open_groups(wrapped, blob).map_err(|_| not_given())?;
    let held = manifest.open_groups(&disclosed.groups);
    held.map(|_| disclosed).map_err(|error| (unclaimable(&error), error.to_string()))
}

impl From<Came> for Paper {
    fn from(came: Came) -> Self {
        let (hospital, hospital_code) = came.hospital;
        Self { manifest: came.manifest, disclosed: came.disclosed, hospital, hospital_code }
    }
}

impl Paper {
    /// What is shown of it, verified. One grant settles one invoice: nothing else in it bears a tag.
    pub fn read(&self) -> Result<ReportOpened, ReportError> {
        let report = self.manifest.open_groups(&self.disclosed.groups)?;
        if self.disclosed.proof.is_some() || !report.tags.is_empty() {
            return Err(ReportError::Tag);
        }
        report.view()?;
        Ok(report)
    }
}

const fn unclaimable(error: &ReportError) -> &'static str {
    match error {
        ReportError::Tag | ReportError::TagProof => "claim-tag",
        ReportError::NoInvoice => "no-invoice",
        ReportError::NotPayable(_) => "void",
        _ => "half",
    }
}
