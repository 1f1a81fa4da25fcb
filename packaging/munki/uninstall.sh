#!/bin/sh
# Takes launchwarden away; configuration, data and logs stay ("uninstall --purge" takes them too).
set -eu
place="/Library/Application Support/launchwarden/package"
"$place/launchwarden.app/Contents/Resources/bin/launchwarden" uninstall
rm -rf "$place"
/usr/sbin/pkgutil --forget com.launchwarden.agent.pkg
