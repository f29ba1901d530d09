# The release's own kernel. It has NVMe and ext4 built in, so the small program that its package
# wants for an initramfs makes one that nobody loads, and spares us a large one.
touch root/etc/resolv.conf
mount --bind /etc/resolv.conf root/etc/resolv.conf
inside sh -euc '
    apt-get --quiet=2 update
    apt-get --quiet=2 install --no-install-recommends linux-image-cloud-amd64 tiny-initramfs
    apt-get clean
    rm -r /var/lib/apt/lists/*'

# Commands of the harness come in by one ssh connection over a wire of their own. Its sshd opens no
# PAM session: like a service's, they have no login behind them.
cat >root/etc/ssh/harness <<END
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin yes
UsePAM no
MaxSessions 1000
END
mkdir root/etc/systemd/system/harness.service.d
cat >root/etc/systemd/system/harness.service.d/wire.conf <<'END'
[Unit]
After=ssh.service
StartLimitIntervalSec=0

[Service]
StandardError=journal+console
ExecStart=
ExecStart=sh -euc '\
    modprobe --all virtio_pci virtio_console; \
    exec /usr/sbin/sshd -i -e -f /etc/ssh/harness <>/dev/vport0p1 >&0'
# The end of the wire shows up a moment after its driver.
Restart=on-failure
RestartSec=100ms
END
