//! Types that are written as one text: checked when read, whole when printed.

/// Makes `$type`, which has `FromStr<Err = $error>` and `Display`, a type that serde reads and
/// writes as a string (`#[serde(try_from = "String", into = "String")]`).
macro_rules! conversions {
    ($type:ty, $error:ty) => {
        impl TryFrom<String> for $type {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}

pub(crate) use conversions;
