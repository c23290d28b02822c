//! `report.html`: the findings as a page of their own, for a screen and for paper.
//!
//! The page needs nothing but itself: no network, no script for reading. Every text goes through one place
//! (`write_value`) that makes visible what hides and escapes the rest, so the template cannot forget it; the
//! page's own policy forbids every script but its own, should that fail one day.

mod answer;
mod axis;
mod driver;
mod judgement;
mod reading;
mod say;
mod text;
mod timeline;
mod view;

use crate::findings::Findings;
use crate::lang::Lang;
use crate::report::reader::Reader;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{Environment, Error, HtmlEscape, Output, State, escape_formatter};
use say::say;
use std::io;
use view::Page;

const TEMPLATES: [(&str, &str); 6] = [
    ("macros.html", include_str!("macros.html")),
    ("page.html", include_str!("page.html")),
    ("timeline.html", include_str!("timeline.html")),
    ("judgement.html", include_str!("judgement.html")),
    ("driver.html", include_str!("driver.html")),
    ("rest.html", include_str!("rest.html")),
];
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// SHA-256 of `page.js` with the line ends around it, by which the page's policy lets it run.
const SCRIPT_HASH: &str = "E5rS7EH96KOWdJVv9Ci5XXDlQs4srpIuekdwCgDbBgY=";

/// The report on these findings in the reader's language; their zone is shown beside UTC.
///
/// # Errors
/// When the templates do not fit the findings, which is a mistake of the program.
pub fn page(findings: &Findings, reader: Reader<'_>) -> io::Result<String> {
    render(&Page::new(findings, reader), reader.lang)
        .map_err(|error| io::Error::other(format!("report: {error:#}")))
}

fn render(page: &Page<'_>, lang: Lang) -> Result<String, Error> {
    let mut env = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    env.set_syntax(syntax.trim_blocks(true).lstrip_blocks(true).build()?);
    env.set_formatter(move |out, state, value| write_value(out, state, value, lang));
    env.add_function("t", move |en: &str, zh: &str, values: Kwargs| {
        say(lang, en, zh, &values)
    });
    for (name, source) in TEMPLATES {
        env.add_template(name, source)?;
    }
    env.add_global("style", own(STYLE));
    env.add_global("script", own(SCRIPT));
    env.add_global("script_hash", own(SCRIPT_HASH));
    env.get_template("page.html")?.render(Serde(page))
}

/// A text of the program's own, which is not escaped. A line ends as browsers read it, so that the hash fits.
fn own(text: &str) -> Value {
    Value::from_safe_string(text.replace("\r\n", "\n"))
}

/// Writes a value of a template: nothing for what is absent, and text only after making it visible and harmless.
fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
    lang: Lang,
) -> Result<(), Error> {
    match value.as_str() {
        _ if value.is_none() || value.is_undefined() => Ok(()),
        Some(text) if !value.is_safe() => {
            write!(out, "{}", HtmlEscape(&text::visible(text, lang))).map_err(Error::from)
        }
        _ => escape_formatter(out, state, value),
    }
}
