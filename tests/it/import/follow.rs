//! The sources that a yard names.

use serde_json::json;

use super::{Program, two};
use crate::harness::Sandbox;

#[test]
fn each_source_of_the_yard_is_followed_with_its_own_mapping() {
    let sandbox = Sandbox::new();
    let program = Program::new(&sandbox);
    let yard = sandbox.yard();
    program.lists(&two());
    program.has("d1", b"one", &json!({}));
    program.has("d2", b"two", &json!({}));
    let settings = yard.show("main", "modelyard.yaml");
    let place = sandbox.path("source");
    let place = place.display();
    yard.write(
        "modelyard.yaml",
        &format!(
            "{settings}\n  sources: [{{name: lab, type: custom, url: \"file://{place}/give\", map: sources/lab.yaml}}]\n"
        ),
    );
    yard.write(
        "sources/lab.yaml",
        "namespace: line-3\nowner: {team: factory}\nmodels: {Surface*: {name: defects, title: Defects of line 3}}\nstages: {Archived: retired}\naliases: {champion: \"\"}\n",
    );
    yard.commit("Follow the lab");
    yard.modelyard(["check"]).run().success();

    let follow = ["import", "--unsigned", "--follow", "lab"];
    yard.modelyard(follow).run().success();
    yard.merge("import/lab");
    let model = yard.show("main", "models/line-3/defects/model.yaml");
    assert!(model.contains("title: Defects of line 3"), "{model}");
    assert!(!model.contains("champion"), "{model}");
    let version = yard.show("main", "models/line-3/defects/versions/1.0.0.yaml");
    assert!(version.contains("lifecycle: retired"), "{version}");
    yard.modelyard(["check"]).run().success();

    yard.modelyard(["import", "--unsigned", "--follow"])
        .run()
        .success()
        .prints("unchanged 2 versions");
    yard.modelyard(["import", "--unsigned", "--follow", "other"])
        .run()
        .exits(2)
        .says("no source called other")
        .says("it names lab");

    // One that is away holds up no other, and is told beside them.
    let settings = yard.show("main", "modelyard.yaml");
    let away = "  sources: [{name: away, type: mlflow, url: \"http://127.0.0.1:1\"}, ";
    yard.write("modelyard.yaml", &settings.replace("  sources: [", away));
    yard.commit("Another");
    yard.modelyard(["import", "--unsigned", "--follow"])
        .run()
        .exits(3)
        .prints("refused   mlflow:http://127.0.0.1:1: ")
        .prints("unchanged 2 versions")
        .says("error[source-away]");
    yard.write("sources/lab.yaml", "stage: {Archived: retired}\n");
    yard.commit("A slip");
    yard.modelyard(follow)
        .run()
        .exits(2)
        .says("sources/lab.yaml: unknown field `stage`");
}

#[test]
fn a_yard_without_sources_has_nothing_to_follow() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    // Nobody is asked for a key for it, either.
    yard.modelyard(["import", "--follow"])
        .run()
        .success()
        .prints("modelyard.yaml names no sources: there is nothing to follow");
    let follow = ["import", "--follow", "-o", "json"];
    let told = yard.modelyard(follow).run().success().json();
    assert_eq!(told, json!([]));
    yard.modelyard(["import", "--follow", "lab"])
        .run()
        .exits(2)
        .says("no source called lab")
        .says("add it to modelyard.yaml");
}
