// SPDX-License-Identifier: Apache-2.0

// Package render answers one question: what does a string with Go templates in
// it say, for this data?
//
// The syntax is that of text/template, read by Go's own parser
// (text/template/parse); most functions are those of sprig, which Helm users
// know. The evaluation is this package's own, because that of text/template
// can't be stopped: a range over a large number runs to its end, whatever it
// writes or does not write.
//
// # Rules
//
//   - A template is a function of the data: no clock, environment, network,
//     chance or file. The functions are an allow-list ([Functions]); what sprig
//     and Helm have beside it is refused by name, with the reason.
//   - Nothing is invented. A key that the data does not have is an error that
//     names the keys there are; null, a map or a list in the middle of a text is
//     an error, too.
//   - Data does not change: a template sees the values as they were given,
//     whatever templates ran before it.
//   - Everything is bounded, by counting and not by the clock: every node that
//     is evaluated and every byte that is read or made is paid for from a
//     budget (see [Budget]). A template that is out of budget stops there.
//
// # Never
//
// It never sees YAML, and never decides where a text goes: one string goes in
// and one comes out.
package render
