//! Names of roles and rules, as types.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits::MAX_NAME;

/// A text that cannot be the name of a role, a rule or an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name is made of letters, digits, `-` and `_`, begins with a letter or digit, \
     and has at most {MAX_NAME} bytes"
)]
pub struct InvalidName;

pub(crate) fn check(text: &str) -> Result<(), InvalidName> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let begins_well = text
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphanumeric);
    if begins_well && text.len() <= MAX_NAME && text.bytes().all(good) {
        Ok(())
    } else {
        Err(InvalidName)
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(Arc<str>);

        impl $type {
            /// Takes a text for a name.
            ///
            /// # Errors
            /// [`InvalidName`] when the text has other characters than a name may have.
            pub fn new(text: &str) -> Result<Self, InvalidName> {
                check(text)?;
                Ok(Self(text.into()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        // Lets a map keyed by names be asked with a plain text.
        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::new(&text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0.as_ref().to_owned()
            }
        }
    };
}

name!(
    /// The name of a rule, as in `[rule.NAME]`.
    RuleName
);
name!(
    /// The name of a role, as in `[role.NAME]`.
    RoleName
);
