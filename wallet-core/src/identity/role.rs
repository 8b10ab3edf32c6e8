//! What an organisation or a person may act as (PROTOCOL §2, §5).

/// A role, granted to an organisation by the members and to a person by its organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Issues reports.
    #[n(0)]
    Issuer,
    /// Reads records to treat.
    #[n(1)]
    Physician,
    /// Settles claims on the statutory slot.
    #[n(2)]
    InsurerStatutory,
    /// Settles claims on the commercial slot.
    #[n(3)]
    InsurerCommercial,
    /// Dispenses.
    #[n(4)]
    Pharmacist,
    /// Opens auditor boxes.
    #[n(5)]
    Auditor,
}

impl Role {
    /// All roles, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::Issuer,
        Self::Physician,
        Self::InsurerStatutory,
        Self::InsurerCommercial,
        Self::Pharmacist,
        Self::Auditor,
    ];

    /// Whether it settles claims. Such an organisation may also act by a server; in every other role somebody with a name
    /// of their own sits at the desk.
    pub const fn is_insurer(self) -> bool {
        matches!(self, Self::InsurerStatutory | Self::InsurerCommercial)
    }
}
