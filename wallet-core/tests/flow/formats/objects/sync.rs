//! What copies of a vault say to each other.

use super::vault::epochs;
use super::{Found, Story};
use suishen_core::sm::{SecretKey, Signed};
use suishen_core::sync::{self, Knock, Presence, Refused, WORK_BITS, Welcome};

impl Story {
    pub(super) fn sync(&mut self, found: &mut Found) {
        self.door(found);
    }

    fn door(&mut self, found: &mut Found) {
        let (vault, ledger) = (&mut self.patient.vault, &self.world.ledger);
        let root = vault.entropy().unwrap().keys().vault_root;
        let certificate = vault.index().devices().next().unwrap().clone();
        let pass = vec![Signed::new(&certificate, &root, ledger)];
        let knock = Knock::new(
            *vault.id(),
            pass,
            (b"phone", b"mailbox"),
            &SecretKey::from_bytes(&[9; 32]).unwrap(),
            ledger,
        );
        let presence: Presence = knock.proof.claimed().unwrap();
        found.add("device-presence", &presence);
        found.add("knock", &knock);
        let epochs = epochs(&vault.to_bytes());
        found.add("found", &sync::Found { epochs, work: 1 << 40 });
        for refused in [Refused::Form, Refused::Busy] {
            found.add("refused", &refused);
            found.add("welcome", &Welcome::Refused(refused));
        }
        for welcome in
            [Welcome::Open(None), Welcome::Open(Some(Box::new(knock))), Welcome::Unknown(WORK_BITS)]
        {
            found.add("welcome", &welcome);
        }
    }
}
