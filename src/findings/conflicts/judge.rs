//! Whether what is open explains a refusal.

use super::access::{Clash, Rights, Sharing, clash};
use super::handles::Handle;
use super::report::Certainty;
use super::{
    CANNOT_DELETE, DELETE_PENDING, DIRECTORY_NOT_EMPTY, SHARING_VIOLATION, USER_MAPPED_FILE,
};
use crate::trace::CreateRequest;

/// What was refused.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// NTSTATUS.
    pub status: u32,
    /// The request, of a create.
    pub create: Option<&'a CreateRequest>,
    /// Process id.
    pub pid: Option<u32>,
    /// FileObject of the operation, or 0.
    pub object: u64,
}

/// How an open file explains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explained {
    /// How sure it is.
    pub certainty: Certainty,
    /// What was asked for and is not shared.
    pub wanted: Rights,
    /// What is held and was not to be shared.
    pub held: Rights,
}

impl Refused<'_> {
    /// What it asked for. All but creates are renames, links and deletions, which need others to share deletion.
    pub fn sharing(&self) -> Sharing {
        match self.create {
            Some(create) => Sharing {
                rights: create.access.and_then(Rights::of_mask),
                share: Rights(create.share),
            },
            None => Sharing {
                rights: Some(Rights::DELETE),
                share: Rights::ALL,
            },
        }
    }

    /// Whether it works on this open file itself.
    fn is_own<H>(&self, handle: &Handle<H>) -> bool {
        self.create.is_none()
            && match self.object {
                0 => self.pid == handle.pid,
                object => object == handle.object,
            }
    }

    /// How an open file explains the refusal; `deleted` tells whether the file is marked for deletion. `None` where it
    /// does not.
    pub fn explained_by<H>(&self, handle: &Handle<H>, deleted: bool) -> Option<Explained> {
        let open = handle.cleaned.is_none();
        if self.is_own(handle) {
            return None;
        }
        let because = |certain: bool| {
            Some(Explained {
                certainty: match certain {
                    true => Certainty::Certain,
                    false => Certainty::Possible,
                },
                wanted: Rights::default(),
                held: Rights::default(),
            })
        };
        match self.status {
            SHARING_VIOLATION if open => match clash(holder(handle), self.sharing()) {
                Clash::Certain { wanted, held } => Some(Explained {
                    certainty: Certainty::Certain,
                    wanted,
                    held,
                }),
                // Who shares nothing and was at work stands in the way of all that can be refused so.
                Clash::Possible => {
                    because(!handle.seen.is_none() && handle.sharing.share.is_none())
                }
                Clash::None => None,
            },
            DELETE_PENDING if open => because(true),
            DIRECTORY_NOT_EMPTY if open => because(deleted),
            CANNOT_DELETE | USER_MAPPED_FILE => because(handle.mapped),
            _ => None,
        }
    }
}

/// An open file; where its access is not known, by what it was seen to do.
fn holder<H>(handle: &Handle<H>) -> Sharing {
    let seen = Some(handle.seen).filter(|seen| !seen.is_none());
    Sharing {
        rights: handle.sharing.rights.or(seen),
        ..handle.sharing
    }
}
