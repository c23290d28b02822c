//! Key control blocks: the kernel's one object for each open registry key.

use super::paths::{self, hash};
use super::pool::Of;
use super::recorder::{Actor, Recorder};
use crate::etl::event::{Event, Registry, RegistryOp};
use std::collections::BTreeMap;

/// A key control block in use.
#[derive(Debug, Clone)]
struct Block {
    address: u64,
    path: String,
    handles: u32,
    /// It was there before the trace and stays to its end.
    stays: bool,
    /// A record tells its path when it begins.
    named: bool,
}

/// A key control block as an operation uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kcb {
    pub(super) address: u64,
    /// Its path is in the trace even if that has no end.
    pub(super) named: bool,
}

/// Registry keys in use, by lower-case path.
#[derive(Debug, Default)]
pub(super) struct Keys {
    blocks: BTreeMap<String, Block>,
    /// Paths that were in use at some time.
    seen: BTreeMap<String, ()>,
    /// Key control blocks that the rundown at the start tells.
    at_start: Vec<(u64, String)>,
}

/// Keys that are always open.
const ROOTS: &[&str] = &[
    "\\REGISTRY",
    "\\REGISTRY\\MACHINE",
    "\\REGISTRY\\MACHINE\\SYSTEM",
    "\\REGISTRY\\MACHINE\\SOFTWARE",
    "\\REGISTRY\\USER",
];
/// Keys that no caller holds are kept: one in three goes, and not before 5 ms.
const KEPT: u64 = 3;
const DELAY: u64 = 50_000;

impl Keys {
    /// The living block of the nearest folder above a path, and what is left of the path.
    fn above<'a>(&self, path: &'a str) -> Option<(Kcb, &'a str)> {
        let mut end = path.len();
        while let Some(at) = path[..end].rfind('\\').filter(|at| *at > 0) {
            if let Some(block) = self.blocks.get(&path[..at].to_lowercase()) {
                return Some((block.kcb(), &path[at + 1..]));
            }
            end = at;
        }
        None
    }

    /// Blocks that the rundown at the end tells.
    pub(super) fn left(&self) -> Vec<(u64, String)> {
        let list = self.blocks.values();
        list.map(|b| (b.address, b.path.clone())).collect()
    }

    /// Blocks that the rundown at the start tells.
    pub(super) fn at_start(&self) -> &[(u64, String)] {
        &self.at_start
    }
}

impl Block {
    fn kcb(&self) -> Kcb {
        Kcb {
            address: self.address,
            named: self.named,
        }
    }
}

impl Recorder<'_> {
    /// The roots, which are open before anything happens.
    pub(super) fn open_roots(&mut self) {
        let teller = format!("\\REGISTRY\\USER\\{}", paths::TELLER);
        for path in ROOTS.iter().copied().chain([teller.as_str()]) {
            self.block_from_before(path, true);
        }
    }

    fn block_from_before(&mut self, path: &str, told: bool) -> Kcb {
        let address = self.pools.take_new(Of::Kcb);
        if told {
            self.keys.at_start.push((address, path.to_owned()));
        }
        self.add_block(path, address, true, told)
    }

    fn add_block(&mut self, path: &str, address: u64, stays: bool, named: bool) -> Kcb {
        let block = Block {
            address,
            path: path.to_owned(),
            handles: 0,
            stays,
            named,
        };
        let kcb = block.kcb();
        self.keys.seen.insert(path.to_lowercase(), ());
        self.keys.blocks.insert(path.to_lowercase(), block);
        kcb
    }

    fn new_block(&mut self, by: Actor, path: &str, time: u64) -> Kcb {
        let address = self.pools.take(Of::Kcb);
        self.block_record(RegistryOp::KcbCreate, by, address, path, time);
        self.add_block(path, address, false, true)
    }

    fn block_record(&mut self, op: RegistryOp, by: Actor, kcb: u64, path: &str, time: u64) {
        let event = Event::Registry(Registry {
            op,
            initial: None,
            status: 0,
            index: 0,
            kcb,
            name: path,
        });
        let cpu = self.cpu(by.tid, time);
        self.put(cpu, time, by, event);
    }

    /// A caller opens the key: its block is there before the open has ended.
    pub(super) fn key_opened(&mut self, by: Actor, path: &str, time: u64) {
        let name = path.to_lowercase();
        if !self.keys.blocks.contains_key(&name) {
            self.new_block(by, path, time + 1);
        }
        if let Some(block) = self.keys.blocks.get_mut(&name) {
            block.handles += 1;
        }
    }

    /// The block of a key that somebody has open at `time`: the one that is there, or one from before the
    /// trace, or one that somebody else just opened.
    pub(super) fn key_in_use(&mut self, by: Actor, path: &str, time: u64, passing: bool) -> Kcb {
        let name = path.to_lowercase();
        if let Some(block) = self.keys.blocks.get(&name) {
            return block.kcb();
        }
        if !passing && !self.keys.seen.contains_key(&name) && hash(path) % 4 < 2 {
            return self.block_from_before(path, hash(path).is_multiple_of(4));
        }
        self.new_block(by, path, time)
    }

    /// A caller closed the key at `time`.
    pub(super) fn key_closed(&mut self, by: Actor, path: &str, time: u64) {
        let name = path.to_lowercase();
        let Some(block) = self.keys.blocks.get_mut(&name) else {
            return;
        };
        block.handles = block.handles.saturating_sub(1);
        let unused = block.handles == 0 && !block.stays;
        if unused && self.rng.one_in(KEPT) {
            self.end_block(by, path, time);
        }
    }

    /// The key is gone at `time`.
    pub(super) fn end_block(&mut self, by: Actor, path: &str, time: u64) {
        let name = path.to_lowercase();
        if self.keys.blocks.get(&name).is_none_or(|b| b.stays) {
            return;
        }
        if let Some(block) = self.keys.blocks.remove(&name) {
            self.block_record(
                RegistryOp::KcbDelete,
                by,
                block.address,
                &block.path,
                time + DELAY,
            );
            self.pools.give_back(Of::Kcb, block.address, time + DELAY);
        }
    }

    /// How a caller names a key: absolute, below a root it has open, or below the nearest open key.
    pub(super) fn base_of(&mut self, asked_for: &str) -> (Kcb, String) {
        let absolute = Kcb {
            address: 0,
            named: true,
        };
        let real = paths::key(asked_for);
        let below =
            |keys: &Keys, path: &str| keys.above(path).map(|(kcb, rest)| (kcb, rest.to_owned()));
        let found = match self.rng.below(3) {
            0 => None,
            1 => ROOTS[1..]
                .iter()
                .filter_map(|root| {
                    let rest = asked_for.strip_prefix(root)?.strip_prefix('\\')?;
                    let block = self.keys.blocks.get(&root.to_lowercase())?;
                    Some((block.kcb(), rest.to_owned()))
                })
                .next(),
            _ => below(&self.keys, &real),
        };
        found.unwrap_or_else(|| {
            let rest = asked_for.strip_prefix("\\REGISTRY\\MACHINE");
            let name = rest.map_or(asked_for.to_owned(), |r| format!("\\Registry\\Machine{r}"));
            (absolute, name)
        })
    }

    /// Key control blocks that are there at the start or the end.
    pub(super) fn key_rundown(&mut self, op: RegistryOp, blocks: &[(u64, String)], time: u64) {
        for (n, (address, path)) in blocks.iter().enumerate() {
            let time = time + n as u64 * 4;
            self.block_record(op, Actor::SESSION, *address, path, time);
        }
    }
}
