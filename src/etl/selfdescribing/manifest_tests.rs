use super::*;
use crate::etl::kernel::Fields;
use crate::etl::selfdescribing::text::FieldText;
use crate::etl::selfdescribing::walk::Stop;
use std::collections::BTreeMap;

/// Provider and definitions by id and version.
fn read_all(text: &str) -> (Option<String>, BTreeMap<(u16, u8), Definition>) {
    let mut events = BTreeMap::new();
    let provider = read(text.as_bytes(), |id, version, definition| {
        events.entry((id, version)).or_insert(definition);
    });
    (provider.map(|name| name.to_string()), events)
}

fn decode(definition: &Definition, payload: &[u8]) -> (String, Option<Stop>, usize) {
    let mut out = String::new();
    let mut rest = Fields::new(payload, true);
    let walk = definition
        .fields
        .walk(&mut rest, &mut FieldText::new(&mut out));
    (out, walk.err(), rest.rest().len())
}

const SAMPLE: &str = r#"<?xml version="1.0"?>
<instrumentationManifest xmlns="http://schemas.microsoft.com/win/2004/08/events">
 <instrumentation xmlns:win="http://manifests.microsoft.com/win/2004/08/windows/events">
 <events>
  <provider name="Sample-Source" guid="{550bde9a-7248-5bfa-8400-3572cf6fb950}">
   <tasks><task name="Work" message="$(string.task_Work)" value="1"/></tasks>
   <opcodes><opcode name="Try" value="11"/></opcodes>
   <maps>
    <valueMap name="Color"><map value="0x1" message="$(string.map_Color.Red)"/><map value="2" message="Green"/>
     <map value="0x100000000" message="outside"/><map value="x" message="none"/></valueMap>
    <bitMap name="Bits"><map value="0x1" message="$(string.map_Bits.Low)"/><map value="0x80" message="$(string.none.High)"/></bitMap>
   </maps>
   <events>
    <event value="1" version="2" level="win:Warning" symbol="Sym" task="Work" opcode="win:Start" template="A"
           message="$(string.event_1)" channel="Sample/Debug"/>
    <event value="0x2" symbol="OnlySymbol" template="Missing"/>
    <event value="3" task="Work" opcode="Try"/>
    <event value="4" template="B"/>
    <event value="70000" symbol="TooLarge"/>
    <event symbol="NoNumber"/>
    <event value="5" version="300"/>
   </events>
   <templates>
    <template tid="A">
     <data name="color" inType="win:UInt32" map="Color"/>
     <data name="bits" inType="win:UInt16" map="Bits"/>
     <data name="n" inType="win:UInt16"/>
     <data name="list" inType="win:Int32" count="n"/>
     <data name="size" inType="win:UInt32"/>
     <data name="blob" inType="win:Binary" length="size"/>
     <data name="when" inType="win:FILETIME"/>
     <data name="code" inType="win:UInt32" outType="win:NTSTATUS"/>
     <data name="yes" inType="win:Boolean"/>
     <data name="text" inType="win:UnicodeString" outType="xs:string"/>
     <data name="id" inType="win:GUID"/>
     <data name="at" inType="win:Pointer"/>
    </template>
    <template tid="B">
     <data name="k" inType="win:UInt8"/>
     <struct name="pairs" count="k">
      <data name="len" inType="win:UInt8"/>
      <data name="s" inType="win:AnsiString" length="len"/>
      <data name="z" inType="win:UInt8" count="k"/>
     </struct>
     <data name="odd" inType="win:UInt128"/>
    </template>
    <template tid="A"><data name="again" inType="win:UInt8"/></template>
   </templates>
  </provider>
 </events></instrumentation>
 <localization>
  <resources culture="en-US"><stringTable>
   <string id="map_Color.Red" value="Red"/>
   <string id="map_Bits.Low" value="Low"/>
   <string id="event_1" value="Color %1 &lt;is&gt; &quot;%10&quot;&#10;%%"/>
  </stringTable></resources>
  <resources culture="de-DE"><stringTable>
   <string id="map_Color.Red" value="Rot"/>
   <string id="none.High" value="Hoch"/>
  </stringTable></resources>
 </localization>
</instrumentationManifest>"#;

#[test]
fn events_templates_and_maps() {
    let (provider, events) = read_all(SAMPLE);
    assert_eq!(provider.as_deref(), Some("Sample-Source"));
    assert_eq!(
        events.keys().copied().collect::<Vec<_>>(),
        [(1, 2), (2, 0), (3, 0), (4, 0)]
    );
    let first = &events[&(1, 2)];
    assert_eq!(first.provider.as_deref(), Some("Sample-Source"));
    assert_eq!(first.name.as_deref(), Some("Work/Start"));
    assert_eq!(first.level.as_deref(), Some("Warning"));
    assert_eq!(first.channel.as_deref(), Some("Sample/Debug"));
    assert_eq!(first.message.as_deref(), Some("Color %1 <is> \"%10\"\n%%"));
    let mut payload =
        b"\x01\0\0\0\x81\0\x02\0\xFF\xFF\xFF\xFF\x07\0\0\0\x02\0\0\0\xAA\xBB".to_vec();
    payload.extend([0; 8]);
    payload.extend(0xC000_0022_u32.to_le_bytes());
    payload.extend(b"\x01\0\0\0h\0i\0\0\0");
    payload.extend([0; 16]);
    payload.extend([0x10, 0, 0, 0, 0, 0, 0, 0]);
    let (text, stop, rest) = decode(first, &payload);
    assert_eq!(
        text,
        "color: Red, bits: Low|High, n: 2, list: [-1, 7], size: 2, blob: AA BB, \
         when: 1601-01-01T00:00:00.0000000Z, code: 0xc0000022 (STATUS_ACCESS_DENIED), yes: True, text: hi, \
         id: 00000000-0000-0000-0000-000000000000, at: 0x10"
    );
    assert_eq!((stop, rest), (None, 0));
    for len in 0..payload.len() {
        decode(first, &payload[..len]);
    }
}

#[test]
fn structures_and_what_is_missing() {
    let (_, events) = read_all(SAMPLE);
    let second = &events[&(2, 0)];
    assert_eq!(second.name.as_deref(), Some("OnlySymbol"));
    // Its fields are not known: that is not the same as none.
    assert_eq!(
        decode(second, &[1]),
        (String::new(), Some(Stop::Unknown), 1)
    );
    let third = &events[&(3, 0)];
    assert_eq!(third.name.as_deref(), Some("Work/Try"));
    assert_eq!(decode(third, &[]), (String::new(), None, 0));
    let (text, stop, rest) = decode(&events[&(4, 0)], b"\x02\x01a\x05\x06\x03bcd\x07\x08\xFF");
    assert_eq!(
        text,
        "k: 2, pairs: [{len: 1, s: a, z: [5, 6]}, {len: 3, s: bcd, z: [7, 8]}]"
    );
    assert_eq!((stop, rest), (Some(Stop::Unknown), 1));
}

#[test]
fn a_structure_without_members() {
    let (_, events) = read_all(
        "<event value='1' template='t'/><template tid='t'><struct name='s'/>\
         <data name='n' inType='win:UInt8'/></template><data name='outside' inType='win:UInt8'/>",
    );
    assert_eq!(
        decode(&events[&(1, 0)], &[5, 6]),
        ("s: {}, n: 5".into(), None, 1)
    );
}

#[test]
fn a_manifest_cut_at_every_byte() {
    let (mut most, mut named) = (0, 0);
    for len in 0..SAMPLE.len() {
        if SAMPLE.is_char_boundary(len) {
            let (provider, events) = read_all(&SAMPLE[..len]);
            assert!(events.len() >= most, "{len}");
            (most, named) = (events.len(), named + usize::from(provider.is_some()));
        }
    }
    assert_eq!(most, 4);
    assert!(named > SAMPLE.len() / 2);
}

#[test]
fn bytes_that_are_no_xml() {
    for text in [
        "",
        "<",
        "<<<>>>",
        "a & b",
        "<event value='1'",
        "</event></event><event value='1' symbol='x'/>",
    ] {
        read_all(text);
    }
    let (_, events) = read_all("</end><event value='1' symbol='x'/><event value='2'");
    assert_eq!(events.len(), 1);
    let odd = read(b"<provider name='\xFF\xFE'/>", |_, _, _| {});
    assert_eq!(odd.as_deref(), Some("\u{FFFD}\u{FFFD}"));
    // An entity of the document's own is not followed.
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><provider name='&a;&a;'/>";
    assert_eq!(read_all(bomb).0, None);
}

#[test]
fn large_manifests_are_bounded() {
    let mut text = String::from("<events><template tid='t'>");
    for _ in 0..200_000 {
        text.push_str("<data/>");
    }
    text.push_str("</template><event value='1' template='t'/></events>");
    assert!(read_all(&text).1.is_empty());
    let mut text = String::from("<events><event value='1' template='t' symbol='");
    text.push_str(&"ä".repeat(LONGEST_VALUE));
    text.push_str("'/><template tid='t'>");
    text.push_str(&"<data inType='win:UInt8'/>".repeat(2_000));
    text.push_str("</template></events>");
    let (_, events) = read_all(&text);
    let event = &events[&(1, 0)];
    assert_eq!(event.fields.all().len(), MOST_FIELDS);
    assert_eq!(event.name.as_ref().unwrap().len(), LONGEST_VALUE);
}
