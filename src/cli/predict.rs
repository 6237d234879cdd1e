//! `modelyard predict`: asks a version for a prediction.

use std::fmt::{self, Write};
use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::ValueEnum;
use serde::{Serialize, Serializer};
use serde_json::Value;
use url::Url;

use super::host::{HostArguments, NeverServed};
use super::served::ServedArguments;
use super::table::table;
use super::{Context, Outcome, Page, Report, completions};
use crate::ops::predict::{self, Input, Prediction};
use crate::platform::atomic::{self, FileError};
use crate::record::kind::Tensor;
use crate::record::{Failure, ModelReference, Name};
use crate::target::runtime::Client;
use crate::yard::{Yard, blocking};

/// The largest input: what a runtime takes in one request.
const MAX_INPUT_BYTES: u64 = 64 * 1024 * 1024;
/// How many elements of a sample are told to people; machines are told all.
const TOLD_ELEMENTS: usize = 16;
/// How many samples are told to people.
const TOLD_ROWS: usize = 1000;

/// Ask a version for a prediction, or what is deployed
///
/// The version is fetched and verified as by `pull`, started for the purpose, and asked once; with
/// --environment or --gateway, what is deployed of the model is asked instead. What is sent is a
/// request of the Open Inference Protocol (JSON), or a table (CSV) whose columns become tensors by
/// the inputs that the version registers: an input is the column of its name, or the columns NAME.0,
/// NAME.1 and so on; each row is one sample.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard predict vision/digits -f request.json
  modelyard predict vision/digits -f request.json --environment host
  MODELYARD_TOKEN=… modelyard predict vision/digits -f request.json --gateway https://host:8443
  modelyard predict health/diabetes-progression:1.0.0 -f patients.csv
  jq … | modelyard predict vision/digits:champion -f - --output json")]
pub(super) struct Arguments {
    /// Which version: `<namespace>/<name>`, with a version, range or alias behind `:` or a digest
    /// behind `@`; the newest released one if nothing is said
    #[arg(value_name = "REF", add = completions::references())]
    reference: ModelReference,
    /// What to send; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// What the file is; told by its name if it is left out
    #[arg(long, value_enum)]
    input: Option<Kind>,
    /// Ask what is deployed in this environment, which is served on this host
    #[arg(short, long, value_name = "NAME", conflicts_with = "gateway")]
    environment: Option<Name>,
    /// Where the state of that environment is kept, if the server was told so
    #[arg(long, value_name = "FOLDER", requires = "environment")]
    state: Option<PathBuf>,
    /// Ask what is deployed behind the gateway at this URL; the token that it wants is read from
    /// MODELYARD_TOKEN
    #[arg(long, value_name = "URL", env = "MODELYARD_GATEWAY")]
    gateway: Option<Url>,
    /// The deployment; the one of the model's name if it is left out
    #[arg(long, value_name = "NAME")]
    deployment: Option<Name>,
    #[command(flatten)]
    served: ServedArguments,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A request of the Open Inference Protocol
    Json,
    /// A table, its first line the names of its columns
    Csv,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let kind = self.input.unwrap_or_else(|| told_by_name(&self.file));
        let bytes = read(&self.file, &context.directory).await?;
        let input = match kind {
            Kind::Json => Input::Request(bytes),
            Kind::Csv => Input::Table(bytes),
        };
        let yard = self.served.yard(context).await?;
        if let Some(gateway) = self.asked(context, &yard)? {
            let client = Client::gateway(&gateway, context.variable("MODELYARD_TOKEN"))?;
            let name = self.deployment.as_ref();
            let name = name.unwrap_or(self.reference.model.name());
            let asked = predict::predict_deployed(&yard, &self.reference, &input, &client, name);
            context.print(&asked.await?)?;
            return Ok(Outcome::Done);
        }
        let starting = self.served.starting()?;
        let stores = self.served.stores(context);
        let cache = ServedArguments::cache(context);
        let ground = ServedArguments::ground(context, &stores, &cache);
        let prediction =
            predict::predict(&yard, &self.reference, &input, &starting, &ground).await?;
        context.print(&prediction)?;
        Ok(Outcome::Done)
    }
}

impl Arguments {
    /// The gateway that is to be asked, if one is.
    fn asked(&self, context: &Context, yard: &Yard) -> Result<Option<Url>, Failure> {
        let Some(environment) = &self.environment else {
            return Ok(self.gateway.clone());
        };
        let host = HostArguments::of(environment.clone(), self.state.clone());
        let status = host.status(context, yard)?;
        let listening = status.listening.ok_or(NeverServed {
            environment: environment.clone(),
        })?;
        let url = format!("http://{listening}");
        Ok(Some(url.parse().expect("an address makes a URL")))
    }
}

fn told_by_name(file: &Path) -> Kind {
    match file.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("csv") => Kind::Csv,
        _ => Kind::Json,
    }
}

async fn read(file: &Path, directory: &Path) -> Result<Bytes, Failure> {
    if file == Path::new("-") {
        return blocking(|| {
            let mut bytes = Vec::new();
            let mut input = std::io::stdin().lock().take(MAX_INPUT_BYTES + 1);
            let failed = FileError::at("read", "standard input");
            let large = FileError::at("read", "standard input");
            input.read_to_end(&mut bytes).map_err(failed)?;
            if bytes.len() as u64 > MAX_INPUT_BYTES {
                let reason = format!("it is larger than {MAX_INPUT_BYTES} bytes");
                return Err(large(std::io::Error::other(reason)).into());
            }
            Ok::<_, Failure>(bytes.into())
        })
        .await;
    }
    Ok(atomic::read_at_most(&directory.join(file), MAX_INPUT_BYTES)?.into())
}

impl Serialize for Prediction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl Report for Prediction {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let answer = self.to_json();
        let outputs: Vec<&Value> = answer["outputs"].as_array().into_iter().flatten().collect();
        let columns: Vec<(String, Vec<String>)> = outputs
            .iter()
            .map(|output| column(output, &self.outputs))
            .collect();
        let rows = columns
            .iter()
            .map(|(_, cells)| cells.len())
            .max()
            .unwrap_or(0);
        let head: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let cells = (0..rows.min(TOLD_ROWS)).map(|row| {
            let cell = |(_, cells): &(String, Vec<String>)| cells.get(row).cloned();
            columns
                .iter()
                .map(|column| cell(column).unwrap_or_default())
                .collect::<Vec<_>>()
        });
        page.write_str(&table(&head, cells))?;
        if let Some(more @ 1..) = rows.checked_sub(TOLD_ROWS) {
            writeln!(page, "and {more} more; `--output json` tells all")?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let outputs = self.answer.outputs.iter();
        outputs.map(|output| output.name.clone()).collect()
    }
}

/// An output's name, and a cell for each sample.
fn column(output: &Value, registered: &[Tensor]) -> (String, Vec<String>) {
    let name = output["name"].as_str().unwrap_or_default();
    let registered = registered.iter().find(|registered| registered.name == name);
    let labels = registered.map_or(&[][..], |registered| &registered.labels);
    let data: &[Value] = output["data"].as_array().map_or(&[], Vec::as_slice);
    let samples = match output["shape"][0].as_u64() {
        Some(samples) => usize::try_from(samples).unwrap_or(usize::MAX),
        None => 1,
    };
    let width = data.len().checked_div(samples).unwrap_or(0).max(1);
    let cells = data.chunks(width).map(|sample| cell(sample, labels));
    (name.to_owned(), cells.collect())
}

/// One sample's elements; numbers of classes by what they mean.
fn cell(sample: &[Value], labels: &[String]) -> String {
    let told = |value: &Value| {
        let number = value
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        let label = number.and_then(|number| labels.get(number));
        match (label, value) {
            (Some(label), _) => label.clone(),
            (None, Value::String(text)) => text.clone(),
            (None, value) => value.to_string(),
        }
    };
    let mut cells: Vec<_> = sample.iter().take(TOLD_ELEMENTS).map(told).collect();
    if sample.len() > TOLD_ELEMENTS {
        cells.push("…".to_owned());
    }
    cells.join(" ")
}
