// SPDX-License-Identifier: Apache-2.0

// Package scan answers: where does each item of a ResourceList begin
// and end, and which object is it? It finds out without parsing the items, so
// that those that nobody changes can be copied byte by byte.
//
// # The way of a list
//
//	read.go    splits the text into the list's own keys, and items into items
//	item.go    follows the block style of one item, line by line
//	scalar.go  judges the single values and flow collections on one line
//	nodes.go   makes the nodes of a document in plain block style
//	class.go   judges bytes and UTF-8
//	write.go   puts a list together again
//
// # Rules
//
//   - Sure or not at all. An item is known when every line of it is of a form
//     that this package knows (block maps and lists, values on one line, blocks
//     of text), or else when yaml/v3 takes it for one whole item. Where neither
//     is so, Read declines, and the caller parses the whole list.
//   - What is said of an item is what yaml/v3 says of it. FuzzRead holds it to
//     that.
//   - A comment between two items belongs to the one below it.
//   - Read copies nothing: an item is a part of the text it came from.
//
// # Why parts can be judged alone
//
// An item begins with "- " in the column of its list. Such a line can stand
// within another item only in quotes, in brackets or in a comment; then the
// text from one such line to the next is no whole item, and yaml/v3 refuses
// it or finds more than one. Only an anchor could reach from one item into the
// next, and an alias without its anchor is an error, too.
//
// # Never
//
// It never says what is wrong with YAML, never repairs it, and knows nothing of
// PeerJobs.
package scan
