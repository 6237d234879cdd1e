//! Images that are started and asked.

use crate::harness::Sandbox;
use crate::harness::docker::Docker;
use crate::harness::images::{Images, free_port};

/// The archive of an image that these lines build, as a source.
fn saved(sandbox: &Sandbox, images: &Images<'_>, name: &str, lines: &str) -> String {
    let (image, archive) = (format!("localhost/{name}:1.0.0"), format!("{name}.tar"));
    images.build(&image, lines);
    images
        .podman(["save", "--quiet", "--output", &archive, &image])
        .success();
    format!("image:{}", sandbox.path(archive).display())
}

#[test]
fn a_server_that_runs_tells_its_protocol_and_is_ended() {
    let sandbox = Sandbox::new();
    let (yard, images) = (sandbox.yard(), Images::new(&sandbox));
    images.with_server();
    let port = free_port();
    let lines = format!(
        "FROM scratch\nCOPY serve /serve\nENV MODEL_NAME=fraud LISTEN=127.0.0.1:{port}\nEXPOSE {port}\nENTRYPOINT [\"/serve\"]\n"
    );
    let place = saved(&sandbox, &images, "serve", &lines);
    let import = yard.import([&*place, "--probe", "--name=serve"]);
    let outcome = images.know(import).run().success();
    outcome.prints("it speaks the Open Inference Protocol (V2)");
    let record = yard.show("import/serve", "models/vision/serve/versions/1.0.0.yaml");
    for said in [
        "probe.protocol: open-inference",
        "probe.server: model-server",
        "- name: x\n      datatype: FP32\n      shape: [-1, 4]",
        "- name: label\n      datatype: INT64\n      shape: [-1]",
    ] {
        assert!(record.contains(said), "{said}: {record}");
    }
    assert_eq!(
        images.podman(["ps", "--all", "--quiet"]).success().stdout,
        ""
    );
}

#[test]
fn docker_asks_as_podman_does() {
    let sandbox = Sandbox::new();
    let (yard, images, docker) = (sandbox.yard(), Images::new(&sandbox), Docker::start());
    images.with_server();
    let lines = "FROM scratch\nCOPY serve /serve\nENV MODEL_NAME=fraud LISTEN=0.0.0.0:8080\nEXPOSE 8080\nENTRYPOINT [\"/serve\"]\n";
    let ends = format!("{}ENV FAIL=no-license\n", lines);
    let import = |name: &str, lines: &str| {
        let place = saved(&sandbox, &images, name, lines);
        let name = format!("--name={name}");
        let import = yard.import([&*place, "--probe", &name]);
        let import = import.env("MODELYARD_CONTAINER_ENGINE", "docker");
        docker.know(import).run().success()
    };
    import("serve", lines).prints("it speaks the Open Inference Protocol (V2)");
    import("ends", &ends)
        .prints("its protocol was not recognised: it ended by itself with 1")
        .prints("no-license");
    // Neither a container nor an image is left.
    for words in [&["ps", "--all", "--quiet"][..], &["images", "--quiet"]] {
        let left = docker.docker(&sandbox, words.iter().copied());
        assert_eq!(left.success().stdout, "");
    }
}

#[test]
fn one_that_ends_by_itself_is_told_with_its_last_words() {
    let sandbox = Sandbox::new();
    let (yard, images) = (sandbox.yard(), Images::new(&sandbox));
    images.with_server();
    let lines = "FROM scratch\nCOPY serve /serve\nENV FAIL=no-license\nENTRYPOINT [\"/serve\"]\n";
    let place = saved(&sandbox, &images, "serve", lines);
    let import = yard.import([&*place, "--probe", "--name=serve"]);
    let outcome = images.know(import).run().success();
    outcome
        .prints("its protocol was not recognised: it ended by itself with 1")
        .prints("no-license");
    assert_eq!(
        images.podman(["ps", "--all", "--quiet"]).success().stdout,
        ""
    );

    // Without an engine nothing is imported.
    let import = yard.import([&*place, "--probe", "--name=other"]);
    let none = import
        .env("MODELYARD_CONTAINER_ENGINE", "/nowhere/podman")
        .run();
    assert_eq!(none.code, Some(2), "{}", none.report());
    none.says("/nowhere/podman");
}
