//! A directory server and an `elevated` for tests, each with as much of its protocol as they need.
#![allow(dead_code)]

pub(crate) mod elevated;
pub(crate) mod server;

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use elevate_directory::ldap::tls;
use elevate_directory::server::Server;
use elevate_directory::settings::{self, Settings};
use tokio_rustls::rustls::ClientConfig;

/// Settings for the server at this port of the loopback, with these lines too.
pub(crate) fn settings(uri: &str, more: &str) -> Settings {
    let text = format!(
        "uri = \"{uri}\"\ntimeout = \"2s\"\nattributes = [\"department\"]\n\
         bind_dn = \"cn=elevate\"\npeople.base = \"ou=people,o=x\"\n\
         groups.base = \"ou=groups,o=x\"\n{more}"
    );
    settings::parse("directory.toml", &text).unwrap()
}

/// What believes the tests' authority.
pub(crate) fn tls() -> Arc<ClientConfig> {
    tls::believing("ca.pem", include_bytes!("../data/ca.pem")).unwrap()
}

/// A source that follows the server at this URI.
pub(crate) fn source(uri: &str) -> Server {
    let settings = Rc::new(settings(uri, ""));
    Server::new(settings, tls(), Some("secret".to_owned().into()))
}

/// A folder for a socket, which goes with the guard.
pub(crate) fn socket() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.sock");
    (folder, path)
}
