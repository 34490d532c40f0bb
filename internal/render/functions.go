// SPDX-License-Identifier: Apache-2.0

package render

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

	// call is the function; sprig's of the same name when it is nil.
	call any
	// check refuses arguments before the call; it may be nil.
	check func(args []any) error
	// price is what a call costs beside its arguments and its result, in the
	// bytes of the budget; it may be nil.
	price func(args []any) int
	// takesMissing says that a value which is missing is null for it.
	takesMissing bool
	// shallow says that it looks only at the outside of its arguments, so that
	// they need not be paid for whole.
	shallow bool
	// takesData says that it may be given the data as a whole.
	takesData bool
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

var functions = []Function{
	{Name: "default", Group: groupValues, Doc: "The last argument, or the first where the last is missing, null or empty.", Example: `{{ .Values.nope | default "none" }}`, Result: "none", takesMissing: true, shallow: true},
	{Name: "required", Group: groupValues, Doc: "The last argument, or an error with this message where it is missing, null or empty text.", Example: `{{ required "set image" .Values.image }}`, Result: "web:1", call: required, takesMissing: true, shallow: true},
	{Name: "coalesce", Group: groupValues, Doc: "The first argument that is not missing, null or empty.", Example: `{{ coalesce .Values.nope .Values.image }}`, Result: "web:1", takesMissing: true, shallow: true},
	{Name: "empty", Group: groupValues, Doc: "Whether a value is missing, null, zero or has nothing in it.", Example: `{{ empty .Values.nope }}`, Result: "true", takesMissing: true, shallow: true},
	{Name: "hasKey", Group: groupValues, Doc: "Whether a map has a key.", Example: `{{ hasKey .Values "image" }}`, Result: "true", shallow: true},
	{Name: "dig", Group: groupValues, Doc: "The value below keys of a map, or the default before the map.", Example: `{{ dig "limits" "cpu" "1" .Values }}`, Result: "1", call: dig, shallow: true},
	{Name: "fail", Group: groupValues, Doc: "An error with this message.", Example: `{{ if gt .Size 100 }}{{ fail "at most 100 peers" }}{{ end }}`, Result: ""},

	{Name: "print", Group: groupText, Doc: "The arguments as one text, with a space between two that are no text.", Example: `{{ print .Name ":" 80 }}`, Result: "train:80", call: printText},
	{Name: "println", Group: groupText, Doc: "The arguments with spaces between and a line end.", Example: `{{ println 1 2 | trim }}`, Result: "1 2", call: printLine},
	{Name: "printf", Group: groupText, Doc: "The arguments in Go's format; widths are at most 1000.", Example: `{{ printf "%s-%03d" .Name 7 }}`, Result: "train-007", call: printFormat, check: checkFormat},
	{Name: "quote", Group: groupText, Doc: "In double quotes, with escapes.", Example: `{{ quote "a\"b" }}`, Result: `"a\"b"`},
	{Name: "squote", Group: groupText, Doc: "In single quotes.", Example: `{{ squote .Name }}`, Result: "'train'"},
	{Name: "trim", Group: groupText, Doc: "Without white space at both ends.", Example: `{{ trim "  a " }}`, Result: "a"},
	{Name: "trimAll", Group: groupText, Doc: "Without these characters at both ends.", Example: `{{ trimAll "$" "$5$" }}`, Result: "5"},
	{Name: "trimPrefix", Group: groupText, Doc: "Without this text at the begin.", Example: `{{ trimPrefix "tr" .Name }}`, Result: "ain"},
	{Name: "trimSuffix", Group: groupText, Doc: "Without this text at the end.", Example: `{{ trimSuffix "in" .Name }}`, Result: "tra"},
	{Name: "upper", Group: groupText, Doc: "In capital letters.", Example: `{{ upper .Name }}`, Result: "TRAIN"},
	{Name: "lower", Group: groupText, Doc: "In small letters.", Example: `{{ lower "A" }}`, Result: "a"},
	{Name: "title", Group: groupText, Doc: "Every word with a capital letter.", Example: `{{ title "a job" }}`, Result: "A Job"},
	{Name: "untitle", Group: groupText, Doc: "Every word with a small letter.", Example: `{{ untitle "A Job" }}`, Result: "a job"},
	{Name: "snakecase", Group: groupText, Doc: "Words in snake case.", Example: `{{ snakecase "batchSize" }}`, Result: "batch_size"},
	{Name: "camelcase", Group: groupText, Doc: "Words in camel case.", Example: `{{ camelcase "batch_size" }}`, Result: "BatchSize"},
	{Name: "kebabcase", Group: groupText, Doc: "Words in kebab case.", Example: `{{ kebabcase "batchSize" }}`, Result: "batch-size"},
	{Name: "swapcase", Group: groupText, Doc: "Small letters for capital ones and the reverse.", Example: `{{ swapcase "aB" }}`, Result: "Ab"},
	{Name: "initials", Group: groupText, Doc: "The first letter of each word.", Example: `{{ initials "peer job" }}`, Result: "pj"},
	{Name: "nospace", Group: groupText, Doc: "Without white space.", Example: `{{ nospace "a b" }}`, Result: "ab"},
	{Name: "contains", Group: groupText, Doc: "Whether the second text holds the first.", Example: `{{ contains "ra" .Name }}`, Result: "true"},
	{Name: "hasPrefix", Group: groupText, Doc: "Whether the second text begins with the first.", Example: `{{ hasPrefix "tr" .Name }}`, Result: "true"},
	{Name: "hasSuffix", Group: groupText, Doc: "Whether the second text ends with the first.", Example: `{{ hasSuffix "in" .Name }}`, Result: "true"},
	{Name: "replace", Group: groupText, Doc: "The third text with the second in place of every first.", Example: `{{ replace "." "-" "v1.2" }}`, Result: "v1-2", check: checkReplace},
	{Name: "repeat", Group: groupText, Doc: "A text this many times.", Example: `{{ repeat 3 "ab" }}`, Result: "ababab", check: checkRepeat},
	{Name: "substr", Group: groupText, Doc: "The bytes of a text from a place to before another.", Example: `{{ substr 0 2 .Name }}`, Result: "tr"},
	{Name: "trunc", Group: groupText, Doc: "The first bytes of a text, or the last when the number is negative.", Example: `{{ trunc 3 .Name }}`, Result: "tra"},
	{Name: "abbrev", Group: groupText, Doc: "At most this many characters, with dots where something is left out.", Example: `{{ abbrev 5 "hello world" }}`, Result: "he..."},
	{Name: "indent", Group: groupText, Doc: "Every line behind this many spaces.", Example: `{{ indent 2 "a" }}`, Result: "  a", check: checkIndent},
	{Name: "nindent", Group: groupText, Doc: "The same behind a line end.", Example: `{{ nindent 2 "a" }}`, Result: "\n  a", check: checkIndent},
	{Name: "wrap", Group: groupText, Doc: "Lines of about this many characters.", Example: `{{ wrap 3 "a b c" }}`, Result: "a b\nc", check: checkWrap},
	{Name: "cat", Group: groupText, Doc: "The arguments with spaces between.", Example: `{{ cat .Name 1 }}`, Result: "train 1"},
	{Name: "plural", Group: groupText, Doc: "The first text when the number is 1, or else the second.", Example: `{{ .Size }} {{ plural "peer" "peers" .Size }}`, Result: "3 peers"},
	{Name: "toString", Group: groupText, Doc: "A value as text.", Example: `{{ toString 8080 | len }}`, Result: "4", call: toText},
	{Name: "base", Group: groupText, Doc: "The last element of a path.", Example: `{{ base "a/b.txt" }}`, Result: "b.txt"},
	{Name: "dir", Group: groupText, Doc: "A path without its last element.", Example: `{{ dir "a/b.txt" }}`, Result: "a"},
	{Name: "ext", Group: groupText, Doc: "The extension of a path.", Example: `{{ ext "a/b.txt" }}`, Result: ".txt"},
	{Name: "clean", Group: groupText, Doc: "The shortest form of a path.", Example: `{{ clean "a//b/../c" }}`, Result: "a/c"},
	{Name: "html", Group: groupText, Doc: "With the escapes of HTML.", Example: `{{ html "<" }}`, Result: "&lt;", call: escapeHTML},
	{Name: "js", Group: groupText, Doc: "With the escapes of JavaScript.", Example: `{{ js "'" }}`, Result: `\'`, call: escapeJS},
	{Name: "urlquery", Group: groupText, Doc: "With the escapes of a URL's query.", Example: `{{ urlquery "a b" }}`, Result: "a+b", call: escapeURL},

	{Name: "and", Group: groupCompare, Doc: "The first argument that is empty, or the last.", Example: `{{ and true .Name }}`, Result: "train"},
	{Name: "or", Group: groupCompare, Doc: "The first argument that is not empty, or the last.", Example: `{{ or "" .Name }}`, Result: "train"},
	{Name: "not", Group: groupCompare, Doc: "Whether a value is empty.", Example: `{{ not .Name }}`, Result: "false", call: not, shallow: true},
	{Name: "eq", Group: groupCompare, Doc: "Whether the first argument equals any of the others.", Example: `{{ eq .Size 3 }}`, Result: "true", call: equal},
	{Name: "ne", Group: groupCompare, Doc: "Whether two values differ.", Example: `{{ ne .Size 3 }}`, Result: "false", call: notEqual},
	{Name: "lt", Group: groupCompare, Doc: "Whether the first is less than the second.", Example: `{{ lt 1 2 }}`, Result: "true", call: less},
	{Name: "le", Group: groupCompare, Doc: "Whether the first is less than the second or equals it.", Example: `{{ le 2 2 }}`, Result: "true", call: lessOrEqual},
	{Name: "gt", Group: groupCompare, Doc: "Whether the first is greater than the second.", Example: `{{ gt 1 2 }}`, Result: "false", call: greater},
	{Name: "ge", Group: groupCompare, Doc: "Whether the first is greater than the second or equals it.", Example: `{{ ge 1 2 }}`, Result: "false", call: greaterOrEqual},
	{Name: "ternary", Group: groupCompare, Doc: "The first argument when the last is true, or else the second.", Example: `{{ ternary "debug" "info" true }}`, Result: "debug", shallow: true},
	{Name: "all", Group: groupCompare, Doc: "Whether no argument is empty.", Example: `{{ all .Name 1 }}`, Result: "true", shallow: true},
	{Name: "any", Group: groupCompare, Doc: "Whether some argument is not empty.", Example: `{{ any "" 1 }}`, Result: "true", shallow: true},
	{Name: "kindOf", Group: groupCompare, Doc: "The kind of a value: string, int, int64, float64, bool, slice or map.", Example: `{{ kindOf .Name }}`, Result: "string", shallow: true},
	{Name: "kindIs", Group: groupCompare, Doc: "Whether a value is of a kind.", Example: `{{ kindIs "map" .Values }}`, Result: "true", shallow: true},
	{Name: "semverCompare", Group: groupCompare, Doc: "Whether a version meets a constraint.", Example: `{{ semverCompare ">=1.2" "1.3.0" }}`, Result: "true"},

	{Name: "int", Group: groupNumbers, Doc: "As an integer.", Example: `{{ int "80" }}`, Result: "80", check: checkNumbers},
	{Name: "int64", Group: groupNumbers, Doc: "As an integer.", Example: `{{ int64 "80" }}`, Result: "80", check: checkNumbers},
	{Name: "float64", Group: groupNumbers, Doc: "As a number with a fraction.", Example: `{{ float64 "1.50" }}`, Result: "1.5", check: checkNumbers},
	{Name: "atoi", Group: groupNumbers, Doc: "A text as an integer.", Example: `{{ atoi "8" }}`, Result: "8", check: checkNumbers},
	{Name: "add", Group: groupNumbers, Doc: "The sum of integers.", Example: `{{ add .Size 1 }}`, Result: "4", check: checkNumbers},
	{Name: "add1", Group: groupNumbers, Doc: "One more.", Example: `{{ add1 .Size }}`, Result: "4", check: checkNumbers},
	{Name: "sub", Group: groupNumbers, Doc: "The difference of integers.", Example: `{{ sub .Size 1 }}`, Result: "2", check: checkNumbers},
	{Name: "mul", Group: groupNumbers, Doc: "The product of integers.", Example: `{{ mul .Size 8 }}`, Result: "24", check: checkNumbers},
	{Name: "div", Group: groupNumbers, Doc: "The quotient of integers, without its fraction.", Example: `{{ div 7 2 }}`, Result: "3", check: checkNumbers},
	{Name: "mod", Group: groupNumbers, Doc: "What the division leaves.", Example: `{{ mod 7 2 }}`, Result: "1", check: checkNumbers},
	{Name: "max", Group: groupNumbers, Doc: "The largest integer.", Example: `{{ max 1 .Size }}`, Result: "3", check: checkNumbers},
	{Name: "min", Group: groupNumbers, Doc: "The smallest integer.", Example: `{{ min 1 .Size }}`, Result: "1", check: checkNumbers},
	{Name: "addf", Group: groupNumbers, Doc: "The sum, with fractions.", Example: `{{ addf 1.5 2 }}`, Result: "3.5", check: checkNumbers},
	{Name: "subf", Group: groupNumbers, Doc: "The difference, with fractions.", Example: `{{ subf 1.5 1 }}`, Result: "0.5", check: checkNumbers},
	{Name: "mulf", Group: groupNumbers, Doc: "The product, with fractions.", Example: `{{ mulf 1.5 2 }}`, Result: "3", check: checkNumbers},
	{Name: "divf", Group: groupNumbers, Doc: "The quotient, with its fraction.", Example: `{{ divf 1 4 }}`, Result: "0.25", check: checkNumbers},
	{Name: "floor", Group: groupNumbers, Doc: "Without its fraction, downwards.", Example: `{{ floor 1.9 }}`, Result: "1", check: checkNumbers},
	{Name: "ceil", Group: groupNumbers, Doc: "Without its fraction, upwards.", Example: `{{ ceil 1.1 }}`, Result: "2", check: checkNumbers},
	{Name: "round", Group: groupNumbers, Doc: "With this many decimals.", Example: `{{ round 1.25 1 }}`, Result: "1.3", check: checkNumbers},
	{Name: "until", Group: groupNumbers, Doc: "The integers below a number; 10,000 at most.", Example: `{{ until 3 | join "," }}`, Result: "0,1,2", check: checkUntil},
	{Name: "untilStep", Group: groupNumbers, Doc: "The integers from a number to before another, by a step.", Example: `{{ untilStep 1 6 2 | join "," }}`, Result: "1,3,5", check: checkUntilStep},
	{Name: "seq", Group: groupNumbers, Doc: "Integers as a text, as the command of that name.", Example: `{{ seq 1 3 }}`, Result: "1 2 3", check: checkSeq},

	{Name: "list", Group: groupLists, Doc: "A list of the arguments.", Example: `{{ list "a" "b" | join "," }}`, Result: "a,b", shallow: true},
	{Name: "tuple", Group: groupLists, Doc: "The same.", Example: `{{ tuple 1 2 | len }}`, Result: "2", shallow: true},
	{Name: "len", Group: groupLists, Doc: "How long a list, a map or a text is.", Example: `{{ len .Peers }}`, Result: "3", call: length, shallow: true},
	{Name: "index", Group: groupLists, Doc: "The element of a list or a map at a place, and of that at another.", Example: `{{ (index .Peers 1).Hostname }}`, Result: "train-1", call: index, shallow: true},
	{Name: "slice", Group: groupLists, Doc: "The elements of a list, or the bytes of a text, from a place to before another.", Example: `{{ slice .Name 1 3 }}`, Result: "ra", call: slice},
	{Name: "first", Group: groupLists, Doc: "The first element.", Example: `{{ (first .Peers).Host }}`, Result: "train-0.train", shallow: true},
	{Name: "last", Group: groupLists, Doc: "The last element.", Example: `{{ (last .Peers).Host }}`, Result: "train-2.train", shallow: true},
	{Name: "rest", Group: groupLists, Doc: "All elements but the first.", Example: `{{ len (rest .Peers) }}`, Result: "2"},
	{Name: "initial", Group: groupLists, Doc: "All elements but the last.", Example: `{{ len (initial .Peers) }}`, Result: "2"},
	{Name: "append", Group: groupLists, Doc: "A list with one more element.", Example: `{{ append (list 1) 2 | join "," }}`, Result: "1,2"},
	{Name: "push", Group: groupLists, Doc: "The same.", Example: `{{ push (list 1) 2 | join "," }}`, Result: "1,2"},
	{Name: "prepend", Group: groupLists, Doc: "A list with one more element before.", Example: `{{ prepend (list 1) 2 | join "," }}`, Result: "2,1"},
	{Name: "concat", Group: groupLists, Doc: "The elements of all lists.", Example: `{{ concat (list 1) (list 2) | join "," }}`, Result: "1,2"},
	{Name: "reverse", Group: groupLists, Doc: "The elements from the last to the first.", Example: `{{ reverse (list 1 2) | join "," }}`, Result: "2,1"},
	{Name: "uniq", Group: groupLists, Doc: "Without elements that stand before; of 1,000 elements at most.", Example: `{{ uniq (list 1 1 2) | join "," }}`, Result: "1,2", check: checkPairs, price: pricePairs},
	{Name: "without", Group: groupLists, Doc: "Without elements that equal the other arguments.", Example: `{{ without (list 1 2) 1 | join "," }}`, Result: "2", check: checkPairs, price: pricePairs},
	{Name: "has", Group: groupLists, Doc: "Whether the list has the element.", Example: `{{ has 1 (list 1 2) }}`, Result: "true", check: checkPairs, price: pricePairs},
	{Name: "compact", Group: groupLists, Doc: "Without empty elements.", Example: `{{ compact (list "" "a") | join "," }}`, Result: "a"},
	{Name: "chunk", Group: groupLists, Doc: "Lists of at most this many elements.", Example: `{{ len (chunk 2 (list 1 2 3)) }}`, Result: "2", check: checkChunk},
	{Name: "sortAlpha", Group: groupLists, Doc: "The elements as texts, in order.", Example: `{{ sortAlpha (list "b" "a") | join "," }}`, Result: "a,b", call: sortAlpha},
	{Name: "join", Group: groupLists, Doc: "The elements as one text, with another between them.", Example: `{{ join "-" (list 1 2) }}`, Result: "1-2", check: checkJoin},
	{Name: "splitList", Group: groupLists, Doc: "The parts of a text between separators.", Example: `{{ splitList "," "a,b" | last }}`, Result: "b"},
	{Name: "split", Group: groupLists, Doc: "The same as a map with the keys _0, _1 and so on.", Example: `{{ (split "," "a,b")._1 }}`, Result: "b"},
	{Name: "splitn", Group: groupLists, Doc: "The same with at most this many parts.", Example: `{{ (splitn "," 2 "a,b,c")._1 }}`, Result: "b,c"},
	{Name: "toStrings", Group: groupLists, Doc: "The elements as texts.", Example: `{{ toStrings (list 1 2) | toJson }}`, Result: `["1","2"]`},

	{Name: "dict", Group: groupMaps, Doc: "A map of keys and values in turn.", Example: `{{ (dict "a" 1).a }}`, Result: "1", shallow: true},
	{Name: "get", Group: groupMaps, Doc: "The value of a key, or an empty text.", Example: `{{ get .Values "image" }}`, Result: "web:1", shallow: true},
	{Name: "keys", Group: groupMaps, Doc: "The keys of maps, in order.", Example: `{{ keys (dict "b" 1 "a" 2) | join "," }}`, Result: "a,b", call: keys},
	{Name: "values", Group: groupMaps, Doc: "The values of a map, in the order of its keys.", Example: `{{ values (dict "b" 1 "a" 2) | join "," }}`, Result: "2,1", call: values},
	{Name: "pick", Group: groupMaps, Doc: "A map with only these keys.", Example: `{{ pick (dict "a" 1 "b" 2) "a" | toJson }}`, Result: `{"a":1}`},
	{Name: "omit", Group: groupMaps, Doc: "A map without these keys.", Example: `{{ omit (dict "a" 1 "b" 2) "a" | toJson }}`, Result: `{"b":2}`},
	{Name: "pluck", Group: groupMaps, Doc: "The values of a key in each of the maps that have it.", Example: `{{ pluck "a" (dict "a" 1) (dict "a" 2) | join "," }}`, Result: "1,2"},
	{Name: "merge", Group: groupMaps, Doc: "A new map of all; the first that has a key wins.", Example: `{{ merge (dict "a" 1) (dict "a" 2 "b" 3) | toJson }}`, Result: `{"a":1,"b":3}`, call: mergeFirst},
	{Name: "mergeOverwrite", Group: groupMaps, Doc: "A new map of all; the last that has a key wins.", Example: `{{ mergeOverwrite (dict "a" 1) (dict "a" 2) | toJson }}`, Result: `{"a":2}`, call: mergeLast},

	{Name: "toJson", Group: groupFormats, Doc: "As JSON.", Example: `{{ toJson .Values.tags }}`, Result: `["a","b"]`, call: toJSON},
	{Name: "toPrettyJson", Group: groupFormats, Doc: "As JSON on several lines.", Example: `{{ toPrettyJson (dict "a" 1) }}`, Result: "{\n  \"a\": 1\n}", call: toPrettyJSON},
	{Name: "toYaml", Group: groupFormats, Doc: "As YAML, inside the text.", Example: `{{ toYaml .Values.tags }}`, Result: "- a\n- b", call: toYAML},
	{Name: "fromJson", Group: groupFormats, Doc: "The value of a JSON text.", Example: `{{ (fromJson "{\"a\":1}").a }}`, Result: "1", call: fromYAML},
	{Name: "fromYaml", Group: groupFormats, Doc: "The value of a YAML text.", Example: `{{ (fromYaml "a: 1").a }}`, Result: "1", call: fromYAML},
	{Name: "b64enc", Group: groupFormats, Doc: "In base64.", Example: `{{ b64enc "a" }}`, Result: "YQ=="},
	{Name: "b64dec", Group: groupFormats, Doc: "Out of base64.", Example: `{{ b64dec "YQ==" }}`, Result: "a", call: fromBase64},
	{Name: "sha256sum", Group: groupFormats, Doc: "The SHA-256 sum in hexadecimal digits.", Example: `{{ sha256sum "a" | trunc 8 }}`, Result: "ca978112"},
	{Name: "sha1sum", Group: groupFormats, Doc: "The SHA-1 sum in hexadecimal digits.", Example: `{{ sha1sum "a" | trunc 8 }}`, Result: "86f7e437"},
	{Name: "adler32sum", Group: groupFormats, Doc: "The Adler-32 sum.", Example: `{{ adler32sum "a" }}`, Result: "6422626"},

	{Name: "regexMatch", Group: groupRegex, Doc: "Whether a text has a match.", Example: `{{ regexMatch "^tr" .Name }}`, Result: "true", check: checkRegex, price: priceMatch},
	{Name: "regexFind", Group: groupRegex, Doc: "The first match, or an empty text.", Example: `{{ regexFind "[a-c]" .Name }}`, Result: "a", check: checkRegex, price: priceMatch},
	{Name: "regexFindAll", Group: groupRegex, Doc: "The matches, at most this many, or all with -1.", Example: `{{ regexFindAll "[rn]" .Name -1 | join "," }}`, Result: "r,n", check: checkRegex, price: priceMatches},
	{Name: "regexReplaceAll", Group: groupRegex, Doc: "The text with every match replaced; ${1} is the first group.", Example: `{{ regexReplaceAll "(a)" .Name "<${1}>" }}`, Result: "tr<a>in", check: checkRegexReplace, price: priceMatches},
	{Name: "regexReplaceAllLiteral", Group: groupRegex, Doc: "The same without groups.", Example: `{{ regexReplaceAllLiteral "a" .Name "$1" }}`, Result: "tr$1in", check: checkRegexReplace, price: priceMatches},
	{Name: "regexSplit", Group: groupRegex, Doc: "The parts between matches, at most this many, or all with -1.", Example: `{{ regexSplit "[0-9]" "a1b" -1 | join "," }}`, Result: "a,b", check: checkRegex, price: priceMatches},
	{Name: "regexQuoteMeta", Group: groupRegex, Doc: "A text as an expression that matches it.", Example: `{{ regexQuoteMeta "a.b" }}`, Result: `a\.b`},

	{Name: "include", Group: groupReuse, Doc: "What a snippet of spec.snippets says about a value.", Example: `{{ include "greeting" . }}`, Result: "hello train", takesData: true, shallow: true},
	{Name: "tpl", Group: groupReuse, Doc: "What a text says as a template about a value.", Example: `{{ tpl .Values.text . }}`, Result: "I am train", takesData: true, shallow: true},
}

// Refusal is why a function of sprig or Helm is not here.
type Refusal struct {
	// Names are the functions.
	Names []string
	// Reason says why, and what to write instead.
	Reason string
}

// Refusals are the functions which Helm has and templates here have not.
func Refusals() []Refusal { return refusals }

var refusals = []Refusal{
	{[]string{"now", "date", "dateInZone", "date_in_zone", "dateModify", "date_modify", "mustDateModify", "must_date_modify", "htmlDate", "htmlDateInZone", "ago", "toDate", "mustToDate", "unixEpoch", "duration", "durationRound"},
		"reads or writes times: the same input must give the same output at any time; put the time into the values"},
	{[]string{"env", "expandenv"}, "reads the environment of the build; put the value into the values"},
	{[]string{"getHostByName"}, "asks the network; write the name, Pods resolve it themselves"},
	{[]string{"randAlphaNum", "randAlpha", "randNumeric", "randAscii", "randBytes", "randInt", "shuffle", "uuidv4"}, "is random: the same input must give the same output; put the text into the values"},
	{[]string{"genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey", "buildCustomCert", "derivePassword", "bcrypt", "htpasswd", "encryptAES", "decryptAES"},
		"makes or reads keys, which have no place in a manifest; mount a Secret"},
	{[]string{"lookup"}, "asks a cluster, and at build time there is none; put the value into the values"},
	{[]string{"set", "unset"}, "changes a map, and values never change while templates run; use dict, merge or omit"},
	{[]string{"call"}, "calls a function of the data, which has none"},
	{[]string{"template", "define", "block"}, "makes a template; write it into spec.snippets and use include"},
	{[]string{"toToml", "fromToml"}, "needs TOML, which is not here; write the text, or use toYaml or toJson"},
	{[]string{"osBase", "osDir", "osExt", "osClean", "osIsAbs"}, "depends on the machine of the build; use the function of that name without os"},
}
