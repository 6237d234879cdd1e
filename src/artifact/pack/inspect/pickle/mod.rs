//! Python pickles, and joblib's: walked and never loaded.
//!
//! A pickle is a program whose opcodes import, call and build. Which names it imports tells what
//! it is ([`Scan::root`], the class of what it leaves) and what it could do ([`danger`]).

mod danger;
mod machine;
mod numpy;
mod scan;
#[cfg(test)]
mod tests;
mod value;

use std::io::{self, Read, Seek};

use self::danger::{is_bytecode, is_danger};
use self::machine::Arrays;
pub(super) use self::scan::Scan;
use self::value::Global;
use super::compressed::Compression;
use super::stream::{Forward, Stream};
use super::told::{Remark, Told, named};
use super::weights;

/// The most bytes of opcodes that are read of a pickle; what they announce is passed over.
const MAX_OPCODE_BYTES: u64 = 256 * 1024 * 1024;
/// How PyTorch's files began before they were zips: a pickle of a number of its own.
const OLD_TORCH: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/// What is known by their modules' names.
const FRAMEWORKS: &[(&str, &str)] = &[
    ("sklearn", "scikit-learn"),
    ("xgboost", "xgboost"),
    ("lightgbm", "lightgbm"),
    ("catboost", "catboost"),
    ("torch", "pytorch"),
    ("tensorflow", "tensorflow"),
    ("keras", "keras"),
    ("statsmodels", "statsmodels"),
    ("prophet", "prophet"),
    ("pmdarima", "pmdarima"),
    ("imblearn", "imbalanced-learn"),
    ("spacy", "spacy"),
    ("fastai", "fastai"),
];

/// What the pickle in `file` is, whose name ends in `extension`.
///
/// # Errors
/// If the file can't be read.
pub(super) fn tell(mut file: impl Read + Seek, extension: &str) -> io::Result<Told> {
    let mut head = Vec::new();
    file.rewind()?;
    (&mut file)
        .take(OLD_TORCH.len() as u64)
        .read_to_end(&mut head)?;
    let compression = Compression::tell(&head);
    let scan = scan_twice(&mut file, compression)?;
    let is_torch = head == OLD_TORCH
        || matches!(extension, "pt" | "pth" | "ckpt" | "bin") && compression.is_none();
    let mut told = if is_torch {
        let mut told = named("pytorch");
        told.framework = Some(("pytorch".to_owned(), None));
        told
    } else if extension == "joblib" || scan.has_arrays {
        // Whoever denies pickles means this, too.
        let mut told = named("joblib");
        told.code.push("joblib");
        told
    } else {
        named("pickle")
    };
    take_over(&scan, &mut told);
    Ok(told)
}

/// What was told of a pickle, as part of what its file is.
pub(super) fn take_over(scan: &Scan, told: &mut Told) {
    told.code.push("pickle");
    if scan.globals.iter().any(is_bytecode) {
        told.code.push("cloudpickle");
    }
    if told.framework.is_none() {
        told.framework = framework(scan);
    }
    if let Some(root) = &scan.root {
        let class = format!("{}.{}", root.module, root.name);
        told.metadata.insert("class".to_owned(), class);
    }
    if let Some(count) = scan.feature_count {
        told.metadata
            .insert("n_features_in_".to_owned(), count.to_string());
    }
    if !scan.has_optimizer {
        for (element, count) in scan.storages.values() {
            weights::add(&mut told.weight_bytes, *element, *count);
        }
    }
    let dangers = scan.globals.iter().filter(|global| is_danger(global));
    let dangers: Vec<_> = dangers
        .map(|global| format!("{}.{}", global.module, global.name))
        .collect();
    if !dangers.is_empty() {
        told.remarks.push(Remark::Dangerous(dangers));
    }
    if scan.unresolved {
        told.remarks.push(Remark::Partly(
            "it imports by names that are not told".to_owned(),
        ));
    }
    if let Some(reason) = &scan.broken {
        told.remarks.push(Remark::Partly(reason.clone()));
    }
}

/// Walks the pickle as `pickle.load` reads it and, if joblib's arrays are in it, as `joblib.load`
/// does: who hides something from the one shows it to the other.
fn scan_twice(file: &mut (impl Read + Seek), compression: Option<Compression>) -> io::Result<Scan> {
    let plain = scan_as(file, compression, Arrays::Unknown)?;
    if !plain.has_arrays {
        return Ok(plain);
    }
    let mut scan = scan_as(file, compression, Arrays::Passed)?;
    scan.globals
        .extend(plain.globals.into_iter().filter(is_danger));
    Ok(scan)
}

fn scan_as(
    file: &mut (impl Read + Seek),
    compression: Option<Compression>,
    arrays: Arrays,
) -> io::Result<Scan> {
    match compression {
        None => {
            let mut stream = Stream::lying(file, 0, MAX_OPCODE_BYTES)?;
            Ok(Scan::walk(&mut stream, arrays))
        }
        Some(compression) => Ok(match compression.inflate(file)? {
            Some(mut stream) => Scan::walk(&mut stream, arrays),
            None => {
                let name = compression.name();
                Scan::unread(format!("what {name} compressed is not looked into"))
            }
        }),
    }
}

/// Walks a pickle that lies in another file, at the beginning of `stream`.
pub(super) fn scan_within<S: Forward>(stream: &mut Stream<S>) -> Scan {
    Scan::walk(stream, Arrays::Unknown)
}

fn framework(scan: &Scan) -> Option<(String, Option<String>)> {
    let known = |global: &Global| {
        let top = global.module.split('.').next()?;
        let (_, framework) = FRAMEWORKS.iter().find(|(module, _)| *module == top)?;
        Some(*framework)
    };
    let of_root = scan.root.as_ref().and_then(known);
    let framework = of_root.or_else(|| scan.globals.iter().find_map(known))?;
    let version = match framework {
        "scikit-learn" => scan.sklearn_version.clone(),
        _ => None,
    };
    Some((framework.to_owned(), version))
}
