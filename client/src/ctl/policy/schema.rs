//! `elevatectl policy schema`: the language, for editors.

use crate::ctl::output;
use crate::failure::Failure;

/// Write the JSON Schema of one policy file.
pub(in crate::ctl) fn schema() -> Result<(), Failure> {
    output::json(&elevate_policy::schema())
}
