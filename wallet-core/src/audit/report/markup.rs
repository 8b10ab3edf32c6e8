//! HTML that is written piece by piece: what stands in the program as it is, everything else escaped. Nothing that came
//! from a box, a certificate or the ledger can become a tag.

use core::fmt::{Display, Write as _};

/// HTML under way.
#[derive(Debug, Default)]
pub struct Markup(String);

impl Markup {
    /// Markup out of the program itself.
    pub fn raw(&mut self, html: &'static str) -> &mut Self {
        self.0.push_str(html);
        self
    }

    /// Text, escaped, also within a quoted attribute.
    pub fn text(&mut self, text: impl Display) -> &mut Self {
        let mut escaped = Escaped(&mut self.0);
        // Writing to a string can't fail.
        let _ = write!(escaped, "{text}");
        self
    }

    /// An element with text in it.
    pub fn element(&mut self, tag: &'static str, text: impl Display) -> &mut Self {
        self.raw("<").raw(tag).raw(">").text(text).raw("</").raw(tag).raw(">")
    }

    /// An attribute of the tag that is open.
    pub fn attribute(&mut self, name: &'static str, value: impl Display) -> &mut Self {
        self.raw(" ").raw(name).raw("=\"").text(value).raw("\"")
    }

    /// The whole.
    pub fn finish(self) -> String {
        self.0
    }
}

struct Escaped<'a>(&'a mut String);

impl core::fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // What turns the direction of a line, or shows nothing, could make a name read as another.
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' => {
                    self.0.push('\u{fffd}');
                }
                c if c.is_control() => self.0.push(' '),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_no_tag_and_closes_no_attribute() {
        let mut markup = Markup::default();
        markup.element("td", "<script>alert('1')</script> & \"x\"\u{202e}\u{7}");
        markup.raw("<p").attribute("title", "\" onload=\"x").raw(">");
        assert_eq!(
            markup.finish(),
            "<td>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;\u{fffd} </td>\
             <p title=\"&quot; onload=&quot;x\">"
        );
    }
}
