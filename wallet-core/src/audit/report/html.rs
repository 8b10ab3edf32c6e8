//! The report as one page of HTML that needs nothing beside it and no script, and prints on A4.

mod listed;

use super::{
    Content,
    markup::Markup,
    plot,
    words::{Language, local, sum},
};
use crate::audit::Finding;
use core::{cmp::Reverse, fmt::Display};

/// People that are listed by name; all of them are in the CSV files.
const MOST_READERS: usize = 200;
/// Lines of months and organisations, and of months and people, the newest.
const MOST_MONTHS: usize = 200;

const STYLE: &str = "\
:root{color:#13201b;background:#fff;font:15px/22px -apple-system,BlinkMacSystemFont,'Segoe UI','PingFang SC','Noto Sans SC','Noto Sans CJK SC','Microsoft YaHei',system-ui,sans-serif}\
body{max-width:760px;margin:24px auto;padding:0 16px}h1{font-size:26px;line-height:34px;margin:0 0 4px}h2{font-size:18px;line-height:26px;margin:28px 0 8px}\
p{margin:6px 0}.quiet{color:#52615a}.hex{font-family:ui-monospace,monospace;font-size:13px;overflow-wrap:anywhere}\
table{border-collapse:collapse;width:100%;margin:12px 0;font-size:14px;line-height:20px;font-variant-numeric:tabular-nums}th{text-align:start;font-weight:600;border-bottom:1.5px solid #75857d}\
td,th{padding:4px 8px 4px 0;vertical-align:top}td{border-bottom:1px solid #d3ddd8;overflow-wrap:anywhere}.n{text-align:end}\
.wrong td:first-child{border-inline-start:4px solid #9b1c1c;padding-inline-start:8px}.odd td:first-child{border-inline-start:4px double #6b4700;padding-inline-start:8px}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:8px 0}dt{color:#52615a}dd{margin:0}\
svg{width:100%;height:auto;margin:8px 0;font-size:12px}.paid{fill:#0a5a4b}.claimed{fill:#fff;stroke:#0a5a4b;stroke-width:1.5}.night{fill:#e4ebe7}.line{fill:#75857d}\
.axis{fill:#52615a}.mid{text-anchor:middle}.end{text-anchor:end}.name{font-weight:600}\
@page{size:A4;margin:16mm}@media print{body{margin:0;max-width:none;padding:0}h2{break-after:avoid}tr,svg{break-inside:avoid}thead{display:table-header-group}}";

/// Writes the whole page.
pub fn page(content: &Content<'_>) -> String {
    let language = content.language;
    let mut m = Markup::default();
    m.raw("<!doctype html><html").attribute("lang", language.tag());
    m.raw("><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">");
    m.raw("<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"referrer\" content=\"no-referrer\">");
    m.element("title", language.say("随身账本审计报告", "Audit of a Suishen ledger"));
    m.raw("<style>").raw(STYLE).raw("</style></head><body>");
    head(&mut m, content);
    findings(&mut m, content);
    reads(&mut m, content);
    people(&mut m, content);
    claims(&mut m, content);
    limits(&mut m, content);
    m.raw("</body></html>\n");
    m.finish()
}

fn row<const N: usize>(m: &mut Markup, cells: [&dyn Display; N], first_number: usize) {
    for (column, cell) in cells.into_iter().enumerate() {
        m.raw(if column >= first_number { "<td class=\"n\">" } else { "<td>" }).text(cell).raw("</td>");
    }
}

/// Begins a table with its heads in Chinese and English; those from `first_number` on are over figures.
fn table<const N: usize>(
    m: &mut Markup,
    language: Language,
    heads: [(&'static str, &'static str); N],
    first_number: usize,
) {
    m.raw("<table><thead><tr>");
    for (column, (zh, en)) in heads.into_iter().enumerate() {
        m.raw(if column >= first_number { "<th class=\"n\">" } else { "<th>" });
        m.text(language.say(zh, en)).raw("</th>");
    }
    m.raw("</tr></thead><tbody>");
}

fn pair(m: &mut Markup, name: &str, value: impl Display) {
    m.element("dt", name).element("dd", value);
}

fn head(m: &mut Markup, content: &Content<'_>) {
    let Content { language, facts, tables, .. } = content;
    let say = |zh, en| language.say(zh, en);
    m.element("h1", say("随身账本审计报告", "Audit of a Suishen ledger"));
    m.raw("<p class=\"hex\">").text(facts.ledger).raw("</p><dl>");
    if let Some(auditor) = &tables.auditor {
        let name = tables.named(auditor);
        pair(m, say("审计方", "Auditor"), format_args!("{name} · {auditor}"));
    }
    pair(m, say("条目", "Entries"), facts.size);
    pair(m, say("账本建立", "Founded"), local(facts.founded));
    pair(m, say("最后一条", "Last entry"), local(facts.last));
    pair(m, say("检查点联署", "Cosigned"), local(facts.cosigned));
    if let Some(days) = &content.days {
        pair(m, say("期间", "Period"), days);
    }
    if let Some(look) = &content.look {
        pair(m, say("本次审计", "This audit"), format_args!("{} {}", say("条目", "entry"), look.entry));
        pair(m, say("事由", "Why"), look.why);
        pair(
            m,
            say("条目范围", "Entries opened"),
            format_args!("{}–{}", look.range.start, look.range.end.saturating_sub(1)),
        );
    }
    let keys = tables.quarters.iter().filter(|quarter| content.keys.public().any(|key| *key == quarter.key));
    pair(
        m,
        say("在手的盒密钥", "Box keys at hand"),
        format_args!("{} / {}", keys.count(), tables.quarters.len()),
    );
    pair(m, say("没有密钥的盒", "Boxes without a key at hand"), tables.no_key);
    pair(m, say("审计方自己的查看", "The auditor's own looks"), tables.looks);
    m.raw("</dl>");
    m.element("p", say(
        "每个签名、每次状态变化、两个根与联署都已从第 0 条起验证。时间为北京时间。",
        "Every signature, transition, both roots and the cosignatures were verified from entry 0. Times are Beijing time.",
    ));
}

fn findings(m: &mut Markup, content: &Content<'_>) {
    let language = content.language;
    m.element("h2", language.say("发现", "Findings"));
    if content.findings.is_empty() && content.more == 0 {
        m.element("p", language.say("没有发现。", "None."));
        return;
    }
    let wrong = content.findings.iter().filter(|finding| !finding.what.is_unusual());
    let unusual = content.findings.iter().filter(|finding| finding.what.is_unusual());
    let heads =
        [("条目", "Entry"), ("时间", "Time"), ("内容", "What"), ("机构", "Organisation"), ("人员", "Person")];
    table(m, language, heads, heads.len());
    for (class, finding) in wrong.map(|it| ("wrong", it)).chain(unusual.map(|it| ("odd", it))) {
        finding_row(m, content, class, finding);
    }
    m.raw("</tbody></table>");
    if content.more > 0 {
        m.raw("<p class=\"quiet\">").text(language.say("未列出的发现：", "Findings not listed: "));
        m.text(content.more).raw("</p>");
    }
    m.raw("<p class=\"quiet\">").text(language.say(
        "实线为错误，双线为异常而不一定错误。机构与凭据密钥由账本证明；姓名只来自证书。",
        "A solid line is wrong, a double one unusual and not wrong by itself. The ledger proves organisation and key; names come from certificates only.",
    ));
    m.raw("</p>");
}

fn finding_row(m: &mut Markup, content: &Content<'_>, class: &'static str, finding: &Finding) {
    let (party, person) = content.language.signer(finding, content.tables);
    m.raw("<tr").attribute("class", class).raw(">");
    let what = content.language.wrong(&finding.what, content.tables);
    row(m, [&finding.at.entry, &local(finding.at.time), &what, &party, &person], 5);
    m.raw("</tr>");
}

fn reads(m: &mut Markup, content: &Content<'_>) {
    let Content { language, tables, thresholds, .. } = content;
    m.element("h2", language.say("读取", "Reads"));
    if tables.reads == 0 {
        m.element("p", language.say("没有读取。", "None."));
        return;
    }
    m.element(
        "h3",
        language.say("按小时（北京时间，阴影为夜间）", "By hour (Beijing time; the night is shaded)"),
    );
    plot::hours(m, tables, thresholds, *language);
    let hours = (0..24u8).zip(tables.hours).filter(|(_, reads)| *reads > 0);
    counted(m, *language, ("时段", "Hour"), hours.map(|(hour, n)| (format!("{hour}:00–{}:00", hour + 1), n)));
    m.element("h3", language.say("按机构与月份", "By organisation and month"));
    plot::months(m, tables, *language);
    let months = tables.months.iter().rev().take(MOST_MONTHS);
    let named = months.map(|((month, party), n)| (format!("{month} · {}", tables.named(party)), *n));
    counted(m, *language, ("月份与机构", "Month and organisation"), named);
    let heads = [
        ("机构", "Organisation"),
        ("读取", "Reads"),
        ("记录", "Records"),
        ("敏感类", "Sensitive"),
        ("未具名", "Nameless"),
    ];
    table(m, *language, heads, 1);
    for (party, institution) in tables.institutions.iter().filter(|(_, institution)| institution.reads > 0) {
        let ordinary = crate::report::Sensitivity::Ordinary;
        let sensitive: u64 =
            institution.classes.iter().filter(|(class, _)| **class != ordinary).map(|(_, n)| n).sum();
        m.raw("<tr>");
        let cells: [&dyn Display; 5] = [
            &tables.named(party),
            &institution.reads,
            &institution.records,
            &sensitive,
            &institution.nameless,
        ];
        row(m, cells, 1);
        m.raw("</tr>");
    }
    m.raw("</tbody></table>");
    counted(
        m,
        *language,
        ("数据类别", "Class of data"),
        tables.classes.iter().map(|(class, n)| (language.class(*class).to_owned(), *n)),
    );
    counted(
        m,
        *language,
        ("目的", "Purpose"),
        tables.purposes.iter().map(|(code, n)| (language.purpose(code), *n)),
    );
    listed::reads(m, content);
}

fn counted(
    m: &mut Markup,
    language: Language,
    name: (&'static str, &'static str),
    rows: impl Iterator<Item = (String, u64)>,
) {
    table(m, language, [name, ("读取", "Reads")], 1);
    for (name, count) in rows {
        m.raw("<tr>");
        row(m, [&name, &count], 1);
        m.raw("</tr>");
    }
    m.raw("</tbody></table>");
}

fn people(m: &mut Markup, content: &Content<'_>) {
    let Content { language, tables, .. } = content;
    if tables.readers.is_empty() {
        return;
    }
    m.element("h2", language.say("人员（按证书）", "People (by certificate)"));
    let heads = [
        ("姓名", "Name"),
        ("机构", "Organisation"),
        ("角色", "Role"),
        ("最近", "Last"),
        ("读取", "Reads"),
        ("夜间", "At night"),
    ];
    table(m, *language, heads, 4);
    let mut readers: Vec<_> = tables.readers.iter().collect();
    readers.sort_by_key(|(_, reader)| Reverse(reader.reads));
    for ((party, _), reader) in readers.iter().take(MOST_READERS) {
        m.raw("<tr>");
        row(
            m,
            [
                &reader.who.described(),
                &tables.named(party),
                &language.role(reader.role),
                &local(reader.last.time),
                &reader.reads,
                &reader.night,
            ],
            4,
        );
        m.raw("</tr>");
    }
    m.raw("</tbody></table>");
    let more = readers.len().saturating_sub(MOST_READERS);
    not_listed(m, language.say("未列出的人员，见 CSV：", "People not listed, see the CSV files: "), more);
    by_month(m, content);
}

fn not_listed(m: &mut Markup, what: &'static str, more: usize) {
    if more > 0 {
        m.raw("<p class=\"quiet\">").text(what).text(more).raw("</p>");
    }
}

/// Who read how much in which month: the newest months, in each the busiest first.
fn by_month(m: &mut Markup, content: &Content<'_>) {
    let Content { language, tables, .. } = content;
    let mut people: Vec<_> = tables.people.iter().collect();
    people.sort_by_key(|((month, ..), counted)| Reverse((*month, counted.reads)));
    m.element("h3", language.say("按人员与月份", "By person and month"));
    let heads = [
        ("月份", "Month"),
        ("姓名", "Name"),
        ("机构", "Organisation"),
        ("读取", "Reads"),
        ("记录", "Records"),
        ("夜间", "At night"),
    ];
    table(m, *language, heads, 3);
    for ((month, party, key), counted) in people.iter().take(MOST_MONTHS) {
        let reader = tables.reader(party, key.as_ref());
        let nameless = || language.say("未具名", "Nameless").to_owned();
        let name = reader.map_or_else(nameless, |reader| reader.who.described());
        m.raw("<tr>");
        row(m, [month, &name, &tables.named(party), &counted.reads, &counted.records, &counted.night], 3);
        m.raw("</tr>");
    }
    m.raw("</tbody></table>");
    let more = people.len().saturating_sub(MOST_MONTHS);
    not_listed(m, language.say("未列出的行，见 months.csv：", "Lines not listed, see months.csv: "), more);
}

fn claims(m: &mut Markup, content: &Content<'_>) {
    let Content { language, tables, .. } = content;
    m.element("h2", language.say("理赔", "Claims"));
    if tables.claims.is_empty() {
        m.element("p", language.say("没有结算。", "None."));
    } else {
        plot::claims(m, tables, *language);
        let heads = [
            ("保险方", "Insurer"),
            ("支付方", "Slot"),
            ("全额", "Whole"),
            ("部分", "Partly"),
            ("撤销", "Taken back"),
            ("金额未知", "Sum unknown"),
            ("申请", "Claimed"),
            ("支付", "Paid"),
        ];
        table(m, *language, heads, 2);
        for ((insurer, slot, currency), it) in &tables.claims {
            let [claimed, paid] = [it.claimed, it.paid].map(|value| {
                if currency.is_empty() { "–".to_owned() } else { format!("{} {currency}", sum(value)) }
            });
            m.raw("<tr>");
            row(
                m,
                [
                    &tables.named(insurer),
                    &language.slot(*slot),
                    &it.whole,
                    &it.partly,
                    &it.reversed,
                    &it.unread,
                    &claimed,
                    &paid,
                ],
                2,
            );
            m.raw("</tr>");
        }
        m.raw("</tbody></table>");
    }
    for (hospital, count) in &tables.voided {
        m.raw("<p>")
            .text(tables.named(hospital))
            .text(language.say("：作废的票据支付方 ", ": payer slots voided "))
            .text(count)
            .raw("</p>");
    }
    listed::reversals(m, content);
}

fn limits(m: &mut Markup, content: &Content<'_>) {
    let Content { language, thresholds, .. } = content;
    m.element("h2", language.say("账本说不出的", "What the ledger cannot tell"));
    m.element("p", language.say(
        "读取之后有没有回执：回执封给患者，不在账本上。患者是谁、记录写了什么：账本只有化名与类别。被拒绝的理赔：不是条目。",
        "Whether a read has a receipt: receipts go sealed to the patient and stand on no ledger. Who a patient is and what a record says: the ledger has pseudonyms and classes. What an insurer refused: that is no entry.",
    ));
    let (from, to) = thresholds.night;
    m.raw("<p class=\"quiet\">").text(language.say("异常的界限：", "Unusual means: "));
    m.text(format_args!(
        "≥ {} {} {} h · ≥ {} × {} · {from}:00–{to}:00 ≥ {}",
        thresholds.many,
        language.say("次，每", "reads in"),
        thresholds.window / 3600,
        thresholds.times,
        language.say("同角色中位数", "the median of the same role"),
        thresholds.night_reads,
    ));
    m.raw("</p>");
}
