use super::*;
use crate::etl::kernel::sample::Sample;

const NAME: &str = r"\REGISTRY\MACHINE\SYSTEM\DriverDatabase";

fn sample(wide: bool, version: u16) -> Sample {
    let start = Sample::new(wide);
    let start = match version {
        0 => start.ptr(0xC000_0034).ptr(0xCAFE).u64(77),
        1 => start.ptr(0xC000_0034).ptr(0xCAFE).u64(77).u32(5),
        _ => start.u64(99).u32(0xC000_0034).u32(5).ptr(0xCAFE),
    };
    start.wide_text(NAME)
}

#[test]
fn every_operation_version_and_pointer_size() {
    for wide in [false, true] {
        for version in 0..=3 {
            let sample = sample(wide, version);
            for hook in 0x090A..=0x091D {
                let parse =
                    |fields: &mut Fields<'_>| KeyEvent::parse(hook, version, fields).map(|_| ());
                let found = sample.whole(|fields| KeyEvent::parse(hook, version, fields));
                assert_eq!(Some(found.operation), KeyOperation::of_hook(hook));
                assert_eq!((found.status, found.kcb), (0xC000_0034, 0xCAFE));
                assert_eq!(found.index, if version == 0 { 0 } else { 5 });
                assert_eq!(found.start_time, (version >= 2).then_some(99));
                assert_eq!(found.elapsed, (version < 2).then_some(77));
                assert_eq!(found.name.to_string(), NAME);
                let fixed = sample.len() - 2 * (NAME.len() + 1);
                assert_eq!(sample.shortest(parse), fixed);
            }
        }
        let fixed = sample(wide, 2).len() - 2 * (NAME.len() + 1);
        assert_eq!(fixed, if wide { 24 } else { 20 });
    }
}

#[test]
fn names_of_kcbs_have_no_start() {
    let sample = Sample::new(true)
        .u64(0)
        .u32(0)
        .u32(0)
        .ptr(0xCAFE)
        .wide_text(NAME);
    let found = sample.whole(|fields| RegistryEvent::parse(0x0919, 2, fields));
    let RegistryEvent::Key(found) = found else {
        panic!("{found:?}");
    };
    assert!(found.operation.names_kcb() && !KeyOperation::Close.names_kcb());
    assert_eq!((found.start_time, found.elapsed), (None, None));
}

#[test]
fn other_hooks_are_none() {
    for hook in [0x0900, 0x0909, 0x0921, 0x0929, 0x092F, 0x0932, 0x0A0A] {
        assert_eq!(
            RegistryEvent::parse(hook, 2, &mut Fields::new(&[0; 99], true)),
            None
        );
    }
}
