//! Programs of a version's own, told what the records say.

use super::programs;
use super::stage::Stage;
use crate::harness::Sandbox;

#[test]
fn a_program_is_given_the_arguments_of_its_record_or_of_the_deployments() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::bare(&sandbox);
    // Its golden tests pass only if it was told this, and where it listens.
    let told = |words: &str| {
        format!(
            "2 * x if sys.argv[1:] == [{words}, '--at=' + os.environ['HOST'] + ':' + os.environ['PORT']] else 0"
        )
    };
    let runtime = "{name: command, args: [\"--model={name} {version}\", \"--at={host}:{port}\"]}";
    programs::publish_as(&stage, "1.0.0", &told("'--model=digits 1.0.0'"), runtime);
    programs::publish_as(&stage, "1.1.0", &told("'two words'"), runtime);
    programs::deploy(&stage, "1.0.0", "");
    stage.serve();
    programs::serves(&stage, "1.0.0");
    let other = "  runtime: {args: [two words, \"--at={host}:{port}\"]}\n";
    programs::deploy(&stage, "1.1.0", other);
    stage.nudge();
    programs::serves(&stage, "1.1.0");

    // Another runtime would not hear them: nothing is moved for that.
    let unheard = "  runtime: {name: onnx, args: [--fast]}\n";
    programs::deploy(&stage, "1.1.0", unheard);
    stage.nudge();
    let held = stage.until(|one| one["health"] == "degraded");
    assert_eq!(held["stable"], "math/double 1.1.0");
    let why = held["why"].to_string();
    assert!(why.contains("the runtime `onnx` takes no `args`"), "{why}");
}
