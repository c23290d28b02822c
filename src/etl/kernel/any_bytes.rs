//! Wrong bytes: nothing may panic, hang, or make text out of all proportion to the payload.

use super::config::ConfigEvent;
use super::disk::DiskEvent;
use super::fault::FaultEvent;
use super::image_id::ImageRecord;
use super::merged::SystemRecord;
use super::network::NetworkEvent;
use super::object::ObjectEvent;
use super::profile::ProfileEvent;
use super::stack::StackEvent;
use super::{Fields, NarrowText};
use proptest::prelude::*;

/// Decodes as whatever it may be, and gives all details one after the other.
fn decode(code: u8, version: u16, bytes: &[u8], wide: bool) -> String {
    let mut out = String::new();
    macro_rules! each {
        ($($type:ident, $group:expr;)*) => {$(
            let hook = $group << 8 | u16::from(code);
            if let Some(event) = $type::parse(hook, version, &mut Fields::new(bytes, wide)) {
                event.push_detail(&mut out);
                out.push_str(event.operation());
            }
        )*};
    }
    each! {
        DiskEvent, 0x01; FaultEvent, 0x02; NetworkEvent, 0x06; NetworkEvent, 0x08;
        ConfigEvent, 0x0B; ProfileEvent, 0x0F; ObjectEvent, 0x11; StackEvent, 0x18;
    }
    if let Some(record) = ImageRecord::parse(code, &mut Fields::new(bytes, wide)) {
        record.push_detail(&mut out);
    }
    if let Some(record) = SystemRecord::parse(code, &mut Fields::new(bytes, wide)) {
        record.push_detail(&mut out);
    }
    out
}

proptest! {
    #[test]
    fn do_no_harm(
        code in prop_oneof![0_u8..0x70, any::<u8>()],
        version in prop_oneof![0_u16..7, any::<u16>()],
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..1_000),
            proptest::collection::vec(prop_oneof![Just(0), 0_u8..4, Just(0xFF)], 0..1_000),
        ],
        wide in any::<bool>(),
    ) {
        let out = decode(code, version, &bytes, wide);
        // No text is out of proportion to its payload.
        prop_assert!(out.len() <= 2_000 + 8 * bytes.len());
        let _ = NarrowText(&bytes).to_string();
    }
}
