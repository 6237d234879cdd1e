//! How good versions are, measure by measure, and which is better.

use serde::Serialize;

use crate::record::Name;
use crate::record::kind::{Finite, Metric, ModelVersion};

/// One measure, with what came out for each version.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricLine {
    /// What is measured.
    pub name: String,
    /// With which data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// With which part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// On which device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Name>,
    /// Whether more is better, where the versions agree on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub higher_is_better: Option<bool>,
    /// Whether it is the score of one of them.
    pub score: bool,
    /// What came out for each version.
    pub values: Vec<Option<Finite>>,
    /// Which of them are the best, from 0; none where all are alike.
    pub best: Vec<usize>,
}

/// What makes two metrics one measure: what was measured, with what, and on what.
fn is_same(one: &Metric, other: &Metric) -> bool {
    (&one.name, &one.dataset, &one.split, &one.device)
        == (&other.name, &other.dataset, &other.split, &other.device)
}

/// One line a measure, scores first, then in the order in which the versions first have them.
pub(in crate::ops) fn lines(records: &[&ModelVersion]) -> Vec<MetricLine> {
    let mut measures: Vec<&Metric> = Vec::new();
    for metric in records.iter().flat_map(|record| &record.spec.metrics) {
        if !measures.iter().any(|known| is_same(known, metric)) {
            measures.push(metric);
        }
    }
    let mut lines: Vec<_> = measures
        .into_iter()
        .map(|measure| line(measure, records))
        .collect();
    lines.sort_by_key(|line| !line.score);
    lines
}

fn line(measure: &Metric, records: &[&ModelVersion]) -> MetricLine {
    let found: Vec<Option<&Metric>> = records
        .iter()
        .map(|record| {
            record
                .spec
                .metrics
                .iter()
                .find(|metric| is_same(metric, measure))
        })
        .collect();
    let said = || {
        found
            .iter()
            .flatten()
            .filter_map(|metric| metric.higher_is_better)
    };
    let first = said().next();
    let higher_is_better = first.filter(|first| said().all(|other| other == *first));
    let values: Vec<_> = found
        .iter()
        .map(|metric| metric.map(|metric| metric.value))
        .collect();
    MetricLine {
        name: measure.name.clone(),
        dataset: measure.dataset.clone(),
        split: measure.split.clone(),
        device: measure.device.clone(),
        higher_is_better,
        score: found
            .iter()
            .flatten()
            .any(|metric| metric.score == Some(true)),
        best: best(&values, higher_is_better),
        values,
    }
}

fn best(values: &[Option<Finite>], higher_is_better: Option<bool>) -> Vec<usize> {
    let there = || values.iter().flatten().copied();
    let best = match higher_is_better {
        Some(true) => there().max(),
        Some(false) => there().min(),
        None => None,
    };
    let Some(best) = best else { return Vec::new() };
    if there().count() < 2 || there().all(|value| value == best) {
        return Vec::new();
    }
    let places = values.iter().enumerate();
    places
        .filter(|(_, value)| **value == Some(best))
        .map(|(place, _)| place)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_one_is_told_by_the_direction() {
        let values = |values: &[f64]| -> Vec<Option<Finite>> {
            let finite = |value: &f64| Finite::try_from(*value).ok();
            values.iter().map(finite).collect()
        };
        let three = values(&[0.9, 0.95, 0.95]);
        assert_eq!(best(&three, Some(true)), [1, 2]);
        assert_eq!(best(&three, Some(false)), [0]);
        assert_eq!(best(&three, None), [0; 0]);
        assert_eq!(best(&values(&[0.9, 0.9]), Some(true)), [0; 0]);
        assert_eq!(best(&values(&[0.9, f64::NAN]), Some(true)), [0; 0]);
    }
}
