# What is in the root becomes a file system. Whoever boots it writes to a copy.
umount -R -l root/dev root/proc root/tmp root/run
mkfs.ext4 -q -O ^has_journal -d root disk.ext4 4G
umount root
rm -r upper
