//! Samples of every type of record, made of bytes.
//!
//! Each struct is made by naming all its fields, so a field that is added and not sampled does
//! not compile. Texts are what schemas take where only schemas bound them.

use std::collections::BTreeMap;

use modelyard::record::kind::*;
use modelyard::record::{
    Alias, Digest, Lifecycle, ModelName, Name, Record, Repository, Selector, Version,
};
use serde_json::{Map, Value, json};

/// Where samples take their choices from.
pub(super) enum Choices<'a> {
    /// From these bytes, then always the first choice.
    Bytes(&'a [u8]),
    /// Everything that can be there is, twice where there can be several; a seed chooses the rest.
    Everything(u64),
    /// Nothing is there that need not be.
    Nothing,
}

impl Choices<'_> {
    /// One of `count` choices.
    fn choose(&mut self, count: usize) -> usize {
        match self {
            Self::Bytes([first, rest @ ..]) => {
                let choice = usize::from(*first) % count;
                *self = Self::Bytes(rest);
                choice
            }
            Self::Bytes([]) | Self::Nothing => 0,
            Self::Everything(seed) => {
                // A linear congruential generator: its high bits choose.
                *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                usize::try_from(*seed >> 33).expect("31 bits") % count
            }
        }
    }

    fn several(&mut self) -> usize {
        match self {
            Self::Everything(_) => 2,
            _ => self.choose(3),
        }
    }

    fn is_there(&mut self) -> bool {
        match self {
            Self::Everything(_) => true,
            _ => self.choose(2) == 1,
        }
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.choose(choices.len())].clone()
    }
}

pub(super) trait Sample {
    fn sample(source: &mut Choices<'_>) -> Self;
}

impl<T: Sample> Sample for Option<T> {
    fn sample(source: &mut Choices<'_>) -> Self {
        source.is_there().then(|| T::sample(source))
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(source: &mut Choices<'_>) -> Self {
        (0..source.several()).map(|_| T::sample(source)).collect()
    }
}

impl<K: Sample + Ord, V: Sample> Sample for BTreeMap<K, V> {
    fn sample(source: &mut Choices<'_>) -> Self {
        (0..source.several())
            .map(|_| (K::sample(source), V::sample(source)))
            .collect()
    }
}

impl Sample for Map<String, Value> {
    fn sample(source: &mut Choices<'_>) -> Self {
        (0..source.several())
            .map(|_| (String::sample(source), Value::sample(source)))
            .collect()
    }
}

macro_rules! choices {
    ($($type:ty: [$($choice:expr),+ $(,)?];)+) => {$(
        impl Sample for $type {
            fn sample(source: &mut Choices<'_>) -> Self {
                source.of(&[$($choice),+])
            }
        }
    )+};
}

macro_rules! texts {
    ($($type:ty: [$($text:literal),+ $(,)?];)+) => {$(
        impl Sample for $type {
            fn sample(source: &mut Choices<'_>) -> Self {
                let text = source.of(&[$($text),+]);
                text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
            }
        }
    )+};
}

macro_rules! words {
    ($($type:ty)+) => {$(
        impl Sample for $type {
            fn sample(source: &mut Choices<'_>) -> Self {
                source.of(&<$type>::ALL)
            }
        }
    )+};
}

macro_rules! structs {
    ($($type:ident { $($field:ident),* $(,)? })+) => {$(
        impl Sample for $type {
            fn sample(source: &mut Choices<'_>) -> Self {
                $type { $($field: Sample::sample(source)),* }
            }
        }
    )+};
}

choices! {
    bool: [false, true];
    u8: [0, 5, 100];
    u32: [1, 2, 63];
    u64: [0, 200, 1_000_000_000];
    Value: [json!(0.5), json!(3), json!(true), json!("~"), json!("1.0")];
    Finite: [
        Finite::try_from(1.0).unwrap(),
        Finite::try_from(0.973).unwrap(),
        Finite::try_from(1e-7).unwrap(),
        Finite::try_from(1e300).unwrap(),
    ];
    // What a fixed shape and one with any size have in common: no shape of a request is open.
    Shape: [
        Shape::default(),
        Shape::try_from(vec![1, 3, 224, 224]).unwrap(),
        Shape::try_from(vec![0]).unwrap(),
    ];
    jiff::Timestamp: [
        jiff::Timestamp::UNIX_EPOCH,
        jiff::Timestamp::new(1_793_525_400, 120_000_000).unwrap(),
    ];
    CommandLine: [
        CommandLine::try_from(vec!["echo".to_owned(), "0.01".to_owned()]).unwrap(),
        CommandLine::try_from(vec!["yes".to_owned(), String::new(), "a\n\tb".to_owned()]).unwrap(),
    ];
    Arguments: [
        Arguments::default(),
        Arguments::try_from(vec!["--at={host}:{port}".to_owned(), String::new()]).unwrap(),
    ];
    ReleaseRequirement: [ReleaseRequirement::Inputs, ReleaseRequirement::LineageSource];
}

texts! {
    String: [
        "a", "1.0", "yes", "null", "~", "0x10", "a: b", "a #b", "- a", "é", "1e3", "true", "a\\b",
        "\"a\"", "'a'", "{a}", "[a]", "*a", "2026-11-01", " a ", "🙂", "x y", "@a", "a,b",
    ];
    Name: ["a", "vision", "a-b.c_d", "3d", "0", "1.0", "null", "1e3"];
    ModelName: ["vision/defects", "0/1"];
    Version: ["1.4.0", "0.0.0", "2.0.0-rc.1"];
    Selector: ["1.4.0", "^1.2", "champion", ">=1, <3", "1.*", "*"];
    Digest: ["sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"];
    Alias: ["champion", "n", "null", "line-3"];
    Repository: ["registry.example.com:5000/acme/models", "oci-layout:./store", "localhost/a"];
    License: ["Apache-2.0", "MIT OR (Apache-2.0 AND BSD-3-Clause)", "LicenseRef-acme"];
    Span: ["10m", "0s", "250ms", "30d", "999999999h"];
    Quantity: ["500m", "16", "4Gi", "0.5", "1.5Ki"];
    WebUrl: ["https://example.com", "http://127.0.0.1:5000/a?b=c#d"];
    Address: ["https://git.example.com/a.git", "git@git.example.com:a/b.git", "s3://data/line3"];
    RelativePath: ["a", "tests/clean.json", "models/", "ä b", "1.0", "- a"];
    Orcid: ["0000-0002-1825-0097", "0000-0002-1694-233X"];
    Doi: ["10.5281/zenodo.123"];
    Subject: ["team:vision", "user:a.person@example.com"];
    CommitId: [
        "4f2c1e9b7a6d5c4b3a2918070605040302010f0e",
        "1234567890123456789012345678901234567e89",
        "1234567890123456789012345678901234567890",
    ];
    LabelKey: ["line", "acme.example/line", "3"];
    LabelValue: ["3", "", "a_b", "true"];
    VariableName: ["TOKEN", "_", "Y"];
    SecretKey: ["token", "tls.key", "1"];
    RoutePath: ["/defects", "/v1/a.b~c"];
    HeaderName: ["x-session", "1", "~"];
    CookieName: ["seat", "__seat", "1", "~"];
    JsonPointer: ["/data/error_rate", "", "/a~1b/0", "/ "];
    ModelPattern: ["*", "vision/*", "*/{a,b}", "[ab]?/c"];
    ImageReference: [
        "registry.example.com/a:1@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    ];
    Transition: ["staged -> released", "recycled -> retired"];
}

words! {
    AllTests AnalysisSource BaseRelation Color Datatype Drift ForgeType ImagePurpose Kind Layout Lifecycle
    PlanMismatch PublishMode Role RolloutAction ScaleMetric ScanVerdict Serving Severity SourceType
    StrategyType Visibility WriteBack
}

structs! {
    Named { name }
    ModelMetadata { namespace, name, labels }
    ModelVersionMetadata { namespace, name, version }
    DeploymentMetadata { name, environment }

    Store { name, repository }
    Trust { rules }
    TrustRule { matching, require, accept }
    TrustMatch { models, lifecycle }
    Requirement { signatures, attestations, scan, formats }
    FormatRule { deny }
    KeySigner { key, not_before, not_after, revoked }
    KeylessSigner { keyless }
    KeylessIdentity { issuer, identity }
    Access { subjects, role, models }
    Vocabularies { technology, category, input_data_type, application_domain, task }
    Releases { require }
    Forge { forge_type, url }
    Publish { mode }
    Retention { recycled, rollback_window }
    SecretVariable { env }
    StoredSecret { secret, key }

    Owner { team, contact }
    Classification { technology, category, input_data_type, application_domain, task }
    Citation { authors, doi, references }
    Author { name, orcid }

    Link { title, url }
    Artifact { repository, digest, size }
    VersionImage { purpose, repository, digest }
    Format { name, version, code }
    Framework { name, version }
    Entrypoint { file, function }
    Tensor { name, datatype, shape, description, image, labels }
    ImageEncoding { layout, color, scale, mean, std }
    Parameter { name, datatype, default, required, description }
    DefaultRuntime { name, version, args }
    CodeEnvironment { language, version, requirements }
    Dependencies { build, run, models }
    Package { name, version }
    ModelDependency { name, produced_by }
    Producer { model, version, product }
    Metric { name, value, dataset, split, device, higher_is_better, score }
    Lineage { source, run, datasets, base }
    TrainingSource { repository, commit, path }
    TrainingRun { system, id, url }
    Dataset { name, uri, digest }
    BaseModel { name, relation, uri }
    Imported { from, place, reference, revision, stage, aliases, unmapped }
    GoldenTest { name, request, expect }

    Pool { name, cpu, memory, gpu, selector }
    Approvals { required, from }
    EnvironmentRequirement { lifecycle, tests, scan }

    Share { model, version, weight, pool }
    Resources { requests, limits }
    ResourceAmounts { cpu, memory, gpu }
    Runtime { name, version, args, env, secrets }
    SecretEnvironment { env, from }
    ModelCoprocessor { model, version }
    ContainerCoprocessor { container }
    Container { image }
    Route { path, sticky }
    Health { timeout }
    Rollback { auto, window, write_back }
    RolloutWord { digest, step, action }
    Step { weight, duration, analysis, approval }

    PolicyMatch { kinds, transitions }
    Gate { name, expr, message, severity }
}

/// At least one.
fn some<T: Sample>(source: &mut Choices<'_>) -> Vec<T> {
    let mut items = Vec::sample(source);
    if items.is_empty() {
        items.push(T::sample(source));
    }
    items
}

/// No two the same.
fn unique<T: PartialEq>(items: &mut Vec<T>) {
    let all = std::mem::take(items);
    for item in all {
        if !items.contains(&item) {
            items.push(item);
        }
    }
}

mod fitted;

pub(super) use fitted::record;
