#!/bin/sh
# Installs what `npm run check:darwin-run` needs, from Debian's packages (as root), where it is missing: clang, its
# sanitizers and the blocks runtime. Fails where it can install nothing.
set -eu
probe=$(mktemp -d)
trap 'rm -r "$probe"' EXIT
printf 'int main() { int (^one)() = ^{ return 0; }; return one(); }\n' > "$probe/probe.cc"
works() {
  "${CLANGXX:-clang++}" -fblocks -fsanitize="$1" -o "$probe/probe" "$probe/probe.cc" -lBlocksRuntime && "$probe/probe"
}
if works address,undefined && works thread; then exit 0; fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
version=$(apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
apt-get install -y -qq --no-install-recommends clang libblocksruntime-dev "libclang-rt-$version-dev"
works address,undefined && works thread
