//! Opening groups: what a reader was shown is put together again and compared with what the issuer signed.
//! Any doubt refuses the whole: an unknown digest, one place twice, a modifier that isn't known, a head or an
//! entry that is missing (PROTOCOL §4).

use super::{
    ClaimTag, Manifest, ReportError, Salt16,
    manifest::{LEAST_GROUPS, MAX_GROUPS},
    profile::{self, COUNT_PATH, Element, GroupKind, MEMBERS},
    tag,
};
use crate::order;
use crate::{
    cbor,
    contract::Slot,
    fhir::{FhirError, Json, ReportView},
    id::PartyId,
    sm::{Digest, Label},
};
use minicbor::{Decoder, decode};
use std::collections::{BTreeMap, BTreeSet};

/// Most elements of a report that come in groups. While they are read, so that no ciphertext makes many times its size of them.
pub(super) const MAX_ELEMENTS: usize = 1 << 19;

/// The longest path, in tokens. Groups are cut near the root.
const MAX_TOKENS: usize = 8;

/// A group, opened: its salt and its elements as (JSON Pointer, literal JSON text).
#[derive(Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct GroupOpening {
    /// Without it nobody can test a guess against the digest.
    #[n(0)]
    pub salt: Salt16,
    /// The elements.
    #[cbor(n(1), decode_with = "decode_elements")]
    pub elements: Vec<Element>,
}

fn decode_elements<C>(d: &mut Decoder<'_>, context: &mut C) -> Result<Vec<Element>, decode::Error> {
    let mut read = Vec::new();
    for element in d.array_iter_with::<C, Element>(context)? {
        if read.len() == MAX_ELEMENTS {
            return Err(decode::Error::message("more elements than a report has"));
        }
        read.push(element?);
    }
    Ok(read)
}

/// Reads opened groups: no more of them than a manifest has, nor more elements in all than a report has.
pub(crate) fn decode_openings<C>(
    d: &mut Decoder<'_>,
    context: &mut C,
) -> Result<Vec<GroupOpening>, decode::Error> {
    let (mut read, mut count) = (Vec::new(), 0_usize);
    for opening in d.array_iter_with::<C, GroupOpening>(context)? {
        let opening = opening?;
        count = count.saturating_add(opening.elements.len());
        if read.len() == MAX_GROUPS || count > MAX_ELEMENTS {
            return Err(decode::Error::message("more than a report has"));
        }
        read.push(opening);
    }
    Ok(read)
}

impl core::fmt::Debug for GroupOpening {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "GroupOpening([redacted], {} elements)", self.elements.len())
    }
}

impl GroupOpening {
    /// SM3(label ‖ salt ‖ canonical CBOR of the elements).
    pub fn digest(&self) -> Digest {
        Digest::labelled(Label::new("group"), &[self.salt.as_bytes(), &cbor::encode(&self.elements)])
    }

    /// The payer slot whose tag this is; none for every other group.
    pub fn slot(&self) -> Option<Slot> {
        self.elements.first().and_then(|(path, _)| tag::slot_at(path))
    }

    /// The tag in it, of this hospital's; none in every other group, and none that can't be read.
    pub fn tag(&self, issuer: &PartyId) -> Option<ClaimTag> {
        let (slot, [(_, text)]) = (self.slot()?, self.elements.as_slice()) else { return None };
        ClaimTag::read(slot, text, issuer).ok()
    }

    pub(super) fn is_head(&self) -> bool {
        self.elements.iter().any(|(path, _)| path == COUNT_PATH)
    }

    /// The entry that the group is about.
    pub(super) fn home(&self) -> &str {
        self.elements.first().map_or("", |(path, _)| home_of(path))
    }

    /// Whether it is an entry's own group and not one that was cut out of it.
    pub(super) fn is_own(&self) -> bool {
        self.owned().next().is_some()
    }

    /// The entries whose type stands in it: one for a group as it is cut.
    fn owned(&self) -> impl Iterator<Item = &str> {
        self.elements.iter().filter_map(|(path, _)| typed_home(path))
    }
}

/// The entry (`/entry/3`) or root (empty) that a path leads into.
fn home_of(path: &str) -> &str {
    let Some(rest) = path.strip_prefix("/entry/") else { return "" };
    let end = rest.find('/').unwrap_or(rest.len());
    &path[.."/entry/".len() + end]
}

/// The entry or root whose resource's type stands under exactly this path.
fn typed_home(path: &str) -> Option<&str> {
    let place = path.strip_suffix("/resourceType")?;
    let home = home_of(path);
    (place == place_of(home)).then_some(home)
}

/// Where the resource of an entry, or the root's, begins.
fn place_of(home: &str) -> String {
    if home.is_empty() { String::new() } else { format!("{home}/resource") }
}

/// Whether a path says of a resource which members it has.
fn is_members(path: &str) -> bool {
    path.strip_suffix(MEMBERS).is_some_and(|place| place == place_of(home_of(path)))
}

/// What was shown, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The FHIR JSON as far as it was shown.
    pub json: Json,
    /// How many groups were not shown. They are withheld, not absent. Claim tags don't count: they say nothing.
    pub withheld: usize,
    /// The payers' tags that were shown, in a claim.
    pub tags: Vec<ClaimTag>,
}

impl Opened {
    /// The report for a screen.
    pub fn view(&self) -> Result<ReportView, FhirError> {
        ReportView::from_tree(&self.json)
    }
}

impl Manifest {
    /// Verifies the shown groups against the signed digests and puts the JSON together again.
    pub fn open_groups(&self, openings: &[GroupOpening]) -> Result<Opened, ReportError> {
        if openings.len() > self.groups.len() || openings.len() > MAX_GROUPS {
            return Err(ReportError::UnknownGroup);
        }
        let mut root = Tree::Branch(BTreeMap::new());
        let (mut total, mut tags) = (None, Vec::new());
        let mut seen = BTreeSet::new();
        for opening in openings {
            let digest = opening.digest();
            if self.groups.binary_search(&digest).is_err() {
                return Err(ReportError::UnknownGroup);
            }
            if !seen.insert(digest) {
                let path = opening.elements.first().map_or("", |(path, _)| path);
                return Err(ReportError::SamePlace(brief(path)));
            }
            if opening.slot().is_some() {
                tags.push(opening.tag(&self.issuer).ok_or(ReportError::Tag)?);
                continue;
            }
            for (path, text) in &opening.elements {
                if path == COUNT_PATH {
                    let count = text.parse().ok().filter(|count: &usize| count.to_string() == *text);
                    let count = count.ok_or_else(|| ReportError::BadPath(brief(path)))?;
                    if total.replace(count).is_some() {
                        return Err(ReportError::SamePlace(brief(path)));
                    }
                    continue;
                }
                if is_members(path) {
                    continue;
                }
                let value = Json::parse(text.as_bytes())?;
                profile::refuse_modifiers(&value, path)?;
                if path.split('/').any(|token| matches!(token, "modifierExtension" | "implicitRules")) {
                    return Err(ReportError::Modifier(brief(path)));
                }
                root.place(path, value)?;
            }
        }
        let total = total.ok_or(ReportError::NoHead)?;
        let json = root.into_json("")?;
        whole_resources(&json)?;
        check_cut(openings)?;
        self.check_count(total)?;
        let withheld = (total + tags.len()).checked_sub(openings.len()).ok_or(ReportError::UnknownGroup)?;
        super::claim::Invoice::in_report(&json)?;
        super::FeeList::in_report(&json)?;
        Ok(Opened { json, withheld, tags })
    }

    /// The head's count, the tags beside it and the decoys make up the groups that were signed: nothing more is hidden
    /// than is said.
    fn check_count(&self, total: usize) -> Result<(), ReportError> {
        let signed = |tags: usize| {
            total <= MAX_GROUPS && (total + tags).next_power_of_two().max(LEAST_GROUPS) == self.groups.len()
        };
        if (0..=Slot::ALL.len()).any(signed) { Ok(()) } else { Err(ReportError::UnknownGroup) }
    }
}

fn brief(path: &str) -> String {
    path.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// JSON under construction: arrays are branches with numbers for names.
enum Tree {
    Leaf(Json),
    Branch(BTreeMap<Token, Tree>),
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    Index(u32),
    Name(String),
}

impl Token {
    fn read(token: &str) -> Option<Self> {
        if token.starts_with(|c: char| c.is_ascii_digit()) {
            // No FHIR element is named by a figure; one spelling of each number.
            let index: u32 = token.parse().ok()?;
            return (index.to_string() == token).then_some(Self::Index(index));
        }
        (!token.is_empty()).then(|| Self::Name(token.replace("~1", "/").replace("~0", "~")))
    }
}

impl Tree {
    fn place(&mut self, path: &str, value: Json) -> Result<(), ReportError> {
        let bad = || ReportError::BadPath(brief(path));
        let rest = path.strip_prefix('/').ok_or_else(bad)?;
        let tokens: Vec<Token> = rest.split('/').map(Token::read).collect::<Option<_>>().ok_or_else(bad)?;
        if tokens.len() > MAX_TOKENS {
            return Err(bad());
        }
        let mut place = self;
        let last = tokens.len() - 1;
        let mut value = Some(value);
        for (i, token) in tokens.into_iter().enumerate() {
            let Self::Branch(children) = place else { return Err(ReportError::SamePlace(brief(path))) };
            if i == last {
                let leaf = Self::Leaf(value.take().unwrap_or(Json::Null));
                if children.insert(token, leaf).is_some() {
                    return Err(ReportError::SamePlace(brief(path)));
                }
                return Ok(());
            }
            place = children.entry(token).or_insert_with(|| Self::Branch(BTreeMap::new()));
        }
        Ok(())
    }

    /// Objects and arrays again; what wasn't shown leaves no hole in an array.
    fn into_json(self, path: &str) -> Result<Json, ReportError> {
        let children = match self {
            Self::Leaf(json) => return Ok(json),
            Self::Branch(children) => children,
        };
        let (mut items, mut members) = (Vec::new(), Vec::new());
        for (token, child) in children {
            match token {
                Token::Index(i) => items.push(child.into_json(&format!("{path}/{i}"))?),
                Token::Name(name) => {
                    let child = child.into_json(&format!("{path}/{name}"))?;
                    members.push((name, child));
                }
            }
        }
        match (items.is_empty(), members.is_empty()) {
            (false, false) => Err(ReportError::SamePlace(brief(path))),
            (false, true) => Ok(Json::Array(items)),
            _ => {
                // A resource begins with its type, as people write it.
                order::sort_by_key(&mut members, |(name, _)| name != "resourceType");
                Ok(Json::Object(members))
            }
        }
    }
}

/// Every resource shown must say what it is: cut-out pieces never stand without their entry.
fn whole_resources(json: &Json) -> Result<(), ReportError> {
    if json.get("resourceType").is_none() {
        return Err(ReportError::Torn("resourceType".to_owned()));
    }
    let entries = json.get("entry").and_then(Json::as_array).unwrap_or_default();
    for (i, entry) in entries.iter().enumerate() {
        if entry.get("resource").is_some_and(|r| r.get("resourceType").is_none()) {
            return Err(ReportError::Torn(format!("/entry/{i}")));
        }
    }
    Ok(())
}

/// What belongs together stands in one group: a value with its unit, status, date, subject and modifiers, an invoice's
/// total with its number and status. Whoever signed groups that are cut finer, hospital or not, could have halves
/// shown; nothing of such a report is.
fn check_cut(openings: &[GroupOpening]) -> Result<(), ReportError> {
    let types = resource_types(openings);
    for opening in openings.iter().filter(|opening| opening.slot().is_none()) {
        let owned = order::set(opening.owned());
        for (path, text) in
            opening.elements.iter().filter(|(path, _)| path != COUNT_PATH && !is_members(path))
        {
            let home = home_of(path);
            let stands = match types.get(home) {
                // An entry without a resource is one element.
                None => {
                    path == home
                        && !matches!(Json::parse(text.as_bytes())?.get("resource"), Some(Json::Object(_)))
                }
                Some(_) if path == "/entry" => false,
                Some(resource_type) => profile::may_stand(resource_type, path, owned.contains(home)),
            };
            if !stands {
                return Err(ReportError::Torn(brief(path)));
            }
        }
        for home in owned {
            let resource_type = types.get(home).map_or("", String::as_str);
            if !(opening.is_head() && resource_type == "Bundle") {
                check_members(opening, home, resource_type)?;
            }
        }
    }
    Ok(())
}

/// A resource's own group has all the members that it says the resource has, but for those that the rules cut out, and
/// no others.
fn check_members(opening: &GroupOpening, home: &str, resource_type: &str) -> Result<(), ReportError> {
    let place = place_of(home);
    let torn = |path: String| Err(ReportError::Torn(brief(&path)));
    let path = format!("{place}{MEMBERS}");
    let Some((_, text)) = opening.elements.iter().find(|(known, _)| *known == path) else {
        return torn(path);
    };
    let Json::Array(names) = Json::parse(text.as_bytes())? else { return torn(path) };
    let said = order::set(names.iter().filter_map(Json::as_str));
    let inside = |path: &str| {
        let name = path.strip_prefix(&place)?.strip_prefix('/')?;
        (!name.contains('/')).then(|| name.replace("~1", "/").replace("~0", "~"))
    };
    let present: BTreeSet<String> = order::set(opening.elements.iter().filter_map(|(path, _)| inside(path)));
    let lacking = said.iter().find(|name| profile::stays(resource_type, name) && !present.contains(**name));
    if let Some(name) = lacking {
        return torn(format!("{place}/{name}"));
    }
    let one = |name: &&String| profile::stays(resource_type, name) && !said.contains(name.as_str());
    present.iter().find(one).map_or(Ok(()), |name| torn(format!("{place}/{name}")))
}

/// What each group is and what a person calls it, in the order of `openings`: for the screen where the
/// patient chooses. A name is in the report's language; none where the kind says it all.
pub fn describe(openings: &[GroupOpening]) -> Vec<(GroupKind, Option<String>)> {
    let types = resource_types(openings);
    openings
        .iter()
        .map(|opening| {
            if opening.is_head() {
                return (GroupKind::Head, None);
            }
            if opening.slot().is_some() {
                return (GroupKind::Tag, None);
            }
            let resource_type = types.get(opening.home()).map(String::as_str);
            let path = opening.elements.first().map_or("", |(path, _)| path.as_str());
            let kind = match resource_type {
                Some(resource_type) if !opening.is_own() => profile::kind_at(resource_type, path),
                _ => GroupKind::Resource,
            };
            (kind, title(opening, resource_type))
        })
        .collect()
}

/// The type of the resource in each place that says it.
pub(super) fn resource_types(openings: &[GroupOpening]) -> BTreeMap<&str, String> {
    let mut types = BTreeMap::new();
    for (path, text) in openings.iter().flat_map(|opening| &opening.elements) {
        if let Some(home) = typed_home(path)
            && let Ok(Json::String(name)) = Json::parse(text.as_bytes())
        {
            types.entry(home).or_insert(name);
        }
    }
    types
}

/// The name of an item, a section or a resource type.
fn title(opening: &GroupOpening, resource_type: Option<&str>) -> Option<String> {
    for (path, text) in &opening.elements {
        let json = Json::parse(text.as_bytes()).ok()?;
        let text = |json: &Json, name| json.get(name).and_then(Json::as_str).map(str::to_owned);
        if path.ends_with("/code") {
            return text(&json, "text").or_else(|| resource_type.map(str::to_owned));
        }
        if path.contains("/section/") || path.contains("/presentedForm/") {
            return text(&json, "title");
        }
    }
    resource_type.map(str::to_owned)
}

/// The openings to hand on: those that `keep` names by index, with the head and the entries they belong to.
pub fn select(openings: &[GroupOpening], keep: &BTreeSet<usize>) -> Vec<GroupOpening> {
    let kept = || keep.iter().filter_map(|i| openings.get(*i));
    // An Observation's reference stands in its report: each place that is touched needs its own group.
    let untagged = kept().filter(|o| o.slot().is_none());
    let homes = order::set(untagged.flat_map(|o| &o.elements).map(|(path, _)| home_of(path)));
    openings
        .iter()
        .enumerate()
        .filter(|(i, o)| keep.contains(i) || o.is_head() || (o.is_own() && homes.contains(o.home())))
        .map(|(_, o)| o.clone())
        .collect()
}
