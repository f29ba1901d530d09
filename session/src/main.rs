//! `elevate-launcher`: see [`elevate_session::launcher`].
#![deny(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    elevate_session::launcher::main()
}
