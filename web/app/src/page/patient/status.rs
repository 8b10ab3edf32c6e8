//! The one status line of the phone: broken proof, removed, kept back, not yet revoked, not protected yet, only copy, offline, since you
//! last looked; the first that holds (LOOK "status line").

use suishen_bridge::{
    ClaimRequest, LedgerState, PatientRequest, PatientResponse, Request, Response, Share, ShareState, Sync,
    Topic,
};
use yew::{Html, component, html};

use super::{
    root::{OpenWallet, use_wallet},
    sync::use_sync,
};
use crate::{
    browser::{asking::use_asked, language::use_words, ledger::use_ledger, page},
    component::{Status, status_line},
    route::Route,
};

/// What the line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressing {
    /// The ledger's proof is broken.
    Broken,
    /// Another device took this one out of the wallet.
    Removed,
    /// The mailbox serves an old copy.
    KeptBack,
    /// Something is wrong with an invoice's claims.
    Claim,
    /// Taken back on this phone only.
    NotYetRevoked,
    /// No passkey, no passphrase.
    Unprotected,
    /// The words aren't written down.
    NoPhrase,
    /// No other copy.
    OnlyCopy,
    /// No network.
    Offline,
    /// Read since the person last looked.
    Read(u32),
    /// Nobody read.
    Quiet,
}

/// The first that holds.
pub fn most_pressing(
    broken: bool,
    sync: Option<&Sync>,
    (claim, unrevoked): (bool, bool),
    wallet: &OpenWallet,
    online: bool,
) -> Pressing {
    if broken {
        Pressing::Broken
    } else if sync.is_some_and(|sync| sync.removed) {
        Pressing::Removed
    } else if sync.is_some_and(|sync| sync.kept_back) {
        Pressing::KeptBack
    } else if claim {
        Pressing::Claim
    } else if unrevoked {
        Pressing::NotYetRevoked
    } else if !wallet.protected {
        Pressing::Unprotected
    } else if !wallet.phrase_checked {
        Pressing::NoPhrase
    } else if !wallet.copies {
        Pressing::OnlyCopy
    } else if !online {
        Pressing::Offline
    } else if wallet.unseen_reads > 0 {
        Pressing::Read(wallet.unseen_reads)
    } else {
        Pressing::Quiet
    }
}

/// The shares in an answer.
pub fn shares(response: Response) -> Option<Vec<Share>> {
    match response {
        Response::Patient(PatientResponse::Shares(shares)) => Some(shares),
        _ => None,
    }
}

fn unexpected(response: Response) -> Option<Option<String>> {
    match response {
        Response::Patient(PatientResponse::Unexpected(record)) => Some(record),
        _ => None,
    }
}

/// Draws it.
#[component]
pub fn WalletStatus() -> Html {
    let (words, ledger, wallet) = (use_words(), use_ledger(), use_wallet());
    let (shares, _) = use_asked((), &[Topic::Shares], |()| Request::Patient(PatientRequest::Shares), shares);
    let (unexpected, _) = use_asked(
        (),
        &[Topic::Shares, Topic::Log],
        |()| Request::Patient(PatientRequest::Claim(ClaimRequest::Unexpected)),
        unexpected,
    );
    let claim = unexpected.here().cloned().flatten();
    let sync = use_sync();
    let unrevoked = shares
        .here()
        .is_some_and(|shares| shares.iter().any(|share| share.state == ShareState::NotYetRevoked));
    let online = page::online() && ledger.state() == LedgerState::Fresh;
    let waiting =
        sync.as_ref().filter(|sync| sync.waiting > 0).map(|sync| words.count("sync-waiting", sync.waiting));
    let as_of = || ledger.checked().map_or_else(|| "–".to_owned(), |checked| words.time(checked));
    match most_pressing(ledger.is_broken(), sync.as_ref(), (claim.is_some(), unrevoked), &wallet, online) {
        Pressing::Broken => html! {
            { status_line(Status::Alarm, words.say("status-broken"), None, Some(Route::Readers), Some(words.say("status-why"))) }
        },
        Pressing::Removed => {
            html! { { status_line(Status::Caution("prohibit"), words.say("sync-removed"), Some(words.say("sync-removed-text")), Some(Route::Devices), None) } }
        }
        Pressing::KeptBack => {
            html! { { status_line(Status::Alarm, words.say("sync-kept-back"), Some(words.say("sync-kept-back-text")), Some(Route::Devices), None) } }
        }
        Pressing::Claim => html! {
            { status_line(Status::Alarm, words.say("status-claim"), None, claim.map(Route::Record), Some(words.say("status-claim-look"))) }
        },
        Pressing::NotYetRevoked => {
            html! { { status_line(Status::Caution("wifi-slash"), words.say("revoke-not-yet"), None, Some(Route::Show), None) } }
        }
        Pressing::Unprotected => html! {
            { status_line(Status::Caution("lock-simple"), words.say("status-unprotected"), None, Some(Route::Protect), Some(words.say("status-protect"))) }
        },
        Pressing::NoPhrase => html! {
            { status_line(Status::Caution("note-pencil"), words.say("status-no-phrase"), None, Some(Route::Recovery), Some(words.say("status-write"))) }
        },
        Pressing::OnlyCopy => html! {
            { status_line(Status::Caution("device-mobile"), words.say("status-only-copy"), None, Some(Route::Settings), Some(words.say("status-backup"))) }
        },
        Pressing::Offline => {
            html! { { status_line(Status::Quiet("wifi-slash"), words.with("status-offline", &[("time", as_of().into())]), waiting, None, None) } }
        }
        Pressing::Read(reads) => html! {
            { status_line(Status::Good, words.count("status-read", reads), Some(words.say("status-read-more")), Some(Route::Readers), None) }
        },
        Pressing::Quiet => {
            html! { { status_line(Status::Good, words.say("status-nobody"), None, Some(Route::Readers), None) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wallet() -> OpenWallet {
        OpenWallet {
            name: None,
            records: 1,
            protected: true,
            phrase_checked: true,
            backed_up: None,
            copies: true,
            unseen_reads: 2,
            role: suishen_bridge::DeviceRole::Manage,
            of: None,
            kept: Vec::new(),
        }
    }

    #[test]
    fn the_most_pressing_thing_is_said_first() {
        let removed = Sync { removed: true, ..Sync::default() };
        let unprotected = OpenWallet { protected: false, copies: false, ..wallet() };
        assert_eq!(most_pressing(true, None, (false, true), &unprotected, false), Pressing::Broken);
        assert_eq!(
            most_pressing(false, Some(&removed), (false, true), &unprotected, false),
            Pressing::Removed
        );
        let kept_back = Sync { kept_back: true, ..Sync::default() };
        assert_eq!(
            most_pressing(false, Some(&kept_back), (false, true), &unprotected, false),
            Pressing::KeptBack
        );
        assert_eq!(most_pressing(false, None, (true, true), &unprotected, false), Pressing::Claim);
        assert_eq!(most_pressing(false, None, (false, true), &unprotected, false), Pressing::NotYetRevoked);
        assert_eq!(most_pressing(false, None, (false, false), &unprotected, false), Pressing::Unprotected);
        assert_eq!(
            most_pressing(
                false,
                None,
                (false, false),
                &OpenWallet { phrase_checked: false, ..wallet() },
                true
            ),
            Pressing::NoPhrase
        );
        assert_eq!(
            most_pressing(false, None, (false, false), &OpenWallet { copies: false, ..wallet() }, true),
            Pressing::OnlyCopy
        );
        assert_eq!(most_pressing(false, None, (false, false), &wallet(), false), Pressing::Offline);
        assert_eq!(most_pressing(false, None, (false, false), &wallet(), true), Pressing::Read(2));
        assert_eq!(
            most_pressing(false, None, (false, false), &OpenWallet { unseen_reads: 0, ..wallet() }, true),
            Pressing::Quiet
        );
    }
}
