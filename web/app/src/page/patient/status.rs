//! The one status line of the phone: broken proof, not yet revoked, not protected yet, only copy, offline, since you
//! last looked; the first that holds (LOOK "status line").

use suishen_bridge::{
    LedgerState, PatientRequest, PatientResponse, Request, Response, Share, ShareState, Topic,
};
use yew::{Html, component, html};

use super::root::{OpenWallet, use_wallet};
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
    /// Taken back on this phone only.
    NotYetRevoked,
    /// No passkey, no passphrase.
    Unprotected,
    /// The words aren't written down.
    NoPhrase,
    /// No backup.
    OnlyCopy,
    /// No network.
    Offline,
    /// Read since the person last looked.
    Read(u32),
    /// Nobody read.
    Quiet,
}

/// The first that holds.
pub fn most_pressing(broken: bool, unrevoked: bool, wallet: &OpenWallet, online: bool) -> Pressing {
    if broken {
        Pressing::Broken
    } else if unrevoked {
        Pressing::NotYetRevoked
    } else if !wallet.protected {
        Pressing::Unprotected
    } else if !wallet.phrase_checked {
        Pressing::NoPhrase
    } else if wallet.backed_up.is_none() {
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

/// Draws it.
#[component]
pub fn WalletStatus() -> Html {
    let (words, ledger, wallet) = (use_words(), use_ledger(), use_wallet());
    let (shares, _) = use_asked((), &[Topic::Shares], |()| Request::Patient(PatientRequest::Shares), shares);
    let unrevoked = shares
        .here()
        .is_some_and(|shares| shares.iter().any(|share| share.state == ShareState::NotYetRevoked));
    let online = page::online() && ledger.state() == LedgerState::Fresh;
    let as_of = || ledger.checked().map_or_else(|| "–".to_owned(), |checked| words.time(checked));
    match most_pressing(ledger.is_broken(), unrevoked, &wallet, online) {
        Pressing::Broken => html! {
            { status_line(Status::Alarm, words.say("status-broken"), None, Some(Route::Readers), Some(words.say("status-why"))) }
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
            html! { { status_line(Status::Quiet("wifi-slash"), words.with("status-offline", &[("time", as_of().into())]), None, None, None) } }
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
            backed_up: Some(1),
            unseen_reads: 2,
        }
    }

    #[test]
    fn the_most_pressing_thing_is_said_first() {
        let unprotected = OpenWallet { protected: false, backed_up: None, ..wallet() };
        assert_eq!(most_pressing(true, true, &unprotected, false), Pressing::Broken);
        assert_eq!(most_pressing(false, true, &unprotected, false), Pressing::NotYetRevoked);
        assert_eq!(most_pressing(false, false, &unprotected, false), Pressing::Unprotected);
        assert_eq!(
            most_pressing(false, false, &OpenWallet { phrase_checked: false, ..wallet() }, true),
            Pressing::NoPhrase
        );
        assert_eq!(
            most_pressing(false, false, &OpenWallet { backed_up: None, ..wallet() }, true),
            Pressing::OnlyCopy
        );
        assert_eq!(most_pressing(false, false, &wallet(), false), Pressing::Offline);
        assert_eq!(most_pressing(false, false, &wallet(), true), Pressing::Read(2));
        assert_eq!(
            most_pressing(false, false, &OpenWallet { unseen_reads: 0, ..wallet() }, true),
            Pressing::Quiet
        );
    }
}
