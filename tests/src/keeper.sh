# Keeps one machine: boots it in a private mount namespace, and ends it when standard input ends,
# which happens at the latest when the process that made the machine dies.
# Arguments: NAME (elevate-machine-*-PID-N, of the process that made it) HOSTNAME MOUNTPOINT LOWERDIRS.
# Prints nspawn's pid; everything else goes to standard error.
set -eu
name=$1 hostname=$2 mountpoint=$3 lower=$4

# Everything the machine writes goes to a tmpfs that nobody but this namespace ever sees.
mount -t tmpfs -o size=4g,mode=755 machine "$mountpoint"
cd "$mountpoint"
mkdir upper upper/etc work root pids
tr -d - </proc/sys/kernel/random/uuid >upper/etc/machine-id
echo "$hostname" >upper/etc/hostname
echo "127.0.0.1 localhost $hostname" >upper/etc/hosts
mount -t overlay -o "lowerdir=$lower,upperdir=upper,workdir=work" overlay root

# systemd in the machine wants a cgroup2 hierarchy; a v1 host has none where nspawn looks for it.
v1=
if [ -d /sys/fs/cgroup/pids ]; then
    mount --bind /sys/fs/cgroup/pids pids
    v1=pids/$name
    mkdir "$v1"
fi
umount -R /sys/fs/cgroup
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
v2=/sys/fs/cgroup/$name
mkdir "$v2" "$v2/machine"

# Machines whose keeper was killed, and with it all who could end them.
for left in /sys/fs/cgroup/elevate-machine-* pids/elevate-machine-*; do
    pid=${left%-*}
    pid=${pid##*-}
    if [ -d "$left" ] && [ ! -d "/proc/$pid" ]; then
        if [ -e "$left/cgroup.kill" ]; then echo 1 >"$left/cgroup.kill"; fi
        find "$left" -depth -type d -exec rmdir {} + 2>/dev/null || :
    fi
done

# A fork storm inside would otherwise take the host with it.
for limit in ${v1:+"$v1/pids.max"} "$v2/pids.max"; do
    if [ -e "$limit" ]; then echo 4000 >"$limit"; fi
done

# A host's login must not show as the machine's: services start with no loginuid at all.
if [ "$(cat /proc/self/loginuid)" != 4294967295 ]; then
    echo 4294967295 >/proc/self/loginuid
fi

(
    if [ -n "$v1" ]; then echo 0 >"$v1/cgroup.procs"; fi
    echo 0 >"$v2/machine/cgroup.procs"
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
    exec systemd-nspawn --quiet --boot --directory=root \
        --machine="$name" --register=no --keep-unit --private-network --console=pipe \
        --capability=all --system-call-filter='@keyring bpf pidfd_getfd' \
        --hostname="$hostname" </dev/null >&2
) &
echo $!

read -r _ || :
echo 1 >"$v2/cgroup.kill"
wait
# The kernel empties a cgroup a moment after its last process is gone.
tries=0
while [ -d "$v2" ] || [ -d "${v1:-$v2}" ]; do
    find "$v2" ${v1:+"$v1"} -depth -type d -exec rmdir {} + 2>/dev/null || :
    tries=$((tries + 1))
    [ $tries -lt 200 ] || exit 1
    sleep 0.02
done
