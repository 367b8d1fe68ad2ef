//! Macros that read the tables of what has one address. The addresses and the answers are made of the same lines, but apart, so that
//! whoever links to a page needs not know how it is made.

/// Makes the enum of pages with one address.
macro_rules! fixed_page_addresses {
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
        }
    };
}

/// Makes the answers of pages with one address.
macro_rules! fixed_page_answers {
    ($($(#[$doc:meta])* $name:ident = $path:literal, $make:expr $(, charts [$($chart:literal),*] $draw:expr)?;)*) => {
        impl FixedPage {
            pub(crate) fn html(self, shown: &Shown<'_>) -> Result<PageHtml, RequestError> {
                let make: fn(&Shown<'_>) -> Result<PageHtml, RequestError> = match self { $(Self::$name => $make,)* };
                make(shown)
            }

            pub(crate) fn chart(self, shown: &Shown<'_>, params: &Params, name: &str) -> Result<Chart, RequestError> {
                let draw: fn(&Shown<'_>, &Params, &str) -> Result<Chart, RequestError> =
                    match self { $(Self::$name => fixed_page_answers!(@draw $($draw)?),)* };
                draw(shown, params, name)
            }
        }
    };
    (@draw) => { |_, _, _| Err(RequestError::NoSuchPage) };
    (@draw $draw:expr) => { $draw };
}

/// Makes the enum of figures with one address.
macro_rules! fixed_data_addresses {
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
        }
    };
}

/// Makes the answers of figures with one address.
macro_rules! fixed_data_answers {
    ($($(#[$doc:meta])* $name:ident = $path:literal, [$($form:ident),*], $make:expr;)*) => {
        impl FixedData {
            pub(crate) fn text(self, shown: &Shown<'_>, form: Form) -> Result<String, RequestError> {
                let make: fn(&Shown<'_>, Form) -> Result<String, RequestError> = match self { $(Self::$name => $make,)* };
                make(shown, form)
            }
        }
    };
}
