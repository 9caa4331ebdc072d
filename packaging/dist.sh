#!/bin/sh
# The source as a tarball that builds without a network, what it is made of, and checksums: target/dist.
# It is made of the last commit, and the same bytes come out wherever and whenever it is made.
set -eu
cd "$(dirname "$0")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8
umask 022

# https://crates.io/crates/cargo-cyclonedx
[ -x target/tools/bin/cargo-cyclonedx ] ||
    cargo install --quiet --locked --root target/tools --version 0.5.9 cargo-cyclonedx

dist=$PWD/target/dist
tools=$PWD/target/tools/bin
rm -rf "$dist"
mkdir -p "$dist/pam-sms-$version"
git archive HEAD | tar -x -C "$dist/pam-sms-$version"

cd "$dist/pam-sms-$version"
printf '%s: ' vendor
packaging/vendor.py vendor
mkdir -p .cargo
cat > .cargo/config.toml <<CONFIG
# This is a tarball with all crates in it, so nothing is fetched.
[source.crates-io]
replace-with = "vendored"

[source.vendored]
directory = "vendor"
CONFIG

# Of what is shipped on Linux. The folder that it was made in is nobody's business.
"$tools/cargo-cyclonedx" cyclonedx --quiet --format json --spec-version 1.5 \
    --target x86_64-unknown-linux-gnu --no-build-deps
sed "s|$PWD|/usr/src/pam-sms|g" pam-sms.cdx.json > "$dist/pam-sms-$version.cdx.json"
find . -name '*.cdx.json' -delete

cd "$dist"
tar --create --sort=name --format=gnu --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
    --mode=go=rX,u+rw,a-s "pam-sms-$version" | xz -9 -T1 > "pam-sms-$version.tar.xz"
rm -rf "pam-sms-$version"
sum=$(sha256sum "pam-sms-$version.tar.xz" | cut -d ' ' -f 1)
sed "s/^pkgver=.*/pkgver=$version/; s/^sha256sums=.*/sha256sums=($sum)/" ../../packaging/arch/PKGBUILD > PKGBUILD
cp ../../packaging/arch/pam-sms.install .
sha256sum "pam-sms-$version.tar.xz" "pam-sms-$version.cdx.json" | tee SHA256SUMS
