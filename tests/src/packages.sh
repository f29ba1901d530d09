# Arguments: LAYER BASE DEB...
layer=$1 base=$2
shift 2
cd "$layer"
mkdir upper work root
mount -t overlay -o "lowerdir=$base,upperdir=upper,workdir=work" overlay root
mount -t proc proc root/proc
mount -t tmpfs tmpfs root/tmp
mount -t tmpfs tmpfs root/run
mount --rbind /dev root/dev
mkdir root/tmp/debs
cp "$@" root/tmp/debs
chroot root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
    sh -c 'dpkg --install /tmp/debs/*.deb'
umount -l root/dev root/proc root/tmp root/run root
rmdir root
