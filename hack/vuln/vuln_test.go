// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stream is what govulncheck writes, shortened: GO-2026-1 is called in two ways,
// of GO-2026-2 only the package is imported, of GO-2026-3 only the module
// required.
const stream = `
{"config": {"protocol_version": "v1.0.0"}}
{"osv": {"id": "GO-2026-1", "summary": "Frames in net"}}
{"osv": {"id": "GO-2026-2", "summary": "Hosts in net"}}
{"finding": {"osv": "GO-2026-1", "fixed_version": "v0.51.0", "trace": [{"module": "example.com/net", "version": "v0.50.0"}]}}
{"finding": {"osv": "GO-2026-1", "fixed_version": "v0.51.0", "trace": [
  {"module": "example.com/net", "version": "v0.50.0", "package": "example.com/net/http2", "receiver": "*Framer", "function": "Read"},
  {"module": "peerjob", "package": "peerjob/barrier", "function": "serve"},
  {"module": "peerjob", "package": "peerjob", "function": "main"}]}}
{"finding": {"osv": "GO-2026-1", "fixed_version": "v0.51.0", "trace": [
  {"module": "example.com/net", "version": "v0.50.0", "package": "example.com/net/http2", "receiver": "Server", "function": "Serve"},
  {"module": "peerjob", "package": "peerjob", "function": "main"}]}}
{"finding": {"osv": "GO-2026-2", "trace": [{"module": "example.com/net", "version": "v0.50.0", "package": "example.com/net/idna"}]}}
{"finding": {"osv": "GO-2026-3", "trace": [{"module": "example.com/net", "version": "v0.50.0"}]}}
`

// binary is the same of a binary, with another module of GO-2026-1.
const binary = `
{"osv": {"id": "GO-2026-1", "summary": "Frames in net"}}
{"finding": {"osv": "GO-2026-1", "fixed_version": "v0.51.0", "trace": [
  {"module": "example.com/net", "version": "v0.50.0", "package": "example.com/net/http2", "receiver": "Server", "function": "Serve"}]}}
{"finding": {"osv": "GO-2026-1", "trace": [
  {"module": "example.com/fork", "version": "v1.0.0", "package": "example.com/fork", "function": "Serve"}]}}
`

func read(t *testing.T, streams ...string) findings {
	t.Helper()
	found := findings{}
	for _, s := range streams {
		if err := found.add(strings.NewReader(s)); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func TestFindings(t *testing.T) {
	var got []string
	for _, one := range read(t, stream, binary).sorted() {
		got = append(got, one.String())
	}
	want := []string{
		"GO-2026-1: example.com/fork v1.0.0: Frames in net (no version has a fix; fork.Serve)",
		"GO-2026-1: example.com/net v0.50.0: Frames in net (fixed in v0.51.0; peerjob.main > http2.Server.Serve)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := (findings{}).add(strings.NewReader(stream + "{")); err == nil {
		t.Error("a stream that breaks off is read without an error")
	}
}

// document is an OpenVEX document with statements.
func document(statements ...string) string {
	return fmt.Sprintf(`{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex", "author": "A", "timestamp": "2026-11-26T00:00:00Z", "version": 1, "statements": [%s]}`,
		strings.Join(statements, ","))
}

// aboutModule is a statement about a vulnerability of a module.
func aboutModule(id, module string) string {
	return fmt.Sprintf(`{"vulnerability": {"name": %q}, "status": "not_affected", "justification": "vulnerable_code_not_present", "impact_statement": "It is not linked.",
		"products": [{"@id": %q, "subcomponents": [{"@id": "pkg:golang/%s"}]}]}`, id, product, module)
}

func TestCompare(t *testing.T) {
	net := aboutModule("GO-2026-1", "example.com/net")
	tests := []struct {
		name      string
		found     findings
		document  string
		explained []string
		err       string
	}{
		{name: "nothing found, nothing stated", document: document()},
		{
			name:      "found and stated",
			found:     read(t, stream),
			document:  document(net),
			explained: []string{"GO-2026-1: example.com/net v0.50.0: not_affected: vulnerable_code_not_present"},
		},
		{
			name:     "found, not stated",
			found:    read(t, stream),
			document: document(),
			err:      "GO-2026-1: example.com/net v0.50.0: Frames in net (fixed in v0.51.0; peerjob.main > http2.Server.Serve); update the module, or say in vex.openvex.json why it can't be exploited",
		},
		{
			name:      "stated for one of two modules",
			found:     read(t, stream, binary),
			document:  document(net),
			explained: []string{"GO-2026-1: example.com/net v0.50.0: not_affected: vulnerable_code_not_present"},
			err:       "GO-2026-1: example.com/fork v1.0.0: Frames in net (no version has a fix; fork.Serve); update the module, or say in vex.openvex.json why it can't be exploited",
		},
		{
			name:      "stated, not called",
			found:     read(t, stream),
			document:  document(net, aboutModule("GO-2026-2", "example.com/net")),
			explained: []string{"GO-2026-1: example.com/net v0.50.0: not_affected: vulnerable_code_not_present"},
			err:       `vex.openvex.json: statements[1]: Invalid value: "GO-2026-2": no scan finds it in a module that the statement names; delete the statement`,
		},
		{
			name:     "stated for a version that is not in use",
			found:    read(t, stream),
			document: document(aboutModule("GO-2026-1", "example.com/net@v0.49.0")),
			err: "GO-2026-1: example.com/net v0.50.0: Frames in net (fixed in v0.51.0; peerjob.main > http2.Server.Serve); update the module, or say in vex.openvex.json why it can't be exploited\n" +
				`vex.openvex.json: statements[0]: Invalid value: "GO-2026-1": no scan finds it in a module that the statement names; delete the statement`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			parsed, err := parseStatements([]byte(tt.document))
			if err != nil {
				t.Fatal(err)
			}
			explained, err := compare(tt.found, parsed)
			if diff := cmp.Diff(tt.explained, explained); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.err, message(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseStatements(t *testing.T) {
	tests := []struct{ name, document, err string }{
		{"a whole statement", document(aboutModule("GO-2026-1", "example.com/net")), ""},
		{"a misspelt field", `{"statments": []}`, `json: unknown field "statments"`},
		{
			"an empty document", `{}`,
			"@context: Required value: must be https://openvex.dev/ns/v0.2.0\n" +
				"@id: Required value: must be an IRI\n" +
				"author: Required value: must say who makes the statements\n" +
				"timestamp: Required value: must be the time of the first version\n" +
				"version: Required value: must be 1, and one more with each change",
		},
		{
			"a statement without reasons",
			document(fmt.Sprintf(`{"vulnerability": {"name": "GO-2026-1"}, "status": "not_affected", "products": [{"@id": %q}]}`, product)),
			`statements[0]: Invalid value: either justification or impact statement must be defined when using status "not_affected"` + "\n" +
				"statements[0].justification: Required value: must be one of component_not_present, vulnerable_code_not_present, vulnerable_code_not_in_execute_path, vulnerable_code_cannot_be_controlled_by_adversary, inline_mitigations_already_exist\n" +
				"statements[0].impact_statement: Required value: must say why the vulnerability can't be exploited",
		},
		{
			"a vulnerability that affects peerjob",
			document(fmt.Sprintf(`{"vulnerability": {"name": "GO-2026-1"}, "status": "affected", "action_statement": "Wait.", "products": [{"@id": %q}]}`, product)),
			"statements[0].status: Required value: must be not_affected: update what peerjob is affected by\n" +
				"statements[0].justification: Required value: must be one of component_not_present, vulnerable_code_not_present, vulnerable_code_not_in_execute_path, vulnerable_code_cannot_be_controlled_by_adversary, inline_mitigations_already_exist\n" +
				"statements[0].impact_statement: Required value: must say why the vulnerability can't be exploited",
		},
		{
			"another product, and another database",
			document(strings.ReplaceAll(aboutModule("CVE-2026-1", "example.com/net"), "peerjob", "other")),
			"statements[0].vulnerability.name: Required value: must be the ID in the Go vulnerability database\n" +
				"statements[0].products: Required value: must have pkg:golang/github.com/peerjob/peerjob",
		},
		{
			"two statements about one vulnerability",
			document(aboutModule("GO-2026-1", "example.com/net"), aboutModule("GO-2026-1", "example.com/net")),
			`statements[1].vulnerability.name: Duplicate value: "GO-2026-1"`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseStatements([]byte(tt.document))
			if diff := cmp.Diff(tt.err, message(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCommittedStatements holds the committed document to the format without a
// scan.
func TestCommittedStatements(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, statements))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseStatements(data); err != nil {
		t.Error(err)
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
