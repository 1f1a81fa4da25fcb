#!/bin/sh
# Takes launchwarden away, the package's files and receipt too; configuration, data and logs stay ("uninstall --purge" takes them).
set -eu
exec "/Library/Application Support/launchwarden/package/launchwarden.app/Contents/Resources/bin/launchwarden" uninstall
