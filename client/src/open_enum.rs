//! The one way this crate makes enums of the API: open ones, that keep a number they do not know.

/// Declares an enum whose unknown numbers survive as `Unrecognized(n)`.
///
/// The zero value of the wire means "not stated" and is kept as `Unrecognized(0)`: nothing that
/// the server did not say is ever read as something it said.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $number:literal $text:literal,)+
    }) => {
        $(#[$doc])*
        ///
        /// New values may come: `Unrecognized` holds the number of one that this version does
        /// not know.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A value that this version does not know, as its number; 0 is "not stated".
            Unrecognized(i32),
        }

        impl $name {
            /// Every value that this version knows.
            pub const KNOWN: &[Self] = &[$(Self::$variant,)+];

            /// The value with this number on the wire.
            #[must_use]
            pub fn from_number(number: i32) -> Self {
                match number {
                    $($number => Self::$variant,)+
                    other => Self::Unrecognized(other),
                }
            }

            /// The value with this name, as `Display` writes it. `None` if it is not known.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// Its number on the wire.
            #[must_use]
            pub fn number(self) -> i32 {
                match self {
                    $(Self::$variant => $number,)+
                    Self::Unrecognized(number) => number,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$variant => f.pad($text),)+
                    Self::Unrecognized(number) => write!(f, "UNRECOGNIZED({number})"),
                }
            }
        }
    };
}

pub(crate) use open_enum;
