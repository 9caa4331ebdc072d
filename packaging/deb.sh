#!/bin/sh
# Debian packages from the tarball in target/dist: target/deb, or the folder that is named. lintian judges
# them. DEBFULLNAME and DEBEMAIL say who packages; DEB_BUILD_OPTIONS and FEATURES are handed on.
set -eu
cd "$(dirname "$0")/.."

missing=$(for tool in dh dpkg-buildpackage lintian; do command -v $tool >/dev/null || echo $tool; done)
[ -z "$missing" ] || { echo "apt-get install debhelper dpkg-dev fakeroot libpam0g-dev lintian" >&2; exit 1; }

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8
umask 022

out=${1:-target/deb}
rm -rf "$out"
mkdir -p "$out"
cp "target/dist/pam-sms-$version.tar.xz" "$out/pam-sms_$version.orig.tar.xz"
cd "$out"
tar -xf "pam-sms_$version.orig.tar.xz"
cd "pam-sms-$version"
cp -r packaging/debian debian
packaging/changelog.py < CHANGELOG.md > debian/changelog
packaging/copyright.py >> debian/copyright
[ -z "${DEBEMAIL:-}" ] ||
    sed -i "s/^Maintainer: .*/Maintainer: ${DEBFULLNAME:-Packager} <$DEBEMAIL>/" debian/control

# cargo and rustc may be there without packages that say so; whatever else is missing is said, and ends it.
lacking=$(dpkg-checkbuilddeps 2>&1 | sed -E 's/.*: //; s/(cargo|rustc) \([^)]*\) ?//g' || true)
[ -z "$lacking" ] || { echo "missing to build: $lacking" >&2; exit 1; }
dpkg-buildpackage --unsigned-source --unsigned-changes --no-check-builddeps
cd ..
lintian --fail-on error,warning --info --tag-display-limit 0 ./*.changes
