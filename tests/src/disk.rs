//! The disk of a whole machine: the root that containers have, with a kernel and our packages.

use std::path::{Path, PathBuf};

use crate::layer::{Layer, key_of};
use crate::{Error, Release, overlay, packages};

const KERNEL: &str = include_str!("kernel.sh");
const DISK: &str = include_str!("disk.sh");

/// What a whole machine boots from.
#[derive(Debug)]
pub(crate) struct Disk {
    kernel: Layer,
    disk: Layer,
}

impl Disk {
    pub(crate) fn get(release: Release, base: &Path, debs: &[PathBuf]) -> Result<Self, Error> {
        let kernel = kernel(release, base)?;
        let contents = packages::contents(debs)?;
        let fixed = [
            kernel
                .path()
                .file_name()
                .unwrap_or_default()
                .as_encoded_bytes(),
            packages::INSTALL.as_bytes(),
            DISK.as_bytes(),
        ];
        let key = key_of(fixed.into_iter().chain(contents.iter().map(Vec::as_slice)));
        let lower = [kernel.path().join("upper"), base.into()];
        let disk = Layer::get(&format!("disk-{release}"), &key, |dir| {
            let scripts = [packages::INSTALL, DISK];
            overlay::fill(dir, &lower, "making a disk", &scripts, debs)
        })?;
        Ok(Self { kernel, disk })
    }

    /// The kernel, as its bootloader would load it.
    pub(crate) fn kernel(&self) -> PathBuf {
        let root = self.kernel.path().join("upper");
        // The link in the root leads into /boot without a leading slash.
        root.join("vmlinuz")
    }

    /// The file system, in a file that is not to be written to.
    pub(crate) fn image(&self) -> PathBuf {
        self.disk.path().join("disk.ext4")
    }
}

fn kernel(release: Release, base: &Path) -> Result<Layer, Error> {
    let base_name = base.file_name().unwrap_or_default().as_encoded_bytes();
    let key = key_of([base_name, KERNEL.as_bytes()]);
    Layer::get(&format!("kernel-{release}"), &key, |dir| {
        eprintln!("installing the kernel of Debian {release} (once, about 10 s)");
        overlay::fill(dir, &[base.into()], "installing a kernel", &[KERNEL], &[])
    })
}
