// SPDX-License-Identifier: Apache-2.0

package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The names of the programs in the table.
const (
	peerjobName = "peerjob"
	helmName    = "helm template"
	noopName    = "kyaml no-op"
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

// comparison is one case: programs which get the same to do.
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

// newCases returns what is measured. The inputs are written into a directory.
func newCases(tools programs, opts options, dir string) ([]comparison, error) {
	many, runsOfOne, runsOfMany, warmups := 1000, 20, 5, 1
	switch {
	case opts.smoke:
		many, runsOfOne, runsOfMany, warmups = 20, 1, 1, 0
	case opts.runs > 0:
		runsOfOne, runsOfMany = opts.runs, opts.runs
	}
	var cases []comparison
	for _, wanted := range []struct {
		newCase       func(tools programs, n int, dir string) (comparison, error)
		objects, runs int
	}{
		{newExpansionCase, 1, runsOfOne},
		{newExpansionCase, many, runsOfMany},
		{newForeignCase, many, runsOfMany},
	} {
		c, err := wanted.newCase(tools, wanted.objects, dir)
		if err != nil {
			return nil, err
		}
		c.warmups, c.runs = warmups, wanted.runs
		cases = append(cases, c)
	}
	builds, err := newKustomizeCases(tools, opts, dir)
	return append(cases, builds...), err
}

// newExpansionCase compares the ways to n Services and Jobs.
func newExpansionCase(tools programs, n int, dir string) (comparison, error) {
	input := resourceList(peerJobYAML, n)
	stdin := filepath.Join(dir, fmt.Sprintf("peerjobs-%d.yaml", n))
	return comparison{
		name: peerJobs(n),
		base: peerjobName,
		contenders: []contender{
			{name: peerjobName, argv: []string{tools.peerjob}, stdin: stdin},
			{name: helmName, argv: []string{tools.helm, "template", "bench", chart, "--set", "count=" + strconv.Itoa(n)}},
			{name: noopName, argv: []string{tools.noop}, stdin: stdin},
		},
		check: func(outputs map[string][]byte) error { return checkExpansion(n, input, outputs) },
	}, os.WriteFile(stdin, input, 0o644)
}

// newForeignCase compares the ways to let n objects through.
func newForeignCase(tools programs, n int, dir string) (comparison, error) {
	input := resourceList(deploymentYAML, n)
	stdin := filepath.Join(dir, fmt.Sprintf("deployments-%d.yaml", n))
	return comparison{
		name: fmt.Sprintf("%d Deployments", n),
		base: peerjobName,
		contenders: []contender{
			{name: peerjobName, argv: []string{tools.peerjob}, stdin: stdin},
			{name: noopName, argv: []string{tools.noop}, stdin: stdin},
			{name: catName, argv: []string{tools.cat}, stdin: stdin},
		},
		check: func(outputs map[string][]byte) error { return checkForeign(n, input, outputs) },
	}, os.WriteFile(stdin, input, 0o644)
}

// resourceList is a ResourceList with n objects which differ in their names.
func resourceList(object string, n int) []byte {
	item := "- " + strings.ReplaceAll(strings.TrimSpace(object), "\n", "\n  ") + "\n"
	var list strings.Builder
	list.WriteString("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n")
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
