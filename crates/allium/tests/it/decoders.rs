//! Every decoder keeps its promises for documents of a simulated network, for the documents of `testdata/`, and for damaged variants of
//! them. The promises are those that the fuzz targets hold (`make fuzz`), word for word. Which damage is done is
//! drawn from a fixed seed, so that two runs do the same.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::path::Path;

use allium_testkit::decoders as targets;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;

/// Damaged variants per target.
const CASES: u32 = 1000;

/// Damage to an input.
#[derive(Debug, Clone)]
enum Damage {
    /// It ends here.
    Truncate(Index),
    /// A byte becomes another.
    Flip(Index, u8),
    /// The bytes between two positions are lost.
    Remove(Index, Index),
    /// The bytes between two positions come twice.
    Repeat(Index, Index),
    /// A part of another input comes in between.
    Splice { other: Index, from: Index, to: Index, at: Index },
    /// A number in digits becomes this one.
    Number(Index, i64),
}

fn damage() -> impl Strategy<Value = Damage> {
    let position = any::<Index>;
    prop_oneof![
        position().prop_map(Damage::Truncate),
        (position(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        (position(), position()).prop_map(|(from, to)| Damage::Remove(from, to)),
        (position(), position()).prop_map(|(from, to)| Damage::Repeat(from, to)),
        (position(), position(), position(), position()).prop_map(|(other, from, to, at)| Damage::Splice { other, from, to, at }),
        (position(), prop_oneof![Just(0), Just(-1), Just(i64::MAX), Just(i64::MIN), -1000..100_000i64])
            .prop_map(|(at, number)| Damage::Number(at, number)),
    ]
}

/// A position up to the end.
fn position(at: Index, bytes: &[u8]) -> usize {
    at.index(bytes.len() + 1)
}

/// A part that is short more often than not.
fn part(from: Index, to: Index, bytes: &[u8]) -> std::ops::Range<usize> {
    let from = position(from, bytes);
    let most = (bytes.len() - from).min(1 << (to.index(1 << 20) % 14));
    from..from + to.index(most + 1)
}

fn apply(damage: &Damage, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
    match *damage {
        Damage::Truncate(at) => bytes.truncate(position(at, bytes)),
        Damage::Flip(at, byte) => {
            let at = position(at, bytes);
            if let Some(flipped) = bytes.get_mut(at) {
                *flipped = byte;
            }
        }
        Damage::Remove(from, to) => drop(bytes.drain(part(from, to, bytes))),
        Damage::Repeat(from, to) => {
            let part = part(from, to, bytes);
            let repeated = bytes[part.clone()].to_vec();
            bytes.splice(part.end..part.end, repeated);
        }
        Damage::Splice { other, from, to, at } => {
            let other = other.get(others);
            let at = position(at, bytes);
            bytes.splice(at..at, other[part(from, to, other)].iter().copied());
        }
        Damage::Number(at, number) => {
            let from = position(at, bytes);
            let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit).map(|digit| from + digit) else { return };
            let n_digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            bytes.splice(start..start + n_digits, number.to_string().into_bytes());
        }
    }
}

/// The check of a target holds for its seeds and for damaged variants of them.
fn keeps_its_promises(target: &str) {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let seeds: Vec<Vec<u8>> =
        targets::seeds::seeds(&testdata).into_iter().filter(|seed| seed.target == target).map(|seed| seed.bytes).collect();
    assert!(!seeds.is_empty(), "every target has something to begin with");
    targets::check(target, b"");
    seeds.iter().for_each(|seed| targets::check(target, seed));
    let config = ProptestConfig { rng_seed: RngSeed::Fixed(3), failure_persistence: None, ..ProptestConfig::with_cases(CASES) };
    proptest!(config, |(seed in any::<Index>(), damages in prop::collection::vec(damage(), 1..6))| {
        let mut bytes = seed.get(&seeds).clone();
        damages.iter().for_each(|damage| apply(damage, &mut bytes, &seeds));
        targets::check(target, &bytes);
    });
}

macro_rules! each_target_keeps_its_promises {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            keeps_its_promises(stringify!($target));
        })*

        #[test]
        fn every_target_is_among_these_and_has_its_program() {
            let names: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [$(stringify!($target)),*]);
            let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fuzz_targets");
            let mut files: Vec<String> =
                std::fs::read_dir(programs).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            let mut expected: Vec<String> = names.iter().map(|name| format!("{name}.rs")).collect();
            (files.sort(), expected.sort());
            assert_eq!(files, expected);
        }
    };
}

each_target_keeps_its_promises! {
    onionoo_summary onionoo_details onionoo_uptime onionoo_bandwidth onionoo_weights
    consensus consensus_signatures consensus_certificates
    collector_index collector_archive compression
    presence_snapshots presence_relays presence_spans
    proof_file published_graphs day_figures words contacts search
}
