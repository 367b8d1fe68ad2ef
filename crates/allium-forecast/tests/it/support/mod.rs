//! A small network with a history: relays of several kinds, drawn from a seed.

use allium_forecast::{Past, PastSpan, RelayPast};
use allium_model::{Asn, ConsensusHour, Fingerprint};

/// Numbers from a seed: the middle bits of a linear congruential generator.
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From 0 to 1, 1 not included.
    pub(crate) fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 31) as f64
    }

    /// Whole number from `from` to `to`, `to` not included.
    pub(crate) fn whole(&mut self, from: u32, to: u32) -> u32 {
        from + (self.share() * f64::from(to - from)) as u32
    }
}

/// `n` relays over `hours` hours: a third never fails, a third flaps now and then, a third comes and goes for days.
pub(crate) fn network(n: u32, hours: u32, seed: u64) -> Past {
    let mut draws = Draws::new(seed);
    let known = (0..hours as i32).map(|hour| ConsensusHour::new(480_000 + hour)).collect();
    let relays = (0..n).map(|i| RelayPast::new(fingerprint(i), spans(i, hours, &mut draws))).collect();
    Past::new(known, relays)
}

pub(crate) fn fingerprint(i: u32) -> Fingerprint {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&i.to_be_bytes());
    Fingerprint::new(bytes)
}

fn spans(i: u32, hours: u32, draws: &mut Draws) -> Vec<PastSpan> {
    let (up, down) = [(hours, 1), (400, 12), (90, 60)][i as usize % 3];
    let end = if draws.share() < 0.3 { draws.whole(hours / 2, hours) } else { hours };
    let mut at = draws.whole(0, hours / 2);
    let mut spans = Vec::new();
    while at < end {
        let until = (at + draws.whole(up / 2, up + 1).max(1)).min(end);
        let asn = Some(Asn(64_512 + i % 7));
        spans.push(PastSpan {
            start: at,
            end: until,
            running: true,
            guard: i.is_multiple_of(2),
            exit: i.is_multiple_of(5),
            asn,
            country: None,
        });
        at = until + draws.whole(1, down + 2);
    }
    spans
}
