//! A version's golden tests, put to it and to the version before while a canary stands.

use super::programs;
use super::stage::Stage;
use crate::harness::Sandbox;

const CANARY: &str = "  \
  strategy: {type: canary, steps: [{weight: 25, for: 1h, analysis: [agreement]}]}
  analysis:
    - {name: agreement, source: golden, tests: all, atLeast: 1, interval: 100ms}
";

#[test]
fn what_only_the_new_version_fails_rolls_it_back_and_what_both_fail_does_not() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::bare(&sandbox);
    // Some day seven is no longer what it was, to both; another day the new one forgets three.
    let flags = ["seven", "three"].map(|name| sandbox.path(name));
    let [seven, three] = flags.each_ref().map(|flag| flag.to_str().unwrap());
    let old = format!("0 if x == 7 and os.path.exists({seven:?}) else 2 * x");
    let new = format!("0 if x == 3 and os.path.exists({three:?}) else {old}");
    programs::publish(&stage, "1.0.0", &old);
    programs::publish(&stage, "1.1.0", &new);
    programs::deploy(&stage, "1.0.0", CANARY);
    stage.serve();
    programs::serves(&stage, "1.0.0");
    programs::deploy(&stage, "1.1.0", CANARY);
    stage.nudge();
    let says = |text: &str| {
        stage.until(|one| {
            let said = one["rollout"]["analyses"]["agreement"].as_str();
            said.is_some_and(|said| said == text)
        })
    };
    says("1, to be at least 1; math/double 1.1.0 passes all 3, and so does math/double 1.0.0");
    std::fs::write(&flags[0], "").unwrap();
    let both = "1, to be at least 1; math/double 1.1.0 fails 1 of 3, math/double 1.0.0 fails the \
        same; not counted, as both fail: twice 7";
    says(both);
    std::fs::write(&flags[1], "").unwrap();

    let failed = stage.until(|one| one["failed"][0]["revert"].is_string());
    assert_eq!(failed["stable"], "math/double 1.0.0");
    let evidence = "0.5, to be at least 1; math/double 1.1.0 fails 2 of 3, math/double 1.0.0 \
        fails 1 of them (twice 3: output `y`: element 0 is 0";
    let why = failed["failed"][0]["why"].as_str().unwrap();
    let start = format!("the analysis agreement doesn't hold: {evidence}");
    assert!(why.starts_with(&start), "{why}");
    let branch = failed["failed"][0]["revert"].as_str().unwrap();
    stage.yard.git(["fetch", "--quiet"]).run().success();
    let message = ["log", "-1", "--format=%B", &format!("origin/{branch}")];
    let message = stage.yard.git(message).run().success().stdout;
    for line in [
        "host/digits: back to math/double 1.0.0\n".to_owned(),
        format!("good, 1 bad; {evidence}"),
        "not counted, as both fail: twice 7\n".to_owned(),
        "version (1.1.0): 1.1.0 -> 1.0.0\n".to_owned(),
    ] {
        assert!(message.contains(&line), "{line}\n{message}");
    }
}
