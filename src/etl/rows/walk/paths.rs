//! The paths of records that are no file operations: images, keys, hives, and what else names something.

use super::Walk;
use crate::etl::body::Body;
use crate::etl::gather::Placed;
use crate::etl::kernel::disk::DiskEvent;
use crate::etl::kernel::fault::FaultEvent;
use crate::etl::kernel::image::ImageEvent;
use crate::etl::kernel::process::ProcessEvent;
use crate::etl::kernel::registry::RegistryEvent;
use crate::etl::keynames::{push_key, shorten_key};
use crate::etl::link::part::push_path;

impl Walk<'_> {
    pub(super) fn push_path(
        &mut self,
        placed: &Placed<'_>,
        body: &Body<'_>,
        named: (Option<u32>, Option<u32>),
    ) {
        let facts = self.trace.facts();
        match body {
            Body::Key(event) => {
                let time = self.trace.key(placed.buffer, placed.ticks);
                push_key(facts, time, event, &mut self.arena);
            }
            Body::Registry(RegistryEvent::Hive(hive)) => {
                let from = self.arena.len();
                hive.link().push_to(&mut self.arena);
                shorten_key(&mut self.arena, from);
            }
            Body::Process(ProcessEvent::Row(row)) => {
                let process = self.owner(placed, named).process;
                let image = self.trace.image_path(process);
                if image.is_empty() {
                    row.image.push_to(&mut self.arena);
                } else {
                    self.arena.push_str(image);
                }
            }
            Body::Image(ImageEvent::Row(row)) => push_path(facts, row.path, &mut self.arena),
            Body::FileName(name) => push_path(facts, name.path, &mut self.arena),
            Body::FileView(view) => self.push_file(0, view.key, placed),
            Body::Network(event) => event.push_path(&mut self.arena),
            Body::Disk(event) => {
                if let Some(key) = DiskEvent::file_key(event) {
                    self.push_file(0, key, placed);
                }
            }
            Body::Fault(FaultEvent::Hard(fault)) => self.push_file(0, fault.file_key, placed),
            _ => {}
        }
    }

    pub(super) fn push_target(&mut self, body: &Body<'_>) {
        if let Body::Registry(RegistryEvent::Hive(hive)) = body {
            push_path(self.trace.facts(), hive.file(), &mut self.arena);
        }
    }
}
