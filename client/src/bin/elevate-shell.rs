fn main() {
    elevate_client::login_shell::main().leave()
}
