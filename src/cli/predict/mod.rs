//! `modelyard predict`: asks a version for predictions, of one request or of a whole file.

mod answer;
mod formats;
mod written;

use std::io::Read;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::ValueEnum;
use url::Url;

use self::formats::{FormatError, InputFormat};
use super::host::{HostArguments, NeverServed};
use super::served::ServedArguments;
use super::{Context, Outcome, completions};
use crate::ops::codes;
use crate::ops::predict::file::{Job, OnError, Who, predict_file};
use crate::ops::predict::{self, Input, Keep, Origin};
use crate::platform::atomic::{self, FileError};
use crate::record::{Failure, ModelReference, Name};
use crate::target::runtime::Client;
use crate::yard::{Yard, blocking};

/// The largest request: what a runtime takes at once.
const MAX_INPUT_BYTES: u64 = 64 * 1024 * 1024;

/// Ask a version for predictions, or what is deployed
///
/// The version is fetched and verified as by `pull`, started for the purpose, and asked; with
/// --environment or --gateway, what is deployed of the model is asked instead.
///
/// What is sent is a request of the Open Inference Protocol (JSON), or the rows of a file: CSV,
/// TSV, JSON Lines, Parquet, or a folder of PNG and JPEG images. Its columns become tensors by the
/// inputs that the version registers: an input is the column of its name, which may have lists, or
/// the columns NAME.0, NAME.1 and so on; each row is one sample. An image becomes the tensor that
/// its input's shape and `image` register.
///
/// With --to, a whole file gives a whole file: a row for each row, in the same order, its outputs
/// in columns NAME, or NAME.0, NAME.1 and so on; beside a class number whose labels are registered
/// stands NAME.label. Memory does not grow with the file. A run that was broken off goes on where
/// it was when the same command is run again; FILE is there only once it is whole.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard predict vision/digits -f request.json
  modelyard predict vision/digits -f request.json --environment host
  MODELYARD_TOKEN=… modelyard predict vision/digits -f request.json --gateway https://host:8443
  modelyard predict health/diabetes-progression:1.0.0 -f patients.csv
  modelyard predict health/diabetes-progression -f patients.parquet --to progression.parquet --keep id
  modelyard predict vision/digits -f scans/ --to digits.csv --on-error skip
  zcat rows.jsonl.gz | modelyard predict vision/digits -f - --input-format jsonl --to digits.jsonl
  jq … | modelyard predict vision/digits:champion -f - --output json")]
pub(super) struct Arguments {
    /// Which version: `<namespace>/<name>`, with a version, range or alias behind `:` or a digest
    /// behind `@`; the newest released one if nothing is said
    #[arg(value_name = "REF", add = completions::references())]
    reference: ModelReference,
    /// What to send: a file, a folder of images, or `-` for standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// What it is; told by its name if it is left out, and JSON if that tells nothing
    #[arg(long, alias = "input", value_enum, value_name = "FORMAT")]
    input_format: Option<InputFormat>,
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
    whole: WholeArguments,
    #[command(flatten)]
    served: ServedArguments,
}

/// How a whole file is answered.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "A whole file")]
struct WholeArguments {
    /// Write a row of answers for each row into this file: .csv, .tsv, .jsonl or .parquet
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Columns of the input that go into the result, too, `COLUMN` or `COLUMN=NAME` for another
    /// name there; '*' is all of them. Of an image it is always its path, as `file`
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', requires = "to")]
    keep: Vec<Keep>,
    /// How many rows are asked in one request, where the registered inputs leave it open
    #[arg(long, value_name = "ROWS", default_value = "128", requires = "to")]
    batch_size: NonZeroU16,
    /// How many requests are under way at once
    #[arg(long, value_name = "REQUESTS", default_value = "4", requires = "to")]
    parallel: NonZeroU16,
    /// What happens at a row that can't be answered
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value = "stop",
        requires = "to"
    )]
    on_error: WhenWrong,
    /// Begin anew, whatever an earlier run has done, and replace FILE if it is there
    #[arg(long, requires = "to")]
    restart: bool,
}

/// What happens at a row that can't be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WhenWrong {
    /// End there; the same command goes on once the row is mended
    Stop,
    /// Leave it out, tell it in FILE.errors.jsonl, and exit with 1 at the end
    Skip,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let path = context.path(&self.file);
        let told = || match self.origin(context) {
            Origin::Path(_) => InputFormat::told_by(&path),
            Origin::Stdin => InputFormat::Json,
        };
        let format = self.input_format.unwrap_or_else(told);
        if let Some(to) = &self.whole.to {
            let job = self.job(context, format, to)?;
            return self.whole_file(context, &job).await;
        }
        let input = match format.rows() {
            Some(rows) => Input::Rows(self.origin(context), rows),
            None => Input::Request(read(&self.file, &context.directory).await?),
        };
        let yard = self.served.yard(context).await?;
        if let Some((client, name)) = self.asked(context, &yard)? {
            let asked = predict::predict_deployed(&yard, &self.reference, &input, &client, &name);
            context.print(&asked.await?)?;
            return Ok(Outcome::Done);
        }
        let starting = self.served.starting(context)?;
        let stores = self.served.stores(context);
        let cache = ServedArguments::cache(context);
        let ground = ServedArguments::ground(context, &stores, &cache);
        let prediction =
            predict::predict(&yard, &self.reference, &input, &starting, &ground).await?;
        context.print(&prediction)?;
        Ok(Outcome::Done)
    }

    fn origin(&self, context: &Context) -> Origin {
        match &self.file {
            file if file == Path::new("-") => Origin::Stdin,
            file => Origin::Path(context.path(file)),
        }
    }

    /// What is to be answered, and where to.
    fn job(&self, context: &Context, format: InputFormat, to: &Path) -> Result<Job, FormatError> {
        let one_request = || FormatError::OneRequest(self.file.display().to_string());
        let whole = &self.whole;
        Ok(Job {
            origin: self.origin(context),
            input: format.rows().ok_or_else(one_request)?,
            to: context.path(to),
            output: formats::result(to)?,
            keep: whole.keep.clone(),
            batch_size: whole.batch_size.get().into(),
            parallel: whole.parallel.get().into(),
            on_error: match whole.on_error {
                WhenWrong::Stop => OnError::Stop,
                WhenWrong::Skip => OnError::Skip,
            },
            restart: whole.restart,
        })
    }

    async fn whole_file(&self, context: &Context, job: &Job) -> Result<Outcome, Failure> {
        let yard = self.served.yard(context).await?;
        let stores = self.served.stores(context);
        let cache = ServedArguments::cache(context);
        let ground = ServedArguments::ground(context, &stores, &cache);
        let deployed = self.asked(context, &yard)?;
        let starting = self.served.starting(context)?;
        let who = match &deployed {
            Some((client, name)) => Who::Deployed(client, name),
            None => Who::Version(&starting),
        };
        let written = predict_file(&yard, &self.reference, job, who, &ground).await;
        let written = written.inspect_err(|failure| {
            let is_of_another =
                [&codes::BEGUN_OTHERWISE, &codes::RESULT_IN_USE].contains(&failure.code());
            if job.is_begun() && !is_of_another {
                context.note("what is done is kept: the same command goes on from there");
            }
        })?;
        context.print(&written)?;
        match written.failed {
            0 => Ok(Outcome::Done),
            _ => Ok(Outcome::Problems),
        }
    }

    /// The gateway that is to be asked, and for which deployment, if one is.
    fn asked(&self, context: &Context, yard: &Yard) -> Result<Option<(Client, Name)>, Failure> {
        let Some(gateway) = self.gateway_url(context, yard)? else {
            return Ok(None);
        };
        let client = Client::gateway(&gateway, context.variable("MODELYARD_TOKEN"))?;
        let name = self.deployment.as_ref();
        let name = name.unwrap_or(self.reference.model.name());
        Ok(Some((client, name.clone())))
    }

    fn gateway_url(&self, context: &Context, yard: &Yard) -> Result<Option<Url>, Failure> {
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
