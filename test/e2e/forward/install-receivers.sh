#!/bin/sh
# Installs the real receivers that these tests run against, from Debian's packages (as root). rsyslog and syslog-ng
# exclude each other as packages: syslog-ng is unpacked into build/receivers instead.
set -eu
cd "$(dirname "$0")/../../.."
export DEBIAN_FRONTEND=noninteractive
# In a container nothing may be started by an installation.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends \
  rsyslog rsyslog-openssl rsyslog-gnutls rsyslog-relp tinyproxy-bin kcat openssl \
  nginx-light libnginx-mod-stream haproxy stunnel4
if [ ! -x build/receivers/usr/sbin/syslog-ng ]; then
  folder=$(mktemp -d)
  chmod 755 "$folder"
  (cd "$folder" && apt-get download -qq syslog-ng-core libivykis0 libnet1 libpcre3 libwrap0)
  mkdir -p build/receivers
  for package in "$folder"/*.deb; do dpkg -x "$package" build/receivers; done
  rm -r "$folder"
fi
