# The recipes of this house. Everything that is tested or packaged starts from target/ship.

CARGO ?= cargo
PYTHON ?= /usr/bin/python3
SHIP := target/ship
# The same programs, whatever the folder is called that they are built in.
ANYWHERE := "--remap-path-prefix=$(CURDIR)=/usr/src/pam-sms"
# SHA-256 in a loop: it is needed a few times in a login, and unrolled it is 9 kB of the module.
SMALL := "--cfg=sha2_backend=\"soft\"", "--cfg=sha2_backend_soft=\"compact\""
PACKAGES := ansible-core binutils ca-certificates gcc iproute2 ldap-utils libc6-dev libpam-google-authenticator libpam-wrapper libpam0g-dev login openssh-client openssh-server pamtester passwd python3-pypamtest redis-server slapd strace sudo valgrind

# The cargo features of the programs, separated by commas: all of the defaults, unless it says otherwise.
FEATURES ?=
WITH = $(if $(FEATURES),--no-default-features --features $(FEATURES))

.PHONY: build install man test soak soak-lifetime load outcomes bench demo demo-shell conformance lint prepare clean dist deb rpm package-test

## What is shipped: the module without anything of the network, the two programs, and the languages that
## are not part of the module.
build: prepare
	$(CARGO) build --locked --release --bins $(WITH) --config 'build.rustflags=[$(ANYWHERE)]'
	$(CARGO) rustc --locked --profile module --lib --no-default-features --crate-type cdylib \
	    --config 'build.rustflags=[$(ANYWHERE), $(SMALL)]'
	mkdir -p $(SHIP)
	install -m 644 target/module/libpam_sms.so $(SHIP)/pam_sms.so
	install -m 755 target/release/pam-sms target/release/pam-sms-helper $(SHIP)/
	rm -rf $(SHIP)/languages
	install -d $(SHIP)/languages
	install -m 644 $(filter-out %/en.toml,$(wildcard src/login/languages/*.toml)) $(SHIP)/languages/

## Puts what `make build` left where the module, libpam and PATH look for it; changes no login. A module
## elsewhere than in libpam's own folder is named by its whole path in the stacks, a helper elsewhere
## than in /usr/libexec by helper=. The module looks for languages in /usr/share/pam-sms, whatever PREFIX
## is. For packages: DESTDIR.
PREFIX ?= /usr
SECURITY ?= $(PREFIX)/lib/$(shell $(CC) -print-multiarch)/security
install:
	@test -f $(SHIP)/pam_sms.so || { echo "nothing to install: run \`make build\` first" >&2; exit 1; }
	install -D -m 644 $(SHIP)/pam_sms.so $(DESTDIR)$(SECURITY)/pam_sms.so
	install -D -m 755 $(SHIP)/pam-sms $(DESTDIR)$(PREFIX)/sbin/pam-sms
	install -D -m 755 $(SHIP)/pam-sms-helper $(DESTDIR)$(PREFIX)/libexec/pam-sms-helper
	@if [ -d $(SHIP)/man ]; then \
	    for section in 5 8; do for page in $(SHIP)/man/*.$$section; do \
	        install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$$section/$${page##*/}; done; done; \
	    install -D -m 644 $(SHIP)/man/pam-sms.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/pam-sms; \
	    install -D -m 644 $(SHIP)/man/_pam-sms $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_pam-sms; \
	    install -D -m 644 $(SHIP)/man/pam-sms.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/pam-sms.fish; \
	fi
	install -d $(DESTDIR)/usr/share/pam-sms/languages
	install -m 644 $(SHIP)/languages/*.toml $(DESTDIR)/usr/share/pam-sms/languages/

## Manual pages and completions, from the program's own help and the pages in docs/.
man: prepare
	$(CARGO) run --locked --quiet $(WITH) --example man -- $(SHIP)/man

## Everything: unit tests, and real libpam, sshd, su and sudo in private machines. Needs root.
test: build
	$(CARGO) test --locked

## Each fuzz target for SOAK seconds, and then every fault that the tests can make, in each way: an hour or so
## altogether with the minute that SOAK is here. Needs root and cargo-fuzz; CI runs a part of both in `test`.
SOAK ?= 60
soak: build
	SOAK=$(SOAK) fuzz/soak.sh
	PAM_SMS_FAULTS=all $(CARGO) test --locked --test machine -- --nocapture fault_points::

## Very many logins in one process, which loads the module for each and closes it again, one after the other
## and by threads: memory, descriptors, threads and children at the beginning and at the end. Needs root.
LIFETIME ?= 100000
soak-lifetime: build
	PAM_SMS_LIFETIME=$(LIFETIME) $(CARGO) test --locked --test machine -- --nocapture --test-threads=1 lifetime::

## CROWD logins that wait at the prompt and are answered at once, and RATE logins a second for SECONDS against a
## slow gateway: memory, descriptors, processes, percentiles of latency, nothing lost. Needs root, and a
## machine that does nothing else.
CROWD ?= 1000
RATE ?= 50
SECONDS ?= 600
load: build
	PAM_SMS_LOAD_CROWD=$(CROWD) PAM_SMS_LOAD_RATE=$(RATE) PAM_SMS_LOAD_SECONDS=$(SECONDS) \
	    $(CARGO) test --locked --test machine -- --nocapture --test-threads=1 load::

## docs/provider-outcomes.md anew, from what logins come to. Needs root.
outcomes: build
	PAM_SMS_UPDATE_DOCS=1 $(CARGO) test --locked --test machine -- outcomes::the_table

## One whole login over SSH as a person sees it; but for `prepare`, the host is not touched. Needs root.
demo: build
	$(CARGO) run --locked --quiet --example demo

## What a login costs beside those of other modules, in one run, as ratios; BENCH_ROUNDS and BENCH_USERS
## say how much is measured. Needs root, and pam_google_authenticator for its row.
bench: PACKAGES += libssl-dev
bench: build
	$(CARGO) build --locked --quiet --examples
	target/debug/examples/bench

## The same by hand: logs in from this terminal and shows what arrives on the phone. Needs root.
demo-shell: build
	$(CARGO) run --locked --quiet --example demo-shell

## Software that others wrote is content with the pretend gateway, and sends what the helper sends.
## Needs root and the internet (PyPI, crates.io, Debian), so CI does not run it. See conformance/README.md.
CONFORMANCE := target/conformance
# Fetched and unpacked there, and not installed: Debian would start them.
UNPACKED := gammu-smsd kannel kannel-extras smstools
conformance: PACKAGES += libssl-dev pkg-config python3 python3-venv
conformance: build
	$(CARGO) build --locked --example pretend-gateway --example send
	CARGO_TARGET_DIR=$(CONFORMANCE)/clickatell \
	    $(CARGO) build --locked --manifest-path conformance/clickatell/Cargo.toml
	test -x $(CONFORMANCE)/venv/bin/pip || $(PYTHON) -m venv $(CONFORMANCE)/venv
	$(CONFORMANCE)/venv/bin/pip install -q --no-deps --disable-pip-version-check \
	    -r conformance/requirements.txt
	PYTHONDONTWRITEBYTECODE=1 $(CONFORMANCE)/venv/bin/python -W ignore conformance/run.py \
	    target/debug/examples/pretend-gateway target/debug/examples/send \
	    $(SHIP)/pam-sms-helper $(CONFORMANCE)/clickatell/debug/clickatell-client
	mkdir -p $(CONFORMANCE)/packages/partial $(CONFORMANCE)/debian
	apt-get install --download-only -qq -y --no-install-recommends \
	    -o Dir::Cache::archives=$(CURDIR)/$(CONFORMANCE)/packages $(UNPACKED)
	for package in $(CONFORMANCE)/packages/*.deb; do dpkg -x $$package $(CONFORMANCE)/debian; done
	$(CARGO) test --locked --test machine -- --ignored others::

lint: prepare
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --lib --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

## The source with all crates in it, what it is made of (SBOM) and checksums, in target/dist.
dist:
	packaging/dist.sh

## Debian packages, in target/deb, from what `make dist` left.
deb: dist
	packaging/deb.sh

## An RPM package, in target/rpm, from the same.
rpm: dist
	packaging/rpm.sh

## Installs, upgrades, removes and purges the Debian packages in fresh Debians, with real logins in between.
## Needs root, debootstrap and a mirror, so CI does not run it.
package-test: deb
	packaging/package-test.py

## Installs what is missing on a fresh Debian, and says so first: openssh-server is among it, which
## Debian starts at once.
prepare:
	@missing=""; for package in $(PACKAGES); do \
	    dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q "ok installed" || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	    echo "installing Debian packages on this machine:$$missing"; \
	    case "$$missing" in *openssh-server*) echo "(Debian starts openssh-server at once)";; esac; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing; \
	fi

clean:
	$(CARGO) clean
