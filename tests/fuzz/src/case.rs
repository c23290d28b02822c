//! Several files in one input.

/// What stands between them.
pub const MARK: &[u8] = b"\n=part=\n";
/// Files of a case, at most.
const MOST: usize = 4;

/// The files of an input.
pub fn parts(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut left = Some(data);
    std::iter::from_fn(move || {
        let data = left?;
        let found = data.windows(MARK.len()).position(|window| window == MARK);
        let (part, rest) = match found {
            Some(at) => (&data[..at], Some(&data[at + MARK.len()..])),
            None => (data, None),
        };
        left = rest;
        Some(part)
    })
    .take(MOST)
}
