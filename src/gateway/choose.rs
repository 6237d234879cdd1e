//! Which of several by weight: in turn, or the same for the same client. Pure.
//!
//! Requests of nobody in particular are spread evenly: multiples of the golden ratio fill the
//! range from 0 to 1 with no clumps, so that of any hundred requests in a row each backend gets
//! its percentage, give or take one or two.
//!
//! A client that is known is given to a backend by weighted rendezvous hashing: each backend draws
//! a number from the client's key and its own, and the best one wins. A backend whose weight grows
//! wins clients over and loses none, so that nobody who has seen the new version goes back to the
//! old one while a rollout goes on.

/// 2⁶⁴ divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The index of the one whose turn is number `turn`; `None` if no weight is above zero.
pub(super) fn by_turn(weights: impl Iterator<Item = u8> + Clone, turn: u64) -> Option<usize> {
    let sum: u64 = weights.clone().map(u64::from).sum();
    // The upper half of the bits as a fraction, so that the product can't overflow.
    let mut place = ((turn.wrapping_mul(GOLDEN) >> 32) * sum) >> 32;
    for (index, weight) in weights.enumerate() {
        let weight = u64::from(weight);
        if place < weight {
            return Some(index);
        }
        place -= weight;
    }
    None
}

/// The index of the one that `client` belongs to, of those with a key and a weight each; `None` if
/// no weight is above zero.
pub(super) fn by_client(client: u64, all: impl Iterator<Item = (u64, u8)>) -> Option<usize> {
    let score = |(key, weight): (u64, u8)| {
        // 53 bits, which is what a double holds, and never zero.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let draw = ((mix(client ^ key) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        f64::from(weight) / -draw.ln()
    };
    all.enumerate()
        .filter(|(_, (_, weight))| *weight > 0)
        .map(|(index, one)| (index, score(one)))
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(index, _)| index)
}

/// A number for some bytes, the same on every machine and in every release (FNV-1a).
pub(super) fn key(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    mix(bytes.iter().fold(0xCBF2_9CE4_8422_2325, step))
}

/// Spreads the bits of a number over all of it (the finalizer of SplitMix64).
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_keep_to_the_weights_over_every_hundred_requests() {
        for weights in [[5_u8, 95], [50, 50], [1, 99], [25, 75]] {
            for start in [0_u64, 7, 1_000_003, u64::MAX - 50] {
                let turns = (0..100).map(|turn: u64| start.wrapping_add(turn));
                let first = turns
                    .filter(|&turn| by_turn(weights.into_iter(), turn) == Some(0))
                    .count();
                let off = first.abs_diff(usize::from(weights[0]));
                assert!(off <= 2, "{weights:?} from {start}: {first}");
            }
        }
        assert_eq!(by_turn([100].into_iter(), 3), Some(0));
        assert_eq!(by_turn([0, 0].into_iter(), 3), None);
        assert_eq!(by_turn([].into_iter(), 3), None);
    }

    #[test]
    fn a_client_stays_and_is_only_ever_won_by_what_grows() {
        let (old, new) = (key(b"old"), key(b"new"));
        let clients: Vec<u64> = (0..10_000_u32).map(|n| key(&n.to_le_bytes())).collect();
        let mut before: Vec<bool> = vec![false; clients.len()];
        for weight in [1, 5, 25, 50, 99] {
            let now: Vec<bool> = clients
                .iter()
                .map(|&client| {
                    // The order in which they stand doesn't matter.
                    let one = by_client(client, [(old, 100 - weight), (new, weight)].into_iter());
                    let two = by_client(client, [(new, weight), (old, 100 - weight)].into_iter());
                    assert_eq!(one.map(|at| at == 1), two.map(|at| at == 0));
                    one == Some(1)
                })
                .collect();
            let share = now.iter().filter(|&&is_new| is_new).count();
            assert!(
                share.abs_diff(usize::from(weight) * 100) < 150,
                "{weight}: {share}"
            );
            let lost = before.iter().zip(&now).filter(|&(&was, &is)| was && !is);
            assert_eq!(lost.count(), 0, "at {weight}");
            before = now;
        }
        assert_eq!(by_client(1, [(1, 0)].into_iter()), None);
    }
}
