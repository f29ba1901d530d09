# Keeps one whole machine: boots it, and ends when standard input does, which happens at the latest
# when the process that made the machine dies. This is PID 1 of a namespace: with it goes everything
# that it started.
# Arguments: HOSTNAME MOUNTPOINT KERNEL DISK KEY. Prints a line once commands can come in; everything
# else goes to standard error.
set -eu
hostname=$1 mountpoint=$2 kernel=$3 disk=$4 key=$5

# Everything the machine writes goes to a tmpfs that nobody but this namespace ever sees.
mount -t tmpfs -o size=4g,mode=700 machine "$mountpoint"
cd "$mountpoint"
mkfifo wire.in wire.out
machine_id=$(tr -d - </proc/sys/kernel/random/uuid)

# Emulated: KVM is rarely there where tests run. No network card: the wire is all that leads in.
# Some kernels mistake the emulator for one that leaks, and slow themselves down.
TMPDIR=$mountpoint qemu-system-x86_64 \
    -accel tcg,thread=multi -machine q35 -cpu max -smp 2 -m 1G \
    -nodefaults -no-user-config -display none -no-reboot \
    -kernel "$kernel" \
    -append "root=/dev/nvme0n1 rw console=ttyS0 panic=-1 mitigations=off systemd.getty_auto=no \
systemd.hostname=$hostname systemd.machine_id=$machine_id" \
    -drive "file=$disk,format=raw,if=none,id=disk,snapshot=on" -device nvme,drive=disk,serial=disk \
    -serial stdio \
    -chardev pipe,id=wire,path=wire -device virtio-serial -device virtserialport,chardev=wire \
    </dev/null >&2 &

# Every command is a window of this one connection.
ssh -F none -M -N -f -S "$mountpoint/wire" -i "$key" \
    -o BatchMode=yes -o ConnectTimeout=600 -o LogLevel=ERROR \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o ProxyCommand="cat wire.out & exec cat >wire.in" root@machine </dev/null >&2
echo up
read -r _ || :
