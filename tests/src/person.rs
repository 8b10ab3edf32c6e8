//! A person at a browser of their own: looks, taps, types, holds things in front of the camera.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{BrowserLogEntry, ChromiumLikeCapabilities, LoggingPrefsLogLevel};

use crate::driver::{Driver, call, chromium};
use crate::passkey::Authenticator;
use crate::{Camera, HANG, accessibility, built, console};

/// What a person holds or sits at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// 390 by 844 at two pixels a point, touch.
    Phone,
    /// 360 by 640: the smallest phone that is promised.
    SmallPhone,
    /// 1440 by 900.
    Desk,
}

impl Window {
    fn metrics(self) -> Value {
        let (width, height, ratio, hand) = match self {
            Self::Phone => (390, 844, 2.0, true),
            Self::SmallPhone => (360, 640, 2.0, true),
            Self::Desk => (1440, 900, 1.0, false),
        };
        json!({ "width": width, "height": height, "pixelRatio": ratio, "mobile": hand, "touch": hand })
    }
}

/// One person. Clones are the same person.
#[derive(Clone)]
pub struct Person {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    window: Window,
    profile: PathBuf,
    camera: Camera,
    address: String,
    by_another_way: bool,
    client: reqwest::Client,
    /// Host and port after the role's name.
    origin_of: Box<dyn Fn(&str) -> String + Send + Sync>,
    browser: RwLock<WebDriver>,
    complaints: RwLock<Vec<String>>,
}

/// Flags that Chromium needs as root and without a screen, and that keep it from calling home.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--lang=zh-CN",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
];

impl Person {
    pub(crate) async fn new(
        name: &str,
        window: Window,
        dir: &Path,
        driver: &Driver,
        (origin_of, by_another_way): (impl Fn(&str) -> String + Send + Sync + 'static, bool),
    ) -> Result<Self> {
        let profile = dir.join(name);
        std::fs::create_dir_all(&profile)?;
        let camera = Camera::new(&profile)?;
        let browser = open((&driver.address(), by_another_way), window, &profile, &camera).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                name: name.to_owned(),
                window,
                profile,
                camera,
                address: driver.address(),
                by_another_way,
                client: driver.client(),
                origin_of: Box::new(origin_of),
                browser: RwLock::new(browser),
                complaints: RwLock::default(),
            }),
        })
    }

    /// The browser, for what has no words here.
    pub fn browser(&self) -> WebDriver {
        self.inner.browser.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who this is.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// A folder of this person's own.
    pub(crate) fn desktop(&self) -> &Path {
        &self.inner.profile
    }

    /// What the camera films.
    pub fn camera(&self) -> &Camera {
        &self.inner.camera
    }

    /// Opens a page of a role's origin (`patient`, `hospital`…; the start page's origin for an empty name).
    pub async fn goes_to(&self, role: &str, path: &str) -> Result<()> {
        self.keep_complaints().await?;
        Ok(self.browser().goto(format!("{}{path}", (self.inner.origin_of)(role))).await?)
    }

    /// Leaves the wallet for another page.
    pub async fn leaves_for(&self, url: &str) -> Result<()> {
        self.keep_complaints().await?;
        Ok(self.browser().goto(url).await?)
    }

    /// Waits until this text is on the screen.
    pub async fn sees(&self, text: &str) -> Result<()> {
        let start = Instant::now();
        let mut screen = String::new();
        while start.elapsed() < HANG {
            screen = self.screen().await?;
            if squeezed(&screen).contains(&squeezed(text)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{} does not see “{text}”, but:\n{screen}", self.name())
    }

    /// Waits until this text is no longer on the screen.
    pub async fn sees_no_more(&self, text: &str) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < HANG {
            if !self.has_before_them(text).await? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{} still sees “{text}”:\n{}", self.name(), self.screen().await?)
    }

    /// Whether this text is on the screen now.
    pub async fn has_before_them(&self, text: &str) -> Result<bool> {
        Ok(squeezed(&self.screen().await?).contains(&squeezed(text)))
    }

    /// All text on the screen.
    pub async fn screen(&self) -> Result<String> {
        let text = self.runs("return document.body ? document.body.innerText : ''").await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Runs a script in the page: what it returns.
    pub async fn runs(&self, script: &str) -> Result<Value> {
        Ok(self.browser().execute(script, Vec::new()).await?.json().clone())
    }

    /// Waits for an element that is shown.
    pub async fn finds(&self, css: &str) -> Result<WebElement> {
        let shown = "return [...document.querySelectorAll(arguments[0])]
            .find((e) => e.checkVisibility({ visibilityProperty: true })) || null";
        let start = Instant::now();
        while start.elapsed() < HANG {
            // In one step, for the page may redraw between two.
            let found = self.browser().execute(shown, vec![json!(css)]).await?;
            if let Ok(element) = found.element() {
                return Ok(element);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{} does not find {css}; on the screen:\n{}", self.name(), self.screen().await?)
    }

    /// Taps what is called so: a button, link, tab or choice by its accessible name (exact first, else containing).
    pub async fn taps(&self, label: &str) -> Result<()> {
        self.acts_on(NAMED, label, async |element| element.click().await).await
    }

    /// Taps it if it is there and can be tapped now.
    pub async fn taps_if_there(&self, label: &str) -> Result<()> {
        if let Ok(element) = self.browser().execute(NAMED, vec![json!(label)]).await?.element() {
            // It may have gone in between, which is as good.
            drop(element.click().await);
        }
        Ok(())
    }

    /// Taps the first element shown that this selector names: for what has another name in each language.
    pub async fn taps_at(&self, css: &str) -> Result<()> {
        self.finds(css).await?;
        self.acts_on(AT, css, async |element| element.click().await).await
    }

    /// Types into the field that is labelled so, in place of what is there.
    pub async fn types(&self, label: &str, text: &str) -> Result<()> {
        self.acts_on(FIELD, label, async |field| {
            self.browser().execute(EMPTY, vec![field.to_json()?]).await?;
            field.send_keys(text).await
        })
        .await
    }

    /// Gives a file to a file input, shown or not.
    pub async fn gives_file(&self, css: &str, file: &Path) -> Result<()> {
        let path = file.canonicalize()?;
        let input = self.browser().find(By::Css(css)).await?;
        Ok(input.send_keys(path.to_str().context("a path that is not text")?).await?)
    }

    /// Acts on an element found by a script that takes a label; again while the page is still moving.
    async fn acts_on(
        &self,
        script: &str,
        label: &str,
        act: impl AsyncFn(WebElement) -> WebDriverResult<()>,
    ) -> Result<()> {
        let start = Instant::now();
        let mut last = None;
        while start.elapsed() < HANG {
            let found = self.browser().execute(script, vec![json!(label)]).await?;
            if let Ok(element) = found.element() {
                match act(element).await {
                    Ok(()) => return Ok(()),
                    Err(error) => last = Some(error.to_string()),
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let screen = self.screen().await?;
        let why = last.map_or_else(|| "is not there".to_owned(), |error| format!("cannot be used ({error})"));
        bail!("{}: “{label}” {why}; on the screen:\n{screen}", self.name())
    }

    /// Keeps a picture of what is on the screen as `NAME.png`.
    pub async fn picture(&self, name: &str) -> Result<()> {
        let png = self.browser().screenshot_as_png().await?;
        Ok(std::fs::write(built::pictures()?.join(format!("{name}.png")), png)?)
    }

    /// Keeps what `Page.captureScreenshot` gave.
    pub(crate) fn keeps_picture(&self, name: &str, shot: &Value) -> Result<()> {
        let png = shot["data"].as_str().with_context(|| format!("{} took no picture", self.name()))?;
        let png = data_encoding::BASE64.decode(png.as_bytes())?;
        Ok(std::fs::write(built::pictures()?.join(format!("{name}.png")), png)?)
    }

    /// axe-core finds nothing on this page.
    pub async fn finds_it_accessible(&self) -> Result<()> {
        accessibility::check(&self.browser()).await
    }

    /// Gets an authenticator with PRF.
    pub async fn has_passkeys(&self) -> Result<Authenticator> {
        Authenticator::add(self.inner.client.clone(), &self.session()).await
    }

    /// The dark or the light look, as the system tells it; in the dark one nothing moves, so that colours are there at once.
    pub async fn prefers_dark(&self, yes: bool) -> Result<()> {
        let (value, motion) = if yes { ("dark", "reduce") } else { ("light", "no-preference") };
        let features = json!([
            { "name": "prefers-color-scheme", "value": value },
            { "name": "prefers-reduced-motion", "value": motion },
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await?;
        Ok(())
    }

    /// Without network, as in a lift, or with it again. The page only: a worker's requests need the relay killed.
    pub async fn is_offline(&self, yes: bool) -> Result<()> {
        let conditions =
            json!({ "offline": yes, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.devtools("Network.enable", json!({})).await?;
        self.devtools("Network.emulateNetworkConditions", conditions).await?;
        Ok(())
    }

    /// One command of the Chrome `DevTools` protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        let body = json!({ "cmd": command, "params": parameters });
        call(&self.inner.client, &format!("{}/goog/cdp/execute", self.session()), &body).await
    }

    fn session(&self) -> String {
        format!("{}/session/{}", self.inner.address, self.browser().session_id())
    }

    /// Closes the browser and opens it again with the same profile: what was stored is still there.
    pub async fn reopens_the_browser(&self) -> Result<()> {
        self.keep_complaints().await?;
        self.browser().quit().await?;
        let Inner { address, by_another_way, window, profile, camera, .. } = &*self.inner;
        let browser = open((address, *by_another_way), *window, profile, camera).await?;
        *self.inner.browser.write().unwrap_or_else(PoisonError::into_inner) = browser;
        Ok(())
    }

    /// All that the console complained of so far.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        self.keep_complaints().await?;
        let all = self.inner.complaints.read().unwrap_or_else(PoisonError::into_inner);
        Ok(all.iter().map(|line| format!("{}: {line}", self.name())).collect())
    }

    /// Reading the log empties it.
    async fn keep_complaints(&self) -> Result<()> {
        let entries: Vec<BrowserLogEntry> = self.browser().browser_log().await?;
        let mut all = self.inner.complaints.write().unwrap_or_else(PoisonError::into_inner);
        all.extend(console::complaints(&entries));
        Ok(())
    }

    /// Rows of a table of the wallet's store in this browser.
    pub async fn stored(&self, table: &str) -> Result<u64> {
        let count = format!(
            r"return new Promise((resolve) => {{
                const open = indexedDB.open('suishen');
                open.onsuccess = () => {{
                    const count = open.result.transaction('{table}').objectStore('{table}').count();
                    count.onsuccess = () => {{ open.result.close(); resolve(count.result); }};
                }};
            }});"
        );
        self.runs(&count).await?.as_u64().context("the store has no such table")
    }

    pub(crate) async fn leaves(&self) -> Result<()> {
        Ok(self.browser().quit().await?)
    }
}

async fn open(
    (address, by_another_way): (&str, bool),
    window: Window,
    profile: &Path,
    camera: &Camera,
) -> Result<WebDriver> {
    let mut capabilities = DesiredCapabilities::chrome();
    capabilities.set_binary(chromium()?.to_str().context("a path that is not text")?)?;
    for flag in FLAGS {
        capabilities.add_arg(flag)?;
    }
    if by_another_way {
        let there = crate::between::ADDRESS;
        capabilities
            .add_arg(&format!("--host-resolver-rules=MAP localhost {there},MAP *.localhost {there}"))?;
    }
    capabilities.add_arg(&format!("--user-data-dir={}", profile.display()))?;
    capabilities.add_arg(&format!("--use-file-for-fake-video-capture={}", camera.file().display()))?;
    capabilities.add_experimental_option("mobileEmulation", json!({ "deviceMetrics": window.metrics() }))?;
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    let browser = WebDriver::new(address, capabilities).await.context("Chromium did not start")?;
    browser.update_timeouts(TimeoutConfiguration::new(Some(HANG), Some(HANG), None)).await?;
    Ok(browser)
}

/// Spaces and line breaks are the layout's business.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Finds a control by its accessible name.
const NAMED: &str = r"
const wanted = arguments[0].replace(/\s/g, '');
const modal = [...document.querySelectorAll('dialog:modal')].pop();
const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('[inert]') && (!modal || modal.contains(e));
const names = (e) => [e.getAttribute('aria-label'), e.innerText, e.value, e.title]
    .filter((n) => typeof n === 'string').map((n) => n.replace(/\s/g, ''));
const all = [...document.querySelectorAll(
    'button, a[href], [role=button], [role=tab], [role=link], [role=menuitem], [role=switch], [role=radio], ' +
    '[role=checkbox], summary, label, input[type=submit], input[type=button]')].filter(shown);
const found = all.find((e) => names(e).includes(wanted)) || all.find((e) => names(e).some((n) => n.includes(wanted)));
// As a person would: what lies under a bar is scrolled into the open.
found?.scrollIntoView({ block: 'center', behavior: 'instant' });
return found || null;
";

/// Finds an element by a selector.
const AT: &str = r"
const found = [...document.querySelectorAll(arguments[0])].find((e) => e.checkVisibility({ visibilityProperty: true }));
found?.scrollIntoView({ block: 'center', behavior: 'instant' });
return found || null;
";

/// Empties a field and tells the page, in one: a page that draws in between would put the old text back.
const EMPTY: &str = "
arguments[0].value = '';
arguments[0].dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'deleteContent' }));
";

/// Finds a field by its label, or by what stands in it while empty.
const FIELD: &str = r"
const wanted = arguments[0].replace(/\s/g, '');
const modal = [...document.querySelectorAll('dialog:modal')].pop();
const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('[inert]') && (!modal || modal.contains(e));
const names = (e) => [e.getAttribute('aria-label'), e.placeholder, ...[...(e.labels || [])].map((l) => l.innerText),
    ...(e.getAttribute('aria-labelledby') || '').split(/\s+/).map((id) => document.getElementById(id)?.innerText)]
    .filter((n) => typeof n === 'string').map((n) => n.replace(/\s/g, ''));
const all = [...document.querySelectorAll('input, textarea, select, [contenteditable=true]')].filter(shown);
const found = all.find((e) => names(e).includes(wanted)) || all.find((e) => names(e).some((n) => n.includes(wanted)));
// As a person would: what lies under a bar is scrolled into the open.
found?.scrollIntoView({ block: 'center', behavior: 'instant' });
return found || null;
";
