//! What the screens say: Fluent messages in Simplified Chinese (default) and English, a file each, of which a page loads
//! the one that it shows. A text is asked for by key; a key that is missing shows as itself and fails a test.

use std::rc::Rc;

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use yew::{Html, html};

use crate::clock::Moment;

/// A language of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Simplified Chinese.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The tag for `lang` attributes.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// Chinese unless the tag says English.
    pub fn of_tag(tag: &str) -> Self {
        if tag.starts_with("en") { Self::English } else { Self::Chinese }
    }

    /// The language one tap away.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Chinese => Self::English,
            Self::English => Self::Chinese,
        }
    }

    /// Where the page finds its texts.
    pub fn file(self) -> &'static str {
        match self {
            Self::Chinese => "/text/zh-CN.ftl",
            Self::English => "/text/en.ftl",
        }
    }

    #[cfg(test)]
    fn source(self) -> &'static str {
        match self {
            Self::Chinese => include_str!("../text/zh-CN.ftl"),
            Self::English => include_str!("../text/en.ftl"),
        }
    }
}

/// The texts of one language, for one place's calendar.
#[derive(Clone)]
pub struct Words {
    language: Language,
    offset_minutes: i32,
    bundle: Rc<FluentBundle<FluentResource>>,
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.language == other.language && self.offset_minutes == other.offset_minutes
    }
}

impl Words {
    /// The texts of a language from its file, with times shown for a place `offset_minutes` ahead of UTC.
    pub fn read(language: Language, source: String, offset_minutes: i32) -> Self {
        let tag = language.tag().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new(vec![tag]);
        // Isolation marks are for mixed writing directions, which neither language has; they break copied text.
        bundle.set_use_isolating(false);
        let resource = FluentResource::try_new(source).unwrap_or_else(|(rest, _)| rest);
        bundle.add_resource_overriding(resource);
        Self { language, offset_minutes, bundle: Rc::new(bundle) }
    }

    #[cfg(test)]
    pub(crate) fn new(language: Language, offset_minutes: i32) -> Self {
        Self::read(language, language.source().to_owned(), offset_minutes)
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Whether there is a text with this key.
    pub fn has(&self, key: &str) -> bool {
        self.bundle.has_message(key)
    }

    /// The text of a key.
    pub fn say(&self, key: &str) -> String {
        self.fill(key, None)
    }

    /// The text of a key with its figures and names filled in.
    pub fn with<'a>(&self, key: &str, arguments: &[(&'a str, FluentValue<'a>)]) -> String {
        let arguments: FluentArgs<'_> = arguments.iter().cloned().collect();
        self.fill(key, Some(&arguments))
    }

    /// A person with their title, where they have one: servers have none.
    pub fn named(&self, name: &str, title: &str) -> String {
        if title.is_empty() {
            return name.to_owned();
        }
        self.with("name-title", &[("name", name.into()), ("title", title.into())])
    }

    /// The text of a key with one number.
    pub fn count(&self, key: &str, count: impl Into<u64>) -> String {
        self.with(key, &[("n", figure(count))])
    }

    fn fill(&self, key: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        self.bundle.format_pattern(pattern, arguments, &mut Vec::new()).into_owned()
    }

    /// A moment in this place.
    pub fn moment(&self, seconds: u64) -> Moment {
        Moment::at(seconds, self.offset_minutes)
    }

    /// `14:02`.
    pub fn time(&self, seconds: u64) -> String {
        self.moment(seconds).time()
    }

    /// `11 月 12 日`, with the year where it isn't this one.
    pub fn date(&self, seconds: u64, now: u64) -> String {
        let moment = self.moment(seconds);
        let key = if moment.year == self.moment(now).year { "date" } else { "date-year" };
        self.with(
            key,
            &[
                ("year", FluentValue::from(moment.year.to_string())),
                ("month", FluentValue::from(moment.month)),
                ("name", FluentValue::from(self.month_name(moment.month))),
                ("day", FluentValue::from(moment.day)),
            ],
        )
    }

    /// `今天 13:47`, `明天 13:45`, `11 月 12 日 08:26`.
    pub fn when(&self, seconds: u64, now: u64) -> String {
        let days = self.moment(seconds).day_number - self.moment(now).day_number;
        let time = FluentValue::from(self.time(seconds));
        match days {
            0 => self.with("when-today", &[("time", time)]),
            1 => self.with("when-tomorrow", &[("time", time)]),
            -1 => self.with("when-yesterday", &[("time", time)]),
            _ => self.with("when-day", &[("date", self.date(seconds, now).into()), ("time", time)]),
        }
    }

    /// The short name of a month.
    pub fn month_name(&self, month: u32) -> String {
        self.say(&format!("month-{month}"))
    }

    /// `24 小时`, `30 天`, `15 分钟`: the largest unit that divides the length, else hours and minutes.
    pub fn length(&self, seconds: u64) -> String {
        match seconds {
            s if s >= 172_800 && s % 86_400 == 0 => self.count("days", s / 86_400),
            s if s >= 3600 && s % 3600 == 0 => self.count("hours", s / 3600),
            s => self.count("minutes", s.div_ceil(60)),
        }
    }

    /// What is left of a time, in its two largest units: `23 小时 43 分`, `8 分 42 秒`.
    pub fn left(&self, seconds: u64) -> String {
        let two = |key: &str, a: u64, b: u64| self.with(key, &[("a", figure(a)), ("b", figure(b))]);
        match seconds {
            s if s >= 172_800 => self.count("days", s / 86_400),
            s if s >= 3600 => two("left-hours", s / 3600, s % 3600 / 60),
            s if s >= 60 => two("left-minutes", s / 60, s % 60),
            s => self.count("seconds", s),
        }
    }

    /// A size in bytes, for people.
    pub fn size(&self, bytes: u64) -> String {
        match bytes {
            b if b < 1000 => format!("{b} B"),
            b if b < 1_000_000 => format!("{} KB", b.div_ceil(1000)),
            b => format!("{}.{} MB", b / 1_000_000, b % 1_000_000 / 100_000),
        }
    }

    /// Names, listed.
    pub fn list<S: AsRef<str>>(&self, names: &[S]) -> String {
        names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(&self.say("list-comma"))
    }
}

/// A number as an argument.
pub fn figure<'a>(value: impl Into<u64>) -> FluentValue<'a> {
    let value: u64 = value.into();
    FluentValue::from(value)
}

/// A text with its `**stressed**` runs set in bold.
pub fn rich(text: &str) -> Html {
    text.split("**")
        .enumerate()
        .map(|(index, run)| {
            if index % 2 == 1 {
                html! { <strong>{ run }</strong> }
            } else {
                html! { { run } }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
