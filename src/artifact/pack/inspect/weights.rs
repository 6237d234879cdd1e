//! How many weights of which type a model has.

use std::collections::BTreeMap;

use super::element::Element;

/// How many bytes of weights are of each type.
pub(super) type WeightBytes = BTreeMap<Element, u64>;

/// Adds `count` elements.
pub(super) fn add(weights: &mut WeightBytes, element: Element, count: u64) {
    let bytes = weights.entry(element).or_default();
    *bytes = bytes.saturating_add(count.saturating_mul(element.bits()) / 8);
}

/// Adds what `other` has.
pub(super) fn add_all(weights: &mut WeightBytes, other: &WeightBytes) {
    for (element, bytes) in other {
        let sum = weights.entry(*element).or_default();
        *sum = sum.saturating_add(*bytes);
    }
}

/// The type of most bytes of weights, among the types that weights have.
pub(super) fn precision(weights: &WeightBytes) -> Option<&'static str> {
    let known = weights
        .iter()
        .filter_map(|(element, bytes)| Some((element.precision()?, *bytes)));
    known.max_by_key(|(_, bytes)| *bytes).map(|(name, _)| name)
}

/// How many weights there are: elements of the types that weights have, not those of indices,
/// shapes and texts. Nothing where most bytes are of those types: then weights are packed into
/// them, and nobody can count them from outside.
pub(super) fn count(weights: &WeightBytes) -> Option<u64> {
    let (mut count, mut known, mut other) = (0_u64, 0_u64, 0_u64);
    for (element, bytes) in weights {
        if element.precision().is_some() {
            known = known.saturating_add(*bytes);
            count = count.saturating_add(bytes.saturating_mul(8) / element.bits());
        } else {
            other = other.saturating_add(*bytes);
        }
    }
    (count > 0 && known > other).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_no_weights_and_packed_weights_are_not_counted() {
        let mut weights = WeightBytes::new();
        add(&mut weights, Element::Float16, 1000);
        add(&mut weights, Element::Int64, 3);
        assert_eq!(count(&weights), Some(1000));
        assert_eq!(precision(&weights), Some("fp16"));
        add(&mut weights, Element::Int32, 10_000);
        assert_eq!(count(&weights), None);
        assert_eq!(count(&WeightBytes::new()), None);
    }
}
