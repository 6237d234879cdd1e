//! Snapshots, catalogs and histories, read in this process.

use modelyard::record::ModelReference;
use modelyard::yard::{Catalog, Depth, Entry, Instead, MAX_FILE_BYTES, Revision, Yard, YardError};

use super::story::{MODEL, Story, version};

fn head() -> Revision {
    Revision::Commit("HEAD".to_owned())
}

fn opened(story: &Story) -> Yard {
    Yard::discover(&story.folder()).unwrap()
}

#[test]
fn a_work_tree_and_a_commit_are_read_alike() {
    let story = Story::local();
    story.write("models/.hidden/x.yaml", "");
    story.write("README.md", "not a record's");
    let yard = opened(&story);
    let work_tree = yard.snapshot(&Revision::WorkTree).unwrap();
    let commit = yard.snapshot(&head()).unwrap();
    assert_eq!(work_tree.paths().unwrap(), commit.paths().unwrap());
    assert_eq!(
        commit.paths().unwrap(),
        [
            "models/vision/digits/model.yaml",
            "models/vision/digits/versions/0.9.0.yaml",
            "models/vision/digits/versions/1.0.0.yaml",
            "modelyard.yaml",
        ]
    );
    for snapshot in [&work_tree, &commit] {
        let list = snapshot.list("models/vision/digits").unwrap();
        assert_eq!(
            list,
            [
                Entry::Folder("versions".into()),
                Entry::File("model.yaml".into())
            ]
        );
        assert!(snapshot.list("models/nothing").unwrap().is_empty());
        let read = snapshot.read("models/vision/digits/model.yaml").unwrap();
        assert_eq!(read.unwrap(), MODEL.as_bytes());
        assert_eq!(
            snapshot.read("models/vision/digits/none.yaml").unwrap(),
            None
        );
        assert!(matches!(
            snapshot.read("../x"),
            Err(YardError::BadPath { .. })
        ));
        assert!(matches!(
            snapshot.read("models"),
            Err(YardError::NotAFile { .. })
        ));
    }
}

#[test]
fn links_are_never_followed() {
    let story = Story::local();
    story.sandbox.write("secret.yaml", "secret: 1");
    let link = |to: &str, at: &str| {
        std::os::unix::fs::symlink(to, story.folder().join(at)).unwrap();
    };
    link("../../../../secret.yaml", "models/vision/digits/link.yaml");
    link("../..", "models/outside");
    story.git("add -A");
    story.git("commit -q -m links");
    let yard = opened(&story);
    for revision in [Revision::WorkTree, head()] {
        let snapshot = yard.snapshot(&revision).unwrap();
        let error = snapshot.read("models/vision/digits/link.yaml").unwrap_err();
        assert!(
            matches!(
                error,
                YardError::NotAFile {
                    what: Instead::Link,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(snapshot.list("models/outside").unwrap().is_empty());
        let inside = snapshot.read("models/outside/secret.yaml");
        assert!(!matches!(inside, Ok(Some(_))), "{inside:?}");
        // They are seen, so that a check can tell of them.
        let paths = snapshot.paths().unwrap();
        assert!(
            paths.contains(&"models/vision/digits/link.yaml".to_owned()),
            "{paths:?}"
        );
        assert!(paths.contains(&"models/outside".to_owned()), "{paths:?}");
    }
}

#[test]
fn a_file_over_the_bound_is_not_read() {
    let story = Story::local();
    let large = "x".repeat(usize::try_from(MAX_FILE_BYTES).unwrap() + 1);
    story.write("models/vision/digits/large.bin", &large);
    story.git("add -A");
    story.git("commit -q -m large");
    let yard = opened(&story);
    for revision in [Revision::WorkTree, head()] {
        let read = yard
            .snapshot(&revision)
            .unwrap()
            .read("models/vision/digits/large.bin");
        assert!(matches!(read, Err(YardError::FileTooLarge { .. })));
    }
}

#[test]
fn revisions_are_what_git_knows() {
    let story = Story::local();
    story.git("tag v1");
    story.write(
        "models/vision/digits/model.yaml",
        &MODEL.replace("Digits ", "Later "),
    );
    story.git("commit -q -a -m later");
    let yard = opened(&story);
    let title = |revision: &str| {
        let snapshot = yard
            .snapshot(&Revision::Commit(revision.to_owned()))
            .unwrap();
        let model = Catalog::new(snapshot).model(&"vision/digits".parse().unwrap());
        model.unwrap().spec.title
    };
    assert_eq!(
        [title("v1"), title("main"), title("HEAD~1")],
        ["Digits", "Later", "Digits"]
    );
    let main = Catalog::new(yard.snapshot(&Revision::Main).unwrap());
    assert_eq!(
        main.model(&"vision/digits".parse().unwrap())
            .unwrap()
            .spec
            .title,
        "Later"
    );
    for unknown in ["v2", "", "no:such", "HEAD~9", "-x", "../x"] {
        let error = yard
            .snapshot(&Revision::Commit(unknown.to_owned()))
            .unwrap_err();
        assert!(
            matches!(error, YardError::UnknownRevision { .. }),
            "{unknown}: {error:?}"
        );
    }
    let base = yard
        .merge_base(&Revision::Commit("v1".into()), &Revision::WorkTree)
        .unwrap();
    assert_eq!(base.unwrap().to_string(), story.git("rev-parse v1"));
}

fn resolved(catalog: &Catalog, reference: &str) -> String {
    let reference: ModelReference = reference.parse().unwrap();
    match catalog.resolve(&reference) {
        Ok(found) => found.version.to_string(),
        Err(error) => {
            use modelyard::record::Fault as _;
            format!("{error}: {}", error.help().unwrap_or_default())
        }
    }
}

#[test]
fn a_reference_finds_what_is_meant() {
    let story = Story::local();
    let versions = [
        ("0.8.0", "deprecated"),
        ("0.7.0", "retired"),
        ("0.10.0", "recycled"),
        ("2.0.0-rc.1", "released"),
    ];
    for (name, lifecycle) in versions {
        story.write(
            &format!("models/vision/digits/versions/{name}.yaml"),
            &version(name, lifecycle),
        );
    }
    story.write(
        "models/vision/digits/model.yaml",
        &format!("{MODEL}  aliases: {{champion: 0.9.0, lost: 3.0.0}}\n"),
    );
    // What is no version's name is for the check to tell.
    story.write("models/vision/digits/versions/latest.yaml", "x");
    let catalog = Catalog::new(opened(&story).snapshot(&Revision::WorkTree).unwrap());
    let told: Vec<_> = [
        "vision/digits",
        "vision/digits:^0.8",
        "vision/digits:<0.9",
        "vision/digits:^2.0.0-rc",
        "vision/digits:1.0.0",
        "vision/digits:champion",
        &format!("vision/digits@sha256:{:0>64}", "080"),
        "vision/digits:>=1",
        "vision/digits:4.0.0",
        "vision/digits:lost",
        "vision/digits:challenger",
        "vision/digit",
        "speech/digits",
        "a/b",
    ]
    .iter()
    .map(|reference| format!("{reference} => {}", resolved(&catalog, reference)))
    .collect();
    let told = told
        .join("\n")
        .replace(&story.folder().display().to_string(), "[yard]");
    insta::assert_snapshot!(told, @r"
    vision/digits => 0.9.0
    vision/digits:^0.8 => 0.8.0
    vision/digits:<0.9 => 0.8.0
    vision/digits:^2.0.0-rc => 2.0.0-rc.1
    vision/digits:1.0.0 => 1.0.0
    vision/digits:champion => 0.9.0
    vision/digits@sha256:0000000000000000000000000000000000000000000000000000000000000080 => 0.8.0
    vision/digits:>=1 => vision/digits has no version in >=1 that may be used: there is 2.0.0-rc.1 (released), 1.0.0 (staged), 0.10.0 (recycled), 0.9.0 (released), 0.8.0 (deprecated), and 1 more
    vision/digits:4.0.0 => vision/digits has no version 4.0.0: there is 2.0.0-rc.1 (released), 1.0.0 (staged), 0.10.0 (recycled), 0.9.0 (released), 0.8.0 (deprecated), and 1 more
    vision/digits:lost => vision/digits has no version 3.0.0, which its alias lost names: there is 2.0.0-rc.1 (released), 1.0.0 (staged), 0.10.0 (recycled), 0.9.0 (released), 0.8.0 (deprecated), and 1 more
    vision/digits:challenger => vision/digits has no alias challenger: it has champion (0.9.0), lost (3.0.0)
    vision/digit => [yard] has no model vision/digit: did you mean vision/digits?
    speech/digits => [yard] has no model speech/digits: did you mean vision/digits?
    a/b => [yard] has no model a/b: `modelyard list` shows what there is
    ");
}

#[test]
fn only_the_records_that_matter_are_parsed() {
    let story = Story::local();
    story.write("models/vision/digits/versions/0.1.0.yaml", "broken: [");
    story.write("models/vision/other/model.yaml", "broken: [");
    let catalog = Catalog::new(opened(&story).snapshot(&Revision::WorkTree).unwrap());
    assert_eq!(resolved(&catalog, "vision/digits"), "0.9.0");
    let error = resolved(&catalog, "vision/digits:0.1.0");
    assert!(
        error.starts_with("models/vision/digits/versions/0.1.0.yaml:"),
        "{error}"
    );
}

#[test]
fn nothing_released_is_told_with_what_there_is() {
    let story = Story::local();
    story.git("rm -q models/vision/digits/versions/0.9.0.yaml");
    let catalog = Catalog::new(opened(&story).snapshot(&Revision::WorkTree).unwrap());
    insta::assert_snapshot!(resolved(&catalog, "vision/digits"), @"nothing of vision/digits is released yet: there is 1.0.0 (staged); name one as in `vision/digits:1.0.0`, or release it with `modelyard promote vision/digits:1.0.0 --to released`");
}

#[test]
fn a_yard_is_fetched_without_a_clone_that_stays() {
    let story = Story::cloned();
    story.git_in("upstream.git", "branch -m main trunk");
    let yard = Yard::fetched(&story.upstream_url(), "/".as_ref(), Depth::Tip).unwrap();
    assert_eq!(yard.place(), story.upstream_url());
    assert_eq!(yard.at_hand(), Revision::Main);
    let catalog = Catalog::new(yard.snapshot(&yard.at_hand()).unwrap());
    assert_eq!(resolved(&catalog, "vision/digits"), "0.9.0");
    let relative = "oci-layout:./store".parse().unwrap();
    assert!(matches!(
        yard.store(&relative),
        Err(YardError::RelativeStore { .. })
    ));
    let none = Yard::fetched(
        &format!("{}x", story.upstream_url()),
        "/".as_ref(),
        Depth::Tip,
    )
    .unwrap_err();
    assert!(matches!(none, YardError::Unreachable { .. }), "{none:?}");
}

#[test]
fn a_history_tells_who_and_why_and_by_which_merge() {
    let story = Story::local();
    let commit = |path: &str, content: &str, message: &str| {
        story.write(path, content);
        story.git("add -A");
        let author = "--author=Ada <ada@example.com>";
        story
            .sandbox
            .git(["commit", "-q", author, "-m", message])
            .in_folder("yard")
            .run()
            .success();
    };
    let file = "models/vision/digits/versions/1.0.0.yaml";
    story.git("switch -q -c release");
    commit(
        file,
        &version("1.0.0", "released"),
        "Release 1.0.0\n\nIt is better.",
    );
    commit("models/vision/digits/README.md", "card", "Write the card");
    story.git("switch -q main");
    commit("models/vision/other.txt", "x", "Something else (#1)");
    story
        .sandbox
        .git([
            "merge",
            "-q",
            "--no-ff",
            "release",
            "-m",
            "Merge pull request #2 from acme/release",
        ])
        .in_folder("yard")
        .run()
        .success();
    commit(
        file,
        &version("1.0.0", "deprecated"),
        "Deprecate 1.0.0 (#3)",
    );
    let yard = opened(&story);
    let told = |path: &str, limit| {
        let history = yard.history(&Revision::WorkTree, path, limit).unwrap();
        let mut lines: Vec<_> = history
            .events
            .iter()
            .map(|event| {
                let by = event.merge.as_ref().map_or("-", |merge| &merge.by.name);
                let request = event.request.as_deref().unwrap_or("-");
                format!(
                    "{} | {} | {by} | {request} | {}",
                    event.title, event.author.name, event.body
                )
            })
            .collect();
        if history.truncated {
            lines.push("…".to_owned());
        }
        lines.join("\n")
    };
    assert_eq!(
        told(file, 10),
        "Deprecate 1.0.0 (#3) | Ada | - | #3 | \n\
         Release 1.0.0 | Ada | Yard Test | #2 | It is better.\n\
         begin | Yard Test | - | - | "
    );
    assert_eq!(told(file, 1), "Deprecate 1.0.0 (#3) | Ada | - | #3 | \n…");
    assert_eq!(told("models/vision/digits", 10).lines().count(), 4);
    assert_eq!(told("models/nothing", 10), "");
}
