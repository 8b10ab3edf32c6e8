//! What an insurer's server writes of a claim: what was opened once, the rest each time.

use super::*;
use crate::{claims::held::Opened, issuing::Pass};
use suishen_core::{
    consent::Disclosure,
    contract::{Credential, Role},
    id::{Commitment, LedgerId, PartyId},
    report::{GroupOpening, Manifest, Salt16, Sensitivity},
    sm::{SecretKey, Signed},
};

const NAME: &str = "林秀兰";

/// An open claim of a patient.
fn held() -> Held {
    let key = SecretKey::generate(&mut SystemRandom);
    let party = PartyId::new("91520100ANLAN00051").unwrap();
    let credential = Credential {
        party: party.clone(),
        role: Role::InsurerCommercial,
        grantee: key.public(),
        box_key: key.public(),
        expiry: 1,
    };
    let credential = Signed::new(&credential, &key, &LedgerId::from_bytes([1; 32]));
    let elements = vec![("Patient.name".to_owned(), NAME.repeat(1_000))];
    let opened = Opened {
        record: Commitment::from_bytes([2; 32]),
        manifest: Manifest {
            issuer: party,
            issued_at: 1,
            version: 1,
            replaces: None,
            sensitivity: Sensitivity::Ordinary,
            parts: Vec::new(),
            profile: 1,
            groups: Vec::new(),
            credential: Vec::new(),
        },
        disclosed: Disclosure {
            groups: vec![GroupOpening { salt: Salt16::generate(&mut SystemRandom), elements }],
            proof: None,
        },
        hospital: String::new(),
        hospital_code: String::new(),
        at: 1,
        receipt: false,
        number: 1,
        consent: String::new(),
        papers: None,
    };
    Held {
        grant: GrantId::from_bytes([3; 32]),
        offer_key: key.clone(),
        pass: Pass { key: key.clone(), box_key: key, credential, expiry: 1 },
        since: 1,
        accept_until: 1,
        until: 1,
        accepted: true,
        presented: true,
        half: None,
        payload: None,
        redemption: None,
        opened: Some(opened),
        saying: None,
        said: None,
        closed: None,
        flagged: false,
        given_up: None,
        telling: None,
        reply: None,
        taken_back: None,
    }
}

fn row(rows: &Rows, table: TableDefinition<'_, &[u8; 32], &[u8]>, id: &GrantId) -> Option<Vec<u8>> {
    let read = rows.store.read(|tx| {
        Ok::<_, StoreError>(tx.open_table(table)?.get(id.as_bytes())?.map(|row| row.value().to_vec()))
    });
    read.unwrap()
}

#[tokio::test]
async fn what_a_claim_shows_is_written_once_and_read_with_it_also_where_it_lay_inside() {
    let dir = tempfile::tempdir().unwrap();
    let rows = Rows::open(&dir.path().join("rows.redb"), Key32::generate(&mut SystemRandom)).unwrap();
    let held = held();
    let (id, name) = (held.grant, held.state().name());
    let disclosed = |held: &Held| held.opened.as_ref().unwrap().disclosed.clone();
    // As rows were before.
    let whole = rows.seal(ROW, id.as_bytes(), &held);
    let size = whole.len();
    let written = rows.together.write(move |tx| {
        tx.open_table(CLAIMS)?.insert(id.as_bytes(), whole.as_slice())?;
        Ok(())
    });
    written.await.unwrap();
    let mut read = rows.claim(&id).unwrap().unwrap();
    assert_eq!(disclosed(&read), disclosed(&held));

    rows.put_claim(&read, name, 1).await.unwrap();
    let (claim, shown) = (row(&rows, CLAIMS, &id).unwrap(), row(&rows, SHOWN, &id).unwrap());
    assert!(claim.len() < 1_500 && shown.len() > size - claim.len(), "{} {}", claim.len(), shown.len());
    assert!(!shown.windows(NAME.len()).any(|part| part == NAME.as_bytes()), "it lies sealed");
    if let Some(opened) = &mut read.opened {
        opened.receipt = true;
    }
    rows.put_claim(&read, name, 2).await.unwrap();
    assert_eq!(row(&rows, SHOWN, &id).unwrap(), shown, "not again");
    let read = rows.claim(&id).unwrap().unwrap();
    assert_eq!((disclosed(&read), read.opened.unwrap().receipt), (disclosed(&held), true));

    // One claim's is none of another's.
    let other = Held { grant: GrantId::from_bytes([4; 32]), ..held };
    rows.put_claim(&other, name, 3).await.unwrap();
    let moved = rows.together.write(move |tx| {
        tx.open_table(SHOWN)?.insert(other.grant.as_bytes(), shown.as_slice())?;
        Ok(())
    });
    moved.await.unwrap();
    assert!(matches!(rows.claim(&GrantId::from_bytes([4; 32])), Err(RowsError::Sealed)));
    rows.forget(&id).await.unwrap();
    assert!(row(&rows, CLAIMS, &id).is_none() && row(&rows, SHOWN, &id).is_none());
}

#[tokio::test]
async fn a_request_is_remembered_from_its_begin_until_it_did_nothing_or_a_week_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let rows = Rows::open(&dir.path().join("rows.redb"), Key32::generate(&mut SystemRandom)).unwrap();
    let (name, other, now) = ([1; 32], [2; 32], 1_000_000);
    let begun = |at| Answered { request: Digest::of(b"a"), at, status: None, body: Vec::new() };
    let given = |at| Answered { status: Some(200), body: b"{}".to_vec(), ..begun(at) };
    rows.put_answer(&name, &begun(now)).await.unwrap();
    assert_eq!(rows.answer(&name, now).unwrap(), Some(begun(now)));
    rows.put_answer(&name, &given(now)).await.unwrap();
    assert_eq!(rows.answer(&name, now).unwrap(), Some(given(now)));
    rows.put_answer(&other, &begun(now)).await.unwrap();
    rows.remove_answer(&other, now).await.unwrap();
    assert_eq!(rows.answer(&other, now).unwrap(), None);
    // A week later the name is free for another request, whose answer stays.
    let later = now + ANSWERS_KEPT;
    assert_eq!(rows.answer(&name, later - 1).unwrap(), Some(given(now)));
    assert_eq!(rows.answer(&name, later).unwrap(), None);
    rows.put_answer(&name, &given(later)).await.unwrap();
    rows.put_answer(&other, &given(later + 1)).await.unwrap();
    assert_eq!(rows.answer(&name, later + 1).unwrap(), Some(given(later)));
}
