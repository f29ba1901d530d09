pub fn main() -> crate::exit::Exit {
    crate::exit::Exit::Status(0)
}
