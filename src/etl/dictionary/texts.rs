//! Texts that repeat, each held once.

use hashbrown::HashMap;
use std::sync::Arc;

/// Number of a text in [`Texts`].
pub type TextId = u32;

/// Bytes of text that are kept. A boot trace names some 300,000 paths of 100 bytes; more than this is no trace of a
/// real machine.
const MOST_BYTES: usize = 1 << 30;

/// The texts, by number in the order of their first use.
#[derive(Debug, Default)]
pub struct Texts {
    list: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, TextId>,
    bytes: usize,
}

impl Texts {
    /// The number of a text; `None` when there is no room for more.
    pub fn number(&mut self, text: &str) -> Option<TextId> {
        if let Some(number) = self.numbers.get(text) {
            return Some(*number);
        }
        let number = TextId::try_from(self.list.len()).ok()?;
        self.bytes += text.len() + 64;
        if self.bytes > MOST_BYTES {
            return None;
        }
        let text: Arc<str> = text.into();
        self.list.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        Some(number)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All texts, by number.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|text| &**text)
    }

    /// The text of a number; empty for a number that was never given.
    #[inline]
    pub fn get(&self, number: TextId) -> &str {
        self.list.get(number as usize).map_or("", |text| text)
    }

    /// The text of a number, to keep.
    pub fn share(&self, number: TextId) -> Arc<str> {
        let text = self.list.get(number as usize);
        text.map_or_else(|| Arc::from(""), Arc::clone)
    }
}
