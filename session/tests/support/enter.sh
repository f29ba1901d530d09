# Runs "$@" where it can play systemd without changing this host: with mounts, processes and a
# cgroup tree of its own, in which it is elevated.service.
set -e
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
top=/sys/fs/cgroup/elevate-session-test-$$
mkdir "$top"
leave() { find "$top" -depth -type d -exec rmdir {} +; }
trap leave EXIT
(
    # The subshell, not this shell, moves: an own cgroup cannot be removed.
    sh -c 'echo $PPID' > "$top/cgroup.procs"
    exec unshare --cgroup --mount --pid --fork --kill-child --mount-proc \
        --propagation private sh -e "$ELEVATE_TEST_SUPPORT/play.sh" "$@"
)
