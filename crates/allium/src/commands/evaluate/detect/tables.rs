//! The tables of `allium evaluate detect`, as text.

use std::io::{self, Write};

use allium_detect::evaluate::{FaultKind, Finding, Scores, Shape, SizeClass, Tally, shape};
use allium_detect::{Kind, Record, ScopeKind};
use allium_stats::{count_interval, median};

use super::Found;

/// Kinds of faults with relays.
const KINDS: [(FaultKind, &str); 4] =
    [(FaultKind::Outage, "outage"), (FaultKind::Flap, "flap"), (FaultKind::FlagLoss, "flag loss"), (FaultKind::Join, "flood")];
/// Scopes that faults strike; relays chosen anywhere belong to the network.
const SCOPES: [(ScopeKind, &str); 4] =
    [(ScopeKind::As, "AS"), (ScopeKind::Country, "country"), (ScopeKind::Operator, "operator"), (ScopeKind::Network, "anywhere")];
/// Sizes that have aims of their own.
const SIZES: [(std::ops::Range<usize>, &str); 3] = [(5..8, "5–7"), (8..20, "8–19"), (20..usize::MAX, "20+")];
/// Relays from which a fault must not be missed.
const LARGE: usize = 20;

/// Recall, attribution and delay by kind of fault, size and scope.
pub(super) fn by_scope_and_size(out: &mut impl Write, scores: &Scores) -> io::Result<()> {
    let precision = scores.precision().unwrap_or(0.0);
    writeln!(out, "Injected faults: {} findings match one, {} match none: precision {precision:.3}", scores.n_true, scores.n_false)?;
    writeln!(out, "Findings that missing or repeated lists bring: {}\n", scores.n_from_lists)?;
    let heads = ["n", "recall", "top 1", "top 3", "delay", "95 %"].map(|head| format!("{head:>8}")).concat();
    writeln!(out, "{:<11}{:<8}{:<10}{heads}", "fault", "relays", "of")?;
    for (kind, kind_name) in KINDS {
        for (sizes, size_name) in SIZES {
            let of = |scope: Option<ScopeKind>| {
                scores.sum(|k, s, size| k == kind && scope.is_none_or(|scope| scope == s) && sizes.contains(&size.from()))
            };
            tally(out, [kind_name, size_name, "all"], &of(None))?;
            for (scope, scope_name) in SCOPES {
                tally(out, [kind_name, size_name, scope_name], &of(Some(scope)))?;
            }
        }
    }
    Ok(())
}

fn tally(out: &mut impl Write, [kind, size, scope]: [&str; 3], tally: &Tally) -> io::Result<()> {
    let Some(recall) = tally.recall() else { return Ok(()) };
    let [top1, top3] = [tally.n_top1, tally.n_top3].map(|n| share(n, tally.n_found));
    let [median, late] = [0.5, 0.95].map(|share| delay(tally, share));
    writeln!(out, "{kind:<11}{size:<8}{scope:<10}{:>8}{recall:>8.3}{top1:>8}{top3:>8}{median:>8}{late:>8}", tally.n)
}

/// Recall of outages by their size.
pub(super) fn power(out: &mut impl Write, scores: &Scores) -> io::Result<()> {
    writeln!(out, "\nRecall of outages by size, and how many there were")?;
    let heads = SCOPES.map(|(_, name)| format!("{name:>15}")).concat();
    writeln!(out, "{:<10}{:>15}{heads}", "relays", "all")?;
    for size in (0..SizeClass::FROM.len()).map(SizeClass) {
        let cell = |scope: Option<ScopeKind>| {
            let tally = scores.sum(|k, s, z| k == FaultKind::Outage && z == size && scope.is_none_or(|scope| scope == s));
            tally.recall().map_or(format!("{:>15}", "–"), |recall| format!("{recall:>9.3} ({:>3})", tally.n))
        };
        let cells = SCOPES.map(|(scope, _)| cell(Some(scope))).concat();
        writeln!(out, "{:<10}{}{cells}", size.label(), cell(None))?;
    }
    Ok(())
}

/// Delays of late outages, in lists.
pub(super) fn delays(out: &mut impl Write, scores: &Scores) -> io::Result<()> {
    writeln!(out, "\nDelay of outages that were found, in lists: 0, 1, 2, more")?;
    for (sizes, name) in SIZES {
        let tally = scores.sum(|kind, _, size| kind == FaultKind::Outage && sizes.contains(&size.from()));
        let count = |matches: fn(i64) -> bool| tally.delays.iter().filter(|delay| matches(**delay)).count();
        let counts = [count(|d| d == 0), count(|d| d == 1), count(|d| d == 2), count(|d| d > 2)].map(|n| format!("{n:>8}")).concat();
        writeln!(out, "{name:<10}{counts}")?;
    }
    Ok(())
}

/// Findings per week where nothing happens together.
pub(super) fn false_alarms(out: &mut impl Write, ours: &Found, n_weeks: f64) -> io::Result<()> {
    writeln!(out, "\nFalse findings a week (95 % interval), in {n_weeks:.1} weeks in which nothing happens together")?;
    let of_kind = |findings: &[Finding], kinds: &[Kind]| n_of(findings, |finding| kinds.contains(&finding.kind));
    let losses = [Kind::Outage, Kind::Flap];
    writeln!(out, "every history shifted by days of its own: {}", rate(ours.shifted.len(), n_weeks))?;
    writeln!(out, "  outages: {}", rate(of_kind(&ours.shifted, &losses), n_weeks))?;
    let narrow: Vec<Finding> = ours.exchanged.iter().filter(|finding| !is_network(finding)).cloned().collect();
    writeln!(out, "who leaves exchanged among relays alike, scopes narrower than the network:")?;
    writeln!(out, "  outages: {}", rate(of_kind(&narrow, &losses), n_weeks))?;
    writeln!(out, "  flags: {}", rate(of_kind(&narrow, &[Kind::FlagLoss]), n_weeks))
}

/// Findings in the unchanged record, by size, with their shape.
pub(super) fn as_it_is(out: &mut impl Write, record: &Record, usual: &[Finding], n_weeks: f64) -> io::Result<()> {
    writeln!(
        out,
        "\nThe unchanged record: findings a week, and for outages the medians of: share of the scope; share that left in one list;"
    )?;
    writeln!(
        out,
        "share back within 14 days; share of those back in one list. Last: a week, neither left nor returned as one, in any half"
    )?;
    for (kinds, name) in [(&[Kind::Outage, Kind::Flap][..], "outages"), (&[Kind::FlagLoss], "flags"), (&[Kind::Surge], "surges")] {
        let n = n_of(usual, |finding| kinds.contains(&finding.kind));
        writeln!(out, "{name:<10}{}", rate(n, n_weeks))?;
    }
    for (sizes, scopes) in
        [(8..12, "narrow"), (12..20, "narrow"), (20..50, "narrow"), (50..usize::MAX, "narrow"), (8..usize::MAX, "network")]
    {
        let is_meant = |finding: &&Finding| {
            matches!(finding.kind, Kind::Outage | Kind::Flap)
                && sizes.contains(&finding.relays.len())
                && is_network(finding) == (scopes == "network")
        };
        let shapes: Vec<(&Finding, Shape)> = usual.iter().filter(is_meant).map(|finding| (finding, shape(record, finding))).collect();
        let of = |part: fn(&(&Finding, Shape)) -> (usize, usize)| shares(&shapes, part);
        let (scope, left) = (of(|(finding, _)| (finding.relays.len(), finding.n_at_risk)), of(|(_, s)| (s.n_left_together, s.n_left)));
        let (back, together) = (of(|(_, s)| (s.n_back, s.n_left)), of(|(_, s)| (s.n_back_together, s.n_back)));
        let is_loose = |(_, s): &&(&Finding, Shape)| 2 * s.n_left_together < s.n_left && 2 * s.n_back_together < s.n_left;
        let n_loose = shapes.iter().filter(is_loose).count();
        let label = if sizes.end == usize::MAX { format!("{}+", sizes.start) } else { format!("{}–{}", sizes.start, sizes.end - 1) };
        let rates = (shapes.len() as f64 / n_weeks, n_loose as f64 / n_weeks);
        writeln!(out, "{scopes:<8}{label:<8}{:>8.2}{scope:>8}{left:>8}{back:>8}{together:>8}{:>8.2}", rates.0, rates.1)?;
    }
    Ok(())
}

/// The median of a share over findings.
fn shares(shapes: &[(&Finding, Shape)], part: fn(&(&Finding, Shape)) -> (usize, usize)) -> String {
    let shares: Vec<f64> = shapes.iter().map(part).filter(|(_, of)| *of > 0).map(|(n, of)| n as f64 / of as f64).collect();
    median(&shares).map_or("–".to_owned(), |share| format!("{:.2}", share.min(1.0)))
}

/// The head of the table of all methods.
pub(super) fn methods_head(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\nAll methods; recall, attribution and delay of outages of {LARGE} relays and more; a week: findings without faults;")?;
    writeln!(out, "shifted, exchanged: the same in records in which nothing happens together (exchanged: without the network as a whole)")?;
    let heads = ["precision", "recall", "F1", "8–19", "top 1", "top 3", "delay", "95 %", "a week", "shifted", "exchanged"];
    writeln!(out, "{:<32}{}", "", heads.map(|head| format!("{head:>10}")).concat())
}

/// A row of the table of methods.
pub(super) fn method(out: &mut impl Write, name: &str, found: &Found, n_weeks: f64) -> io::Result<()> {
    let outages = |from: usize, to: usize| found.scores.sum(|k, _, size| k == FaultKind::Outage && (from..to).contains(&size.from()));
    let (large, small) = (outages(LARGE, usize::MAX), outages(8, LARGE));
    let (precision, recall) = (found.scores.precision().unwrap_or(0.0), large.recall().unwrap_or(0.0));
    let f1 = if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 };
    let figures = [precision, recall, f1, small.recall().unwrap_or(0.0)].map(|figure| format!("{figure:>10.3}")).concat();
    let tops = [large.n_top1, large.n_top3].map(|n| format!("{:>10}", share(n, large.n_found))).concat();
    let delays = [0.5, 0.95].map(|share| format!("{:>10}", delay(&large, share))).concat();
    let counts = [found.usual.len(), found.shifted.len(), n_of(&found.exchanged, |finding| !is_network(finding))];
    let rates = counts.map(|n| format!("{:>10.2}", n as f64 / n_weeks)).concat();
    writeln!(out, "{name:<32}{figures}{tops}{delays}{rates}")
}

fn is_network(finding: &Finding) -> bool {
    finding.scopes.first().is_none_or(|scope| scope.kind == ScopeKind::Network)
}

fn n_of(findings: &[Finding], is_meant: impl Fn(&Finding) -> bool) -> usize {
    findings.iter().filter(|finding| is_meant(finding)).count()
}

fn rate(n: usize, n_weeks: f64) -> String {
    let (low, high) = count_interval(n as u64);
    format!("{:.2} ({:.2}–{:.2})", n as f64 / n_weeks, low / n_weeks, high / n_weeks)
}

fn share(n: usize, of: usize) -> String {
    if of == 0 { "–".to_owned() } else { format!("{:.3}", n as f64 / of as f64) }
}

fn delay(tally: &Tally, share: f64) -> String {
    tally.delay(share).map_or("–".to_owned(), |delay| delay.to_string())
}
