//! Tables of what has one address: a line each, from which the enum, its path and its answer follow.

/// Makes [`FixedPage`](super::FixedPage) from lines `Name = "/path", |shown| page` with, where the page has charts,
/// `, charts ["name", …] |shown, params, name| chart`.
macro_rules! fixed_pages {
    ($($(#[$doc:meta])* $name:ident = $path:literal, $make:expr $(, charts [$($chart:literal),*] $draw:expr)?;)*) => {
        /// A page that has one address.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum FixedPage {
            $($(#[$doc])* $name,)*
        }

        impl FixedPage {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The address.
            pub const fn path(self) -> &'static str {
                match self { $(Self::$name => $path,)* }
            }

            /// The names of its charts.
            pub const fn chart_names(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($($chart),*)?],)* }
            }

            pub(crate) fn html(self, shown: &Shown<'_>) -> Result<PageHtml, RequestError> {
                let make: fn(&Shown<'_>) -> Result<PageHtml, RequestError> = match self { $(Self::$name => $make,)* };
                make(shown)
            }

            pub(crate) fn chart(self, shown: &Shown<'_>, params: &Params, name: &str) -> Result<Chart, RequestError> {
                let draw: fn(&Shown<'_>, &Params, &str) -> Result<Chart, RequestError> =
                    match self { $(Self::$name => fixed_pages!(@draw $($draw)?),)* };
                draw(shown, params, name)
            }
        }
    };
    (@draw) => { |_, _, _| Err(RequestError::NoSuchPage) };
    (@draw $draw:expr) => { $draw };
}

/// Makes [`FixedData`](super::FixedData) from lines `Name = "/path", [Json, Csv], |shown, form| text`; paths begin behind `/api/v1`.
macro_rules! fixed_data {
    ($($(#[$doc:meta])* $name:ident = $path:literal, [$($form:ident),*], $make:expr;)*) => {
        /// Figures that have one address.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum FixedData {
            $($(#[$doc])* $name,)*
        }

        impl FixedData {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The address of the JSON behind `/api/v1`.
            pub const fn path(self) -> &'static str {
                match self { $(Self::$name => $path,)* }
            }

            /// The forms in which they are given out.
            pub const fn forms(self) -> &'static [Form] {
                match self { $(Self::$name => &[$(Form::$form),*],)* }
            }

            pub(crate) fn text(self, shown: &Shown<'_>, form: Form) -> Result<String, RequestError> {
                let make: fn(&Shown<'_>, Form) -> Result<String, RequestError> = match self { $(Self::$name => $make,)* };
                make(shown, form)
            }
        }
    };
}

pub(crate) use {fixed_data, fixed_pages};
