//! Types with a rule between their fields that only a schema holds, and types that are a choice.

use super::*;

/// Makes the fields that a schema wants without repetition so.
macro_rules! fitted {
    ($($type:ident { $($field:ident),* $(,)? } $value:ident, $source:ident => $fit:block)+) => {$(
        impl Sample for $type {
            fn sample($source: &mut Choices<'_>) -> Self {
                #[allow(unused_mut, reason = "not every rule changes something")]
                let mut $value = $type { $($field: Sample::sample($source)),* };
                $fit
                $value
            }
        }
    )+};
}

fitted! {
    YardSpec {
        stores, trust, access, classification, releases, sources, forge, publish, retention,
    } yard, source => {
        yard.stores = some(source);
        unique(&mut yard.releases.require);
        for rule in &mut yard.trust.rules {
            unique(&mut rule.require.attestations);
            if let Some(formats) = &mut rule.require.formats {
                unique(&mut formats.deny);
            }
        }
        for access in &mut yard.access {
            access.subjects = some(source);
            unique(&mut access.subjects);
        }
        let words = &mut yard.classification;
        for vocabulary in [
            &mut words.technology,
            &mut words.category,
            &mut words.input_data_type,
            &mut words.application_domain,
            &mut words.task,
        ] {
            unique(vocabulary);
        }
    }
    Source {
        name, source_type, url, token, namespace, path, map, revision,
    } place, source => {
        if matches!(place.source_type, SourceType::Mlflow | SourceType::Git) {
            place.url = Some(Sample::sample(source));
        }
        if place.revision.is_some() {
            place.revision = Some(source.of(&["main", "v1.0", "1.0", "null"]).to_owned());
        }
    }
    ModelSpec {
        title, description, owners, visibility, classification, license, citation, aliases,
    } model, source => {
        model.owners = some(source);
    }
    ModelVersionSpec {
        lifecycle, changes, notes, links, author, created_at, artifact, images, format, framework,
        precision, parameter_count, target_devices, entrypoint, inputs, outputs, parameters, hyperparameters,
        properties, runtime, environment, dependencies, metrics, lineage, tests, imported,
    } version, source => {
        unique(&mut version.target_devices);
        if let Some(code) = &mut version.format.code {
            unique(code);
        }
        for metric in version.metrics.iter_mut().skip(1) {
            metric.score = None;
        }
        // Any size is for what a version takes and gives, never for what a test sends.
        for tensor in version.inputs.iter_mut().chain(&mut version.outputs) {
            if source.is_there() {
                tensor.shape = Shape::try_from(vec![-1, 3]).unwrap();
            }
        }
        for notes in [&mut version.changes, &mut version.notes].into_iter().flatten() {
            if source.is_there() {
                *notes = "One line.\n\n  - another\n".to_owned();
            }
        }
    }
    GoldenRequest { inputs, parameters } request, source => {
        request.inputs = some(source);
    }
    Expectation { outputs, tolerance } expectation, source => {
        expectation.outputs = some(source);
    }
    GoldenInput { name, shape, datatype, data, file } input, source => {
        match (&input.data, source.choose(5)) {
            (Some(_), 0 | 1) => input.file = None,
            _ => (input.data, input.file) = (None, Some(Sample::sample(source))),
        }
    }
    ExpectedOutput { name, shape, datatype, data, file } output, source => {
        match (&output.file, source.choose(5)) {
            (Some(_), 0 | 1) => output.data = None,
            _ => (output.data, output.file) = (Some(vec![json!([1, [2.5, true]])]), None),
        }
    }
    EnvironmentSpec { target, pools, approvals, plan_mismatch, requires } environment, source => {
        if let Some(approvals) = &mut environment.approvals {
            unique(&mut approvals.from);
        }
        if let Some(requires) = &mut environment.requires {
            unique(&mut requires.lifecycle);
        }
    }
    DeploymentSpec {
        model, version, split, pool, replicas, resources, runtime, before, after, route, strategy,
        analysis, rollback, health, drift, rollout, depends_on, suspend, restart,
    } deployment, source => {
        if source.choose(2) == 0 || deployment.split.is_empty() {
            deployment.split.clear();
            deployment.model = Some(Sample::sample(source));
        } else {
            (deployment.model, deployment.version) = (None, None);
        }
        unique(&mut deployment.depends_on);
    }
    Analysis {
        name, measure, below, at_least, interval, count, failure_limit, inconclusive_limit,
        consecutive_error_limit, min_samples,
    } analysis, source => {
        if analysis.below.is_none() && analysis.at_least.is_none() {
            analysis.at_least = Some(Sample::sample(source));
        }
    }
    Replicas { min, max, metric, target, scale_down_delay } replicas, source => {
        if replicas.metric.is_none() || replicas.target.is_none() {
            (replicas.metric, replicas.target) = (None, None);
        }
    }
    Strategy { strategy_type, steps } strategy, source => {
        match strategy.strategy_type {
            StrategyType::Recreate | StrategyType::Rolling => strategy.steps.clear(),
            StrategyType::Canary => strategy.steps = some(source),
            StrategyType::BlueGreen | StrategyType::Shadow => {}
        }
        for step in &mut strategy.steps {
            unique(&mut step.analysis);
            if strategy.strategy_type == StrategyType::Canary {
                step.weight = Some(Sample::sample(source));
            }
        }
    }
    PolicyTest { name, given, fails } test, source => {
        unique(&mut test.fails);
    }
    PolicySpec { matching, gates, tests } policy, source => {
        policy.gates = some(source);
        unique(&mut policy.matching.kinds);
        unique(&mut policy.matching.transitions);
    }
}

impl Sample for Stages {
    fn sample(source: &mut Choices<'_>) -> Self {
        if source.choose(2) == 0 {
            return Self::One(Sample::sample(source));
        }
        let mut stages = some(source);
        unique(&mut stages);
        Self::Several(stages)
    }
}

impl Sample for Signer {
    fn sample(source: &mut Choices<'_>) -> Self {
        match source.choose(2) {
            0 => Self::Key(Sample::sample(source)),
            _ => Self::Keyless(Sample::sample(source)),
        }
    }
}

impl Sample for SecretReference {
    fn sample(source: &mut Choices<'_>) -> Self {
        match source.choose(2) {
            0 => Self::Variable(Sample::sample(source)),
            _ => Self::Stored(Sample::sample(source)),
        }
    }
}

impl Sample for Product {
    fn sample(source: &mut Choices<'_>) -> Self {
        match source.choose(2) {
            0 => Self::Output(Sample::sample(source)),
            _ => Self::File(Sample::sample(source)),
        }
    }
}

impl Sample for Target {
    fn sample(source: &mut Choices<'_>) -> Self {
        match source.choose(4) {
            0 => Self::Process {},
            1 => Self::Container {},
            2 => Self::Edge {},
            _ => Self::Kubernetes {
                context: Sample::sample(source),
                namespace: source.is_there().then(|| "models-1".to_owned()),
                serving: Sample::sample(source),
            },
        }
    }
}

impl Sample for Coprocessor {
    fn sample(source: &mut Choices<'_>) -> Self {
        match source.choose(2) {
            0 => Self::Model(Sample::sample(source)),
            _ => Self::Container(Sample::sample(source)),
        }
    }
}

impl Sample for Sticky {
    fn sample(source: &mut Choices<'_>) -> Self {
        match source.choose(2) {
            0 => Self::Header(Sample::sample(source)),
            _ => Self::Cookie(Sample::sample(source)),
        }
    }
}

impl Sample for Measure {
    fn sample(source: &mut Choices<'_>) -> Self {
        match source.choose(5) {
            0 => Self::Gateway {
                metric: Sample::sample(source),
            },
            1 => Self::Prometheus {
                query: Sample::sample(source),
            },
            2 => Self::Golden {
                tests: Sample::sample(source),
            },
            3 => Self::Http {
                url: Sample::sample(source),
                pointer: Sample::sample(source),
            },
            _ => Self::Command {
                command: Sample::sample(source),
            },
        }
    }
}

impl Sample for TestChoice {
    fn sample(source: &mut Choices<'_>) -> Self {
        if source.choose(2) == 0 {
            return Self::All(AllTests::All);
        }
        let mut names = some(source);
        unique(&mut names);
        Self::Named(names)
    }
}

impl<S> Sample for Envelope<S>
where
    S: Spec + Sample,
    S::Metadata: Sample,
{
    fn sample(source: &mut Choices<'_>) -> Self {
        Self {
            metadata: Sample::sample(source),
            spec: Sample::sample(source),
        }
    }
}

/// A record of `kind`.
pub(in super::super) fn record(kind: Kind, source: &mut Choices<'_>) -> Record {
    match kind {
        Kind::Yard => Record::Yard(Sample::sample(source)),
        Kind::Model => Record::Model(Sample::sample(source)),
        Kind::ModelVersion => Record::ModelVersion(Sample::sample(source)),
        Kind::Environment => Record::Environment(Sample::sample(source)),
        Kind::Deployment => Record::Deployment(Sample::sample(source)),
        Kind::Policy => Record::Policy(Sample::sample(source)),
    }
}
