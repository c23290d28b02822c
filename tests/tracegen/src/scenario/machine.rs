//! The traced machine: its processes, and call stacks as they look there.

use super::drivers::{Driver, drivers};
use super::processes::{self, Role};
use crate::pml::{Bits, LogBuilder, Module, ProcId};
use crate::prng::Prng;

/// Which request a stack is of. The outermost kernel frames tell a reader nothing; the shape is what real logs show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    File,
    Registry,
    Process,
    Network,
}

/// Changes a name into another.
pub(crate) type Spell = fn(&mut String);

fn respell(module: &mut Module, spell: Spell) {
    for text in [
        &mut module.path,
        &mut module.company,
        &mut module.description,
    ] {
        spell(text);
    }
}

/// The machine while a scenario is being written.
pub(crate) struct Machine {
    pub(crate) bits: Bits,
    pub(crate) log: LogBuilder,
    pub(crate) drivers: Vec<Driver>,
    /// What names are changed into, where they are not what they seem.
    pub(crate) spell: Spell,
    ids: Vec<(Role, ProcId)>,
    user: Vec<(ProcId, Vec<Module>)>,
}

impl Machine {
    pub(crate) fn new(bits: Bits, boot: u64, spell: Spell) -> Self {
        let mut log = LogBuilder::new(bits);
        let mut drivers = drivers(bits);
        for driver in &mut drivers {
            respell(&mut driver.module, spell);
        }
        let (mut ids, mut user) = (Vec::new(), Vec::new());
        for (role, mut process) in processes::all(bits, boot) {
            if role == Role::System {
                process.modules = drivers
                    .iter()
                    .filter(|d| !d.late)
                    .map(|d| d.module.clone())
                    .collect();
                if bits == Bits::B32 {
                    process.modules.extend(processes::user_images_of_system());
                }
            }
            for text in [
                &mut process.name,
                &mut process.image_path,
                &mut process.command_line,
                &mut process.company,
                &mut process.description,
            ] {
                spell(text);
            }
            let modules = if role == Role::System {
                Vec::new()
            } else {
                process.modules.clone()
            };
            let id = log.process(process);
            ids.push((role, id));
            user.push((id, modules));
        }
        Self {
            bits,
            log,
            drivers,
            spell,
            ids,
            user,
        }
    }

    pub(crate) fn id(&self, role: Role) -> ProcId {
        // Every role has a process: the table is made from the same list.
        self.ids
            .iter()
            .find(|(r, _)| *r == role)
            .map_or(ProcId(0), |(_, id)| *id)
    }

    /// An address in the driver with this file name; 0 where there is none.
    fn frame(&self, name: &str, offset: u64) -> u64 {
        let mut name = name.to_owned();
        (self.spell)(&mut name);
        let driver = self
            .drivers
            .iter()
            .find(|d| d.name().eq_ignore_ascii_case(&name));
        driver.map_or(0, |d| d.module.at(offset))
    }

    /// A stack of `role` with frames of the drivers `others`, innermost first.
    pub(crate) fn stack(
        &self,
        rng: &mut Prng,
        path: Path,
        role: Role,
        others: &[&str],
    ) -> Vec<u64> {
        let nt = |offset: u64| self.frame("ntoskrnl.exe", offset);
        let flt = |offset: u64| self.frame("FLTMGR.SYS", offset);
        let mut stack = Vec::with_capacity(20);
        match path {
            Path::File => {
                stack.extend([
                    flt(0x7852),
                    flt(0x73F8),
                    flt(0x6FFB),
                    flt(0x6D9E),
                    nt(0x2_6839),
                ]);
                for name in others {
                    // The driver opened the file itself while it handled a request of the process.
                    stack.extend([nt(0x48_FCA2), nt(0x4A_61CD), flt(0x3_B5CB)]);
                    stack.extend([
                        self.frame(name, 0x4C1A),
                        self.frame(name, 0x2F37 + rng.below(0x80)),
                    ]);
                    stack.extend([flt(0x5B2E), nt(0x2_6839)]);
                }
                stack.extend([nt(0x49_0000 + rng.below(0x2000)), nt(0x19_0F43)]);
            }
            Path::Registry => {
                stack.extend([nt(0x4A_DCC7), nt(0x4A_7000 + rng.below(0x1200))]);
                for name in others {
                    stack.extend([
                        nt(0x18_4A10),
                        self.frame(name, 0x81D4),
                        self.frame(name, 0x8802),
                        nt(0x4A_DC10),
                    ]);
                }
                stack.extend([nt(0x4A_6540), nt(0x19_0F43)]);
            }
            Path::Process => {
                stack.extend([nt(0x4F_81C3), nt(0x4F_9C98), nt(0x46_A929)]);
                for name in others {
                    stack.push(self.frame(name, 0x1122));
                }
                stack.push(nt(0x19_0F43));
            }
            Path::Network => {
                stack.extend([
                    nt(0x27_D1AB),
                    self.frame("tcpip.sys", 0x2_13A3),
                    self.frame("tcpip.sys", 0x7_FD5A),
                ]);
                for name in others {
                    stack.push(self.frame(name, 0x3344));
                }
                stack.extend([
                    self.frame("ndis.sys", 0x1_50DE),
                    nt(0xA_FB32),
                    nt(0x18_406A),
                ]);
            }
        }
        if path != Path::Network {
            self.user_part(rng, role, &mut stack);
        }
        stack
    }

    /// A call of the process's own code through its system libraries; System has no user part.
    fn user_part(&self, rng: &mut Prng, role: Role, stack: &mut Vec<u64>) {
        let id = self.id(role);
        let Some((_, modules)) = self.user.iter().find(|(i, _)| *i == id) else {
            return;
        };
        let [exe, ntdll, kernel32, kernelbase, more @ ..] = modules.as_slice() else {
            return;
        };
        stack.extend([
            ntdll.at(0xA_0000 + rng.below(0x3000)),
            kernelbase.at(0x1_F539),
        ]);
        if !more.is_empty() {
            stack.push(rng.pick(more).at(0x1_0000 + rng.below(0x4000)));
        }
        stack.extend([
            exe.at(0x1000 + rng.below(0x6000)),
            kernel32.at(0x1_37E4),
            ntdll.at(0x6_CB81),
        ]);
    }
}
