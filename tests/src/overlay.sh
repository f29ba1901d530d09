# Opens a root that is not booted, over others, for what comes next.
# Arguments: LAYER LOWERDIRS DEB...; what changes is in LAYER/upper in the end.
layer=$1 lower=$2
shift 2
cd "$layer"
mkdir upper work root
mount -t overlay -o "lowerdir=$lower,upperdir=upper,workdir=work" overlay root
mount -t proc proc root/proc
mount -t tmpfs tmpfs root/tmp
mount -t tmpfs tmpfs root/run
mount --rbind /dev root/dev
inside() {
    chroot root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}
