//! Images that lie, were cut off, or are not there.

use std::fs;

use super::{SERVER, model};
use crate::harness::images::Images;
use crate::harness::registry::Distribution;
use crate::harness::{Login, Sandbox};

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
    sandbox.write("yard/none.tar", vec![b'x'; 2000]);
    sandbox.write("yard/zipped.tar", b"\x1f\x8b\x08\0\0");
    for (place, code, said) in [
        (
            format!("image:{}/a/b:1.0.0", open.host()),
            2,
            "is not there",
        ),
        (format!("image:{}/a/b", closed.host()), 2, "wants a login"),
        (
            "image:fraud:1.0.0".to_owned(),
            2,
            "has to begin with a registry's host",
        ),
        ("image:./nowhere.tar".to_owned(), 2, "nowhere.tar"),
        ("image:none.tar".to_owned(), 2, "there is no entry of a tar"),
        ("image:zipped.tar".to_owned(), 2, "decompress it first"),
    ] {
        let outcome = yard.import([&place]).run();
        assert_eq!(outcome.code, Some(code), "{}", outcome.report());
        outcome.says(said);
    }
    assert_eq!(yard.refs(), refs);
}

#[test]
fn layers_that_lie_and_archives_that_were_cut_off_are_refused() {
    let sandbox = Sandbox::new();
    let (yard, images) = (sandbox.yard(), Images::new(&sandbox));
    let registry = Distribution::start();
    model(&sandbox);
    images.build("localhost/fraud:1.2.0", SERVER);
    let reference = format!("{}/serve/fraud:1.2.0", registry.host());
    images.push("localhost/fraud:1.2.0", &reference);
    let manifest = sandbox
        .tool("crane", ["manifest", &reference])
        .run()
        .success()
        .json();
    let refs = yard.refs();
    let refused = |place: &str, said: &str| {
        let outcome = yard.import([place]).run();
        assert_eq!(outcome.code, Some(2), "{place}: {}", outcome.report());
        outcome.says(said);
        assert_eq!(yard.refs(), refs);
    };
    let file = registry.blob(manifest["layers"][0]["digest"].as_str().unwrap());
    let bytes = fs::read(&file).unwrap();
    let mut changed = bytes.clone();
    changed[bytes.len() / 2] ^= 1;
    let place = format!("image:{reference}");
    fs::write(&file, &changed).unwrap();
    refused(&place, "are not the ones that were asked for");
    fs::write(&file, &bytes[..bytes.len() - 10]).unwrap();
    refused(&place, "were expected");
    fs::write(&file, &bytes).unwrap();

    for format in ["docker-archive", "oci-archive"] {
        let flag = format!("--format={format}");
        let words = [
            "save",
            "--quiet",
            &flag,
            "--output",
            "saved.tar",
            "localhost/fraud:1.2.0",
        ];
        images.podman(words).success();
        let whole = fs::read(sandbox.path("saved.tar")).unwrap();
        let place = format!("image:{}", sandbox.path("saved.tar").display());
        sandbox.write("saved.tar", &whole[..whole.len() / 2]);
        refused(&place, "saved.tar");
        // One byte of the model, wherever it lies.
        if format == "docker-archive" {
            let needle = b"# Fraud\n";
            let at = whole
                .windows(needle.len())
                .position(|part| part == needle)
                .unwrap();
            let mut changed = whole.clone();
            changed[at] = b'!';
            sandbox.write("saved.tar", changed);
            refused(&place, "are not the ones that were asked for");
        }
        fs::remove_file(sandbox.path("saved.tar")).unwrap();
    }
    yard.import([&*place]).run().success();
}

#[test]
fn a_layer_that_is_a_bomb_does_not_go_off() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let registry = Distribution::start();
    // Half a gigabyte of zeros: no tar, and never looked at as one to its end.
    let mut zeros = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    sandbox.write("context/zeros", "");
    let words = ["-cf", "small.tar", "-C", "context", "zeros"];
    sandbox.program("tar", words).run().success();
    let mut header = fs::read(sandbox.path("small.tar")).unwrap()[..512].to_vec();
    header[124..135].copy_from_slice(b"04000000000");
    let sum = header.iter().enumerate().map(|(at, byte)| match at {
        148..156 => 32,
        _ => u32::from(*byte),
    });
    let sum = format!("{:06o}\0 ", sum.sum::<u32>());
    header[148..156].copy_from_slice(sum.as_bytes());
    std::io::Write::write_all(&mut zeros, &header).unwrap();
    for _ in 0..512 {
        std::io::Write::write_all(&mut zeros, &[0; 1 << 20]).unwrap();
    }
    sandbox.write("bomb", zeros.finish().unwrap());
    sandbox.write(
        "config.json",
        "{\"architecture\": \"amd64\", \"os\": \"linux\"}",
    );
    let reference = format!("{}/serve/bomb:1.0.0", registry.host());
    let words = [
        "push",
        "--plain-http",
        &reference,
        "--config=config.json:application/vnd.oci.image.config.v1+json",
        "bomb:application/vnd.oci.image.layer.v1.tar+gzip",
    ];
    sandbox.tool("oras", words).run().success();
    let outcome = yard.import([format!("image:{reference}")]).run().exits(2);
    outcome.says("bytes when it is decompressed");
}

#[test]
fn one_of_several_images_of_an_archive_is_named_by_its_tag() {
    let sandbox = Sandbox::new();
    let (yard, images) = (sandbox.yard(), Images::new(&sandbox));
    model(&sandbox);
    images.build("localhost/fraud:1.2.0", SERVER);
    images.build("localhost/fraud:1.3.0", &format!("{SERVER}USER 1000\n"));
    let words = [
        "save",
        "--quiet",
        "--multi-image-archive",
        "--output",
        "saved.tar",
        "localhost/fraud:1.2.0",
        "localhost/fraud:1.3.0",
    ];
    images.podman(words).success();
    let place = format!("image:{}", sandbox.path("saved.tar").display());
    let outcome = yard.import([&*place]).run().exits(2);
    outcome.says("it has 2 images: name one by its tag");
    let one = format!("{place}:1.3.0");
    let outcome = yard.import([&*one, "--name=one"]).run().success();
    outcome.prints("imported  vision/fraud:1.3.0");
    let record = yard.show("import/one", "models/vision/fraud/versions/1.3.0.yaml");
    assert!(record.contains("image.user: \"1000\""), "{record}");
}
