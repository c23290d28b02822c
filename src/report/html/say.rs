//! The texts of the templates: each stands in both languages where it is used, `{{ t("Inputs", "输入") }}`.

use super::text::visible;
use crate::lang::Lang;
use minijinja::value::{Kwargs, Value};
use minijinja::{Error, ErrorKind, HtmlEscape};

/// The text in the reader's language, with its `{names}` replaced by the values.
///
/// The texts are the page's own and may hold markup; values are escaped unless they are markup already.
///
/// # Errors
/// When a text has a name without a value, or one of the two lacks a value that is given: whatever language is
/// rendered, both are checked.
pub fn say(lang: Lang, en: &str, zh: &str, values: &Kwargs) -> Result<Value, Error> {
    let (en, zh) = (filled(en, values, lang)?, filled(zh, values, lang)?);
    Ok(Value::from_safe_string(lang.pick(en, zh)))
}

fn filled(text: &str, values: &Kwargs, lang: Lang) -> Result<String, Error> {
    let wrong = |what: &str, name: &str| {
        let told = format!("\"{text}\": {what} {name}");
        Error::new(ErrorKind::InvalidOperation, told)
    };
    let mut out = String::with_capacity(text.len());
    let mut used = 0;
    let mut rest = text;
    while let Some((before, name, behind)) = next_name(rest) {
        if !values.has(name) {
            return Err(wrong("no value for", name));
        }
        let value: Value = values.get(name)?;
        out.push_str(before);
        match value.as_str() {
            Some(markup) if value.is_safe() => out.push_str(markup),
            Some(text) => out.push_str(&HtmlEscape(&visible(text, lang)).to_string()),
            None => out.push_str(&HtmlEscape(&value.to_string()).to_string()),
        }
        used += 1;
        rest = behind;
    }
    out.push_str(rest);
    let given: Vec<&str> = values.args().collect();
    match given.len() == used {
        true => Ok(out),
        false => Err(wrong("lacks one of", &given.join(", "))),
    }
}

/// What stands before the next `{name}`, the name, and what stands behind it.
fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, behind) = rest.split_once('}')?;
    Some((before, name, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(list: &[(&'static str, &str)]) -> Kwargs {
        let values = list
            .iter()
            .map(|(name, value)| (*name, Value::from(*value)));
        values.collect()
    }

    #[test]
    fn values_stand_in_both_languages_and_are_escaped() {
        let given = values(&[("name", "<b>.sys")]);
        let said = say(Lang::Zh, "{name} is on", "<i>{name}</i> 已启用", &given).unwrap();
        assert_eq!(said.as_str(), Some("<i>&lt;b&gt;.sys</i> 已启用"));
        assert!(say(Lang::En, "{name} is on", "已启用", &given).is_err());
        assert!(say(Lang::En, "on", "{other}", &values(&[])).is_err());
        let plain = say(Lang::En, "on", "已启用", &values(&[])).unwrap();
        assert_eq!(plain.as_str(), Some("on"));
    }
}
