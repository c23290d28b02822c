//! Things that are counted.

use super::style::count;
use crate::lang::Lang;

/// A thing that is counted. Chinese has one form, with its measure word.
#[derive(Debug, Clone, Copy)]
pub struct Noun {
    one: &'static str,
    many: &'static str,
    zh: &'static str,
}

impl Noun {
    const fn new(one: &'static str, many: &'static str, zh: &'static str) -> Self {
        Self { one, many, zh }
    }

    /// `1 failure`, `3 failures`; `3 次失败`.
    pub fn of(self, number: u64, lang: Lang) -> String {
        let noun = match number {
            1 => self.one,
            _ => self.many,
        };
        format!("{} {}", count(number), lang.pick(noun, self.zh))
    }
}

pub const TOUCH: Noun = Noun::new("touch", "touches", "次触及");
pub const MORE_TOUCH: Noun = Noun::new("more touch", "more touches", "次触及");
pub const FAILURE: Noun = Noun::new("failure", "failures", "次失败");
pub const DELAY: Noun = Noun::new("delay", "delays", "次延迟");
pub const CALLBACK: Noun = Noun::new("callback", "callbacks", "次回调");
pub const MINIFILTER_CALLBACK: Noun = Noun::new(
    "minifilter callback",
    "minifilter callbacks",
    "次微筛选器回调",
);
pub const OPERATION: Noun = Noun::new("operation", "operations", "个操作");
pub const EVENT: Noun = Noun::new("event", "events", "个事件");
pub const BUFFER: Noun = Noun::new("buffer", "buffers", "个缓冲区");
pub const LINE: Noun = Noun::new("line", "lines", "行");
pub const FILE: Noun = Noun::new("file", "files", "个文件");
pub const ROW: Noun = Noun::new("row", "rows", "行");
pub const CASE: Noun = Noun::new("case", "cases", "个案例");
pub const PROCESSOR: Noun = Noun::new("processor", "processors", "个处理器");
pub const MORE_PRODUCT: Noun = Noun::new("more product", "more products", "个产品");
pub const MORE_DRIVER: Noun = Noun::new(
    "more third-party driver",
    "more third-party drivers",
    "个第三方驱动程序",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_many() {
        assert_eq!(TOUCH.of(1, Lang::En), "1 touch");
        assert_eq!(TOUCH.of(2, Lang::En), "2 touches");
        assert_eq!(FAILURE.of(0, Lang::En), "0 failures");
        assert_eq!(EVENT.of(12_345, Lang::Zh), "12,345 个事件");
        assert_eq!(FAILURE.of(1, Lang::Zh), "1 次失败");
    }
}
