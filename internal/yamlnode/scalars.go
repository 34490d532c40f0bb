// SPDX-License-Identifier: Apache-2.0

package yamlnode

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/spell"
)

// isOldBoolean reports whether kubectl (YAML 1.1) takes a word for true or false, and
// kustomize (YAML 1.2) for a string.
func isOldBoolean(word string) bool {
	_, known := spell.YesOrNo(word)
	return known
}

// IsOldBoolean reports whether a scalar is one of the words that YAML 1.1 reads as true
// or false, without quotes: Helm and kubectl read "no" as false, kustomize as a string.
func IsOldBoolean(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Style == 0 && isOldBoolean(node.Value) && node.ShortTag() == "!!str"
}

// IsOldWord reports whether a value for templates is an [IsOldBoolean] that its writer may
// have meant as true or false. A "y" alone is a letter: the name of an axis or of an
// argument. In a condition it is true, as it is for Helm.
func IsOldWord(node *yaml.Node) bool {
	return IsOldBoolean(node) && !strings.EqualFold(node.Value, "y")
}

// MeansTrue reports whether an [IsOldBoolean] is true.
func MeansTrue(node *yaml.Node) bool {
	yes, _ := spell.YesOrNo(node.Value)
	return yes
}

// IsPlainKey reports whether every reader takes a key for the same string: "yes"
// is "true" for kubectl, and "00" is "0".
func IsPlainKey(key *yaml.Node) bool {
	switch key.ShortTag() {
	case "!!str":
		return !IsOldBoolean(key)
	case "!!timestamp":
		return true
	case "!!int":
		n, err := strconv.ParseInt(key.Value, 10, 64)
		return err == nil && strconv.FormatInt(n, 10) == key.Value
	}
	return false
}

// hugeExponent matches an exponent of three digits or more.
var hugeExponent = lazyregexp.New(`[eE][-+]?0*[1-9][0-9]{2,}`)

// IsModestNumber reports whether a number can be read in no time: to parse a
// quantity with an exponent of a billion takes minutes.
func IsModestNumber(text string) bool {
	return len(text) <= 64 && !hugeExponent.MatchString(text)
}

// numberLike matches what may be read as a number or as a quantity.
var numberLike = lazyregexp.New(`^[-+]?[0-9.]+([eE][-+]?[0-9]+|[A-Za-z]{0,2})$`)

// IsModest reports whether all numbers of a node are modest ([IsModestNumber]), so that
// the node can be read as an object of the API.
func IsModest(node *yaml.Node) bool {
	if node.Kind == yaml.ScalarNode {
		return IsModestNumber(node.Value) || !numberLike.MatchString(node.Value)
	}
	return !slices.ContainsFunc(node.Content, func(child *yaml.Node) bool { return !IsModest(child) })
}
