//! From an archive that comes over the wire to files in a folder.
//!
//! The archive is a stranger's, and so: a path that climbs, is absolute or means another place on
//! another system is refused, and with it the archive; a link becomes a copy of what it leads to,
//! and one that leads out of the archive is refused; what a few bytes are decompressed to is
//! bounded. Files are written below one folder and nowhere else, and nothing but files is.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::tar::{Entry, Input, Kind, Tar, TarError};
use super::{ImportError, MAX_FILES};
use crate::artifact::pack::{Claims, FilePath, UnpackError};
use crate::platform::atomic::{self, FileError};

/// How many times its own size an archive may be decompressed to. Weights don't become a tenth by
/// compression, and text a hundredth.
const MAX_EXPANSION: u64 = 100;

/// What any archive may be decompressed to, however small it is.
const SMALL_BYTES: u64 = 256 << 20;

/// How an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// A tar on its way.
pub(super) struct Archive<'a> {
    /// What errors call it.
    pub place: String,
    /// How it is compressed.
    pub compression: Compression,
    /// How many bytes it has as it comes.
    pub size_bytes: u64,
    /// Its bytes.
    pub input: &'a mut dyn Read,
}

impl<'a> Archive<'a> {
    /// Goes through its entries; `each` may read the content of the one that it is given.
    ///
    /// # Errors
    /// [`ImportError`] if it can't be read to its end, and what `each` fails with.
    pub(super) fn each(
        self,
        mut each: impl FnMut(&Entry, &mut dyn Read) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let limit_bytes = self
            .size_bytes
            .saturating_mul(MAX_EXPANSION)
            .max(SMALL_BYTES);
        let place = self.place;
        let decompressed: Box<dyn Read + 'a> = match self.compression {
            Compression::None => Box::new(self.input),
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(self.input)),
            Compression::Zstd => {
                let decoder = zstd::stream::read::Decoder::new(self.input);
                Box::new(decoder.map_err(|error| unreadable(&place, &error.into()))?)
            }
        };
        let over = Cell::new(false);
        let mut tar = Tar::new(Bounded {
            input: decompressed,
            left: limit_bytes,
            over: &over,
        });
        let mut go = || {
            while let Some(entry) = tar.next().map_err(|error| unreadable(&place, &error))? {
                each(&entry, &mut tar)?;
            }
            Ok(())
        };
        match go() {
            Err(_) if over.get() => Err(ImportError::TooLarge {
                place: place.clone(),
                limit: limit_bytes,
                unit: "bytes when it is decompressed",
            }),
            gone => gone,
        }
    }

    /// Writes all of its files to their paths below `folder`.
    ///
    /// # Errors
    /// [`ImportError`] as [`Self::each`], and for an entry that can be in no artifact, or more than
    /// [`MAX_FILES`] of them.
    pub(super) fn unpack(self, folder: &Path) -> Result<(), ImportError> {
        let place = self.place.clone();
        let refused = |source| ImportError::Unpack {
            place: place.clone(),
            source,
        };
        let mut claims = Claims::default();
        let mut links = Vec::new();
        let mut count = 0;
        self.each(|entry, content| {
            if entry.kind == Kind::Folder {
                return Ok(());
            }
            count += 1;
            if count > MAX_FILES {
                return Err(ImportError::TooLarge {
                    place: place.clone(),
                    limit: MAX_FILES as u64,
                    unit: "files",
                });
            }
            let path = file_path(&place, &entry.path)?;
            claims
                .claim(&path)
                .map_err(|clash| refused(UnpackError::Clash(clash)))?;
            match &entry.kind {
                Kind::File => write(&place, content, &path, folder),
                Kind::HardLink(to) => {
                    links.push((path, Some(plain(to).to_owned())));
                    Ok(())
                }
                Kind::SymbolicLink(to) => {
                    let to = beside(path.as_str(), to);
                    links.push((path, to));
                    Ok(())
                }
                Kind::Special | Kind::Folder => Err(malformed(
                    &place,
                    &format!("`{}` is a device or a pipe", entry.path.escape_debug()),
                )),
            }
        })?;
        follow(&place, links, folder)
    }
}

/// Makes a copy of what each link leads to, a link to a link among them.
fn follow(
    place: &str,
    mut links: Vec<(FilePath, Option<String>)>,
    folder: &Path,
) -> Result<(), ImportError> {
    while !links.is_empty() {
        let before = links.len();
        let mut waiting = Vec::new();
        for (path, to) in links {
            let target = to.as_deref().and_then(|to| to.parse::<FilePath>().ok());
            let found = target.map(|target| target.below(folder));
            match found.filter(|found| found.is_file()) {
                Some(found) => {
                    let copy = path.below(folder);
                    if let Some(folder) = copy.parent() {
                        atomic::create_folder(folder)?;
                    }
                    fs::hard_link(&found, &copy).map_err(FileError::at("write", &copy))?;
                }
                None => waiting.push((path, to)),
            }
        }
        if waiting.len() == before {
            let (path, _) = &waiting[0];
            let reason = format!("the link `{path}` leads to no file in it");
            return Err(malformed(place, &reason));
        }
        links = waiting;
    }
    Ok(())
}

/// Writes `content` to `path` below `folder`, which has no such file yet.
///
/// # Errors
/// If it can't be read to its end or written.
pub(super) fn write(
    place: &str,
    content: &mut dyn Read,
    path: &FilePath,
    folder: &Path,
) -> Result<(), ImportError> {
    let path = path.below(folder);
    if let Some(folder) = path.parent() {
        atomic::create_folder(folder)?;
    }
    let opened = File::options().write(true).create_new(true).open(&path);
    let mut file = opened.map_err(FileError::at("write", &path))?;
    let mut chunk = vec![0; 128 << 10];
    loop {
        let length = content
            .read(&mut chunk)
            .map_err(|error| unreadable(place, &error.into()))?;
        if length == 0 {
            return Ok(());
        }
        io::Write::write_all(&mut file, &chunk[..length]).map_err(FileError::at("write", &path))?;
    }
}

fn file_path(place: &str, text: &str) -> Result<FilePath, ImportError> {
    if text.contains(char::REPLACEMENT_CHARACTER) {
        let reason = format!("the name `{}` is not UTF-8", text.escape_debug());
        return Err(malformed(place, &reason));
    }
    plain(text).parse().map_err(|source| ImportError::Unpack {
        place: place.to_owned(),
        source: UnpackError::Entry { source },
    })
}

/// `./a/` as `a`.
pub(super) fn plain(path: &str) -> &str {
    let path = path.strip_prefix("./").unwrap_or(path);
    path.trim_end_matches('/')
}

/// What a link at `path` that says `to` leads to, both from the archive's root; `None` where it
/// leads out.
pub(super) fn beside(path: &str, to: &str) -> Option<String> {
    if to.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn unreadable(place: &str, error: &TarError) -> ImportError {
    malformed(place, &error.to_string())
}

fn malformed(place: &str, reason: &str) -> ImportError {
    ImportError::Malformed {
        place: place.to_owned(),
        reason: reason.to_owned(),
    }
}

/// A reader that fails, and says so, when more comes than may.
struct Bounded<'a, R> {
    input: R,
    left: u64,
    over: &'a Cell<bool>,
}

impl<R: Read> Input for Bounded<'_, R> {}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        let Some(left) = self.left.checked_sub(length as u64) else {
            self.over.set(true);
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        self.left = left;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    //! What is written, and what is refused with nothing written elsewhere.

    use std::io::Write;

    use super::*;
    use crate::import::tar::writing::Writing;
    use crate::record::Fault;

    fn unpack(bytes: &[u8], compression: Compression) -> Result<Vec<String>, String> {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("in");
        fs::create_dir(&folder).unwrap();
        let mut input = bytes;
        let archive = Archive {
            place: "layer 1".to_owned(),
            compression,
            size_bytes: bytes.len() as u64,
            input: &mut input,
        };
        let unpacked = archive.unpack(&folder).map_err(|error| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let source = source.map(|source| format!(": {source}"));
            format!("{}: {error}{}", error.code(), source.unwrap_or_default())
        });
        assert_eq!(fs::read_dir(above.path()).unwrap().count(), 1);
        unpacked?;
        let mut files = Vec::new();
        for entry in walkdir::WalkDir::new(&folder).sort_by_file_name() {
            let entry = entry.unwrap();
            assert!(!entry.path_is_symlink());
            if entry.file_type().is_file() {
                let path = entry.path().strip_prefix(&folder).unwrap();
                let content = fs::read_to_string(entry.path()).unwrap();
                files.push(format!("{}={content}", path.display()));
            }
        }
        Ok(files)
    }

    fn some() -> Writing {
        Writing::new()
            .folder("./models/")
            .file("./models/a", b"1")
            .file("b", b"2")
    }

    #[test]
    fn files_come_out_however_they_were_compressed() {
        let tar = some().end();
        let expected = ["b=2", "models/a=1"];
        assert_eq!(unpack(&tar, Compression::None).unwrap(), expected);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&tar).unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(unpack(&gzip, Compression::Gzip).unwrap(), expected);
        let zstd = zstd::stream::encode_all(tar.as_slice(), 1).unwrap();
        assert_eq!(unpack(&zstd, Compression::Zstd).unwrap(), expected);
        for compression in [Compression::Gzip, Compression::Zstd] {
            let refused = unpack(&tar, compression).unwrap_err();
            assert!(
                refused.starts_with("source-malformed: layer 1"),
                "{refused}"
            );
        }
        let refused = unpack(&gzip[..gzip.len() / 2], Compression::Gzip).unwrap_err();
        assert!(refused.starts_with("source-malformed"), "{refused}");
    }

    #[test]
    fn links_become_what_they_lead_to() {
        let tar = some()
            .symbolic_link("models/first", "second")
            .symbolic_link("models/second", "../b")
            .hard_link("c", "./models/a")
            .end();
        assert_eq!(
            unpack(&tar, Compression::None).unwrap(),
            [
                "b=2",
                "c=1",
                "models/a=1",
                "models/first=2",
                "models/second=2"
            ]
        );
    }

    #[test]
    fn what_would_be_elsewhere_is_refused() {
        let refused = |tar: Writing| unpack(&tar.end(), Compression::None).unwrap_err();
        insta::assert_snapshot!(refused(some().file("../evil", b"x")), @"unsafe-path: layer 1 can't be unpacked: a file in it has no safe path");
        insta::assert_snapshot!(refused(some().file("/etc/evil", b"x")), @"unsafe-path: layer 1 can't be unpacked: a file in it has no safe path");
        insta::assert_snapshot!(refused(some().file("b", b"x")), @"paths-clash: layer 1 can't be unpacked: two of the artifact's files can't be in one folder");
        insta::assert_snapshot!(refused(some().symbolic_link("l", "/etc/passwd")), @"source-malformed: layer 1 can't be read: the link `l` leads to no file in it");
        insta::assert_snapshot!(refused(some().symbolic_link("l", "../../etc/passwd")), @"source-malformed: layer 1 can't be read: the link `l` leads to no file in it");
        insta::assert_snapshot!(refused(some().symbolic_link("l", "l")), @"source-malformed: layer 1 can't be read: the link `l` leads to no file in it");
        insta::assert_snapshot!(refused(some().hard_link("l", "../secret")), @"source-malformed: layer 1 can't be read: the link `l` leads to no file in it");
        insta::assert_snapshot!(refused(some().device("null")), @"source-malformed: layer 1 can't be read: `null` is a device or a pipe");
        // A link to a folder, and a file below it, would be a way out.
        let through = some().symbolic_link("out", "/tmp").file("out/evil", b"x");
        insta::assert_snapshot!(refused(through), @"paths-clash: layer 1 can't be unpacked: two of the artifact's files can't be in one folder");
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let begin = Writing::new().sized("zeros", 1 << 33, b"").end();
        gzip.write_all(&begin[..512]).unwrap();
        let zeros = vec![0; 1 << 20];
        for _ in 0..300 {
            gzip.write_all(&zeros).unwrap();
        }
        let bomb = gzip.finish().unwrap();
        let mut input = bomb.as_slice();
        let archive = Archive {
            place: "layer 1".to_owned(),
            compression: Compression::Gzip,
            size_bytes: bomb.len() as u64,
            input: &mut input,
        };
        let refused = archive.unpack(tempfile::tempdir().unwrap().path());
        assert!(
            matches!(refused, Err(ImportError::TooLarge { .. })),
            "{refused:?}"
        );
    }
}
