//! Real consensuses, where they are at hand.

use std::collections::BTreeMap;

use allium_sources::consensus::{LIMITS, decode};
use allium_sources::read::read_file;

use super::{lines, real_consensuses};

/// Relays, flags by name and the sum of weights, counted line by line.
fn counted(text: &str) -> (usize, BTreeMap<String, usize>, u64) {
    let (mut n_relays, mut flags, mut weight) = (0, BTreeMap::new(), 0);
    for line in text.lines() {
        n_relays += usize::from(line.starts_with("r "));
        for flag in line.strip_prefix("s ").unwrap_or_default().split_whitespace() {
            *flags.entry(flag.to_owned()).or_default() += 1;
        }
        let bandwidth = line.strip_prefix("w ").and_then(|line| line.split(' ').find_map(|word| word.strip_prefix("Bandwidth=")));
        weight += bandwidth.map_or(0, |weight| weight.parse::<u64>().unwrap());
    }
    (n_relays, flags, weight)
}

#[test]
fn relays_flags_and_weights_equal_an_independent_count() {
    for path in real_consensuses() {
        let bytes = read_file(&path, &LIMITS).unwrap();
        let consensus = decode(&bytes, "real").unwrap();
        assert_eq!(lines(&consensus), [""; 0], "{}", path.display());
        let mut flags: BTreeMap<String, usize> = BTreeMap::new();
        for entry in &consensus.entries {
            let known = entry.flags.iter().map(|flag| flag.name().to_owned());
            known.chain(entry.other_flags.iter().cloned()).for_each(|name| *flags.entry(name).or_default() += 1);
        }
        let weight = consensus.entries.iter().filter_map(|entry| entry.weight).sum();
        assert_eq!((consensus.entries.len(), flags, weight), counted(std::str::from_utf8(&bytes).unwrap()), "{}", path.display());
        assert_eq!(consensus.states().count(), consensus.entries.len(), "every relay in a real consensus is Running");
        // An authority may have voted and not signed.
        assert!((8..=consensus.authorities.len()).contains(&consensus.signatures.len()), "{}", path.display());
    }
}
