//! Where links lead: one origin a role (DESIGN §6), told apart by the first label of the host.

/// A role's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The patient's.
    Wallet,
    /// The doctor's desk.
    Desk,
    /// An insurer's desk.
    Insurer,
    /// The statutory insurer's desk.
    Fund,
}

/// The origin of another role beside this one: `hospital.localhost:8080` has its wallets at `patient.localhost:8080`,
/// `hospital.example.cn` at `wallet.example.cn`.
pub fn origin_of(own: &str, page: Page) -> String {
    let Some((scheme, host)) = own.split_once("://") else { return own.to_owned() };
    let (label, rest) = host.split_once('.').unwrap_or(("", host));
    let demo = rest.split(':').next() == Some("localhost");
    let wanted = match (page, demo) {
        (Page::Wallet, true) => "patient",
        (Page::Wallet, false) => "wallet",
        (Page::Desk, _) => "doctor",
        (Page::Insurer, _) => "insurer",
        (Page::Fund, _) => "fund",
    };
    // A wallet's own link to a wallet stays where it is: a second patient has an origin of its own.
    let stays = label.trim_end_matches(|c: char| c.is_ascii_digit()) == wanted;
    if stays { own.to_owned() } else { format!("{scheme}://{wanted}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_role_that_opens_them() {
        let own = "http://hospital.localhost:8080";
        assert_eq!(origin_of(own, Page::Wallet), "http://patient.localhost:8080");
        assert_eq!(origin_of("http://patient2.localhost:1", Page::Wallet), "http://patient2.localhost:1");
        assert_eq!(origin_of("http://patient2.localhost:1", Page::Desk), "http://doctor.localhost:1");
        assert_eq!(origin_of("http://patient.localhost:1", Page::Insurer), "http://insurer.localhost:1");
        assert_eq!(origin_of("https://wallet.example.cn", Page::Fund), "https://fund.example.cn");
        assert_eq!(origin_of("https://hospital.example.cn", Page::Wallet), "https://wallet.example.cn");
        assert_eq!(origin_of("https://wallet.example.cn", Page::Desk), "https://doctor.example.cn");
    }
}
