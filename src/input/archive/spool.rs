//! From an entry of an archive to a file: what it is, whether it may be that large, and what was lost of it.

use super::names::safe;
use super::{Contents, DEEPEST, RATIO, TEMP, UnpackOptions, Unpacked, Workspace, of, told};
use crate::input::{FileKind, kind_by_content, kind_by_name, shape};
use crate::lang::Message;
use crate::{say, stop};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// One archive being unpacked.
///
/// Its methods fail where the whole archive has to be given up: no room, a limit, the wish to stop.
pub struct Job<'a> {
    workspace: &'a mut Workspace,
    archive: &'a str,
    level: u32,
    /// Bytes that may still come out of this archive.
    budget: u64,
    names: HashSet<String>,
    out: &'a mut Contents,
    spooled: &'a mut Vec<Unpacked>,
}

/// An entry that is unpacked.
pub struct Entry<'n> {
    /// Its name in the archive.
    pub name: &'n str,
    /// Its size, where the archive says it.
    pub size: Option<u64>,
}

/// What becomes of an entry.
#[derive(Debug)]
pub enum Taken {
    /// All of it was read; it was taken in if it is a log.
    Whole,
    /// It ends before its end or is damaged; what came out was taken in, and that is told where it is used.
    Partly,
    /// Nothing of it could be taken in.
    Lost(io::Error),
}

/// Bytes copied at a time.
const PIECE: usize = 256 << 10;
/// Bytes after which the room on the disk is looked at again.
const LOOK_EVERY: u64 = 64 << 20;
/// Room that is left on the disk for everybody else.
const LEFT_FREE: u64 = 64 << 20;

impl<'a> Job<'a> {
    pub fn new(
        workspace: &'a mut Workspace,
        archive: &'a str,
        level: u32,
        budget: u64,
        out: &'a mut Contents,
        spooled: &'a mut Vec<Unpacked>,
    ) -> Self {
        Self {
            workspace,
            archive,
            level,
            budget,
            names: HashSet::new(),
            out,
            spooled,
        }
    }

    /// The archive's name.
    pub fn archive(&self) -> &'a str {
        self.archive
    }

    /// How to unpack.
    pub fn options(&self) -> &UnpackOptions {
        &self.workspace.options
    }

    /// Tells that an entry cannot be read; of one that is no log by its name, without blame.
    pub fn entry_lost(&mut self, entry: &str, reason: &Message) {
        let sentence = of(&format!("{}/{}", self.archive, safe(entry).0), reason);
        match kind_by_name(Path::new(entry)) {
            FileKind::Other => self.out.notes.push(sentence),
            _ => self.out.errors.push(sentence),
        }
    }

    /// Tells something of the archive that costs nothing.
    pub fn note(&mut self, sentence: &Message) {
        self.out.notes.push(of(self.archive, sentence));
    }

    /// Tells that something of the archive is lost.
    pub fn lost(&mut self, sentence: &Message) {
        self.out.errors.push(of(self.archive, sentence));
    }

    /// How many files were taken in.
    pub fn taken(&self) -> usize {
        self.spooled.len()
    }

    /// Throws away what was taken in behind the first `kept` files.
    pub fn forget(&mut self, kept: usize) {
        for file in self.spooled.drain(kept..) {
            self.names.remove(&file.name);
            let _ = std::fs::remove_file(&file.path);
        }
    }

    /// Takes an entry in where it is a log or an archive; of any other nothing is written.
    pub fn take(&mut self, entry: &Entry<'_>, from: &mut dyn Read) -> io::Result<Taken> {
        let mut head = Vec::with_capacity(shape::HEAD);
        let mut broken = from.take(shape::HEAD as u64).read_to_end(&mut head).err();
        stop::check()?;
        let short = |read: u64| entry.size.is_some_and(|size| read < size);
        if broken.is_none() && head.len() < shape::HEAD && short(head.len() as u64) {
            broken = Some(io::ErrorKind::UnexpectedEof.into());
        }
        let (shown, wrong) = safe(entry.name);
        let kind = kind_by_content(&head).unwrap_or_else(|| kind_by_name(Path::new(&shown)));
        let name = format!("{}/{shown}", self.archive);
        if kind == FileKind::Other || head.is_empty() && broken.is_some() {
            return Ok(broken.map_or(Taken::Whole, Taken::Lost));
        }
        if kind == FileKind::Archive && self.level >= DEEPEST {
            self.out.notes.push(say!(
                en: "{name}: not opened, for it is an archive in an archive in an archive: unpack the outermost first",
                zh: "{name}：未打开，因为它是第三层压缩文件：请先解压最外层"
            ));
            return Ok(Taken::Whole);
        }
        let (name, renamed) = self.unlike_others(name);
        if let Some(wrong) = wrong {
            let (archive, (en, zh)) = (self.archive, (wrong.en(), wrong.zh()));
            self.out.notes.push(say!(
                en: "{archive}: the name {entry} {en}: it is read as {name}",
                zh: "{archive}：名称 {entry} {zh}：按 {name} 读取",
                entry = entry.name
            ));
        } else if renamed {
            self.note(&say!(
                en: "two entries are called {shown}: one is read as {name}",
                zh: "有两个条目名为 {shown}：其中一个按 {name} 读取"
            ));
        }
        self.has_room_for(entry.size.unwrap_or(0), &name)?;
        let (path, mut file) = self.workspace.new_file()?;
        let mut written = 0;
        let copied = self
            .write(&mut file, &head, &name, &mut written)
            .and_then(|()| match broken {
                Some(_) => Ok(None),
                None => self.copy(from, &mut file, &name, &mut written),
            })
            .and_then(|later| file.flush().map(|()| later));
        drop(file);
        match copied {
            Ok(later) => broken = broken.or(later),
            Err(error) => {
                let _ = std::fs::remove_file(&path);
                self.workspace.unpacked -= written;
                return Err(error);
            }
        }
        if broken.is_none() && short(written) {
            broken = Some(io::ErrorKind::UnexpectedEof.into());
        }
        let notes: Vec<Message> = broken.iter().map(|error| {
            say!(
                en: "Cut or damaged in its archive: the first {written} bytes come out of it ({error}).",
                zh: "在压缩文件中被截断或已损坏：只解压出前 {written} 字节（{error}）。"
            )
        }).collect();
        self.spooled.push(Unpacked {
            name,
            path,
            kind,
            notes,
        });
        Ok(broken.map_or(Taken::Whole, |_| Taken::Partly))
    }

    /// The same for a stream, which is called like its archive.
    pub fn take_stream(&mut self, inner: &str, from: &mut dyn Read) -> io::Result<Taken> {
        self.take(
            &Entry {
                name: inner,
                size: None,
            },
            from,
        )
    }

    /// Reads on and keeps nothing, as the way to the next entry.
    pub fn pass(&mut self, from: &mut dyn Read) -> io::Result<Taken> {
        let mut piece = vec![0; PIECE];
        loop {
            stop::check()?;
            match from.read(&mut piece) {
                Ok(0) => return Ok(Taken::Whole),
                Ok(read) => self.pay(read as u64)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Taken::Lost(error)),
            }
        }
    }

    /// Copies the rest; what stopped the reading, if anything did.
    fn copy(
        &mut self,
        from: &mut dyn Read,
        to: &mut File,
        name: &str,
        written: &mut u64,
    ) -> io::Result<Option<io::Error>> {
        let mut piece = vec![0; PIECE];
        let mut look = LOOK_EVERY;
        loop {
            stop::check()?;
            match from.read(&mut piece) {
                Ok(0) => return Ok(None),
                Ok(read) => self.write(to, &piece[..read], name, written)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Some(error)),
            }
            if *written >= look {
                look += LOOK_EVERY;
                self.has_room_for(0, name)?;
            }
        }
    }

    fn write(
        &mut self,
        to: &mut File,
        bytes: &[u8],
        name: &str,
        written: &mut u64,
    ) -> io::Result<()> {
        let more = bytes.len() as u64;
        self.pay(more)?;
        if self.left() < more {
            return Err(self.too_much(name));
        }
        match to.write_all(bytes) {
            Ok(()) => {
                *written += more;
                self.workspace.unpacked += more;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Err(self.full(name)),
            Err(error) => {
                let place = self.place();
                let place = place.display();
                Err(told(say!(
                    en: "cannot be unpacked to {place}: {error}; set {TEMP} to a folder with more room, or unpack the archive yourself",
                    zh: "无法解压到 {place}：{error}；请将 {TEMP} 设为空间足够的文件夹，或自行解压"
                )))
            }
        }
    }

    /// Takes bytes from what the archive may hold.
    fn pay(&mut self, bytes: u64) -> io::Result<()> {
        match self.budget.checked_sub(bytes) {
            Some(rest) => self.budget = rest,
            None => {
                return Err(told(say!(
                    en: "more comes out of it than {RATIO} times its size: no log is packed so well; unpack it yourself if you trust it",
                    zh: "解压结果超过其大小的 {RATIO} 倍，日志不会有这样的压缩率；如信任该文件，请自行解压"
                )));
            }
        }
        Ok(())
    }

    /// Bytes that may still come out of the archives of the case.
    fn left(&self) -> u64 {
        self.options().most.saturating_sub(self.workspace.unpacked)
    }

    fn has_room_for(&mut self, size: u64, name: &str) -> io::Result<()> {
        if size > self.left() {
            return Err(self.too_much(name));
        }
        let place = self.workspace.folder()?;
        // Where the room is not known, the disk itself will say so.
        match fs4::available_space(place) {
            Ok(free) if free < size.saturating_add(LEFT_FREE) && (size > 0 || free < LEFT_FREE) => {
                Err(self.full(name))
            }
            _ => Ok(()),
        }
    }

    fn too_much(&self, name: &str) -> io::Error {
        let most = indicatif::HumanBytes(self.options().most);
        told(say!(
            en: "{name} is not unpacked: with it more than {most} would come out of the archives; --unpack-limit raises that",
            zh: "{name} 未解压：否则解压总量将超过 {most}；可用 --unpack-limit 提高上限"
        ))
    }

    fn full(&mut self, name: &str) -> io::Error {
        let place = self.place();
        let place = place.display();
        told(say!(
            en: "no space left while unpacking {name} to {place}; set {TEMP} to a folder with more room, or unpack the archive yourself",
            zh: "将 {name} 解压到 {place} 时磁盘空间不足；请将 {TEMP} 设为空间足够的文件夹，或自行解压"
        ))
    }

    /// Where files go, for people.
    fn place(&mut self) -> PathBuf {
        let folder = self.workspace.folder().ok().and_then(Path::parent);
        folder.map_or_else(std::env::temp_dir, Path::to_owned)
    }

    /// A name that no other entry has; whether it is another than `name`.
    fn unlike_others(&mut self, name: String) -> (String, bool) {
        if self.names.insert(name.clone()) {
            return (name, false);
        }
        let (stem, ending) = match name.rsplit_once('.') {
            Some((stem, ending)) if !ending.contains('/') => (stem, format!(".{ending}")),
            _ => (name.as_str(), String::new()),
        };
        let mut number = 2_u64;
        loop {
            let other = format!("{stem} ({number}){ending}");
            if self.names.insert(other.clone()) {
                return (other, true);
            }
            number += 1;
        }
    }
}
