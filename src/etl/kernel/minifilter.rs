//! Callbacks of minifilters: their start, their end, and their refusal.
//!
//! No such event is met in real files. The layout depends on the build in one point, whether a time or a
//! status is there, and the length of the payload tells which.

use super::fields::Fields;
use super::major_function::major_function_name;
use crate::bytes::u64_at;
use crate::pml::detail::{DetailText, FieldSink, Value};
use crate::trace::time::Zone;

/// Hooks of callbacks.
pub mod hook {
    /// A pre-operation callback starts.
    pub const PRE_INIT: u16 = 0x0460;
    /// A post-operation callback starts.
    pub const POST_INIT: u16 = 0x0461;
    /// A pre-operation callback has returned.
    pub const PRE_COMPLETION: u16 = 0x0462;
    /// A post-operation callback has returned.
    pub const POST_COMPLETION: u16 = 0x0463;
    /// A pre-operation callback has ended the operation with a failure.
    pub const PRE_FAILURE: u16 = 0x0464;
    /// A post-operation callback has ended the operation with a failure.
    pub const POST_FAILURE: u16 = 0x0465;
}

/// Bytes of a payload at least that begins with a time; the others begin with the routine. See
/// [`MinifilterCallback::parse`].
pub fn timed_len(wide: bool) -> u16 {
    if wide { 8 + 5 * 8 + 4 } else { 8 + 5 * 4 + 4 }
}

/// What happens to a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackMoment {
    /// It starts.
    Init,
    /// It has returned.
    Completion,
    /// It has ended the operation with a failure.
    Failure,
}

impl CallbackMoment {
    /// What a hook tells of, and whether of a post-operation callback; `None` for other hooks.
    #[inline(always)]
    pub fn of_hook(hook: u16) -> Option<(Self, bool)> {
        Some(match hook {
            hook::PRE_INIT => (Self::Init, false),
            hook::POST_INIT => (Self::Init, true),
            hook::PRE_COMPLETION => (Self::Completion, false),
            hook::POST_COMPLETION => (Self::Completion, true),
            hook::PRE_FAILURE => (Self::Failure, false),
            hook::POST_FAILURE => (Self::Failure, true),
            _ => return None,
        })
    }
}

/// A callback of a minifilter. Start, end and failure of one are those with the same routine and callback
/// data; both are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinifilterCallback {
    /// What happens to it.
    pub moment: CallbackMoment,
    /// Whether it is a post-operation callback.
    pub post: bool,
    /// Address of the routine, which lies in the driver.
    pub routine: u64,
    /// FileObject.
    pub file_object: u64,
    /// FsContext of the file.
    pub fs_context: u64,
    /// IRP.
    pub irp: u64,
    /// Callback data (`FLT_CALLBACK_DATA`); file operations have it as their IRP.
    pub callback_data: u64,
    /// Major function; see [`major_function_name`].
    pub major_function: u32,
    /// When the callback started, in ticks of the trace's clock; completions have it.
    pub start_time: Option<i64>,
    /// NTSTATUS of the operation; failures have it.
    pub status: Option<u32>,
}

/// What tells callbacks apart; see [`MinifilterCallback`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallbackAddresses {
    /// What happens to it.
    pub moment: CallbackMoment,
    /// Whether it is a post-operation callback.
    pub post: bool,
    /// Address of the routine.
    pub routine: u64,
    /// FileObject.
    pub file_object: u64,
    /// FsContext of the file.
    pub fs_context: u64,
    /// Callback data.
    pub callback_data: u64,
    /// Major function.
    pub major_function: u32,
}

impl MinifilterCallback {
    /// Reads the payload of a hook; `None` for other hooks, and where the payload ends too early.
    #[inline]
    pub fn parse(hook: u16, fields: &mut Fields<'_>) -> Option<Self> {
        let (moment, post) = CallbackMoment::of_hook(hook)?;
        let fixed = if fields.wide() { 5 * 8 + 4 } else { 5 * 4 + 4 };
        let (timed, ended) = match fields.rest().len().checked_sub(fixed)? {
            0 => (false, false),
            4 => (false, true),
            8 => (true, false),
            12 => (true, true),
            // A length that no build is known to write: what the hook alone calls for.
            _ => (
                moment == CallbackMoment::Completion,
                moment == CallbackMoment::Failure,
            ),
        };
        let start_time = if timed { Some(fields.i64()?) } else { None };
        Some(Self {
            moment,
            post,
            routine: fields.ptr()?,
            file_object: fields.ptr()?,
            fs_context: fields.ptr()?,
            irp: fields.ptr()?,
            callback_data: fields.ptr()?,
            major_function: fields.u32()?,
            start_time,
            status: if ended { Some(fields.u32()?) } else { None },
        })
    }

    /// FileObject and FsContext; `None` where the payload has a length that no build is known to write.
    #[inline(always)]
    pub fn file(payload: &[u8], wide: bool) -> Option<(u64, u64)> {
        if let (true, 44 | 48 | 52 | 56) = (wide, payload.len()) {
            let from = if payload.len() >= 52 { 8 } else { 0 };
            let both: &[u8; 16] = payload.get(from + 8..)?.first_chunk()?;
            return Some((u64_at(both, 0)?, u64_at(both, 8)?));
        }
        None
    }

    /// What tells callbacks apart, at the cost of a few loads.
    #[inline(always)]
    pub fn addresses(hook: u16, payload: &[u8], wide: bool) -> Option<CallbackAddresses> {
        if let (true, 44 | 48 | 52 | 56) = (wide, payload.len()) {
            // The time stands in front of the addresses, the status behind them.
            let from = if payload.len() >= 52 { 8 } else { 0 };
            let fixed: &[u8; 44] = payload.get(from..)?.first_chunk()?;
            let address = |at: usize| crate::bytes::u64_at(fixed, at * 8);
            let (moment, post) = CallbackMoment::of_hook(hook)?;
            return Some(CallbackAddresses {
                moment,
                post,
                routine: address(0)?,
                file_object: address(1)?,
                fs_context: address(2)?,
                callback_data: address(4)?,
                major_function: crate::bytes::u32_at(fixed, 40)?,
            });
        }
        let callback = Self::parse(hook, &mut Fields::new(payload, wide))?;
        Some(CallbackAddresses {
            moment: callback.moment,
            post: callback.post,
            routine: callback.routine,
            file_object: callback.file_object,
            fs_context: callback.fs_context,
            callback_data: callback.callback_data,
            major_function: callback.major_function,
        })
    }

    /// Name of the operation.
    pub fn operation_name(&self) -> &'static str {
        match (self.moment, self.post) {
            (CallbackMoment::Init, false) => "Minifilter Pre-Operation",
            (CallbackMoment::Init, true) => "Minifilter Post-Operation",
            (CallbackMoment::Completion, false) => "Minifilter Pre-Operation End",
            (CallbackMoment::Completion, true) => "Minifilter Post-Operation End",
            (CallbackMoment::Failure, false) => "Minifilter Pre-Operation Failure",
            (CallbackMoment::Failure, true) => "Minifilter Post-Operation Failure",
        }
    }

    /// Hands the fields of the detail to `sink`. The status is the result of the event.
    pub fn detail<S: FieldSink>(&self, sink: &mut S) {
        let major = match major_function_name(self.major_function) {
            Some(name) => Value::Str(name),
            None => Value::Hex(self.major_function.into()),
        };
        sink.field("Major Function", major);
        sink.field("Routine", Value::Hex(self.routine));
        sink.field("Callback Data", Value::Hex(self.callback_data));
        sink.field("File Object", Value::Hex(self.file_object));
        sink.field("IRP", Value::Hex(self.irp));
    }

    /// Appends the detail.
    pub fn push_detail(&self, out: &mut String) {
        self.detail(&mut DetailText::new(out, &Zone::UTC));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etl::kernel::sample::Sample;

    fn fixed(sample: Sample) -> Sample {
        sample.ptr(1).ptr(2).ptr(3).ptr(4).ptr(5).u32(u32::MAX)
    }

    /// A payload with a time, a status, or both.
    fn sample(wide: bool, timed: bool, ended: bool) -> Sample {
        let start = Sample::new(wide);
        let sample = fixed(if timed { start.u64(99) } else { start });
        if ended {
            sample.u32(0xC000_0022)
        } else {
            sample
        }
    }

    #[test]
    fn the_length_tells_the_layout() {
        let mut lengths = Vec::new();
        for wide in [false, true] {
            for (timed, ended) in [(false, false), (false, true), (true, false), (true, true)] {
                let sample = sample(wide, timed, ended);
                lengths.push(sample.len());
                for hook in hook::PRE_INIT..=hook::POST_FAILURE {
                    let found = sample.whole(|fields| MinifilterCallback::parse(hook, fields));
                    assert_eq!(found.post, hook % 2 == 1);
                    assert_eq!((found.routine, found.callback_data), (1, 5));
                    assert_eq!((found.file_object, found.fs_context, found.irp), (2, 3, 4));
                    assert_eq!(found.major_function, u32::MAX);
                    let bytes = sample.cut(sample.len());
                    let fields = bytes.fields();
                    let told = MinifilterCallback::addresses(hook, fields.rest(), wide).unwrap();
                    assert_eq!((told.moment, told.post), (found.moment, found.post));
                    assert_eq!((told.routine, told.callback_data), (1, 5));
                    assert_eq!((told.file_object, told.fs_context), (2, 3));
                    assert_eq!(told.major_function, u32::MAX);
                    assert_eq!(found.start_time, timed.then_some(99));
                    assert_eq!(found.status, ended.then_some(0xC000_0022));
                }
            }
        }
        assert_eq!(lengths, [24, 28, 32, 36, 44, 48, 52, 56]);
    }

    #[test]
    fn other_lengths_follow_the_hook() {
        for wide in [false, true] {
            let longer = sample(wide, true, false).bytes(&[7; 16]);
            let mut fields = longer.fields();
            let found = MinifilterCallback::parse(hook::POST_COMPLETION, &mut fields).unwrap();
            assert_eq!(
                (found.start_time, found.routine, found.status),
                (Some(99), 1, None)
            );
            assert_eq!(fields.rest(), [7; 16]);
            let longer = sample(wide, false, true).bytes(&[7; 16]);
            let mut fields = longer.fields();
            let found = MinifilterCallback::parse(hook::PRE_FAILURE, &mut fields).unwrap();
            assert_eq!((found.start_time, found.status), (None, Some(0xC000_0022)));
            assert_eq!(fields.rest(), [7; 16]);
            for hook in hook::PRE_INIT - 1..=hook::POST_FAILURE + 1 {
                let known = (hook::PRE_INIT..=hook::POST_FAILURE).contains(&hook);
                for len in 0..longer.len() {
                    let found = MinifilterCallback::parse(hook, &mut longer.cut(len).fields());
                    // Behind the fixed part comes nothing, a status, a time, or what the hook calls for.
                    let least = if wide { 44 } else { 24 };
                    match len.checked_sub(least) {
                        None => assert_eq!(found, None),
                        Some(0 | 4 | 8..) => assert_eq!(found.is_some(), known),
                        Some(_) => assert!(known || found.is_none()),
                    }
                }
            }
        }
    }

    #[test]
    fn names_and_details() {
        let sample = sample(true, true, false);
        let found = sample.whole(|fields| MinifilterCallback::parse(hook::PRE_COMPLETION, fields));
        let mut out = String::new();
        found.push_detail(&mut out);
        assert_eq!(found.operation_name(), "Minifilter Pre-Operation End");
        assert_eq!(
            out,
            "Major Function: IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION, Routine: 0x1, \
             Callback Data: 0x5, File Object: 0x2, IRP: 0x4"
        );
    }
}
