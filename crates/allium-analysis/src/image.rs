//! Uptime images: relays × hours, ordered so that relays that move together lie together.
//!
//! Two relays are as far apart as the number of known consensuses in which one runs and the other does not (Hamming distance).
//! Groups nearest to each other are joined first (single linkage, Kruskal's order); where two rows of relays are joined, each is
//! turned so that the nearer ends meet. n relays cost n² comparisons of a few machine words, so callers bound n.

use allium_model::{ConsensusHour, Known, RelayFlag, RelayRecord};

/// The presence of relays in the known consensuses of a range of hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UptimeImage {
    /// The hours, earliest first, unknown ones among them.
    pub hours: Vec<ConsensusHour>,
    /// One row per relay, in the order in which they are drawn.
    pub rows: Vec<ImageRow>,
}

/// A relay of an [`UptimeImage`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRow {
    /// Its index among the relays that were given.
    pub member: usize,
    /// Per hour whether it ran; `None` where no consensus is known.
    pub running: Vec<Option<bool>>,
}

/// The image of these relays over `[from, to)`.
pub fn uptime_image(members: &[&RelayRecord], known: &Known, from: ConsensusHour, to: ConsensusHour) -> UptimeImage {
    let hours: Vec<ConsensusHour> = (0..to.hours_since(from).max(0)).map(|i| from.plus(i)).collect();
    let is_known: Vec<bool> = hours.iter().map(|hour| known.contains(*hour)).collect();
    let running: Vec<Vec<bool>> = members.iter().map(|relay| hours_running(relay, from, hours.len())).collect();
    let bits: Vec<Vec<u64>> = running.iter().map(|row| packed(row, &is_known)).collect();
    let row = |member: usize| ImageRow {
        member,
        running: running[member].iter().zip(&is_known).map(|(runs, known)| known.then_some(*runs)).collect(),
    };
    UptimeImage { rows: ordered(&bits).into_iter().map(row).collect(), hours }
}

fn hours_running(relay: &RelayRecord, from: ConsensusHour, n: usize) -> Vec<bool> {
    let mut row = vec![false; n];
    for span in relay.spans.iter().filter(|span| span.state.flags.contains(RelayFlag::Running)) {
        let index = |hour: ConsensusHour| usize::try_from(hour.hours_since(from)).unwrap_or(0).min(n);
        row[index(span.start)..index(span.end)].fill(true);
    }
    row
}

fn packed(row: &[bool], is_known: &[bool]) -> Vec<u64> {
    let mut words = vec![0; row.len().div_ceil(64)];
    for (i, _) in row.iter().zip(is_known).enumerate().filter(|(_, (runs, known))| **runs && **known) {
        words[i / 64] |= 1 << (i % 64);
    }
    words
}

/// The number of bits in which two rows differ.
fn distance(a: &[u64], b: &[u64]) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// The rows in the order of a single-linkage clustering; ties keep the order in which they came.
fn ordered(rows: &[Vec<u64>]) -> Vec<usize> {
    let n = rows.len();
    let mut pairs: Vec<(u32, usize, usize)> =
        (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).map(|(i, j)| (distance(&rows[i], &rows[j]), i, j)).collect();
    pairs.sort_unstable();
    let mut chains: Vec<Vec<usize>> = (0..n).map(|i| vec![i]).collect();
    let mut chain_of: Vec<usize> = (0..n).collect();
    for (_, i, j) in pairs {
        let (a, b) = (chain_of[i].min(chain_of[j]), chain_of[i].max(chain_of[j]));
        if a == b {
            continue;
        }
        let (left, right) = (std::mem::take(&mut chains[a]), std::mem::take(&mut chains[b]));
        right.iter().for_each(|member| chain_of[*member] = a);
        chains[a] = joined(rows, left, right);
    }
    chains.into_iter().flatten().collect()
}

/// Two chains end to end, each turned so that the nearest ends meet.
fn joined(rows: &[Vec<u64>], mut left: Vec<usize>, mut right: Vec<usize>) -> Vec<usize> {
    let end = |chain: &[usize], last: bool| if last { chain.last().copied() } else { chain.first().copied() };
    let gap = |left_last: bool, right_last: bool| {
        end(&left, left_last).zip(end(&right, right_last)).map_or(u32::MAX, |(a, b)| distance(&rows[a], &rows[b]))
    };
    let ways = [(true, false), (true, true), (false, false), (false, true)];
    let (left_last, right_last) = ways.into_iter().min_by_key(|(left, right)| gap(*left, *right)).unwrap_or((true, false));
    if !left_last {
        left.reverse();
    }
    if right_last {
        right.reverse();
    }
    left.extend(right);
    left
}

#[cfg(test)]
mod tests {
    use allium_model::{Fingerprint, Relay, RelayState, StateSpan};

    use super::*;

    fn h(n: i32) -> ConsensusHour {
        ConsensusHour::new(480_000 + n)
    }

    fn relay(stretches: &[(i32, i32)]) -> RelayRecord {
        let state = RelayState { flags: std::iter::once(RelayFlag::Running).collect(), ..RelayState::default() };
        let spans = stretches.iter().map(|(start, end)| StateSpan { start: h(*start), end: h(*end), state: state.clone() }).collect();
        RelayRecord { relay: Relay::unknown(Fingerprint::new([0; 20])), spans, published: Vec::new() }
    }

    #[test]
    fn relays_that_move_together_lie_together() {
        let relays = [relay(&[(0, 50)]), relay(&[(0, 100)]), relay(&[(1, 51)]), relay(&[(0, 99)]), relay(&[(60, 100)]), relay(&[(0, 49)])];
        let known = Known::new((0..100).map(h).collect());
        let image = uptime_image(&relays.iter().collect::<Vec<_>>(), &known, h(0), h(100));
        let order: Vec<usize> = image.rows.iter().map(|row| row.member).collect();
        let index = |member: usize| order.iter().position(|m| *m == member).unwrap();
        assert_eq!(index(1).abs_diff(index(3)), 1, "{order:?}");
        assert!(index(0).abs_diff(index(5)) <= 2 && index(0).abs_diff(index(2)) <= 2, "{order:?}");
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn unknown_hours_are_neither_up_nor_down() {
        let known = Known::new([0, 1, 3].map(h).to_vec());
        let image = uptime_image(&[&relay(&[(-5, 2)])], &known, h(0), h(4));
        assert_eq!(image.rows[0].running, [Some(true), Some(true), None, Some(false)]);
        assert!(uptime_image(&[], &known, h(0), h(4)).rows.is_empty());
    }
}
