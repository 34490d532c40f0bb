// SPDX-License-Identifier: Apache-2.0

// Package schema has the tests of schema/: that the JSON Schema refuses nothing that
// peerjob takes, and how much of what peerjob refuses it catches.
//
// The JSON Schema is judged by github.com/santhosh-tekuri/jsonschema: it passes the
// official test suite for every draft, has no dependency but golang.org/x/text, and is
// what kubeconform and Helm use.
package schema
