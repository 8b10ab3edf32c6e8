//! A ledger that shows itself otherwise than before, or otherwise to others: every phone and desk that remembers it raises
//! the alarm, and nothing is read, settled or audited on it.

use reqwest::{Method, StatusCode};
use suishen_core::contract::{Role, Slot};
use suishen_relay::claims::patient::choice_for;
use suishen_tests::{Answer, Between, Desk, HOSPITAL, Person, Result, Scene, Turn, Wallet, Window, sample};

async fn looks_who_read(phone: &Person) -> Result<()> {
    phone.goes_to("patient", "/who").await
}

/// From here on this is what the relay answers there.
fn shows(between: &Between, path: &'static str, body: Vec<u8>) {
    between.lies(move |asked| {
        if !asked.is(&Method::GET, path) {
            return Turn::Honest;
        }
        Turn::Instead(Answer::made(StatusCode::OK, "application/octet-stream", body.clone()))
    });
}

/// Opens a ticket's link, whatever comes of it.
async fn scans(phone: &Person, ticket: &str) -> Result<()> {
    let (_, fragment) = ticket.split_once('#').unwrap_or_default();
    phone.goes_to("patient", &format!("/t#{fragment}")).await
}

#[tokio::test]
async fn malicious_relay_that_sets_the_ledger_back_or_leads_it_another_way_raises_the_alarm() -> Result<()> {
    Scene::play("alarms", 2, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_first(&scene.relay.issues("laboratory").await?).await?;
        phone.sees("低密度脂蛋白").await?;
        let ticket = scene.relay.issues("imaging").await?;
        let old = scene.relay.copied().await?;
        phone.keeps(&scene.relay.issues("discharge").await?).await?;
        phone.sees("出院").await?;
        looks_who_read(&phone).await?;
        phone.sees("账本上的都在这里，一次不少").await?;

        // The operator puts an older copy in its place: entries that this phone has seen are gone.
        scene.relay.is_set_back(old.path()).await?;
        looks_who_read(&phone).await?;
        phone.sees("账本和上次对不上").await?;
        phone.picture("alarm-rewound").await?;
        // Nothing is taken in on such a ledger either.
        scans(&phone, &ticket).await?;
        phone.sees("账本比记得的要旧，先停下，请向监管方反映").await?;
        phone.picture("alarm-rewound-keeping").await?;
        phone.finds_it_accessible().await?;

        // It goes on from there with other entries, past what the phone has seen.
        for _ in 0..4 {
            scene.relay.issues("imaging").await?;
        }
        looks_who_read(&phone).await?;
        phone.sees("账本和上次对不上").await?;
        phone.goes_to("patient", "/").await?;
        phone.sees("账本对不上").await?;
        phone.sees("血脂与肝功能").await?;
        phone.picture("alarm-forked").await?;
        scans(&phone, &ticket).await?;
        phone.sees("账本出现了两个样子，先停下，请向监管方反映").await?;
        phone.finds_it_accessible().await
    })
    .await
}

#[tokio::test]
async fn malicious_relay_that_sets_the_ledger_back_stops_every_desk() -> Result<()> {
    Scene::play("alarms-desks", 1, async |scene| {
        let desk = scene.person("desk", Window::Desk).await?;
        for role in ["doctor", "insurer"] {
            desk.enrols(role).await?;
        }
        let old = scene.relay.copied().await?;
        let hospital = Desk::enrols(&scene.relay, HOSPITAL, Role::Issuer, "方静").await?;
        let wallet = Wallet::arrives(&scene.relay).await?;
        let report = wallet.receives(&hospital, sample("laboratory/report.json", &[])?).await?;
        let bill = wallet.receives(&hospital, sample("invoice/report.json", &[])?).await?;
        let shown = [(&report, report.openings().to_vec())];
        let codes = [
            ("doctor", wallet.shows(&shown, Role::Physician).await?),
            ("insurer", wallet.claims(&bill, Slot::Commercial).await?),
        ];
        for (role, code) in &codes {
            desk.goes_to(role, "/").await?;
            desk.accepts(code).await?;
            desk.sees("打开病历").await?;
        }
        desk.goes_to("auditor", "/ledger").await?;
        desk.taps("再核对一次").await?;
        desk.sees("检查点已核对").await?;

        scene.relay.is_set_back(old.path()).await?;
        for (role, code) in &codes {
            desk.goes_to(role, "/").await?;
            desk.sees("账本倒退了").await?;
            desk.sees("账本比记得的要旧，先停下，请向监管方反映").await?;
            desk.picture(&format!("alarm-rewound-{role}")).await?;
            desk.finds_it_accessible().await?;
            desk.accepts(code).await?;
            desk.sees("代码 ledger-rewound").await?;
            assert!(!desk.has_before_them("可以放心再试").await?, "nobody is told to try again");
        }
        desk.goes_to("auditor", "/ledger").await?;
        desk.sees("账本比记得的要旧").await?;
        desk.taps("再核对一次").await?;
        desk.sees("账本比记得的要旧，先停下，请通知联盟成员").await?;
        desk.picture("audit-rewound").await?;
        desk.finds_it_accessible().await?;
        desk.taps("谁看了什么").await?;
        desk.taps("开始核对").await?;
        desk.sees("账本比记得的要旧，先停下，请向监管方反映").await?;

        // It goes on with other entries, past what the desks have seen.
        for _ in 0..12 {
            scene.relay.issues("imaging").await?;
        }
        for (role, _) in &codes {
            desk.goes_to(role, "/").await?;
            desk.sees("账本有两个样子").await?;
            desk.sees("账本出现了两个样子，先停下，请向监管方反映").await?;
            desk.picture(&format!("alarm-forked-{role}")).await?;
        }
        desk.goes_to("auditor", "/ledger").await?;
        desk.sees("账本出现了两个样子").await?;
        desk.picture("audit-forked").await?;
        desk.finds_it_accessible().await
    })
    .await
}

#[tokio::test]
async fn malicious_relay_that_shows_patient_and_desk_two_ledgers_is_found_when_they_meet() -> Result<()> {
    Scene::play("split-view", 1, async |scene| {
        let between = scene.between().await?;
        let desk = scene.person("desk", Window::Desk).await?;
        for role in ["doctor", "insurer"] {
            desk.enrols(role).await?;
        }
        let hospital = Desk::enrols(&scene.relay, HOSPITAL, Role::Issuer, "方静").await?;
        let wallet = Wallet::arrives(&scene.relay).await?;
        let report = wallet.receives(&hospital, sample("laboratory/report.json", &[])?).await?;
        let bill = wallet.receives(&hospital, sample("invoice/report.json", &[])?).await?;
        let shown = [(&report, report.openings().to_vec())];
        let old = scene.relay.copied().await?;

        // What the patient is shown goes one way, what everybody else is shown another.
        scene.relay.issues("imaging").await?;
        let theirs = scene.relay.get("/v1/ledger/entries?from=0&to=32").await?;
        let needed = Wallet::needed(&bill, Slot::Commercial)?;
        let made = [
            ("doctor", wallet.makes(&shown, choice_for(Role::Physician)).await?),
            ("insurer", wallet.makes(&[(&bill, needed)], choice_for(Role::InsurerCommercial)).await?),
        ];
        scene.relay.is_set_back(old.path()).await?;
        scene.relay.issues("imaging").await?;

        // An auditor who is given the patient's entries for everybody's checkpoint; and entries that are none.
        shows(&between, "/v1/ledger/entries", theirs.body.clone());
        desk.goes_to("auditor", "/").await?;
        desk.taps("开始核对").await?;
        desk.sees("逐条算出的结果和检查点不一致").await?;
        desk.picture("audit-root").await?;
        desk.finds_it_accessible().await?;
        let mut changed = theirs.body;
        if let Some(last) = changed.last_mut() {
            *last ^= 1;
        }
        shows(&between, "/v1/ledger/entries", changed);
        desk.taps("开始核对").await?;
        desk.sees("账本的这一条不成立，没有再往下核对").await?;
        desk.picture("audit-entry").await?;
        desk.finds_it_accessible().await?;
        between.is_honest();
        desk.taps("开始核对").await?;
        desk.sees("每个签名、每次变化和两个根都对得上").await?;

        // The desks compare what the patient's wallet has seen with what they see.
        for (role, made) in &made {
            made.bring(&hospital.client).await?;
            desk.goes_to(role, "/").await?;
            desk.accepts(&wallet.agrees(made)).await?;
            desk.sees("患者和机构看到的账本不一样，没有打开，请向监管方反映").await?;
            desk.sees("账本有两个样子").await?;
            desk.picture(&format!("split-view-{role}")).await?;
            desk.finds_it_accessible().await?;
        }

        // A state that was the newest a moment ago is no alarm, and nothing is done on it.
        let before = scene.relay.get("/v1/ledger/checkpoint").await?.body;
        let code = wallet.shows(&shown, Role::Physician).await?;
        desk.goes_to("doctor", "/").await?;
        desk.accepts(&code).await?;
        desk.sees("患者同意了").await?;
        shows(&between, "/v1/ledger/checkpoint", before);
        desk.taps("打开病历").await?;
        desk.sees("看到的账本不是最新的，什么也没有改。稍后再试").await?;
        desk.picture("ledger-old").await?;
        desk.finds_it_accessible().await?;
        between.is_honest();
        desk.taps("打开病历").await?;
        desk.sees("低密度脂蛋白").await
    })
    .await
}

#[tokio::test]
async fn malicious_relay_that_shows_phone_and_doctor_two_ledgers_is_found_when_the_doctor_asks() -> Result<()>
{
    Scene::play("split-view-asked", 2, async |scene| {
        let doctor = scene.person("doctor", Window::Desk).await?;
        doctor.enrols("doctor").await?;
        let between = scene.between().await?;
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_first(&scene.relay.issues("laboratory").await?).await?;
        phone.sees("低密度脂蛋白").await?;
        phone.protects().await?;
        let old = scene.relay.copied().await?;
        scene.relay.issues("imaging").await?;
        looks_who_read(&phone).await?;
        phone.unlocks().await?;
        phone.sees("账本上的都在这里，一次不少").await?;
        phone.goes_to("patient", "/").await?;
        phone.unlocks().await?;
        let theirs = scene.relay.get("/v1/ledger/checkpoint").await?.body;

        // The phone goes on being shown what everybody else isn't.
        scene.relay.is_set_back(old.path()).await?;
        for _ in 0..4 {
            scene.relay.issues("imaging").await?;
        }
        shows(&between, "/v1/ledger/checkpoint", theirs);
        phone.taps("出示").await?;
        phone.taps("请医生当面问").await?;
        let link = phone.copies_the_link().await?;
        doctor.goes_to("doctor", "/").await?;
        doctor.accepts(&link).await?;
        doctor.taps("请患者同意").await?;
        phone.sees("您和对方看到的账本不一样，什么也没有给出去。先别给任何人看，请向监管方反映").await?;
        phone.picture("split-view-asked").await?;
        phone.finds_it_accessible().await?;
        doctor.sees("患者没有同意").await
    })
    .await
}
