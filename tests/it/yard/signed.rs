//! Commits signed as git is set up to sign them, verified by git.

use super::story::Story;

const SET: &str = "set vision/digits title=Numbers";
const BRANCH: &str = "set/vision/digits/model";

#[test]
fn an_ssh_key_signs() {
    let story = Story::local();
    let key = story.sandbox.path("id_ed25519");
    let key = key.to_str().unwrap();
    let made = ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key];
    story.sandbox.program("ssh-keygen", made).run().success();
    let public = story.sandbox.read("id_ed25519.pub");
    story
        .sandbox
        .write("signers", format!("test@example.com {public}"));
    for (name, value) in [
        ("commit.gpgSign", "true"),
        ("gpg.format", "ssh"),
        ("user.signingKey", &format!("{key}.pub")),
        (
            "gpg.ssh.allowedSignersFile",
            story.sandbox.path("signers").to_str().unwrap(),
        ),
    ] {
        story.git(&format!("config {name} {value}"));
    }
    story.json(SET);
    let run = story
        .sandbox
        .git(["verify-commit", BRANCH])
        .in_folder("yard")
        .run();
    run.success()
        .says("Good \"git\" signature for test@example.com");
}

#[test]
fn gnupg_signs() {
    let story = Story::local();
    let home = story.sandbox.path("gnupg");
    std::fs::create_dir(&home).unwrap();
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let made = [
        "--batch",
        "--passphrase",
        "",
        "--quick-generate-key",
        "Yard Test <test@example.com>",
        "ed25519",
        "sign",
    ];
    story
        .sandbox
        .program("gpg", made)
        .env("GNUPGHOME", &home)
        .run()
        .success();
    story.git("config commit.gpgSign true");
    story.modelyard(SET).env("GNUPGHOME", &home).run().success();
    let run = story
        .sandbox
        .git(["verify-commit", BRANCH])
        .in_folder("yard");
    run.env("GNUPGHOME", &home)
        .run()
        .success()
        .says("Good signature from \"Yard Test <test@example.com>\"");
    let stop = story.sandbox.program("gpgconf", ["--kill", "gpg-agent"]);
    stop.env("GNUPGHOME", &home).run().success();
}
