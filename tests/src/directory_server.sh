# Makes a directory server out of nothing and starts it. Arguments: its configuration as LDIF, the
# password of the account that elevate-directory binds as; standard input: the people as LDIF.
configuration=$1 password=$2
umask 022
mkdir /srv/directory
cd /srv/directory
mkdir config data

# An authority of the test's own; another one, which signed nothing; and the server's certificate.
for authority in ca other-ca; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
        -subj "/CN=$authority" -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout "$authority.key" -out "$authority.pem"
done
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
    -keyout server.key -out server.csr
cat >server.ext <<END
basicConstraints=critical,CA:FALSE
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost
END
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 3650 -extfile server.ext \
    -out server.pem
rm server.csr server.ext

# As a line would spoil it for ldapsearch -y, the file holds the password and nothing else.
(umask 077 && printf %s "$password" >password)

printf '%s\n' "$configuration" | slapadd -q -F config -n 0
hash=$(slappasswd -n -s "$password")
key=$(cat /root/.ssh/id_ed25519.pub)
sed "s|BIND_PASSWORD|$hash|; s|SSH_PUBLIC_KEY|$key|" >people.ldif
slapadd -q -w -F config -n 1 -l people.ldif
chown -R openldap:openldap config data server.key

# Directory people have no home that useradd made.
awk '/^uidNumber:/ { uid = $2 } /^gidNumber:/ { gid = $2 }
     /^homeDirectory:/ { print uid, gid, $2 }' people.ldif |
    while read -r uid gid home; do install -d -m 700 -o "$uid" -g "$gid" "$home"; done

cat >/run/systemd/system/directory-server.service <<END
[Unit]
Description=Directory server of the tests

[Service]
Type=exec
RuntimeDirectory=directory-server
ExecStart=/usr/sbin/slapd -d 0 -F /srv/directory/config -u openldap -g openldap \
    -h "ldap://localhost ldapi://%%2Frun%%2Fdirectory-server%%2Fldapi"
ExecStartPost=/bin/sh -c 'until ldapwhoami -Q -Y EXTERNAL -H ldapi://%%2Frun%%2Fdirectory-server%%2Fldapi >/dev/null 2>&1; do sleep 0.01; done'
TimeoutStartSec=20
LimitNOFILE=4096
END
systemctl start directory-server.service
