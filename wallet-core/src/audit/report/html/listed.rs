//! The tables of single lines: who read, and what was taken back or voided.

use super::{not_listed, row, table};
use crate::audit::report::{
    Content,
    markup::Markup,
    words::{Language, local},
};
use crate::audit::{Professional, Read, Told};
use core::fmt::Display;

/// Hex digits by which consents are told apart on a page; the CSV files have them whole.
const BEGINNING: usize = 8;

fn beginning(mut hex: String) -> String {
    hex.truncate(BEGINNING);
    hex
}

/// Who a box names; where it names nobody, why.
fn person(who: Option<&Professional>, opened: &'static str, language: Language) -> String {
    who.map(Professional::described).filter(|name| !name.is_empty()).unwrap_or_else(|| {
        let why = match opened {
            "no-key" => language.say("没有该季度的密钥", "the quarter's key is not at hand"),
            "wrong" => language.say("盒有误，见发现", "its box is wrong, see findings"),
            _ => "–",
        };
        why.to_owned()
    })
}

const fn state<T>(told: &Told<T>) -> &'static str {
    match told {
        Told::Opened(_) => "opened",
        Told::NoKey => "no-key",
        Told::Wrong => "wrong",
    }
}

/// Each class once.
fn classes(read: &Read, language: Language) -> String {
    let mut classes = read.classes.clone();
    classes.sort_unstable();
    classes.dedup();
    let names: Vec<&str> = classes.into_iter().map(|class| language.class(class)).collect();
    if names.is_empty() { "–".to_owned() } else { names.join(language.say("、", ", ")) }
}

/// Who read, one by one, the newest first.
pub fn reads(m: &mut Markup, content: &Content<'_>) {
    let Content { language, tables, listed, .. } = content;
    m.element("h3", language.say("逐次读取", "Reads one by one"));
    let heads = [
        ("条目", "Entry"),
        ("时间", "Time"),
        ("人员", "Who"),
        ("机构", "Organisation"),
        ("数据类别", "Class of data"),
        ("目的", "Purpose"),
        ("凭谁的同意", "On whose authority"),
        ("记录", "Records"),
    ];
    table(m, *language, heads, 7);
    for read in listed.reads.lines() {
        let who = person(read.by.opened(), state(&read.by), *language);
        let agreed = read.consent.opened();
        let purpose = agreed.map_or_else(|| "–".to_owned(), |consent| language.purpose(&consent.purpose));
        let patient = agreed.map_or_else(|| "–".to_owned(), |consent| beginning(consent.holder.to_hex()));
        let authority = format!("{patient} / {}", beginning(read.grant.to_hex()));
        let cells: [&dyn Display; 8] = [
            &read.at.entry,
            &local(read.at.time),
            &who,
            &tables.named(&read.party),
            &classes(read, *language),
            &purpose,
            &authority,
            &read.records,
        ];
        m.raw("<tr>");
        row(m, cells, 7);
        m.raw("</tr>");
    }
    m.raw("</tbody></table>");
    m.raw("<p class=\"quiet\">");
    m.text(language.say(
        "凭谁的同意：患者的化名与同意书编号的前八位，全文见 reads.csv。",
        "On whose authority: the first eight digits of the patient's pseudonym and of the consent; reads.csv has them whole.",
    ));
    m.raw("</p>");
    not_listed(
        m,
        language.say("更早的读取，见 reads.csv：", "Earlier reads, see reads.csv: "),
        listed.reads.more(),
    );
}

/// What insurers took back and hospitals voided, one by one, the newest first.
pub fn reversals(m: &mut Markup, content: &Content<'_>) {
    let Content { language, tables, listed, .. } = content;
    let mut lines = listed.reversals.lines().peekable();
    if lines.peek().is_none() {
        return;
    }
    m.element("h3", language.say("撤销与作废", "Taken back and voided"));
    let heads = [
        ("条目", "Entry"),
        ("时间", "Time"),
        ("机构", "Organisation"),
        ("人员", "Who"),
        ("支付方", "Slot"),
        ("原因", "Why"),
        ("说明", "Words"),
    ];
    table(m, *language, heads, heads.len());
    for reversal in lines {
        let told = reversal.told.opened();
        let who = person(told.map(|(who, _)| who), state(&reversal.told), *language);
        let cells: [&dyn Display; 7] = [
            &reversal.at.entry,
            &local(reversal.at.time),
            &tables.named(&reversal.party),
            &who,
            &language.slot(reversal.slot),
            &language.reason(reversal.why),
            &told.map_or("–", |(_, words)| words.as_str()),
        ];
        m.raw("<tr>");
        row(m, cells, cells.len());
        m.raw("</tr>");
    }
    m.raw("</tbody></table>");
    not_listed(
        m,
        language.say("更早的，见 reversals.csv：", "Earlier ones, see reversals.csv: "),
        listed.reversals.more(),
    );
}
