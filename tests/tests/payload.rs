//! A patient's phone, or the relay between, that sends a doctor something else than what was agreed: the desk says what is
//! wrong and redeems nothing.

use anyhow::Context as _;
use redb::{Database, ReadableTable as _, TableDefinition};
use suishen_core::cbor;
use suishen_core::consent::{Message, Payload};
use suishen_core::id::HolderId;
use suishen_core::qr::{ConsentOffer, Scanned, scan};
use suishen_tests::{Relay, Repeatable, Result, Scene, Window};

/// The drop boxes of the relay's database, by grant and number of the message.
const DROPS: TableDefinition<'static, (&[u8; 32], u64), &[u8]> = TableDefinition::new("drops");

/// A message as the relay keeps it.
#[derive(minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Kept {
    #[n(0)]
    until: u64,
    #[cbor(n(1), with = "minicbor::bytes")]
    bytes: Vec<u8>,
}

/// One thing in a payload that held becomes another.
type Change = fn(&mut Payload);

/// Changes the payload that waits in a grant's drop box, as only someone with the code and the relay's disk could.
async fn exchanges(relay: &mut Relay, offer: &ConsentOffer, change: Change) -> Result<()> {
    relay.stop()?;
    let half = offer.half.as_ref().context("the code opens by itself")?;
    let database = Database::open(relay.data().join("relay.redb"))?;
    let transaction = database.begin_write()?;
    {
        let mut drops = transaction.open_table(DROPS)?;
        let row = drops.get((offer.grant.as_bytes(), 0))?.context("the payload waits")?.value().to_vec();
        let Kept { until, bytes } = cbor::decode(&row)?;
        let Message::Payload(sealed) = cbor::decode(&bytes)? else { anyhow::bail!("not a payload") };
        let mut payload = Payload::open(half, &offer.grant, &sealed)?;
        change(&mut payload);
        let sealed = payload.seal(half, &offer.grant, &mut Repeatable(0));
        let bytes = cbor::encode(&Message::Payload(sealed));
        let row = cbor::encode(&Kept { until, bytes });
        drops.insert((offer.grant.as_bytes(), 0), row.as_slice())?;
    }
    transaction.commit()?;
    drop(database);
    relay.resume().await
}

fn names_another_holder(payload: &mut Payload) {
    payload.holder.holder = HolderId::from_bytes([7; 32]);
}

fn widens_the_consent(payload: &mut Payload) {
    payload.consent.text.push_str("，还有别的");
}

fn tells_the_auditor_of_less(payload: &mut Payload) {
    payload.auditor.grant.records.clear();
}

const FAULTS: [(&str, Change); 3] = [
    ("不能证明这些病历是出示的人的", names_another_holder),
    ("病历和患者同意的不一样", widens_the_consent),
    ("给监管方的说明和给您的不一样", tells_the_auditor_of_less),
];

#[tokio::test]
async fn malicious_relay_cannot_exchange_a_payloads_holder_consent_or_auditor_box() -> Result<()> {
    Scene::play("payload", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        let doctor = scene.person("doctor", Window::Desk).await?;
        phone.keeps_at("patient", &scene.relay.issues("laboratory/report.json").await?).await?;
        phone.protects().await?;
        doctor.enrols("doctor").await?;
        phone.taps("出示").await?;
        phone.taps("我的手机到时没有网络").await?;
        for (told, change) in FAULTS {
            let link = phone.shows_this_visit().await?;
            let Scanned::Consent { offer, .. } = scan(&link)? else { anyhow::bail!("not a consent: {link}") };
            phone.taps("关闭").await?;
            exchanges(&mut scene.relay, &offer, change).await?;
            doctor.accepts(&link).await?;
            doctor.sees(told).await?;
            assert!(!doctor.has_before_them("打开病历").await?, "offered to open in spite of: {told}");
        }
        doctor.picture("payload-refused").await?;
        phone.taps("谁看过").await?;
        phone.sees("还没有人看过").await
    })
    .await
}
