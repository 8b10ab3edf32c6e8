//! Tables of an audit: what is wrong, who read, what was paid.

use suishen_bridge::{AuditFinding, AuditRead, AuditReader, AuditView, Payer, Purpose};
use yew::{Html, html};

use crate::{
    view::{claim::sum, passage::purpose_key},
    words::{Words, figure},
};

/// A table with its heading; the heads after the first `words_first` are over figures.
fn table(title: String, heads: (usize, &[&str]), rows: Html, words: &Words) -> Html {
    chosen(title, Html::default(), heads, rows, words)
}

/// A table with its heading, and between the two what chooses its rows.
fn chosen(
    title: String,
    choice: Html,
    (words_first, heads): (usize, &[&str]),
    rows: Html,
    words: &Words,
) -> Html {
    html! {
        <section class="card padded stack close">
            <h2>{ &title }</h2>
            { choice }
            <div class="table-scroll" tabindex="0" role="region" aria-label={title.clone()}>
                <table class="table">
                    <thead><tr>{ for heads.iter().enumerate().map(|(place, head)| html! { <th scope="col" class={(place >= words_first).then_some("figure")}>{ words.say(head) }</th> }) }</tr></thead>
                    <tbody>{ rows }</tbody>
                </table>
            </div>
        </section>
    }
}

/// A table of plain text without a card of its own; the last column is of figures.
pub fn plain(heads: &[&str], rows: Vec<Vec<String>>, words: &Words) -> Html {
    let last = heads.len().saturating_sub(1);
    let class = |place: usize| (place == last).then_some("figure");
    html! {
        <table class="table">
            <thead><tr>{ for heads.iter().enumerate().map(|(place, head)| html! { <th scope="col" class={class(place)}>{ words.say(head) }</th> }) }</tr></thead>
            <tbody>
                { for rows.into_iter().map(|row| html! {
                    <tr>{ for row.into_iter().enumerate().map(|(place, cell)| html! { <td class={class(place)}>{ cell }</td> }) }</tr>
                }) }
            </tbody>
        </table>
    }
}

/// A finding as a sentence.
fn sentence(finding: &AuditFinding, checked: u64, words: &Words) -> String {
    let boxed = match finding.boxed.as_str() {
        "" => String::new(),
        boxed => words.say(&format!("boxed-{boxed}")),
    };
    let (reads, peers) = finding.counts;
    let peers = peers.map_or_else(|| "–".to_owned(), |peers| peers.to_string());
    let since =
        if finding.name == "key-overdue" { words.when(finding.other, checked) } else { String::new() };
    words.with(
        &format!("finding-{}", finding.name),
        &[
            ("boxed", boxed.into()),
            ("entry", figure(finding.other)),
            ("who", finding.who.as_str().into()),
            ("reads", figure(reads)),
            ("peers", peers.into()),
            ("time", since.into()),
        ],
    )
}

fn found(finding: &AuditFinding, checked: u64, words: &Words) -> Html {
    let organisation = match finding.organisation.as_str() {
        "" => words.say("audit-patients-key"),
        name => name.to_owned(),
    };
    let person = if finding.person.is_empty() || finding.proven {
        finding.person.clone()
    } else {
        words.with("audit-claimed-name", &[("name", finding.person.as_str().into())])
    };
    html! {
        <tr key={format!("{}-{}-{}", finding.entry, finding.name, finding.boxed)}>
            <td class="figure">{ finding.entry }</td>
            <td>{ words.say(if finding.unusual { "audit-unusual" } else { "audit-wrong" }) }</td>
            <td>{ words.when(finding.time, checked) }</td>
            <td>{ sentence(finding, checked, words) }</td>
            <td>{ organisation }</td>
            <td>{ person }</td>
        </tr>
    }
}

/// What is wrong, before what is unusual.
pub fn findings(view: &AuditView, words: &Words) -> Html {
    let title = words.say("audit-findings");
    if view.findings.is_empty() {
        let said = match view.no_key {
            0 => words.say("audit-findings-none"),
            unopened => words.count("audit-findings-unopened", unopened),
        };
        return html! { <section class="card padded stack close"><h2>{ title }</h2><p>{ said }</p></section> };
    }
    let (unusual, wrong): (Vec<_>, Vec<_>) = view.findings.iter().partition(|finding| finding.unusual);
    let rows = wrong.into_iter().chain(unusual).map(|finding| found(finding, view.checked, words));
    let heads =
        ["audit-entry", "audit-kind", "issued-at", "audit-what", "audit-organisation", "audit-person"];
    html! {<>
        { table(title, (heads.len(), &heads), rows.collect(), words) }
        if view.more > 0 { <p class="quiet">{ words.count("audit-findings-more", view.more) }</p> }
    </>}
}

/// One read a line.
pub fn reads(reads: &[AuditRead], checked: u64, words: &Words) -> Html {
    let rows = reads.iter().map(|read| {
        let key = match read.proven {
            Some(true) => "audit-proven",
            Some(false) => "audit-not-proven",
            None => "audit-not-opened",
        };
        let who = if read.who.is_empty() { "–" } else { read.who.as_str() };
        let classes: Vec<String> =
            read.classes.iter().map(|class| words.say(&format!("class-{class}"))).collect();
        let (holder, grant) = &read.authority;
        let holder = holder.as_deref().unwrap_or("–");
        let authority = words
            .with("audit-authority-of", &[("holder", holder.into()), ("consent", grant.as_str().into())]);
        let purpose = read.purpose.as_deref().map_or_else(|| "–".to_owned(), |code| purpose_name(code, words));
        html! {
            <tr key={read.entry}>
                <td class="figure">{ read.entry }</td><td>{ words.when(read.time, checked) }</td><td>{ who }</td><td>{ &read.organisation }</td>
                <td>{ words.count("records-count", read.records) }if !classes.is_empty() { { " · " }{ words.list(&classes) } }</td>
                <td>{ purpose }</td><td>{ authority }</td><td>{ words.say(key) }</td>
            </tr>
        }
    });
    let heads = [
        "audit-entry",
        "issued-at",
        "audit-person",
        "audit-organisation",
        "audit-records",
        "audit-purpose",
        "audit-authority",
        "audit-checked",
    ];
    table(words.say("audit-each-read"), (heads.len(), &heads), rows.collect(), words)
}

fn purpose_name(code: &str, words: &Words) -> String {
    Purpose::of(code).map_or_else(|| code.to_owned(), |it| words.say(purpose_key(it)))
}

/// Reads by organisation.
pub fn institutions(view: &AuditView, words: &Words) -> Html {
    let rows = view.institutions.iter().map(|it| {
        html! {
            <tr key={it.name.clone()}>
                <td>{ &it.name }</td><td class="figure">{ it.reads }</td><td class="figure">{ it.records }</td>
                <td class="figure">{ it.sensitive }</td><td class="figure">{ it.nameless }</td>
            </tr>
        }
    });
    let heads = ["audit-organisation", "audit-reads", "audit-records", "audit-sensitive", "audit-nameless"];
    table(words.say("audit-by-organisation"), (1, &heads), rows.collect(), words)
}

/// Reads by person or server; `choice` is of which month.
pub fn readers(choice: Html, readers: &[AuditReader], checked: u64, words: &Words) -> Html {
    let rows = readers.iter().map(|reader| {
        let name = if reader.name.is_empty() { words.say("audit-nameless") } else { reader.name.clone() };
        html! {
            <tr>
                <td>{ name }</td><td>{ &reader.organisation }</td><td>{ words.when(reader.last, checked) }</td>
                <td class="figure">{ reader.reads }</td><td class="figure">{ reader.records }</td><td class="figure">{ reader.night }</td>
            </tr>
        }
    });
    let heads =
        ["audit-person", "audit-organisation", "audit-last", "audit-reads", "audit-records", "audit-night"];
    chosen(words.say("audit-by-person"), choice, (3, &heads), rows.collect(), words)
}

/// Reads by purpose.
pub fn purposes(view: &AuditView, words: &Words) -> Html {
    let rows = view.purposes.iter().map(|(code, reads)| {
        html! { <tr key={code.clone()}><td>{ purpose_name(code, words) }</td><td class="figure">{ reads }</td></tr> }
    });
    table(words.say("audit-by-purpose"), (1, &["audit-purpose", "audit-reads"]), rows.collect(), words)
}

/// What was claimed and paid.
pub fn claims(view: &AuditView, words: &Words) -> Html {
    let total = |hundredths: u64, currency: &str| match currency {
        "" => "–".to_owned(),
        currency => sum(&format!("{}.{:02} {currency}", hundredths / 100, hundredths % 100)),
    };
    let rows = view.claims.iter().map(|it| {
        let payer = match it.payer {
            Payer::Statutory => "audit-payer-statutory",
            Payer::Commercial => "audit-payer-commercial",
        };
        html! {
            <tr key={format!("{}{payer}{}", it.insurer, it.currency)}>
                <td>{ &it.insurer }</td><td>{ words.say(payer) }</td>
                { for it.counts.iter().map(|count| html! { <td class="figure">{ count }</td> }) }
                <td class="figure">{ total(it.claimed, &it.currency) }</td><td class="figure">{ total(it.paid, &it.currency) }</td>
            </tr>
        }
    });
    let heads = [
        "audit-insurer",
        "audit-payer",
        "audit-whole-paid",
        "audit-partly-paid",
        "audit-taken-back",
        "audit-sum-unknown",
        "audit-claimed",
        "audit-paid",
    ];
    table(words.say("audit-claims"), (2, &heads), rows.collect(), words)
}
