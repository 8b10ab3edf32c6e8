//! The language and theme that the person chose, for the whole page.

use yew::{Callback, hook, use_context};

use super::{file, page};
use crate::words::{Language, Words};

/// The texts, and how to change what they are in and how the page looks.
#[derive(Clone, PartialEq)]
pub struct Setting {
    /// The texts.
    pub words: Words,
    /// `light`, `dark`, or as the system.
    pub theme: Option<&'static str>,
    /// Told of a change.
    pub change: Callback<Change>,
}

/// A change of language or theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Another language.
    Language(Language),
    /// Another theme; none is the system's.
    Theme(Option<&'static str>),
}

/// The texts of the page.
#[hook]
pub fn use_words() -> Words {
    use_setting().words
}

/// The settings of the page.
#[hook]
pub fn use_setting() -> Setting {
    use_context::<Setting>().expect("every page stands inside the app")
}

/// Fetches the texts of a language; none where they can't be had.
pub async fn fetch(language: Language) -> Option<Words> {
    let texts = String::from_utf8(file::fetch(language.file()).await?).ok()?;
    Some(Words::read(language, texts, page::offset_minutes()))
}

/// The stored theme.
pub fn stored_theme() -> Option<&'static str> {
    match page::setting("theme").as_deref() {
        Some("light") => Some("light"),
        Some("dark") => Some("dark"),
        _ => None,
    }
}

/// Applies language and theme, and stores the theme; a language is stored where it is chosen, before its texts are here.
pub fn apply(language: Language, theme: Option<&'static str>) {
    page::set_root("lang", Some(language.tag()));
    page::set_root("data-theme", theme);
    page::set_setting("theme", theme.unwrap_or("system"));
}
