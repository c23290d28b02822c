//! Traces made by hand for the tests, from the format tables and not from the reader's code.

/// A compressor for plain LZ77: greedy, with the last place of each three bytes as its only candidate.
pub fn compress(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 4];
    let (mut flags_at, mut flags, mut items) = (0, 0_u32, 0);
    let mut nibble: Option<usize> = None;
    let mut places = std::collections::HashMap::new();
    let mut at = 0;
    while at < data.len() {
        if items == 32 {
            out[flags_at..flags_at + 4].copy_from_slice(&flags.to_le_bytes());
            flags_at = out.len();
            out.extend([0; 4]);
            (flags, items) = (0, 0);
        }
        let three = data.get(at..at + 3);
        let place = three.and_then(|three| places.insert(three.to_vec(), at));
        let place = place.filter(|place: &usize| at - place <= 8_192);
        flags = flags << 1 | u32::from(place.is_some());
        items += 1;
        let Some(place) = place else {
            out.push(data[at]);
            at += 1;
            continue;
        };
        let length = (at..data.len())
            .take_while(|n| data[*n] == data[n - at + place])
            .count();
        let code = length - 3;
        let word = (at - place - 1) as u16 * 8 + code.min(7) as u16;
        out.extend(word.to_le_bytes());
        if code >= 7 {
            let low = (code - 7).min(15) as u8;
            match nibble.take() {
                Some(place) => out[place] |= low << 4,
                None => {
                    nibble = Some(out.len());
                    out.push(low);
                }
            }
            if code >= 22 {
                out.push((code - 22).min(255) as u8);
            }
            if (277..=0xFFFF).contains(&code) {
                out.extend((code as u16).to_le_bytes());
            } else if code >= 277 {
                out.extend([0, 0]);
                out.extend((code as u32).to_le_bytes());
            }
        }
        at += length;
    }
    // Unused flags are 1.
    let unused = 32 - items;
    let flags = (u64::from(flags) << unused | ((1 << unused) - 1)) as u32;
    out[flags_at..flags_at + 4].copy_from_slice(&flags.to_le_bytes());
    out
}

/// SYSTEM (types 1 and 2) and COMPACT (3 and 4) records.
pub fn system(kind: u8, hook: u16, version: u16, time: i64, payload: &[u8]) -> Vec<u8> {
    let mut out = version.to_le_bytes().to_vec();
    out.extend([kind, 0xC0, 0, 0]);
    out.extend(hook.to_le_bytes());
    out.extend(1_111_u32.to_le_bytes());
    out.extend(2_222_u32.to_le_bytes());
    out.extend(time.to_le_bytes());
    if kind < 3 {
        out.extend([0; 8]);
    }
    out.extend(payload);
    sized(out, 4)
}

/// PERFINFO records (types 16 and 17).
pub fn perfinfo(kind: u8, hook: u16, version: u16, time: i64, payload: &[u8]) -> Vec<u8> {
    let mut out = version.to_le_bytes().to_vec();
    out.extend([kind, 0xC0, 0, 0]);
    out.extend(hook.to_le_bytes());
    out.extend(time.to_le_bytes());
    out.extend(payload);
    sized(out, 4)
}

/// FULL (types 10 and 20) and INSTANCE (11 and 21) records.
pub fn full(
    kind: u8,
    class: [u8; 16],
    opcode: u8,
    version: u16,
    time: i64,
    payload: &[u8],
) -> Vec<u8> {
    let mut out = vec![0, 0, kind, 0xC0, opcode, 4];
    out.extend(version.to_le_bytes());
    out.extend(u32::MAX.to_le_bytes());
    out.extend(2_222_u32.to_le_bytes());
    out.extend(time.to_le_bytes());
    out.extend(class);
    out.extend([0; 8]);
    if matches!(kind, 11 | 21) {
        out.extend([9; 24]);
    }
    out.extend(payload);
    sized(out, 0)
}

/// EVENT_HEADER records (types 18 and 19) with extended data items (type and data).
pub fn event(
    kind: u8,
    provider: [u8; 16],
    id: u16,
    time: i64,
    items: &[(u16, &[u8])],
    payload: &[u8],
) -> Vec<u8> {
    let mut out = vec![0, 0, kind, 0xC0];
    out.extend(u16::from(!items.is_empty()).to_le_bytes());
    out.extend([0; 2]);
    out.extend(1_111_u32.to_le_bytes());
    out.extend(2_222_u32.to_le_bytes());
    out.extend(time.to_le_bytes());
    out.extend(provider);
    out.extend(id.to_le_bytes());
    out.extend([1, 11, 5, 2]);
    out.extend(7_u16.to_le_bytes());
    out.extend(0x8000_0000_0000_0001_u64.to_le_bytes());
    out.extend([0; 8]);
    out.extend([0xAA; 16]);
    for (n, (kind, data)) in items.iter().enumerate() {
        let size = (8 + data.len()).next_multiple_of(8);
        out.extend((size as u16).to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend(u16::from(n + 1 < items.len()).to_le_bytes());
        out.extend((data.len() as u16).to_le_bytes());
        out.extend(*data);
        out.resize(out.len() + size - 8 - data.len(), 0);
    }
    out.extend(payload);
    sized(out, 0)
}

/// WPP messages: `fields` are the bytes that `options` ask for and the arguments.
pub fn message(number: u16, options: u16, fields: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, 0, 0x90];
    out.extend(number.to_le_bytes());
    out.extend(options.to_le_bytes());
    out.extend(fields);
    sized(out, 0)
}

/// Writes the size of a record at `at`.
fn sized(mut record: Vec<u8>, at: usize) -> Vec<u8> {
    let len = record.len() as u16;
    record[at..at + 2].copy_from_slice(&len.to_le_bytes());
    record
}

/// What a trace header says.
#[derive(Clone, Copy)]
pub struct Head {
    pub wide: bool,
    pub buffer_size: u32,
    pub mode: u32,
    pub buffers: u32,
    pub start: u64,
    pub end: u64,
    pub clock: u32,
    pub frequency: u64,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            wide: true,
            buffer_size: 4_096,
            mode: 0x1,
            buffers: 0,
            start: START,
            end: START + 10_000_000,
            clock: 1,
            frequency: 10_000_000,
        }
    }
}

/// Start of the traces made here.
pub const START: u64 = 132_404_548_206_236_167;
/// Ticks of that instant.
pub const ORIGIN: i64 = 1_000_000;

/// The trace header record.
pub fn trace_header(head: &Head) -> Vec<u8> {
    let mut out = head.buffer_size.to_le_bytes().to_vec();
    out.extend([10, 0, 1, 5]);
    for word in [19_041_u32, 4] {
        out.extend(word.to_le_bytes());
    }
    out.extend(head.end.to_le_bytes());
    let pointer = if head.wide { 8 } else { 4 };
    for word in [156_250, 64, head.mode, head.buffers, 1, pointer, 3, 2_400] {
        out.extend(word.to_le_bytes());
    }
    out.resize(out.len() + 2 * pointer as usize, 0);
    let zone = out.len();
    out.resize(zone + 172, 0);
    out[zone..zone + 4].copy_from_slice(&(-480_i32).to_le_bytes());
    out.extend([0; 4]);
    for long in [START - 1_000, head.frequency, head.start] {
        out.extend(long.to_le_bytes());
    }
    for word in [head.clock, 2] {
        out.extend(word.to_le_bytes());
    }
    for text in ["NT Kernel Logger", "C:\\k.etl"] {
        out.extend(text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
    }
    system(if head.wide { 2 } else { 1 }, 0, 2, ORIGIN, &out)
}

/// Records one after the other, each at a multiple of 8.
pub fn packed(records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for record in records {
        out.resize(out.len().next_multiple_of(8), 0xDD);
        out.extend(record);
    }
    out
}

/// A buffer of `size` bytes.
pub fn buffer(size: u32, kind: u16, cpu: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let data = packed(records);
    let mut out = buffer_header(size, 72 + data.len() as u32, 0x20, kind, cpu);
    out.extend(data);
    assert!(out.len() <= size as usize);
    out.resize(size as usize, 0xFF);
    out
}

/// A compressed buffer, which takes what it takes.
pub fn compressed(cpu: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let data = packed(records);
    let stream = compress(&data);
    let size = 72 + stream.len() as u32;
    let mut out = buffer_header(size, 72 + data.len() as u32, 0x60, 0, cpu);
    out.extend(stream);
    out
}

fn buffer_header(size: u32, filled: u32, flags: u16, kind: u16, cpu: u16) -> Vec<u8> {
    let mut out = size.to_le_bytes().to_vec();
    out.resize(0x10, 0);
    out.extend((ORIGIN + 9_999_000).to_le_bytes());
    out.resize(0x28, 0);
    out.extend(cpu.to_le_bytes());
    out.extend(1_u16.to_le_bytes());
    out.extend(3_u32.to_le_bytes());
    out.extend(filled.to_le_bytes());
    out.extend(flags.to_le_bytes());
    out.extend(kind.to_le_bytes());
    out.resize(72, 0);
    out
}

/// A kernel provider's class.
pub const CLASS: [u8; 16] = [7; 16];
/// A provider.
pub const PROVIDER: [u8; 16] = [8; 16];

/// Records of every kind; `seed` changes times and payloads.
pub fn every_kind(seed: i64) -> Vec<Vec<u8>> {
    let time = ORIGIN + seed * 1_000;
    let payload: Vec<u8> = (0..40 + seed as u8 % 9).map(|n| n / 4).collect();
    let mut fields = vec![1, 0, 0, 0];
    fields.extend([9; 16]);
    fields.extend((time + 9).to_le_bytes());
    vec![
        system(2, 0x0301, 4, time, &payload),
        system(1, 0x0B17, 2, time + 1, &payload),
        system(4, 0x0910, 2, time + 2, &payload),
        system(3, 0x0910, 2, time + 3, &payload),
        perfinfo(17, 0x0F2E, 2, time + 4, &payload),
        perfinfo(16, 0x0F2E, 2, time + 5, &payload),
        full(20, CLASS, 10, 2, time + 6, &payload),
        full(10, CLASS, 11, 2, time + 6, &payload),
        full(21, CLASS, 12, 2, time + 6, &payload),
        full(11, CLASS, 12, 2, time + 7, &payload),
        event(
            19,
            PROVIDER,
            5,
            time + 8,
            &[(6, &[1; 24]), (12, b"\x06\0abc\0")],
            &payload,
        ),
        event(18, PROVIDER, 6, time + 8, &[], &payload),
        message(3, 0x0B, &fields),
    ]
}

/// A trace of `buffers` buffers behind the header, each with records of every kind.
pub fn trace(buffers: u32, packed: bool) -> Vec<Vec<u8>> {
    let head = Head {
        buffers: buffers + 1,
        mode: if packed { 0x0400_0001 } else { 1 },
        ..Head::default()
    };
    let first = [trace_header(&head), perfinfo(17, 5, 2, ORIGIN, &[0xFF; 36])];
    let mut out = vec![buffer(4_096, 4, 0, &first)];
    for n in 0..buffers {
        let records: Vec<Vec<u8>> = (0..3)
            .flat_map(|m| every_kind(i64::from(n * 3 + m)))
            .collect();
        let cpu = (n % 4) as u16;
        out.push(if packed {
            compressed(cpu, &records)
        } else {
            buffer(4_096, 0, cpu, &records)
        });
    }
    out
}
