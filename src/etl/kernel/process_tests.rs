use super::*;
use crate::etl::kernel::sample::{SYSTEM_SID, Sample};

/// A row up to its SID.
fn head(wide: bool, version: u16) -> Sample {
    let mut sample = Sample::new(wide);
    if version == 0 {
        return sample.ptr(44).ptr(4);
    }
    sample = sample.ptr(0xFEED).u32(44).u32(4).u32(1).u32(259);
    if version >= 3 {
        sample = sample.ptr(0x1AA000);
    }
    if version >= 4 {
        sample = sample.u32(ProcessRow::WOW64);
    }
    sample
}

/// What stands behind the SID.
fn texts(mut sample: Sample, version: u16, defunct: bool) -> Sample {
    sample = sample.narrow_text("smss.exe");
    if version >= 2 {
        sample = sample.wide_text("\\SystemRoot\\smss.exe /x");
    }
    if version >= 4 {
        sample = sample.wide_text("Package").wide_text("App");
    }
    if version >= 5 && defunct {
        sample = sample.u64(130_317_334_947_711_373);
    }
    sample
}

fn row<'a>(hook: u16, version: u16, fields: &mut Fields<'a>) -> Option<ProcessRow<'a>> {
    match ProcessEvent::parse(hook, version, fields)? {
        ProcessEvent::Row(row) => Some(row),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_version_and_pointer_size() {
    for wide in [false, true] {
        for version in 0..=6 {
            for hook in [hook::START, hook::DEFUNCT] {
                let defunct = hook == hook::DEFUNCT;
                let with_user = head(wide, version).ptr(0x7777).ptr(0).bytes(&SYSTEM_SID);
                let sample = texts(with_user, version, defunct);
                let found = sample.whole(|fields| row(hook, version, fields));
                assert_eq!((found.pid, found.parent_pid), (44, 4));
                assert_eq!(found.sid.unwrap().to_string(), "S-1-5-18");
                assert_eq!(found.image.to_string(), "smss.exe");
                let since = |first: u16| version >= first;
                assert_eq!(found.session, since(1).then_some(1));
                assert_eq!(found.exit_status, since(1).then_some(259));
                assert_eq!(found.key, since(2).then_some(0xFEED));
                let directory = match version {
                    1 => Some(0xFEED),
                    0 | 2 => None,
                    _ => Some(0x1AA000),
                };
                assert_eq!(found.directory_base, directory);
                assert_eq!(found.flags, since(4).then_some(ProcessRow::WOW64));
                assert_eq!(found.command_line.is_empty(), !since(2));
                let package = if since(4) {
                    ("Package", "App")
                } else {
                    ("", "")
                };
                assert_eq!(found.package.to_string(), package.0);
                assert_eq!(found.application.to_string(), package.1);
                let time = (since(5) && defunct).then_some(Filetime(130_317_334_947_711_373));
                assert_eq!(found.exit_time, time);
            }
        }
    }
}

#[test]
fn rows_without_a_user() {
    for wide in [false, true] {
        for version in 0..=4 {
            let sample = texts(head(wide, version).u32(0), version, false);
            let found = sample.whole(|fields| row(hook::RUNDOWN_START, version, fields));
            assert_eq!((found.sid, found.pid), (None, 44));
            assert_eq!(found.image.to_string(), "smss.exe");
        }
    }
}

#[test]
fn a_zeroed_token_has_a_user_where_that_fits_the_payload() {
    for wide in [false, true] {
        for version in 1..=4 {
            let zeroed = head(wide, version).ptr(0).ptr(0).bytes(&SYSTEM_SID);
            let sample = texts(zeroed, version, false);
            let found = sample.whole(|fields| row(hook::START, version, fields));
            assert_eq!(found.sid.unwrap().bytes(), SYSTEM_SID);
            assert_eq!(found.image.to_string(), "smss.exe");
        }
    }
    // Bytes behind a row without a user do not make it one.
    let longer = texts(head(true, 4).u32(0), 4, false).u32(5);
    let mut fields = longer.fields();
    let found = row(hook::START, 4, &mut fields).unwrap();
    assert_eq!(
        (found.sid, found.image.to_string()),
        (None, "smss.exe".to_owned())
    );
    assert_eq!(fields.rest().len(), 4);
}

#[test]
fn cut_rows_end_at_the_image() {
    for wide in [false, true] {
        let start = head(wide, 4).u32(0);
        let shortest = texts(start.clone(), 4, false).shortest(|fields| row(hook::END, 4, fields));
        assert_eq!(shortest, start.len() + 1);
        let start = head(wide, 4).ptr(1).ptr(0).bytes(&SYSTEM_SID);
        let shortest = texts(start.clone(), 4, false).shortest(|fields| row(hook::END, 4, fields));
        assert_eq!(shortest, start.len() + 1);
    }
}

#[test]
fn counters_and_termination() {
    for wide in [false, true] {
        let mut sample = Sample::new(wide).u32(9).u32(10).u32(11).u32(0);
        for value in 100..111 {
            sample = sample.ptr(value);
        }
        assert_eq!(sample.len(), if wide { 104 } else { 60 });
        let parse = |fields: &mut Fields<'_>| match ProcessEvent::parse(hook::COUNTERS, 2, fields)?
        {
            ProcessEvent::Counters(counters) => Some(counters),
            other => panic!("{other:?}"),
        };
        let counters = sample.whole(parse);
        assert_eq!(
            (counters.pid, counters.page_faults, counters.handles),
            (9, 10, 11)
        );
        assert_eq!(
            (
                counters.peak_virtual,
                counters.virtual_size,
                counters.private
            ),
            (100, 105, 110)
        );
        assert!(!counters.running);
        assert_eq!(sample.shortest(parse), sample.len());
        let sample = Sample::new(wide).u32(77);
        let parse = |fields: &mut Fields<'_>| {
            ProcessEvent::parse(hook::TERMINATE, 2, fields)
                .is_some()
                .then_some(())
        };
        assert_eq!(sample.shortest(parse), 4);
        let event = sample.whole(|fields| ProcessEvent::parse(hook::TERMINATE, 2, fields));
        assert_eq!(event, ProcessEvent::Terminate { pid: 77 });
    }
    assert_eq!(
        ProcessEvent::parse(0x0323, 2, &mut Fields::new(&[0; 99], true)),
        None
    );
}
