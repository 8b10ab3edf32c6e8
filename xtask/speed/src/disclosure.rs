//! What a desk does with a disclosed report: twenty groups of two thousand, decrypted, held against the digests that the
//! hospital signed, and put together for a screen.

use std::hint::black_box;
use suishen_core::{
    consent::{Disclosure as Shown, RecordKey, ShownGroups, WrappedGroups},
    id::{GrantId, LedgerId, PartyId},
    report::{Manifest, NewReport, Sensitivity},
    sm::{Key32, Random, SecretKey, Signed},
};

/// Groups of the report, and those of them that are shown.
const GROUPS: usize = 2000;
const SHOWN: usize = 20;

const GRANT: GrantId = GrantId::from_bytes([3; 32]);
const LEDGER: LedgerId = LedgerId::from_bytes([1; 32]);

/// Bytes that repeat late, and are good for nothing else.
struct Mixed(u64);

impl Random for Mixed {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            // Marsaglia's xorshift.
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_le_bytes()[3];
        }
    }
}

/// A report of two thousand groups, signed, and a patient's disclosure of some.
pub struct Disclosure {
    hospital: SecretKey,
    manifest: Signed<Manifest>,
    key: RecordKey,
    wrapped: WrappedGroups,
    blob: Vec<u8>,
}

impl Disclosure {
    /// Issues and discloses; none where the rules for reports have changed.
    pub fn make() -> Option<Self> {
        let mut random = Mixed(0x9e37_79b9_7f4a_7c15);
        let hospital = SecretKey::generate(&mut random);
        let fhir = bundle();
        let new = NewReport {
            issuer: PartyId::new("12520100ANLAN00018")?,
            issued_at: 1_794_000_000,
            version: 1,
            replaces: None,
            sensitivity: Sensitivity::Ordinary,
            credential: vec![1],
            fhir: Some(fhir.as_bytes()),
            attachments: Vec::new(),
        };
        let made = Manifest::make(new, &mut random).ok()?;
        if made.openings.len() != GROUPS {
            return None;
        }
        // The first is the head; the others from everywhere.
        let groups = made.openings.iter().step_by(GROUPS / SHOWN).take(SHOWN).cloned().collect();
        let sealed = ShownGroups::seal(&Shown { groups, proof: None }, &mut random);
        let key = RecordKey::new(&Key32::generate(&mut random), &Key32::generate(&mut random), &GRANT, 0);
        let wrapped = key.wrap_groups(&sealed, &mut random);
        let manifest = Signed::new(&made.manifest, &hospital, &LEDGER);
        Some(Self { hospital, manifest, key, wrapped, blob: sealed.into_blob() })
    }

    /// Opens and verifies once; false where anything isn't as it was disclosed.
    pub fn open(&self) -> bool {
        let Ok(manifest) = Manifest::verify(black_box(&self.manifest), &self.hospital.public(), &LEDGER)
        else {
            return false;
        };
        let Ok(shown) = self.key.open_groups(&self.wrapped, black_box(&self.blob)) else { return false };
        let Ok(opened) = manifest.open_groups(&shown.groups) else { return false };
        opened.withheld == GROUPS - SHOWN && opened.view().is_ok_and(|view| view.rows.len() == SHOWN - 1)
    }
}

/// A laboratory's report of so many values that with the head it is two thousand groups.
fn bundle() -> String {
    let value = |n: usize| {
        format!(
            r#"{{"fullUrl":"urn:uuid:00000000-0000-4000-8000-{n:012}","resource":{{"resourceType":"Observation",
            "status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"14647-2"}}],"text":"总胆固醇"}},
            "subject":{{"display":"林秀兰"}},"effectiveDateTime":"2026-11-12T08:26:00+08:00",
            "valueQuantity":{{"value":{}.{},"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}},
            "referenceRange":[{{"high":{{"value":5.2,"unit":"mmol/L"}},"text":"<5.20"}}]}}}}"#,
            n % 9,
            n % 7 + 1
        )
    };
    let values: Vec<String> = (1..GROUPS).map(value).collect();
    format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, values.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_opens_and_anything_else_than_was_disclosed_does_not() {
        let mut disclosure = Disclosure::make().unwrap();
        assert!(disclosure.open());
        let hospital = std::mem::replace(&mut disclosure.hospital, SecretKey::generate(&mut Mixed(7)));
        assert!(!disclosure.open());
        disclosure.hospital = hospital;
        disclosure.blob[40] ^= 1;
        assert!(!disclosure.open());
    }
}
