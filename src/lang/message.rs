//! A sentence in both languages.

use super::Lang;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A sentence of the findings in every language. For programs (JSON, tables, [`Display`](fmt::Display)) it is the
/// English one.
///
/// [`say!`](crate::say) makes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message(
    /// In a box, for errors hold messages and are to stay small.
    Box<Texts>,
);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Texts {
    en: Cow<'static, str>,
    zh: Cow<'static, str>,
}

impl Message {
    /// Of its texts.
    pub fn new(en: fmt::Arguments<'_>, zh: fmt::Arguments<'_>) -> Self {
        let text = |text: fmt::Arguments<'_>| {
            let fixed = text.as_str();
            fixed.map_or_else(|| Cow::Owned(text.to_string()), Cow::Borrowed)
        };
        Self(Box::new(Texts {
            en: text(en),
            zh: text(zh),
        }))
    }

    /// A text that is the same in every language: a name, a path, a line of a log, what the system says.
    pub fn verbatim(text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        Self(Box::new(Texts {
            en: text.clone(),
            zh: text,
        }))
    }

    /// In English.
    pub fn en(&self) -> &str {
        &self.0.en
    }

    /// In Simplified Chinese.
    pub fn zh(&self) -> &str {
        &self.0.zh
    }

    /// In the reader's language.
    pub fn text(&self, lang: Lang) -> &str {
        lang.pick(&self.0.en, &self.0.zh)
    }
}

/// Compares the English text.
impl PartialEq<&str> for Message {
    fn eq(&self, other: &&str) -> bool {
        self.0.en == *other
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.en)
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.en)
    }
}

/// A [`Message`] in both languages: `say!(en: "…", zh: "…")`, with `{names}` in scope and, behind the texts,
/// `name = value`; such a value must stand in both texts.
///
/// To put a message into another, name its texts first: `let (en, zh) = (inner.en(), inner.zh());`.
#[macro_export]
macro_rules! say {
    (en: $en:literal, zh: $zh:literal $(,)?) => {
        $crate::lang::Message::new(::std::format_args!($en), ::std::format_args!($zh))
    };
    (en: $en:literal, zh: $zh:literal, $($name:ident = $value:expr),+ $(,)?) => {
        // Each value is worked out once.
        match ($(&$value,)+) {
            ($($name,)+) => $crate::lang::Message::new(
                ::std::format_args!($en, $($name = $name),+),
                ::std::format_args!($zh, $($name = $name),+),
            ),
        }
    };
}

/// A text of the report in the language of its reader: `tell!(lang, en: "…", zh: "…")`, with values as in
/// [`say!`](crate::say).
#[macro_export]
macro_rules! tell {
    ($lang:expr, en: $en:literal, zh: $zh:literal $(, $name:ident = $value:expr)* $(,)?) => {
        match $lang {
            $crate::lang::Lang::En => ::std::format!($en $(, $name = $value)*),
            $crate::lang::Lang::Zh => ::std::format!($zh $(, $name = $value)*),
        }
    };
}
