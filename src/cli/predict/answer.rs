//! An answer to one request, as it is printed.

use std::fmt::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::cli::table::table;
use crate::cli::{Page, Report};
use crate::ops::predict::Prediction;
use crate::record::kind::Tensor;

/// How many elements of a sample are told to people; machines are told all.
const TOLD_ELEMENTS: usize = 16;
/// How many samples are told to people.
const TOLD_ROWS: usize = 1000;

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
