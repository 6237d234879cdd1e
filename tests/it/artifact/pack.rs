//! Packing folders, as people have them.

use std::fs;
use std::path::Path;

use modelyard::artifact::pack::{Packed, RoleRule, files, pack};
use modelyard::artifact::{BlobSource, Manifest};
use modelyard::platform::progress::Silent;
use modelyard::record::Fault;
use tempfile::TempDir;

/// A folder with these files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

fn write(folder: &Path, path: &str, text: &str) {
    let place = folder.join(path);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, text).unwrap();
}

fn packed(folder: &Path) -> Packed {
    pack(folder, &[], &Silent).unwrap()
}

/// The code and the text of what hinders packing.
fn refusal(folder: &Path) -> String {
    let error = pack(folder, &[], &Silent).unwrap_err();
    let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
    let text = format!("{}: {error}{}", error.code(), source.unwrap_or_default());
    assert!(error.help().is_some(), "{text} has no way out");
    text.replace(&*folder.to_string_lossy(), "FOLDER")
}

fn paths(packed: &Packed) -> Vec<&str> {
    packed
        .layers
        .iter()
        .map(|layer| layer.path.as_str())
        .collect()
}

fn left_out(packed: &Packed) -> Vec<String> {
    let entries = packed.left_out.iter();
    entries
        .map(|entry| format!("{} ({})", entry.path, entry.why))
        .collect()
}

const DIGITS: &[(&str, &str)] = &[
    ("model.bin", "\u{1}weights"),
    ("config.json", "{}"),
    ("code/train.py", "print()\n"),
    ("code/serve", "#!/bin/sh\n"),
    ("data/rows.csv", "a,b\n"),
    ("README.md", "# Digits\n"),
];

#[test]
fn a_folder_becomes_one_manifest_on_every_machine_and_day() {
    let folder = folder(DIGITS);
    let packed = packed(folder.path());
    insta::assert_snapshot!(packed.digest, @"sha256:b2732c6cedbd4862d5f521a92dc03737ff145f134c43c463ae67c85f2bfa8e08");
    insta::assert_json_snapshot!(
        serde_json::from_slice::<serde_json::Value>(&packed.manifest).unwrap()
    , @r#"
    {
      "schemaVersion": 2,
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "artifactType": "application/vnd.cncf.model.manifest.v1+json",
      "config": {
        "mediaType": "application/vnd.cncf.model.config.v1+json",
        "digest": "sha256:187ff4e9dc4bf44c95cde59e8f6628009de8872a5134cc9b963891b4dc785815",
        "size": 513
      },
      "layers": [
        {
          "mediaType": "application/vnd.cncf.model.doc.v1.raw",
          "digest": "sha256:6942fa37cbd486b7a12ce561dea8d582b129560c9f6068fb0548e1b267f33ccf",
          "size": 9,
          "annotations": {
            "org.cncf.model.filepath": "README.md",
            "org.opencontainers.image.title": "README.md"
          }
        },
        {
          "mediaType": "application/vnd.cncf.model.code.v1.raw",
          "digest": "sha256:a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf",
          "size": 10,
          "annotations": {
            "org.cncf.model.file.metadata+json": "{\"name\":\"serve\",\"mode\":493,\"uid\":0,\"gid\":0,\"size\":10,\"mtime\":\"1970-01-01T00:00:00Z\",\"typeflag\":0}",
            "org.cncf.model.filepath": "code/serve",
            "org.opencontainers.image.title": "code/serve"
          }
        },
        {
          "mediaType": "application/vnd.cncf.model.code.v1.raw",
          "digest": "sha256:d8594fa1268ecabc62af7c9e2449b8c46db0f426cd9aad384c67efe59e582b3e",
          "size": 8,
          "annotations": {
            "org.cncf.model.filepath": "code/train.py",
            "org.opencontainers.image.title": "code/train.py"
          }
        },
        {
          "mediaType": "application/vnd.cncf.model.weight.config.v1.raw",
          "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
          "size": 2,
          "annotations": {
            "org.cncf.model.filepath": "config.json",
            "org.opencontainers.image.title": "config.json"
          }
        },
        {
          "mediaType": "application/vnd.cncf.model.dataset.v1.raw",
          "digest": "sha256:5be08c9684a1d25efcee09318204824278b08bbfb4aef973ffefd0b9d7478313",
          "size": 4,
          "annotations": {
            "org.cncf.model.filepath": "data/rows.csv",
            "org.opencontainers.image.title": "data/rows.csv"
          }
        },
        {
          "mediaType": "application/vnd.cncf.model.weight.v1.raw",
          "digest": "sha256:090ad8716700011978aee45bbd31006e1bee23341aa1b15070e388b818b0982f",
          "size": 8,
          "annotations": {
            "org.cncf.model.filepath": "model.bin",
            "org.opencontainers.image.title": "model.bin"
          }
        }
      ]
    }
    "#);
    insta::assert_snapshot!(String::from_utf8_lossy(&packed.config), @r#"{"descriptor":{},"config":{},"modelfs":{"type":"layers","diffIds":["sha256:6942fa37cbd486b7a12ce561dea8d582b129560c9f6068fb0548e1b267f33ccf","sha256:a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf","sha256:d8594fa1268ecabc62af7c9e2449b8c46db0f426cd9aad384c67efe59e582b3e","sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","sha256:5be08c9684a1d25efcee09318204824278b08bbfb4aef973ffefd0b9d7478313","sha256:090ad8716700011978aee45bbd31006e1bee23341aa1b15070e388b818b0982f"]}}"#);
}

#[test]
fn times_permissions_and_the_order_of_writing_do_not_count() {
    let one = folder(DIGITS);
    let reversed: Vec<_> = DIGITS.iter().rev().copied().collect();
    let other = folder(&reversed);
    let file = fs::File::options()
        .write(true)
        .open(other.path().join("model.bin"))
        .unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for (path, mode) in [("code/train.py", 0o777), ("code/serve", 0o600)] {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(other.path().join(path), mode).unwrap();
        }
    }
    assert_eq!(packed(one.path()).digest, packed(other.path()).digest);
    write(other.path(), "code/train.py", "print(1)\n");
    assert_ne!(packed(one.path()).digest, packed(other.path()).digest);
}

#[test]
fn what_was_packed_unpacks_to_the_same_places() {
    let folder = folder(DIGITS);
    let packed = packed(folder.path());
    let files = files(&Manifest::parse(&packed.manifest).unwrap()).unwrap();
    assert_eq!(files.len(), DIGITS.len());
    for (file, layer) in files.iter().zip(&packed.layers) {
        assert_eq!((&file.path, file.role), (&layer.path, layer.role));
        let mut bytes = Vec::new();
        layer.open().unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, fs::read(file.path.below(folder.path())).unwrap());
    }
    let executable = files.iter().filter(|file| file.mode.bits() == 0o755);
    let executable: Vec<_> = executable.map(|file| file.path.as_str()).collect();
    assert_eq!(executable, ["code/serve"]);
}

#[test]
fn a_single_file_is_an_artifact_too() {
    let folder = folder(&[(".weights.bin", "\u{1}w"), ("other", "x")]);
    let packed = packed(&folder.path().join(".weights.bin"));
    assert_eq!(paths(&packed), [".weights.bin"]);
}

#[test]
fn hidden_files_and_leftovers_are_left_out_by_name() {
    let folder = folder(&[
        ("model.onnx", "m"),
        (".git/config", "x"),
        (".env", "SECRET=1"),
        (".DS_Store", "x"),
        ("notes.md~", "x"),
        (".notes.md.swp", "x"),
        (".#notes.md", "x"),
        ("#notes.md#", "x"),
        ("code/__pycache__/a.cpython-312.pyc", "x"),
        ("code/.ipynb_checkpoints/a.ipynb", "x"),
        ("code/a.py", "x"),
    ]);
    let packed = packed(folder.path());
    assert_eq!(paths(&packed), ["code/a.py", "model.onnx"]);
    insta::assert_debug_snapshot!(left_out(&packed), @r##"
    [
        "#notes.md# (a leftover)",
        ".#notes.md (a leftover)",
        ".DS_Store (a leftover)",
        ".env (hidden)",
        ".git/ (a leftover)",
        ".notes.md.swp (a leftover)",
        "code/.ipynb_checkpoints/ (a leftover)",
        "code/__pycache__/ (a leftover)",
        "notes.md~ (a leftover)",
    ]
    "##);
}

#[test]
fn an_ignore_file_speaks_gitignores_language() {
    let folder = folder(&[
        (
            ".modelyardignore",
            "\u{feff}# raw material\r\n*.log\r\n!keep.log\n/top.txt\nraw/\n!.env.example\ndoc/**/draft*\n",
        ),
        ("model.onnx", "m"),
        ("a.log", "x"),
        ("keep.log", "x"),
        ("top.txt", "x"),
        ("sub/top.txt", "x"),
        ("raw/1.png", "x"),
        (".env.example", "x"),
        (".env", "x"),
        ("doc/a/b/draft.md", "x"),
        ("sub/.modelyardignore", "!a.log\n*.tmp\n"),
        ("sub/a.log", "x"),
        ("sub/deep/b.tmp", "x"),
        ("b.tmp", "x"),
    ]);
    let packed = packed(folder.path());
    assert_eq!(
        paths(&packed),
        [
            ".env.example",
            "b.tmp",
            "keep.log",
            "model.onnx",
            "sub/a.log",
            "sub/top.txt"
        ]
    );
    insta::assert_debug_snapshot!(left_out(&packed), @r#"
    [
        ".env (hidden)",
        ".modelyardignore (hidden)",
        "a.log (`*.log` in .modelyardignore)",
        "doc/a/b/draft.md (`doc/**/draft*` in .modelyardignore)",
        "raw/ (`raw/` in .modelyardignore)",
        "sub/.modelyardignore (hidden)",
        "sub/deep/b.tmp (`*.tmp` in sub/.modelyardignore)",
        "top.txt (`/top.txt` in .modelyardignore)",
    ]
    "#);
}

#[test]
fn a_broken_ignore_file_stops_it_rather_than_publish_what_it_meant() {
    let broken = folder(&[("m", "m"), (".modelyardignore", "*.log\nimages/[z-a]\n")]);
    insta::assert_snapshot!(refusal(broken.path()), @"invalid-ignore-file: FOLDER/.modelyardignore:2: the pattern can't be read: error parsing glob 'images/[z-a]': invalid range; 'z' > 'a'");
    let binary = folder(&[("m", "m")]);
    fs::write(binary.path().join(".modelyardignore"), b"\xff\xfe*\0").unwrap();
    insta::assert_snapshot!(refusal(binary.path()), @"invalid-ignore-file: `FOLDER/.modelyardignore` is not UTF-8 text");
}

#[test]
fn a_rule_overrides_what_names_tell() {
    let folder = folder(&[("notes/a.txt", "x"), ("notes/b.txt", "x"), ("c.txt", "x")]);
    let rules = |texts: &[&str]| -> Vec<RoleRule> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    let told = |texts: &[&str]| {
        let packed = pack(folder.path(), &rules(texts), &Silent).unwrap();
        let layers = packed.layers.iter();
        layers
            .map(|layer| layer.role.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&[]), ["doc", "doc", "doc"]);
    assert_eq!(
        told(&["*.txt=dataset", "notes/b.txt=code"]),
        ["dataset", "dataset", "code"]
    );
    let unused = pack(folder.path(), &rules(&["note/*=doc"]), &Silent).unwrap_err();
    insta::assert_snapshot!(unused, @"the role rule `note/*=doc` fits no file");
}

#[test]
fn nothing_to_pack_is_an_error() {
    let empty = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(refusal(empty.path()), @"no-files: `FOLDER` has no file to pack");
    let hidden = folder(&[(".a", "x"), ("b~", "x")]);
    insta::assert_snapshot!(refusal(hidden.path()), @"no-files: `FOLDER` has no file to pack: all 2 entries are left out");
    insta::assert_snapshot!(refusal(&empty.path().join("missing")), @"file-failed: can't read FOLDER: No such file or directory (os error 2)");
}

#[test]
fn secrets_and_pointers_are_refused_by_name() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n";
    insta::assert_snapshot!(refusal(folder(&[("w/model.onnx", pointer)]).path()), @"lfs-pointer: `w/model.onnx` is a Git LFS pointer and not the file it stands for");
    let key = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n";
    insta::assert_snapshot!(refusal(folder(&[("keys/cosign.key", key)]).path()), @"private-key-packed: `keys/cosign.key` holds a private key");
}

#[test]
fn too_many_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..=10_000 {
        fs::write(folder.path().join(number.to_string()), b"").unwrap();
    }
    insta::assert_snapshot!(refusal(folder.path()), @"too-many-files: there are more than 10000 files, the most that an artifact has");
}

#[test]
fn a_file_that_changed_after_it_was_packed_is_not_sent() {
    let folder = folder(&[("model.bin", "\u{1}one")]);
    let packed = packed(folder.path());
    packed.check_unchanged().unwrap();
    write(folder.path(), "model.bin", "\u{1}longer");
    assert!(packed.layers[0].open().is_err());
    insta::assert_snapshot!(packed.check_unchanged().unwrap_err().code(), @"file-changed");
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_link_within_the_folder_is_packed_as_its_file() {
        let folder = folder(&[("weights/v1.bin", "\u{1}w")]);
        symlink("weights/v1.bin", folder.path().join("model.bin")).unwrap();
        let packed = packed(folder.path());
        assert_eq!(paths(&packed), ["model.bin", "weights/v1.bin"]);
        assert_eq!(
            packed.layers[0].descriptor.digest,
            packed.layers[1].descriptor.digest
        );
    }

    #[test]
    fn the_folder_itself_may_be_named_by_a_link() {
        let real = folder(&[("a/b", "x")]);
        let place = tempfile::tempdir().unwrap();
        symlink(real.path(), place.path().join("link")).unwrap();
        assert_eq!(paths(&packed(&place.path().join("link"))), ["a/b"]);
    }

    #[test]
    fn links_that_lead_elsewhere_are_refused_by_name() {
        let outside = folder(&[("secret", "x")]);
        let linked = |target: &Path| {
            let folder = folder(&[("sub/a", "x")]);
            symlink(target, folder.path().join("link")).unwrap();
            refusal(folder.path()).replace(&*outside.path().to_string_lossy(), "OUTSIDE")
        };
        insta::assert_snapshot!(linked(&outside.path().join("secret")), @"unusable-link: the link `FOLDER/link` leads to `OUTSIDE/secret`, out of the folder");
        insta::assert_snapshot!(linked(Path::new("../../../../../../etc/passwd")), @"unusable-link: the link `FOLDER/link` leads to `../../../../../../etc/passwd`, out of the folder");
        insta::assert_snapshot!(linked(Path::new("sub")), @"unusable-link: the link `FOLDER/link` leads to `sub`, a folder");
        insta::assert_snapshot!(linked(Path::new("missing")), @"unusable-link: the link `FOLDER/link` leads to `missing`, where nothing can be read");
        insta::assert_snapshot!(linked(Path::new("link")), @"unusable-link: the link `FOLDER/link` leads to `link`, where nothing can be read");
    }

    #[test]
    fn pipes_and_sockets_are_refused_by_name() {
        let socket = folder(&[("a", "x")]);
        let _listener = UnixListener::bind(socket.path().join("queue")).unwrap();
        insta::assert_snapshot!(refusal(socket.path()), @"special-file: `FOLDER/queue` is a socket and not a file");
        let pipe = folder(&[("a", "x")]);
        let made = std::process::Command::new("mkfifo")
            .arg(pipe.path().join("queue"))
            .status();
        assert!(made.unwrap().success());
        insta::assert_snapshot!(refusal(pipe.path()), @"special-file: `FOLDER/queue` is a named pipe and not a file");
    }

    #[test]
    fn names_that_are_not_the_same_everywhere_are_refused() {
        for name in [
            &b"a\xffb"[..],
            b"a\nb",
            b"a\\b",
            b"nul",
            b"a:b",
            "\u{202e}b".as_bytes(),
        ] {
            let folder = folder(&[("a", "x")]);
            fs::write(folder.path().join(OsStr::from_bytes(name)), b"x").unwrap();
            let refusal = refusal(folder.path());
            assert!(refusal.starts_with("unsafe-path: "), "{refusal}");
            assert!(!refusal.contains(['\n', '\u{202e}']), "{refusal}");
        }
        let alike = folder(&[("Model", "x"), ("model", "y")]);
        // A file system that takes both for one leaves nothing to refuse.
        if fs::read_dir(alike.path()).unwrap().count() == 2 {
            insta::assert_snapshot!(refusal(alike.path()), @"paths-clash: two files can't be in one folder on every system: `Model` and `model` differ only by case or Unicode form, and are one on some systems");
        }
    }

    #[test]
    fn what_is_left_out_is_never_looked_at() {
        let folder = folder(&[("a", "x"), (".modelyardignore", "queue\nlink\nb*\n")]);
        symlink("/etc/passwd", folder.path().join("link")).unwrap();
        let _listener = UnixListener::bind(folder.path().join("queue")).unwrap();
        fs::write(folder.path().join(OsStr::from_bytes(b"b\xff")), b"x").unwrap();
        assert_eq!(paths(&packed(folder.path())), ["a"]);
    }
}
