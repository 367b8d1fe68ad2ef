//! Operators of relays: sizes, contacts, families, habits of keeping software up to date.
//!
//! A few operators run a tenth of the network each, most run one relay: the largest follow the real network's
//! shares, the others a Pitman–Yor process. Domains end in `.example`, which is reserved (RFC 2606).

use std::borrow::Cow;

use crate::dice::{Dice, Quota};
use crate::locations::{Providers, word};

/// Somebody with one relay or hundreds.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    pub(crate) contact: Option<String>,
    /// Domain of its relays' host names.
    pub(crate) host_domain: Option<String>,
    /// True if its relays name each other as family.
    pub(crate) family: bool,
    pub(crate) exit: bool,
    pub(crate) home: bool,
    providers: Vec<u16>,
    /// Median delay before a release is taken up.
    pub(crate) upgrade_hours: f64,
    nickname: String,
    /// True if the nickname is followed by a number.
    numbered: bool,
    /// Relays that it ever had.
    n_ever: u32,
    /// Relays that have not left for good.
    pub(crate) members: Vec<u32>,
}

impl Operator {
    /// The provider of its next relay: half of them stand with the first.
    pub(crate) fn provider(&self, dice: &mut Dice) -> u16 {
        if dice.chance(0.5) { self.providers[0] } else { dice.pick(&self.providers) }
    }

    /// Somebody with a flood of relays, without contact or family.
    pub(crate) fn of_flood(dice: &mut Dice, providers: Vec<u16>, home: bool) -> Self {
        Self {
            contact: None,
            host_domain: None,
            family: false,
            exit: false,
            home,
            providers,
            upgrade_hours: 24.0,
            nickname: word(dice, 2),
            numbered: true,
            n_ever: 0,
            members: Vec::new(),
        }
    }

    /// Its key: a proven domain, else the contact, else its number.
    pub(crate) fn key(&self, number: u32) -> Cow<'_, str> {
        let Some(contact) = &self.contact else { return format!("operator {number}").into() };
        let word = |prefix: &str| contact.split_whitespace().find_map(|word| word.strip_prefix(prefix));
        let domain = word("url:").filter(|_| word("proof:").is_some()).map(|url| url.trim_start_matches("https://"));
        domain.map_or_else(|| contact.replace('%', "").into(), Cow::Borrowed)
    }

    /// The nickname of its next relay: at most 19 letters and digits, as Tor demands.
    pub(crate) fn next_nickname(&mut self, dice: &mut Dice) -> String {
        self.n_ever += 1;
        if self.numbered || self.n_ever > 1 {
            format!("{}{}", self.nickname, self.n_ever)
        } else if dice.chance(0.03) {
            "Unnamed".to_owned()
        } else {
            self.nickname.clone()
        }
    }
}

/// Makes operators whose properties keep to the shares of the real network.
pub(crate) struct Recruiter {
    exit: Quota,
    contact: Quota,
    proven: Quota,
    family: Quota,
    n_proven: u32,
}

impl Recruiter {
    pub(crate) const fn new() -> Self {
        Self { exit: Quota::new(0.34), contact: Quota::new(0.82), proven: Quota::new(0.6), family: Quota::new(0.66), n_proven: 0 }
    }

    /// An operator that will have about `n_relays` relays.
    pub(crate) fn recruit(&mut self, dice: &mut Dice, providers: &Providers, n_relays: usize) -> Operator {
        let size = n_relays as f64;
        let home = n_relays <= 2 && dice.chance(0.48);
        let exit = !home && self.exit.take(dice, size);
        let proven = if n_relays >= 8 { self.proven.take(dice, size) } else { self.proven.take(dice, size) && dice.chance(0.1) };
        let reachable = if n_relays > 4 || proven { self.contact.note(size) } else { self.contact.take(dice, size) };
        let name = word(dice, 2 + u64::from(n_relays < 20));
        let host_domain = dice.chance(if proven { 0.8 } else { 0.25 }).then(|| format!("{name}.example"));
        Operator {
            contact: reachable.then(|| self.contact_of(dice, &name, proven)),
            host_domain: host_domain.filter(|_| !home),
            family: n_relays >= 2 && (n_relays < 5 || self.family.take(dice, size * 0.9)),
            exit,
            home,
            providers: (0..Self::n_providers(dice, n_relays)).map(|_| providers.choose(dice, home, n_relays)).collect(),
            upgrade_hours: Self::upgrade_hours(dice),
            nickname: nickname(dice, &name),
            numbered: n_relays > 2,
            n_ever: 0,
            members: Vec::new(),
        }
    }

    /// Some large operators stay in one autonomous system, others spread over several.
    fn n_providers(dice: &mut Dice, n_relays: usize) -> usize {
        let most = match n_relays {
            ..=1 => 1,
            2..=9 => 2,
            10..=99 => 5,
            _ => 9,
        };
        if dice.chance(0.4) { 1 } else { 1 + dice.below(most) as usize }
    }

    /// A third take up releases within a week or so, some hardly ever.
    fn upgrade_hours(dice: &mut Dice) -> f64 {
        match dice.unit() {
            u if u < 0.48 => dice.log_normal(44.0, 0.8),
            u if u < 0.88 => dice.log_normal(24.0 * 22.0, 0.9),
            _ => dice.log_normal(24.0 * 330.0, 0.7),
        }
    }

    fn contact_of(&mut self, dice: &mut Dice, name: &str, proven: bool) -> String {
        if proven {
            self.n_proven += 1;
            let domain = domain_of(self.n_proven);
            return format!(
                "email:tor[]{domain} url:https://{domain} proof:uri-rsa abuse:abuse[]{domain} hoster:{name}.example uplinkbw:1000 ciissversion:2"
            );
        }
        match dice.below(6) {
            0 => format!("{name} <tor AT {name} dot example>"),
            1 => format!("0x{:016X} {name} <relay@{name}.example>", dice.bits()),
            2 => format!("https://{name}.example/tor"),
            3 => format!("mail[]{name}.example"),
            4 => format!("email:{name}[]mail.example url:{name}.example ciissversion:2"),
            _ => format!("{name}@mail.example"),
        }
    }
}

/// The domain of the operator with this number among those who claim one.
pub(crate) fn domain_of(number: u32) -> String {
    format!("example-op-{number}.example")
}

fn nickname(dice: &mut Dice, name: &str) -> String {
    let mut nickname = name.to_owned();
    if dice.chance(0.4) {
        nickname[..1].make_ascii_uppercase();
    }
    if dice.chance(0.25) {
        nickname.push_str(dice.pick(&["Relay", "Tor", "Node", "exit", "guard"]));
    }
    nickname.truncate(14);
    nickname
}

/// Shares of the network that its largest operators run: the first four, then falling as 1 / rank.
fn largest_share(rank: usize) -> f64 {
    match rank {
        0 => 0.093,
        1 => 0.071,
        2 => 0.036,
        3 => 0.030,
        _ => 0.075 / (rank + 1) as f64,
    }
}

const N_LARGEST: usize = 60;
const DISCOUNT: f64 = 0.86;
const CONCENTRATION: f64 = 6.0;

/// Number of relays of each operator in a network of this size; the largest first, then in no order.
pub(crate) fn sizes(dice: &mut Dice, n_relays: usize) -> Vec<usize> {
    let mut sizes: Vec<usize> =
        (0..N_LARGEST).map(|rank| (largest_share(rank) * n_relays as f64) as usize).take_while(|size| *size >= 3).collect();
    let mut rest = n_relays - sizes.iter().sum::<usize>().min(n_relays);
    let mut seats: Vec<u32> = Vec::with_capacity(rest);
    let first = sizes.len();
    // The process is for those below the largest; its own largest group would otherwise be among these.
    let most = ((largest_share(N_LARGEST) * n_relays as f64) as usize).max(3);
    while rest > 0 {
        let (n_seated, n_groups) = (seats.len() as f64, (sizes.len() - first) as f64);
        let alone = dice.chance((CONCENTRATION + DISCOUNT * n_groups) / (CONCENTRATION + n_seated));
        let group = if alone || seats.is_empty() { sizes.len() } else { join(dice, &seats, &sizes, most) };
        if group == sizes.len() {
            sizes.push(0);
        }
        sizes[group] += 1;
        seats.push(group as u32);
        rest -= 1;
    }
    sizes
}

/// A group below the largest size, chosen in proportion to its size less the discount, by rejection.
/// If chance keeps pointing at groups that cannot be joined, a new one.
fn join(dice: &mut Dice, seats: &[u32], sizes: &[usize], most: usize) -> usize {
    let fits = |dice: &mut Dice, group: usize| sizes[group] < most && dice.chance(1.0 - DISCOUNT / sizes[group] as f64);
    for _ in 0..200 {
        let group = dice.pick(seats) as usize;
        if fits(dice, group) {
            return group;
        }
    }
    sizes.len()
}

/// Names and contacts as an unkind stranger might choose them: markup, quotes, direction marks, formulas, lengths. Every network
/// has them, so that any program that shows a network meets them.
pub(crate) fn hostile_specimens() -> Vec<(&'static str, String)> {
    vec![
        ("<b>bold</b>", "<script>alert('contact')</script> \"double\" 'single' &amp; </td></tr>".to_owned()),
        ("=cmd|' /C calc'!A0", "=HYPERLINK(\"http://evil.example/\",\"click\") +1 -1 @SUM(1)".to_owned()),
        ("abc\u{202e}gpj.exe", "right to left \u{202e}elpmaxe.live\u{202c} and \u{2066}isolated\u{2069}".to_owned()),
        ("🧅🧅🧅", "онион 🧅 洋葱 بصل e\u{301}\u{323}\u{323}\u{323} family emoji 👩\u{200d}👩\u{200d}👧".to_owned()),
        ("verylongcontact", "very long contact ".repeat(400)),
        ("O'Brien\"; --", "'; DROP TABLE relays; --\r\nBcc: everybody@mail.example\r\n\r\nbody".to_owned()),
        ("nul\u{0}tab\tesc\u{1b}[31m", "terminal \u{1b}[2J\u{7}\u{1b}]0;title\u{7} control\u{0}\u{85}\u{2028}line".to_owned()),
        (
            "../../etc/passwd",
            "url:javascript:alert(1) proof:uri-rsa ciissversion:2 url:http://127.0.0.1/ url:example-op-1.example".to_owned(),
        ),
    ]
}
