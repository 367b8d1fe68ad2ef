//! The form of a table.

use allium_words::inert::inert;

use super::paging::Position;
use super::{Choice, Paging, Table, TableState, TextField, Values};

/// A form for people; goes into a page by a macro of `parts.html`.
pub(crate) struct FormHtml {
    pub(crate) action: String,
    pub(crate) q: String,
    pub(crate) example: Option<&'static str>,
    pub(crate) search_id: &'static str,
    /// Beginning of the ids of the other fields.
    pub(crate) prefix: &'static str,
    pub(crate) selects: Vec<Select>,
    pub(crate) texts: Vec<TextInput>,
    pub(crate) boxes: Vec<Boxes>,
    pub(crate) hidden: Vec<(&'static str, String)>,
    /// Numbers of rows, each with true if it is chosen.
    pub(crate) rows: Vec<(usize, bool)>,
}

/// A choice of one value.
pub(crate) struct Select {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// Values with their labels, each with true if it is chosen.
    pub(crate) options: Vec<(String, String, bool)>,
}

/// A free text.
pub(crate) struct TextInput {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) field: TextField,
}

/// A choice of several values.
pub(crate) struct Boxes {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) options: Vec<(String, bool)>,
}

impl<R> Table<'_, R> {
    pub(super) fn form(&self, state: &TableState) -> FormHtml {
        let (search_id, prefix) = if self.style.is_only_form { ("q", "") } else { ("tq", "t-") };
        let chosen = || self.choices.iter().zip(&state.chosen);
        FormHtml {
            action: self.path.clone(),
            q: inert(&state.question.to_string()),
            example: self.style.example,
            search_id,
            prefix,
            selects: chosen().filter_map(|(choice, chosen)| choice.select(chosen)).collect(),
            texts: chosen().filter_map(|(choice, chosen)| choice.text_input(chosen)).collect(),
            boxes: chosen().filter_map(|(choice, chosen)| choice.boxes(chosen)).collect(),
            hidden: self.hidden(state),
            rows: self.rows_offered(state),
        }
    }

    /// The parameters that the form carries along unseen.
    fn hidden(&self, state: &TableState) -> Vec<(&'static str, String)> {
        let mut hidden = vec![("sort", Self::sort_value(state))];
        let carried = self.choices.iter().zip(&state.chosen).filter(|(choice, _)| matches!(choice.values, Values::Carried));
        hidden.extend(carried.flat_map(|(choice, values)| values.iter().map(|value| (choice.name, value.clone()))));
        hidden.extend(state.all_columns.then(|| ("columns", "all".to_owned())));
        if let Position::Behind { limit: Some(limit), .. } = &state.position {
            hidden.push(("limit", limit.to_string()));
        }
        hidden
    }

    fn rows_offered(&self, state: &TableState) -> Vec<(usize, bool)> {
        match (self.style.paging, &state.position) {
            (Paging::Numbered(offered), Position::Page { per_page, .. }) => offered.iter().map(|n| (*n, n == per_page)).collect(),
            _ => Vec::new(),
        }
    }
}

impl<R> Choice<'_, R> {
    fn select(&self, chosen: &[String]) -> Option<Select> {
        let is_chosen = |value: &String| chosen.contains(value);
        let marked = |(value, label): &(String, String)| (value.clone(), label.clone(), is_chosen(value));
        let options = match &self.values {
            Values::OneOf(options) => {
                let mut options: Vec<_> = options.iter().map(marked).collect();
                if let (true, Some(default)) = (chosen.is_empty(), options.first_mut()) {
                    default.2 = true;
                }
                options
            }
            Values::OneOrAny(options) => {
                let any = (String::new(), "any".to_owned(), false);
                std::iter::once(any).chain(options.iter().map(marked)).collect()
            }
            Values::Several(_) | Values::Text(_) | Values::Carried => return None,
        };
        Some(Select { name: self.name, label: self.label, options })
    }

    fn text_input(&self, chosen: &[String]) -> Option<TextInput> {
        let Values::Text(field) = self.values else { return None };
        let value = chosen.first().map_or_else(String::new, |value| inert(value));
        Some(TextInput { name: self.name, label: self.label, value, field })
    }

    fn boxes(&self, chosen: &[String]) -> Option<Boxes> {
        let Values::Several(options) = &self.values else { return None };
        let is_chosen = |option: &str| chosen.iter().any(|value| value == option);
        Some(Boxes {
            name: self.name,
            label: self.label,
            options: options.iter().map(|option| (option.clone(), is_chosen(option))).collect(),
        })
    }
}
