//! A version, for people.

use std::fmt::{self, Write};

use super::served_by;
use crate::cli::Page;
use crate::cli::table::{Fields, joined, or_nothing, size, table, table_of_said, with_version};
use crate::ops::show::ShownVersion;
use crate::platform::redact::printable;
use crate::record::kind::{
    Dependencies, Lineage, Metric, ModelVersionSpec, Package, Parameter, Product, Tensor,
};
use crate::record::yaml::to_yaml;

pub(super) fn text(shown: &ShownVersion, page: &mut Page) -> fmt::Result {
    let spec = &shown.record.spec;
    let (model, version) = (&shown.model, &shown.version);
    writeln!(page, "{model}:{version}  {}", spec.lifecycle)?;
    page.write_str(&about(shown))?;
    tensors("INPUT", &spec.inputs, page)?;
    tensors("OUTPUT", &spec.outputs, page)?;
    parameters(&spec.parameters, page)?;
    metrics(&spec.metrics, page)?;
    if let Some(dependencies) = &spec.dependencies {
        needs(dependencies, page)?;
    }
    served_by(&shown.deployments, page)?;
    lacking(shown, page)
}

fn about(shown: &ShownVersion) -> String {
    let spec = &shown.record.spec;
    let mut fields = Fields::default();
    fields.add_all("aliases", &shown.aliases);
    fields.add_some("changes", spec.changes.as_ref());
    fields.add_some("notes", spec.notes.as_ref());
    fields.add_all(
        "links",
        spec.links
            .iter()
            .map(|link| format!("{} {}", link.title, link.url)),
    );
    fields.add_some("author", spec.author.as_ref());
    fields.add_some("created", spec.created_at);
    files(spec, &mut fields);
    if let Some(lineage) = &spec.lineage {
        self::lineage(lineage, &mut fields);
    }
    if let Some(imported) = &spec.imported {
        let from = imported.from.to_string();
        let reference = imported.reference.iter().cloned();
        fields.add_lines("imported", std::iter::once(from).chain(reference));
    }
    let tests = spec.tests.iter().map(|test| test.name.clone());
    fields.add_lines("tests", tests);
    fields.add("record", &shown.path);
    fields.into_text()
}

/// What the files are, and what is needed to use them.
fn files(spec: &ModelVersionSpec, fields: &mut Fields) {
    let format = &spec.format;
    let code = format.code.as_ref().map(|code| match code.as_slice() {
        [] => "nothing".to_owned(),
        code => joined(code),
    });
    fields.add(
        "format",
        &with_version(format.name.as_str(), format.version.as_ref()),
    );
    fields.add_some("runs code", code);
    let framework = spec.framework.as_ref();
    fields.add_some(
        "framework",
        framework.map(|framework| with_version(&framework.name, framework.version.as_ref())),
    );
    fields.add_some("precision", spec.precision.as_ref());
    let count = spec.parameter_count.map(indicatif::HumanCount);
    fields.add_some("weights", count);
    fields.add_all("devices", &spec.target_devices);
    let runtime = spec.runtime.as_ref();
    fields.add_some(
        "runtime",
        runtime.map(|runtime| with_version(runtime.name.as_str(), runtime.version.as_ref())),
    );
    fields.add_yaml("entrypoint", &spec.entrypoint);
    fields.add_yaml("environment", &spec.environment);
    fields.add_yaml("hyperparameters", &spec.hyperparameters);
    fields.add_yaml("properties", &spec.properties);
    fields.add_some("size", spec.artifact.size.map(size));
    fields.add("artifact", &spec.artifact.reference());
    let images = spec.images.iter();
    fields.add_lines(
        "images",
        images.map(|image| format!("{} {}", image.purpose, image.repository.at(image.digest))),
    );
}

fn lineage(lineage: &Lineage, fields: &mut Fields) {
    if let Some(source) = &lineage.source {
        let commit = source.commit.iter().map(|commit| format!("at {commit}"));
        let path = source.path.iter().map(ToString::to_string);
        let repository = source.repository.to_string();
        fields.add_lines(
            "source",
            std::iter::once(repository).chain(commit).chain(path),
        );
    }
    if let Some(run) = &lineage.run {
        let id = run.id.iter().map(|id| format!(" {id}")).collect::<String>();
        let url = run.url.iter().map(ToString::to_string);
        fields.add_lines(
            "run",
            std::iter::once(format!("{}{id}", run.system)).chain(url),
        );
    }
    for dataset in &lineage.datasets {
        let uri = dataset.uri.iter().map(ToString::to_string);
        let digest = dataset.digest.iter().map(ToString::to_string);
        let name = std::iter::once(dataset.name.clone());
        fields.add_lines("dataset", name.chain(uri).chain(digest));
    }
    for base in &lineage.base {
        let relation = base.relation.iter().map(ToString::to_string);
        let uri = base.uri.iter().map(ToString::to_string);
        let name = std::iter::once(base.name.clone());
        fields.add_lines("base", name.chain(relation).chain(uri));
    }
}

fn tensors(what: &str, tensors: &[Tensor], page: &mut Page) -> fmt::Result {
    /// More labels than these are told as how many there are.
    const TOLD_LABELS: usize = 12;
    if tensors.is_empty() {
        return Ok(());
    }
    let rows = tensors.iter().map(|tensor| {
        let labels = match tensor.labels.len() {
            0..=TOLD_LABELS => joined(&tensor.labels),
            count => format!("{count} labels"),
        };
        [
            tensor.name.clone(),
            tensor.datatype.to_string(),
            tensor.shape.to_string(),
            labels,
            or_nothing(tensor.description.as_ref()),
        ]
    });
    let headers = [what, "DATATYPE", "SHAPE", "LABELS", "DESCRIPTION"];
    write!(page, "\n{}", table_of_said(headers, rows))
}

fn parameters(parameters: &[Parameter], page: &mut Page) -> fmt::Result {
    if parameters.is_empty() {
        return Ok(());
    }
    let rows = parameters.iter().map(|parameter| {
        let required = parameter.required == Some(true);
        let default = parameter.default.as_ref();
        [
            parameter.name.clone(),
            parameter.datatype.to_string(),
            or_nothing(default.map(|value| to_yaml(value).trim_end().to_owned())),
            if required { "yes" } else { "no" }.to_owned(),
            or_nothing(parameter.description.as_ref()),
        ]
    });
    let headers = [
        "PARAMETER",
        "DATATYPE",
        "DEFAULT",
        "REQUIRED",
        "DESCRIPTION",
    ];
    write!(page, "\n{}", table_of_said(headers, rows))
}

fn metrics(metrics: &[Metric], page: &mut Page) -> fmt::Result {
    if metrics.is_empty() {
        return Ok(());
    }
    let rows = metrics.iter().map(|metric| {
        let better = metric
            .higher_is_better
            .map(|higher| if higher { "higher" } else { "lower" });
        let is_score = metric.score == Some(true);
        let score = if is_score { " (score)" } else { "" };
        [
            format!("{}{score}", metric.name),
            metric.value.to_string(),
            or_nothing(better),
            or_nothing(metric.dataset.as_ref()),
            or_nothing(metric.split.as_ref()),
            or_nothing(metric.device.as_ref()),
        ]
    });
    let headers = ["METRIC", "VALUE", "BETTER", "DATASET", "SPLIT", "DEVICE"];
    write!(page, "\n{}", table_of_said(headers, rows))
}

fn needs(needed: &Dependencies, page: &mut Page) -> fmt::Result {
    let package = |when: &'static str| {
        move |package: &Package| {
            let version = or_nothing(package.version.as_ref());
            [package.name.clone(), version, when.to_owned()]
        }
    };
    let models = needed.models.iter().map(|model| {
        let producer = &model.produced_by;
        let product = match &producer.product {
            Product::Output(output) => format!("its output {output}"),
            Product::File(file) => format!("its file {file}"),
        };
        let version = producer.version.as_ref();
        let version = or_nothing(version.map(|version| String::from(version.clone())));
        [producer.model.to_string(), version, product]
    });
    let run = needed.run.iter().map(package("to run"));
    let build = needed.build.iter().map(package("to build"));
    let rows: Vec<_> = run.chain(build).chain(models).collect();
    if rows.is_empty() {
        return Ok(());
    }
    write!(page, "\n{}", table(&["NEEDS", "VERSION", "FOR"], rows))
}

fn lacking(shown: &ShownVersion, page: &mut Page) -> fmt::Result {
    if shown.lacking.is_empty() {
        return writeln!(
            page,
            "\nIts record has all that is needed to make it again."
        );
    }
    writeln!(page, "\nTo be made again, its record lacks:")?;
    let mut fields = Fields::default();
    for lacking in &shown.lacking {
        fields.add(&printable(&lacking.field), lacking.what);
    }
    page.write_str(&fields.into_text())
}
