//! Refused attempts on a grant, as its patient sees them, kept so that nobody crowds out another.
//!
//! Whoever knows a grant's id can try. So each organisation has room of its own, whoever can't be named shares one
//! row a code, and the same again within a minute is no news.

use minicbor::{Decode, Encode};
use suishen_core::id::PartyId;

/// Most attempts kept for one grant.
const MOST: usize = 100;
/// Most of them by one organisation, or by nobody who can be named.
const MOST_OF_ONE: usize = 16;
/// Seconds within which the same again isn't told again.
const SAME: u64 = 60;

/// A refused attempt on a grant.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Refused {
    /// When, by this relay's clock.
    #[n(0)]
    pub at: u64,
    /// The rejection's or gate refusal's number.
    #[n(1)]
    pub code: u16,
    /// Whose it was, where a key of theirs has signed the attempt.
    #[n(2)]
    pub party: Option<PartyId>,
}

/// The list, oldest first, with one more attempt; `None` where that is no news.
pub(super) fn with(mut list: Vec<Refused>, new: Refused) -> Option<Vec<Refused>> {
    let same = |known: &Refused| known.party == new.party && known.code == new.code;
    if list.iter().any(|known| same(known) && new.at < known.at.saturating_add(SAME)) {
        return None;
    }
    if new.party.is_none() {
        list.retain(|known| !same(known));
    }
    let party = new.party.clone();
    list.push(new);
    if of(&list, party.as_ref()) > MOST_OF_ONE {
        forget_oldest(&mut list, party.as_ref());
    }
    if list.len() > MOST {
        let busiest = list.iter().map(|known| known.party.clone()).max_by_key(|p| of(&list, p.as_ref()));
        forget_oldest(&mut list, busiest.flatten().as_ref());
    }
    Some(list)
}

fn of(list: &[Refused], party: Option<&PartyId>) -> usize {
    list.iter().filter(|known| known.party.as_ref() == party).count()
}

fn forget_oldest(list: &mut Vec<Refused>, party: Option<&PartyId>) {
    if let Some(oldest) = list.iter().position(|known| known.party.as_ref() == party) {
        list.remove(oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(at: u64, code: u16, party: Option<&str>) -> Refused {
        Refused { at, code, party: party.map(|code| PartyId::new(code).unwrap()) }
    }

    fn all(attempts: impl IntoIterator<Item = Refused>) -> Vec<Refused> {
        attempts.into_iter().fold(Vec::new(), |list, new| with(list.clone(), new).unwrap_or(list))
    }

    #[test]
    fn a_flood_of_one_leaves_the_attempts_of_others() {
        let real = attempt(1, 72, Some("HOSPITAL"));
        let nobody = (0..10_000).map(|i| attempt(2 + i * 61, u16::try_from(i % 500).unwrap(), None));
        let insider =
            (0..10_000).map(|i| attempt(3 + i * 61, u16::try_from(i % 500).unwrap(), Some("OTHER")));
        let list = all(std::iter::once(real.clone()).chain(nobody).chain(insider));
        assert_eq!(list[0], real);
        assert_eq!(list.len(), 1 + 2 * MOST_OF_ONE);
    }

    #[test]
    fn the_same_again_is_no_news_within_a_minute() {
        for party in [None, Some("HOSPITAL")] {
            let first = vec![attempt(100, 72, party)];
            assert_eq!(with(first.clone(), attempt(159, 72, party)), None);
            assert!(with(first.clone(), attempt(160, 72, party)).is_some());
            assert!(with(first.clone(), attempt(101, 73, party)).is_some());
            assert!(with(first, attempt(101, 72, Some("OTHER"))).is_some());
        }
    }

    #[test]
    fn nobody_has_one_row_a_code_and_an_organisation_its_newest() {
        let list = all([attempt(1, 72, None), attempt(100, 72, None), attempt(200, 73, None)]);
        assert_eq!(list, [attempt(100, 72, None), attempt(200, 73, None)]);
        let list = all((0..40).map(|i| attempt(i * 60, 72, Some("HOSPITAL"))));
        assert_eq!((list.len(), list[0].at), (MOST_OF_ONE, 24 * 60));
    }

    #[test]
    fn above_a_hundred_the_busiest_gives_way() {
        let names: Vec<String> = (0..30).map(|i| format!("PARTY{i}")).collect();
        let quiet = names.iter().map(|name| attempt(1, 72, Some(name)));
        let busy =
            (0..200).map(|i| attempt(100 + i * 60, 72, Some(&names[usize::try_from(i % 12).unwrap()])));
        let list = all(quiet.chain(busy));
        assert_eq!(list.len(), MOST);
        assert!(names.iter().all(|name| of(&list, PartyId::new(name).as_ref()) > 0));
    }
}
