//! A page looked at from all sides: light and dark, text at twice its size, by keyboard, by a screen reader's rules. What
//! is found is gathered, so that one walk names everything.

use serde_json::{Value, json};

use crate::{Person, Result};

/// How closely a page is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Everything: light, dark, large, keyboard, axe-core in both looks.
    Whole,
    /// What another language can change: light and large, axe-core once.
    Words,
}

impl Person {
    /// Looks at the page that is shown and adds what is wrong with it to `found`. Pictures of the whole page are left as
    /// `page-NAME.png`.
    pub async fn looks_over(&self, name: &str, look: Look, found: &mut Vec<String>) -> Result<()> {
        let mut note = |what: &str, lines: Vec<String>| {
            found.extend(lines.into_iter().map(|line| format!("{name}, {what}: {line}")));
        };
        self.settles().await?;
        note("layout", self.layout().await?);
        note("axe", self.reads_aloud().await);
        self.whole_picture(&format!("page-{name}")).await?;
        if look == Look::Whole {
            note("keyboard", self.tabs_through().await?);
            self.prefers_dark(true).await?;
            note("axe, dark", self.reads_aloud().await);
            self.whole_picture(&format!("page-{name}-dark")).await?;
            self.prefers_dark(false).await?;
        }
        self.has_text_at("200%").await?;
        note("large text", self.layout().await?);
        self.whole_picture(&format!("page-{name}-large")).await?;
        self.has_text_at("").await
    }

    /// The text's size, as a browser's setting makes it; the usual one when empty.
    pub async fn has_text_at(&self, size: &str) -> Result<()> {
        self.runs(&format!("document.documentElement.style.fontSize = '{size}'")).await?;
        self.settles().await
    }

    /// A window of another size, in CSS pixels.
    pub async fn has_a_window_of(&self, width: u32, height: u32) -> Result<()> {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await?;
        self.settles().await
    }

    /// Goes to a page of the same origin as a tap on a link does: without loading anything anew.
    pub async fn turns_to(&self, path: &str) -> Result<()> {
        self.runs(&format!(
            "history.pushState(null, '', '{path}'); dispatchEvent(new PopStateEvent('popstate'))"
        ))
        .await?;
        self.settles().await
    }

    /// Taps a language and waits until the page speaks it.
    pub async fn turns_language(&self, name: &str) -> Result<()> {
        self.taps(name).await?;
        let tag = if name == "English" { "en" } else { "zh-CN" };
        self.finds(&format!("html[lang='{tag}']")).await?;
        self.settles().await
    }

    /// Presses a key, as `KeyboardEvent.key` names it: `Tab`, `Escape`, `Enter`.
    pub async fn presses(&self, key: &str) -> Result<()> {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            _ => 0,
        };
        for kind in ["rawKeyDown", "keyUp"] {
            let event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            self.devtools("Input.dispatchKeyEvent", event).await?;
        }
        self.settles().await
    }

    /// Whether a sheet is open.
    pub async fn has_a_sheet(&self) -> Result<bool> {
        Ok(self.runs("return !!document.querySelector('dialog[open]')").await? == json!(true))
    }

    /// Two frames pass, and what was moving has come to rest.
    async fn settles(&self) -> Result<()> {
        let script = "const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(async () => {
                const moving = document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity);
                await Promise.allSettled(moving.map((a) => a.finished));
                done();
            }));";
        self.browser().execute_async(script, Vec::<Value>::new()).await?;
        Ok(())
    }

    async fn reads_aloud(&self) -> Vec<String> {
        self.finds_it_accessible().await.err().map(|error| format!("{error:#}")).into_iter().collect()
    }

    async fn layout(&self) -> Result<Vec<String>> {
        Ok(serde_json::from_value(self.runs(LAYOUT).await?)?)
    }

    /// Presses Tab until the focus comes round: everything that can be tapped must have had it, visibly.
    async fn tabs_through(&self) -> Result<Vec<String>> {
        let all = self.runs(STOPS).await?.as_u64().unwrap_or_default();
        let mut found = Vec::new();
        for _ in 0..all + 2 {
            self.presses("Tab").await?;
            let remarks: Vec<String> = serde_json::from_value(self.runs(FOCUS).await?)?;
            found.extend(remarks);
        }
        let left: Vec<String> = serde_json::from_value(self.runs(LEFT).await?)?;
        found.extend(left.into_iter().map(|name| format!("Tab does not reach {name}")));
        found.sort();
        found.dedup();
        self.runs("document.activeElement?.blur(); scrollTo(0, 0)").await?;
        Ok(found)
    }

    /// A picture of what the window shows, this much smaller, for people to look at.
    pub async fn small_picture(&self, name: &str, scale: f64) -> Result<()> {
        self.settles().await?;
        let size = self.runs("return [scrollX, scrollY, innerWidth, innerHeight]").await?;
        let clip = json!({ "x": size[0], "y": size[1], "width": size[2], "height": size[3], "scale": scale });
        let parameters = json!({ "format": "png", "clip": clip });
        let shot = self.devtools("Page.captureScreenshot", parameters).await?;
        self.keeps_picture(name, &shot)
    }

    /// A picture of all of the page, not only of what the window shows.
    pub async fn whole_picture(&self, name: &str) -> Result<()> {
        let size = self
            .runs(
                "const dialog = document.querySelector('dialog[open]');
                 return dialog ? [scrollX, scrollY, innerWidth, innerHeight]
                     : [0, 0, innerWidth, Math.max(innerHeight, document.documentElement.scrollHeight)]",
            )
            .await?;
        let clip = json!({ "x": size[0], "y": size[1], "width": size[2], "height": size[3], "scale": 1 });
        let shot = self
            .devtools(
                "Page.captureScreenshot",
                json!({ "format": "png", "clip": clip, "captureBeyondViewport": true }),
            )
            .await?;
        self.keeps_picture(name, &shot)
    }
}

/// Text that is cut off, lies beside the screen or beyond its own button; a page that scrolls sideways.
const LAYOUT: &str = r"
const found = [], root = document.documentElement;
const wide = document.scrollingElement.scrollWidth - root.clientWidth;
const dialog = document.querySelector('dialog[open]');
const name = (e) => `<${e.tagName.toLowerCase()} class=${e.getAttribute('class')}> ${(e.innerText || '').slice(0, 30)}`;
const scrolls = (e) => { for (; e; e = e.parentElement)
    if (['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth) return true; return false; };
if (wide > 0) {
    const far = [...document.body.querySelectorAll('*')].filter((e) => !scrolls(e.parentElement))
        .reduce((a, b) => (b.getBoundingClientRect().right < a.getBoundingClientRect().right ? a : b));
    found.push(`scrolls sideways by ${wide} px: ${name(far)}`);
}
for (const e of (dialog || document.body).querySelectorAll('*')) {
    if (!e.checkVisibility({ visibilityProperty: true }) || e.closest('.heard, svg, .skip')) continue;
    const style = getComputedStyle(e);
    const clips = ['hidden', 'clip'].includes(style.overflowX) || ['hidden', 'clip'].includes(style.overflowY);
    if (clips && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)) found.push(`cut off: ${name(e)}`);
    for (const node of e.childNodes) {
        if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        const box = e.closest('button, a, .button, .chip, .segment, .tag, .card')?.getBoundingClientRect();
        for (const r of range.getClientRects()) {
            if (r.width === 0) continue;
            if ((r.right > innerWidth + 1 || r.left < -1) && !scrolls(e)) found.push(`beside the screen: ${name(e)}`);
            if (box && (r.right > box.right + 1 || r.left < box.left - 1) && !scrolls(e)) found.push(`beyond its box: ${name(e)}`);
        }
        if (parseFloat(style.fontSize) < 13 * parseFloat(getComputedStyle(root).fontSize) / 16 - 0.1)
            found.push(`smaller than 13 px: ${name(e)} ${style.fontSize}`);
    }
}
return [...new Set(found)];
";

/// Counts what Tab must reach, and begins before the first of them.
const STOPS: &str = r"
const dialog = document.querySelector('dialog[open]');
window.stops = [...(dialog || document.body).querySelectorAll(
    'a[href], button:not(:disabled), input:not(:disabled), textarea:not(:disabled), select:not(:disabled), summary, [tabindex=\'0\']')]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('[inert]'))
    // Of a group of radio buttons Tab stops at the chosen one; arrows lead to the others.
    .filter((e) => e.type !== 'radio' || e.checked
        || !document.querySelector(`input[type=radio][name='${e.name}']:checked`));
window.reached = new Set();
scrollTo(0, 0);
// Within a date Tab stops at year, month, day and calendar.
return window.stops.length + 3 * window.stops.filter((e) => e.type === 'date').length;
";

/// Where the focus is now: seen, and not under a bar.
const FOCUS: &str = r"
const e = document.activeElement, found = [];
if (!e || e === document.body) return found;
window.reached.add(e);
const seen = e.closest('label.file-button, label.choice') || e;
const style = [getComputedStyle(e), getComputedStyle(seen)];
const name = `${e.tagName.toLowerCase()} “${(e.getAttribute('aria-label') || e.innerText || e.id || e.type || '').trim().slice(0, 30)}”`;
const ring = (s) => (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2) || s.boxShadow !== 'none';
if (e.tagName !== 'H1' && e.tagName !== 'H2' && e.tagName !== 'DIALOG' && !style.some(ring)) found.push(`no focus ring on ${name}`);
const box = seen.getBoundingClientRect();
const x = Math.min(Math.max(box.x + box.width / 2, 1), innerWidth - 1);
const inside = box.top >= -1 && box.bottom <= innerHeight + 1 || box.height > innerHeight;
if (!inside) found.push(`focus off the screen on ${name}`);
else {
    const y = Math.min(Math.max(box.y + box.height / 2, 1), innerHeight - 1);
    const top = document.elementFromPoint(x, y);
    if (top && !seen.contains(top) && !top.contains(seen)) found.push(`focus covered on ${name} by ${top.tagName}.${top.getAttribute('class')}`);
}
return found;
";

/// What Tab never reached.
const LEFT: &str = r"
return window.stops.filter((e) => e.isConnected && !window.reached.has(e))
    .map((e) => `${e.tagName.toLowerCase()} “${(e.getAttribute('aria-label') || e.innerText || e.id || '').trim().slice(0, 30)}”`);
";
