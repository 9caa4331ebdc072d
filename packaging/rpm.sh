#!/bin/sh
# RPM packages from the tarball in target/dist: target/rpm. Where rpm is a guest, as on Debian, macros and
# build requirements of Fedora are missing; the few that the spec needs are given here.
set -eu
cd "$(dirname "$0")/.."

command -v rpmbuild >/dev/null || { echo "apt-get install rpm checkpolicy semodule-utils" >&2; exit 1; }
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
top=$PWD/target/rpm
rm -rf "$top"
mkdir -p "$top/SOURCES" "$top/SPECS"
cp "target/dist/pam-sms-$version.tar.xz" "$top/SOURCES/"
sed "s/^Version: .*/Version:        $version/" packaging/rpm/pam-sms.spec > "$top/SPECS/pam-sms.spec"

set -- --define "_topdir $top"
if [ "$(rpm --eval '%{_sysusersdir}')" = '%{_sysusersdir}' ]; then
    set -- "$@" --nodeps --define '_libdir /usr/lib64' --define '_libexecdir /usr/libexec' \
        --define '_sysusersdir /usr/lib/sysusers.d' --define '_tmpfilesdir /usr/lib/tmpfiles.d' \
        --define 'use_source_date_epoch_as_buildtime 1' --define '_buildhost localhost'
fi
rpmbuild -ba "$@" "$top/SPECS/pam-sms.spec"
