//! Fixed words in both languages.

use std::fmt;

/// Fixed words in every language: for places that are too hot, or too early, to make a [`Message`](super::Message).
/// [`Display`](fmt::Display) is English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// In English.
    pub en: &'static str,
    /// In Simplified Chinese.
    pub zh: &'static str,
}

impl Words {
    /// Of both texts.
    pub const fn new(en: &'static str, zh: &'static str) -> Self {
        Self { en, zh }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.en)
    }
}
