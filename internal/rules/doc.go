// SPDX-License-Identifier: Apache-2.0

// Package rules answers: do the peers of a Service and a Job find each other?
//
// Each rule is a function of a Service, a Pod template, a Job and the path at
// which the template stands. It says what Kubernetes accepts and what never works,
// whoever wrote the objects.
//
// # Rules
//
//   - Of a Service and a Job a rule reads the name, the namespace and the fields
//     that its comment names. The rest may be missing, so that a rule also works
//     before the objects are expanded.
//   - What never works is an error. What may be meant is a warning.
//   - A name that Kubernetes derives is defined once (names.go).
//
// # Never
//
// It never sees a PeerJob, and never repeats a rule of the API server.
package rules
