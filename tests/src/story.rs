//! What the people of the story do, step by step, as every scene tells it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::{Person, Relay, Result, Scene, Window};

/// A passphrase that is strong enough.
pub const PASSPHRASE: &str = "白鹭 竹桥 晚风 砚台 石榴";

impl Person {
    /// The link that a page copies when its person taps "copy link".
    pub async fn copies_the_link(&self) -> Result<String> {
        self.runs(
            "window.copied = null;
             navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); };",
        )
        .await?;
        self.taps("复制链接").await?;
        for _ in 0..200 {
            if let Value::String(link) = self.runs("return window.copied").await? {
                return Ok(link);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{}: nothing was copied", self.name())
    }

    /// Enrols this desk by its button on the start page.
    pub async fn enrols(&self, role: &str) -> Result<()> {
        self.goes_to("", "/").await?;
        let button = self.finds(&format!("a[href^='http://{role}.'][href*='/enrol#']")).await?;
        let link = button.attr("href").await?.context("a button that leads nowhere")?;
        self.browser().goto(link).await?;
        self.sees("登记好了").await
    }

    /// The hospital issues a sample: the ticket's link.
    pub async fn issues(&self, sample: &str) -> Result<String> {
        self.taps(sample).await?;
        self.sees("核对后签发").await?;
        self.taps("签发").await?;
        self.sees("请患者用手机扫码").await?;
        self.copies_the_link().await
    }

    /// A new patient scans a ticket and keeps the report.
    pub async fn keeps_first(&self, ticket: &str) -> Result<()> {
        self.camera().shows(ticket)?;
        self.goes_to("patient", "/").await?;
        self.taps("扫医院的码").await?;
        self.sees("有一份报告给您").await?;
        self.taps("收下").await
    }

    /// Opens a ticket's link and keeps the report.
    pub async fn keeps(&self, ticket: &str) -> Result<()> {
        self.opens("patient", ticket).await?;
        self.taps("收下").await
    }

    /// Opens a ticket's link at one of several wallets, keeps the report and sees it.
    pub async fn keeps_at(&self, wallet: &str, ticket: &str) -> Result<()> {
        self.opens(wallet, ticket).await?;
        self.taps("收下").await?;
        self.sees("医院签发，内容没有改动过").await
    }

    /// Opens a ticket's link at one of several wallets.
    pub async fn opens(&self, wallet: &str, ticket: &str) -> Result<()> {
        let (_, fragment) = ticket.split_once('#').context("a ticket has a fragment")?;
        self.goes_to(wallet, &format!("/t#{fragment}")).await?;
        self.sees("有一份报告给您").await
    }

    /// Protects the wallet by a passphrase.
    pub async fn protects(&self) -> Result<()> {
        self.goes_to("patient", "/protect").await?;
        self.protects_here().await
    }

    /// On the page that asks for a lock: a passphrase; the paper later.
    pub async fn protects_here(&self) -> Result<()> {
        self.types("设一个密码", PASSPHRASE).await?;
        self.taps("用这个密码").await?;
        self.sees("把这 24 个词抄在纸上").await?;
        self.taps("返回").await
    }

    /// Opens the locked wallet by its passphrase.
    pub async fn unlocks(&self) -> Result<()> {
        self.types("输入密码", PASSPHRASE).await?;
        self.taps("打开").await
    }

    /// The recovery words on the screen, in their order.
    pub async fn reads_the_words(&self) -> Result<Vec<String>> {
        self.finds("main .words li").await?;
        let words = self.runs(
            "return [...document.querySelectorAll('main .words li span:last-child')].map((e) => e.innerText)",
        );
        Ok(serde_json::from_value(words.await?)?)
    }

    /// Writes the recovery words down, as the page asks, and answers for three of them.
    pub async fn writes_the_words_down(&self) -> Result<()> {
        self.finds("main .words li").await?;
        let words =
            "return [...document.querySelectorAll('main .words li span:last-child')].map((e) => e.innerText)";
        let words: Vec<String> = serde_json::from_value(self.runs(words).await?)?;
        self.taps("抄好了").await?;
        self.finds("form label").await?;
        let labels = "return [...document.querySelectorAll('form label')].map((e) => e.innerText)";
        let labels: Vec<String> = serde_json::from_value(self.runs(labels).await?)?;
        for label in labels {
            let place: String = label.chars().filter(char::is_ascii_digit).collect();
            let place = place.parse::<usize>().context("a label names the place of its word")?;
            let word = words.get(place - 1).context("there are 24 words")?;
            self.types(&label, word).await?;
        }
        self.taps("核对").await
    }

    /// Shows what belongs to the newest visit to whoever scans: the consent link.
    pub async fn shows_this_visit(&self) -> Result<String> {
        self.taps("出示").await?;
        self.taps("这次就诊").await?;
        self.shows_what_is_chosen().await
    }

    /// Shows what is ticked: the consent link.
    pub async fn shows_what_is_chosen(&self) -> Result<String> {
        self.taps("出示二维码").await?;
        self.sees("请医生扫这个码").await?;
        self.copies_the_link().await
    }

    /// Yes to the person who asks.
    pub async fn consents(&self) -> Result<()> {
        self.sees("让这位医生看吗？").await?;
        self.taps("同意").await?;
        self.sees("已经同意，可以看了").await?;
        self.taps("关闭").await
    }

    /// On an invoice's page: the code of a claim with what is proposed; its link.
    pub async fn claims(&self) -> Result<String> {
        self.begins_a_claim().await?;
        self.shows_the_claim().await
    }

    /// The same to insurers of this kind.
    pub async fn claims_from(&self, payer: &str) -> Result<String> {
        self.begins_a_claim().await?;
        self.taps(payer).await?;
        self.shows_the_claim().await
    }

    /// On an invoice's page: what a claim would show.
    pub async fn begins_a_claim(&self) -> Result<()> {
        self.taps("找保险公司理赔").await?;
        self.sees("给保险公司看什么").await
    }

    /// From there the code; its link.
    pub async fn shows_the_claim(&self) -> Result<String> {
        self.taps("出示理赔码").await?;
        self.sees("请保险公司扫这个码").await?;
        self.copies_the_link().await
    }

    /// Yes to the insurer that asks.
    pub async fn agrees_to_the_claim(&self) -> Result<()> {
        self.sees("让这家保险公司看吗？").await?;
        self.taps("同意").await?;
        self.sees("已经同意，可以看了").await?;
        self.taps("关闭").await
    }

    /// An insurer's desk opens a claim after the yes of the patient, who is told this name.
    pub async fn opens_claim(&self, phone: &Self, link: &str, name: &str) -> Result<()> {
        self.accepts(link).await?;
        self.sees("等患者点“同意”").await?;
        phone.sees("让这家保险公司看吗？").await?;
        phone.sees(name).await?;
        phone.agrees_to_the_claim().await?;
        self.taps("打开病历").await?;
        self.sees("这次阅读已记入账本").await
    }

    /// Protects a wallet with an invoice, without which nothing is shared, and turns to the invoice again.
    pub async fn protects_the_invoice(&self) -> Result<()> {
        self.protects().await?;
        self.taps("住院收费票据").await?;
        self.sees("找保险公司理赔").await
    }

    /// A desk takes a consent link.
    pub async fn accepts(&self, link: &str) -> Result<()> {
        self.taps("扫患者的码").await?;
        self.types("扫码枪或链接", link).await?;
        self.taps("打开").await
    }
}

impl Scene {
    /// A phone that keeps an invoice, open on its page.
    pub async fn phone_with(&mut self, ticket: &str) -> Result<Person> {
        let phone = self.person("phone", Window::Phone).await?;
        phone.keeps_first(ticket).await?;
        phone.sees("找保险公司理赔").await?;
        Ok(phone)
    }
}

impl Relay {
    /// A sample that the hospital issued from the command line: the ticket's link.
    pub async fn issues(&self, sample: &str) -> Result<String> {
        self.issues_from(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(sample)).await
    }

    /// A report in a folder of one's own, or in one file: the ticket's link.
    pub async fn issues_from(&self, path: &Path) -> Result<String> {
        let path = path.to_str().context("a path that is not text")?;
        let (code, printed) = self.command(&["issue", path, "--out", "link", "--log", "error"]).await?;
        match printed.split_whitespace().find(|word| word.starts_with("http")) {
            Some(link) if code == 0 => Ok(link.to_owned()),
            _ => bail!("issue ended with {code}:\n{printed}"),
        }
    }
}
