// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/openvex/go-vex/pkg/vex"
)

// product is peerjob's name in a statement, a package URL.
const product = "pkg:golang/github.com/peerjob/peerjob"

// parseStatements reads an OpenVEX document. The error has everything that is
// wrong in it. A statement must say more here than OpenVEX asks for: that peerjob
// is not affected, a justification for tools, and an impact statement for people.
func parseStatements(data []byte) (*vex.VEX, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	document := &vex.VEX{}
	if err := decoder.Decode(document); err != nil {
		return nil, err
	}
	var problems []error
	required := func(present bool, path, detail string) {
		if !present {
			problems = append(problems, fmt.Errorf("%s: Required value: %s", path, detail))
		}
	}
	required(strings.HasPrefix(document.Context, vex.Context), "@context", "must be "+vex.ContextLocator())
	required(document.ID != "", "@id", "must be an IRI")
	required(document.Author != "", "author", "must say who makes the statements")
	required(document.Timestamp != nil, "timestamp", "must be the time of the first version")
	required(document.Version > 0, "version", "must be 1, and one more with each change")
	seen := map[vex.VulnerabilityID]bool{}
	for i := range document.Statements {
		statement, path := &document.Statements[i], fmt.Sprintf("statements[%d]", i)
		if err := statement.Validate(); err != nil {
			problems = append(problems, fmt.Errorf("%s: Invalid value: %w", path, err))
		}
		name := statement.Vulnerability.Name
		required(strings.HasPrefix(string(name), "GO-"), path+".vulnerability.name", "must be the ID in the Go vulnerability database")
		required(statement.MatchesProduct(product, ""), path+".products", "must have "+product)
		required(statement.Status == vex.StatusNotAffected, path+".status", "must be not_affected: update what peerjob is affected by")
		required(statement.Justification != "", path+".justification", "must be one of "+strings.Join(vex.Justifications(), ", "))
		required(statement.ImpactStatement != "", path+".impact_statement", "must say why the vulnerability can't be exploited")
		if seen[name] {
			problems = append(problems, fmt.Errorf("%s.vulnerability.name: Duplicate value: %q", path, name))
		}
		seen[name] = true
	}
	return document, errors.Join(problems...)
}

// about returns the statement about a finding: the same vulnerability, in the
// same module of peerjob. It is nil when there is none.
func about(found *finding, document *vex.VEX) *vex.Statement {
	module := fmt.Sprintf("pkg:golang/%s@%s", found.Module, found.version())
	for i := range document.Statements {
		if document.Statements[i].Matches(found.ID, product, []string{module}) {
			return &document.Statements[i]
		}
	}
	return nil
}

// compare returns a line for each finding that has its statement. The error has
// each finding without a statement, and each statement without a finding.
func compare(found findings, document *vex.VEX) (explained []string, err error) {
	var problems []error
	needed := map[*vex.Statement]bool{}
	for _, one := range found.sorted() {
		statement := about(one, document)
		if statement == nil {
			problems = append(problems, fmt.Errorf("%v; update the module, or say in %s why it can't be exploited", one, statements))
			continue
		}
		needed[statement] = true
		explained = append(explained, fmt.Sprintf("%s: %s %s: %s: %s", one.ID, one.Module, one.version(), statement.Status, statement.Justification))
	}
	for i := range document.Statements {
		if statement := &document.Statements[i]; !needed[statement] {
			problems = append(problems, fmt.Errorf("%s: statements[%d]: Invalid value: %q: no scan finds it in a module that the statement names; delete the statement",
				statements, i, statement.Vulnerability.Name))
		}
	}
	return explained, errors.Join(problems...)
}
