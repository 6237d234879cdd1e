//! Files that don't compress, and what they are.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use modelyard::record::Digest;
use sha2::{Digest as _, Sha256};

use crate::harness::Sandbox;

pub(crate) const NAMES: [&str; 4] = ["one.bin", "two.bin", "three.bin", "four.bin"];

const EACH_MIB: usize = 256;

/// Makes the four, and gives their digests.
pub(crate) fn four(sandbox: &Sandbox) -> Vec<Digest> {
    let folder = sandbox.path("files");
    fs::create_dir(&folder).expect("a fresh sandbox can be filled");
    let seeds = NAMES.iter().zip(1_u64..);
    seeds
        .map(|(name, seed)| {
            let path = folder.join(name);
            noise(&path, seed);
            digest(&path)
        })
        .collect()
}

/// Panics unless the pulled files are the four.
pub(crate) fn are(sandbox: &Sandbox, expected: &[Digest]) {
    for (name, expected) in NAMES.iter().zip(expected) {
        let path = sandbox.path("pulled").join(name);
        assert_eq!(digest(&path), *expected, "{name} is another one");
    }
}

/// Numbers that no compression makes smaller (splitmix64).
fn noise(path: &Path, seed: u64) {
    let mut file = BufWriter::new(File::create(path).expect("a fresh folder can be filled"));
    let mut state = seed;
    for _ in 0..EACH_MIB * 1024 * 1024 / 8 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bytes = (mixed ^ (mixed >> 31)).to_le_bytes();
        file.write_all(&bytes).expect("the disk has room");
    }
    file.flush().expect("the disk has room");
}

fn digest(path: &Path) -> Digest {
    let mut file = File::open(path).expect("the file is there");
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; 1 << 20];
    loop {
        match file.read(&mut chunk).expect("the file can be read") {
            0 => return Digest::from_bytes(hasher.finalize().into()),
            length => hasher.update(&chunk[..length]),
        }
    }
}
