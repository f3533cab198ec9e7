// SPDX-License-Identifier: Apache-2.0
//! HTML that a hostile text cannot break out of: there is no way from a `&str` into it but through escaping.

use virtwarden_core::trail::escape::printable;

/// A piece of a page.
#[derive(Clone, Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// A text on one line, harmless: what a terminal or a browser could act on, hide or reorder is spelled out.
    pub(super) fn text(text: &str) -> Self {
        Self(escaped(&printable(text)))
    }

    /// A text of several lines; each is made harmless, the breaks between them stay.
    pub(super) fn lines(text: &str) -> Self {
        let lines: Vec<_> = text.lines().map(|line| escaped(&printable(line))).collect();
        Self(lines.join("\n"))
    }

    /// What stands in this program's own source.
    pub(super) fn own(html: &'static str) -> Self {
        Self(html.to_owned())
    }

    /// An element with its attributes and what is in it.
    pub(super) fn element(
        name: &'static str,
        attributes: &[(&'static str, &str)],
        inside: impl IntoIterator<Item = Html>,
    ) -> Self {
        let mut html = opened(name, attributes);
        html.extend(inside.into_iter().map(|Html(part)| part));
        html.push_str("</");
        html.push_str(name);
        html.push('>');
        Self(html)
    }

    /// An element that has nothing in it and no end.
    pub(super) fn void(name: &'static str, attributes: &[(&'static str, &str)]) -> Self {
        Self(opened(name, attributes))
    }

    /// An element without attributes that has a text in it.
    pub(super) fn word(name: &'static str, text: &str) -> Self {
        Self::element(name, &[], [Self::text(text)])
    }

    /// The page as it is written.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(parts: I) -> Self {
        Self(parts.into_iter().map(|Html(part)| part).collect())
    }
}

fn opened(name: &'static str, attributes: &[(&'static str, &str)]) -> String {
    let mut html = format!("<{name}");
    for (attribute, value) in attributes {
        html.push(' ');
        html.push_str(attribute);
        html.push_str("=\"");
        html.push_str(&escaped(&printable(value)));
        html.push('"');
    }
    html.push('>');
    html
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup_and_no_attribute_ends_early() {
        let hostile = "</script><img src=x onerror='x'> \" & \u{202e}txt\u{1b}[2J\u{0}";
        let html = Html::element("p", &[("title", hostile)], [Html::text(hostile)]).into_string();
        let inner = html.strip_prefix("<p title=\"").and_then(|html| html.strip_suffix("</p>")).unwrap();
        let (title, text) = inner.split_once("\">").unwrap();
        for part in [title, text] {
            assert!(!part.contains(['<', '>', '"', '\'', '\u{202e}', '\u{1b}', '\u{0}']), "{part}");
            assert!(part.contains("\\u{202e}txt\\u{1b}[2J\\0"), "{part}");
        }
    }

    #[test]
    fn breaks_between_lines_stay_and_nothing_else_that_moves_the_cursor() {
        assert_eq!(Html::lines("a<b\r\nc\td\u{b}").into_string(), "a&lt;b\nc\\td\\u{b}");
    }
}
