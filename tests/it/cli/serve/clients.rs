//! Clients that other people wrote for the Open Inference Protocol.

use super::stage::Stage;
use crate::harness::Sandbox;

#[test]
fn tritons_client_is_answered_by_json_and_by_raw_bytes() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("");
    stage.serve();
    stage.serves("1.0.0");
    let url = stage.url();
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    let script = sandbox.write("ask.py", include_str!("ask.py"));
    let request = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/digits/1.0.0/requests/all-ten-at-once.json"
    );
    let words = [script.to_str().unwrap(), address, request];
    let told = sandbox.tool("clients-python", words).run().success();
    assert_eq!(
        told.stdout,
        "json 0 1 2 3 4 5 6 7 8 9\nraw 0 1 2 3 4 5 6 7 8 9\n"
    );
}
