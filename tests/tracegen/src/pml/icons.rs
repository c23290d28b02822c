//! The icon table. No analysis looks at it; it is there because a reader has to step over it.

use super::bytes::Out;

/// Writes three icons: the empty icon 0, a small one and a big one.
pub(crate) fn write(out: &mut Out) {
    let images = [Vec::new(), image(16), image(32)];
    let start = out.len();
    out.u32(images.len() as u32);
    let mut offset = 4 + 4 * images.len();
    for image in &images {
        out.u32(offset as u32);
        offset += 8 + image.len();
    }
    for (pixels, image) in [0u32, 16, 32].iter().zip(&images) {
        out.u32(*pixels);
        out.u32(image.len() as u32);
        out.raw(image);
    }
    debug_assert_eq!(out.len() - start, offset);
}

/// A 1-bit icon: BITMAPINFOHEADER, two colours, colour rows, mask rows.
fn image(pixels: u32) -> Vec<u8> {
    let rows = pixels * pixels.div_ceil(32) * 4;
    let mut bytes = Vec::new();
    for v in [0x28, pixels, 2 * pixels] {
        bytes.extend_from_slice(&v.to_le_bytes());
    }
    bytes.extend_from_slice(&[1, 0, 1, 0]);
    for v in [0, 2 * rows, 0, 0, 0, 0] {
        bytes.extend_from_slice(&v.to_le_bytes());
    }
    bytes.extend_from_slice(&[0x80, 0x40, 0x20, 0, 0xFF, 0xFF, 0xFF, 0]);
    bytes.resize(bytes.len() + rows as usize, 0xAA);
    bytes.resize(bytes.len() + rows as usize, 0);
    bytes
}
