//! What the list shows of a record: a card, made when its content was opened and verified, and kept sealed beside it. So a
//! wallet of ten thousand records opens without opening ten thousand contents.
//!
//! A card is as secret as its record. It is never the truth where a person looks at the record itself: that page opens and
//! verifies the content. One that is missing, damaged or of another form is made again.

use serde::{Deserialize, Serialize};
use suishen_bridge::fhir::{Finding, Kind, Moment, ReportView};
use suishen_bridge::{Filter, RecordCard, RecordTag, Sensitivity};
use suishen_core::id::Commitment;
use suishen_core::order;
use suishen_core::report::{self, Manifest};
use suishen_core::sm::Random;
use suishen_core::vault::{Marks, Record, Vault};

/// The form that is written here; a card of any other is made again.
const FORM: u8 = 1;

/// What the list, its search and its choices need of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    form: u8,
    /// The day, `2026-11-12`, or less where less was known.
    pub date: String,
    /// Department, may be empty.
    pub department: String,
    /// Hospital.
    pub organisation: String,
    kind: Kind,
    title: String,
    high: u32,
    low: u32,
    finding: String,
    /// Whether it may be in a bulk choice.
    pub sensitivity: Sensitivity,
    /// The report in whose place it was issued.
    pub replaces: Option<String>,
    /// Whom it is about.
    pub patient: Option<String>,
    /// Names of its values.
    pub values: Vec<String>,
    /// Address of the content that it was made from; none where the record has no content to read.
    pub content: Option<String>,
    /// What search finds it by beside its title and tags, in small letters.
    words: String,
}

impl Card {
    /// The card of a content that was opened and verified.
    pub fn of(record: &Record, manifest: &Manifest, view: &ReportView) -> Self {
        let date = view.date().map(day_of).unwrap_or_default();
        let department = view.department.clone().unwrap_or_default();
        let organisation = view.organisation.clone().unwrap_or_else(|| issuer(record));
        let (high, low, finding) = match &view.finding {
            Finding::Counts { high, low, .. } => (*high, *low, String::new()),
            Finding::Sentence(text) => (0, 0, text.clone()),
            Finding::Nothing => (0, 0, String::new()),
        };
        let words = {
            let names = view.rows.iter().flat_map(|row| std::iter::once(&row.name).chain(&row.short));
            let passages = view.sections.iter().flat_map(|section| [&section.title, &section.text]);
            let first = [&organisation, &department, &finding, &date];
            let all = first.into_iter().chain(names).chain(passages).chain(&view.conclusion);
            all.map(|text| text.to_lowercase()).collect::<Vec<_>>().join(" ")
        };
        Self {
            form: FORM,
            date,
            department,
            organisation,
            kind: view.kind,
            title: view.title.clone(),
            high,
            low,
            finding,
            sensitivity: sensitivity(manifest),
            replaces: manifest.replaces.map(Commitment::to_hex),
            patient: view.patient.as_ref().and_then(|patient| patient.name.clone()),
            values: view.rows.iter().map(|row| row.name.clone()).collect(),
            content: content_of(record, manifest),
            words,
        }
    }

    /// What can be said of a record whose content wasn't read: who issued it, and when (`day`).
    pub fn unread(record: &Record, manifest: &Manifest, day: String) -> Self {
        let organisation = issuer(record);
        Self {
            form: FORM,
            date: day,
            department: String::new(),
            title: organisation.clone(),
            words: organisation.to_lowercase(),
            organisation,
            kind: Kind::Other,
            high: 0,
            low: 0,
            finding: String::new(),
            sensitivity: sensitivity(manifest),
            replaces: manifest.replaces.map(Commitment::to_hex),
            patient: None,
            values: Vec::new(),
            content: content_of(record, manifest),
        }
    }

    /// Whether it is of the treatment that an invoice is for: the same person's, by the same hospital, within two months.
    pub fn explains(&self, invoice: &Self) -> bool {
        let near = match (months(&self.date), months(&invoice.date)) {
            (Some(own), Some(of)) => own.abs_diff(of) <= 2,
            _ => false,
        };
        near && self.kind != Kind::Invoice
            && self.organisation == invoice.organisation
            && self.patient.is_some()
            && self.patient == invoice.patient
    }

    /// Whether it sums up a stay.
    pub const fn is_discharge(&self) -> bool {
        matches!(self.kind, Kind::Discharge)
    }

    /// Whether it lists what was charged.
    pub const fn is_fee_list(&self) -> bool {
        matches!(self.kind, Kind::Fees)
    }

    /// Encrypts it as this record's, under the key of this device.
    pub fn seal(&self, vault: &Vault, record: &Commitment, random: &mut dyn Random) -> Vec<u8> {
        let text = zeroize::Zeroizing::new(suishen_bridge::encode(self));
        vault.seal_local(&name_of(record), &text, random)
    }

    /// Opens what [`Card::seal`] made for this record; none when it is another's, damaged, or of another form.
    pub fn open(vault: &Vault, record: &Commitment, sealed: &[u8]) -> Option<Self> {
        let text = vault.open_local(&name_of(record), sealed).ok()?;
        let card: Self = suishen_bridge::decode(&text)?;
        (card.form == FORM).then_some(card)
    }

    /// Its title, or the name that the person gave it.
    pub fn title<'a>(&'a self, marks: &'a Marks) -> &'a str {
        marks.name.as_ref().unwrap_or(&self.title)
    }

    /// Whether the list shows it.
    fn is_found(&self, marks: &Marks, filter: &Filter) -> bool {
        let (title, tags) = (self.title(marks).to_lowercase(), &marks.tags);
        let has = |word: &str| {
            title.contains(word)
                || self.words.contains(word)
                || tags.iter().any(|tag| tag.to_lowercase().contains(word))
        };
        (filter.hidden || !marks.hidden)
            && filter.kind.is_none_or(|kind| kind == self.kind)
            && filter.tag.as_ref().is_none_or(|tag| tags.contains(tag))
            && filter.search.to_lowercase().split_whitespace().all(has)
    }

    /// The list's row.
    pub fn row(&self, record: &Commitment, marks: &Marks, tags: Vec<RecordTag>) -> RecordCard {
        RecordCard {
            record: record.to_hex(),
            visit: format!("{}|{}|{}", self.date, self.organisation, self.department),
            date: self.date.clone(),
            department: self.department.clone(),
            organisation: self.organisation.clone(),
            kind: self.kind,
            title: self.title(marks).to_owned(),
            high: self.high,
            low: self.low,
            finding: self.finding.clone(),
            marks: tags,
            tags: marks.tags.iter().cloned().collect(),
            hidden: marks.hidden,
            sensitivity: self.sensitivity,
        }
    }
}

/// A record in the list's order, before it is a row.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The record.
    pub record: Commitment,
    /// Its card.
    pub card: &'a Card,
    /// What the person put on it.
    pub marks: Marks,
    /// When it was kept.
    pub kept: u64,
}

/// Those of the records that the list shows, newest first.
pub fn found<'a>(all: impl Iterator<Item = Entry<'a>>, filter: &Filter) -> Vec<Entry<'a>> {
    let mut found: Vec<_> = all.filter(|entry| entry.card.is_found(&entry.marks, filter)).collect();
    order::sort_by(&mut found, |a, b| {
        let visit = |e: &Entry<'a>| (&e.card.organisation, &e.card.department);
        let (titles, visits) = (a.card.title(&a.marks).cmp(b.card.title(&b.marks)), visit(a).cmp(&visit(b)));
        b.card.date.cmp(&a.card.date).then(visits).then(titles)
    });
    found
}

/// How many of so many entries the page asked for, and how many more there are.
pub fn paged(all: usize, most: Option<u32>) -> (usize, u32) {
    let here = most.and_then(|most| usize::try_from(most).ok()).map_or(all, |most| most.min(all));
    (here, u32::try_from(all - here).unwrap_or(u32::MAX))
}

/// Under which name a card is sealed.
fn name_of(record: &Commitment) -> String {
    format!("card/{record}")
}

fn issuer(record: &Record) -> String {
    record.added.chain.leaf().subject().organisation.clone()
}

/// The address of what is read of a record.
fn content_of(record: &Record, manifest: &Manifest) -> Option<String> {
    let number = manifest.fhir_part()?;
    record.added.parts.iter().find(|copy| copy.part == number).map(|copy| copy.address.to_hex())
}

fn sensitivity(manifest: &Manifest) -> Sensitivity {
    match manifest.sensitivity {
        report::Sensitivity::Ordinary => Sensitivity::Normal,
        _ => Sensitivity::Sensitive,
    }
}

/// `2026-11-12`, or less where less was known.
fn day_of(moment: &Moment) -> String {
    let part = |part: Option<u8>| part.map(|p| format!("-{p:02}")).unwrap_or_default();
    format!("{:04}{}{}", moment.year, part(moment.month), part(moment.day))
}

/// Months since the year 0, of a day.
fn months(date: &str) -> Option<u32> {
    let (year, rest) = date.split_once('-')?;
    let month = rest.split('-').next()?;
    Some(year.parse::<u32>().ok()?.checked_mul(12)? + month.parse::<u32>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use suishen_core::id::LedgerId;

    /// Different bytes each time; tests need no more.
    struct Counting(u8);

    impl Random for Counting {
        fn fill(&mut self, bytes: &mut [u8]) {
            for byte in bytes {
                self.0 = self.0.wrapping_mul(5).wrapping_add(113);
                *byte = self.0;
            }
        }
    }

    fn vault(seed: u8) -> Vault {
        Vault::create(LedgerId::from_bytes([7; 32]), "a phone", 1, &mut Counting(seed)).0
    }

    fn id(number: u8) -> Commitment {
        Commitment::from_bytes([number; 32])
    }

    fn card(title: &str, date: &str, organisation: &str) -> Card {
        Card {
            form: FORM,
            date: date.to_owned(),
            department: String::new(),
            organisation: organisation.to_owned(),
            kind: Kind::Laboratory,
            title: title.to_owned(),
            high: 1,
            low: 0,
            finding: String::new(),
            sensitivity: Sensitivity::Normal,
            replaces: None,
            patient: Some("林秀兰".to_owned()),
            values: vec!["低密度脂蛋白".to_owned()],
            content: Some("00".to_owned()),
            words: format!("{} ldl-c", organisation.to_lowercase()),
        }
    }

    fn titles(cards: &[(Card, Marks)], filter: &Filter) -> Vec<String> {
        let entries = cards.iter().enumerate().map(|(number, (card, marks))| Entry {
            record: id(u8::try_from(number).unwrap_or_default()),
            card,
            marks: marks.clone(),
            kept: 1,
        });
        found(entries, filter).iter().map(|entry| entry.card.title(&entry.marks).to_owned()).collect()
    }

    fn three() -> Vec<(Card, Marks)> {
        let tagged = Marks { tags: ["Heart".to_owned()].into(), ..Marks::default() };
        let hidden = Marks { hidden: true, ..Marks::default() };
        vec![
            (card("old", "2024-05-01", "Peace"), tagged),
            (card("new", "2026-11-12", "Union"), Marks::default()),
            (card("middle", "2025-05-01", "Union"), hidden),
        ]
    }

    #[test]
    fn a_card_opens_as_its_own_records_in_its_own_wallet_only() {
        let (own, card) = (vault(1), card("blood", "2026-11-12", "Union"));
        let sealed = card.seal(&own, &id(1), &mut Counting(9));
        assert_eq!(Card::open(&own, &id(1), &sealed), Some(card.clone()));
        assert_eq!(Card::open(&own, &id(2), &sealed), None, "another record's");
        assert_eq!(Card::open(&vault(2), &id(1), &sealed), None, "another wallet's");
        let open = suishen_bridge::encode(&card);
        assert!(!sealed.windows(5).any(|bytes| bytes == b"blood"), "sealed");
        assert!(open.windows(5).any(|bytes| bytes == b"blood"));
    }

    #[test]
    fn a_card_that_is_damaged_or_of_another_form_is_made_again() {
        let (own, card) = (vault(1), card("blood", "2026-11-12", "Union"));
        let sealed = card.seal(&own, &id(1), &mut Counting(9));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(Card::open(&own, &id(1), &changed), None, "byte {at}");
        }
        let newer = Card { form: FORM + 1, ..card };
        assert_eq!(Card::open(&own, &id(1), &newer.seal(&own, &id(1), &mut Counting(9))), None);
    }

    #[test]
    fn the_newest_come_first_and_hidden_ones_on_demand() {
        let all = three();
        assert_eq!(titles(&all, &Filter::default()), ["new", "old"]);
        assert_eq!(titles(&all, &Filter { hidden: true, ..Filter::default() }), ["new", "middle", "old"]);
    }

    #[test]
    fn words_are_looked_for_in_titles_own_names_tags_and_texts() {
        let mut all = three();
        let searched =
            |all: &[_], search: &str| titles(all, &Filter { search: search.to_owned(), ..Filter::default() });
        assert_eq!(searched(&all, "LDL-C"), ["new", "old"]);
        assert_eq!(searched(&all, "ldl-c heart"), ["old"]);
        assert_eq!(searched(&all, "union"), ["new"]);
        assert!(searched(&all, "nothing of the kind").is_empty());
        all[1].1.name = Some("Mine".to_owned());
        assert_eq!(searched(&all, "mine"), ["Mine"]);
        assert_eq!(titles(&all, &Filter { tag: Some("Heart".to_owned()), ..Filter::default() }), ["old"]);
        assert!(titles(&all, &Filter { kind: Some(Kind::Imaging), ..Filter::default() }).is_empty());
    }

    #[test]
    fn a_page_has_as_many_as_were_asked_for_and_says_what_is_left() {
        assert_eq!(paged(10_000, Some(60)), (60, 9940));
        assert_eq!(paged(10_000, None), (10_000, 0));
        assert_eq!(paged(59, Some(60)), (59, 0));
        assert_eq!(paged(0, Some(60)), (0, 0));
    }
}
