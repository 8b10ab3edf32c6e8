//! The narrative of a resource as plain text: the XHTML of `text.div` loses every tag, and what comes out is
//! text for a text node, never markup (FHIR R4 §2.4). Linear in its input, never longer than it.

use super::element::shown;

/// Elements whose content is no text for people.
const SILENT: [&str; 6] = ["script", "style", "head", "title", "template", "noscript"];
/// Elements that begin a new line.
const BLOCK: [&str; 17] = [
    "p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "pre",
];

/// The text of an XHTML fragment.
pub(super) fn plain_text(xhtml: &str) -> String {
    let mut out = String::with_capacity(xhtml.len());
    let mut rest = xhtml;
    while let Some(start) = rest.find('<') {
        push_text(&rest[..start], &mut out);
        rest = after_markup(&rest[start..], &mut out);
    }
    push_text(rest, &mut out);
    tidy(&shown(&out))
}

/// Consumes what begins with `<`: comment, CDATA, tag with its silent content, or a stray character.
fn after_markup<'a>(text: &'a str, out: &mut String) -> &'a str {
    if let Some(comment) = text.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    if let Some(data) = text.strip_prefix("<![CDATA[") {
        let (data, rest) = data.split_once("]]>").unwrap_or((data, ""));
        out.push_str(data);
        return rest;
    }
    let inner = &text[1..];
    if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
        out.push('<');
        return inner;
    }
    let Some(end) = tag_end(inner) else { return "" };
    let (tag, rest) = (&inner[..end], &inner[end + 1..]);
    let closing = tag.starts_with('/');
    let name: String = tag
        .trim_start_matches('/')
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if BLOCK.contains(&name.as_str()) {
        out.push('\n');
    } else if !closing && (name == "td" || name == "th") {
        out.push('\t');
    } else if !closing && !tag.ends_with('/') && SILENT.contains(&name.as_str()) {
        return after_silent(rest, &name);
    }
    rest
}

/// The `>` that ends a tag, not one inside an attribute's quotation marks.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (i, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(i),
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            _ => {}
        }
    }
    None
}

fn after_silent<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(start) = rest.find("</") {
        rest = &rest[start + 2..];
        if rest.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)) {
            return tag_end(rest).map_or("", |end| &rest[end + 1..]);
        }
    }
    ""
}

fn push_text(text: &str, out: &mut String) {
    // White space in XHTML source is layout of the source, not of the text.
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        push_collapsed(&rest[..start], out);
        rest = &rest[start..];
        let end = rest.find(';').filter(|end| *end <= 10);
        if let Some((c, end)) = end.and_then(|end| Some((entity(&rest[1..end])?, end))) {
            out.push(c);
            rest = &rest[end + 1..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    push_collapsed(rest, out);
}

fn push_collapsed(text: &str, out: &mut String) {
    for c in text.chars() {
        if !c.is_ascii_whitespace() {
            out.push(c);
        } else if !out.ends_with([' ', '\n', '\t']) {
            out.push(' ');
        }
    }
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "micro" => 'µ',
        "plusmn" => '±',
        "deg" => '°',
        "le" => '≤',
        "ge" => '≥',
        "times" => '×',
        "middot" => '·',
        _ => return None,
    })
}

/// Lines without white space at their ends, none empty.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paragraphs_become_lines() {
        let text = plain_text(
            "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>主诉：胸闷 3&#160;天。</p>\n <p>血压 &lt; 140</p></div>",
        );
        assert_eq!(text, "主诉：胸闷 3\u{a0}天。\n血压 < 140");
    }

    #[test]
    fn a_table_row_is_a_line_with_its_cells_apart() {
        assert_eq!(plain_text("<table><tr><td>钾</td><td>4.1</td></tr></table>"), "钾\t4.1");
    }

    #[test]
    fn scripts_comments_and_attributes_are_no_text() {
        let text =
            plain_text("a<script>alert(1)</script><!-- b --><img src=x onerror=\"alert('>')\"/>c<style>d");
        assert_eq!(text, "ac");
    }

    #[test]
    fn an_entity_does_not_become_markup() {
        // Written out, this is text that looks like a tag: a text node shows it, nothing runs it.
        assert_eq!(plain_text("&lt;script&gt;alert(1)&lt;/script&gt;"), "<script>alert(1)</script>");
        assert_eq!(plain_text("AT&T & &bogus; 3 < 5"), "AT&T & &bogus; 3 < 5");
    }

    #[test]
    fn marks_that_turn_the_reading_direction_are_dropped() {
        assert_eq!(plain_text("4.05\u{202e}50.4"), "4.0550.4");
    }

    proptest! {
        #[test]
        fn any_text_is_stripped_without_a_panic(text in "(<|>|/|&|;|#|\"|'|!|-|[a-z ]|澜|<script|</script|<!--|-->){0,60}") {
            prop_assert!(plain_text(&text).len() <= text.len());
        }
    }
}
