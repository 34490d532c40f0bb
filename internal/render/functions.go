// SPDX-License-Identifier: Apache-2.0

package render

import (
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Function is a function that templates may call.
type Function struct {
	// Name is how a template calls it.
	Name string
	// Group is the heading under which it is documented.
	Group string
	// Doc is one sentence about it.
	Doc string
	// Example is a template that calls it, and Result what that renders.
	Example, Result string

	// takes are the arguments, and further those that may come after them, of
	// which there are most together; 0 is no bound.
	takes   []kind
	further kind
	most    int
	// takesMissing says that a value that is missing is null for it.
	takesMissing bool
	// takesData says that it may be given the data as a whole.
	takesData bool
	// price is the most that a call can cost with these arguments, beside
	// callPrice; nil is nothing. What it looks at it pays for itself. An error
	// refuses them.
	price func(r *Renderer, args []any) (int, error)
	// call is the function; nil for those that the evaluation knows itself. Where
	// it can't tell its price before, it pays on the way, always before the work.
	call func(r *Renderer, args []any) (any, error)
}

// The groups of functions, in the order of the documentation.
const (
	groupValues  = "Values that may be missing"
	groupText    = "Text"
	groupCompare = "Comparing and choosing"
	groupNumbers = "Numbers"
	groupLists   = "Lists"
	groupMaps    = "Maps"
	groupFormats = "Formats and encodings"
	groupRegex   = "Regular expressions (RE2)"
	groupReuse   = "Reuse"
)

// Functions are all functions that templates may call, by group. Those that
// sprig has under a second name with "must" before it have it here, too.
func Functions() []Function { return functions }

// mustNames are the functions that sprig has under a second name, with "must" before
// it.
var mustNames = []string{
	"append", "chunk", "compact", "deepCopy", "first", "fromJson", "has", "initial", "last", "merge", "mergeOverwrite", "prepend", "push",
	"regexFind", "regexFindAll", "regexMatch", "regexReplaceAll", "regexReplaceAllLiteral", "regexSplit", "rest", "reverse",
	"slice", "toJson", "toPrettyJson", "toRawJson", "uniq", "without",
}

var functions = []Function{
	{Name: "default", Group: groupValues, Doc: "The last argument, or the first if the last is missing, null or empty.", Example: `{{ .Values.nope | default "none" }}`, Result: "none",
		takes: []kind{anything, anything}, takesMissing: true, call: orDefault},
	{Name: "required", Group: groupValues, Doc: "The last argument, or an error with this message if it is missing, null or an empty text.", Example: `{{ required "set image" .Values.image }}`, Result: "web:1",
		takes: []kind{text, anything}, takesMissing: true, call: required},
	{Name: "coalesce", Group: groupValues, Doc: "The first argument that is not missing, null or empty.", Example: `{{ coalesce .Values.nope .Values.image }}`, Result: "web:1",
		further: anything, takesMissing: true, call: coalesce},
	{Name: "empty", Group: groupValues, Doc: "Whether a value is missing, null, zero or has nothing in it.", Example: `{{ empty .Values.nope }}`, Result: "true",
		takes: []kind{anything}, takesMissing: true, call: empty},
	{Name: "hasKey", Group: groupValues, Doc: "Whether a map has a key.", Example: `{{ hasKey .Values "image" }}`, Result: "true",
		takes: []kind{dictionary, text}, call: hasKey},
	{Name: "dig", Group: groupValues, Doc: "The value below keys of a map, or the default, which is the argument before the map.", Example: `{{ dig "limits" "cpu" "1" .Values }}`, Result: "1",
		takes: []kind{anything, anything, anything}, further: anything, call: dig},
	{Name: "fail", Group: groupValues, Doc: "An error with this message.", Example: `{{ if gt .Size 100 }}{{ fail "at most 100 peers" }}{{ end }}`, Result: "",
		takes: []kind{text}, call: fail},

	{Name: "print", Group: groupText, Doc: "The arguments as one text, with a space between two that are no text.", Example: `{{ print .Name ":" 80 }}`, Result: "train:80",
		further: single, price: joined, call: printText},
	{Name: "println", Group: groupText, Doc: "The arguments with spaces between and a line end.", Example: `{{ println 1 2 | trim }}`, Result: "1 2",
		further: single, price: joined, call: printLine},
	{Name: "printf", Group: groupText, Doc: "The arguments in Go's format; one verb for each argument, in their order.", Example: `{{ printf "%s-%03d" .Name 7 }}`, Result: "train-007",
		takes: []kind{text}, further: anything, price: priceFormat, call: printFormat},
	{Name: "quote", Group: groupText, Doc: "In double quotes, with escapes.", Example: `{{ quote "a\"b" }}`, Result: `"a\"b"`,
		further: optional, price: perByte(22), call: concatenated(func(_ any, text string) string { return strconv.Quote(text) })},
	{Name: "squote", Group: groupText, Doc: "In single quotes.", Example: `{{ squote .Name }}`, Result: "'train'",
		further: optional, price: perByte(6), call: concatenated(func(_ any, text string) string { return "'" + text + "'" })},
	{Name: "trim", Group: groupText, Doc: "Without white space at both ends.", Example: `{{ trim "  a " }}`, Result: "a",
		takes: []kind{text}, price: perByte(4), call: ofText(strings.TrimSpace)},
	{Name: "trimAll", Group: groupText, Doc: "Without these characters at both ends.", Example: `{{ trimAll "$" "$5$" }}`, Result: "5",
		takes: []kind{text, text}, price: priceTrimAll, call: ofTexts(strings.Trim)},
	{Name: "trimPrefix", Group: groupText, Doc: "Without this text at the start.", Example: `{{ trimPrefix "tr" .Name }}`, Result: "ain",
		takes: []kind{text, text}, price: perByte(1), call: ofTexts(strings.TrimPrefix)},
	{Name: "trimSuffix", Group: groupText, Doc: "Without this text at the end.", Example: `{{ trimSuffix "in" .Name }}`, Result: "tra",
		takes: []kind{text, text}, price: perByte(1), call: ofTexts(strings.TrimSuffix)},
	{Name: "upper", Group: groupText, Doc: "In capital letters.", Example: `{{ upper .Name }}`, Result: "TRAIN",
		takes: []kind{text}, price: perByte(12), call: ofText(strings.ToUpper)},
	{Name: "lower", Group: groupText, Doc: "In small letters.", Example: `{{ lower "A" }}`, Result: "a",
		takes: []kind{text}, price: perByte(12), call: ofText(strings.ToLower)},
	{Name: "title", Group: groupText, Doc: "Every word with a capital letter.", Example: `{{ title "a job" }}`, Result: "A Job",
		takes: []kind{text}, price: perByte(16), call: fromSprig("title")},
	{Name: "untitle", Group: groupText, Doc: "Every word with a small letter.", Example: `{{ untitle "A Job" }}`, Result: "a job",
		takes: []kind{text}, price: perByte(24), call: fromSprig("untitle")},
	{Name: "snakecase", Group: groupText, Doc: "Words in snake case.", Example: `{{ snakecase "batchSize" }}`, Result: "batch_size",
		takes: []kind{text}, price: perByte(48), call: fromSprig("snakecase")},
	{Name: "camelcase", Group: groupText, Doc: "Words in camel case.", Example: `{{ camelcase "batch_size" }}`, Result: "BatchSize",
		takes: []kind{text}, price: perByte(48), call: fromSprig("camelcase")},
	{Name: "kebabcase", Group: groupText, Doc: "Words in kebab case.", Example: `{{ kebabcase "batchSize" }}`, Result: "batch-size",
		takes: []kind{text}, price: perByte(48), call: fromSprig("kebabcase")},
	{Name: "swapcase", Group: groupText, Doc: "Small letters for capital ones and the reverse.", Example: `{{ swapcase "aB" }}`, Result: "Ab",
		takes: []kind{text}, price: perByte(24), call: fromSprig("swapcase")},
	{Name: "initials", Group: groupText, Doc: "The first letter of each word.", Example: `{{ initials "peer job" }}`, Result: "pj",
		takes: []kind{text}, price: perByte(32), call: fromSprig("initials")},
	{Name: "nospace", Group: groupText, Doc: "Without white space.", Example: `{{ nospace "a b" }}`, Result: "ab",
		takes: []kind{text}, price: perByte(16), call: fromSprig("nospace")},
	{Name: "contains", Group: groupText, Doc: "Whether the second text holds the first.", Example: `{{ contains "ra" .Name }}`, Result: "true",
		takes: []kind{text, text}, price: perByte(8), call: ofTexts(strings.Contains)},
	{Name: "hasPrefix", Group: groupText, Doc: "Whether the second text begins with the first.", Example: `{{ hasPrefix "tr" .Name }}`, Result: "true",
		takes: []kind{text, text}, price: perByte(1), call: ofTexts(strings.HasPrefix)},
	{Name: "hasSuffix", Group: groupText, Doc: "Whether the second text ends with the first.", Example: `{{ hasSuffix "in" .Name }}`, Result: "true",
		takes: []kind{text, text}, price: perByte(1), call: ofTexts(strings.HasSuffix)},
	{Name: "replace", Group: groupText, Doc: "Replaces every first text by the second, in the third.", Example: `{{ replace "." "-" "v1.2" }}`, Result: "v1-2",
		takes: []kind{text, text, text}, price: priceReplace, call: replace},
	{Name: "repeat", Group: groupText, Doc: "A text this many times.", Example: `{{ repeat 3 "ab" }}`, Result: "ababab",
		takes: []kind{integer, text}, price: priceRepeat, call: repeat},
	{Name: "substr", Group: groupText, Doc: "The bytes of a text from one position up to, not including, another.", Example: `{{ substr 0 2 .Name }}`, Result: "tr",
		takes: []kind{integer, integer, text}, call: substring},
	{Name: "trunc", Group: groupText, Doc: "The first bytes of a text, or the last if the number is negative.", Example: `{{ trunc 3 .Name }}`, Result: "tra",
		takes: []kind{integer, text}, call: truncate},
	{Name: "abbrev", Group: groupText, Doc: "At most this many characters, with dots for what is left out.", Example: `{{ abbrev 5 "hello world" }}`, Result: "he...",
		takes: []kind{integer, text}, price: perByte(4), call: fromSprigWithNumber("abbrev")},
	{Name: "indent", Group: groupText, Doc: "Every line with this many spaces before it.", Example: `{{ indent 2 "a" }}`, Result: "  a",
		takes: []kind{integer, text}, price: priceIndent, call: indent},
	{Name: "nindent", Group: groupText, Doc: "A newline, then `indent`.", Example: `{{ nindent 2 "a" }}`, Result: "\n  a",
		takes: []kind{integer, text}, price: priceIndent, call: indentBelow},
	{Name: "wrap", Group: groupText, Doc: "Lines of about this many characters.", Example: `{{ wrap 3 "a b c" }}`, Result: "a b\nc",
		takes: []kind{integer, text}, price: priceWrap, call: fromSprigWithNumber("wrap")},
	{Name: "cat", Group: groupText, Doc: "The arguments with spaces between.", Example: `{{ cat .Name 1 }}`, Result: "train 1",
		further: optional, price: joined, call: concatenated(func(_ any, text string) string { return text })},
	{Name: "plural", Group: groupText, Doc: "The first text if the number is 1, or else the second.", Example: `{{ .Size }} {{ plural "peer" "peers" .Size }}`, Result: "3 peers",
		takes: []kind{text, text, integer}, call: plural},
	{Name: "toString", Group: groupText, Doc: "A value as text.", Example: `{{ toString 8080 | len }}`, Result: "4",
		takes: []kind{single}, call: toText},
	{Name: "base", Group: groupText, Doc: "The last element of a path.", Example: `{{ base "a/b.txt" }}`, Result: "b.txt",
		takes: []kind{text}, price: perByte(8), call: ofText(path.Base)},
	{Name: "dir", Group: groupText, Doc: "A path without its last element.", Example: `{{ dir "a/b.txt" }}`, Result: "a",
		takes: []kind{text}, price: perByte(8), call: ofText(path.Dir)},
	{Name: "ext", Group: groupText, Doc: "The extension of a path.", Example: `{{ ext "a/b.txt" }}`, Result: ".txt",
		takes: []kind{text}, price: perByte(8), call: ofText(path.Ext)},
	{Name: "clean", Group: groupText, Doc: "The shortest form of a path.", Example: `{{ clean "a//b/../c" }}`, Result: "a/c",
		takes: []kind{text}, price: perByte(8), call: ofText(path.Clean)},
	{Name: "isAbs", Group: groupText, Doc: "Whether a path begins at the root.", Example: `{{ isAbs "/etc" }}`, Result: "true",
		takes: []kind{text}, call: isAbs},
	{Name: "html", Group: groupText, Doc: "With the escapes of HTML.", Example: `{{ html "<" }}`, Result: "&lt;",
		further: single, price: perByte(24), call: escapeHTML},
	{Name: "js", Group: groupText, Doc: "With the escapes of JavaScript.", Example: `{{ js "'" }}`, Result: `\'`,
		further: single, price: perByte(32), call: escapeJS},
	{Name: "urlquery", Group: groupText, Doc: "With the escapes of a URL's query.", Example: `{{ urlquery "a b" }}`, Result: "a+b",
		further: single, price: perByte(24), call: escapeURL},

	{Name: "and", Group: groupCompare, Doc: "The first argument that is empty, or the last.", Example: `{{ and true .Name }}`, Result: "train"},
	{Name: "or", Group: groupCompare, Doc: "The first argument that is not empty, or the last.", Example: `{{ or "" .Name }}`, Result: "train"},
	{Name: "not", Group: groupCompare, Doc: "Whether a value is empty.", Example: `{{ not .Name }}`, Result: "false",
		takes: []kind{anything}, takesMissing: true, call: empty},
	{Name: "eq", Group: groupCompare, Doc: "Whether the first argument equals any of the others.", Example: `{{ eq .Size 3 }}`, Result: "true",
		takes: []kind{anything}, further: anything, price: perByte(1), call: equal},
	{Name: "ne", Group: groupCompare, Doc: "Whether two values differ.", Example: `{{ ne .Size 3 }}`, Result: "false",
		takes: []kind{anything, anything}, price: perByte(1), call: notEqual},
	{Name: "lt", Group: groupCompare, Doc: "Whether the first is less than the second.", Example: `{{ lt 1 2 }}`, Result: "true",
		takes: []kind{anything, anything}, price: perByte(1), call: ordered(func(order int) bool { return order < 0 })},
	{Name: "le", Group: groupCompare, Doc: "Whether the first is less than the second or equals it.", Example: `{{ le 2 2 }}`, Result: "true",
		takes: []kind{anything, anything}, price: perByte(1), call: ordered(func(order int) bool { return order <= 0 })},
	{Name: "gt", Group: groupCompare, Doc: "Whether the first is greater than the second.", Example: `{{ gt 1 2 }}`, Result: "false",
		takes: []kind{anything, anything}, price: perByte(1), call: ordered(func(order int) bool { return order > 0 })},
	{Name: "ge", Group: groupCompare, Doc: "Whether the first is greater than the second or equals it.", Example: `{{ ge 1 2 }}`, Result: "false",
		takes: []kind{anything, anything}, price: perByte(1), call: ordered(func(order int) bool { return order >= 0 })},
	{Name: "ternary", Group: groupCompare, Doc: "The first argument if the last is true, or else the second.", Example: `{{ ternary "debug" "info" true }}`, Result: "debug",
		takes: []kind{anything, anything, boolean}, call: ternary},
	{Name: "all", Group: groupCompare, Doc: "Whether no argument is empty.", Example: `{{ all .Name 1 }}`, Result: "true",
		further: anything, call: all},
	{Name: "any", Group: groupCompare, Doc: "Whether some argument is not empty.", Example: `{{ any "" 1 }}`, Result: "true",
		further: anything, call: anyOf},
	{Name: "kindOf", Group: groupCompare, Doc: "The kind of a value: string, int, int64, float64, bool, slice or map.", Example: `{{ kindOf .Name }}`, Result: "string",
		takes: []kind{anything}, call: kindOfValue},
	{Name: "kindIs", Group: groupCompare, Doc: "Whether a value is of a kind.", Example: `{{ kindIs "map" .Values }}`, Result: "true",
		takes: []kind{text, anything}, call: kindIs},
	{Name: "semverCompare", Group: groupCompare, Doc: "Whether a version meets a constraint.", Example: `{{ semverCompare ">=1.2" "1.3.0" }}`, Result: "true",
		takes: []kind{text, text}, price: priceVersion, call: semverCompare},

	{Name: "int", Group: groupNumbers, Doc: "As an integer.", Example: `{{ int "80" }}`, Result: "80",
		takes: []kind{anything}, call: toInt},
	{Name: "int64", Group: groupNumbers, Doc: "As an integer.", Example: `{{ int64 "80" }}`, Result: "80",
		takes: []kind{anything}, call: toInt64},
	{Name: "float64", Group: groupNumbers, Doc: "As a number with a fraction.", Example: `{{ float64 "1.50" }}`, Result: "1.5",
		takes: []kind{decimal}, call: toFloat},
	{Name: "atoi", Group: groupNumbers, Doc: "A text as an integer.", Example: `{{ atoi "8" }}`, Result: "8",
		takes: []kind{text}, call: atoi},
	{Name: "add", Group: groupNumbers, Doc: "The sum of integers.", Example: `{{ add .Size 1 }}`, Result: "4",
		further: long, call: arithmetic(add)},
	{Name: "add1", Group: groupNumbers, Doc: "One more.", Example: `{{ add1 .Size }}`, Result: "4",
		takes: []kind{long}, call: addOne},
	{Name: "sub", Group: groupNumbers, Doc: "The difference of integers.", Example: `{{ sub .Size 1 }}`, Result: "2",
		takes: []kind{long, long}, call: arithmetic(subtract)},
	{Name: "mul", Group: groupNumbers, Doc: "The product of integers.", Example: `{{ mul .Size 8 }}`, Result: "24",
		takes: []kind{long}, further: long, call: arithmetic(multiply)},
	{Name: "div", Group: groupNumbers, Doc: "The quotient of integers, without its fraction.", Example: `{{ div 7 2 }}`, Result: "3",
		takes: []kind{long, long}, call: arithmetic(divide)},
	{Name: "mod", Group: groupNumbers, Doc: "The remainder of a division.", Example: `{{ mod 7 2 }}`, Result: "1",
		takes: []kind{long, long}, call: arithmetic(remainder)},
	{Name: "max", Group: groupNumbers, Doc: "The largest integer.", Example: `{{ max 1 .Size }}`, Result: "3",
		takes: []kind{long}, further: long, call: arithmetic(larger)},
	{Name: "min", Group: groupNumbers, Doc: "The smallest integer.", Example: `{{ min 1 .Size }}`, Result: "1",
		takes: []kind{long}, further: long, call: arithmetic(smaller)},
	{Name: "addf", Group: groupNumbers, Doc: "The sum, with fractions.", Example: `{{ addf 1.5 2 }}`, Result: "3.5",
		further: decimal, most: maxFactors, price: priceFractions, call: fromSprigFractions("addf")},
	{Name: "subf", Group: groupNumbers, Doc: "The difference, with fractions.", Example: `{{ subf 1.5 1 }}`, Result: "0.5",
		takes: []kind{decimal}, further: decimal, most: maxFactors, price: priceFractions, call: fromSprigFractionsFrom("subf")},
	{Name: "mulf", Group: groupNumbers, Doc: "The product, with fractions.", Example: `{{ mulf 1.5 2 }}`, Result: "3",
		takes: []kind{decimal}, further: decimal, most: maxFactors, price: priceFractions, call: fromSprigFractionsFrom("mulf")},
	{Name: "divf", Group: groupNumbers, Doc: "The quotient, with its fraction.", Example: `{{ divf 1 4 }}`, Result: "0.25",
		takes: []kind{decimal}, further: decimal, most: maxFactors, price: priceFractions, call: fromSprigFractionsFrom("divf")},
	{Name: "floor", Group: groupNumbers, Doc: "Without its fraction, downwards.", Example: `{{ floor 1.9 }}`, Result: "1",
		takes: []kind{decimal}, call: floor},
	{Name: "ceil", Group: groupNumbers, Doc: "Without its fraction, upwards.", Example: `{{ ceil 1.1 }}`, Result: "2",
		takes: []kind{decimal}, call: ceil},
	{Name: "round", Group: groupNumbers, Doc: "With this many decimals.", Example: `{{ round 1.25 1 }}`, Result: "1.3",
		takes: []kind{decimal, integer}, further: decimal, most: 3, call: roundTo},
	{Name: "until", Group: groupNumbers, Doc: "The integers below a number; 10000 at most.", Example: `{{ until 3 | join "," }}`, Result: "0,1,2",
		takes: []kind{integer}, price: priceUntil, call: until},
	{Name: "untilStep", Group: groupNumbers, Doc: "The integers from a number up to, not including, another, by a step.", Example: `{{ untilStep 1 6 2 | join "," }}`, Result: "1,3,5",
		takes: []kind{integer, integer, integer}, price: priceUntilStep, call: untilStep},
	{Name: "seq", Group: groupNumbers, Doc: "Integers as a text, as the `seq` command prints them.", Example: `{{ seq 1 3 }}`, Result: "1 2 3",
		further: integer, most: 3, price: priceSeq, call: seq},

	{Name: "list", Group: groupLists, Doc: "A list of the arguments.", Example: `{{ list "a" "b" | join "," }}`, Result: "a,b",
		further: anything, call: makeList},
	{Name: "tuple", Group: groupLists, Doc: "The same.", Example: `{{ tuple 1 2 | len }}`, Result: "2",
		further: anything, call: makeList},
	{Name: "len", Group: groupLists, Doc: "How long a list, a map or a text is.", Example: `{{ len .Peers }}`, Result: "3",
		takes: []kind{anything}, call: length},
	{Name: "index", Group: groupLists, Doc: "The element of a list at a position or of a map under a key; more arguments go further down.", Example: `{{ (index .Peers 1).Hostname }}`, Result: "train-1",
		takes: []kind{anything}, further: anything, call: index},
	{Name: "slice", Group: groupLists, Doc: "The elements of a list, or the bytes of a text, from one position up to, not including, another.", Example: `{{ slice .Name 1 3 }}`, Result: "ra",
		takes: []kind{anything}, further: integer, most: 3, price: priceSlice, call: slice},
	{Name: "first", Group: groupLists, Doc: "The first element.", Example: `{{ (first .Peers).Host }}`, Result: "train-0.train",
		takes: []kind{sequence}, call: first},
	{Name: "last", Group: groupLists, Doc: "The last element.", Example: `{{ (last .Peers).Host }}`, Result: "train-2.train",
		takes: []kind{sequence}, call: last},
	{Name: "rest", Group: groupLists, Doc: "All elements but the first.", Example: `{{ len (rest .Peers) }}`, Result: "2",
		takes: []kind{sequence}, price: perElement, call: rest},
	{Name: "initial", Group: groupLists, Doc: "All elements but the last.", Example: `{{ len (initial .Peers) }}`, Result: "2",
		takes: []kind{sequence}, price: perElement, call: initial},
	{Name: "append", Group: groupLists, Doc: "A list with one more element.", Example: `{{ append (list 1) 2 | join "," }}`, Result: "1,2",
		takes: []kind{sequence, anything}, price: perElement, call: appended},
	{Name: "push", Group: groupLists, Doc: "The same.", Example: `{{ push (list 1) 2 | join "," }}`, Result: "1,2",
		takes: []kind{sequence, anything}, price: perElement, call: appended},
	{Name: "prepend", Group: groupLists, Doc: "A list with one more element before.", Example: `{{ prepend (list 1) 2 | join "," }}`, Result: "2,1",
		takes: []kind{sequence, anything}, price: perElement, call: prepended},
	{Name: "concat", Group: groupLists, Doc: "The elements of all lists.", Example: `{{ concat (list 1) (list 2) | join "," }}`, Result: "1,2",
		further: sequence, price: perElement, call: concat},
	{Name: "reverse", Group: groupLists, Doc: "The elements from the last to the first.", Example: `{{ reverse (list 1 2) | join "," }}`, Result: "2,1",
		takes: []kind{sequence}, price: perElement, call: reversed},
	{Name: "uniq", Group: groupLists, Doc: "Without elements that equal an earlier one.", Example: `{{ uniq (list 1 1 2) | join "," }}`, Result: "1,2",
		takes: []kind{sequence}, price: priceSets, call: uniq},
	{Name: "without", Group: groupLists, Doc: "Without elements that equal the other arguments.", Example: `{{ without (list 1 2) 1 | join "," }}`, Result: "2",
		takes: []kind{sequence}, further: anything, price: priceSets, call: without},
	{Name: "has", Group: groupLists, Doc: "Whether the list has the element.", Example: `{{ has 1 (list 1 2) }}`, Result: "true",
		takes: []kind{anything, anything}, price: priceHas, call: has},
	{Name: "compact", Group: groupLists, Doc: "Without empty elements.", Example: `{{ compact (list "" "a") | join "," }}`, Result: "a",
		takes: []kind{sequence}, price: perElement, call: compact},
	{Name: "chunk", Group: groupLists, Doc: "Lists of at most this many elements.", Example: `{{ len (chunk 2 (list 1 2 3)) }}`, Result: "2",
		takes: []kind{integer, sequence}, price: priceChunk, call: chunk},
	{Name: "sortAlpha", Group: groupLists, Doc: "The elements as texts, in order.", Example: `{{ sortAlpha (list "b" "a") | join "," }}`, Result: "a,b",
		takes: []kind{anything}, price: priceSort, call: sortAlpha},
	{Name: "join", Group: groupLists, Doc: "The elements as one text, with another between them.", Example: `{{ join "-" (list 1 2) }}`, Result: "1-2",
		takes: []kind{text, anything}, price: priceJoin, call: join},
	{Name: "splitList", Group: groupLists, Doc: "The parts of a text between separators.", Example: `{{ splitList "," "a,b" | last }}`, Result: "b",
		takes: []kind{text, text}, price: priceSplit, call: splitList},
	{Name: "split", Group: groupLists, Doc: "The same as a map with the keys _0, _1 and so on.", Example: `{{ (split "," "a,b")._1 }}`, Result: "b",
		takes: []kind{text, text}, price: priceSplit, call: split},
	{Name: "splitn", Group: groupLists, Doc: "The same with at most this many parts.", Example: `{{ (splitn "," 2 "a,b,c")._1 }}`, Result: "b,c",
		takes: []kind{text, integer, text}, price: priceSplit, call: splitN},
	{Name: "toStrings", Group: groupLists, Doc: "The elements as texts.", Example: `{{ toStrings (list 1 2) | toJson }}`, Result: `["1","2"]`,
		takes: []kind{anything}, price: priceParts, call: toStrings},

	{Name: "dict", Group: groupMaps, Doc: "A map of keys and values in turn.", Example: `{{ (dict "a" 1).a }}`, Result: "1",
		further: anything, price: priceDict, call: dict},
	{Name: "get", Group: groupMaps, Doc: "The value of a key, or an empty text.", Example: `{{ get .Values "image" }}`, Result: "web:1",
		takes: []kind{dictionary, text}, call: get},
	{Name: "keys", Group: groupMaps, Doc: "The keys of maps, in order.", Example: `{{ keys (dict "b" 1 "a" 2) | join "," }}`, Result: "a,b",
		further: dictionary, price: perEntry, call: keys},
	{Name: "values", Group: groupMaps, Doc: "The values of a map, in the order of its keys.", Example: `{{ values (dict "b" 1 "a" 2) | join "," }}`, Result: "2,1",
		takes: []kind{dictionary}, price: perEntry, call: values},
	{Name: "pick", Group: groupMaps, Doc: "A map with only these keys.", Example: `{{ pick (dict "a" 1 "b" 2) "a" | toJson }}`, Result: `{"a":1}`,
		takes: []kind{dictionary}, further: text, price: perEntry, call: pick},
	{Name: "omit", Group: groupMaps, Doc: "A map without these keys.", Example: `{{ omit (dict "a" 1 "b" 2) "a" | toJson }}`, Result: `{"b":2}`,
		takes: []kind{dictionary}, further: text, price: perEntry, call: omit},
	{Name: "pluck", Group: groupMaps, Doc: "The values of a key in each of the maps that have it.", Example: `{{ pluck "a" (dict "a" 1) (dict "a" 2) | join "," }}`, Result: "1,2",
		takes: []kind{text}, further: dictionary, price: priceDict, call: pluck},
	{Name: "merge", Group: groupMaps, Doc: "A new map of all, with maps in maps; the first that has a key wins, unless the value is empty there.", Example: `{{ merge (dict "a" 1) (dict "a" 2 "b" 3) | toJson }}`, Result: `{"a":1,"b":3}`,
		takes: []kind{dictionary}, further: dictionary, price: priceMerge, call: mergeFirst},
	{Name: "mergeOverwrite", Group: groupMaps, Doc: "A new map of all, with maps in maps; the last that has a key wins.", Example: `{{ mergeOverwrite (dict "a" 1) (dict "a" 2) | toJson }}`, Result: `{"a":2}`,
		takes: []kind{dictionary}, further: dictionary, price: priceMerge, call: mergeLast},
	{Name: "deepCopy", Group: groupMaps, Doc: "The value itself: values never change, so a copy is not needed.", Example: `{{ merge (deepCopy (dict "a" 1)) (dict "b" 2) | toJson }}`, Result: `{"a":1,"b":2}`,
		takes: []kind{anything}, call: func(_ *Renderer, args []any) (any, error) { return args[0], nil }},

	{Name: "toJson", Group: groupFormats, Doc: "As JSON.", Example: `{{ toJson .Values.tags }}`, Result: `["a","b"]`,
		takes: []kind{anything}, price: priceJSON, call: toJSON},
	{Name: "toPrettyJson", Group: groupFormats, Doc: "As JSON on several lines.", Example: `{{ toPrettyJson (dict "a" 1) }}`, Result: "{\n  \"a\": 1\n}",
		takes: []kind{anything}, price: pricePrettyJSON, call: toPrettyJSON},
	{Name: "toRawJson", Group: groupFormats, Doc: "As JSON, without the escapes of HTML that toJson has.", Example: `{{ toRawJson "<a>" }}`, Result: `"<a>"`,
		takes: []kind{anything}, price: priceJSON, call: toRawJSON},
	{Name: "toYaml", Group: groupFormats, Doc: "As YAML, inside the text.", Example: `{{ toYaml .Values.tags }}`, Result: "- a\n- b",
		takes: []kind{anything}, price: priceYAML, call: toYAML},
	{Name: "fromJson", Group: groupFormats, Doc: "The value of a JSON text, without duplicate keys.", Example: `{{ (fromJson "{\"a\":1}").a }}`, Result: "1",
		takes: []kind{text}, price: perByte(200), call: fromJSON},
	{Name: "fromYaml", Group: groupFormats, Doc: "The value of a YAML text.", Example: `{{ (fromYaml "a: 1").a }}`, Result: "1",
		takes: []kind{text}, price: priceFromYAML, call: fromYAML},
	{Name: "b64enc", Group: groupFormats, Doc: "In base64.", Example: `{{ b64enc "a" }}`, Result: "YQ==",
		takes: []kind{text}, price: perByte(4), call: ofText(toBase64)},
	{Name: "b64dec", Group: groupFormats, Doc: "Out of base64.", Example: `{{ b64dec "YQ==" }}`, Result: "a",
		takes: []kind{text}, price: perByte(4), call: fromBase64},
	{Name: "sha256sum", Group: groupFormats, Doc: "The SHA-256 sum in hexadecimal digits.", Example: `{{ sha256sum "a" | trunc 8 }}`, Result: "ca978112",
		takes: []kind{text}, price: perByte(4), call: ofText(sha256sum)},
	{Name: "sha512sum", Group: groupFormats, Doc: "The SHA-512 sum in hexadecimal digits.", Example: `{{ sha512sum "a" | trunc 8 }}`, Result: "1f40fc92",
		takes: []kind{text}, price: perByte(4), call: ofText(sha512sum)},
	{Name: "sha1sum", Group: groupFormats, Doc: "The SHA-1 sum in hexadecimal digits.", Example: `{{ sha1sum "a" | trunc 8 }}`, Result: "86f7e437",
		takes: []kind{text}, price: perByte(4), call: ofText(sha1sum)},
	{Name: "adler32sum", Group: groupFormats, Doc: "The Adler-32 sum.", Example: `{{ adler32sum "a" }}`, Result: "6422626",
		takes: []kind{text}, price: perByte(4), call: ofText(adler32sum)},

	{Name: "regexMatch", Group: groupRegex, Doc: "Whether a text has a match.", Example: `{{ regexMatch "^tr" .Name }}`, Result: "true",
		takes: []kind{text, text}, price: priceMatch, call: regexMatch},
	{Name: "regexFind", Group: groupRegex, Doc: "The first match, or an empty text.", Example: `{{ regexFind "[a-c]" .Name }}`, Result: "a",
		takes: []kind{text, text}, price: priceMatch, call: regexFind},
	{Name: "regexFindAll", Group: groupRegex, Doc: "The matches, at most this many, or all with -1.", Example: `{{ regexFindAll "[rn]" .Name -1 | join "," }}`, Result: "r,n",
		takes: []kind{text, text, integer}, call: regexFindAll},
	{Name: "regexReplaceAll", Group: groupRegex, Doc: "The text with every match replaced; ${1} is the first group.", Example: `{{ regexReplaceAll "(a)" .Name "<${1}>" }}`, Result: "tr<a>in",
		takes: []kind{text, text, text}, call: regexReplaceAll},
	{Name: "regexReplaceAllLiteral", Group: groupRegex, Doc: "The same without groups.", Example: `{{ regexReplaceAllLiteral "a" .Name "$1" }}`, Result: "tr$1in",
		takes: []kind{text, text, text}, call: regexReplaceAllLiteral},
	{Name: "regexSplit", Group: groupRegex, Doc: "The parts between matches, at most this many, or all with -1.", Example: `{{ regexSplit "[0-9]" "a1b" -1 | join "," }}`, Result: "a,b",
		takes: []kind{text, text, integer}, call: regexSplit},
	{Name: "regexQuoteMeta", Group: groupRegex, Doc: "A text as an expression that matches it.", Example: `{{ regexQuoteMeta "a.b" }}`, Result: `a\.b`,
		takes: []kind{text}, price: priceQuote, call: ofText(regexp.QuoteMeta)},

	{Name: "include", Group: groupReuse, Doc: "Renders a snippet of spec.snippets with the value as `.`.", Example: `{{ include "greeting" . }}`, Result: "hello train",
		takes: []kind{text, anything}, takesData: true},
	{Name: "tpl", Group: groupReuse, Doc: "Renders a text as a template with the value as `.`.", Example: `{{ tpl .Values.text . }}`, Result: "I am train",
		takes: []kind{text, anything}, takesData: true},
}

// Refusal is why templates lack functions of sprig or Helm.
type Refusal struct {
	// Names are the functions.
	Names []string
	// Because says why, after "because"; "" if there is something better.
	Because string
	// Instead says what to write instead, as a sentence without its period.
	Instead string
}

// Text is the reason and the cure, as sentences.
func (r Refusal) Text() string {
	if r.Because == "" {
		return r.Instead + "."
	}
	return strings.ToUpper(r.Because[:1]) + r.Because[1:] + ". " + r.Instead + "."
}

// because follows the name of a function in a message.
func (r Refusal) because() string {
	cure := strings.ToLower(r.Instead[:1]) + r.Instead[1:]
	if r.Because == "" {
		return "; " + cure
	}
	return ", because " + r.Because + "; " + cure
}

// Refusals are the functions which Helm has and templates here have not.
func Refusals() []Refusal { return refusals }

const sameOutput = "the same input must give the same output"

var refusals = []Refusal{
	{[]string{"now", "date", "dateInZone", "date_in_zone", "dateModify", "date_modify", "mustDateModify", "must_date_modify", "htmlDate", "htmlDateInZone", "ago", "toDate", "mustToDate", "unixEpoch", "duration", "durationRound"},
		sameOutput, "Put the time into the values"},
	{[]string{"env", "expandenv"}, sameOutput + " on every machine", "Put the variable into the values"},
	{[]string{"getHostByName"}, "templates can't use the network", "Write the name; Pods resolve it themselves"},
	{[]string{"randAlphaNum", "randAlpha", "randNumeric", "randAscii", "randBytes", "randInt", "shuffle"}, sameOutput, "Put the text into the values"},
	{[]string{"uuidv4"}, sameOutput, "Put the ID into the values, or write $(PEERJOB_UID), the ID of the Job in the cluster"},
	{[]string{"genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey", "buildCustomCert", "derivePassword", "bcrypt", "htpasswd", "encryptAES", "decryptAES"},
		"a manifest is no place for keys and passwords", "Mount a Secret"},
	{[]string{"lookup"}, "templates can't read a cluster", "Put the value into the values"},
	{[]string{"set", "unset"}, "values don't change while templates run", "Use dict, merge or omit"},
	{[]string{"typeOf", "typeIs", "typeIsLike"}, "templates don't see types of Go", "Use kindOf or kindIs"},
	{[]string{"deepEqual"}, "", "Compare texts: eq (toJson .Values.a) (toJson .Values.b)"},
	{[]string{"fromYamlArray", "fromJsonArray"}, "", "Use fromYaml and fromJson, which also read lists"},
	{[]string{"toYamlPretty"}, "", "Use toYaml"},
	{[]string{"semver", "urlParse", "urlJoin"}, "", "Use semverCompare, printf and the text functions"},
	{[]string{"b32enc", "b32dec"}, "", "Use b64enc or b64dec"},
	{[]string{"trimall"}, "", "Use trimAll, with a capital A"},
	{[]string{"biggest"}, "", "Use max"},
	{[]string{"add1f", "maxf", "minf"}, "", "Use addf, or max and min for integers"},
	{[]string{"toDecimal"}, "", "Write add 0 .Values.mode: an octal number such as 0755 in the values is already a number"},
	{[]string{"abbrevboth", "wrapWith"}, "", "Use abbrev, trunc or wrap"},
	{[]string{"hello"}, "it only tests sprig", "Write the text"},
	{[]string{"call"}, "the data of templates has no functions", "Use a function of this page"},
	{[]string{"template", "define", "block"}, "a template fills one field", "Write the text into spec.snippets, and use include"},
	{[]string{"toToml", "fromToml"}, "", "Write the text, or use toYaml or toJson"},
	{[]string{"osBase", "osDir", "osExt", "osClean", "osIsAbs"}, "the result depends on the machine of the build", "Use the function of that name without os"},
}
