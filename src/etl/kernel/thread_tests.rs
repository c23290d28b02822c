use super::*;
use crate::etl::kernel::sample::Sample;

fn row<'a>(version: u16, fields: &mut Fields<'a>) -> Option<ThreadRow<'a>> {
    match ThreadEvent::parse(hook::START, version, fields)? {
        ThreadEvent::Row(row) => Some(row),
        other => panic!("{other:?}"),
    }
}

fn started(wide: bool, version: u16) -> Sample {
    let mut sample = Sample::new(wide).u32(4).u32(1_868);
    for address in 1..=6 {
        sample = sample.ptr(0x1000 * address);
    }
    match version {
        1 => sample.u8(0xFF).bytes(b"\0\0\0"),
        2 => sample.ptr(0x7000).u32(70),
        _ => sample.ptr(0x7000).u32(70).bytes(&[9, 5, 2, 1]),
    }
}

#[test]
fn every_version_and_pointer_size() {
    for wide in [false, true] {
        for version in 1..=4 {
            let sample = started(wide, version);
            let found = sample.whole(|fields| row(version, fields));
            assert_eq!((found.pid, found.tid), (4, 1_868));
            let at = found.addresses.unwrap();
            assert_eq!((at.stack_base, at.stack_limit), (0x1000, 0x2000));
            assert_eq!((at.user_stack_base, at.user_stack_limit), (0x3000, 0x4000));
            assert_eq!(at.start, (version < 3).then_some(0x5000));
            assert_eq!(at.affinity, (version >= 3).then_some(0x5000));
            assert_eq!(at.win32_start, 0x6000);
            assert_eq!(at.teb, (version >= 2).then_some(0x7000));
            assert_eq!(at.service_tag, (version >= 2).then_some(70));
            assert_eq!(at.wait_mode, (version == 1).then_some(-1));
            let priorities = ThreadPriorities {
                base: 9,
                page: 5,
                io: 2,
                flags: 1,
            };
            assert_eq!(at.priorities, (version >= 3).then_some(priorities));
            // A row that is cut still tells who the thread is, and what it did not read is left.
            assert_eq!(sample.shortest(|fields| row(version, fields)), 8);
            let cut = sample.cut(sample.len() - 4);
            let mut fields = cut.fields();
            assert_eq!(row(version, &mut fields).unwrap().tid, 1_868);
            assert_eq!(
                fields.rest().is_empty(),
                version == 1 && at.wait_mode.is_none()
            );
        }
        let sizes = [1, 2, 3].map(|version| started(wide, version).len());
        assert_eq!(sizes, if wide { [60, 68, 72] } else { [36, 40, 44] });
    }
}

#[test]
fn the_oldest_rows_and_ends() {
    let sample = Sample::new(false).u32(1_868).u32(4);
    let found = sample.whole(|fields| row(0, fields));
    assert_eq!((found.pid, found.tid, found.addresses), (4, 1_868, None));
    let sample = Sample::new(false).u32(4).u32(1_868);
    let found = sample.whole(|fields| row(1, fields));
    assert_eq!((found.pid, found.tid, found.addresses), (4, 1_868, None));
}

#[test]
fn names() {
    let sample = started(true, 3).wide_text("Worker");
    assert_eq!(
        sample.whole(|fields| row(3, fields)).name.to_string(),
        "Worker"
    );
    let sample = Sample::new(true).u32(4).u32(8).wide_text("Worker");
    let parse = |fields: &mut Fields<'_>| match ThreadEvent::parse(hook::SET_NAME, 2, fields)? {
        ThreadEvent::Name(named) => Some((named.pid, named.tid, named.name.to_string())),
        other => panic!("{other:?}"),
    };
    assert_eq!(sample.whole(parse), (4, 8, "Worker".to_owned()));
    assert_eq!(sample.shortest(parse), 8);
}

#[test]
fn fixed_events() {
    for wide in [false, true] {
        let sample = Sample::new(wide)
            .u32(5)
            .u32(6)
            .bytes(&[8, 0xFE, 1, 0, 23, 1, 2, 4])
            .u32(9)
            .u32(10);
        let switch = sample.whole(ContextSwitch::parse);
        assert_eq!((switch.new_tid, switch.old_tid), (5, 6));
        assert_eq!((switch.new_priority, switch.old_priority), (8, -2));
        assert_eq!(
            (switch.wait_reason, switch.wait_mode, switch.old_state),
            (23, 1, 2)
        );
        assert_eq!(
            (
                switch.ideal_processor,
                switch.new_wait_time,
                switch.reserved
            ),
            (4, 9, 10)
        );
        assert_eq!(sample.shortest(ContextSwitch::parse), 24);
        let sample = Sample::new(wide).u32(5).bytes(&[1, 0xFF, 1, 0]);
        let ready = sample.whole(ReadyThread::parse);
        assert_eq!(
            (ready.tid, ready.adjust_reason, ready.adjust_increment),
            (5, 1, -1)
        );
        assert_eq!(sample.shortest(ReadyThread::parse), 8);
        let sample = Sample::new(wide)
            .ptr(1)
            .ptr(2)
            .u64(3)
            .u64(4)
            .u32(5)
            .u32(6)
            .u32(7)
            .u32(8);
        let sample = sample.bytes(&[9, 10, 11, 0, 0, 0, 0, 0]);
        let lock = sample.whole(SpinLock::parse);
        assert_eq!((lock.lock, lock.caller, lock.tid), (1, 2, 7));
        assert_eq!((lock.irql, lock.depth, lock.flags), (9, 10, 11));
        let sample = Sample::new(wide).u32(5).u8(2).u8(0).u16(0);
        let change = sample.whole(IoPriority::parse);
        assert_eq!((change.tid, change.old, change.new), (5, 2, 0));
        assert_eq!(sample.shortest(IoPriority::parse), 8);
    }
    assert_eq!(
        ThreadEvent::parse(0x0535, 2, &mut Fields::new(&[0; 99], true)),
        None
    );
}
