//! Images that are copied into the yard's registry.

use super::{SERVER, model};
use crate::harness::Sandbox;
use crate::harness::images::Images;
use crate::harness::registry::{Distribution, Referrers};

#[test]
fn podman_pulls_an_image_that_was_copied() {
    let sandbox = Sandbox::new();
    let images = Images::new(&sandbox);
    let (theirs, ours) = (Distribution::start(), Referrers::start());
    model(&sandbox);
    images.build("localhost/fraud:1.2.0", SERVER);
    let reference = format!("{}/serve/fraud:1.2.0", theirs.host());
    images.push_as("v2s2", "localhost/fraud:1.2.0", &reference);
    images
        .podman([
            "save",
            "--quiet",
            "--output",
            "saved.tar",
            "localhost/fraud:1.2.0",
        ])
        .success();
    let yard = sandbox.yard();
    let store = format!(
        "apiVersion: modelyard.dev/v1\nkind: Yard\nmetadata: {{name: acme}}\nspec:\n  stores:\n    - {{name: main, repository: \"{}/models\"}}\n",
        ours.host()
    );
    yard.write("modelyard.yaml", &store);
    yard.commit("A registry");
    for (place, name) in [
        (format!("image:{reference}"), "copied"),
        (
            format!("image:{}", sandbox.path("saved.tar").display()),
            "saved",
        ),
    ] {
        let words = [
            place,
            "--copy".to_owned(),
            format!("--name={name}"),
            format!("--as=vision/{name}:1.2.0"),
        ];
        yard.import(words).run().success();
        let record = yard.show(
            &format!("import/{name}"),
            &format!("models/vision/{name}/versions/1.2.0.yaml"),
        );
        let (_, image) = record.split_once("images:\n").unwrap();
        let digest = &image[image.find("sha256:").unwrap()..][..71];
        assert!(image.contains("purpose: server"), "{record}");
        let repository = format!("{}/models/vision/{name}", ours.host());
        assert!(image.contains(&repository), "{record}");
        let copied = format!("{repository}@{digest}");
        images
            .podman(["pull", "--quiet", "--tls-verify=false", &copied])
            .success();
        let format = "--format={{.Config.Entrypoint}} {{.Config.Env}} {{.RootFS.Layers}}";
        let told = |name: &str| {
            images
                .podman(["image", "inspect", format, name])
                .success()
                .stdout
        };
        assert_eq!(told(&copied), told("localhost/fraud:1.2.0"));
        // The version's own tag is the model's artifact, and no other tag reads as a version.
        let tags = sandbox.tool("crane", ["ls", &repository]).run().success();
        assert_eq!(tags.stdout, "1.2.0\nimage-1.2.0\n");
    }
    // The one from the registry kept its digest.
    let record = yard.show("import/copied", "models/vision/copied/versions/1.2.0.yaml");
    let digest = sandbox
        .tool("crane", ["digest", &reference])
        .run()
        .success();
    assert!(
        record.contains(&format!("digest: {}\n", digest.line())),
        "{record}"
    );
}

#[test]
fn an_image_of_several_platforms_is_copied_whole() {
    let sandbox = Sandbox::new();
    let (yard, images) = (sandbox.yard(), Images::new(&sandbox));
    let registry = Distribution::start();
    model(&sandbox);
    sandbox.write("context/Dockerfile", SERVER);
    for platform in ["linux/amd64", "linux/arm64"] {
        let platform = format!("--platform={platform}");
        let words = [
            "bud",
            "--quiet",
            "--isolation=chroot",
            "--manifest=localhost/fraud:1.2.0",
            &platform,
            "context",
        ];
        images.buildah(words).success();
    }
    let reference = format!("{}/serve/fraud:1.2.0", registry.host());
    let to = format!("docker://{reference}");
    let words = [
        "manifest",
        "push",
        "--all",
        "--tls-verify=false",
        "localhost/fraud:1.2.0",
        &to,
    ];
    images.buildah(words).success();
    let place = format!("image:{reference}");
    let outcome = yard
        .import([&*place, "--copy", "--name=all"])
        .run()
        .success();
    outcome.prints("imported  vision/fraud:1.2.0");
    let digest = sandbox
        .tool("crane", ["digest", &reference])
        .run()
        .success();
    let record = yard.show("import/all", "models/vision/fraud/versions/1.2.0.yaml");
    assert!(
        record.contains(&format!("digest: {}\n", digest.line())),
        "{record}"
    );

    // All of it is there: a registry takes an index whose images it has, and each is whole.
    let layout = format!("{}:image-1.2.0", yard.path("store/vision/fraud").display());
    let copy = format!("{}/copied/fraud:1.2.0", registry.host());
    let words = [
        "copy",
        "--from-oci-layout",
        "--to-plain-http",
        &layout,
        &copy,
    ];
    sandbox.tool("oras", words).run().success();
    let copied = sandbox.tool("crane", ["digest", &copy]).run().success();
    assert_eq!(copied.line(), digest.line());
    let words = ["validate", "--remote", &copy];
    sandbox.tool("crane", words).run().success();
}
