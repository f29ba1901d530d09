# Inside: a cgroup tree whose root is our own folder, accounts, PAM files and logs that are ours.
umount /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/system.slice/elevated.service /sys/fs/cgroup/elevate.slice
echo $$ > /sys/fs/cgroup/system.slice/elevated.service/cgroup.procs

mount -t tmpfs -o mode=0755 none /var/log
mkdir -p -m 0700 /var/log/elevate/sessions
mount -t tmpfs -o mode=0755 none /mnt
mkdir /mnt/pam.d /mnt/secret
chmod 0700 /mnt/secret
cp -a /etc/pam.d/. /mnt/pam.d/
cp "$ELEVATE_TEST_SUPPORT/../../../packaging/pam/elevate" /mnt/pam.d/elevate
echo 'session required pam_env.so conffile=/mnt/pam_env.conf' >> /mnt/pam.d/elevate
echo 'KRB5CCNAME DEFAULT=FILE:/tmp/krb5' > /mnt/pam_env.conf
echo 'LD_PRELOAD DEFAULT=/tmp/evil.so' >> /mnt/pam_env.conf
mount --bind /mnt/pam.d /etc/pam.d
for file in passwd shadow group; do
    cp -a "/etc/$file" "/mnt/$file"
done
echo 'alice:x:4001:4001::/:/bin/sh' >> /mnt/passwd
echo 'mallory:x:4002:4002::/:/bin/sh' >> /mnt/passwd
echo 'alice:*:19000:0:99999:7:::' >> /mnt/shadow
echo 'mallory:*:19000:0:99999:7::1:' >> /mnt/shadow
for file in passwd shadow group; do
    mount --bind "/mnt/$file" "/etc/$file"
done
mkdir /mnt/limits.d
mount --bind /mnt/limits.d /etc/security/limits.d
echo '* soft nofile 700' > /mnt/limits.d/test.conf
echo 'root soft nofile 700' >> /mnt/limits.d/test.conf
exec "$@"
