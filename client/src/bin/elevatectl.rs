fn main() {
    elevate_client::ctl::main().leave()
}
