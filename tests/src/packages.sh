# Installs as an image builder would: units get enabled and start with the machine, and what is made
# at first start is made in every machine anew.
if [ $# -gt 0 ]; then
    mkdir root/tmp/debs
    cp "$@" root/tmp/debs
    inside sh -c 'dpkg --install /tmp/debs/*.deb'
fi
