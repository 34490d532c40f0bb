# peerjob: every task of the project. "make help" lists them.

GO      ?= go
# The version of a release is its tag; any other tree is v0.1.0-dev.<commit>.
VERSION ?= $(shell ./hack/version)
# The examples name the image of the release to come: "make image TAG=v0.1.0"
# builds it here until it is published.
TAG     ?= $(VERSION)
IMAGE   ?= ghcr.io/peerjob/peerjob:$(TAG)
RUNNER_IMAGE ?= ghcr.io/peerjob/runner:$(TAG)

# Tools are Go modules of their own module file, so that the product's go.mod
# names only what the product needs.
TOOL      := $(GO) tool -modfile=$(CURDIR)/tools/go.mod
KUSTOMIZE := $(TOOL) kustomize
GOFMT      = $$($(GO) env GOROOT)/bin/gofmt

LDFLAGS := -s -w -X main.version=$(VERSION)
# Static and trimmed whatever the environment says: the image has no C library.
BUILD   := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)'

# The Go that make and CI build with; "make vuln" checks its standard library,
# too. Your own GOTOOLCHAIN takes precedence: "GOTOOLCHAIN=local make build".
export GOTOOLCHAIN ?= go1.27.3
# Everything is built in one way, tests and tools too: static, and without paths of
# this machine. So no package is compiled twice.
export CGO_ENABLED ?= 0
export GOFLAGS ?= -trimpath

GO_FOLDERS := api barrier bench cmd conformance e2e examples fn frameworks hack internal

.DEFAULT_GOAL := help

##@ Try it

.PHONY: demo
demo: build ## Run the real kustomize on examples/ping and print the Service and the Job
	@PATH="$(CURDIR)/bin:$$PATH" $(KUSTOMIZE) build --enable-alpha-plugins --enable-exec examples/ping/overlay

##@ Build

.PHONY: build
build: ## Build bin/peerjob and, for Linux, bin/peerjob-runner, static and stamped with the version
	$(BUILD) -o bin/peerjob ./cmd/peerjob
	GOOS=linux $(BUILD) -o bin/peerjob-runner ./cmd/peerjob-runner

# What a release ships is made by one program, without docker. GOOS and GOARCH are its
# targets' alone: the program itself runs here.
RELEASE = cd hack/release && env -u GOOS -u GOARCH $(GO) run .

.PHONY: image
image: ## Make the image and load it into docker; PLATFORM=linux/arm64 for nodes of another kind than docker's
	@$(RELEASE) image peerjob -version $(VERSION) -tag $(IMAGE) $(PLATFORM:%=-platform %)

.PHONY: runner-image
runner-image: ## Make the runner's image in the same way
	@$(RELEASE) image peerjob-runner -version $(VERSION) -tag $(RUNNER_IMAGE) $(PLATFORM:%=-platform %)

.PHONY: release
release: ## Write all files of a release into dist, for every platform; RELEASE.md goes on from there
	@$(RELEASE) -version $(VERSION)

.PHONY: push
push: ## Push the images in dist, for every platform, to REGISTRY, such as registry.example.com/team
	@$(RELEASE) push ../../dist $(or $(REGISTRY),$(error REGISTRY is not set))

.PHONY: release-notes
release-notes: ## Print what the CHANGELOG says of VERSION
	@$(RELEASE) notes $(VERSION)

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin dist

##@ Test

# gotestsum prints what go test prints, then each test that was skipped, with its
# reason, and each that failed.
GOTESTSUM = $(GO) tool -modfile=$(CURDIR)/tools/go.mod gotestsum --format standard-quiet --

.PHONY: test
test: ## Run the product's own tests; one that needs docker or kpt is skipped without it, with the reason
	$(GOTESTSUM) $(GOTESTFLAGS) ./...

.PHONY: test-modules
test-modules: ## Run the tests of the modules beside the product: bench (builds Helm), conformance, e2e; and those with Helm
	PEERJOB_HELM=true $(GOTESTSUM) -run '^TestScripts$$/^helm$$|^TestExamples$$/^helm$$|^TestArgoPlugin_helm$$|^TestRecipes_chart$$' $(GOTESTFLAGS) ./cmd/peerjob
	cd bench && $(GOTESTSUM) $(GOTESTFLAGS) ./...
	cd conformance && $(GOTESTSUM) -short $(GOTESTFLAGS) ./...
	cd e2e && $(GOTESTSUM) $(GOTESTFLAGS) $$($(GO) list ./... | grep -v '/e2e$$')

.PHONY: test-all
test-all: test test-modules ## Run all tests but those that run a cluster (conformance, e2e) or frameworks

# TestExamples and TestReadme run a program that is built without the detector. The
# script "hostile" and TestFiles_hostile are slow with it, and run in one goroutine, as
# all of barrier/protocol does, and FuzzCost, which holds functions to a price in
# processor time.
.PHONY: race
race: ## Run the product's own tests with the race detector; needs a C compiler
	CGO_ENABLED=1 $(GOTESTSUM) -race -skip '^TestExamples$$|^TestReadme$$|^FuzzCost$$|^TestFiles_hostile$$|^TestScripts$$/^hostile$$' $(GOTESTFLAGS) $$($(GO) list ./... | grep -v '/barrier/protocol$$')

.PHONY: conformance
conformance: ## Hold peerjob to a real API server of SERVER (1.30, or all; default the newest): TRIES (default 2000) PeerJobs from SEED (default 1, 0: the clock)
	cd conformance && $(GO) test -v -count=1 -timeout 12h -run TestConformance . -tries $(or $(TRIES),2000) -seed $(or $(SEED),1) -server '$(SERVER)'

.PHONY: frameworks-real
frameworks-real: ## Run the frameworks' examples with the real programs, as root on Linux; hack/install-frameworks installs them
	$(GO) test -v -count=1 -timeout 30m ./frameworks -real

.PHONY: e2e
e2e: ## Run PeerJobs in real Pods, on a node of its own or on the cluster of E2E_KUBECONFIG; E2EFLAGS=-short is what CI does
	cd e2e && $(GO) test -v -count=1 -timeout 2h -parallel 6 . $(E2EFLAGS)

.PHONY: e2e-images
e2e-images: ## Write the images that e2e needs into bin/e2e, to be loaded into a cluster of your own
	cd e2e && $(GO) test -count=1 . -images $(CURDIR)/bin/e2e

.PHONY: e2e-node
e2e-node: ## Run e2e's node until interrupted, for work by hand
	cd e2e && $(GO) test -v -count=1 -timeout 0 . -hold

.PHONY: fuzz
fuzz: ## Run every fuzzer for FUZZTIME (default 30s)
	./hack/fuzz $(or $(FUZZTIME),30s)

.PHONY: model
model: ## Search small groups of the protocol for a violation, and find every seeded mistake
	PEERJOB_MODEL=2 $(GO) test -v -timeout 0 -run '^TestModel' ./barrier/protocol

.PHONY: bench
bench: build ## Measure peerjob beside its rivals, in one table
	cd bench && $(GO) run . -peerjob ../bin/peerjob

.PHONY: bench-docs
bench-docs: build ## Measure, and write the table to docs/performance.md
	cd bench && $(GO) run . -peerjob ../bin/peerjob -write ../docs/performance.md

.PHONY: bench-smoke
bench-smoke: build ## Check that the benchmarks still run
	cd bench && $(GO) run . -peerjob ../bin/peerjob -smoke

##@ Check

.PHONY: generate
generate: ## Write again what is generated from the source
	$(GO) generate ./...

.PHONY: kubernetes
kubernetes: ## Bring every module to the Kubernetes of VERSION, such as 1.38.0; docs/kubernetes-versions.md goes on from there
	GO=$(GO) ./hack/kubernetes $(VERSION)

.PHONY: fmt
fmt: ## Format the source
	$(GOFMT) -w $(GO_FOLDERS)

# The modules with Go code of ours.
MODULES := . bench conformance e2e e2e/node/coredns hack/release hack/vuln

.PHONY: lint
lint: $(MODULES:%=lint/%) ## Check the format and the workflows, and look for mistakes with vet, nilness, staticcheck and errcheck
	$(TOOL) actionlint
	@test -z "$$($(GOFMT) -l $(GO_FOLDERS))" || { $(GOFMT) -l $(GO_FOLDERS); echo 'not formatted; run "make fmt"'; exit 1; }

# nilness finds what can only be nil where it is used. errcheck.txt says which
# errors may be left unread.
.PHONY: $(MODULES:%=lint/%)
$(MODULES:%=lint/%):
	cd $(@:lint/%=%) && $(GO) vet ./...
	cd $(@:lint/%=%) && $(GO) vet -vettool="$$($(TOOL) -n nilness)" ./...
	cd $(@:lint/%=%) && $(TOOL) staticcheck ./...
	cd $(@:lint/%=%) && $(TOOL) errcheck -exclude $(CURDIR)/tools/errcheck.txt ./...

.PHONY: vuln
vuln: ## Fail on known vulnerabilities that peerjob calls and vex.openvex.json does not explain
	cd hack/vuln && $(GO) test . && $(GO) run .

.PHONY: verify
verify: generate ## Check that what is generated is what is committed
	$(GO) mod tidy -diff
	cd bench && $(GO) mod tidy -diff
	cd conformance && $(GO) mod tidy -diff
	for module in conformance/server conformance/server/1.*; do (cd $$module && $(GO) mod tidy -diff) || exit 1; done
	cd e2e && $(GO) mod tidy -diff
	cd e2e/node/containerd && $(GO) mod tidy -diff
	cd e2e/node/coredns && $(GO) mod tidy -diff
	cd hack/release && $(GO) mod tidy -diff
	cd hack/vuln && $(GO) mod tidy -diff
	git diff --exit-code || { echo 'run "make generate" and commit'; exit 1; }

.PHONY: verify-package
verify-package: ## Check that the repository renders as a kpt package and stays as it is
	$(MAKE) --no-print-directory image TAG=$$(cat VERSION)
	@if command -v kpt > /dev/null; then kpt fn render . && git diff --exit-code; \
	else echo 'SKIP: kpt is not on this machine'; fi

.PHONY: verify-release
verify-release: ## Make a release for two platforms twice, and check, push, pull and run what is in it
	cd hack/release && $(GOTESTSUM) -count=1 -timeout 40m $(GOTESTFLAGS) .

.PHONY: verify-size
verify-size: build image runner-image ## Check that peerjob and its image are no larger than 27 MB, and the runner and its image than 8 MB
	@./hack/size 27 bin/peerjob $(IMAGE)
	@./hack/size 8 bin/peerjob-runner $(RUNNER_IMAGE)

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*##/ {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
