// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A list of forms out of which a person chooses one by name.

/// Makes an enum of forms, their names, and the function that writes what it is given in
/// one of them, from one line a form: `Variant: "name", "file", function;`.
macro_rules! choices {
    (
        $(#[$about:meta])+
        $choice:ident, $what:literal;
        $(#[$render_about:meta])+
        $render_all:ident($arg:ident: $type:ty);
        $($(#[$doc:meta])+ $variant:ident: $name:literal, $file:literal, $render:expr;)+
    ) => {
        $(#[$about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $choice {
            $($(#[$doc])+ $variant,)+
        }

        impl $choice {
            /// Every one.
            pub const ALL: &[$choice] = &[$($choice::$variant),+];

            /// The name on the command line.
            pub fn name(self) -> &'static str {
                match self { $($choice::$variant => $name,)+ }
            }

            /// The name of its file.
            pub fn file_name(self) -> &'static str {
                match self { $($choice::$variant => $file,)+ }
            }
        }

        impl std::fmt::Display for $choice {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $choice {
            type Err = $crate::Error;

            fn from_str(given: &str) -> Result<Self, $crate::Error> {
                let found = $choice::ALL.iter().find(|f| f.name() == given);
                found.copied().ok_or_else(|| $crate::Error::UnknownFormat {
                    what: $what,
                    given: given.to_string(),
                    known: $choice::ALL
                        .iter()
                        .map(|f| f.name())
                        .collect::<Vec<_>>()
                        .join(", "),
                })
            }
        }

        $(#[$render_about])+
        pub fn $render_all(format: $choice, $arg: $type) -> Result<String, $crate::Error> {
            match format { $($choice::$variant => $render($arg),)+ }
        }
    };
}

pub(crate) use choices;
