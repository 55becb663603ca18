//! Enums whose variants have names, such as the values of a metric's label.

/// Declares an enum with a name for each variant, `ALL` variants in order, and `name()`.
macro_rules! named_enum {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $Enum:ident {
            $($(#[$doc:meta])* $Variant:ident = $name:literal,)+
        }
    ) => {
        $(#[$attribute])*
        $visibility enum $Enum {
            $($(#[$doc])* $Variant,)+
        }

        impl $Enum {
            /// All, in their order.
            $visibility const ALL: [Self; [$($name),+].len()] = [$(Self::$Variant),+];

            /// The name.
            $visibility const fn name(self) -> &'static str {
                match self { $(Self::$Variant => $name,)+ }
            }
        }
    };
}
