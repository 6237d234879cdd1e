//! What the files of people's own libraries say of themselves; `README.md` tells which made them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use modelyard::artifact::pack::inspect::Description;
use modelyard::artifact::pack::pack;
use modelyard::platform::progress::Silent;
use modelyard::record::kind::Tensor;

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/artifact/formats/files")
}

fn described(folder: &Path) -> Description {
    pack(folder, &[], &Silent).unwrap().description
}

/// What the model `name` says, a line for each thing.
fn told(name: &str) -> String {
    text(&described(&files().join(name)))
}

fn text(description: &Description) -> String {
    let mut text = String::new();
    let Description {
        main,
        format,
        framework,
        precision,
        parameter_count,
        inputs,
        outputs,
        metadata,
        findings,
        ..
    } = description;
    if let Some(main) = main {
        writeln!(text, "{main}").unwrap();
    }
    let Some(format) = format else {
        return text + "no format\n";
    };
    write!(text, "{}", format.name).unwrap();
    if let Some(version) = &format.version {
        write!(text, " {version}").unwrap();
    }
    let code: Vec<_> = format
        .code
        .iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    writeln!(text, ", runs [{}]", code.join(", ")).unwrap();
    if let Some(framework) = framework {
        let version = framework.version.as_deref().unwrap_or("?");
        writeln!(text, "by {} {version}", framework.name).unwrap();
    }
    if precision.is_some() || parameter_count.is_some() {
        let precision = precision.as_ref().map_or("?", |name| name.as_str());
        writeln!(
            text,
            "{} weights of {precision}",
            parameter_count.unwrap_or(0)
        )
        .unwrap();
    }
    ports("in", inputs, &mut text);
    ports("out", outputs, &mut text);
    for (name, value) in metadata {
        writeln!(text, "{name} = {value}").unwrap();
    }
    for finding in findings {
        writeln!(text, "beware: {finding}").unwrap();
    }
    text
}

fn ports(way: &str, tensors: &[Tensor], text: &mut String) {
    for tensor in tensors {
        let Tensor {
            name,
            datatype,
            shape,
            description,
            ..
        } = tensor;
        let description = description.as_ref().map(|text| format!(" ({text})"));
        let description = description.unwrap_or_default();
        writeln!(text, "{way} {name} {datatype} {shape}{description}").unwrap();
    }
}

/// A copy of the model `name` without the file `left_out`.
fn without(name: &str, left_out: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(files().join(name)).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != left_out {
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
    }
    folder
}

#[test]
fn a_part_that_is_missing_is_told() {
    for (name, part) in [
        ("openvino", "model.bin"),
        ("safetensors-sharded", "model-00002-of-00002.safetensors"),
    ] {
        let told = text(&described(without(name, part).path()));
        let missing = format!("has weights in `{part}`, which is not among the files");
        assert!(told.contains(&missing), "{told}");
    }
}

#[test]
fn what_spark_calls_data_is_what_was_learned() {
    let packed = pack(&files().join("spark-ml"), &[], &Silent).unwrap();
    let roles = packed.layers.iter().map(|file| {
        let folder = file.path.as_str().rsplit('/').nth(1).unwrap_or_default();
        format!("{folder} {}", file.role)
    });
    let roles: BTreeSet<_> = roles.collect();
    assert!(roles.contains("data weight"), "{roles:?}");
    assert!(roles.contains("metadata weight.config"), "{roles:?}");
    assert!(!roles.contains("data dataset"), "{roles:?}");
}

#[test]
fn pickles_tell_their_class_and_who_made_it() {
    insta::assert_snapshot!(told("sklearn-joblib"), @r"
    model.joblib
    joblib, runs [joblib, pickle]
    by scikit-learn 1.9.1
    class = sklearn.ensemble._forest.RandomForestClassifier
    n_features_in_ = 4
    ");
    insta::assert_snapshot!(told("sklearn-joblib-zlib"), @r"
    model.joblib
    joblib, runs [joblib, pickle]
    by scikit-learn 1.9.1
    class = sklearn.linear_model._logistic.LogisticRegression
    n_features_in_ = 4
    ");
    insta::assert_snapshot!(told("sklearn-joblib-bzip2"), @r"
    model.joblib
    joblib, runs [joblib, pickle]
    beware: `model.joblib` was not looked at to its end, and can run code: what bzip2 compressed is not looked into
    ");
    insta::assert_snapshot!(told("sklearn-pickle"), @r"
    model.pkl
    pickle, runs [pickle]
    by scikit-learn 1.9.1
    class = sklearn.pipeline.Pipeline
    n_features_in_ = 4
    ");
}

#[test]
fn pickles_that_carry_or_call_code_are_told() {
    insta::assert_snapshot!(told("pickle-dangerous"), @r"
    model.pkl
    pickle, runs [pickle]
    beware: `model.pkl` imports `posix.system`: whoever loads it lets its maker do anything on that machine
    ");
    insta::assert_snapshot!(told("cloudpickle-lambda"), @r"
    python_model.pkl
    pickle, runs [cloudpickle, pickle]
    class = cloudpickle.cloudpickle._make_function
    ");
}

#[test]
fn boosted_trees_tell_their_features() {
    insta::assert_snapshot!(told("xgboost-json"), @r"
    model.json
    xgboost, runs []
    by xgboost 3.2.0
    in features FP32 [-1, 4] (length, width, depth, weight)
    out predict FP32 [-1, 3]
    booster = gbtree
    objective = multi:softprob
    ");
    insta::assert_snapshot!(told("xgboost-ubj"), @r"
    model.ubj
    xgboost, runs []
    by xgboost 3.2.0
    in features FP32 [-1, 4]
    out predict FP32 [-1]
    booster = gbtree
    objective = reg:squarederror
    ");
    insta::assert_snapshot!(told("xgboost-binary"), @r"
    model.bst
    xgboost, runs []
    by xgboost 2.1
    in features FP32 [-1, 4]
    out predict FP32 [-1]
    booster = gbtree
    objective = binary:logistic
    ");
    insta::assert_snapshot!(told("lightgbm"), @r"
    model.txt
    lightgbm v4, runs []
    by lightgbm ?
    in features FP64 [-1, 4] (length, width, depth, weight)
    out predict FP64 [-1, 3]
    num_class = 3
    objective = multiclass num_class:3
    ");
    insta::assert_snapshot!(told("catboost"), @r"
    model.cbm
    catboost, runs []
    by catboost ?
    ");
}

#[test]
fn weights_are_counted() {
    insta::assert_snapshot!(told("safetensors"), @r"
    model.safetensors
    safetensors, runs []
    by pytorch ?
    15 weights of fp16
    format = pt
    ");
    insta::assert_snapshot!(told("safetensors-sharded"), @r"
    safetensors, runs [remote-code]
    by pytorch ?
    50 weights of fp32
    architectures = OwnForClassification
    format = pt
    model_type = own
    transformers_version = 4.57.0
    ");
    insta::assert_snapshot!(told("gguf"), @r"
    model.gguf
    gguf 3, runs []
    128 weights of q8_0
    general.architecture = llama
    general.license = apache-2.0
    general.name = Small
    llama.context_length = 2048
    ");
    insta::assert_snapshot!(told("pytorch-zip"), @r"
    model.pt
    pytorch 3, runs [pickle]
    by pytorch ?
    15 weights of fp32
    class = collections.OrderedDict
    ");
    insta::assert_snapshot!(told("pytorch-old"), @r"
    pytorch_model.bin
    pytorch, runs [pickle]
    by pytorch ?
    15 weights of fp32
    class = collections.OrderedDict
    ");
}

#[test]
fn keras_tells_its_layers() {
    insta::assert_snapshot!(told("keras"), @r"
    model.keras
    keras, runs []
    by keras 3.15.1
    in features FP32 [-1, 4]
    out label FP32 [-1, 3]
    ");
    insta::assert_snapshot!(told("keras-lambda"), @r"
    model.keras
    keras, runs [keras-lambda]
    by keras 3.15.1
    in features FP32 [-1, 4]
    out label FP32 [-1, 3]
    ");
    insta::assert_snapshot!(told("keras-h5"), @r"
    model.h5
    keras, runs []
    by keras ?
    in features FP32 [-1, 4]
    ");
}

#[test]
fn tensorflow_tells_its_signature_and_what_reaches_outside() {
    insta::assert_snapshot!(told("saved-model"), @r"
    saved_model.pb
    tensorflow, runs [saved-model]
    by tensorflow 2.21.0
    15 weights of fp32
    in features FP32 [-1, 4]
    out label INT64 [-1]
    signatures = serving_default
    tags = serve
    ");
    insta::assert_snapshot!(told("saved-model-python"), @r"
    saved_model.pb
    tensorflow, runs [saved-model]
    by tensorflow 2.21.0
    in x FP32 [-1]
    out known BYTES []
    out y FP32 [-1]
    signatures = serving_default
    tags = serve
    beware: `saved_model.pb` uses `PyFunc`, `ReadFile`, which reach files and programs outside the model
    ");
}

#[test]
fn graphs_and_tables_tell_their_fields() {
    insta::assert_snapshot!(told("openvino"), @r"
    model.xml
    openvino 11, runs []
    12 weights of fp16
    in image FP32 [-1, 4]
    out scores FP32 [-1, 3]
    info = 2026.4.1-22982-e213a147257-releases/2026/4
    model_info.labels = ok dent scratch
    model_info.model_type = Classification
    name = small
    ");
    insta::assert_snapshot!(told("pmml"), @r"
    model.pmml
    pmml 4.4, runs []
    by scikit-learn ?
    in length FP64 [-1]
    in width FP32 [-1]
    out species BYTES [-1]
    out probability(dent) FP64 [-1]
    out probability(ok) FP64 [-1]
    algorithmName = sklearn.tree._classes.DecisionTreeClassifier
    functionName = classification
    model = TreeModel
    producer = JPMML-SkLearn library 1.8.9
    ");
    insta::assert_snapshot!(told("h2o-mojo"), @r"
    model.zip
    h2o-mojo 1.40, runs []
    by h2o 3.46.0.6
    in length FP64 [-1]
    in width FP64 [-1]
    in line BYTES [-1]
    out predict BYTES [-1] (species)
    out dent FP64 [-1]
    out ok FP64 [-1]
    out scratch FP64 [-1]
    algo = gbm
    algorithm = Gradient Boosting Machine
    category = Multinomial
    mojo_version = 1.40
    n_features = 3
    supervised = true
    ");
}

#[test]
fn r_and_spark_tell_who_made_it() {
    insta::assert_snapshot!(told("rds"), @r"
    model.rds
    rds 3, runs [rds]
    by r 4.2.1
    ");
    insta::assert_snapshot!(told("spark-ml"), @r"
    model/metadata/part-00000-5a77fa90-d4e2-4d14-b88c-69c4e3ab00d8-c000.txt
    spark-ml, runs []
    by spark 4.3.0
    class = org.apache.spark.ml.PipelineModel
    ");
}
