//! The policy as a table: rules in the words of `modelyard.yaml`, and what they make of
//! signatures.

use serde_json::{Value, json};

use super::*;
use crate::record::Digest;
use crate::trust::{Content, Flaw, Form, Found, Signature, SigningKey, Standing, Verdict};

struct Desk {
    keys: KeyRing,
    ann: SigningKey,
    ben: SigningKey,
}

impl Desk {
    fn new() -> Self {
        let ann = SigningKey::generate().unwrap();
        let ben = SigningKey::generate().unwrap();
        let mut keys = KeyRing::default();
        keys.add("keys/ann.pub", ann.verifying_key());
        keys.add("keys/ann-again.pub", ann.verifying_key());
        keys.add("keys/ben.pub", ben.verifying_key());
        Self { keys, ann, ben }
    }

    fn judge(&self, rules: Value, context: &Context, signed_by: &[&SigningKey]) -> Verdict {
        let rules: Vec<TrustRule> = serde_json::from_value(rules).unwrap();
        let found = Found {
            signatures: signed_by.iter().map(|key| signed(key)).collect(),
            unexamined: 0,
        };
        judge(&rules, &self.keys, context, &subject(), &found)
    }

    /// The verdict in one word, and the code of everything that is not met.
    fn told(&self, rules: Value, context: &Context, signed_by: &[&SigningKey]) -> String {
        use crate::record::Fault;
        let verdict = self.judge(rules, context, signed_by);
        let unmet = verdict.unmet();
        let unmet = unmet.map(|(rule, unmet)| format!(" {rule}:{}", unmet.code()));
        format!("{:?}{}", verdict.standing(), unmet.collect::<String>())
    }
}

fn subject() -> Digest {
    Digest::from_bytes([7; 32])
}

fn signed(key: &SigningKey) -> Signature {
    let json = crate::trust::bundle::write(&subject(), key);
    Signature {
        form: Form::Bundle,
        at: Digest::from_bytes([1; 32]),
        content: crate::trust::bundle::read(&json, &subject()),
    }
}

fn formats(declared: &[&str], complete: bool) -> Formats {
    Formats {
        declared: declared.iter().map(|&format| format.to_owned()).collect(),
        complete,
    }
}

fn released() -> Context {
    Context {
        model: Some("vision/digits".parse().unwrap()),
        lifecycle: Some(Lifecycle::Released),
        formats: formats(&["onnx"], true),
        now: "2026-11-01T00:00:00Z".parse().unwrap(),
    }
}

fn accept_ann(require: &Value) -> Value {
    json!([{"require": require, "accept": [{"key": "keys/ann.pub"}]}])
}

#[test]
fn a_rule_is_satisfied_by_as_many_distinct_accepted_keys_as_it_asks_for() {
    let desk = Desk::new();
    let (ann, ben) = (&desk.ann, &desk.ben);
    let two = json!([{"require": {"signatures": 2}, "accept": [
        {"key": "keys/ann.pub"}, {"key": "keys/ann-again.pub"}, {"key": "keys/ben.pub"},
    ]}]);
    let told = |signed_by: &[&SigningKey]| desk.told(two.clone(), &released(), signed_by);
    assert_eq!(told(&[ann, ben]), "Trusted");
    assert_eq!(told(&[ann, ann]), "Refused 1:too-few-signatures");
    assert_eq!(told(&[]), "Refused 1:too-few-signatures");
    let one = accept_ann(&json!({"signatures": 1}));
    assert_eq!(desk.told(one.clone(), &released(), &[ben, ann]), "Trusted");
    assert_eq!(
        desk.told(one, &released(), &[ben]),
        "Refused 1:too-few-signatures"
    );
}

#[test]
fn every_rule_that_fits_has_to_be_satisfied_and_no_other() {
    let desk = Desk::new();
    let rules = json!([
        {"match": {"models": "vision/*"}, "require": {"signatures": 1}, "accept": [{"key": "keys/ann.pub"}]},
        {"match": {"lifecycle": "released"}, "require": {"signatures": 1}, "accept": [{"key": "keys/ben.pub"}]},
    ]);
    let told =
        |context: &Context, signed_by: &[&SigningKey]| desk.told(rules.clone(), context, signed_by);
    let staged = Context {
        lifecycle: Some(Lifecycle::Staged),
        ..released()
    };
    let text = Context {
        model: Some("text/vocabulary".parse().unwrap()),
        ..staged.clone()
    };
    assert_eq!(told(&released(), &[&desk.ann, &desk.ben]), "Trusted");
    assert_eq!(
        told(&released(), &[&desk.ann]),
        "Refused 2:too-few-signatures"
    );
    assert_eq!(told(&staged, &[&desk.ann]), "Trusted");
    assert_eq!(told(&text, &[]), "Unvouched");
    let bare = Context::bare(released().now);
    assert_eq!(
        told(&bare, &[]),
        "Refused 1:too-few-signatures 2:too-few-signatures"
    );
}

#[test]
fn without_a_rule_that_asks_for_signatures_nobody_vouches() {
    let desk = Desk::new();
    for rules in [
        json!([]),
        json!([{"require": {}}]),
        json!([{"require": {"formats": {"deny": ["pickle"]}}}]),
    ] {
        assert_eq!(desk.told(rules, &released(), &[&desk.ann]), "Unvouched");
    }
}

#[test]
fn a_key_counts_within_its_time_and_until_it_is_revoked() {
    let desk = Desk::new();
    let told = |accept: Value| {
        let rules = json!([{"require": {"signatures": 1}, "accept": accept}]);
        let verdict = desk.judge(rules, &released(), &[&desk.ann]);
        let unmet = verdict.unmet().next().map(|(_, unmet)| unmet.to_string());
        unmet.unwrap_or_else(|| format!("{:?}", verdict.standing()))
    };
    insta::assert_snapshot!(told(json!([{"key": "keys/ann.pub", "notBefore": "2026-11-01T00:00:00Z", "notAfter": "2026-11-01T00:00:00Z"}])), @"Trusted");
    insta::assert_snapshot!(told(json!([{"key": "keys/ann.pub", "notBefore": "2026-11-01T00:00:01Z"}])), @"0 of 1 accepted signers signed it (keys/ann.pub: it counts from 2026-11-01T00:00:01Z on)");
    insta::assert_snapshot!(told(json!([{"key": "keys/ann.pub", "notAfter": "2026-10-31T23:59:59Z"}])), @"0 of 1 accepted signers signed it (keys/ann.pub: it counted until 2026-10-31T23:59:59Z)");
    insta::assert_snapshot!(told(json!([{"key": "keys/ann.pub", "revoked": false}])), @"Trusted");
    insta::assert_snapshot!(told(json!([{"key": "keys/ann.pub"}, {"key": "keys/ann-again.pub", "revoked": true}])), @"0 of 1 accepted signers signed it (keys/ann.pub: it is revoked; keys/ann-again.pub: it is revoked)");
    insta::assert_snapshot!(told(json!([{"key": "keys/ben.pub"}])), @"0 of 1 accepted signers signed it (keys/ben.pub: it did not sign)");
    insta::assert_snapshot!(told(json!([{"key": "keys/lost.pub"}])), @"0 of 1 accepted signers signed it (keys/lost.pub: the file is not there)");
    insta::assert_snapshot!(told(json!([])), @"0 of 1 accepted signers signed it");
}

#[test]
fn what_cannot_be_evaluated_fails_its_rule_with_a_code_of_its_own() {
    let desk = Desk::new();
    let told = |require: Value| desk.told(accept_ann(&require), &released(), &[&desk.ann]);
    assert_eq!(
        told(
            json!({"signatures": 1, "attestations": ["https://slsa.dev/provenance/v1"], "scan": "pass"})
        ),
        "Refused 1:attestations-not-evaluated 1:scan-not-evaluated"
    );
    let keyless =
        json!({"keyless": {"issuer": "https://login.example.com", "identity": "ann@example.com"}});
    let rules = |accept: Value| json!([{"require": {"signatures": 1}, "accept": accept}]);
    let only = rules(json!([keyless]));
    assert_eq!(
        desk.told(only, &released(), &[&desk.ann]),
        "Refused 1:keyless-not-evaluated"
    );
    let either = rules(json!([keyless, {"key": "keys/ann.pub"}]));
    assert_eq!(
        desk.told(either.clone(), &released(), &[&desk.ann]),
        "Trusted"
    );
    assert_eq!(
        desk.told(either, &released(), &[]),
        "Refused 1:keyless-not-evaluated"
    );
}

#[test]
fn a_denied_format_is_told_by_the_record_or_not_at_all() {
    let desk = Desk::new();
    let rules = accept_ann(&json!({"signatures": 1, "formats": {"deny": ["pickle"]}}));
    let told = |formats: Formats| {
        let context = Context {
            formats,
            ..released()
        };
        desk.told(rules.clone(), &context, &[&desk.ann])
    };
    let unknown = "Refused 1:formats-not-evaluated";
    assert_eq!(told(formats(&["onnx"], true)), "Trusted");
    for complete in [true, false] {
        let pickled = formats(&["pytorch", "pickle"], complete);
        assert_eq!(told(pickled), "Refused 1:format-denied");
    }
    assert_eq!(told(formats(&["pytorch"], false)), unknown);
    assert_eq!(told(Context::bare(released().now).formats), unknown);
}

#[test]
fn a_bad_signature_hides_no_good_one_and_both_are_told() {
    let desk = Desk::new();
    let bad = Signature {
        content: Content::Flawed(Flaw::Missing),
        ..signed(&desk.ben)
    };
    let found = Found {
        signatures: vec![bad, signed(&desk.ben), signed(&desk.ann)],
        unexamined: 3,
    };
    let rules: Vec<TrustRule> =
        serde_json::from_value(accept_ann(&json!({"signatures": 1}))).unwrap();
    let mut keys = KeyRing::default();
    keys.add("keys/ann.pub", desk.ann.verifying_key());
    let verdict = judge(&rules, &keys, &released(), &subject(), &found);
    assert_eq!(verdict.standing(), Standing::Trusted);
    let mut told = serde_json::to_value(&verdict).unwrap();
    for signer in [
        &["rules", "0", "signers", "0"][..],
        &["signatures", "2", "signer"],
    ] {
        let pointer = format!("/{}/fingerprint", signer.join("/"));
        *told.pointer_mut(&pointer).unwrap() = "…".into();
    }
    insta::assert_json_snapshot!(told, @r#"
{
  "subject": "sha256:0707070707070707070707070707070707070707070707070707070707070707",
  "verdict": "trusted",
  "rules": [
    {
      "rule": 1,
      "needed": 1,
      "signers": [
        {
          "key": "keys/ann.pub",
          "fingerprint": "…"
        }
      ],
      "unmet": []
    }
  ],
  "signatures": [
    {
      "form": "bundle",
      "at": "sha256:0101010101010101010101010101010101010101010101010101010101010101",
      "signer": null,
      "remark": "is listed but not there"
    },
    {
      "form": "bundle",
      "at": "sha256:0101010101010101010101010101010101010101010101010101010101010101",
      "signer": null,
      "remark": "is by none of the keys that were tried"
    },
    {
      "form": "bundle",
      "at": "sha256:0101010101010101010101010101010101010101010101010101010101010101",
      "signer": {
        "key": "keys/ann.pub",
        "fingerprint": "…"
      },
      "remark": null
    }
  ],
  "unexamined": 3
}
"#);
}

#[test]
fn the_keys_are_read_once_each_and_a_missing_one_is_no_error() {
    let desk = Desk::new();
    let trust: Trust = serde_json::from_value(json!({"rules": [
        {"require": {"signatures": 1}, "accept": [{"key": "keys/ann.pub"}, {"key": "keys/no.pub"}]},
        {"require": {"signatures": 1}, "accept": [{"key": "keys/ann.pub"}, {"key": "keys/lost.pub"}]},
    ]}))
    .unwrap();
    let mut asked = Vec::new();
    let policy = Policy::gather(&trust, |path| {
        asked.push(path.to_owned());
        Ok::<_, std::convert::Infallible>(match path {
            "keys/ann.pub" => Some(desk.ann.verifying_key().to_pem().into()),
            "keys/no.pub" => Some("no key".into()),
            _ => None,
        })
    });
    let policy = policy.unwrap();
    assert_eq!(asked, ["keys/ann.pub", "keys/no.pub", "keys/lost.pub"]);
    let found = Found {
        signatures: vec![signed(&desk.ben)],
        unexamined: 0,
    };
    let verdict = judge(&policy.rules, &policy.keys, &released(), &subject(), &found);
    let unmet: Vec<_> = verdict
        .unmet()
        .map(|(rule, unmet)| format!("{rule}: {unmet}"))
        .collect();
    insta::assert_snapshot!(unmet.join("\n"), @r#"
1: 0 of 1 accepted signers signed it (keys/ann.pub: it did not sign; keys/no.pub: this is no key: it is not PEM text)
1: the policy accepts the key keys/no.pub, but this is no key: it is not PEM text
2: 0 of 1 accepted signers signed it (keys/ann.pub: it did not sign; keys/lost.pub: the file is not there)
2: the policy accepts the key keys/lost.pub, but the file is not there
"#);
    let refused = verdict
        .allowed("registry.example.com/vision/digits")
        .unwrap_err();
    insta::assert_snapshot!(refused, @"registry.example.com/vision/digits is not trusted: 0 of 1 accepted signers signed it (keys/ann.pub: it did not sign; keys/no.pub: this is no key: it is not PEM text) (rule 1 of the trust policy)");
}
