// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
)

// findings are the vulnerabilities that peerjob calls.
type findings map[key]*finding

// key names a vulnerability of a module: one vulnerability can be in several.
type key struct {
	// ID is that of the Go vulnerability database.
	ID, Module string
}

// finding is a called vulnerability, with the shortest way to it.
type finding struct {
	key
	Summary string
	// Fixed is the first version without it, and empty when there is none.
	Fixed string
	// Trace goes from the vulnerable function to main. A binary has only the
	// vulnerable function.
	Trace []frame
}

type frame struct {
	Module, Version, Package, Receiver, Function string
}

// add reads what "govulncheck -format json" writes. What was found before keeps
// its trace: the scan of the source, which comes first, has the longer ones.
func (f findings) add(stream io.Reader) error {
	summaries := map[string]string{}
	found := findings{}
	decoder := json.NewDecoder(stream)
	for {
		var message struct {
			OSV     *struct{ ID, Summary string }
			Finding *struct {
				OSV          string
				FixedVersion string `json:"fixed_version"`
				Trace        []frame
			}
		}
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("govulncheck's output: %w", err)
		}
		if message.OSV != nil {
			summaries[message.OSV.ID] = message.OSV.Summary
		}
		// Without a function, the module is required or the package imported, but
		// nothing vulnerable is called.
		if message.Finding == nil || len(message.Finding.Trace) == 0 || message.Finding.Trace[0].Function == "" {
			continue
		}
		one := &finding{
			key:     key{message.Finding.OSV, message.Finding.Trace[0].Module},
			Summary: summaries[message.Finding.OSV],
			Fixed:   message.Finding.FixedVersion,
			Trace:   message.Finding.Trace,
		}
		if known := found[one.key]; known == nil || shorter(one.Trace, known.Trace) {
			found[one.key] = one
		}
	}
	for key, one := range found {
		if f[key] == nil {
			f[key] = one
		}
	}
	return nil
}

// shorter is whether a is to be shown rather than b, whatever their order.
func shorter(a, b []frame) bool {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(calls(a), calls(b))) < 0
}

// sorted are the findings in order of their IDs.
func (f findings) sorted() []*finding {
	return slices.SortedFunc(maps.Values(f), func(a, b *finding) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Module, b.Module))
	})
}

// version is that of the module with the vulnerability.
func (f *finding) version() string { return f.Trace[0].Version }

// String is the finding in a line: "GO-2026-1: golang.org/x/net v0.50.0: ...".
func (f *finding) String() string {
	remedy := "no version has a fix"
	if f.Fixed != "" {
		remedy = "fixed in " + f.Fixed
	}
	return fmt.Sprintf("%s: %s %s: %s (%s; %s)", f.ID, f.Module, f.version(), f.Summary, remedy, calls(f.Trace))
}

// calls is a trace from main on: "main.main > http2.Framer.ReadFrame".
func calls(trace []frame) string {
	var names []string
	for _, frame := range slices.Backward(trace) {
		names = append(names, frame.String())
	}
	return strings.Join(names, " > ")
}

// String is the function as Go writes it: "http2.Framer.ReadFrame".
func (f frame) String() string {
	name := f.Function
	if f.Receiver != "" {
		name = strings.TrimPrefix(f.Receiver, "*") + "." + name
	}
	return path.Base(f.Package) + "." + name
}
