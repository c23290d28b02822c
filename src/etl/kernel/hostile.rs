//! Any bytes behind any hook: no panic, no more read than is there, and no text out of proportion.

use super::*;
use proptest::prelude::*;

/// Decodes a payload with every decoder that takes its hook, and writes what a table shows.
fn decode(hook: u16, version: u16, fields: Fields<'_>) -> String {
    let mut out = String::new();
    let mut names = Vec::new();
    if let Some(event) = ProcessEvent::parse(hook, version, &mut fields.clone()) {
        names.push(event.operation_name());
        event.push_detail(&mut out);
        if let ProcessEvent::Row(row) = event
            && let Some(sid) = row.sid
        {
            sid.push_to(&mut out);
        }
    }
    if let Some(event) = ThreadEvent::parse(hook, version, &mut fields.clone()) {
        names.push(event.operation_name());
        event.push_detail(&mut out);
    }
    if let Some(event) = ImageEvent::parse(hook, version, &mut fields.clone()) {
        names.push(event.operation_name());
        event.push_detail(&mut out);
    }
    if let Some(event) = FileName::parse(hook, &mut fields.clone()) {
        names.push(event.operation_name());
        event.push_detail(&mut out);
    }
    if let Some(event) = FileView::parse(hook, version, &mut fields.clone()) {
        names.push(event.operation_name());
        event.push_detail(&mut out);
    }
    if let Some(event) = FileIo::parse(hook, version, &mut fields.clone()) {
        let end = OperationEnd::parse(&mut fields.clone());
        names.push(event.operation_name());
        event.push_detail(end.as_ref(), &mut out);
        out.push_str(event.category(end.as_ref()));
        event.waits_by_nature();
    }
    if let Some(event) = MinifilterCallback::parse(hook, &mut fields.clone()) {
        names.push(event.operation_name());
        event.push_detail(&mut out);
    }
    if let Some(event) = RegistryEvent::parse(hook, version, &mut fields.clone()) {
        names.push(event.operation_name());
        event.push_detail(&mut out);
        out.push_str(event.category());
    }
    assert!(names.len() <= 1, "{hook:#06x}: {names:?}");
    assert!(
        names
            .iter()
            .all(|name| !name.is_empty() && *name != "<Unknown>")
    );
    out
}

/// Hooks of the families, and some beside them.
fn hooks() -> impl Strategy<Value = u16> {
    let group = prop_oneof![Just(3_u16), Just(4), Just(5), Just(9), Just(0x14)];
    (group, 0..0x70_u16).prop_map(|(group, kind)| group << 8 | kind)
}

proptest! {
    #[test]
    fn any_bytes(
        hook in hooks(),
        version in 0..8_u16,
        wide in any::<bool>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let text = decode(hook, version, Fields::new(&bytes, wide));
        prop_assert!(text.len() < 1_500, "{}", text);
    }

    #[test]
    fn mostly_zeros(
        hook in hooks(),
        version in 0..8_u16,
        wide in any::<bool>(),
        len in 0..200_usize,
        set in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut bytes = vec![0; len];
        for (at, value) in set {
            if len > 0 {
                bytes[at.index(len)] = value;
            }
        }
        decode(hook, version, Fields::new(&bytes, wide));
    }
}

#[test]
fn every_hook_has_a_decoder() {
    let bytes = [0; 200];
    for (hook, name) in crate::etl::hooks::HOOKS {
        // Hooks whose layouts are not known, but for the end of an operation.
        let unknown = matches!(hook, 0x0323..=0x0326 | 0x0328 | 0x0370 | 0x0921);
        if !matches!(hook >> 8, 3 | 4 | 5 | 9 | 0x14) || unknown || *hook == OPERATION_END {
            continue;
        }
        let mut fields = Fields::new(&bytes, true);
        let known = ProcessEvent::parse(*hook, 2, &mut fields).is_some()
            || ThreadEvent::parse(*hook, 2, &mut fields).is_some()
            || ImageEvent::parse(*hook, 2, &mut fields).is_some()
            || FileName::parse(*hook, &mut fields).is_some()
            || FileView::parse(*hook, 2, &mut fields).is_some()
            || FileIo::parse(*hook, 2, &mut fields).is_some()
            || MinifilterCallback::parse(*hook, &mut fields).is_some()
            || RegistryEvent::parse(*hook, 2, &mut fields).is_some();
        assert!(known, "{hook:#06x} {name}");
    }
}
