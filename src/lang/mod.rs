//! The languages of what people read: English and Simplified Chinese.
//!
//! Programs always get English: the keys and texts of `findings.json` and of the tables are the same in every language.
//! The terminal and the report page speak the language of their reader.
//!
//! Every text is written in both languages at the place where it is made, side by side, so that none can be forgotten:
//!
//! - [`say!`](crate::say) makes a [`Message`]: a sentence of the findings (a reason, a note, a warning), which holds both
//!   and is serialised in English. A value named behind the texts must stand in both of them, or it does not compile.
//! - [`tell!`](crate::tell) and [`Lang::pick`] make a text of the report, where the language is known.
//!
//! ```
//! use fltscope::lang::Lang;
//! use fltscope::{say, tell};
//!
//! let (file, result) = ("DRIVERS.LOG1", "SHARING VIOLATION");
//! let reason = say!(
//!     en: "It had {file} open: {result}, {times} times.",
//!     zh: "它打开了 {file}：{result}，共 {times} 次。",
//!     times = 1 + 2,
//! );
//! assert_eq!(reason.en(), "It had DRIVERS.LOG1 open: SHARING VIOLATION, 3 times.");
//! assert_eq!(reason.text(Lang::Zh), "它打开了 DRIVERS.LOG1：SHARING VIOLATION，共 3 次。");
//! assert_eq!(serde_json::to_value(&reason).unwrap(), reason.en());
//! assert_eq!(tell!(Lang::Zh, en: "in {file}", zh: "在 {file} 中"), "在 DRIVERS.LOG1 中");
//! ```
//!
//! What stays as it is in every language: names, paths, operations, results (`ACCESS DENIED`), lines of logs. A text that
//! is nothing but these is [`Message::verbatim`].

mod message;
mod words;

pub use message::Message;
pub use words::Words;

/// A language that people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// The text of this language.
    pub fn pick<T>(self, en: T, zh: T) -> T {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }

    /// The language's tag (BCP 47).
    pub fn tag(self) -> &'static str {
        self.pick("en", "zh-CN")
    }

    /// The language of a locale, as `zh-CN`, `zh_CN.UTF-8` or `de-DE`: Chinese for every kind of Chinese, else English.
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.split(['-', '_', '.', '@']).next();
        match language.is_some_and(|language| language.eq_ignore_ascii_case("zh")) {
            true => Self::Zh,
            false => Self::En,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales() {
        for chinese in [
            "zh",
            "zh-CN",
            "zh_CN.UTF-8",
            "zh-Hans-CN",
            "ZH_TW",
            "zh@pinyin",
        ] {
            assert_eq!(Lang::of_locale(chinese), Lang::Zh, "{chinese}");
        }
        for other in [
            "",
            "C",
            "POSIX",
            "C.UTF-8",
            "en-US",
            "zha-CN",
            "de_DE.UTF-8",
        ] {
            assert_eq!(Lang::of_locale(other), Lang::En, "{other}");
        }
    }
}
