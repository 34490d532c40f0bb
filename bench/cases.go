// SPDX-License-Identifier: Apache-2.0

package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The names of the programs in the table.
const (
	peerjobName = "peerjob"
	helmName    = "helm template"
	noopName    = "kyaml no-op"
	sdkName     = "SDK no-op"
	catName     = "cat"
)

const (
	// chart makes what peerjob makes of peerJobYAML.
	chart = "chart"
	// namePrefix and a number are the name of an object, here and in the chart.
	namePrefix = "train"
	// namePlaceholder stands for that name in the objects below.
	namePlaceholder = "NAME"
)

var (
	//go:embed input/peerjob.yaml
	peerJobYAML string
	//go:embed input/deployment.yaml
	deploymentYAML string
)

// comparison is one case: programs that get the same to do.
type comparison struct {
	name string
	// warmups are runs that are checked but not counted.
	warmups, runs int
	contenders    []contender
	// base is the contender whose median the others are divided by.
	base string
	// check says whether the outputs, by the names of the contenders, are what
	// they must be.
	check func(outputs map[string][]byte) error
}

// contender is one program in a comparison.
type contender struct {
	name string
	argv []string
	// stdin is a file, or "" for none.
	stdin string
}

// size is how many objects a case has, and how often it is run.
type size struct{ objects, warmups, runs int }

// expansionSizes are those of the PeerJobs, foreignSizes those of the objects
// that nobody changes.
var (
	expansionSizes = []size{{1, 1, 20}, {100, 1, 10}, {1000, 1, 5}, {10000, 0, 3}}
	foreignSizes   = []size{{0, 1, 10}, {1000, 1, 5}, {10000, 1, 5}, {100000, 0, 3}}
	smokeSizes     = []size{{0, 0, 1}, {1, 0, 1}, {20, 0, 1}}
)

const (
	// The most objects with which the no-ops are measured: they hold all of them
	// as trees, 10 GB for 100,000.
	mostExpansionNoops = 1000
	mostForeignNoops   = 10000
	// bothDeployments is how many objects stand beside the one PeerJob of a case.
	bothDeployments = 10000
	// maxInput is the limit for peerjob: 100,000 Deployments are larger than the
	// default.
	maxInput = "256Mi"
)

// newCases returns what is measured. The inputs are written into a directory.
func newCases(tools programs, opts options, dir string) ([]comparison, error) {
	var cases []comparison
	add := func(sizes []size, newCase func(programs, int, string) (comparison, error)) error {
		for _, s := range sizes {
			c, err := newCase(tools, s.objects, dir)
			if err != nil {
				return err
			}
			if c.warmups, c.runs = s.warmups, s.runs; opts.runs > 0 && !opts.smoke {
				c.runs = opts.runs
			}
			cases = append(cases, c)
		}
		return nil
	}
	expansions, foreign, both, peers := expansionSizes, foreignSizes, []size{{bothDeployments, 1, 5}}, []size{{1, 1, 20}}
	if opts.smoke {
		expansions, foreign, both, peers = smokeSizes[1:], smokeSizes, smokeSizes[2:], smokeSizes[1:2]
	}
	if err := errors.Join(add(expansions, newExpansionCase), add(peers, newPeersCase), add(foreign, newForeignCase), add(both, newBothCase)); err != nil {
		return nil, err
	}
	builds, err := newKustomizeCases(tools, opts, dir)
	return append(cases, builds...), err
}

// newExpansionCase compares the ways to n Services and Jobs.
func newExpansionCase(tools programs, n int, dir string) (comparison, error) {
	input := resourceList(peerJobYAML, n)
	stdin := filepath.Join(dir, fmt.Sprintf("peerjobs-%d.yaml", n))
	c := comparison{
		name: peerJobs(n),
		base: peerjobName,
		contenders: []contender{
			{name: peerjobName, argv: []string{tools.peerjob}, stdin: stdin},
			{name: helmName, argv: []string{tools.helm, "template", "bench", chart, "--set", "count=" + strconv.Itoa(n)}},
		},
		check: func(outputs map[string][]byte) error { return checkExpansion(n, input, outputs) },
	}
	if n <= mostExpansionNoops {
		c.contenders = append(c.contenders, contender{name: noopName, argv: []string{tools.noop}, stdin: stdin})
	}
	return c, os.WriteFile(stdin, input, 0o644)
}

// newPeersCase shows that the number of peers costs nothing.
func newPeersCase(tools programs, n int, dir string) (comparison, error) {
	c := comparison{name: "the number of peers", base: "10 peers", check: checkPeers}
	for _, peers := range []string{"10", "100000"} {
		stdin := filepath.Join(dir, "peers-"+peers+".yaml")
		if err := os.WriteFile(stdin, resourceList(strings.Replace(peerJobYAML, "peers: 8", "peers: "+peers, 1), n), 0o644); err != nil {
			return c, err
		}
		c.contenders = append(c.contenders, contender{name: peers + " peers", argv: []string{tools.peerjob}, stdin: stdin})
	}
	return c, nil
}

// newForeignCase compares the ways to let n objects through.
func newForeignCase(tools programs, n int, dir string) (comparison, error) {
	input := resourceList(deploymentYAML, n)
	stdin := filepath.Join(dir, fmt.Sprintf("deployments-%d.yaml", n))
	return comparison{
		name:       fmt.Sprintf("%d Deployments", n),
		base:       peerjobName,
		contenders: foreignContenders(tools, n, stdin),
		check:      func(outputs map[string][]byte) error { return checkForeign(n, input, outputs) },
	}, os.WriteFile(stdin, input, 0o644)
}

// newBothCase is n objects that nobody changes, and one PeerJob behind them.
func newBothCase(tools programs, n int, dir string) (comparison, error) {
	deployments := resourceList(deploymentYAML, n)
	_, last, _ := strings.Cut(string(resourceList(peerJobYAML, 1)), "items:\n")
	stdin := filepath.Join(dir, fmt.Sprintf("both-%d.yaml", n))
	return comparison{
		name:       fmt.Sprintf("%d Deployments, 1 PeerJob", n),
		base:       peerjobName,
		contenders: foreignContenders(tools, n, stdin),
		check:      func(outputs map[string][]byte) error { return checkBoth(deployments, last, outputs) },
	}, os.WriteFile(stdin, append(slices.Clone(deployments), last...), 0o644)
}

func foreignContenders(tools programs, n int, stdin string) []contender {
	contenders := []contender{{name: peerjobName, argv: []string{tools.peerjob, "--max-input", maxInput}, stdin: stdin}}
	if n <= mostForeignNoops {
		contenders = append(contenders,
			contender{name: sdkName, argv: []string{tools.sdkNoop}, stdin: stdin},
			contender{name: noopName, argv: []string{tools.noop}, stdin: stdin})
	}
	return append(contenders, contender{name: catName, argv: []string{tools.cat}, stdin: stdin})
}

// resourceList is a ResourceList with n objects that differ in their names.
func resourceList(object string, n int) []byte {
	item := "- " + strings.ReplaceAll(strings.TrimSpace(object), "\n", "\n  ") + "\n"
	var list strings.Builder
	list.WriteString("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n")
	if n == 0 {
		list.WriteString("items: []\n")
		return []byte(list.String())
	}
	list.WriteString("items:\n")
	for i := range n {
		list.WriteString(strings.ReplaceAll(item, namePlaceholder, objectName(i)))
	}
	return []byte(list.String())
}

// peerJobs is n PeerJobs in words.
func peerJobs(n int) string {
	if n == 1 {
		return "1 PeerJob"
	}
	return fmt.Sprintf("%d PeerJobs", n)
}

func objectName(i int) string { return namePrefix + "-" + strconv.Itoa(i) }
