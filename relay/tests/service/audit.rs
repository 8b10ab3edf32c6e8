//! `suishen audit` beside a running relay, as the auditor runs it: the look is an entry first, the boxes open, a false one
//! has a name, the report is signed, the keys change.

use crate::{
    claims::lies::{SHOWS, YES, before},
    grants::{redemption, share},
    process::{Process, suishen},
    relay::fresh,
};
use std::{fs, path::Path, sync::atomic::Ordering};
use suishen_core::{
    audit::clock,
    cbor,
    contract::{AuditorKeys, Key, OpenHolder, SignedTransaction, Transaction},
};
use suishen_relay::{client::Client, keys::Keys, node::KEYS};

async fn auditor(client: &Client) -> AuditorKeys {
    let answer = client.value(&Key::Auditor).await.unwrap();
    cbor::decode(&answer.values[0].value).unwrap()
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A relay in this folder at which a desk has redeemed with boxes of nothing.
async fn with_a_false_box(data: &Path) -> (Process, Client, Keys) {
    let process = Process::start(data, &["--demo"]).await;
    let client = process.client().await;
    let keys = Keys::new(data.join(KEYS));
    let shared = share(&keys, &client, client.info().await.unwrap().now).await;
    client.submit(&redemption(&shared, &client, 1, fresh().public())).await.unwrap();
    (process, client, keys)
}

#[tokio::test]
async fn the_auditor_looks_by_an_entry_finds_a_false_box_signs_and_changes_keys() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (process, client, keys) = with_a_false_box(&data).await;

    let (code, printed) = suishen(&data, &["audit"]).await;
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("every signature, transition, root and cosignature holds"), "{printed}");
    assert!(!printed.contains("log-audit"), "{printed}");

    let folder = text(keys.folder("auditor").path());
    let (page, csv) = (text(&dir.path().join("audit.html")), text(&dir.path().join("csv")));
    let arguments = [
        "audit",
        "--keys",
        &folder,
        "--why",
        "投诉 2026-118",
        "--report",
        &page,
        "--csv",
        &csv,
        "--language",
        "en",
    ];
    let (code, printed) = suishen(&data, &arguments).await;
    assert_eq!(code, 1, "{printed}");
    assert!(printed.contains("1 log-audit"), "{printed}");
    assert!(
        printed.contains("The box of a read opens with no key that was in force; 安澜市人民医院"),
        "{printed}"
    );
    let looks = fs::read_to_string(dir.path().join("csv/looks.csv")).unwrap();
    assert!(looks.contains("投诉 2026-118"), "{looks}");
    assert!(fs::read_to_string(&page).unwrap().contains("投诉 2026-118"));

    for place in [&page, &csv] {
        let (code, printed) = suishen(&data, &["audit", "--verify", place]).await;
        assert_eq!(code, 0, "{printed}");
        assert!(printed.contains("signed by the auditor's key"), "{printed}");
    }
    let changed = fs::read_to_string(&page).unwrap().replacen("118", "119", 1);
    fs::write(&page, changed).unwrap();
    // The relay's address does as well as its folder, from another machine's empty one.
    let elsewhere = dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let (code, printed) = suishen(&elsewhere, &["audit", "--relay", &process.base, "--verify", &page]).await;
    assert_eq!(code, 1, "{printed}");
    assert!(printed.contains("WRONG      audit.html: it is not as it was signed"), "{printed}");
    let (code, printed) = suishen(&elsewhere, &["audit", "--relay", &process.base]).await;
    assert_eq!(code, 0, "{printed}");

    let first = auditor(&client).await;
    let (code, printed) = suishen(&data, &["audit", "rotate"]).await;
    assert_eq!(code, 0, "{printed}");
    let (code, printed) = suishen(&data, &["audit", "rotate", "--which", "audit"]).await;
    assert_eq!(code, 0, "{printed}");
    let second = auditor(&client).await;
    assert_eq!((first.sequence, second.sequence, second.boxes.len()), (0, 2, 2));
    let newest = keys.folder("auditor").read("box-1").unwrap().public();
    assert_eq!(second.box_key().unwrap(), newest);
    assert_eq!(second.audit, keys.folder("auditor").read("audit-2").unwrap().public());
    // With both keys the later look is signed by the newer, and says why in a box under the newer.
    let again = ["audit", "--keys", &folder, "--why", "复查", "--report", &page, "--to", "1"];
    let (code, printed) = suishen(&data, &again).await;
    assert_eq!(code, 0, "{printed}");
    let (code, printed) = suishen(&data, &["audit", "--verify", &page]).await;
    assert_eq!(code, 0, "{printed}");
    process.kill();

    // Without a relay nothing is opened, and it says what to do.
    let (code, printed) = suishen(&data, &["audit", "--keys", &folder, "--why", "x"]).await;
    assert_eq!(code, 2, "{printed}");
    assert!(printed.contains("start the relay, or name one with --relay"), "{printed}");
    let (code, _) = suishen(&data, &["audit", "--keys", &folder]).await;
    assert_eq!(code, 2);
}

#[tokio::test]
async fn an_audit_of_days_names_them_and_one_of_no_days_logs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (process, client, keys) = with_a_false_box(&data).await;
    let today = clock::day(client.info().await.unwrap().now);
    let [yesterday, now, tomorrow] = [today - 1, today, today + 1].map(clock::written);
    let folder = text(keys.folder("auditor").path());
    let page = text(&dir.path().join("audit.html"));
    let look = async |ends: &[&str]| {
        let opens = ["audit", "--keys", &folder, "--why", "本季度", "--report", &page];
        suishen(&data, &[&opens[..], ends].concat()).await
    };
    for (ends, why) in [
        (["--from", "2020-01-01", "--to", "2020-12-31"], "no entry in the period 2020-01-01 – 2020-12-31"),
        (["--from", &now, "--to", &yesterday], "before it begins on"),
        (["--from", &now, "--to", &tomorrow], "has not begun"),
        (["--from", "0", "--to", &now], "write the two alike"),
        (["--from", "5", "--to", "5"], "--to is the entry after the last"),
        (["--from", "5000", "--to", "5001"], "there is no entry from --from 5000 on"),
        (["--from", "2026-02-30", "--to", &now], "such as 2026-07-01"),
    ] {
        let (code, printed) = look(&ends).await;
        assert!(code == 2 && printed.contains(why), "{ends:?} {printed}");
    }
    let (_, printed) = suishen(&data, &["audit"]).await;
    assert!(!printed.contains("log-audit") && !Path::new(&page).exists(), "{printed}");
    let (code, printed) = look(&["--from", &yesterday, "--to", &now]).await;
    assert_eq!(code, 1, "{printed}");
    assert!(printed.contains(&format!("period     {yesterday} – {now}, entries 0 to ")), "{printed}");
    assert!(printed.contains("1 log-audit") && printed.contains("The box of a read opens"), "{printed}");
    assert!(fs::read_to_string(&page).unwrap().contains(&format!("{yesterday} – {now}")));
    // The relay's address does as well as its folder.
    for source in
        [vec!["audit", "--verify", &page], vec!["audit", "--relay", &process.base, "--verify", &page]]
    {
        let (code, printed) = suishen(&data, &source).await;
        assert_eq!(code, 0, "{printed}");
    }
    let (code, printed) = look(&["--relay", &process.base, "--from", &now]).await;
    assert!(code == 1 && printed.contains(&format!("period     {now} – {now}, entries 0 to ")), "{printed}");
}

#[tokio::test]
async fn another_ledger_than_the_one_that_was_audited_is_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mine, other) = (dir.path().join("mine"), dir.path().join("other"));
    let first = Process::start(&mine, &["--demo"]).await;
    let second = Process::start(&other, &["--demo"]).await;
    let folder = text(Keys::new(mine.join(KEYS)).folder("auditor").path());
    let elsewhere = dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let page = text(&dir.path().join("audit.html"));
    let look = async |relay: &Process, more: &[&str]| {
        let opens = ["audit", "--relay", &relay.base, "--keys", &folder, "--why", "例行", "--report", &page];
        suishen(&elsewhere, &[&opens[..], more].concat()).await
    };
    let (code, printed) = look(&first, &[]).await;
    assert_eq!(code, 0, "{printed}");
    let known = first.client().await.ledger().to_hex();
    let remembered = [dir.path().join("audit.html.ledger.id"), Path::new(&folder).join("ledger.id")];
    for file in &remembered {
        assert_eq!(fs::read_to_string(file).unwrap().trim(), known);
    }
    let entries =
        |client: Client| async move { client.get("/v1/ledger/entries?from=0&to=200").await.unwrap().len() };
    let before = entries(second.client().await).await;
    for arguments in [
        vec!["audit", "--relay", &second.base, "--keys", &folder, "--why", "例行"],
        vec!["audit", "--relay", &second.base, "--report", &page],
        vec!["audit", "--relay", &second.base, "--ledger", &known],
        vec![
            "audit",
            "--relay",
            &second.base,
            "--verify",
            &page,
            "--ledger",
            &second.client().await.ledger().to_hex(),
        ],
        vec!["audit", "rotate", "--relay", &second.base, "--keys", &folder],
    ] {
        let (code, printed) = suishen(&elsewhere, &arguments).await;
        assert!(code == 2 && printed.contains("this is the ledger"), "{arguments:?} {printed}");
    }
    assert_eq!(entries(second.client().await).await, before, "nothing was written");
    let (code, printed) = look(&first, &["--ledger", &known]).await;
    assert_eq!(code, 0, "{printed}");
    let verify = ["audit", "--relay", &first.base, "--ledger", &known, "--verify", &page];
    let (code, printed) = suishen(&elsewhere, &verify).await;
    assert!(code == 0 && printed.contains("looked by entry"), "{printed}");
    let (code, printed) = suishen(&elsewhere, &["audit", "--relay", &first.base, "--ledger", "x"]).await;
    assert!(code == 2 && printed.contains("64 hexadecimal digits"), "{printed}");
}

#[tokio::test]
async fn a_relays_ledger_of_several_tiles_is_read_over_the_network() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let process = Process::start(&data, &["--demo"]).await;
    let client = process.client().await;
    for _ in 0..300 {
        let root = fresh();
        let body = OpenHolder { root: root.public(), authority: fresh().public(), manage: fresh().public() };
        let signed = SignedTransaction::new(&Transaction::OpenHolder(body), &root, &client.ledger());
        client.submit(&signed).await.unwrap();
    }
    let elsewhere = dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let (code, printed) = suishen(&elsewhere, &["audit", "--relay", &process.base]).await;
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("300 open-holder"), "{printed}");
    let (code, printed) = suishen(&elsewhere, &["audit", "--relay", "http://127.0.0.1:9"]).await;
    assert_eq!(code, 2, "{printed}");
}

#[tokio::test]
async fn malicious_relay_that_swallows_the_auditors_look_opens_no_box() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (process, client, keys) = with_a_false_box(&data).await;
    let (liar, lying) = before(&process.base).await;
    let folder = text(keys.folder("auditor").path());
    let (page, elsewhere) = (text(&dir.path().join("audit.html")), dir.path().join("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    let look = ["audit", "--relay", &lying, "--keys", &folder, "--why", "例行", "--report", &page];
    // It says that the look is an entry, and that entry is another; or it shows the look in its place.
    for how in [YES, SHOWS] {
        liar.how.store(how, Ordering::SeqCst);
        let (code, printed) = suishen(&elsewhere, &look).await;
        assert!(code == 2 && printed.contains("does not prove it"), "{how} {printed}");
        assert!(!printed.contains("The box of a read") && !Path::new(&page).exists(), "{how} {printed}");
    }
    let (_, printed) = suishen(&elsewhere, &["audit", "--relay", &process.base]).await;
    assert!(!printed.contains("log-audit"), "{printed}");
    drop(client);
}

#[tokio::test]
async fn malicious_relay_that_swallows_a_change_of_keys_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (process, client, keys) = with_a_false_box(&data).await;
    let (liar, lying) = before(&process.base).await;
    let folder = text(keys.folder("auditor").path());
    for how in [YES, SHOWS] {
        liar.how.store(how, Ordering::SeqCst);
        let (code, printed) =
            suishen(&data, &["audit", "rotate", "--relay", &lying, "--keys", &folder]).await;
        assert!(code == 2 && printed.contains("does not prove it"), "{how} {printed}");
        assert!(!printed.contains("changed   "), "{how} {printed}");
    }
    assert_eq!(auditor(&client).await.sequence, 0);
    // The key that it wrote is the one that the next try names.
    let (code, printed) = suishen(&data, &["audit", "rotate"]).await;
    assert!(code == 0 && printed.contains("changed   "), "{printed}");
    let newest = keys.folder("auditor").read("box-1").unwrap().public();
    assert_eq!(auditor(&client).await.box_key().unwrap(), newest);
}
