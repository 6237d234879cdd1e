//! How registries are talked with, by every command that does.

use std::io::Read as _;
use std::net::TcpListener;
use std::thread;

use crate::harness::{Run, Sandbox};

/// The first byte of a connection in TLS: a handshake's record.
const HANDSHAKE: u8 = 0x16;

/// The first byte that whoever `asks` says to a registry, by its address.
fn first_byte(asks: impl FnOnce(&str) -> Run) -> u8 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let hearing = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut first = [0];
        stream.read_exact(&mut first).unwrap();
        first[0]
    });
    // There is nothing to be had: it only has to ask.
    let ended = asks(&host).run();
    assert_ne!(ended.code, Some(0), "{}", ended.report());
    hearing.join().unwrap()
}

#[test]
fn plain_http_is_what_the_variable_says_for_those_who_publish_and_import() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let files = sandbox.files("files");
    let settings = yard.show("main", "modelyard.yaml");
    // With this machine it is plain, if nothing is said.
    for (variable, is_first) in [
        (
            "MODELYARD_NOTHING",
            u8::is_ascii_uppercase as fn(&u8) -> bool,
        ),
        ("MODELYARD_PLAIN_HTTP", |byte| *byte == HANDSHAKE),
    ] {
        let import = first_byte(|host| {
            let source = format!("oci://{host}/team/x:1.0.0");
            let run = yard.modelyard(["import", &source, "--unsigned"]);
            run.env(variable, "false")
        });
        let publish = first_byte(|host| {
            let store = format!("{host}/team");
            let settings = settings.replace("oci-layout:./store", &store);
            yard.write("modelyard.yaml", &settings);
            yard.commit("A registry");
            let words = ["publish", files.to_str().unwrap(), "--as=vision/x:1.0.0"];
            let more = ["--unsigned", "--title=X", "--owner=vision"];
            let run = yard.modelyard(words.into_iter().chain(more));
            run.env(variable, "false")
        });
        for byte in [import, publish] {
            assert!(is_first(&byte), "{variable}: {byte:#x}");
        }
    }
}
