//! Without a network, in a second tab, with a wrong clock, across a release, and inside another app's browser.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};
use suishen_tests::{Person, Result, Scene, Window};

/// Waits until the service worker serves this page.
async fn is_kept_for_offline(phone: &Person) -> Result<()> {
    let script = "const done = arguments[0];
        navigator.serviceWorker.ready.then(() => {
            const look = () => navigator.serviceWorker.controller ? done('served') : setTimeout(look, 50);
            look();
        });";
    let state = phone.browser().execute_async(script, Vec::new()).await?.json().clone();
    assert_eq!(state, json!("served"));
    Ok(())
}

#[tokio::test]
async fn without_a_network_the_wallet_opens_and_says_what_it_cannot_know() -> Result<()> {
    Scene::play("offline", 1, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_at("patient", &scene.relay.issues("laboratory/report.json").await?).await?;
        phone.protects().await?;
        is_kept_for_offline(&phone).await?;
        phone.taps("谁看过").await?;
        phone.sees("还没有人看过").await?;

        scene.relay.kill()?;
        phone.goes_to("patient", "/").await?;
        phone.unlocks().await?;
        phone.taps("血脂与肝功能").await?;
        phone.sees("低密度脂蛋白").await?;
        phone.sees("医院签发，内容没有改动过").await?;
        phone.taps("返回").await?;
        phone.taps("谁看过").await?;
        phone.sees("名单截至").await?;
        phone.sees("之后的，连上网才知道").await?;
        phone.picture("log-offline").await?;
        phone.taps("出示").await?;
        phone.taps("这次就诊").await?;
        phone.taps("出示二维码").await?;
        phone.sees("没有网络，连不上医院的服务").await?;
        phone.picture("share-offline").await?;

        scene.relay.resume().await?;
        phone.taps("出示二维码").await?;
        phone.sees("请医生扫这个码").await?;
        phone.taps("关闭").await?;
        phone.taps("谁看过").await?;
        phone.sees("账本上的都在这里，一次不少").await
    })
    .await
}

#[tokio::test]
async fn a_wallet_is_open_in_one_tab_at_a_time() -> Result<()> {
    Scene::play("tabs", 1, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_at("patient", &scene.relay.issues("laboratory/report.json").await?).await?;
        let first = phone.browser().window().await?;
        let second = phone.browser().new_tab().await?;
        phone.browser().switch_to_window(second).await?;
        phone.goes_to("patient", "/").await?;
        phone.sees("已在另一个标签页打开").await?;
        phone.picture("elsewhere").await?;
        phone.taps("在这里用").await?;
        phone.sees("血脂与肝功能").await?;
        phone.browser().switch_to_window(first.clone()).await?;
        phone.sees("已在另一个标签页打开").await?;
        phone.taps("在这里用").await?;
        phone.sees("医院签发，内容没有改动过").await
    })
    .await
}

#[tokio::test]
async fn a_phone_whose_clock_is_a_day_off_goes_by_the_ledgers_time() -> Result<()> {
    Scene::play("clock", 2, async |scene| {
        // Only what scripts see of the clock can be shifted, in page and worker: both take it from `Date`.
        let web = scene.relay.web_copy()?;
        for script in ["boot.js", "engine.js"] {
            let old = std::fs::read_to_string(web.join(script))?;
            let shift = "{ const Told = Date, off = 86_400_000;
                globalThis.Date = class extends Told {
                    constructor(...at) { if (at.length) super(...at); else super(Told.now() + off); }
                    static now() { return Told.now() + off; }
                }; }\n";
            std::fs::write(web.join(script), imports_first(&old, shift))?;
        }
        scene.relay.serves(&web).await?;
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_at("patient", &scene.relay.issues("laboratory/report.json").await?).await?;
        let off = phone
            .runs("return (Date.now() - performance.timeOrigin - performance.now()) / 3_600_000")
            .await?;
        assert!(off.as_f64().is_some_and(|hours| (23.0..25.0).contains(&hours)), "{off}");
        phone.protects().await?;
        let consent = phone.shows_this_visit().await?;
        let doctor = scene.person("doctor", Window::Desk).await?;
        doctor.enrols("doctor").await?;
        doctor.accepts(&consent).await?;
        phone.sees("让这位医生看吗？").await?;
        phone.taps("同意").await?;
        doctor.taps("打开病历").await?;
        doctor.sees("这次阅读已记入账本").await?;
        phone.taps("关闭").await?;
        phone.taps("谁看过").await?;
        phone.sees("账本上的都在这里，一次不少").await?;
        phone.sees("看了 1 份").await?;
        phone.sees("今天").await
    })
    .await
}

/// A module's imports stay first.
fn imports_first(module: &str, code: &str) -> String {
    match module.rfind("\nimport ").and_then(|at| module[at + 1..].find('\n').map(|end| at + 1 + end + 1)) {
        Some(after) => format!("{}{code}{}", &module[..after], &module[after..]),
        None => format!("{code}{module}"),
    }
}

#[tokio::test]
async fn a_new_release_is_offered_and_taken_by_a_tap_only() -> Result<()> {
    Scene::play("release", 1, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_at("patient", &scene.relay.issues("laboratory/report.json").await?).await?;
        is_kept_for_offline(&phone).await?;
        phone.goes_to("patient", "/settings").await?;
        phone.sees("版本").await?;
        assert!(!phone.has_before_them("有新版本").await?);

        let web = scene.relay.web_copy()?;
        releases_anew(&web, "随身", "随身二")?;
        scene.relay.serves(&web).await?;
        phone.goes_to("patient", "/settings").await?;
        phone.sees("有新版本。点了才会换。").await?;
        assert_eq!(phone.runs("return document.title").await?, json!("随身"), "changed by itself");
        phone.picture("release").await?;
        phone.taps("换新版本").await?;
        phone.sees_no_more("有新版本").await?;
        phone.sees("版本").await?;
        assert_eq!(phone.runs("return document.title").await?, json!("随身二"));
        phone.goes_to("patient", "/").await?;
        phone.sees("血脂与肝功能").await
    })
    .await
}

/// Another release: the page's title is another, and the list says so.
fn releases_anew(web: &Path, old: &str, new: &str) -> Result<()> {
    let page = web.join("index.html");
    let text = std::fs::read_to_string(&page)?
        .replace(&format!("<title>{old}</title>"), &format!("<title>{new}</title>"));
    std::fs::write(&page, &text)?;
    let list: PathBuf = web.join("release.json");
    let mut release: Value = serde_json::from_str(&std::fs::read_to_string(&list)?)?;
    release["release"] = json!("another");
    release["files"]["/index.html"] = json!(suishen_tests::sha256(text.as_bytes()));
    Ok(std::fs::write(list, release.to_string())?)
}

#[tokio::test]
async fn a_ticket_opened_inside_wechat_binds_nothing_and_is_good_in_a_browser_afterwards() -> Result<()> {
    Scene::play("embedded", 1, async |scene| {
        let phone = scene.person("phone", Window::SmallPhone).await?;
        let ticket = scene.relay.issues("laboratory/report.json").await?;
        phone.goes_to("", "/").await?;
        let agent = phone.runs("return navigator.userAgent").await?;
        let agent = agent.as_str().unwrap_or_default().to_owned();
        let wechat = format!("{agent} MicroMessenger/8.0.50 NetType/WIFI Language/zh_CN");
        phone.devtools("Network.setUserAgentOverride", json!({ "userAgent": wechat })).await?;
        let (_, fragment) = ticket.split_once('#').context("a ticket has a fragment")?;
        phone.goes_to("patient", &format!("/t#{fragment}")).await?;
        phone.sees("微信里领不了").await?;
        phone.finds_it_accessible().await?;
        phone.picture("wechat").await?;
        assert!(!phone.has_before_them("收下").await?);
        let link = phone.copies_the_link().await?;
        assert!(link.ends_with(fragment), "{link}");
        phone.devtools("Network.setUserAgentOverride", json!({ "userAgent": agent })).await?;
        phone.keeps_at("patient", &ticket).await
    })
    .await
}
