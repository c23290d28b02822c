//! Decompressed buffers of a small trace, kept: each pass over it would decompress them again.

use super::buffer::Buffer;
use super::error::EtlError;
use super::records::{Records, Scratch};
use crate::input::view::Source;
use crate::trace::room::is_capped;
use std::io;
use std::sync::OnceLock;

/// Bytes that are kept at most.
const MOST: u64 = 64 << 20;
/// As many times the size of the file at most: Windows compresses traces to a fifth or so.
const EXPANDED: u64 = 16;

/// The data of compressed buffers, from when it is first asked for.
#[derive(Debug)]
pub struct Unpacked(Vec<OnceLock<Data>>);

#[derive(Debug)]
struct Data {
    bytes: Box<[u8]>,
    shortfall: Option<EtlError>,
}

impl Unpacked {
    /// For the buffers of a file; `None` where nothing is kept: none is compressed, the file is not at hand as a whole,
    /// or there is too much.
    pub fn new(buffers: &[Buffer], source: &Source) -> Option<Self> {
        let compressed = buffers.iter().filter(|buffer| buffer.is_compressed());
        let bytes: u64 = compressed.map(|buffer| buffer.data_len() as u64).sum();
        let most = MOST.min(source.len().saturating_mul(EXPANDED));
        let whole = source.held(0..0).is_some();
        let kept = (1..=most).contains(&bytes) && whole && !is_capped();
        kept.then(|| Self(buffers.iter().map(|_| OnceLock::new()).collect()))
    }

    /// The records of `buffer`, which is number `at`; `None` of one that is not compressed.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn records(
        &self,
        at: usize,
        buffer: &Buffer,
        source: &Source,
    ) -> Option<io::Result<Records<'_>>> {
        let kept = self.0.get(at).filter(|_| buffer.is_compressed())?;
        if kept.get().is_none() {
            let mut scratch = Scratch::default();
            match Records::read(buffer, source, &mut scratch) {
                Ok(records) => {
                    let data = Data {
                        bytes: records.data().into(),
                        shortfall: records.shortfall().cloned(),
                    };
                    // Whoever is first keeps what all others would.
                    let _ = kept.set(data);
                }
                Err(error) => return Some(Err(error)),
            }
        }
        let data = kept.get()?;
        let shortfall = data.shortfall.clone();
        Some(Ok(Records::of_data(buffer, &data.bytes, shortfall)))
    }
}
