use super::*;
use crate::etl::kernel::registry::RegistryEvent;
use crate::etl::kernel::sample::Sample;

const FILE: &str = r"\Device\HarddiskVolume2\Windows\System32\config\DRIVERS";
const LINK: &str = r"\REGISTRY\MACHINE\DRIVERS";

fn hive<'a>(hook: u16, fields: &mut Fields<'a>) -> Option<HiveEvent<'a>> {
    match RegistryEvent::parse(hook, 2, fields)? {
        RegistryEvent::Hive(event) => Some(event),
        other => panic!("{other:?}"),
    }
}

#[test]
fn hives_of_both_pointer_sizes() {
    for wide in [false, true] {
        let start = || Sample::new(wide);
        let pointer = if wide { 8 } else { 4 };
        for (hook, sample, fixed, file, link) in [
            (
                hook::INIT,
                start().ptr(0xAB).u32(5).u32(6).u32(7).wide_text(FILE),
                pointer + 12,
                FILE,
                "",
            ),
            (
                hook::DESTROY,
                start().ptr(0xAB).wide_text(FILE).wide_text(LINK),
                pointer,
                FILE,
                LINK,
            ),
            (
                hook::LINK,
                start().ptr(0xAB).wide_text(LINK),
                pointer,
                "",
                LINK,
            ),
            (
                hook::RUNDOWN,
                start()
                    .u64(9)
                    .ptr(0xAB)
                    .u32(7)
                    .wide_text(FILE)
                    .wide_text(LINK),
                pointer + 12,
                FILE,
                LINK,
            ),
            (
                hook::DIRTY,
                start().ptr(0xAB).wide_text(LINK).u32(3),
                pointer,
                "",
                LINK,
            ),
        ] {
            let found = sample.whole(|fields| hive(hook, fields));
            assert_eq!(found.hive(), 0xAB, "{hook:#x}");
            assert_eq!(found.file().to_string(), file, "{hook:#x}");
            assert_eq!(found.link().to_string(), link, "{hook:#x}");
            let shortest = sample.shortest(|fields| hive(hook, fields).map(|_| ()));
            assert_eq!(shortest, fixed, "{hook:#x}");
        }
    }
}

#[test]
fn transactions_with_the_time_in_either_place() {
    let guid = Guid::new(0x53b39e3f_18c4_11ea_a811_000d3aa4692b);
    let by_symbols = Sample::new(true)
        .u64(0x1122_3344)
        .bytes(&guid.0)
        .u32(0)
        .u32(3)
        .wide_text(FILE);
    let by_manifest = Sample::new(true)
        .bytes(&guid.0)
        .u32(0)
        .u32(3)
        .u64(0x1122_3344)
        .wide_text(FILE);
    for sample in [by_symbols, by_manifest] {
        for (hook, moment) in [
            (hook::COMMIT, TransactionMoment::Commit),
            (hook::PREPARE, TransactionMoment::Prepare),
            (hook::ROLLBACK, TransactionMoment::Rollback),
        ] {
            let parse = |fields: &mut Fields<'_>| RegistryEvent::parse(hook, 2, fields).map(|_| ());
            let found = sample.whole(|fields| TransactionEvent::parse(hook, fields));
            assert_eq!((found.moment, found.transaction), (moment, guid));
            assert_eq!((found.time, found.status, found.units), (0x1122_3344, 0, 3));
            assert_eq!(found.hive.to_string(), FILE);
            assert_eq!(sample.shortest(parse), 32);
        }
    }
}

#[test]
fn notifications_counters_and_control_sets() {
    for wide in [false, true] {
        let sample = Sample::new(wide).ptr(1).ptr(2).bytes(&[3, 1, 0]);
        for hook in [hook::NOTIFY, hook::NOTIFY_DELIVER] {
            let found = sample.whole(|fields| KeyNotification::parse(hook, fields));
            assert_eq!(found.delivered, hook == hook::NOTIFY_DELIVER);
            assert_eq!((found.notification, found.kcb), (1, 2));
            assert_eq!((found.kind, found.subtree, found.primary), (3, 1, 0));
            let parse = |fields: &mut Fields<'_>| RegistryEvent::parse(hook, 2, fields).map(|_| ());
            assert_eq!(sample.shortest(parse), if wide { 16 } else { 8 });
        }
        let sample = (1..=11).fold(Sample::new(wide), |sample, value| sample.u64(value));
        let counters = sample.whole(RegistryCounters::parse);
        assert_eq!(
            (
                counters.opened_keys,
                counters.view_map,
                counters.hive_shrink
            ),
            (1, 9, 11)
        );
        assert_eq!(sample.shortest(RegistryCounters::parse), 88);
        let sample = Sample::new(wide).u32(2);
        let found = sample.whole(|fields| RegistryEvent::parse(hook::CONTROL_SET, 2, fields));
        assert_eq!(found, RegistryEvent::ControlSet(2));
    }
}
