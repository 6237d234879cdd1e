//! What is said of records that are not as their schema asks: in words, at the place, and once for
//! each root cause.

use super::sound::Edit::Swap;
use super::sound::*;

/// What is said of the sound yard with one text of one file changed.
fn changed(path: &'static str, from: &'static str, to: &'static str) -> String {
    said(edited(&sound(), &[Swap(path, from, to)])).join("\n")
}

#[test]
fn fields() {
    let all = [
        changed(V1_1, "lifecycle:", "lifecyle:"),
        changed(
            V1_1,
            "changes:",
            "created_at: 2026-11-01T09:30:00Z\n  changes:",
        ),
        changed(V1_1, "changes:", "banana: 1\n  changes:"),
        changed(V1_1, "format: {name:", "format: {nmae:"),
        changed(DIGITS, "title: Handwritten digits", "name: x"),
        changed(DIGITS, "metadata:", "metadate:"),
        changed(DIGITS, "kind: Model", "kinds: Model"),
        changed(SERVED, "model: vision/digits\n", "modle: vision/digits\n"),
        changed(SERVED, "weight: 10, for: 10m", "for: 10m"),
        changed(SERVED, "type: canary", "type: rolling"),
        changed(SERVED, "source: golden", "source: prometheus"),
        changed(SERVED, ", atLeast: 1.0", ""),
        changed(
            SERVED,
            "source: golden, tests: [a one]",
            "source: http, pointer: /a",
        ),
        changed(
            SERVED,
            "source: golden, tests: [a one]",
            "source: command, command: [\"\"]",
        ),
        changed(
            SERVED,
            "before:",
            "route: {path: /a, sticky: {header: a, cookie: b}}\n  before:",
        ),
        changed(
            SERVED,
            "{model: vision/resize, version: 1.0.0}",
            "{version: 1.0.0}",
        ),
        changed(V1_1, ", file: tests/one.json", ""),
        changed(V1_2, ", file: vocabulary.txt", ""),
        changed(YARD, "key: keys/release.pub", "keys: keys/release.pub"),
    ];
    insta::assert_snapshot!(all.join("\n\n"), @r#"
    unknown-field models/vision/digits/versions/1.1.0.yaml:5:3: `spec` has no field `lifecyle` (did you mean `lifecycle`?)

    unknown-field models/vision/digits/versions/1.1.0.yaml:6:3: `spec` has no field `created_at` (did you mean `createdAt`?)

    unknown-field models/vision/digits/versions/1.1.0.yaml:6:3: `spec` has no field `banana` (it can have `lifecycle`, `changes`, `notes`, `links`, `author`, `createdAt`, `artifact`, `images`, `format`, `framework`, `precision`, `parameterCount` and 14 more)

    unknown-field models/vision/digits/versions/1.1.0.yaml:11:12: `format` has no field `nmae` (did you mean `name`?)

    missing-field models/vision/digits/model.yaml:4:1: `title` is missing in `spec` (add `title`: What the model is, in a line, as in `title: Surface defect classifier`)
    unknown-field models/vision/digits/model.yaml:5:3: `spec` has no field `name` (it can have `title`, `description`, `owners`, `visibility`, `classification`, `license`, `citation`, `aliases`)

    unknown-field models/vision/digits/model.yaml:3:1: a record has no field `metadate` (did you mean `metadata`?)

    unknown-field models/vision/digits/model.yaml:2:1: a record has no field `kinds` (did you mean `kind`?)

    unknown-field deployments/factory/digits.yaml:5:3: `spec` has no field `modle` (did you mean `model`?)

    missing-field deployments/factory/digits.yaml:13:5: `weight` is missing in item 1 of `steps` (add `weight`: The new version's share of the traffic, in percent; for `shadow`, the share that is copied, as in `weight: 5`)

    fields-conflict deployments/factory/digits.yaml:13:5: `steps` can't stand here: `recreate` and `rolling` have no steps (delete it)

    fields-conflict deployments/factory/digits.yaml:17:45: `tests` can't stand here: an analysis of source `prometheus` has `query` (delete it)

    missing-field deployments/factory/digits.yaml:16:3: neither `below` nor `atLeast` is there (give `below`, `atLeast`, or both)

    missing-field deployments/factory/digits.yaml:16:3: `url` is missing in item 1 of `analysis` (add `url`: Whom to ask; the answer is JSON, as in `url: http://quality.acme.example/line3.json`)

    wrong-value deployments/factory/digits.yaml:17:52: item 1 of `command` is empty (Some text, in one line or more)

    fields-conflict deployments/factory/digits.yaml:10:41: `header` and `cookie` can't stand together (give either `header` or `cookie`)

    missing-field deployments/factory/digits.yaml:10:3: neither `model` nor `container` is there (give either `model` or `container`)

    missing-field models/vision/digits/versions/1.1.0.yaml:23:9: neither `data` nor `file` is there (give either `data` or `file`)

    missing-field models/vision/digits/versions/1.2.0.yaml:33:9: neither `output` nor `file` is there (give either `output` or `file`)

    unknown-field modelyard.yaml:12:13: item 1 of `accept` has no field `keys` (did you mean `key`?)
    "#);
}

#[test]
fn values() {
    let all = [
        changed(V1_1, "lifecycle: released", "lifecycle: realeased"),
        changed(V1_1, "lifecycle: released", "lifecycle: true"),
        changed(V1_1, "version: \"17\"", "version: 17"),
        changed(V1_1, "size: 20480", "size: \"20480\""),
        changed(V1_1, "size: 20480", "size: -1"),
        changed(V1_1, "size: 20480", "size:"),
        changed(V1_1, "sha256:bbbb", "sha256:BBBB"),
        changed(V1_1, "targetDevices: [cpu, cuda]", "targetDevices: cpu"),
        changed(
            V1_1,
            "targetDevices: [cpu, cuda]",
            "targetDevices: [cpu, 3]",
        ),
        changed(
            V1_1,
            "datatype: FP32, shape: [-1, 64]",
            "datatype: fp32, shape: [-1, 64]",
        ),
        changed(
            V1_1,
            "datatype: FP32, shape: [-1, 64]",
            "datatype: FP32, shape: [-2, 64]",
        ),
        changed(V1_1, "file: tests/one.json", "file: ../../tests/one.json"),
        changed(V1_1, "file: tests/one.json", "file: \"\""),
        changed(
            V1_1,
            "metadata: {namespace: vision",
            "metadata: {namespace: Vision",
        ),
        changed(V1_2, "version: ^1,", "version: \"^1.x.y\","),
        changed(
            DIGITS,
            "apiVersion: modelyard.dev/v1",
            "apiVersion: modelyard.dev/v2",
        ),
        changed(DIGITS, "license: Apache-2.0", "license: Apache 2"),
        changed(DIGITS, "champion:", "Champion:"),
        changed(DIGITS, "owners: [{team: vision}]", "owners: []"),
        changed(DIGITS, "owners: [{team: vision}]", "owners: vision"),
        changed(SERVED, "for: 10m", "for: 10"),
        changed(SERVED, "weight: 50", "weight: 101"),
        changed(SERVED, "tests: [a one]", "tests: some"),
        changed(FACTORY, "type: process", "type: docker"),
        changed(FACTORY, "cpu: \"4\"", "cpu: four"),
    ];
    insta::assert_snapshot!(all.join("\n\n"), @r#"
    wrong-value models/vision/digits/versions/1.1.0.yaml:5:14: `lifecycle` can't be `realeased` (did you mean `released`?)

    wrong-value models/vision/digits/versions/1.1.0.yaml:5:14: `lifecycle` can't be `true` (there are `staged`, `released`, `deprecated`, `retired`, `recycled`)

    wrong-type models/vision/digits/versions/1.1.0.yaml:11:33: `version` has to be a text, but this is the number `17` (put it in quotes, as in `"17"`)

    wrong-type models/vision/digits/versions/1.1.0.yaml:10:11: `size` has to be a whole number, but this is the text `20480` (write it without quotes)

    wrong-value models/vision/digits/versions/1.1.0.yaml:10:11: `size` has to be 0 or more

    wrong-type models/vision/digits/versions/1.1.0.yaml:10:5: `size` has to be a whole number, but this is nothing (write a value behind the `:`, or delete the line)

    invalid-digest models/vision/digits/versions/1.1.0.yaml:9:13: `sha256:BBBBbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb` is not a digest: it has to be `sha256:` and 64 lower-case hexadecimal digits (copy the digest from `modelyard show` or `modelyard inspect`)

    wrong-type models/vision/digits/versions/1.1.0.yaml:12:18: `targetDevices` has to be a list, but this is the text `cpu` (write it as a list, as in `[cpu]`)

    wrong-type models/vision/digits/versions/1.1.0.yaml:12:24: item 2 of `targetDevices` has to be a text, but this is the number `3` (put it in quotes, as in `"surface-defects"`)

    wrong-value models/vision/digits/versions/1.1.0.yaml:14:31: `datatype` can't be `fp32` (did you mean `FP32`?)

    wrong-value models/vision/digits/versions/1.1.0.yaml:14:45: item 1 of `shape` has to be -1 or more

    invalid-value models/vision/digits/versions/1.1.0.yaml:23:70: `../../tests/one.json` is not a relative path: it has `.` or `..` as a part (write a relative path as in `tests/clean.json`)

    invalid-value models/vision/digits/versions/1.1.0.yaml:23:70: `` is not a relative path: it is empty (write a relative path as in `tests/clean.json`)

    invalid-name models/vision/digits/versions/1.1.0.yaml:3:23: `Vision` is not a name: only a-z, 0-9, `-`, `_` and `.` may be in it (use lower-case letters, digits and single `-`, `_` or `.` between them, as in `surface-defects`)

    invalid-reference models/vision/digits/versions/1.2.0.yaml:31:53: `^1.x.y` is not a version, a range or an alias (write a version (`1.4.0`), a range (`^1.2`), an alias (`champion`) or, behind `@`, a digest (`@sha256:…`))

    wrong-value models/vision/digits/model.yaml:1:13: `apiVersion` has to be `modelyard.dev/v1`, but this is `modelyard.dev/v2` (write `modelyard.dev/v1`)

    invalid-value models/vision/digits/model.yaml:8:12: `Apache 2` is not an SPDX licence expression: unknown term (write an SPDX licence expression as in `Apache-2.0`)

    invalid-alias models/vision/digits/model.yaml:10:5: `Champion` is not an alias: it has to begin with a lower-case letter (use a word such as `champion` or `line-3`)

    wrong-value models/vision/digits/model.yaml:6:11: `owners` is an empty list (add an item, or delete the field if it may be absent)

    wrong-type models/vision/digits/model.yaml:6:11: `owners` has to be a list, but this is the text `vision` (write it as a list, as in `[vision]`)

    wrong-type deployments/factory/digits.yaml:14:27: `for` has to be a text, but this is the number `10` (put it in quotes, as in `"10m"`)

    wrong-value deployments/factory/digits.yaml:15:18: `weight` has to be 100 or less

    wrong-value deployments/factory/digits.yaml:17:48: `tests` has to be `all`, but this is `some` (write `all`)

    wrong-value environments/factory.yaml:5:18: `type` can't be `docker` (there are `process`, `container`, `kubernetes`, `edge`)

    invalid-value environments/factory.yaml:7:24: `four` is not an amount of a resource: it has to be a number, with or without a suffix such as `m`, `k` or `Gi` (write an amount of a resource as in `500m`)
    "#);
}

#[test]
fn all_that_is_wrong_is_told_in_one_run_in_the_order_of_the_files() {
    let said = said(edited(
        &sound(),
        &[
            Swap(V1_1, "lifecycle:", "lifecyle:"),
            Swap(V1_1, "size: 20480", "size: many"),
            Swap(FACTORY, "type: process", "type: docker"),
            Swap(SERVED, "pool: cpu", "pool: cpus"),
            Swap(DIGITS, "license:", "license: \"\"\n  license:"),
        ],
    ));
    insta::assert_snapshot!(said.join("\n"), @r#"
    wrong-value environments/factory.yaml:5:18: `type` can't be `docker` (there are `process`, `container`, `kubernetes`, `edge`)
    invalid-value models/vision/digits/model.yaml:8:12: `` is not an SPDX licence expression: empty expression (write an SPDX licence expression as in `Apache-2.0`)
    duplicate-key models/vision/digits/model.yaml:9:3: the key `license` stands here again (keep one of the two)
    unknown-field models/vision/digits/versions/1.1.0.yaml:5:3: `spec` has no field `lifecyle` (did you mean `lifecycle`?)
    wrong-type models/vision/digits/versions/1.1.0.yaml:10:11: `size` has to be a whole number, but this is the text `many`
    "#);
}
