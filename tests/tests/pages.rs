//! Every page of every role, looked over: axe-core in light and dark, Chinese and English, 360 px and a desk's monitor,
//! text at twice its size, and by keyboard alone.

use anyhow::ensure;
use serde_json::json;
use suishen_tests::{Look, Person, Result, Scene, Window};

/// A page: its name in pictures, its path, and what is tapped to come to it.
type Stop<'a> = (&'a str, &'a str, &'a [&'a str]);

const NOTHING_YET: &[Stop<'_>] = &[
    ("welcome", "/", &[]),
    ("first-scan", "/scan", &[]),
    ("restore", "/restore", &[]),
    ("unknown", "/nowhere", &[]),
];

const UNPROTECTED: &[Stop<'_>] = &[
    ("home", "/", &[]),
    ("search", "/", &[".top .tools button"]),
    ("scan", "/scan", &[]),
    ("show-first", "/show", &[]),
    ("nobody", "/who", &[]),
    ("protect", "/protect", &[]),
    ("recovery", "/recovery", &[]),
    ("recovery-check", "/recovery", &["main .button.primary"]),
    ("settings", "/settings", &[]),
    ("devices-first", "/devices", &[]),
    ("delete", "/settings", &["main > .button.danger"]),
    ("record-lab", "/", &["main a.entry[href*='/record/']"]),
    ("tags", "/", &["main a.entry[href*='/record/']", ".top .tools button"]),
    ("proof", "/", &["main a.entry[href*='/record/']", "main button.status"]),
];

const SHARED: &[Stop<'_>] = &[
    ("show", "/show", &[]),
    ("show-chosen", "/show", &["main .choices .chip"]),
    ("identity", "/show", &["main > .button.wide"]),
    ("devices", "/devices", &[]),
    ("devices-add", "/devices", &["main .push .button"]),
    ("devices-add-person", "/devices", &["main .push .button", "dialog fieldset .choice:last-child"]),
    ("share", "/show", &["main .card > button.entry"]),
    ("revoke", "/show", &["main .card .padded .button"]),
];

const READ: &[Stop<'_>] = &[
    ("log", "/who", &[]),
    ("log-by-record", "/who", &[".segments .segment:last-child"]),
    ("log-detail", "/who", &["main .card button.entry"]),
    ("log-revoke", "/who", &["main .card .padded .button"]),
];

async fn visits(person: &Person, stops: &[Stop<'_>], look: Look, found: &mut Vec<String>) -> Result<()> {
    let end = if look == Look::Words { "-en" } else { "" };
    for (name, path, taps) in stops {
        person.turns_to("/elsewhere").await?;
        person.turns_to(path).await?;
        for css in *taps {
            person.taps_at(css).await?;
        }
        person.finds("h1, h2").await?;
        person.looks_over(&format!("{name}{end}"), look, found).await?;
        if !taps.is_empty() && person.has_a_sheet().await? {
            person.presses("Escape").await?;
            if person.has_a_sheet().await? {
                found.push(format!("{name}: Escape does not close the sheet"));
            }
        }
    }
    Ok(())
}

async fn speaks(person: &Person, language: &str) -> Result<()> {
    person.turns_to("/settings").await?;
    person.turns_language(language).await
}

#[tokio::test]
async fn every_page_of_the_phone_and_the_desks_can_be_read_and_used_by_anyone() -> Result<()> {
    Scene::play("pages", 2, async |scene| {
        let mut found = Vec::new();
        let outcome = walk(scene, &mut found).await;
        ensure!(found.is_empty(), "{} remarks:\n{}\n{outcome:?}", found.len(), found.join("\n"));
        outcome
    })
    .await
}

async fn walk(scene: &mut Scene, found: &mut Vec<String>) -> Result<()> {
    let phone = scene.person("phone", Window::SmallPhone).await?;
    keeps_and_protects(scene, &phone, found).await?;
    let consent = phone.shows_this_visit().await?;
    phone.taps("关闭").await?;
    twice(&phone, SHARED, found).await?;
    claims(&phone, found).await?;
    let desk = scene.person("desk", Window::Desk).await?;
    reads(&phone, &desk, &consent, found).await?;
    twice(&phone, READ, found).await?;
    phone.goes_to("patient", "/").await?;
    phone.sees("打开钱包").await?;
    phone.looks_over("unlock", Look::Whole, found).await?;
    issues(&desk, found).await
}

/// In Chinese, then in English.
async fn twice(phone: &Person, stops: &[Stop<'_>], found: &mut Vec<String>) -> Result<()> {
    visits(phone, stops, Look::Whole, found).await?;
    speaks(phone, "English").await?;
    visits(phone, stops, Look::Words, found).await?;
    speaks(phone, "中文").await
}

/// An invoice and what an insurer would see of it, in both languages; the bar below in large text.
async fn claims(phone: &Person, found: &mut Vec<String>) -> Result<()> {
    for (language, end, look) in [("English", "-en", Look::Words), ("中文", "", Look::Whole)] {
        speaks(phone, language).await?;
        phone.turns_to("/").await?;
        phone.has_text_at("200%").await?;
        let rows = "return new Set([...document.querySelectorAll('.bar li')].map((e) => e.offsetTop)).size";
        if phone.runs(rows).await? != json!(1) {
            found.push(format!("{language}: the bar takes several rows in large text"));
        }
        phone.has_text_at("").await?;
        phone.taps("住院收费票据").await?;
        phone.finds("#claims > .button").await?;
        phone.looks_over(&format!("record-invoice{end}"), look, found).await?;
        phone.taps_at("#claims > .button").await?;
        phone.finds("dialog .terms.sums").await?;
        phone.looks_over(&format!("claim-sheet{end}"), look, found).await?;
        phone.presses("Escape").await?;
    }
    Ok(())
}

/// The phone from its first page to a wallet with a lock.
async fn keeps_and_protects(scene: &Scene, phone: &Person, found: &mut Vec<String>) -> Result<()> {
    phone.goes_to("patient", "/").await?;
    phone.sees("病历随身，自己做主").await?;
    visits(phone, NOTHING_YET, Look::Whole, found).await?;
    phone.turns_to("/").await?;
    phone.turns_language("English").await?;
    visits(phone, NOTHING_YET, Look::Words, found).await?;
    phone.turns_to("/").await?;
    phone.turns_language("中文").await?;
    phone.opens("patient", &scene.relay.issues("imaging").await?).await?;
    phone.looks_over("ticket", Look::Whole, found).await?;
    phone.taps("收下").await?;
    phone.sees("医院签发，内容没有改动过").await?;
    phone.looks_over("record-imaging", Look::Whole, found).await?;
    let samples =
        ["discharge/report.json", "invoice/report.json", "history/2026-05.json", "laboratory/report.json"];
    for sample in samples {
        phone.keeps_at("patient", &scene.relay.issues(sample).await?).await?;
    }
    phone.sees("低密度脂蛋白的变化").await?;
    twice(phone, UNPROTECTED, found).await?;
    phone.turns_to("/protect").await?;
    phone.protects_here().await
}

/// The doctor's desk, and the phone that is asked.
async fn reads(phone: &Person, desk: &Person, consent: &str, found: &mut Vec<String>) -> Result<()> {
    desk.goes_to("doctor", "/").await?;
    desk.sees("登记这个工作台").await?;
    both(desk, "enrol", found).await?;
    desk.enrols("doctor").await?;
    both(desk, "reception", found).await?;
    desk.accepts(consent).await?;
    desk.sees("等患者点“同意”").await?;
    both(desk, "waiting", found).await?;
    phone.turns_to("/show").await?;
    phone.sees("让这位医生看吗？").await?;
    phone.looks_over("consent", Look::Whole, found).await?;
    phone.taps("同意").await?;
    desk.sees("患者同意了").await?;
    both(desk, "ready", found).await?;
    desk.taps("打开病历").await?;
    desk.sees("这次阅读已记入账本").await?;
    both(desk, "reading", found).await?;
    desk.turns_to("/history").await?;
    both(desk, "history", found).await?;
    phone.turns_to("/who").await?;
    phone.sees("看了 1 份").await
}

/// The hospital's desk, the auditor's and the start page.
async fn issues(desk: &Person, found: &mut Vec<String>) -> Result<()> {
    desk.enrols("hospital").await?;
    both(desk, "choose", found).await?;
    desk.taps("血脂与肝功能").await?;
    desk.sees("核对后签发").await?;
    both(desk, "check", found).await?;
    desk.taps("签发").await?;
    desk.sees("请患者用手机扫码").await?;
    both(desk, "issued", found).await?;
    desk.turns_to("/history").await?;
    both(desk, "issued-list", found).await?;
    desk.taps("更正").await?;
    desk.sees("更正“血脂与肝功能”").await?;
    both(desk, "correct", found).await?;
    desk.goes_to("auditor", "/").await?;
    desk.sees("账本").await?;
    both(desk, "auditor", found).await?;
    for section in ["statistics", "keys", "ledger"] {
        desk.turns_to(&format!("/{section}")).await?;
        both(desk, &format!("auditor-{section}"), found).await?;
    }
    desk.goes_to("", "/").await?;
    desk.sees("一份病历的来龙去脉").await?;
    both(desk, "start", found).await
}

/// A desk's page: on its monitor in both languages, and at 360 px.
async fn both(desk: &Person, name: &str, found: &mut Vec<String>) -> Result<()> {
    desk.looks_over(&format!("desk-{name}"), Look::Whole, found).await?;
    desk.turns_language("English").await?;
    desk.looks_over(&format!("desk-{name}-en"), Look::Words, found).await?;
    desk.turns_language("中文").await?;
    desk.has_a_window_of(360, 640).await?;
    desk.looks_over(&format!("desk-{name}-360"), Look::Words, found).await?;
    desk.has_a_window_of(1440, 900).await?;
    assert_eq!(desk.runs("return innerWidth").await?, json!(1440));
    Ok(())
}
