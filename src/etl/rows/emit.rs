//! From rows that were taken to the columns of a batch.

use super::kept::{Kept, Role};
use crate::etl::body::{Body, end_of};
use crate::etl::classes::class_of;
use crate::etl::gather::Placed;
use crate::etl::items::stack_of;
use crate::etl::kernel::file_io::FileRequest;
use crate::etl::kernel::major_function_name;
use crate::etl::kernel::minifilter::CallbackMoment;
use crate::etl::link::stacks::SliceStacks;
use crate::etl::link::{End, Imports, Late};
use crate::etl::selfdescribing::Event;
use crate::etl::trace::EtlTrace;
use crate::trace::names::lasting;
use crate::trace::{Batch, Callback, Class, CreateRequest, FileUse, Frames, Transfer, Want};

/// Writes rows into a batch.
pub struct Emit<'a, 'r> {
    /// The trace.
    pub trace: &'a EtlTrace,
    /// Columns that are wanted.
    pub want: &'a Want,
    /// What other slices tell.
    pub imports: &'a Imports,
    /// Stacks of the slice.
    pub stacks: &'a SliceStacks<'r>,
    /// Paths of the rows.
    pub arena: &'a str,
    /// Frames of the row at hand.
    pub frames: Vec<u64>,
    /// Names of the row at hand.
    pub name: String,
}

impl Emit<'_, '_> {
    /// Writes a row.
    pub fn row(&mut self, kept: &Kept, placed: &Placed<'_>, out: &mut Batch) {
        let body = Body::of(placed);
        let class = placed.hook.map_or(Class::Event, |hook| class_of(hook.id));
        let late = self.imports.late.get(&placed.number);
        let end = kept.end.or(late.and_then(|late| late.end));
        let time = self.trace.filetime_of(placed);
        out.event.push(placed.number);
        out.time.push(time);
        out.class.push(class);
        out.process.push(kept.process);
        out.tid.push(kept.tid);
        let event = match body {
            Body::Event => Event::new(&placed.record, self.trace.definitions()),
            _ => None,
        };
        let (operation, provider) = self.names(placed, &body, event.as_ref());
        out.operation.push(operation);
        out.operation_full.push(operation);
        out.status.push(status(kept, &body, end, late));
        out.duration.push(self.duration(kept, placed, &body, end));
        out.waits.push(match &body {
            Body::File(io) => io.waits_by_nature(),
            _ => false,
        });
        let ended = end.as_ref().map(end_of);
        if self.want.category {
            out.category.push(match kept.role {
                Role::Further => "",
                Role::First | Role::Event => body.category(ended.as_ref()),
            });
        }
        out.path.buffer().push_str(&self.arena[kept.path.clone()]);
        out.path.end_row();
        out.target
            .buffer()
            .push_str(&self.arena[kept.target.clone()]);
        out.target.end_row();
        if self.want.detail {
            let detail = out.detail.buffer();
            match &event {
                Some(event) => event.push_detail(detail),
                None => body.push_detail(ended.as_ref(), detail),
            }
            out.detail.end_row();
        }
        if self.want.frames != Frames::None {
            self.find_frames(kept, placed, &body, late);
            out.frames.push(self.frames.iter().copied());
        }
        out.callbacks.push(self.callback(kept, placed, &body, late));
        out.providers.push(provider);
        if self.want.file_uses {
            out.file_uses.push(file_use(kept, &body));
        }
    }

    /// Names of the event and of its provider.
    fn names(
        &mut self,
        placed: &Placed<'_>,
        body: &Body<'_>,
        event: Option<&Event<'_>>,
    ) -> (&'static str, &'static str) {
        let known = body.operation(placed);
        if placed.hook.is_some() {
            return (known.unwrap_or("Unknown"), "");
        }
        let operation = known.unwrap_or_else(|| {
            self.name.clear();
            match event {
                Some(event) => event.push_name(&mut self.name),
                None => self.name.push_str("Event"),
            }
            lasting(&self.name, "Event")
        });
        let class = placed.record.provider();
        (operation, self.trace.provider(class, event, &mut self.name))
    }

    /// Duration in 100 ns.
    fn duration(
        &self,
        kept: &Kept,
        placed: &Placed<'_>,
        body: &Body<'_>,
        end: Option<End>,
    ) -> Option<u64> {
        let ticks = match body {
            Body::File(_) if kept.role == Role::First => end?.ticks.checked_sub(placed.ticks)?,
            Body::File(_) | Body::FileEnd(_) | Body::Callback(_) => return None,
            // What stands at its end and says when it began.
            _ => {
                let start = crate::etl::keys::start_ticks(
                    placed.hook?,
                    placed.record.payload(),
                    placed.record.wide(),
                    placed.ticks,
                )?;
                placed.ticks.checked_sub(start)?
            }
        };
        let clock = self.trace.file().clock_of(placed.buffer as usize);
        u64::try_from(clock.span(ticks)).ok()
    }

    fn callback(
        &self,
        kept: &Kept,
        placed: &Placed<'_>,
        body: &Body<'_>,
        late: Option<&Late>,
    ) -> Option<Callback> {
        let Body::Callback(callback) = body else {
            return None;
        };
        if kept.role == Role::Further {
            return None;
        }
        let (key, _) = crate::etl::link::part::key_of(callback);
        let completed = kept.completed.or(late.and_then(|late| late.completed));
        // Without an initiation the completion itself says when it began.
        let told = match callback.moment {
            CallbackMoment::Init => None,
            CallbackMoment::Completion | CallbackMoment::Failure => {
                let late = || late.and_then(|late| late.began);
                callback.start_time.or(kept.began).or_else(late)
            }
        };
        let began = match callback.moment {
            CallbackMoment::Init => Some(placed.ticks),
            _ => told.filter(|start| *start > 0),
        };
        let clock = self.trace.file().clock_of(placed.buffer as usize);
        let own = |end: i64| u64::try_from(clock.span(end.checked_sub(began?)?)).ok();
        Some(Callback {
            routine: key.routine,
            phase: key.phase,
            duration: completed.and_then(own),
            major_function: major_function_name(callback.major_function)
                .unwrap_or("IRP_MJ_UNKNOWN"),
        })
    }

    /// The frames of a row: those of its record and of what ends it.
    fn find_frames(
        &mut self,
        kept: &Kept,
        placed: &Placed<'_>,
        body: &Body<'_>,
        late: Option<&Late>,
    ) {
        self.frames.clear();
        if kept.role == Role::Further {
            return;
        }
        let kernel = self.want.frames == Frames::Kernel;
        let highest = self.trace.highest_user();
        if let Some(frames) = stack_of(&placed.record) {
            self.frames.extend(frames);
        }
        // What a merge adds to an event (versions, definitions) has its time: only a kernel event has the stack, be
        // its header the kernel's own or that of a relogging tool.
        if placed.hook.is_some() && !self.stacks.is_empty() {
            let keys = &self.trace.facts().stacks;
            let tid = placed.record.tid().or(body.owner().1);
            let [first, second] = kept.more_stacks;
            let ends = [kept.end_stack, first, second];
            for (ticks, tid) in
                std::iter::once((placed.ticks, tid)).chain(ends.into_iter().flatten())
            {
                self.stacks.push(ticks, tid, kernel, keys, &mut self.frames);
            }
        }
        if let Some(late) = late {
            self.frames.extend(&late.frames);
        }
        if kernel {
            self.frames.retain(|frame| *frame > highest);
        }
    }
}

/// What a file operation says of its open file. The kernel's events have no desired access.
fn file_use(kept: &Kept, body: &Body<'_>) -> Option<FileUse> {
    let Body::File(io) = body else {
        return None;
    };
    if kept.role == Role::Further {
        return None;
    }
    let create = match io.request {
        FileRequest::Create {
            disposition,
            options,
            share,
            ..
        } => Some(CreateRequest {
            access: None,
            share,
            disposition,
            options,
        }),
        _ => None,
    };
    let transfer = match io.request {
        FileRequest::Transfer { offset, size, .. } => Some(Transfer {
            offset: offset as i64,
            length: size,
        }),
        _ => None,
    };
    Some(FileUse {
        object: io.file_object,
        create,
        transfer,
    })
}

/// NTSTATUS of a row; `None` where it has none.
fn status(kept: &Kept, body: &Body<'_>, end: Option<End>, late: Option<&Late>) -> Option<u32> {
    match body {
        _ if kept.role == Role::Further => None,
        Body::File(_) => end.map(|end| end.status),
        Body::Callback(_) => kept.failure.or(late.and_then(|late| late.failure)),
        Body::Key(event) if !event.operation.names_kcb() => Some(event.status),
        _ => None,
    }
}
