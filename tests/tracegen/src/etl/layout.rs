//! Offsets of the container, for tests that look into what was written.

/// Bytes of a buffer header.
pub const BUFFER_HEADER: usize = 72;
/// u32: bytes of the buffer in the file.
pub const B_SIZE: usize = 0x00;
/// u32: end of the data as the flush saw it.
pub const B_SAVED: usize = 0x04;
/// u32: where the next record would go.
pub const B_CURRENT: usize = 0x08;
/// i64: flush time.
pub const B_TIME: usize = 0x10;
/// i64: number of the buffer in the session.
pub const B_SEQUENCE: usize = 0x18;
/// u16: CPU.
pub const B_CPU: usize = 0x28;
/// u16: session number; 0 in merged files.
pub const B_LOGGER: usize = 0x2A;
/// u32: end of the valid data, the header included, before compression.
pub const B_FILLED: usize = 0x30;
/// u16: flags.
pub const B_FLAGS: usize = 0x34;
/// u16: type.
pub const B_TYPE: usize = 0x36;

/// Flag: the last buffers of a session.
pub const FLAG_FLUSHED: u16 = 0x01;
/// Flag: the CPU field has 16 bits.
pub const FLAG_CPU: u16 = 0x20;
/// Flag: compressed.
pub const FLAG_COMPRESSED: u16 = 0x40;

/// Type of most buffers.
pub const TYPE_GENERIC: u16 = 0;
/// Type of the first buffer.
pub const TYPE_HEADER: u16 = 4;

/// What fills an uncompressed buffer behind its data.
pub const FILL: u8 = 0xFF;
/// What stands between two records. Real traces have anything there.
pub const GAP: u8 = 0xA5;
/// Records start at multiples of this.
pub const ALIGN: usize = 8;
