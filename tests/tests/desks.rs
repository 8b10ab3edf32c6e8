//! What an insurer's desk is told of a claim that it can't open or settle, whoever is to blame: each in a sentence that
//! says what is wrong, with nothing opened that doesn't hold and nothing lost.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use reqwest::Method;
use suishen_core::contract::{Role, Slot};
use suishen_core::report::claim::supporting;
use suishen_core::report::{GroupKind, GroupOpening, describe};
use suishen_tests::{Answer, Between, Desk, HOSPITAL, Person, Result, Scene, Turn, Wallet, Window, sample};

/// The demo's insurer of the first insurer's desk.
const INSURER: &str = "91520100ANLAN00051";
const NUMBER: &str = "0038217745";

/// The sample invoice under another number.
fn invoice(number: &str) -> Result<Vec<u8>> {
    sample("invoice/report.json", &[(NUMBER, number)])
}

/// The desk takes a code whose patient says yes, and opens it.
async fn opens(desk: &Person, link: &str) -> Result<()> {
    desk.accepts(link).await?;
    desk.taps("打开病历").await
}

#[tokio::test]
async fn a_claim_that_does_not_hold_is_not_opened_at_an_insurers_desk_and_says_why() -> Result<()> {
    Scene::play("desk-claims", 1, async |scene| {
        let hospital = Desk::enrols(&scene.relay, HOSPITAL, Role::Issuer, "方静").await?;
        let wallet = Wallet::arrives(&scene.relay).await?;
        let bill = wallet.receives(&hospital, invoice(NUMBER)?).await?;
        let other = wallet.receives(&hospital, invoice("0038217746")?).await?;
        let summary = wallet.receives(&hospital, sample("discharge/report.json", &[])?).await?;
        let commercial = Role::InsurerCommercial;
        let needed = Wallet::needed(&bill, Slot::Commercial)?;
        // The groups with something cut out of the first that has it.
        let cut = |end: &str| -> Result<Vec<GroupOpening>> {
            let mut half = needed.clone();
            let mut all = half.iter_mut().map(|group| &mut group.elements);
            let within =
                |elements: &&mut Vec<(String, String)>| elements.iter().any(|(path, _)| path.ends_with(end));
            let elements = all.find(within).context("nothing of this name is shown")?;
            elements.retain(|(path, _)| !path.ends_with(end));
            Ok(half)
        };
        let desk = scene.person("desk", Window::Desk).await?;
        desk.enrols("insurer").await?;

        // Half-truths: an invoice without its status, a line without its quantity, nothing said of how much is hidden, a
        // group of another invoice among it.
        let headless: Vec<_> = needed.iter().zip(describe(&needed)).collect();
        let headless = headless.into_iter().filter(|(_, (kind, _))| *kind != GroupKind::Head);
        let headless = headless.map(|(group, _)| group.clone()).collect();
        let mixed = [needed.clone(), Wallet::needed(&other, Slot::Commercial)?[1..2].to_vec()].concat();
        for half in [cut("/resource/status")?, cut("/resource/quantity")?, headless, mixed] {
            assert_ne!(half, needed, "that is no half");
            opens(&desk, &wallet.shows(&[(&bill, half)], commercial).await?).await?;
            desk.sees("给看的内容缺了不能缺的部分，没有打开").await?;
            assert!(!desk.has_before_them("左膝骨关节炎").await?, "nothing is opened");
        }
        desk.picture("claim-half").await?;
        desk.finds_it_accessible().await?;

        let both = [(&bill, needed.clone()), (&other, Wallet::needed(&other, Slot::Commercial)?)];
        opens(&desk, &wallet.shows(&both, commercial).await?).await?;
        desk.sees("一次同意里有几张票据，只能有一张").await?;
        let explained = supporting(summary.openings());
        opens(&desk, &wallet.shows(&[(&summary, explained)], commercial).await?).await?;
        desk.sees("这里没有可以理赔的票据").await?;
        desk.picture("claim-no-invoice").await?;

        // Not for this desk at all, which accepts nothing then.
        let doctors = wallet.shows(&[(&summary, summary.openings().to_vec())], Role::Physician).await?;
        let funds = wallet.claims(&bill, Slot::Statutory).await?;
        for code in [&doctors, &funds] {
            desk.accepts(code).await?;
            desk.sees("这个码是给另一类机构看的，这里不能打开").await?;
        }
        desk.picture("claim-other-desk").await?;
        desk.finds_it_accessible().await?;
        desk.enrols("doctor").await?;
        desk.goes_to("doctor", "/").await?;
        desk.accepts(&funds).await?;
        desk.sees("这个码是给另一类机构看的，这里不能打开").await?;
        opens(&desk, &doctors).await?;
        desk.sees("诊疗经过").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_insurers_desk_is_told_why_it_settles_nothing_on_an_invoice_that_it_has_open() -> Result<()> {
    Scene::play("desk-settles", 1, async |scene| {
        let between = scene.between().await?;
        let hospital = Desk::enrols(&scene.relay, HOSPITAL, Role::Issuer, "方静").await?;
        let wallet = Wallet::arrives(&scene.relay).await?;
        let desk = scene.person("desk", Window::Desk).await?;
        desk.enrols("insurer").await?;
        let claim = async |number: &str| -> Result<_> {
            let bill = wallet.receives(&hospital, invoice(number)?).await?;
            opens(&desk, &wallet.claims(&bill, Slot::Commercial).await?).await?;
            Ok(bill)
        };

        // A tag that the hospital didn't vouch for: whoever made it up, it settles nothing.
        hospital.gives_tags(&hospital.other_tags(&invoice("0038217750")?, false)?);
        claim("0038217750").await?;
        desk.sees("理赔凭据不是这家医院给的，或不是给这次理赔的").await?;
        assert!(!desk.has_before_them("赔付金额（元）").await?, "there is nothing to decide but no");
        desk.picture("claim-tag").await?;
        desk.finds_it_accessible().await?;
        hospital.is_honest();

        // Settled before, under another patient's consent: seen as soon as it is opened.
        claim("0038217751").await?;
        desk.taps("结算").await?;
        desk.sees("已经结算 ¥9,927.86").await?;
        let again = Wallet::arrives(&scene.relay).await?;
        let copy = again.receives(&hospital, invoice("0038217751")?).await?;
        opens(&desk, &again.claims(&copy, Slot::Commercial).await?).await?;
        desk.sees("这一部分已经结算过了").await?;
        desk.picture("claim-settled-before").await?;

        // A report that its hospital took back, while it is open and before.
        let gone = claim("0038217752").await?;
        desk.sees("赔付金额（元）").await?;
        hospital.cancels(gone.commitment()).await?;
        desk.taps("结算").await?;
        desk.sees("医院已经撤回这份票据，不能结算").await?;
        desk.accepts(&wallet.claims(&gone, Slot::Commercial).await?).await?;
        desk.sees("其中有医院已经撤回的报告，没有打开").await?;
        desk.picture("claim-cancelled").await?;

        // The ledger never takes the decision, whatever its relay says; after its time the desk says so.
        claim("0038217753").await?;
        desk.sees("赔付金额（元）").await?;
        swallows(&between);
        desk.taps("结算").await?;
        desk.sees("已经发出，账本还没有确认").await?;
        scene.relay.lets_pass("20m").await?;
        desk.goes_to("insurer", "/settled").await?;
        desk.sees("账本没有及时记下这个决定。可以重新决定").await?;
        desk.picture("claims-late").await?;
        desk.finds_it_accessible().await?;
        between.is_honest();
        desk.goes_to("insurer", "/").await?;
        desk.taps("林秀兰").await?;
        desk.taps("打开病历").await?;
        desk.sees("账本没有及时记下这个决定。可以重新决定").await?;
        desk.picture("claim-late").await?;
        desk.taps("结算").await?;
        desk.sees("已经结算 ¥9,927.86").await?;

        // Taken back is what the ledger shows as taken back, for those who listen too.
        swallows(&between);
        desk.goes_to("insurer", "/settled").await?;
        takes_back(&desk).await?;
        desk.sees("已经发出，账本还没有确认").await?;
        let said = desk.runs("return document.querySelector('[aria-live=polite]').textContent").await?;
        assert!(said.as_str().is_some_and(|said| !said.contains("已经撤回")), "{said}");
        between.is_honest();
        desk.goes_to("insurer", "/settled").await?;
        desk.sees("已经撤回，原来结算 ¥9,927.86").await?;
        desk.goes_to("insurer", "/").await?;

        // The hospital was suspended from before it issued this.
        claim("0038217754").await?;
        desk.sees("赔付金额（元）").await?;
        let from = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + 600;
        suspends(scene, HOSPITAL, &["--from", &from.to_string()]).await?;
        desk.taps("结算").await?;
        desk.sees("开票时这家医院已被停用，先问监管方，不要赔付").await?;
        desk.picture("claim-suspended").await?;
        desk.finds_it_accessible().await?;

        // And this insurer itself.
        suspends(scene, INSURER, &[]).await?;
        desk.goes_to("insurer", "/settled").await?;
        takes_back(&desk).await?;
        desk.sees("本机构已被暂停，账本不再收它的决定").await?;
        desk.picture("claim-own-suspended").await
    })
    .await
}

/// From here on the relay says that entries stand, and brings none to the ledger.
fn swallows(between: &Between) {
    between.lies(|asked| {
        let entry = asked.is(&Method::POST, "/v1/transactions");
        if entry { Turn::Instead(Answer::stands(asked)) } else { Turn::Honest }
    });
}

/// In the list of what was decided: takes the newest settlement back.
async fn takes_back(desk: &Person) -> Result<()> {
    desk.taps("撤回结算").await?;
    desk.taps("款项退回").await?;
    desk.types("给患者和监管方的说明（必填）", "款已退回").await?;
    desk.taps_at("dialog .button.primary").await
}

async fn suspends(scene: &Scene, party: &str, more: &[&str]) -> Result<()> {
    let arguments = ["suspend", "--party", party, "--why", "许可被撤销", "--log", "error"];
    let (ended, printed) = scene.relay.command(&[&arguments[..], more].concat()).await?;
    assert_eq!(ended, 0, "{printed}");
    Ok(())
}
