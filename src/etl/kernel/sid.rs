//! Security identifiers in payloads.

use super::fields::Fields;
use crate::pml::detail::text::push_sid;
use std::fmt;

/// Most sub-authorities a SID has.
const MOST_PARTS: u8 = 15;

/// A binary SID: u8 revision, u8 count, 6 bytes authority, and `count` u32 sub-authorities.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sid<'a>(&'a [u8]);

impl<'a> Sid<'a> {
    /// Reads a SID; `None` where the bytes are none.
    pub fn read(fields: &mut Fields<'a>) -> Option<Self> {
        let [1, parts @ 0..=MOST_PARTS, ..] = fields.rest() else {
            return None;
        };
        let len = 8 + 4 * usize::from(*parts);
        fields.bytes(len).map(Self)
    }

    /// Reads the user of a process: a u32 of 0 where there is none, else a `TOKEN_USER` (a stale pointer
    /// and attributes, a pointer each) and a SID. `None` where the bytes are neither.
    pub fn read_user(fields: &mut Fields<'a>) -> Option<Option<Self>> {
        let mut peek = *fields;
        if peek.u32()? == 0 {
            *fields = peek;
            return Some(None);
        }
        Self::read_behind_token(fields).map(Some)
    }

    /// Reads a `TOKEN_USER`, whatever it holds, and a SID. Test programs write it zeroed, which by the
    /// rule of [`Self::read_user`] is no user.
    pub fn read_behind_token(fields: &mut Fields<'a>) -> Option<Self> {
        fields.ptr()?;
        fields.ptr()?;
        Self::read(fields)
    }

    /// The bytes, as accounts are looked up by.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Appends `S-1-5-18`.
    pub fn push_to(self, out: &mut String) {
        push_sid(out, self.0);
    }
}

impl fmt::Display for Sid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for Sid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etl::kernel::sample::{SYSTEM_SID, Sample};

    fn user(sample: &Sample) -> Option<Option<String>> {
        let mut fields = sample.fields();
        let user = Sid::read_user(&mut fields)?;
        Some(user.map(|sid| sid.to_string()))
    }

    #[test]
    fn users_of_both_pointer_sizes() {
        for wide in [false, true] {
            let sample = Sample::new(wide).ptr(0x7777).ptr(0).bytes(&SYSTEM_SID);
            assert_eq!(user(&sample), Some(Some("S-1-5-18".to_owned())));
            assert_eq!(user(&Sample::new(wide).u32(0).u8(9)), Some(None));
            for len in 0..sample.len() {
                assert_eq!(user(&sample.cut(len)), None, "{len} bytes");
            }
        }
    }

    #[test]
    fn other_bytes_are_no_sid() {
        let token = || Sample::new(true).ptr(1).ptr(0);
        assert_eq!(
            user(&token().bytes(&[2, 1, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0])),
            None
        );
        assert_eq!(
            user(&token().bytes(&[1, 16, 0, 0, 0, 0, 0, 5]).bytes(&[0; 64])),
            None
        );
        let longest = token().bytes(&[1, 15, 0, 0, 0, 0, 0, 5]).bytes(&[0; 60]);
        assert_eq!(user(&longest).flatten().unwrap().matches("-0").count(), 15);
    }

    #[test]
    fn a_zeroed_token_is_read_on_request_only() {
        let sample = Sample::new(true).ptr(0).ptr(0).bytes(&SYSTEM_SID);
        assert_eq!(user(&sample), Some(None));
        let sid = Sid::read_behind_token(&mut sample.fields()).unwrap();
        assert_eq!(sid.bytes(), SYSTEM_SID);
        assert_eq!(format!("{sid:?}"), "S-1-5-18");
    }
}
