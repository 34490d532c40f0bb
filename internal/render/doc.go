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
//   - A template renders what text/template and sprig render, or it is an error
//     that says why not. Nothing is invented: null, a map or a list in a text is an
//     error, and a number is never cut or taken for zero.
//   - A key that the data does not have is false in a condition, and an error where
//     it would be rendered. The error lists the keys there are.
//   - A number keeps the form in which it was written ([Number]).
//   - Data does not change: a template sees the values as they were given,
//     whatever templates ran before it.
//   - Everything is bounded, by counting and not by the clock. Every step and every
//     call has a price, the most that it can cost with arguments of these sizes,
//     and pays it from a [Budget] before it happens. A function whose cost has no
//     simple bound has bounded arguments, or pays on the way. Depth is counted over
//     blocks, parentheses, functions and snippets together.
//
// # Never
//
// It never sees YAML, and never decides where a text goes: one string goes in
// and one comes out.
package render
