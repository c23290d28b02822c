//! Status and error codes: names, meanings, the texts Procmon prints, and the ways between the code families.
//!
//! A failed update speaks three dialects: logs hold HRESULTs or plain Win32 numbers, traces hold NTSTATUS values,
//! and people quote Procmon's words. Everything here is a lookup in static tables.

pub mod hresult;
pub mod ntstatus;
pub mod procmon;
pub mod translate;
pub mod win32;

mod describe;
mod hresult_meanings;
mod hresult_names;
mod lookup;
mod meanings_zh;
mod ntstatus_meanings;
mod ntstatus_names;
mod procmon_table;
mod servicing_table;
mod translation_table;
mod win32_meanings;
mod win32_names;

pub use describe::Description;

#[cfg(test)]
mod table_tests;
