# SPDX-License-Identifier: Apache-2.0
# `make demo` shows what Virtwarden does; `make test` runs everything; `make deb` leaves packages in target/debian.

FUZZ_SECONDS ?= 60
DEBIANS ?= 13 12

.PHONY: help demo test unit lint stories desktop machine usb greeter fuzz bench deb prerequisites clean

help:
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 20

demo: deb ## boot a Debian host, install the package, play the story of alice and bob
	tests/demo

test: lint unit deb ## run every test: lints, unit tests, stories on real hosts, fuzz targets
	tests/run $(DEBIANS)
	tests/run-desktop
	fuzz/run $(FUZZ_SECONDS)

unit: ## unit and property tests
	cargo test --locked --workspace --quiet

lint: ## formatting, lints, shell scripts
	cargo fmt --check
	cargo clippy --locked --workspace --all-targets --quiet -- -D warnings
	tests/lint

stories: deb ## stories on real hosts only
	tests/run $(DEBIANS)

desktop: deb ## virt-manager as a User and as an Administrator, on a host with a desktop
	tests/run-desktop

machine: deb ## audit, AppArmor, udev, upgrade and reboots on a whole machine; half an hour, not part of `make test`
	tests/run-machine

usb: deb ## sticks, twins, discs and keyboards pulled and plugged on a whole machine; half an hour, not part of `make test`
	tests/run-machine usb

greeter: deb ## the access banner on the screen of a whole machine with gdm; a quarter of an hour, not part of `make test`
	tests/run-machine greeter

fuzz: ## every fuzz target, FUZZ_SECONDS each
	fuzz/run $(FUZZ_SECONDS)

bench: deb ## measure against libvirt without and with its own access control; writes docs/performance.md
	tests/bench/run
	tests/bench/login

deb: ## build the Debian packages
	packaging/build-deb

prerequisites: ## install what building and testing need (Debian, as root)
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
	    build-essential pkg-config libssl-dev libpam0g-dev debhelper dpkg-dev dh-apparmor lintian shellcheck \
	    mmdebstrap systemd-container openssh-client gpg gpg-agent jq
	rustup component add clippy rustfmt 2>/dev/null || true
	cargo fuzz --version >/dev/null 2>&1 || cargo install --locked cargo-fuzz

clean: ## remove what was built
	cargo clean
