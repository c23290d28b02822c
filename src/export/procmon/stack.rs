//! From the frames of a stack to the modules they lie in.

use crate::pml::PmlTrace;
use crate::trace::address_map::Range;
use crate::trace::{AddressMap, Filetime, Module, Trace as _};

/// The modules of a log by address.
pub(super) struct Modules<'a> {
    trace: &'a PmlTrace,
    kernel: AddressMap,
    /// For each process, in the order of the trace's list.
    user: Vec<AddressMap>,
}

impl<'a> Modules<'a> {
    /// Those of `trace`.
    pub fn new(trace: &'a PmlTrace) -> Self {
        let kernel = trace.info().kernel_images.iter().zip(0..);
        Self {
            trace,
            kernel: AddressMap::new(kernel.map(|(image, id)| Range {
                base: image.module.base,
                size: image.module.size,
                loaded: image.loaded.unwrap_or_default(),
                id,
            })),
            user: (0..trace.info().processes.len())
                .map(|position| user_map(trace, position))
                .collect(),
        }
    }

    /// The module at an address and how far into it the address lies.
    pub fn at(
        &self,
        address: u64,
        process: Option<u32>,
        time: Filetime,
    ) -> Option<(&'a Module, u64)> {
        let info = self.trace.info();
        if address > info.highest_user {
            let (image, offset) = self.kernel.resolve(address, time)?;
            let image = info.kernel_images.get(image as usize)?;
            return Some((&image.module, offset));
        }
        let process = process? as usize;
        let (module, offset) = self.user.get(process)?.resolve(address, time)?;
        let module = info.processes[process].modules.get(module as usize)?;
        Some((module, offset))
    }
}

fn user_map(trace: &PmlTrace, position: usize) -> AddressMap {
    let info = trace.info();
    let processes = &trace.file().processes;
    let times = processes
        .number(position)
        .and_then(|number| processes.stored(number))
        .map_or(&[][..], |stored| &*stored.module_times);
    let modules = info.processes[position].modules.iter().zip(0..);
    AddressMap::new(
        modules
            .filter(|(module, _)| module.base <= info.highest_user)
            .map(|(module, id)| Range {
                base: module.base,
                size: module.size,
                loaded: times.get(id as usize).copied().unwrap_or_default(),
                id,
            }),
    )
}
