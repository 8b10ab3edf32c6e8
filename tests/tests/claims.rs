//! An invoice's way: from the hospital to the phone, shown to an insurer and to nobody else, settled once, taken back,
//! refused; each step told to the patient in a sentence.

use std::time::{Duration, Instant};

use anyhow::bail;
use suishen_tests::{HANG, Person, Relay, Result, Scene, Window};

#[tokio::test]
async fn an_invoice_is_settled_once_taken_back_and_told_to_the_patient() -> Result<()> {
    Scene::play("claims", 2, async |scene| {
        let ticket = scene.relay.issues("invoice/report.json").await?;
        let phone = scene.phone_with(&ticket).await?;
        phone.protects_the_invoice().await?;
        phone.taps("找保险公司理赔").await?;
        phone.sees("9 行费用明细").await?;
        phone.sees("不给看的 6 项").await?;
        phone.sees("¥9,927.86").await?;
        phone.sees("医保还没有结算它那一部分").await?;
        phone.picture("claim-sheet").await?;
        phone.finds_it_accessible().await?;
        let link = phone.shows_the_claim().await?;

        let insurer = scene.person("insurer", Window::Desk).await?;
        insurer.enrols("insurer").await?;
        insurer.opens_claim(&phone, &link, "钱颖").await?;
        insurer.sees("左膝骨关节炎").await?;
        insurer.sees("没有出示 6 处").await?;
        insurer.sees("票据 9 行，合计 ¥31,290.30，和总额一致").await?;
        insurer.sees("票据上医保支付 ¥19,862.44，一般由医保先结算").await?;
        for hidden in ["高血压", "A2004817", "33060019580300482"] {
            assert!(!insurer.has_before_them(hidden).await?, "{hidden}");
        }
        insurer.picture("claim-open").await?;
        insurer.finds_it_accessible().await?;
        phone.sees("看过，还没有决定").await?;

        insurer.types("赔付金额（元）", "99999").await?;
        insurer.taps("结算").await?;
        insurer.sees("金额不对").await?;
        insurer.types("赔付金额（元）", "7927.86").await?;
        insurer.taps("结算").await?;
        insurer.sees("请用不超过 80 个字说明原因").await?;
        insurer.types("没有全赔或拒绝的原因", "超出约定的自费项目").await?;
        insurer.taps("结算").await?;
        insurer.sees("已经结算 ¥7,927.86").await?;
        assert!(!insurer.has_before_them("一般由医保先结算").await?, "nothing is left to decide");
        insurer.picture("claim-settled").await?;
        phone.sees("赔付 ¥7,927.86。没有全赔：超出约定的自费项目").await?;
        phone.picture("claim-line").await?;
        phone.finds_it_accessible().await?;

        // Settled is settled: the phone makes no second claim for this part.
        phone.taps("找保险公司理赔").await?;
        phone.taps("出示理赔码").await?;
        phone.sees("这一部分已经结算过了").await?;
        phone.taps("关闭").await?;

        insurer.taps("撤回结算").await?;
        insurer.taps("不撤回了").await?;
        assert!(!insurer.has_before_them("为什么撤回").await?, "it is left as it was");
        insurer.taps("撤回结算").await?;
        insurer.picture("claim-take-back").await?;
        insurer.taps("别处已经赔过").await?;
        insurer.types("给患者和监管方的说明（必填）", "您在另一家已经报过").await?;
        insurer.taps_at("#claim .button.primary").await?;
        insurer.sees("已经撤回，原来结算 ¥7,927.86").await?;
        phone.sees("保险公司撤回了结算：您在另一家已经报过").await?;

        // Another insurer, in the same browser on an origin of its own.
        let rival = &insurer;
        rival.enrols("insurer2").await?;
        phone.taps("找保险公司理赔").await?;
        phone.sees("之前那家保险公司就不能再看这张票据").await?;
        // A line that is left out is missed in the sum.
        phone.taps("9 行费用明细").await?;
        phone.taps("床位费").await?;
        let link = phone.shows_the_claim().await?;
        rival.opens_claim(&phone, &link, "孙浩").await?;
        rival.sees("票据只看得到 8 行，合计 ¥30,810.30，总额是 ¥31,290.30").await?;
        rival.picture("claim-line-withheld").await?;
        rival.types("拒绝的原因", "不在保障期内").await?;
        rival.taps("拒绝").await?;
        rival.sees("已经拒绝").await?;
        phone.sees("没有赔：不在保障期内。可以再找别的保险公司").await?;
        // What was refused is no tap away from being paid.
        assert!(!rival.has_before_them("赔付金额（元）").await?, "to decide again is asked for first");
        rival.taps("重新决定").await?;
        rival.taps("结算").await?;
        rival.sees("已经结算 ¥9,927.86").await?;
        phone.sees("赔付 ¥9,927.86，全部赔了").await?;

        // The first insurer's claim was taken from it before the second was asked.
        insurer.goes_to("insurer", "/").await?;
        insurer.taps("林秀兰").await?;
        insurer.sees("患者收回了").await?;
        insurer.goes_to("insurer", "/history").await?;
        insurer.sees("我看过的").await?;
        insurer.finds("tbody td").await?;
        let why = insurer.runs("return document.querySelector('tbody td:nth-child(3)').innerText").await?;
        assert_eq!(why.as_str(), Some("理赔"), "what it was read for stays");
        let offered = phone.screen().await?.matches("查看，或不给看了").count();
        assert_eq!(offered, 1, "what is taken back isn’t offered to be");

        // What was decided can be taken back without opening the patient's invoice again.
        rival.goes_to("insurer2", "/settled").await?;
        rival.sees("已经结算 ¥9,927.86").await?;
        rival.sees("0038217745").await?;
        rival.picture("claims-settled").await?;
        rival.finds_it_accessible().await?;
        rival.taps("撤回结算").await?;
        rival.taps("款项退回").await?;
        rival.types("给患者和监管方的说明（必填）", "款项退回").await?;
        rival.taps_at("dialog .button.primary").await?;
        rival.sees("已经撤回，原来结算 ¥9,927.86").await?;
        phone.sees("保险公司撤回了结算：款项退回").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_invoice_that_its_hospital_reverses_is_flagged_and_claimed_no_more() -> Result<()> {
    Scene::play("void", 2, async |scene| {
        let desk = scene.person("desk", Window::Desk).await?;
        desk.enrols("hospital").await?;
        let ticket = desk.issues("住院收费票据").await?;
        let phone = scene.phone_with(&ticket).await?;

        // What is missing is said before anything is sent; once it is there, it goes along.
        phone.taps("找保险公司理赔").await?;
        phone.sees("没有找到这次住院的出院小结").await?;
        phone.sees("没有找到这次治疗的费用清单").await?;
        phone.taps("关闭").await?;
        for sample in ["出院小结", "费用清单"] {
            desk.goes_to("hospital", "/").await?;
            phone.keeps_at("patient", &desk.issues(sample).await?).await?;
        }
        phone.sees("左全膝关节置换术").await?;
        phone.picture("record-fees").await?;
        phone.finds_it_accessible().await?;
        phone.protects_the_invoice().await?;
        phone.taps("找保险公司理赔").await?;
        phone.sees("一起给看的资料").await?;
        assert!(!phone.has_before_them("没有找到").await?, "all four are there");
        phone.taps("住院费用清单").await?;
        phone.taps("出院小结").await?;
        phone.picture("claim-pack").await?;
        phone.finds_it_accessible().await?;
        let link = phone.shows_the_claim().await?;

        desk.enrols("insurer").await?;
        desk.opens_claim(&phone, &link, "钱颖").await?;
        desk.sees("费用清单 22 项，合计 ¥31,290.30，和票据总额一致").await?;
        desk.taps("住院费用清单").await?;
        desk.sees("卫生材料费 · 1 套").await?;
        desk.picture("claim-fees").await?;
        desk.finds_it_accessible().await?;
        desk.taps("出院小结").await?;
        desk.sees("诊疗经过").await?;
        desk.picture("claim-pack-open").await?;
        assert!(!desk.has_before_them("病案号").await?, "numbers are held back");
        desk.taps("结算").await?;
        desk.sees("已经结算 ¥9,927.86").await?;
        phone.sees("赔付 ¥9,927.86，全部赔了").await?;

        // The hospital withdraws the invoice: for every insurer, after a warning that one has paid.
        desk.goes_to("hospital", "/history").await?;
        desk.sees("已有保险公司结算").await?;
        desk.taps("冲红或换开").await?;
        desk.sees("已经有保险公司按它赔付").await?;
        desk.picture("void-sheet").await?;
        desk.finds_it_accessible().await?;
        desk.taps("冲红：票据作废").await?;
        desk.taps("冲红，以后都不能结算").await?;
        desk.sees("请用不超过 80 个字说明原因").await?;
        desk.types("给监管方的说明（必填）", "重复开票").await?;
        desk.taps("冲红，以后都不能结算").await?;
        desk.sees("已冲红").await?;
        desk.picture("void-issued").await?;

        phone.sees("医院作废了这张票据（冲红），不能再理赔").await?;
        phone.sees("保险公司已经赔过，可能会请您退回").await?;
        assert!(!phone.has_before_them("找保险公司理赔").await?, "nothing is claimed on it");
        phone.picture("claim-void").await?;
        phone.finds_it_accessible().await?;
        // It says so before it says that it is genuine, and in the list.
        let first = phone.runs("return document.querySelector('main .status').className").await?;
        assert_eq!(first.as_str(), Some("status caution"));
        phone.taps("返回").await?;
        phone.sees("已冲红").await?;
        phone.picture("home-void").await?;
        phone.finds_it_accessible().await?;
        phone.taps("住院收费票据").await?;
        phone.sees("医院作废了这张票据（冲红），不能再理赔").await?;

        desk.goes_to("insurer", "/settled").await?;
        desk.sees("医院后来冲红或换开了这张票据").await?;
        Ok(())
    })
    .await
}

/// Opens a tab of its own for another desk of the same browser.
async fn another_desk(desk: &Person, role: &str) -> Result<thirtyfour::WindowHandle> {
    let tab = desk.browser().new_tab().await?;
    desk.browser().switch_to_window(tab.clone()).await?;
    desk.enrols(role).await?;
    Ok(tab)
}

/// Waits for one of several texts: its place.
async fn sees_one_of(person: &Person, texts: &[&str]) -> Result<usize> {
    let start = Instant::now();
    while start.elapsed() < HANG {
        for (place, text) in texts.iter().enumerate() {
            if person.has_before_them(text).await? {
                return Ok(place);
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("{} sees none of {texts:?}, but:\n{}", person.name(), person.screen().await?)
}

#[tokio::test]
async fn two_insurers_who_settle_at_once_are_told_which_of_them_did() -> Result<()> {
    Scene::play("rivals", 2, async |scene| {
        // The hospital issued one invoice twice, and two wallets have it that know nothing of each other.
        let phone = scene.person("phone", Window::Phone).await?;
        let desk = scene.person("desk", Window::Desk).await?;
        let mut tabs = vec![desk.browser().window().await?];
        desk.enrols("insurer").await?;
        for (wallet, name) in [("patient", "钱颖"), ("patient2", "孙浩")] {
            phone.keeps_at(wallet, &scene.relay.issues("invoice/report.json").await?).await?;
            phone.goes_to(wallet, "/protect").await?;
            phone.protects_here().await?;
            phone.taps("住院收费票据").await?;
            let link = phone.claims().await?;
            if tabs.len() == 1 && wallet == "patient2" {
                tabs.push(another_desk(&desk, "insurer2").await?);
            }
            desk.opens_claim(&phone, &link, name).await?;
            desk.sees("没有一起给看的费用清单").await?;
        }

        // Both press at the same moment.
        let now = desk.runs("return Date.now()").await?.as_u64().unwrap_or_default();
        let press = format!(
            "setTimeout(() => document.querySelector('#claim .button.primary').click(), {} - Date.now())",
            now + 3000
        );
        for tab in &tabs {
            desk.browser().switch_to_window(tab.clone()).await?;
            desk.runs(&press).await?;
        }
        let told = ["已经结算 ¥9,927.86", "这一部分已经结算过了", "别的保险公司先结算了这一部分"];
        let mut said = Vec::new();
        for tab in &tabs {
            desk.browser().switch_to_window(tab.clone()).await?;
            said.push(sees_one_of(&desk, &told).await?);
            desk.picture(&format!("claim-rival-{}", said.len())).await?;
            desk.finds_it_accessible().await?;
        }
        assert_eq!(said.iter().filter(|place| **place == 0).count(), 1, "one settles: {said:?}");

        // Each wallet is told what its insurer did, and the other that somebody else did.
        let settled_by_second = said[1] == 0;
        for (wallet, own) in [("patient2", settled_by_second), ("patient", !settled_by_second)] {
            phone.goes_to(wallet, "/").await?;
            phone.unlocks().await?;
            phone.taps("住院收费票据").await?;
            if own {
                phone.sees("赔付 ¥9,927.86，全部赔了").await?;
            } else {
                phone.sees("被结算了，但不是这个钱包同意的").await?;
                phone.picture("claim-foreign").await?;
                phone.finds_it_accessible().await?;
                phone.taps("找保险公司理赔").await?;
                phone.taps("出示理赔码").await?;
                phone.sees("这一部分已经结算过了").await?;
            }
        }
        Ok(())
    })
    .await
}

/// The hospital's desk says that its invoice was issued on paper.
async fn issues_on_paper(desk: &Person) -> Result<()> {
    desk.goes_to("hospital", "/history").await?;
    desk.taps("冲红或换开").await?;
    desk.taps("换开：另开了纸质票据").await?;
    desk.types("给监管方的说明（必填）", "患者要纸质票据").await?;
    desk.taps("换开纸质，以后都不能在这里结算").await?;
    desk.sees_no_more("为什么").await?;
    desk.sees("已换开纸质").await
}

#[tokio::test]
async fn an_invoice_that_was_issued_on_paper_is_settled_no_more_and_flagged_where_it_was() -> Result<()> {
    Scene::play("on-paper", 2, async |scene| {
        let desk = scene.person("desk", Window::Desk).await?;
        let hospital = desk.browser().window().await?;
        desk.enrols("hospital").await?;
        let ticket = desk.issues("住院收费票据").await?;
        let phone = scene.phone_with(&ticket).await?;
        phone.protects_the_invoice().await?;

        // The fund has paid its part; the commercial insurer has the invoice open.
        phone.taps("找保险公司理赔").await?;
        phone.taps("基本医保").await?;
        phone.sees("¥19,862.44").await?;
        let link = phone.shows_the_claim().await?;
        let fund = another_desk(&desk, "fund").await?;
        desk.opens_claim(&phone, &link, "吴敏").await?;
        desk.taps("结算").await?;
        desk.sees("已经结算 ¥19,862.44").await?;
        phone.sees("赔付 ¥19,862.44，全部赔了").await?;
        let link = phone.claims().await?;
        let insurer = another_desk(&desk, "insurer").await?;
        desk.opens_claim(&phone, &link, "钱颖").await?;

        desk.browser().switch_to_window(hospital).await?;
        issues_on_paper(&desk).await?;
        // Said aloud, and the focus isn't lost with the sheet.
        desk.finds("h1:focus").await?;
        let said = desk.runs("return document.querySelector('[aria-live=polite]').textContent").await?;
        assert!(
            said.as_str().is_some_and(|said| said.contains("已换开纸质，以后都不能在这里结算")),
            "{said}"
        );

        phone.sees("换开成了纸质，不能再在这里理赔").await?;
        phone.sees("保险公司已经赔过，可能会请您退回").await?;
        assert!(!phone.has_before_them("找保险公司理赔").await?, "nothing is claimed on it");
        let said = phone.runs("return document.querySelector('[aria-live=assertive]').textContent").await?;
        assert!(said.as_str().is_some_and(|said| said.contains("换开成了纸质")), "{said}");
        phone.picture("claim-on-paper").await?;
        phone.finds_it_accessible().await?;

        // Who has it open settles nothing on it, and can still say no.
        desk.browser().switch_to_window(insurer).await?;
        desk.taps("结算").await?;
        desk.sees("医院已经冲红或换开这张票据，不能结算").await?;
        desk.types("拒绝的原因", "请拿纸质票据来").await?;
        desk.taps("拒绝").await?;
        desk.sees("已经拒绝").await?;
        desk.finds("#claim h2:focus").await?;
        desk.picture("claim-refused-on-paper").await?;
        phone.sees("没有赔：请拿纸质票据来").await?;
        assert!(!phone.has_before_them("可以再找别的保险公司").await?, "nobody else settles it either");

        // Who has paid sees it flagged, without opening the invoice again.
        desk.browser().switch_to_window(fund).await?;
        desk.taps("我决定的").await?;
        desk.sees("医院后来冲红或换开了这张票据").await?;
        desk.taps("撤回结算").await?;
        desk.taps("款项退回").await?;
        desk.types("给患者和监管方的说明（必填）", "款已退回").await?;
        desk.taps_at("dialog .button.primary").await?;
        desk.sees("已经撤回，原来结算").await?;
        phone.sees("保险公司撤回了结算：款已退回").await?;
        Ok(())
    })
    .await
}

/// A sample with something else in it, issued: the ticket's link.
async fn issues_changed(relay: &Relay, sample: &str, from: &str, to: &str) -> Result<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(sample);
    let text = std::fs::read_to_string(path)?;
    assert!(text.contains(from), "{sample} has {from}");
    let file = relay.data().join("changed.json");
    std::fs::write(&file, text.replacen(from, to, 1))?;
    relay.issues_from(&file).await
}

#[tokio::test]
async fn sums_that_do_not_add_up_are_said_before_anything_is_sent_and_at_the_insurers_desk() -> Result<()> {
    Scene::play("sums", 2, async |scene| {
        let relay = &scene.relay;
        let ticket = issues_changed(relay, "invoice/report.json", "7927.86", "7900.00").await?;
        let fees = issues_changed(relay, "fees/report.json", "480.00", "479.99").await?;
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_at("patient", &ticket).await?;
        phone.keeps_at("patient", &fees).await?;
        phone.protects_the_invoice().await?;
        phone.taps("找保险公司理赔").await?;
        phone.sees("费用清单的合计和票据的总额不一样").await?;
        phone.sees("票据上没有写清").await?;
        phone.taps("住院费用清单").await?;
        let link = phone.shows_the_claim().await?;
        let desk = scene.person("desk", Window::Desk).await?;
        desk.enrols("insurer").await?;
        desk.opens_claim(&phone, &link, "钱颖").await?;
        desk.sees("费用清单 22 项，合计 ¥31,290.29，和票据总额 ¥31,290.30 不一致").await?;
        desk.sees("票据上没有写清").await?;
        assert!(!desk.has_before_them("赔付金额（元）").await?, "nobody can tell what is left to pay");
        desk.picture("claim-sums").await?;
        desk.finds_it_accessible().await?;
        desk.taps("拒绝").await?;
        desk.sees("请用不超过 80 个字说明原因").await?;
        desk.types("拒绝的原因", "各方支付加起来不对").await?;
        desk.taps("拒绝").await?;
        desk.sees("已经拒绝").await?;
        phone.sees("没有赔：各方支付加起来不对").await
    })
    .await
}

#[tokio::test]
async fn an_insurer_is_told_why_it_cannot_settle_what_it_has_open() -> Result<()> {
    Scene::play("refusals", 2, async |scene| {
        let desk = scene.person("desk", Window::Desk).await?;
        let hospital = desk.browser().window().await?;
        desk.enrols("hospital").await?;
        let ticket = desk.issues("住院收费票据").await?;
        let phone = scene.phone_with(&ticket).await?;
        phone.protects_the_invoice().await?;
        let link = phone.claims().await?;
        let insurer = another_desk(&desk, "insurer").await?;
        desk.opens_claim(&phone, &link, "钱颖").await?;

        // The hospital corrects the invoice while it is open.
        desk.browser().switch_to_window(hospital).await?;
        desk.goes_to("hospital", "/history").await?;
        desk.taps("更正").await?;
        desk.taps("补充内容").await?;
        desk.issues("住院收费票据").await?;
        desk.browser().switch_to_window(insurer.clone()).await?;
        desk.taps("结算").await?;
        desk.sees("医院已经开了新的票据，请患者出示新的那张").await?;
        desk.types("拒绝的原因", "请给新的票据").await?;
        desk.taps("拒绝").await?;
        desk.sees("已经拒绝").await?;
        phone.sees("没有赔：请给新的票据").await?;

        // Whom the patient took it from may no longer settle, though it is still on the screen.
        phone.taps("查看，或不给看了").await?;
        phone.taps("不给看了").await?;
        phone.taps_at("dialog .button.primary").await?;
        desk.sees("患者收回了").await?;
        desk.taps("重新决定").await?;
        desk.taps("结算").await?;
        desk.sees("患者收回了，或者时间到了，不能再结算").await?;
        desk.picture("claim-withdrawn").await
    })
    .await
}
