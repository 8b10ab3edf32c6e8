//! What a vault keeps of a share: its keys, who answered, what was read, its end.

use super::*;

pub(super) fn offered(vault: &Vault, grant: GrantId) -> Body {
    let key = |n| SecretKey::from_bytes(&[n; 32]).unwrap().public();
    let terms = crate::contract::IssueGrant {
        key: key(1),
        kind: crate::contract::Kind::Read,
        offer: key(2),
        role: crate::identity::Role::Physician,
        duration: 3600,
        accept_within: 1800,
        uses: 1,
        interval: 0,
        records: 1,
        shares: crate::sm::Digest::default(),
        auditor_box: vec![1; 64],
        reply: key(3),
        include_before: NOW + 600,
    };
    Body::GrantIssued(Box::new(GrantIssued {
        grant,
        secrets: vault.seal_grant(&grant, &grant_secrets(), &mut Seeded::new(6)).unwrap(),
        terms,
        records: vec![record(1)],
        purpose: "TREAT".into(),
        language: "zh".into(),
        text: "我同意".into(),
        offline: false,
    }))
}

#[test]
fn a_share_keeps_its_keys_its_person_its_reads_and_its_end() {
    let random = &mut Seeded::new(3);
    let (mut vault, _) = protected(1);
    let grant = GrantId::from_bytes([1; 32]);
    assert_eq!(vault.grant_secrets(&grant).err(), Some(VaultError::NoGrant));
    let body = offered(&vault, grant);
    vault.append(body, NOW, random).unwrap();
    assert_eq!(vault.grant_secrets(&grant).unwrap(), grant_secrets());
    let read = ReadSeen { grant, number: 1, entry: 12, time: NOW + 5, records: vec![0] };
    let forged = ReadSeen { entry: 99, ..read.clone() };
    let bodies = [
        Body::GrantAnswered(Answer { grant, person: people::chain(), agreed: true }),
        Body::GrantAnswered(Answer { grant, person: people::chain(), agreed: false }),
        Body::ReadSeen(read.clone()),
        Body::ReadSeen(forged),
        Body::ReceiptSeen(ReceiptSeen { grant, number: 1, receipt: vec![1] }),
        Body::GrantRevoked(grant),
    ];
    for (i, body) in bodies.into_iter().enumerate() {
        vault.append(body, NOW + i as u64, random).unwrap();
    }
    let share = vault.index().grant(&grant).unwrap();
    assert!(share.answer.as_ref().unwrap().agreed, "the first answer stands");
    assert_eq!(share.reads[&1], read);
    assert_eq!((share.receipts.len(), share.revoked), (1, Some(NOW + 5)));
}

#[test]
fn a_grants_keys_open_under_no_other_grant() {
    let (mut vault, _) = protected(1);
    let (one, two) = (GrantId::from_bytes([1; 32]), GrantId::from_bytes([2; 32]));
    let Body::GrantIssued(mut moved) = offered(&vault, one) else { panic!("a grant") };
    moved.grant = two;
    vault.append(Body::GrantIssued(moved), NOW, &mut Seeded::new(3)).unwrap();
    assert_eq!(vault.grant_secrets(&two).err(), Some(VaultError::NoGrant));
}
