# The machine has no modules to load, and the host kernel is none of its business.
ln -s /dev/null /etc/systemd/system/systemd-modules-load.service

# Logins come in bursts and share connections; the limits are for the open network.
cat >/etc/ssh/sshd_config.d/harness.conf <<END
MaxStartups 200
MaxSessions 200
UseDNS no
END

# Newer servers hold refused logins against the address that they came from, and all of ours come
# from one. Older ones don't know the keyword.
if /usr/sbin/sshd -t -o PerSourcePenalties=no 2>/dev/null; then
    echo "PerSourcePenalties no" >>/etc/ssh/sshd_config.d/harness.conf
fi

# A directory server runs where a test starts one, and then with the test's own data.
systemctl disable --quiet slapd.service
rm -rf /etc/ldap/slapd.d /var/lib/ldap

# One key opens every user that the harness makes.
mkdir -m 700 -p /root/.ssh
ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id_ed25519
cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
cat >/root/.ssh/config <<END
Host 127.0.0.1
    StrictHostKeyChecking accept-new
    LogLevel ERROR
END

# Commands of the harness run in here, as those of any other service would run in theirs.
cat >/etc/systemd/system/harness.service <<END
[Unit]
Description=Commands of the test harness

[Service]
ExecStart=sleep infinity
Delegate=yes
TasksMax=infinity

[Install]
WantedBy=multi-user.target
END
systemctl enable --quiet harness.service
