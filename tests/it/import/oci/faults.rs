//! References that lead nowhere, registries that lie, archives that were made to do harm.

use std::fs;

use flate2::write::GzEncoder;

use super::{files, push_kit};
use crate::harness::registry::Distribution;
use crate::harness::{Login, Sandbox};

const TAR: &str = "application/vnd.cncf.model.weight.v1.tar";

#[test]
fn what_is_not_there_or_not_for_us_is_told_and_changes_nothing() {
    let sandbox = Sandbox::new();
    let login = Login::new("tester", "correct horse");
    let (open, closed) = (
        Distribution::start(),
        Distribution::builder().basic(&login).start(),
    );
    let yard = sandbox.yard();
    let refs = yard.refs();
    for (place, code, said) in [
        (format!("oci:{}/a/b:1.0.0", open.host()), 2, "is not there"),
        (format!("oci:{}/a/b", open.host()), 2, "has no tag"),
        (
            format!("oci:{}/a/b:1.0.0", closed.host()),
            2,
            "wants a login",
        ),
        (
            "oci:fraud:1.0.0".to_owned(),
            2,
            "has to begin with a registry's host",
        ),
        ("oci:127.0.0.1:1/a/b:1.0.0".to_owned(), 3, "can't reach"),
        ("oci:./nowhere:1.0.0".to_owned(), 2, "nowhere"),
    ] {
        let outcome = yard.import([&place]).run();
        assert_eq!(outcome.code, Some(code), "{}", outcome.report());
        outcome.says(said);
    }
    assert_eq!(yard.refs(), refs);
}

#[test]
fn a_layer_that_is_not_what_the_manifest_says_is_refused() {
    let sandbox = Sandbox::new();
    let registry = Distribution::start();
    let yard = sandbox.yard();
    files(&sandbox);
    let reference = format!("{}/kits/fraud:1.2.0", registry.host());
    push_kit(&sandbox, &reference);
    let manifest = sandbox
        .tool("crane", ["manifest", &reference])
        .run()
        .success()
        .json();
    let place = format!("oci:{reference}");
    for (layer, change) in [(0, false), (0, true)] {
        let digest = manifest["layers"][layer]["digest"].as_str().unwrap();
        let file = registry.blob(digest);
        let bytes = fs::read(&file).unwrap();
        let (changed, code) = match change {
            // Another size, or one bit in the midst of it.
            false => (bytes[..bytes.len() / 2].to_vec(), "size-mismatch"),
            true => {
                let mut changed = bytes.clone();
                changed[bytes.len() / 2] ^= 1;
                (changed, "digest-mismatch")
            }
        };
        fs::write(&file, changed).unwrap();
        let outcome = yard.import([&*place, "-o", "json"]).run();
        assert_eq!(outcome.code, Some(1), "{}", outcome.report());
        let told = outcome.json();
        assert_eq!(told[0]["refused"][0]["code"], code, "{told}");
        fs::write(&file, bytes).unwrap();
    }
    // Nothing of it was kept: as soon as it is whole, it is brought.
    yard.import([&*place]).run().success();
}

#[test]
fn archives_that_were_made_to_do_harm_are_refused() {
    let sandbox = Sandbox::new();
    let registry = Distribution::start();
    let yard = sandbox.yard();
    sandbox.write("evil/model.bin", b"\0weights");
    let packed = |sandbox: &Sandbox, words: &[&str]| {
        let fixed = ["-cPf", "evil.tar", "-C", "evil"];
        let fixed = fixed.iter().chain(words);
        sandbox.program("tar", fixed).run().success();
    };
    let refused = |name: &str, media_type: &str, code: &str| {
        let reference = format!("{}/evil/{name}:1.0.0", registry.host());
        let layer = format!("evil.tar:{media_type}");
        let words = ["push", "--plain-http", &reference, &layer];
        sandbox.tool("oras", words).run().success();
        let place = format!("oci:{reference}");
        let outcome = yard.import([&*place, "-o", "json"]).run();
        assert_eq!(outcome.code, Some(1), "{name}: {}", outcome.report());
        let told = outcome.json();
        assert_eq!(told[0]["refused"][0]["code"], code, "{name}: {told}");
    };
    packed(&sandbox, &["--transform=s,^,../../,", "model.bin"]);
    refused("climbs", TAR, "unsafe-path");
    packed(&sandbox, &["--transform=s,^,/tmp/,", "model.bin"]);
    refused("absolute", TAR, "unsafe-path");
    packed(&sandbox, &["model.bin", "model.bin"]);
    refused("twice", TAR, "paths-clash");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/etc/passwd", sandbox.path("evil/out")).unwrap();
        packed(&sandbox, &["out"]);
        refused("leads-out", TAR, "source-malformed");
    }
    packed(&sandbox, &["model.bin"]);
    let tar = fs::read(sandbox.path("evil.tar")).unwrap();
    sandbox.write("evil.tar", &tar[..515]);
    refused("cut-off", TAR, "source-malformed");
    sandbox.write("evil.tar", &tar);
    refused("no-gzip", &format!("{TAR}+gzip"), "source-malformed");

    // Half a gigabyte of zeros in half a megabyte.
    let mut bomb = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut header = tar[..512].to_vec();
    header[124..135].copy_from_slice(b"04000000000");
    let sum: u32 = header
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                u32::from(*byte)
            }
        })
        .sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    std::io::Write::write_all(&mut bomb, &header).unwrap();
    for _ in 0..512 {
        std::io::Write::write_all(&mut bomb, &[0; 1 << 20]).unwrap();
    }
    sandbox.write("evil.tar", bomb.finish().unwrap());
    refused("bomb", &format!("{TAR}+gzip"), "source-too-large");
}
