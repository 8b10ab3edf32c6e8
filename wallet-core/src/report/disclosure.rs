//! Opening groups: what a reader was shown is put together again and compared with what the issuer signed.
//! Any doubt refuses the whole: an unknown digest, one place twice, a modifier that isn't known, a head or an
//! entry that is missing (PROTOCOL §4).

use super::{
    Manifest, ReportError, Salt16,
    manifest::MAX_GROUPS,
    profile::{self, COUNT_PATH, Element, GroupKind},
};
use crate::{
    cbor,
    fhir::{FhirError, Json, ReportView},
    sm::{Digest, Label},
};
use std::collections::{BTreeMap, BTreeSet};

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
    #[n(1)]
    pub elements: Vec<Element>,
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

    fn is_head(&self) -> bool {
        self.elements.iter().any(|(path, _)| path == COUNT_PATH)
    }

    /// The entry that the group is about.
    fn home(&self) -> &str {
        self.elements.first().map_or("", |(path, _)| home_of(path))
    }

    /// Whether it is an entry's own group and not one that was cut out of it.
    fn is_own(&self) -> bool {
        self.elements.iter().any(|(path, _)| path.ends_with("/resourceType"))
    }
}

/// The entry (`/entry/3`) or root (empty) that a path leads into.
fn home_of(path: &str) -> &str {
    let Some(rest) = path.strip_prefix("/entry/") else { return "" };
    let end = rest.find('/').unwrap_or(rest.len());
    &path[.."/entry/".len() + end]
}

/// What was shown, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The FHIR JSON as far as it was shown.
    pub json: Json,
    /// How many groups were not shown. They are withheld, not absent.
    pub withheld: usize,
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
        let mut total = None;
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
            for (path, text) in &opening.elements {
                if path == COUNT_PATH {
                    let count: usize = text.parse().map_err(|_| ReportError::BadPath(brief(path)))?;
                    if total.replace(count).is_some() {
                        return Err(ReportError::SamePlace(brief(path)));
                    }
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
        let withheld = total.checked_sub(openings.len()).ok_or(ReportError::UnknownGroup)?;
        let json = root.into_json("")?;
        whole_resources(&json)?;
        Ok(Opened { json, withheld })
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
                members.sort_by_key(|(name, _)| name != "resourceType");
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

/// What each group is and what a person calls it, in the order of `openings`: for the screen where the
/// patient chooses. A name is in the report's language; none where the kind says it all.
pub fn describe(openings: &[GroupOpening]) -> Vec<(GroupKind, Option<String>)> {
    let mut types: BTreeMap<&str, String> = BTreeMap::new();
    for opening in openings {
        for (path, text) in &opening.elements {
            if path.ends_with("/resourceType")
                && let Ok(Json::String(name)) = Json::parse(text.as_bytes())
            {
                types.entry(opening.home()).or_insert(name);
            }
        }
    }
    openings
        .iter()
        .map(|opening| {
            if opening.is_head() {
                return (GroupKind::Head, None);
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
    let homes: BTreeSet<&str> = kept().flat_map(|o| &o.elements).map(|(path, _)| home_of(path)).collect();
    openings
        .iter()
        .enumerate()
        .filter(|(i, o)| keep.contains(i) || o.is_head() || (o.is_own() && homes.contains(o.home())))
        .map(|(_, o)| o.clone())
        .collect()
}
