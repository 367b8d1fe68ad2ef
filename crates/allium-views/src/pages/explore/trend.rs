//! Quantities over time: of the network, or of things picked by the visitor, four to a chart.
//!
//! Weights and bandwidths come from our own store where it has them ([`allium_analysis::Sizes`]), else from the graphs that Onionoo
//! publishes of today's relays; the note under a chart says which.

use allium_analysis::{Concentration, Selection, SizeOf, SizeQuantity, Sizes, diversity, group_strip, published_sums, running_counts};
use allium_charts::{Chart, Kind, Line, Time, Unit};
use allium_model::{ConsensusHour, Fraction, Quantity, RelayFlag, RelayRecord};
use allium_service::{Members, View};
use allium_words::format;

use super::charts::note;
use super::state::{Measure, Range, State};
use super::subjects::Subject;
use crate::error::RequestError;

/// Lines of a chart.
const LINES: usize = 4;

/// Flags whose numbers are shown.
const FLAGS: [RelayFlag; 4] = [RelayFlag::Fast, RelayFlag::Stable, RelayFlag::HSDir, RelayFlag::V2Dir];

/// Subjects, range and view that the charts are made from.
struct Ground<'a> {
    view: &'a View,
    sizes: &'a Sizes,
    range: Range,
    edges: Vec<i64>,
}

/// A chart before it is drawn: lines of one unit.
struct Sketch {
    name: &'static str,
    /// Beginning of the title.
    what: String,
    unit: Unit,
    lines: Vec<Line>,
    /// Origin and meaning of the values.
    rest: String,
    /// A remark for a reader where there is no value at all.
    missing: &'static str,
}

/// The charts of a measure, those of things picked where any are.
pub(super) fn charts(view: &View, sizes: &Sizes, state: &State) -> Result<Vec<Chart>, RequestError> {
    let subjects = state.with.iter().map(|word| Subject::of(view, word)).collect::<Result<Vec<_>, _>>()?;
    let edges = match state.measure {
        Measure::Weight | Measure::Bandwidth => state.range.days(view),
        Measure::Uptime | Measure::Relays | Measure::Flags | Measure::Diversity => state.range.edges(view),
    };
    let ground = Ground { view, sizes, range: state.range, edges };
    let sketches = match state.measure {
        Measure::Uptime => vec![ground.uptime(&subjects)],
        Measure::Relays => vec![ground.relays(&subjects)],
        Measure::Flags => ground.flags(&subjects),
        Measure::Weight => ground.weight(&subjects),
        Measure::Bandwidth => ground.bandwidth(&subjects),
        Measure::Diversity => ground.diversity(),
    };
    Ok(sketches.into_iter().flat_map(|sketch| ground.drawn(sketch)).collect())
}

impl Ground<'_> {
    /// A sketch as charts of at most [`LINES`] lines.
    fn drawn(&self, sketch: Sketch) -> Vec<Chart> {
        let mut lines = sketch.lines;
        let n = lines.len().div_ceil(LINES).max(1);
        let mut charts = Vec::with_capacity(n);
        for part in 0..n {
            let these: Vec<Line> = lines.drain(..LINES.min(lines.len())).collect();
            let name = if part == 0 { sketch.name.to_owned() } else { format!("{}-{}", sketch.name, part + 1) };
            let is_empty = these.iter().all(|line| line.values.iter().all(Option::is_none));
            let rest = if is_empty { sketch.missing } else { &sketch.rest };
            let title = self.title(&sketch.what, &these, sketch.unit);
            let from_zero = sketch.unit != Unit::Share || sketch.name != "trend";
            let time = Time { from_zero, ..Time::new(sketch.unit, self.edges.clone(), these) };
            charts.push(Chart::new(name, title, note(self.view, rest), Kind::Time(time)));
        }
        charts
    }

    fn title(&self, what: &str, lines: &[Line], unit: Unit) -> String {
        let figures: Vec<String> = lines
            .iter()
            .filter_map(|line| {
                let mut known = line.values.iter().flatten();
                let first = unit.with_unit(*known.next()?);
                let last = known.next_back().map(|last| unit.with_unit(*last));
                Some(match last {
                    None => format!("{} at {first}", line.label),
                    Some(last) => format!("{} from {first} to {last}", line.label),
                })
            })
            .collect();
        match figures.is_empty() {
            true => format!("{what}: nothing is known of {}.", self.range.words()),
            false => format!("{what} over {}: {}.", self.range.words(), figures.join(", ")),
        }
    }

    fn n(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }

    fn relays_of<'s>(&'s self, subject: &'s Subject) -> impl Iterator<Item = &'s RelayRecord> {
        subject.members.iter().filter_map(|i| self.view.record.relays.get(*i))
    }

    fn uptime(&self, subjects: &[Subject]) -> Sketch {
        let step_secs = i64::from(self.range.step_hours(self.view)) * 3_600;
        let from_secs = self.edges.first().copied().unwrap_or(0);
        let from = ConsensusHour::containing(format::at_secs(from_secs));
        let line = |label: &str, cells: &[allium_analysis::StripCell]| {
            let values = cells.iter().map(|cell| cell.uptime.map(Fraction::get)).chain(std::iter::repeat(None));
            Line { label: label.to_owned(), values: values.take(self.n()).collect() }
        };
        let mut lines: Vec<Line> = subjects
            .iter()
            .map(|subject| line(&subject.label, &group_strip(&self.view.record, self.relays_of(subject), from, step_secs).cells))
            .collect();
        if lines.len() < LINES {
            lines.push(line("network", &self.view.group_strip(Members::Network, from_secs, step_secs).cells));
        }
        Sketch {
            name: "trend",
            what: "Uptime".to_owned(),
            unit: Unit::Share,
            lines,
            rest: "Of all known hours of current relays, the share that was up; relays that left more than 7 days ago are not counted."
                .to_owned(),
            missing: "No source tells of this time.",
        }
    }

    fn counts(&self, label: &str, flag: RelayFlag, subject: Option<&Subject>) -> Line {
        let (record, edges) = (&self.view.record, &self.edges);
        let everywhere = |_: &allium_model::RelayState| true;
        let values = match subject.map(|subject| (subject, subject.fits())) {
            None => running_counts(&record.known, &record.relays, &Selection { flag, fits: &everywhere }, edges),
            Some((_, Some(fits))) => running_counts(&record.known, &record.relays, &Selection { flag, fits: &*fits }, edges),
            Some((subject, None)) => running_counts(&record.known, self.relays_of(subject), &Selection { flag, fits: &everywhere }, edges),
        };
        Line { label: label.to_owned(), values }
    }

    fn relays(&self, subjects: &[Subject]) -> Sketch {
        let lines = match subjects {
            [] => [("all", RelayFlag::Running), ("Guard", RelayFlag::Guard), ("Exit", RelayFlag::Exit)]
                .map(|(label, flag)| self.counts(label, flag, None))
                .into(),
            subjects => subjects.iter().map(|subject| self.counts(&subject.label, RelayFlag::Running, Some(subject))).collect(),
        };
        let rest = match subjects.is_empty() {
            true => COUNTED.to_owned(),
            false => format!("{COUNTED} Countries, AS and flags as they were then; other groups with the relays of today."),
        };
        Sketch { name: "trend", what: "Running relays".to_owned(), unit: Unit::Count, lines, rest, missing: NO_CONSENSUS }
    }

    /// The number of relays with each flag: of the network, or a chart for each thing picked.
    fn flags(&self, subjects: &[Subject]) -> Vec<Sketch> {
        let sketch = |what: String, subject: Option<&Subject>| Sketch {
            name: "trend",
            what,
            unit: Unit::Count,
            lines: FLAGS.map(|flag| self.counts(flag.name(), flag, subject)).into(),
            rest: COUNTED.to_owned(),
            missing: "Our own record holds no consensus of this time that tells these flags.",
        };
        match subjects {
            [] => vec![sketch("Running relays with each flag".to_owned(), None)],
            subjects => {
                // Each thing has a name of its own, as the address of its chart.
                const NAMES: [&str; 12] = [
                    "flags-1", "flags-2", "flags-3", "flags-4", "flags-5", "flags-6", "flags-7", "flags-8", "flags-9", "flags-10",
                    "flags-11", "flags-12",
                ];
                let named = |(name, subject): (&'static str, &Subject)| Sketch {
                    name,
                    ..sketch(format!("{}, running relays with each flag", subject.label), Some(subject))
                };
                NAMES.into_iter().zip(subjects).map(named).collect()
            }
        }
    }

    fn sizes_of(&self, label: &str, of: SizeOf, quantity: SizeQuantity) -> Line {
        Line { label: label.to_owned(), values: self.sizes.series(of, quantity, &self.edges) }
    }

    fn published<'r>(&self, label: &str, relays: impl Iterator<Item = &'r RelayRecord>, quantity: &Quantity) -> Line {
        Line { label: label.to_owned(), values: published_sums(relays, quantity, &self.edges) }
    }

    /// Today's relays of the network with a flag.
    fn current(&self, flag: Option<RelayFlag>) -> impl Iterator<Item = &RelayRecord> {
        let relays = self.view.members(Members::Network).into_iter().filter_map(|i| self.view.record.relays.get(i));
        relays.filter(move |record| flag.is_none_or(|flag| record.relay.has(flag)))
    }

    fn weight(&self, subjects: &[Subject]) -> Vec<Sketch> {
        let roles = [("Guard", RelayFlag::Guard), ("Exit", RelayFlag::Exit)];
        let stored: Vec<Line> = match subjects {
            [] => roles.map(|(label, flag)| self.sizes_of(label, SizeOf::Flag(flag), SizeQuantity::WeightShare)).into(),
            subjects => {
                let line = |subject: &Subject| Some(self.sizes_of(&subject.label, subject.size_of?, SizeQuantity::WeightShare));
                subjects.iter().filter_map(line).collect()
            }
        };
        let share = Quantity::ConsensusWeightFraction;
        let published: Vec<Line> = match subjects {
            [] => roles.map(|(label, flag)| self.published(label, self.current(Some(flag)), &share)).into(),
            subjects => subjects.iter().map(|subject| self.published(&subject.label, self.relays_of(subject), &share)).collect(),
        };
        let what = if subjects.is_empty() { "Share of consensus weight by flag" } else { "Share of the network's consensus weight" };
        let mut sketches = vec![Sketch { rest: OWN_SIZES.to_owned(), ..sketch("weight", what, Unit::Share, stored) }];
        if subjects.is_empty() {
            let total = self.sizes_of("network", SizeOf::Network, SizeQuantity::Weight);
            sketches.push(Sketch {
                rest: format!("{OWN_SIZES} Weight has no unit; it only counts beside that of other relays."),
                ..sketch("total", "Consensus weight of the network", Unit::Count, vec![total])
            });
        }
        sketches.push(Sketch {
            rest: PUBLISHED.to_owned(),
            missing: "Onionoo's weight document has not been taken in, or does not reach there.",
            ..sketch("published", &format!("{what}, as published of today's relays"), Unit::Share, published)
        });
        best_known_first(sketches)
    }

    fn bandwidth(&self, subjects: &[Subject]) -> Vec<Sketch> {
        let advertised: Vec<Line> = match subjects {
            [] => [("advertised", SizeQuantity::Advertised), ("observed", SizeQuantity::Observed)]
                .map(|(label, quantity)| self.sizes_of(label, SizeOf::Network, quantity))
                .into(),
            subjects => {
                let line = |subject: &Subject| Some(self.sizes_of(&subject.label, subject.size_of?, SizeQuantity::Advertised));
                subjects.iter().filter_map(line).collect()
            }
        };
        let written: Vec<Line> = match subjects {
            [] => [("all", None), ("Guard", Some(RelayFlag::Guard)), ("Exit", Some(RelayFlag::Exit))]
                .map(|(label, flag)| self.published(label, self.current(flag), &Quantity::BytesWritten))
                .into(),
            subjects => {
                subjects.iter().map(|subject| self.published(&subject.label, self.relays_of(subject), &Quantity::BytesWritten)).collect()
            }
        };
        let what = if subjects.is_empty() { "Advertised and observed bandwidth" } else { "Advertised bandwidth" };
        best_known_first(vec![
            Sketch { rest: OWN_SIZES.to_owned(), ..sketch("bandwidth", what, Unit::BytesPerSec, advertised) },
            Sketch {
                rest: format!("{PUBLISHED} Bytes written; what is read is the same traffic."),
                missing: "Onionoo's bandwidth document has not been taken in, or does not reach there.",
                ..sketch("written", "Traffic carried by today's relays", Unit::BytesPerSec, written)
            },
        ])
    }

    fn diversity(&self) -> Vec<Sketch> {
        let starts: Vec<i64> = self.edges.iter().take(self.n()).map(|edge| edge + 3_600).collect();
        let [systems, countries] = diversity(&self.view.record, &starts);
        let weighed = [
            ("AS, by weight", self.sizes.concentration(|of| matches!(of, SizeOf::As(_)), &self.edges)),
            ("countries, by weight", self.sizes.concentration(|of| matches!(of, SizeOf::Country(_)), &self.edges)),
        ];
        let all = [("AS, by relays", systems), ("countries, by relays", countries)].into_iter().chain(weighed);
        let all: Vec<(&str, Vec<Option<Concentration>>)> = all.filter(|(_, found)| found.iter().any(Option::is_some)).collect();
        let lines = |value: fn(&Concentration) -> f64| {
            let line = |(label, found): &(&str, Vec<Option<Concentration>>)| Line {
                label: (*label).to_owned(),
                values: found.iter().map(|found| found.as_ref().map(value)).collect(),
            };
            all.iter().map(line).collect::<Vec<Line>>()
        };
        let rest = "Relays: each running relay once, at the start of each interval, from our own consensuses. Weight: consensus weight, from our own store.";
        let of = |name, what: &str, unit, value| Sketch {
            rest: rest.to_owned(),
            missing: NO_CONSENSUS,
            ..sketch(name, what, unit, lines(value))
        };
        vec![
            of(
                "effective",
                "Effective number of autonomous systems and countries (higher is more diverse)",
                Unit::Count,
                Concentration::effective,
            ),
            of("index", "Herfindahl\u{2013}Hirschman index (lower is more diverse)", Unit::Number, |found| found.index),
            of("top-10", "Share of the ten largest (lower is more diverse)", Unit::Share, |found| found.top_10),
        ]
    }
}

const COUNTED: &str = "Mean over the known consensuses of each interval; hatched where none is known.";
const NO_CONSENSUS: &str = "Our own record holds no consensus of this time.";
const OWN_SIZES: &str = "From our own store, day by day: mean over the hours whose consensus or details document tells it.";
const NO_SIZES: &str = "Our own store holds no figures of this time. It keeps them of every consensus that it takes in from directory authorities, CollecTor or \
     Onionoo, but lists of running relays alone tell none.";
const PUBLISHED: &str = "Sums of the graphs that Onionoo publishes of today's relays: relays that have left are missing from the past.";

fn sketch(name: &'static str, what: &str, unit: Unit, lines: Vec<Line>) -> Sketch {
    Sketch { name, what: what.to_owned(), unit, lines, rest: String::new(), missing: NO_SIZES }
}

/// Sorts sketches: those with more of the time known before those with less, and of those without a value only one.
fn best_known_first(mut sketches: Vec<Sketch>) -> Vec<Sketch> {
    let known = |sketch: &Sketch| sketch.lines.iter().map(|line| line.values.iter().flatten().count()).max().unwrap_or(0);
    sketches.sort_by_key(|sketch| std::cmp::Reverse(known(sketch)));
    let n_known = sketches.iter().filter(|sketch| known(sketch) > 0).count();
    sketches.truncate(n_known + usize::from(n_known < sketches.len()));
    sketches
}
