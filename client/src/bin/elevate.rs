fn main() {
    elevate_client::elevate::main().leave()
}
