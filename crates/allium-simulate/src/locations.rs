//! Locations of relays: real countries, invented providers.
//!
//! Country shares follow the real network of 2026. Providers have private-use AS numbers (64512–65534, then 4200000000 on; RFC 6996)
//! and invented names, and their sizes fall by a power law. Each announces a block of 10.0.0.0/8 and one of 2001:db8::/32, so
//! no address or number here is anybody's.

use crate::dice::Dice;

/// A country: code, name as GeoIP tables spell it, share of relays per ten thousand, hours ahead of UTC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Country {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    share: u16,
    pub(crate) utc_offset: i8,
}

const fn country(code: &'static str, name: &'static str, share: u16, utc_offset: i8) -> Country {
    Country { code, name, share, utc_offset }
}

/// Countries, largest first.
pub(crate) const COUNTRIES: [Country; 64] = [
    country("us", "United States", 2729, -6),
    country("de", "Germany", 1859, 1),
    country("nl", "Netherlands", 1009, 1),
    country("se", "Sweden", 506, 1),
    country("pl", "Poland", 453, 1),
    country("fr", "France", 415, 1),
    country("gb", "Britain (UK)", 237, 0),
    country("fi", "Finland", 215, 2),
    country("ca", "Canada", 213, -5),
    country("at", "Austria", 208, 1),
    country("ch", "Switzerland", 177, 1),
    country("ro", "Romania", 146, 2),
    country("lu", "Luxembourg", 126, 1),
    country("no", "Norway", 119, 1),
    country("it", "Italy", 109, 1),
    country("sg", "Singapore", 107, 8),
    country("bg", "Bulgaria", 90, 2),
    country("es", "Spain", 90, 1),
    country("au", "Australia", 88, 10),
    country("cz", "Czech Republic", 88, 1),
    country("md", "Moldova", 74, 2),
    country("hu", "Hungary", 66, 1),
    country("jp", "Japan", 64, 9),
    country("ua", "Ukraine", 58, 2),
    country("dk", "Denmark", 50, 1),
    country("ru", "Russia", 45, 3),
    country("lt", "Lithuania", 44, 2),
    country("br", "Brazil", 40, -3),
    country("is", "Iceland", 35, 0),
    country("kr", "Korea (South)", 34, 9),
    country("be", "Belgium", 31, 1),
    country("za", "South Africa", 30, 2),
    country("ee", "Estonia", 27, 2),
    country("pt", "Portugal", 27, 0),
    country("in", "India", 26, 5),
    country("hr", "Croatia", 26, 1),
    country("gr", "Greece", 25, 2),
    country("al", "Albania", 24, 1),
    country("lv", "Latvia", 22, 2),
    country("cl", "Chile", 20, -4),
    country("hk", "Hong Kong", 19, 8),
    country("my", "Malaysia", 16, 8),
    country("mx", "Mexico", 15, -6),
    country("ie", "Ireland", 15, 0),
    country("il", "Israel", 14, 2),
    country("tr", "Turkey", 14, 3),
    country("nz", "New Zealand", 13, 12),
    country("vn", "Vietnam", 11, 7),
    country("th", "Thailand", 11, 7),
    country("id", "Indonesia", 10, 7),
    country("ar", "Argentina", 10, -3),
    country("tw", "Taiwan", 9, 8),
    country("sk", "Slovakia", 8, 1),
    country("rs", "Serbia", 6, 1),
    country("cr", "Costa Rica", 5, -6),
    country("ba", "Bosnia & Herzegovina", 5, 1),
    country("co", "Colombia", 5, -5),
    country("ng", "Nigeria", 4, 1),
    country("ae", "United Arab Emirates", 4, 4),
    country("cy", "Cyprus", 4, 2),
    country("kz", "Kazakhstan", 3, 5),
    country("pe", "Peru", 3, -5),
    country("cw", "Curaçao", 1, -4),
    country("tt", "Trinidad & Tobago", 1, -4),
];

/// A provider that announces addresses of relays.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    pub(crate) asn: u32,
    pub(crate) name: String,
    /// True if it connects homes rather than servers.
    pub(crate) homes: bool,
    /// Countries of its relays: mostly the first, sometimes the others.
    countries: Vec<u8>,
}

impl Provider {
    /// The country of one of its relays.
    pub(crate) fn country(&self, dice: &mut Dice) -> u8 {
        if dice.chance(0.72) { self.countries[0] } else { dice.pick(&self.countries) }
    }
}

/// The providers of a network and how likely each is chosen.
#[derive(Debug)]
pub(crate) struct Providers {
    pub(crate) list: Vec<Provider>,
    hosting_totals: Vec<f64>,
    home_totals: Vec<f64>,
}

impl Providers {
    /// Providers for about this many relays.
    pub(crate) fn new(dice: &mut Dice, n_relays: usize) -> Self {
        let n = ((1500.0 * (n_relays as f64 / 10_000.0).max(1.0).powf(0.6)) as usize).min(4000);
        let weight = |rank: usize| (rank as f64 + 2.7).powf(-1.05);
        let mut placed = [0.0; COUNTRIES.len()];
        let mut list = Vec::with_capacity(n);
        let (mut hosting_totals, mut home_totals) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let (mut hosting, mut homes) = (0.0, 0.0);
        for rank in 0..n {
            let provider = Self::provider(dice, rank, weight(rank), &mut placed);
            if provider.homes {
                homes += weight(rank).powf(0.6);
            } else {
                hosting += weight(rank);
            }
            hosting_totals.push(hosting);
            home_totals.push(homes);
            list.push(provider);
        }
        Self { list, hosting_totals, home_totals }
    }

    /// A provider for an operator of `n_relays` relays at home or on servers.
    pub(crate) fn choose(&self, dice: &mut Dice, home: bool, n_relays: usize) -> u16 {
        let totals = if home { &self.home_totals } else { &self.hosting_totals };
        // Who runs many relays mostly stays away from the three largest providers, which everybody uses.
        let choices = if n_relays >= 20 { 3 } else { 1 };
        (0..choices).map(|_| dice.weighted(totals) as u16).max().unwrap_or(0)
    }

    fn provider(dice: &mut Dice, rank: usize, weight: f64, placed: &mut [f64]) -> Provider {
        let homes = rank >= 12 && (rank.is_multiple_of(12) || dice.chance(0.42));
        let main = wanting(dice, placed);
        placed[main] += weight;
        let mut countries = vec![main as u8];
        if !homes && dice.chance(if rank < 40 { 0.5 } else { 0.08 }) {
            countries.extend((0..3).map(|_| wanting(dice, placed) as u8));
        }
        Provider { asn: asn(rank), name: name(dice, homes), homes, countries }
    }
}

/// A country whose share is not yet filled: the one furthest below it, or for variety any by share.
fn wanting(dice: &mut Dice, placed: &[f64]) -> usize {
    let total: f64 = placed.iter().sum::<f64>().max(1e-9);
    if dice.chance(0.4) {
        let mut sum = 0.0;
        let totals: Vec<f64> = COUNTRIES
            .iter()
            .map(|c| {
                sum += f64::from(c.share).powf(0.8);
                sum
            })
            .collect();
        return dice.weighted(&totals);
    }
    let lack = |i: usize| f64::from(COUNTRIES[i].share) / 10_000.0 - placed[i] / total;
    (0..COUNTRIES.len()).max_by(|a, b| lack(*a).total_cmp(&lack(*b))).unwrap_or(0)
}

const fn asn(rank: usize) -> u32 {
    const FIRST: u32 = 64_512;
    const N_SHORT: u32 = 65_535 - FIRST;
    let rank = rank as u32;
    if rank < N_SHORT { FIRST + rank } else { 4_200_000_000 + (rank - N_SHORT) }
}

const SYLLABLES: [&str; 28] = [
    "al", "bor", "cal", "dor", "el", "fen", "gal", "hel", "in", "jor", "kel", "lum", "mar", "nor", "or", "pel", "quin", "ros", "sol",
    "tar", "ul", "ver", "wyn", "xan", "yar", "zel", "vant", "mir",
];
const HOSTING_FORMS: [&str; 9] = [
    "Hosting GmbH",
    "Datacenter B.V.",
    "Networks LLC",
    "Servers Inc.",
    "Cloud SAS",
    "Colo AB",
    "Internet Ltd",
    "Systems Kft.",
    "Carrier AG",
];
const HOME_FORMS: [&str; 7] = ["Telecom", "Broadband", "Kabel", "Fiber Oy", "Mobile S.A.", "Communications Ltd", "Net d.o.o."];

/// An invented company name.
fn name(dice: &mut Dice, homes: bool) -> String {
    let mut stem = String::new();
    for _ in 0..2 + dice.below(2) {
        stem.push_str(dice.pick(&SYLLABLES));
    }
    stem[..1].make_ascii_uppercase();
    let form = if homes { dice.pick(&HOME_FORMS) } else { dice.pick(&HOSTING_FORMS) };
    format!("{stem} {form}")
}

/// An invented pronounceable word.
pub(crate) fn word(dice: &mut Dice, syllables: u64) -> String {
    (0..syllables.max(1)).map(|_| dice.pick(&SYLLABLES)).collect()
}
