//! JSON, CSV, feeds and calendars as plain text, cut to what shows their form.

use serde_json::Value;

use crate::plain::cut_lines;

/// Elements of a list that are shown: of plain values, and of objects.
const N_SHOWN: [usize; 2] = [6, 2];

/// The longest text on one line.
const WIDTH: usize = 120;

/// JSON with a field per line; short objects and lists stay on one line.
pub(crate) fn json_text(value: &Value) -> String {
    cut_lines(&broken(value, 0))
}

fn broken(value: &Value, depth: usize) -> String {
    let line = Part::of(value).on_one_line();
    if line.chars().count() + 2 * depth <= WIDTH {
        return line;
    }
    let indent = "  ".repeat(depth + 1);
    let end = "  ".repeat(depth);
    match Part::of(value) {
        Part::Plain(text) => text,
        Part::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| format!("{indent}{name}: {}\n", broken(value, depth + 1)));
            format!("{{\n{}{end}}}", fields.collect::<String>())
        }
        Part::List(values, n_more) => {
            let values = values.iter().map(|value| format!("{indent}{}\n", broken(value, depth + 1))).collect::<String>();
            let more = n_more.map(|n| format!("{indent}… {n} more\n")).unwrap_or_default();
            format!("[\n{values}{more}{end}]")
        }
    }
}

/// A value with what is shown of it.
enum Part<'a> {
    Plain(String),
    Object(Vec<(&'a str, &'a Value)>),
    List(&'a [Value], Option<usize>),
}

impl<'a> Part<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Object(fields) => Self::Object(fields.iter().map(|(name, value)| (name.as_str(), value)).collect()),
            Value::Array(values) => {
                let n = N_SHOWN[usize::from(values.iter().any(Value::is_object))].min(values.len());
                Self::List(&values[..n], (values.len() > n).then(|| values.len() - n))
            }
            Value::Number(number) if number.is_f64() => Self::Plain(rounded(number.as_f64().unwrap())),
            value => Self::Plain(value.to_string()),
        }
    }

    fn on_one_line(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Object(fields) => {
                let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {}", Part::of(value).on_one_line())).collect();
                format!("{{{}}}", fields.join(", "))
            }
            Self::List(values, n_more) => {
                let values = values.iter().map(|value| Part::of(value).on_one_line());
                let values: Vec<String> = values.chain(n_more.map(|n| format!("… {n} more"))).collect();
                format!("[{}]", values.join(", "))
            }
        }
    }
}

/// A number without the last digits, in which machines may differ.
fn rounded(x: f64) -> String {
    format!("{x:.9e}").parse::<f64>().unwrap().to_string()
}

/// The first lines of a table, with the number of the rest.
pub(crate) fn csv_text(csv: &str) -> String {
    let n_more = csv.lines().count().saturating_sub(9);
    let cell = |cell: &str| match cell.parse::<f64>() {
        Ok(x) if cell.len() > 10 && cell.contains('.') => rounded(x),
        _ => cell.to_owned(),
    };
    let line = |line: &str| line.split(',').map(cell).collect::<Vec<_>>().join(",");
    let more = (n_more > 0).then(|| format!("… {n_more} more"));
    csv.lines().take(9).map(line).chain(more).collect::<Vec<_>>().join("\n")
}

/// A feed with an element per line.
pub(crate) fn xml_text(xml: &str) -> String {
    cut_lines(&xml.replace("><", ">\n<"))
}
