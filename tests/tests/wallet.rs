//! The wallet as its owner lives with it: protected, locked, written down on paper, backed up, found again, and kept in
//! order.

use serde_json::{Value, json};
use suishen_tests::{PASSPHRASE, Person, Result, Scene, Window};

/// Pastes text into the field that is labelled so, as a keyboard's clipboard does.
async fn pastes(phone: &Person, label: &str, text: &str) -> Result<()> {
    phone.types(label, "").await?;
    let stopped = phone
        .runs("return !document.activeElement.dispatchEvent(new ClipboardEvent('paste', { cancelable: true, bubbles: true }))")
        .await?;
    assert_eq!(stopped, json!(false), "pasting into {label} is stopped");
    phone.devtools("Input.insertText", json!({ "text": text })).await?;
    Ok(())
}

/// Answers the three questions about the paper with what is on it.
async fn answers(phone: &Person, paper: &[String]) -> Result<()> {
    for label in asked(phone).await? {
        pastes(phone, &label, &paper[place(&label) - 1]).await?;
    }
    Ok(())
}

async fn asked(phone: &Person) -> Result<Vec<String>> {
    phone.sees("核对三个词").await?;
    phone.finds("form input").await?;
    let labels =
        phone.runs("return [...document.querySelectorAll('form label')].map((e) => e.innerText)").await?;
    let labels: Vec<String> = serde_json::from_value(labels)?;
    assert_eq!(labels.len(), 3, "{labels:?}");
    Ok(labels)
}

fn place(label: &str) -> usize {
    let digits: String = label.chars().filter(char::is_ascii_digit).collect();
    digits.parse().expect("a label names the place of its word")
}

/// Reads a backup file and a phrase into a wallet of another origin, which is another browser as far as storage goes.
async fn restores(phone: &Person, wallet: &str, file: &std::path::Path) -> Result<()> {
    phone.goes_to(wallet, "/restore").await?;
    phone.sees("输入恢复页上的 24 个词").await?;
    phone.gives_file("input[type=file]:not([accept])", file).await?;
    phone.sees(&file.file_name().unwrap_or_default().to_string_lossy()).await
}

async fn deletes_the_wallet(phone: &Person, wallet: &str) -> Result<()> {
    phone.goes_to(wallet, "/settings").await?;
    phone.taps("删除钱包").await?;
    phone.sees("医院自己的病历不会删").await?;
    phone.taps("我知道了，要删").await?;
    let button = phone.finds("dialog .button.danger").await?;
    button.click().await?;
    phone.sees("病历随身，自己做主").await
}

#[tokio::test]
async fn a_wallet_is_found_again_with_the_paper_and_a_backup_file() -> Result<()> {
    Scene::play("recovery", 1, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        phone.keeps_downloads().await?;
        phone.keeps_at("patient", &scene.relay.issues("laboratory/report.json").await?).await?;
        phone.taps("返回").await?;
        phone.sees("还没有上锁").await?;
        phone.taps("去上锁").await?;
        phone.types("设一个密码", "12345678").await?;
        phone.sees("还太弱").await?;
        phone.types("设一个密码", PASSPHRASE).await?;
        phone.taps("用这个密码").await?;

        phone.sees("把这 24 个词抄在纸上").await?;
        let chinese = phone.reads_the_words().await?;
        assert_eq!(chinese.len(), 24);
        phone.picture("recovery").await?;
        let paper = phone.photographs_the_print(".paper svg.code").await?;
        phone.taps("English").await?;
        phone.finds(".words.latin").await?;
        let english = phone.reads_the_words().await?;
        assert!(english.len() == 24 && english.iter().all(|word| word.is_ascii()), "{english:?}");
        phone.taps("以后再说").await?;
        phone.sees("恢复页还没有抄").await?;
        phone.taps("去抄").await?;
        phone.taps("抄好了").await?;

        for label in asked(&phone).await? {
            phone.types(&label, "错").await?;
        }
        phone.taps("核对").await?;
        phone.sees("有词对不上，再看看抄的纸").await?;
        answers(&phone, &chinese).await?;
        phone.taps("核对").await?;
        // A mailbox has it by now, so it isn't the only copy any more.
        phone.sees("上次打开之后，没有人看过").await?;
        phone.goes_to("patient", "/recovery").await?;
        phone.unlocks().await?;
        phone.sees("这些词已经不在手机里了").await?;

        phone.goes_to("patient", "/settings").await?;
        phone.unlocks().await?;
        phone.sees("还没有备份过").await?;
        phone.taps("存备份文件").await?;
        let backup = phone.has_saved(".suishen").await?;
        phone.sees("上次备份：今天").await?;
        assert!(!contains(&std::fs::read(&backup)?, "林秀兰"), "a backup file is encrypted");
        phone.taps("返回").await?;
        phone.sees("上次打开之后，没有人看过").await?;

        restores(&phone, "patient2", &backup).await?;
        let mut wrong = english.clone();
        wrong.swap(3, 4);
        phone.types("24 个词", &wrong.join(" ")).await?;
        phone.taps("找回").await?;
        phone.sees("恢复词不对。检查顺序和错字").await?;
        // As a Chinese keyboard may write them.
        phone.types("24 个词", &wide(&english.join(" "))).await?;
        phone.taps("找回").await?;
        phone.sees("给钱包上锁").await?;
        phone.taps("返回").await?;
        phone.taps("血脂与肝功能").await?;
        phone.sees("医院签发，内容没有改动过").await?;
        phone.sees("低密度脂蛋白").await?;

        deletes_the_wallet(&phone, "patient2").await?;
        restores(&phone, "patient2", &backup).await?;
        phone.gives_file("input[accept^=image]", &paper).await?;
        phone.finds("form .button.primary:not(:disabled)").await?;
        phone.taps("找回").await?;
        phone.sees("给钱包上锁").await?;
        phone.taps("返回").await?;
        phone.sees("血脂与肝功能").await?;

        deletes_the_wallet(&phone, "patient2").await?;
        restores(&phone, "patient2", &backup).await?;
        phone.types("24 个词", &chinese.join(" ")).await?;
        phone.taps("找回").await?;
        phone.sees("给钱包上锁").await
    })
    .await
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|piece| piece == text.as_bytes())
}

#[tokio::test]
async fn a_wrong_passphrase_a_strangers_finger_and_a_damaged_store_are_told_apart() -> Result<()> {
    Scene::play("locked", 1, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        for sample in ["laboratory/report.json", "discharge/report.json"] {
            phone.keeps_at("patient", &scene.relay.issues(sample).await?).await?;
        }
        let authenticator = phone.has_passkeys().await?;
        phone.goes_to("patient", "/protect").await?;
        phone.taps("用指纹或面容").await?;
        phone.sees("把这 24 个词抄在纸上").await?;
        phone.goes_to("patient", "/protect").await?;
        phone.sees("打开钱包").await?;
        phone.taps("用指纹或面容").await?;
        phone.types("设一个密码", PASSPHRASE).await?;
        phone.taps("用这个密码").await?;
        phone.sees("把这 24 个词抄在纸上").await?;

        phone.taps("返回").await?;
        phone.taps("设置").await?;
        phone.taps("锁上").await?;
        phone.sees("打开钱包").await?;
        authenticator.recognises_owner(false).await?;
        phone.taps("用指纹或面容").await?;
        phone.sees("没有完成。可以再试一次，或者用密码。").await?;
        phone.picture("unlock").await?;
        phone.types("或输入密码", "白鹭 竹桥 晚风 砚台 柿子").await?;
        phone.taps("打开").await?;
        phone.sees("密码不对。看一下大小写，或用恢复页打开。").await?;
        phone.types("或输入密码", &wide(PASSPHRASE)).await?;
        phone.taps("打开").await?;
        phone.taps("血脂与肝功能").await?;
        phone.sees("低密度脂蛋白").await?;

        // Contents are damaged: the list opens, and a record says itself that it doesn't. Of the four things that lie beside
        // two records two are contents, so three hold one at least.
        assert_eq!(damages(&phone, "blobs", 3).await?, json!(3));
        phone.goes_to("patient", "/").await?;
        phone.unlocks().await?;
        phone.sees("2 份").await?;
        phone.picture("damaged-record").await?;
        phone.taps("打不开").await?;
        phone.sees("存储里的数据坏了").await?;

        // The list's own bytes are damaged: the right passphrase opens what is left, and says which is not.
        assert_ne!(damages(&phone, "events", 99).await?, json!(0));
        phone.goes_to("patient", "/").await?;
        phone.unlocks().await?;
        phone.sees("存储里的数据坏了。这不是密码不对").await?;
        phone.taps("打不开？用恢复页").await?;
        phone.sees("输入恢复页上的 24 个词").await?;

        // What says how to unlock is damaged: nothing is asked, and the way back is on the same page.
        assert_eq!(damages(&phone, "plain", 1).await?, json!(1));
        phone.goes_to("patient", "/").await?;
        phone.sees("存储读不出来").await?;
        phone.sees("这不是密码不对，是浏览器里的数据坏了").await?;
        phone.finds("textarea").await?;
        phone.picture("damaged").await
    })
    .await
}

/// The same with full-width letters and blanks.
fn wide(text: &str) -> String {
    let wide = |letter| match letter {
        ' ' => '\u{3000}',
        '!'..='~' => char::from_u32(u32::from(letter) + 0xFEE0).unwrap_or(letter),
        other => other,
    };
    text.chars().map(wide).collect()
}

/// Flips a bit in so many values of a table of the store at most; how many there were.
async fn damages(phone: &Person, table: &str, most: u32) -> Result<Value> {
    let script = "const [table, most, done] = arguments;
        const open = indexedDB.open('suishen');
        open.onerror = () => done(String(open.error));
        open.onsuccess = () => {
            const change = open.result.transaction(table, 'readwrite');
            let found = 0;
            change.objectStore(table).openCursor().onsuccess = ({ target: { result: cursor } }) => {
                if (!cursor || found === most) return;
                if (cursor.value instanceof Uint8Array && (table !== 'plain' || cursor.key === 'vault')) {
                    const bytes = cursor.value.slice();
                    bytes[bytes.length >> 1] ^= 1;
                    cursor.update(bytes);
                    found += 1;
                }
                cursor.continue();
            };
            change.oncomplete = () => { open.result.close(); done(found); };
        };";
    Ok(phone.browser().execute_async(script, vec![json!(table), json!(most)]).await?.json().clone())
}

#[tokio::test]
async fn records_are_found_tagged_hidden_and_drawn_over_the_years() -> Result<()> {
    Scene::play("records", 1, async |scene| {
        let phone = scene.person("phone", Window::Phone).await?;
        for sample in ["2024-05", "2024-11", "2025-05", "2025-11", "2026-05"] {
            phone.keeps_at("patient", &scene.relay.issues(&format!("history/{sample}.json")).await?).await?;
        }
        phone.keeps_at("patient", &scene.relay.issues("discharge/report.json").await?).await?;
        phone.keeps_at("patient", &scene.relay.issues("laboratory/report.json").await?).await?;
        phone.sees("低密度脂蛋白的变化").await?;
        phone.sees("6 次").await?;
        phone.picture("history").await?;
        phone.taps("看表格").await?;
        phone.sees("2024 年").await?;

        phone.taps("返回").await?;
        phone.sees("7 份").await?;
        phone.picture("records").await?;
        phone.taps("出院").await?;
        phone.sees("出院小结").await?;
        phone.sees_no_more("血脂与肝功能").await?;
        phone.taps("全部").await?;
        phone.taps("搜索").await?;
        phone.types("搜名称", "置换").await?;
        phone.sees_no_more("血脂与肝功能").await?;
        phone.sees("出院小结").await?;
        phone.types("搜名称", "没有这样的东西").await?;
        phone.sees("没有找到").await?;
        phone.types("搜名称", "").await?;
        phone.taps("搜索").await?;

        phone.taps("出院小结").await?;
        phone.taps("更多").await?;
        phone.types("加一个标签", "膝盖").await?;
        phone.taps("加上").await?;
        phone.finds("dialog .chip").await?;
        phone.taps("隐藏这份").await?;
        phone.sees("已隐藏").await?;
        phone.taps("返回").await?;
        phone.sees("6 份").await?;
        phone.sees_no_more("出院小结").await?;
        phone.taps("含隐藏的").await?;
        phone.taps("膝盖").await?;
        phone.sees_no_more("血脂与肝功能").await?;
        phone.taps("出院小结").await?;
        phone.taps("更多").await?;
        phone.taps("不再隐藏").await?;
        phone.sees_no_more("已隐藏").await?;
        phone.taps("更多").await?;
        phone.taps("去掉标签“膝盖”").await?;
        phone.taps("关闭").await?;
        phone.taps("返回").await?;
        phone.sees("7 份").await?;
        phone.sees("出院小结").await?;
        phone.sees_no_more("膝盖").await
    })
    .await
}
