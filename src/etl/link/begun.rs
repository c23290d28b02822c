//! What has begun on a processor and not ended, while the records of a slice are looked through. Each has one place by its
//! mark or IRP: where another one takes it, both are left to be looked at one by one.

use super::Family;
use crate::etl::gather::{Order, Place};

/// Callbacks, and operations, that can be open on a processor without being left over. It nests some dozens.
const PLACES: usize = 128;

/// A callback that has begun on a processor.
#[derive(Debug, Clone, Copy, Default)]
pub struct BegunCallback {
    /// [`CallbackKey::mark`].
    pub mark: u64,
    /// Its number among all callbacks of the slice.
    pub number: u32,
    /// Whether there is one.
    pub open: bool,
}

/// An operation that has begun on a processor.
#[derive(Debug, Clone, Copy, Default)]
pub struct BegunOperation {
    /// Its IRP.
    pub irp: u64,
    /// Its FileObject.
    pub object: u64,
    /// Start and position.
    pub order: Order,
    /// Where it is.
    pub place: Place,
    /// What it does.
    pub family: Family,
    /// Whether there is one.
    pub open: bool,
    /// Whether it is of a process of which it may be asked what failed.
    pub own: bool,
    /// Whether it is one that nobody will ask for.
    pub plain: bool,
}

/// What has begun on a processor and not ended.
#[derive(Debug)]
pub struct Begun {
    cpu: u16,
    callbacks: Box<[BegunCallback; PLACES]>,
    operations: Box<[BegunOperation; PLACES]>,
}

impl Begun {
    /// Nothing yet.
    pub fn new(cpu: u16) -> Self {
        Self {
            cpu,
            callbacks: Box::new([BegunCallback::default(); PLACES]),
            operations: Box::new([BegunOperation::default(); PLACES]),
        }
    }

    /// Whether it is that of a processor.
    pub fn is_of(&self, cpu: u16) -> bool {
        self.cpu == cpu
    }

    /// Where the callback with a mark is, if it has begun.
    #[inline]
    pub fn callback(&mut self, mark: u64) -> &mut BegunCallback {
        &mut self.callbacks[(mark >> 57) as usize % PLACES]
    }

    /// Where the operation with an IRP is, if it has begun.
    #[inline]
    pub fn operation(&mut self, irp: u64) -> &mut BegunOperation {
        let mixed = irp.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        &mut self.operations[(mixed >> 57) as usize % PLACES]
    }

    /// Takes out everything.
    pub fn take_open(&mut self) -> (Vec<BegunCallback>, Vec<BegunOperation>) {
        let callbacks = self.callbacks.iter_mut().filter(|one| one.open);
        let operations = self.operations.iter_mut().filter(|one| one.open);
        (
            callbacks.map(std::mem::take).collect(),
            operations.map(std::mem::take).collect(),
        )
    }
}
