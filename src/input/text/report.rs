//! What was met while a text was read.

use crate::lang::Message;
use crate::say;

/// How the encoding of a text is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EncodingBasis {
    /// Nothing speaks against UTF-8.
    #[default]
    Content,
    /// A byte order mark.
    Mark,
    /// The user named it.
    Given,
}

/// How a text was read, and what of it could not be taken as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextReport {
    /// The encoding of the file, by its WHATWG name.
    pub encoding: &'static str,
    /// How that is known.
    pub basis: EncodingBasis,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Lines handed out, empty ones included.
    pub lines: u64,
    /// The code page of the lines that are not UTF-8; `None` while there is no such line.
    pub code_page: Option<&'static str>,
    /// How many lines that are.
    pub code_page_lines: u64,
    /// Lines with bytes that are no character of their encoding; these bytes became U+FFFD.
    pub replaced_lines: u64,
    /// Blocks of NUL bytes.
    pub nul_blocks: u64,
    /// Bytes in them.
    pub nul_bytes: u64,
    /// Lines longer than the bound, of which only the start was taken.
    pub cut_lines: u64,
    /// Bytes of these that were not taken.
    pub cut_bytes: u64,
}

impl TextReport {
    /// Whether every byte of the file was taken as text.
    pub fn is_whole(&self) -> bool {
        self.replaced_lines + self.nul_blocks + self.cut_lines == 0
    }

    /// What a reader of the findings should know, as sentences; none for a clean file.
    pub fn warnings(&self) -> Vec<Message> {
        let mut out = Vec::new();
        if let Some(page) = self.code_page {
            let lines = self.code_page_lines;
            let are = if lines == 1 { "line is" } else { "lines are" };
            out.push(say!(
                en: "{lines} {are} not UTF-8 and read as {page}, which was guessed; --log-encoding sets it",
                zh: "有 {lines} 行不是 UTF-8，按推测的 {page} 读取；可用 --log-encoding 指定编码",
            ));
        }
        if self.replaced_lines > 0 {
            let (lines, count) = (lines(self.replaced_lines), self.replaced_lines);
            out.push(say!(
                en: "{lines} with bytes that are no text in {encoding}",
                zh: "有 {count} 行含有不属于 {encoding} 编码的字节",
                encoding = self.code_page.unwrap_or(self.encoding),
            ));
        }
        if self.nul_blocks > 0 {
            let (count, blocks) = match self.nul_blocks {
                1 => (1, "one block".to_owned()),
                more => (more, format!("{more} blocks")),
            };
            out.push(say!(
                en: "{bytes} NUL bytes in {blocks} skipped: the log was not written to its end there",
                zh: "跳过了 {count} 处共 {bytes} 个 NUL 字节：日志在该处没有写完",
                bytes = self.nul_bytes,
            ));
        }
        if self.cut_lines > 0 {
            let (lines, count) = (lines(self.cut_lines), self.cut_lines);
            out.push(say!(
                en: "{lines} too long: {bytes} bytes left out",
                zh: "有 {count} 行过长：略去了 {bytes} 个字节",
                bytes = self.cut_bytes,
            ));
        }
        out
    }
}

fn lines(count: u64) -> String {
    match count {
        1 => "1 line".to_owned(),
        more => format!("{more} lines"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_is_said() {
        assert!(TextReport::default().warnings().is_empty());
        let report = TextReport {
            code_page: Some("GBK"),
            code_page_lines: 2,
            replaced_lines: 1,
            nul_blocks: 1,
            nul_bytes: 4_096,
            cut_lines: 3,
            cut_bytes: 7,
            ..TextReport::default()
        };
        let warnings = report.warnings();
        assert_eq!(warnings.len(), 4);
        assert!(
            warnings[0]
                .en()
                .starts_with("2 lines are not UTF-8 and read as GBK")
        );
        assert_eq!(
            warnings[1].en(),
            "1 line with bytes that are no text in GBK"
        );
        assert!(warnings[2].en().starts_with("4096 NUL bytes in one block"));
        assert_eq!(warnings[3].en(), "3 lines too long: 7 bytes left out");
    }
}
