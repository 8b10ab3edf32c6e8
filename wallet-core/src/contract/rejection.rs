//! Why the contract refuses a transaction (PROTOCOL §5).
//!
//! A rejection has a stable number, an HTTP status and a machine name. What people read stands in the web's
//! Fluent files under `reject-<number>`, in both languages; the sentence here is for logs and developers.
//! A number is never given another meaning.

macro_rules! rejections {
    ($($number:literal $status:literal $variant:ident $name:literal $sentence:literal;)*) => {
        /// Why the contract refuses a transaction. A refused transaction leaves no entry and no count.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
        pub enum Rejection {
            /// The transaction stands already: here is its entry. The answer to an honest repeat.
            #[error("the transaction stands already, as entry {entry}")]
            Duplicate {
                /// The number of the entry in which it stands.
                entry: u64,
            },
            $(#[doc = $sentence] #[error($sentence)] $variant,)*
        }

        impl Rejection {
            /// Every rejection, `Duplicate` with entry 0.
            pub const ALL: &'static [Self] = &[Self::Duplicate { entry: 0 }, $(Self::$variant,)*];

            /// The stable number: `code` in problem documents, `reject-<number>` in Fluent files.
            pub const fn number(&self) -> u16 {
                match self {
                    Self::Duplicate { .. } => 6,
                    $(Self::$variant => $number,)*
                }
            }

            /// The HTTP status that a relay answers with.
            pub const fn status(&self) -> u16 {
                match self {
                    Self::Duplicate { .. } => 409,
                    $(Self::$variant => $status,)*
                }
            }

            /// The name for machines: lower case, with hyphens.
            pub const fn name(&self) -> &'static str {
                match self {
                    Self::Duplicate { .. } => "duplicate",
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

rejections! {
    1 400 Form "form" "the bytes are not a transaction in its one canonical form";
    2 413 TooLarge "too-large" "the transaction is larger than 64 KiB";
    3 413 BatchSize "batch-size" "a batch holds 1 to 256 transactions";
    4 403 Unsponsored "unsponsored" "no member of the consortium sponsors this";
    5 429 Quota "quota" "the sponsor's quota for this hour is used up";
    7 503 OutOfOrder "out-of-order" "the entry's number or time does not follow the last entry's";
    8 500 Damaged "damaged" "a stored value cannot be read: the store is damaged";
    9 400 Text "text" "a reason has 1 to 500 bytes";

    10 403 Signature "signature" "the signature is not that of the key which this transaction needs, on this ledger";
    11 403 Votes "votes" "it needs the vote keys of t different members and nothing else";
    12 403 CredentialSignature "credential-signature" "the credential is not signed by the organisation's acceptance key";
    13 403 AcceptanceSignature "acceptance-signature" "the acceptance is not signed by the offer key";

    20 403 UnknownParty "unknown-party" "the organisation is not registered";
    21 403 PartySuspended "party-suspended" "the organisation is suspended";
    22 403 PartyExpired "party-expired" "the organisation's certificate is not valid at this time";
    23 403 Certificate "certificate" "this is not a valid organisation's certificate under the consortium's root";
    24 409 SerialUsed "serial-used" "a certificate of this serial number was registered before";
    25 400 Roles "roles" "roles and keys do not go together: at least one role, ascending, voucher keys for issuers only";
    26 403 RoleMissing "role-missing" "the organisation does not have this role";
    27 409 Sequence "sequence" "the sequence number does not follow the last one";
    28 403 NotAuditor "not-auditor" "only the auditor may do this";
    29 409 AlreadySuspended "already-suspended" "the organisation is suspended from then or earlier already";
    30 403 CredentialExpired "credential-expired" "the credential has expired";
    31 403 CredentialTooLong "credential-too-long" "a credential runs for at most 24 hours";
    32 403 CredentialRole "credential-role" "the credential is for another role";

    40 409 HolderKnown "holder-known" "this holder is open already";
    41 409 UnknownHolder "unknown-holder" "there is no such holder";
    42 403 HolderRoot "holder-root" "this root key is another holder's";

    50 409 AnchorKnown "anchor-known" "this report is anchored already";
    51 409 UnknownAnchor "unknown-anchor" "there is no such report";
    52 403 OtherIssuer "other-issuer" "the report is another organisation's";
    53 409 AlreadyReplaced "already-replaced" "the report was replaced by a newer version before";
    54 400 TicketTerm "ticket-term" "the ticket would have expired already";
    55 409 NotATicket "not-a-ticket" "the report went to a known patient: there is no ticket to keep it with";
    56 409 TicketUsed "ticket-used" "the report is in another wallet already";
    57 409 TicketExpired "ticket-expired" "the ticket has expired";
    58 409 TicketCancelled "ticket-cancelled" "the issuer has cancelled the ticket";

    60 409 GrantKnown "grant-known" "a grant with this key exists already";
    61 409 UnknownGrant "unknown-grant" "there is no such grant";
    62 409 IncludeBefore "include-before" "the time to include this is over, or further off than 10 minutes";
    63 400 Duration "duration" "the duration is zero or over the bound";
    64 400 AcceptWithin "accept-within" "accept-within is 1 second to 30 minutes, for claims any time, and at most half the duration";
    65 400 Uses "uses" "a grant has 1 to 1000 uses";
    66 400 Records "records" "a grant has 1 to 256 records";
    67 400 AuditorBox "auditor-box" "the auditor box does not have the size that it must have";
    68 409 AlreadyAccepted "already-accepted" "somebody has accepted this grant already";
    69 409 AcceptedTooLate "accepted-too-late" "the time to accept this grant is over";
    70 409 NotAccepted "not-accepted" "nobody has accepted this grant yet";
    71 403 OtherGrantee "other-grantee" "somebody else has accepted this grant";
    72 409 GrantRevoked "grant-revoked" "the patient has revoked this grant";
    73 409 GrantExpired "grant-expired" "the grant has ended";
    74 409 GrantExhausted "grant-exhausted" "all uses of this grant are used up";
    75 409 UseNumber "use-number" "the number of this use does not follow the last one";
    76 409 TooSoon "too-soon" "the least interval since the last use has not passed";
    77 400 RecordNumbers "record-numbers" "record numbers are ascending and below the number of records in the grant";
    78 403 Acceptance "acceptance" "the acceptance names another grant or other keys";

    80 400 ClaimRole "claim-role" "a claim goes to an insurer";
    81 409 NotAClaim "not-a-claim" "this grant is not a claim";
    82 403 WrongSlot "wrong-slot" "the slot is for another class of insurer";
    83 409 NotRedeemed "not-redeemed" "nothing was opened under this grant yet";
    84 403 Voucher "voucher" "the voucher is not signed by a voucher key of the hospital that it names";
    85 403 TagSignature "tag-signature" "the proof is not signed by the tag's key";
    86 403 TagProof "tag-proof" "the tag was given under another grant";
    87 409 ClaimSettled "claim-settled" "this slot of the invoice is settled already";
    88 409 ClaimVoid "claim-void" "the hospital has reversed this invoice or issued it on paper";
    89 409 NotSettled "not-settled" "there is no settlement to reverse";
    90 403 OtherInsurer "other-insurer" "another insurer settled this, or under another grant";
    91 403 OtherVoucher "other-voucher" "the voucher is another hospital's";
    92 400 ReversalReason "reversal-reason" "this reason is for the other side: error, duplicate and paid back are an insurer's, reversed and on paper a hospital's";
}
