//! Commands killed before each of their writes leave what was, or what was meant.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::Desk;
use crate::harness::killed_at_every_write;

const TAGGED: &str = "oci-layout:./store/vision/digits:1.0.0";

impl Desk {
    fn copy(&self, from: &str, to: &str) {
        self.sandbox.program("rm", ["-rf", to]).run().success();
        self.sandbox.program("cp", ["-a", from, to]).run().success();
    }
}

#[test]
fn a_killed_sign_takes_nobodys_signature_away_and_is_done_by_signing_again() {
    let desk = Desk::new();
    desk.artifact(TAGGED);
    desk.key("first");
    desk.key("second");
    let sign = |name: &str| desk.modelyard(["sign", "--key", name, TAGGED]);
    let verify = |name: &str| desk.modelyard(["verify", "--key", name, TAGGED]).run();
    sign("first").run().success();
    desk.copy("store", "start");
    let (outcome, writes) = killed_at_every_write(
        &desk.sandbox.path("store"),
        || {
            desk.copy("start", "store");
            sign("second")
        },
        |_| {
            verify("first").success();
            sign("second").run().success();
            let verified = verify("second").success();
            verified.prints("is by second.pub\n");
        },
    );
    outcome.success();
    assert!(writes > 10, "only {writes} writes were seen");
}

#[test]
fn a_killed_generate_leaves_a_whole_key_or_none_and_never_an_open_one() {
    let desk = Desk::new();
    let keys = desk.private("release").parent().unwrap().to_owned();
    fs::create_dir_all(&keys).unwrap();
    let (outcome, writes) = killed_at_every_write(
        &keys,
        || {
            for left in fs::read_dir(&keys).unwrap() {
                fs::remove_file(left.unwrap().path()).unwrap();
            }
            desk.modelyard(["keys", "generate", "release", "--no-yard"])
        },
        |_| {
            if desk.private("release").exists() {
                desk.modelyard(["keys", "show", "release"]).run().success();
            } else {
                let again = desk.modelyard(["keys", "generate", "release", "--no-yard"]);
                again.run().success();
            }
            for file in fs::read_dir(&keys).unwrap() {
                let path = file.unwrap().path();
                let text = fs::read_to_string(&path).unwrap();
                assert!(!text.contains("BEGIN PRIVATE KEY"), "{}", path.display());
                let mode = fs::metadata(&path).unwrap().permissions().mode();
                let open = text.contains("PRIVATE KEY") && mode & 0o077 != 0;
                assert!(!open, "{} has mode {mode:o}", path.display());
            }
        },
    );
    outcome.success();
    assert!(writes > 3, "only {writes} writes were seen");
}
