//! Which role an origin plays (DESIGN §6: one origin a role), read from the first label of the host.
//! Never decides what anyone may do: that is the certificate's and the contract's matter.

/// The role that this origin plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The start page of a demonstration, which leads to the others.
    Start,
    /// The patient's wallet.
    Patient,
    /// The hospital's issuing desk.
    Hospital,
    /// The doctor's reading desk.
    Doctor,
    /// The insurer's claims desk.
    Insurer,
    /// The auditor's desk.
    Auditor,
}

impl Role {
    /// Reads the role from a host name: `patient2.localhost` is a patient, `wallet.example.cn` too. Behind one
    /// `desk.` host the first part of the path says which desk; any other host is the start page, unless its path
    /// begins with a role's name.
    pub fn of(host: &str, path: &str) -> Self {
        let label = host.split(['.', ':']).next().unwrap_or_default();
        Self::named(label).or_else(|| Self::named(first_part(path))).unwrap_or(match label {
            "desk" => Self::Doctor,
            _ => Self::Start,
        })
    }

    fn named(label: &str) -> Option<Self> {
        match label.trim_end_matches(|digit: char| digit.is_ascii_digit()) {
            "patient" | "wallet" => Some(Self::Patient),
            "hospital" => Some(Self::Hospital),
            "doctor" => Some(Self::Doctor),
            "insurer" | "fund" => Some(Self::Insurer),
            "auditor" => Some(Self::Auditor),
            _ => None,
        }
    }

    /// The part of the path that names the role where the host doesn't; empty where the host does.
    pub fn base(host: &str, path: &str) -> String {
        let label = host.split(['.', ':']).next().unwrap_or_default();
        let part = first_part(path);
        if Self::named(label).is_none() && Self::named(part).is_some() {
            format!("/{part}")
        } else {
            String::new()
        }
    }

    /// Whether this role's pages are laid out for a desk.
    pub fn is_desk(self) -> bool {
        matches!(self, Self::Hospital | Self::Doctor | Self::Insurer | Self::Auditor)
    }
}

fn first_part(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_label_of_the_host_names_the_role() {
        assert_eq!(Role::of("patient2.localhost", "/"), Role::Patient);
        assert_eq!(Role::of("wallet.anlan.example", "/show"), Role::Patient);
        assert_eq!(Role::of("hospital.localhost", "/"), Role::Hospital);
        assert_eq!(Role::of("doctor.localhost", "/"), Role::Doctor);
        assert_eq!(Role::of("insurer2.localhost", "/"), Role::Insurer);
        assert_eq!(Role::of("fund.localhost", "/"), Role::Insurer);
        assert_eq!(Role::of("auditor.localhost", "/"), Role::Auditor);
        assert_eq!(Role::of("localhost", "/"), Role::Start);
    }

    #[test]
    fn where_the_host_names_none_the_path_does() {
        assert_eq!(Role::of("desk.anlan.example", "/hospital/issued"), Role::Hospital);
        assert_eq!(Role::base("desk.anlan.example", "/hospital/issued"), "/hospital");
        assert_eq!(Role::of("desk.anlan.example", "/"), Role::Doctor);
        assert_eq!(Role::base("doctor.localhost", "/history"), "");
        assert_eq!(Role::of("127.0.0.1", "/patient"), Role::Patient);
    }
}
