//! The phone's root: what the wallet's state allows to be shown, and what a link brought.

use suishen_bridge::{
    DeviceRole, Event, KeptWallet, PatientRequest, PatientResponse, Request, Response, Topic, Wallet,
};
use wasm_bindgen_futures::spawn_local;
use yew::{
    AttrValue, Callback, ContextProvider, Html, Properties, UseStateHandle, UseStateSetter, component, hook,
    html, use_context, use_effect_with, use_state,
};

use super::{
    devices::DevicesPage, embedded::EmbeddedPage, incoming::IncomingPage, join::NewDevice,
    protect::ProtectPage, readers::ReadersPage, record::RecordPage, records::RecordsPage,
    recovery::RecoveryPage, restore::RestorePage, scan::ScanPage, settings::SettingsPage, show::ShowPage,
    unlock::UnlockPage, welcome::WelcomePage, whose::Whose,
};
use crate::{
    browser::{
        address::{Address, use_address},
        asking::{Asked, use_asked},
        embedded,
        engine::{Engine, use_engine},
        language::use_words,
        page,
    },
    component::{Voice, back_bar, empty, fault_card, use_voice},
    page::UnknownPage,
    route::Route,
    words::Words,
};

/// The open wallet, for the pages within.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenWallet {
    /// The name to show.
    pub name: Option<String>,
    /// Visible records.
    pub records: u32,
    /// Has a passkey or passphrase.
    pub protected: bool,
    /// The phrase was written down and checked.
    pub phrase_checked: bool,
    /// The newest backup file.
    pub backed_up: Option<u64>,
    /// There is another copy of the wallet.
    pub copies: bool,
    /// Reads since the person last looked.
    pub unseen_reads: u32,
    /// What this device may do in it.
    pub role: DeviceRole,
    /// Another person's, kept here beside the owner's.
    pub of: Option<KeptWallet>,
    /// All wallets of others that are kept here.
    pub kept: Vec<KeptWallet>,
}

impl OpenWallet {
    /// Whether this device may keep, share and mark records in it.
    pub fn may_share(&self) -> bool {
        self.role >= DeviceRole::Share
    }
}

/// The open wallet.
#[hook]
pub fn use_wallet() -> OpenWallet {
    use_context::<OpenWallet>().expect("wallet pages are shown for an open wallet only")
}

/// What the page was opened with.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// A link whose fragment was taken from the address bar. Secret.
    pub opened: Option<String>,
}

fn read(response: Response) -> Option<Wallet> {
    match response {
        Response::Patient(PatientResponse::Wallet(wallet)) => Some(wallet),
        _ => None,
    }
}

/// What the pages within bring about here.
struct Acts {
    /// The wallet comes over from another tab.
    use_here: Callback<()>,
    /// A text was scanned. Secret.
    scanned: Callback<String>,
    /// The scanned or opened text was dealt with.
    dealt: Callback<()>,
    /// The wallet closes.
    lock: Callback<()>,
}

/// Draws what is to be shown.
#[component]
pub fn PatientRoot(props: &Props) -> Html {
    let (words, address, engine, voice) = (use_words(), use_address(), use_engine(), use_voice());
    let (wallet, again) = use_asked(
        (),
        &[Topic::Wallet, Topic::Records, Topic::Log],
        |()| Request::Patient(PatientRequest::Wallet),
        read,
    );
    let incoming = use_incoming(props.opened.clone(), address.clone());
    let elsewhere = use_elsewhere(engine.clone());
    let acts = Acts {
        use_here: taking_over(engine.clone(), elsewhere.setter(), again.clone()),
        scanned: {
            let (incoming, address) = (incoming.setter(), address.clone());
            Callback::from(move |text: String| {
                incoming.set(Some(text));
                address.go(Route::Incoming);
            })
        },
        dealt: {
            let incoming = incoming.setter();
            Callback::from(move |()| incoming.set(None))
        },
        lock: locking(engine, voice, &words, address.clone(), again.clone()),
    };

    if let (Some(app), Some(_)) = (embedded::app_of(&page::agent()), incoming.as_ref()) {
        return html! { <EmbeddedPage {app} link={(*incoming).clone().unwrap_or_default()} /> };
    }
    if *elsewhere {
        return html! { <ElsewherePage use_here={acts.use_here} /> };
    }
    match wallet {
        Asked::Waiting => {
            html! { <main class="phone bare"><p class="quiet" role="status">{ words.say("opening") }</p></main> }
        }
        Asked::Failed(fault) => html! {
            <main class="phone bare"><h1>{ words.say("suishen") }</h1>{ fault_card(&words, &fault, Some(&again), false) }</main>
        },
        Asked::Here(wallet) => page_of(&wallet, &address.route, incoming.as_ref(), &acts, &words),
    }
}

/// The scanned or opened text: it lives here and nowhere else, until it was dealt with. Secret.
#[hook]
fn use_incoming(opened: Option<String>, address: Address) -> UseStateHandle<Option<String>> {
    let incoming = use_state(|| opened.clone());
    use_effect_with(opened, {
        let incoming = incoming.setter();
        move |opened: &Option<String>| {
            if let Some(link) = opened {
                incoming.set(Some(link.clone()));
                address.replace(Route::Incoming);
            }
        }
    });
    incoming
}

/// Whether another tab has taken the wallet over.
#[hook]
fn use_elsewhere(engine: Engine) -> UseStateHandle<bool> {
    let elsewhere = use_state(|| false);
    use_effect_with(engine, {
        let elsewhere = elsewhere.setter();
        move |engine: &Engine| {
            let subscription = engine.listen(Callback::from(move |event| {
                if matches!(event, Event::TakenOver) {
                    elsewhere.set(true);
                }
            }));
            move || drop(subscription)
        }
    });
    elsewhere
}

fn taking_over(engine: Engine, elsewhere: UseStateSetter<bool>, again: Callback<()>) -> Callback<()> {
    Callback::from(move |()| {
        let (engine, elsewhere, again) = (engine.clone(), elsewhere.clone(), again.clone());
        spawn_local(async move {
            if engine.ask(Request::UseHere).await.is_ok() {
                // A wallet without a lock opens with this; before that its pages would find it closed.
                let _ = engine.patient(PatientRequest::Wallet).await;
                elsewhere.set(false);
                again.emit(());
            }
        });
    })
}

fn locking(
    engine: Engine,
    voice: Voice,
    words: &Words,
    address: Address,
    again: Callback<()>,
) -> Callback<()> {
    let (said, tag) = (words.say("locked"), words.language().tag());
    Callback::from(move |()| {
        let (engine, again, address) = (engine.clone(), again.clone(), address.clone());
        voice.assertive(said.clone());
        spawn_local(async move {
            let _ = engine.patient(PatientRequest::Lock).await;
            engine.restart();
            let _ = engine.greet(tag).await;
            address.replace(Route::Home);
            again.emit(());
        });
    })
}

/// The page that a wallet in this state allows.
fn page_of(wallet: &Wallet, route: &Route, incoming: Option<&String>, acts: &Acts, words: &Words) -> Html {
    // The same page before there is a wallet and after: what was begun on it makes one on the way.
    if let (Wallet::None | Wallet::Open { .. }, Route::Incoming, Some(text)) = (wallet, route, incoming) {
        let here = match wallet {
            Wallet::Open { name, of: None, .. } => Some(name.clone().unwrap_or_default().into()),
            Wallet::Open { .. } => Some(AttrValue::default()),
            _ => None,
        };
        return html! {<>
            { whose(wallet) }
            <IncomingPage text={text.clone()} {here} dealt={acts.dealt.clone()} />
        </>};
    }
    // So is the page of a device that shows its own code.
    if let (Wallet::None | Wallet::Open { .. }, Route::Join) = (wallet, route) {
        return html! {
            <div class="phone bare">
                { back_bar(words, Route::Home, String::new(), Html::default()) }
                <main class="stack"><NewDevice here={matches!(wallet, Wallet::Open { .. })} /></main>
            </div>
        };
    }
    match wallet {
        Wallet::Elsewhere => html! { <ElsewherePage use_here={acts.use_here.clone()} /> },
        Wallet::Damaged => html! {
            <main class="phone bare stack">
                <h1>{ words.say("damaged-title") }</h1>
                <p>{ words.say("damaged-text") }</p>
                <RestorePage />
            </main>
        },
        Wallet::Locked(slots) => match route {
            Route::Restore => restore_page(Route::Home),
            _ => html! { <UnlockPage slots={slots.clone()} waiting={incoming.is_some()} /> },
        },
        Wallet::None => match route {
            Route::Scan => html! { <ScanPage found={acts.scanned.clone()} bare={true} /> },
            Route::Restore => restore_page(Route::Home),
            _ => html! { <WelcomePage /> },
        },
        Wallet::Open {
            name,
            records,
            protected,
            phrase_checked,
            backed_up,
            copies,
            unseen_reads,
            role,
            of,
            kept,
            ..
        } => {
            let open = OpenWallet {
                name: name.clone(),
                records: *records,
                protected: *protected,
                phrase_checked: *phrase_checked,
                backed_up: *backed_up,
                copies: *copies,
                unseen_reads: *unseen_reads,
                role: *role,
                of: of.as_ref().and_then(|of| kept.iter().find(|kept| kept.wallet == *of)).cloned(),
                kept: kept.clone(),
            };
            // Nothing of one wallet's pages is left in another's.
            html! {
                <ContextProvider<OpenWallet> key={of.clone().unwrap_or_default()} context={open}>
                    { whose(wallet) }
                    { open_page(route, of.is_none(), acts) }
                </ContextProvider<OpenWallet>>
            }
        }
    }
}

/// Whose wallet this is, where there are several.
fn whose(wallet: &Wallet) -> Html {
    let (kept, of, role) = match wallet {
        Wallet::Open { kept, of, role, .. } => (kept.clone(), of.clone(), *role),
        _ => (Vec::new(), None, DeviceRole::Manage),
    };
    html! { <Whose {kept} {of} {role} /> }
}

fn restore_page(back: Route) -> Html {
    html! { <main class="phone bare stack"><RestorePage {back} /></main> }
}

/// A page of the open wallet; `own` is false in another person's, which has no lock and no words of its own.
fn open_page(route: &Route, own: bool, acts: &Acts) -> Html {
    match route {
        Route::Protect | Route::Recovery | Route::Restore if !own => html! { <UnknownPage /> },
        Route::Home => html! { <RecordsPage /> },
        Route::Record(record) => html! { <RecordPage key={record.clone()} record={record.clone()} /> },
        Route::Scan | Route::Incoming => html! { <ScanPage found={acts.scanned.clone()} /> },
        Route::Show => html! { <ShowPage /> },
        Route::Readers => html! { <ReadersPage /> },
        Route::Protect => html! { <ProtectPage /> },
        Route::Recovery => html! { <RecoveryPage /> },
        Route::Restore => restore_page(Route::Settings),
        Route::Settings => html! { <SettingsPage lock={acts.lock.clone()} /> },
        Route::Devices => html! { <DevicesPage /> },
        Route::Join
        | Route::History
        | Route::Settled
        | Route::Statistics
        | Route::Keys
        | Route::Ledger
        | Route::Unknown => html! { <UnknownPage /> },
    }
}

/// The wallet is open in another tab.
#[derive(Properties, PartialEq)]
struct ElsewhereProps {
    use_here: Callback<()>,
}

#[component]
fn ElsewherePage(props: &ElsewhereProps) -> Html {
    let words = use_words();
    html! {
        <main class="phone bare">
            <h1 class="heard">{ words.say("elsewhere-title") }</h1>
            { empty(words.say("elsewhere-title"), words.say("elsewhere-text"), html! { <>
                <button class="button primary wide" onclick={props.use_here.reform(|_| ())}>{ words.say("elsewhere-use") }</button>
            </> }) }
        </main>
    }
}
