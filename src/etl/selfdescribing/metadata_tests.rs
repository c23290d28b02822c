use super::*;
use crate::etl::kernel::Fields;
use crate::etl::selfdescribing::text::FieldText;

/// A field of a made-up `TRACE_EVENT_INFO`.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    pub flags: u32,
    pub name: &'static str,
    pub types: (u16, u16),
    pub map: &'static str,
    pub count: u16,
    pub length: u16,
}

impl Property {
    pub const fn new(name: &'static str, in_type: u16, out_type: u16) -> Self {
        Self {
            flags: 0,
            name,
            types: (in_type, out_type),
            map: "",
            count: 1,
            length: 0,
        }
    }
}

/// Puts a text at the end of `out` and its offset at `at`.
fn put(out: &mut Vec<u8>, at: usize, text: &str) {
    if text.is_empty() {
        return;
    }
    let offset = out.len() as u32;
    out[at..at + 4].copy_from_slice(&offset.to_le_bytes());
    out.extend(text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
}

/// A `TRACE_EVENT_INFO` of the event 7/1 of provider 08…, with the offsets of the public declaration.
/// `names` are those of provider, level, channel, keywords, task, opcode, message.
pub fn event_info(names: [&str; 7], top: u32, properties: &[Property]) -> Vec<u8> {
    let mut out = vec![8; 16];
    out.extend([9; 16]);
    out.extend([7, 0, 1, 16, 4, 2, 12, 0]);
    out.extend([0xFF; 8]);
    out.resize(112 + properties.len() * 24, 0);
    out[100..104].copy_from_slice(&(properties.len() as u32).to_le_bytes());
    out[104..108].copy_from_slice(&top.to_le_bytes());
    for (n, name) in names.iter().enumerate() {
        put(&mut out, 52 + n * 4, name);
    }
    for (n, property) in properties.iter().enumerate() {
        let at = 112 + n * 24;
        out[at..at + 4].copy_from_slice(&property.flags.to_le_bytes());
        put(&mut out, at + 4, property.name);
        out[at + 8..at + 10].copy_from_slice(&property.types.0.to_le_bytes());
        out[at + 10..at + 12].copy_from_slice(&property.types.1.to_le_bytes());
        put(&mut out, at + 12, property.map);
        out[at + 16..at + 18].copy_from_slice(&property.count.to_le_bytes());
        out[at + 18..at + 20].copy_from_slice(&property.length.to_le_bytes());
    }
    out
}

/// The map `name` of provider 08….
pub fn map_info(name: &str, flags: u32, entries: &[(u32, &str)]) -> Vec<u8> {
    let mut map = vec![0; 16 + entries.len() * 8];
    map[4..8].copy_from_slice(&flags.to_le_bytes());
    map[8..12].copy_from_slice(&(entries.len() as u32).to_le_bytes());
    for (n, (number, text)) in entries.iter().enumerate() {
        map[16 + n * 8 + 4..][..4].copy_from_slice(&number.to_le_bytes());
        put(&mut map, 16 + n * 8, text);
    }
    put(&mut map, 0, name);
    [vec![8; 16], map].concat()
}

fn sample() -> Vec<u8> {
    let data = Property {
        flags: 2,
        length: 0,
        ..Property::new("Data", 14, 15)
    };
    let list = Property {
        flags: 4,
        count: 0,
        ..Property::new("List", 8, 18)
    };
    let group = Property {
        flags: 1,
        types: (5, 2),
        count: 2,
        ..Property::new("Pairs", 0, 0)
    };
    let mapped = Property {
        map: "Kinds",
        ..Property::new("Kind", 4, 4)
    };
    let names = [
        "Test-Provider",
        "win:Informational",
        "Test/Channel",
        "",
        "Sample",
        "win:Start",
        "Kind %4 of %1. ",
    ];
    event_info(
        names,
        5,
        &[
            Property::new("Size", 8, 8),
            data,
            list,
            mapped,
            group,
            Property::new("A", 4, 0),
            Property::new("B", 2, 1),
        ],
    )
}

#[test]
fn an_event() {
    let info = sample();
    let found = event(&info).unwrap();
    let definition = &found.definition;
    assert_eq!(found.provider, Guid([8; 16]));
    assert_eq!(definition.provider.as_deref(), Some("Test-Provider"));
    assert_eq!(definition.name.as_deref(), Some("Sample/Start"));
    assert_eq!(definition.task.as_deref(), Some("Sample"));
    assert_eq!(definition.opcode.as_deref(), Some("Start"));
    assert_eq!(definition.level.as_deref(), Some("Informational"));
    assert_eq!(definition.channel.as_deref(), Some("Test/Channel"));
    assert_eq!(definition.message.as_deref(), Some("Kind %4 of %1."));
    assert_eq!(found.maps, [(3, "Kinds".into())]);
    let mut out = String::new();
    let payload = b"\x02\0\0\0\xAA\xBB\x05\0\0\0\x06\0\0\0\x03\x01x\0\x02y\0";
    let mut rest = Fields::new(payload, true);
    let walk = definition
        .fields
        .walk(&mut rest, &mut FieldText::new(&mut out));
    assert_eq!(walk, Ok(()));
    assert_eq!(
        out,
        "Size: 2, Data: AA BB, List: [0x5, 0x6], Kind: 3, Pairs: [{A: 1, B: x}, {A: 2, B: y}]"
    );
    assert!(rest.rest().is_empty());
}

#[test]
fn keys() {
    let mut info = sample();
    let manifest = Key {
        provider: Guid([8; 16]),
        id: 7,
        version: 1,
        classic: false,
    };
    assert_eq!(key(&info), Some(manifest));
    info[48] = 1;
    let classic = Key {
        provider: Guid([9; 16]),
        id: 2,
        version: 1,
        classic: true,
    };
    assert_eq!(key(&info), Some(classic));
    // WPP and TraceLogging describe themselves elsewhere.
    for source in [2, 3, 4] {
        info[48] = source;
        assert_eq!(key(&info), None);
    }
    assert_eq!(key(&info[..51]), None);
}

#[test]
fn an_event_with_a_name_of_its_own() {
    let mut info = sample();
    put(&mut info, 92, "Own");
    assert_eq!(
        event(&info).unwrap().definition.name.as_deref(),
        Some("Own")
    );
    // In a class's definition the place holds the name of a field.
    info[48] = 1;
    let name = event(&info).unwrap().definition.name;
    assert_eq!(name.as_deref(), Some("Sample/Start"));
}

#[test]
fn a_cut_at_every_byte() {
    let info = sample();
    for len in 0..info.len() {
        let found = event(&info[..len]);
        // Texts and the four unused bytes at the end of the last field may be missing, the fields may not.
        assert_eq!(found.is_some(), len >= 112 + 7 * 24 - 4, "{len}");
    }
    let map = map_info("Kinds", 1, &[(1, "One "), (2, "Two ")]);
    for len in 0..map.len() {
        super::map(&map[..len]);
    }
}

#[test]
fn hostile_numbers() {
    let mut info = sample();
    for (at, number) in [(100, u32::MAX), (100, 1_025), (104, 8), (104, u32::MAX)] {
        let mut other = info.clone();
        other[at..at + 4].copy_from_slice(&number.to_le_bytes());
        assert!(event(&other).is_none(), "{at} {number}");
    }
    // Offsets outside.
    for at in (52..100).step_by(4) {
        info[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    }
    let found = event(&info).unwrap();
    assert_eq!(found.definition.name, None);
    assert_eq!(found.definition.message, None);
    // A name that runs on to the end is cut.
    let long = "x".repeat(60_000);
    let info = event_info(["", "", "", "", &long, "", &long], 0, &[]);
    let definition = event(&info).unwrap().definition;
    assert_eq!(definition.task.unwrap().len(), LONGEST_NAME);
    assert_eq!(definition.message.unwrap().len(), LONGEST_MESSAGE);
}

#[test]
fn maps() {
    let info = map_info("Kinds", 1, &[(1, "One "), (2, "Two ")]);
    let (provider, name, found) = map(&info).unwrap();
    assert_eq!((provider, &*name), (Guid([8; 16]), "Kinds"));
    assert_eq!((found.name(2), found.name(3)), (Some("Two"), None));
    assert_eq!(found.kind(), MapKind::Values);
    for (flags, kind) in [
        (2, MapKind::Bits),
        (8, MapKind::Values),
        (0x10, MapKind::Bits),
    ] {
        let info = map_info("Kinds", flags, &[]);
        assert_eq!(map(&info).unwrap().2.kind(), kind);
    }
    // Maps of patterns are none of numbers.
    assert!(map(&map_info("Kinds", 4, &[])).is_none());
    assert!(map(&map_info("", 1, &[])).is_none());
    let mut many = map_info("Kinds", 1, &[(1, "One")]);
    many[16 + 8..16 + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(map(&many).unwrap().2.name(1), Some("One"));
}

#[test]
fn counts() {
    let count = |flags, count| {
        let property = Property {
            flags,
            count,
            ..Property::new("n", 8, 8)
        };
        let info = event_info(["", "", "", "", "", "", ""], 1, &[property]);
        event(&info).unwrap().definition.fields.all()[0].count
    };
    assert_eq!(count(0, 0), Amount::None);
    assert_eq!(count(0, 1), Amount::None);
    assert_eq!(count(0, 2), Amount::Fixed(2));
    assert_eq!(count(4, 1), Amount::Of(1));
    // An array stays one whatever its length.
    assert_eq!(count(0x20, 0), Amount::Fixed(0));
    assert_eq!(count(0x20, 1), Amount::Fixed(1));
}

#[test]
fn addresses_have_their_size() {
    let v6 = length_of(Some(InType::Binary), OutType::Ipv6, 0);
    assert_eq!(v6, Amount::Fixed(16));
    assert_eq!(
        length_of(Some(InType::Binary), OutType::Hex, 0),
        Amount::None
    );
    assert_eq!(
        length_of(Some(InType::Wide), OutType::Text, 5),
        Amount::Fixed(5)
    );
}
