//! Why a gate refuses. Numbers go on from the contract's [`Rejection`](crate::contract::Rejection)s, so that
//! one list of sentences (`reject-<number>` in the Fluent files) covers both.

use crate::contract::Damaged;

macro_rules! refusals {
    ($($number:literal $status:literal $variant:ident $name:literal $sentence:literal;)*) => {
        /// Why a gate takes no deposit, releases no share, or acknowledges nothing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
        pub enum GateRefusal {
            $(#[doc = $sentence] #[error($sentence)] $variant,)*
        }

        impl GateRefusal {
            /// Every refusal.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable number.
            pub const fn number(&self) -> u16 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The HTTP status that a relay answers with.
            pub const fn status(&self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The name for machines.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

refusals! {
    101 409 Unknown "gate-unknown" "this gate's ledger does not know the grant or ticket, or not yet";
    102 400 Form "gate-form" "the deposit cannot be read, or was not sealed to this gate's key of the day";
    103 403 Signature "gate-signature" "the signature is not that of the key which this needs";
    104 400 Shares "gate-shares" "the shares do not match the commitments on the ledger";
    105 409 Torn "gate-torn" "this gate has destroyed its share";
    106 404 NoShare "gate-no-share" "this gate holds no share of it";
    107 403 NotRedeemed "gate-not-redeemed" "no such redemption stands on the ledger";
    108 403 TooLate "gate-too-late" "the redemption is older than 10 minutes";
    109 403 Revoked "gate-revoked" "the patient has revoked the grant";
    110 403 Suspended "gate-suspended" "the reading organisation is suspended";
    111 403 Ended "gate-ended" "it has ended";
    112 503 Behind "gate-behind" "this gate's ledger is not up to date";
    113 403 NotBound "gate-not-bound" "no wallet keeps this report yet";
    114 403 Cancelled "gate-cancelled" "the issuer has cancelled the ticket";
    115 500 Damaged "gate-damaged" "a stored value cannot be read: the store is damaged";
}

impl From<Damaged> for GateRefusal {
    fn from(_: Damaged) -> Self {
        Self::Damaged
    }
}
