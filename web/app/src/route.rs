//! The pages and their paths. A path never carries a secret, a name or a value: a record is named by its random id in
//! the vault, and what a code carries travels in the fragment, which `boot.js` takes before this is asked.

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The role's first page: records on a phone, the main work of a desk.
    Home,
    /// One record of the wallet.
    Record(String),
    /// The scanner.
    Scan,
    /// What was just scanned or opened as a link.
    Incoming,
    /// Giving records to someone, and what is given now.
    Show,
    /// Who read what.
    Readers,
    /// Protecting the wallet with a passkey or passphrase.
    Protect,
    /// The recovery words.
    Recovery,
    /// Opening an existing wallet from phrase, recovery code or backup file.
    Restore,
    /// This device's code, for the one that has the wallet.
    Join,
    /// Settings.
    Settings,
    /// The wallet's devices, and whether they have the same.
    Devices,
    /// A desk's list: what was issued, or what was read.
    History,
    /// What an insurer's desk has decided.
    Settled,
    /// The auditor's plots and tables.
    Statistics,
    /// The auditor's keys.
    Keys,
    /// What the auditor's browser knows of the ledger.
    Ledger,
    /// No page has this path.
    Unknown,
}

impl Route {
    /// Reads the path below the role's base.
    pub fn parse(path: &str) -> Self {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let page = match (parts.next(), parts.next()) {
            (None, _) | (Some("enrol"), None) => Self::Home,
            (Some("record"), Some(id)) if id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                Self::Record(id.to_owned())
            }
            (Some("scan"), None) => Self::Scan,
            (Some("t" | "c" | "i" | "e" | "l" | "n" | "p" | "join" | "incoming"), None) => Self::Incoming,
            (Some("show"), None) => Self::Show,
            (Some("who"), None) => Self::Readers,
            (Some("protect"), None) => Self::Protect,
            (Some("recovery"), None) => Self::Recovery,
            (Some("restore"), None) => Self::Restore,
            (Some("new-device"), None) => Self::Join,
            (Some("settings"), None) => Self::Settings,
            (Some("devices"), None) => Self::Devices,
            (Some("history"), None) => Self::History,
            (Some("settled"), None) => Self::Settled,
            (Some("statistics"), None) => Self::Statistics,
            (Some("keys"), None) => Self::Keys,
            (Some("ledger"), None) => Self::Ledger,
            _ => Self::Unknown,
        };
        if parts.next().is_some() { Self::Unknown } else { page }
    }

    /// The path below the role's base.
    pub fn path(&self) -> String {
        match self {
            Self::Home | Self::Unknown => "/".to_owned(),
            Self::Record(id) => format!("/record/{id}"),
            Self::Scan => "/scan".to_owned(),
            Self::Incoming => "/incoming".to_owned(),
            Self::Show => "/show".to_owned(),
            Self::Readers => "/who".to_owned(),
            Self::Protect => "/protect".to_owned(),
            Self::Recovery => "/recovery".to_owned(),
            Self::Restore => "/restore".to_owned(),
            Self::Join => "/new-device".to_owned(),
            Self::Settings => "/settings".to_owned(),
            Self::Devices => "/devices".to_owned(),
            Self::History => "/history".to_owned(),
            Self::Settled => "/settled".to_owned(),
            Self::Statistics => "/statistics".to_owned(),
            Self::Keys => "/keys".to_owned(),
            Self::Ledger => "/ledger".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_found_again_by_its_path() {
        for page in [
            Route::Home,
            Route::Record("a1B2".to_owned()),
            Route::Scan,
            Route::Incoming,
            Route::Show,
            Route::Readers,
            Route::Protect,
            Route::Recovery,
            Route::Restore,
            Route::Join,
            Route::Settings,
            Route::Devices,
            Route::History,
            Route::Settled,
            Route::Statistics,
            Route::Keys,
            Route::Ledger,
        ] {
            assert_eq!(Route::parse(&page.path()), page);
        }
    }

    #[test]
    fn what_a_code_opens_is_looked_at_first() {
        for path in ["/t", "/c", "/i", "/e", "/l", "/n", "/p", "/join"] {
            assert_eq!(Route::parse(path), Route::Incoming, "{path}");
        }
    }

    #[test]
    fn a_path_that_names_no_page_is_unknown() {
        for path in ["/records/1", "/record", "/record/../x", "/show/1", "/record/a/b"] {
            assert_eq!(Route::parse(path), Route::Unknown, "{path}");
        }
    }
}
