// SPDX-License-Identifier: Apache-2.0

// Package manifest answers: how does a typed Kubernetes object look as the
// YAML that a careful person would have written?
//
// # Rules
//
//   - What the object does not set does not appear: no status, no
//     creationTimestamp, no "resources: {}", no "targetPort: 0". What is set to
//     an empty value on purpose does: "emptyDir: {}".
//   - Keys stand in the order of the API type, which for the objects that
//     peerjob writes puts what wires the peers first. Map keys are sorted.
//   - A string stays a string for every reader: what YAML 1.1 (kubectl) or 1.2
//     (kustomize) would read as something else is quoted. Text of several
//     lines is a block.
//   - Encode makes nodes, for who changes or compares an object, and Write text, for who
//     does not. Both say the same.
//
// # Never
//
// It never builds YAML from text, and it knows nothing of PeerJobs.
package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/peerjob/peerjob/internal/apitype"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/spell"
)

// Encode returns the object as a YAML node. The object must be a pointer to a
// struct of Kubernetes' API. The nodes of field names are shared by all objects
// and may not be changed.
func Encode(object any) (*yaml.Node, error) {
	value, err := structOf(object)
	if err != nil {
		return nil, err
	}
	return encode(value)
}

func encode(value reflect.Value) (*yaml.Node, error) {
	if value.CanInterface() && writesItself(value.Type()) {
		return encodeJSON(value)
	}
	switch value.Kind() {
	case reflect.Pointer:
		if value.IsNil() {
			return scalar("!!null", "null"), nil
		}
		return encode(value.Elem())
	case reflect.Struct:
		return encodeStruct(value)
	case reflect.Map:
		return encodeMap(value)
	case reflect.Slice:
		return encodeSlice(value)
	case reflect.String:
		return Text(value.String()), nil
	case reflect.Bool:
		return scalar("!!bool", strconv.FormatBool(value.Bool())), nil
	case reflect.Int32, reflect.Int64:
		return scalar("!!int", strconv.FormatInt(value.Int(), 10)), nil
	}
	return nil, fmt.Errorf("encode %v: no rule for this type", value.Type())
}

// usualFields is room for the keys and values of most structs.
const usualFields = 8

var marshalerCache sync.Map // reflect.Type -> bool

// writesItself reports whether a type has its own form in JSON.
func writesItself(typ reflect.Type) bool {
	if typ.PkgPath() == "" {
		return false // it has no methods
	}
	if cached, found := marshalerCache.Load(typ); found {
		return cached.(bool)
	}
	found := reflect.PointerTo(typ).Implements(reflect.TypeFor[json.Marshaler]())
	marshalerCache.Store(typ, found)
	return found
}

func encodeStruct(value reflect.Value) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: make([]*yaml.Node, 0, usualFields)}
	for _, f := range fieldsOf(value.Type()) {
		content := value.FieldByIndex(f.Index)
		if isLeftOut(&f, content) {
			continue
		}
		encoded, err := encode(content)
		if err != nil {
			return nil, err
		}
		if content.Kind() == reflect.Struct && encoded.Kind == yaml.MappingNode && len(encoded.Content) == 0 {
			continue
		}
		node.Content = append(node.Content, f.key, encoded)
	}
	return node, nil
}

// isLeftOut reports whether a field of a struct is not set. A struct with nothing in it is
// left out, too, and only encoding it shows that.
func isLeftOut(f *orderedField, content reflect.Value) bool {
	switch content.Kind() {
	case reflect.Map, reflect.Slice:
		return f.OmitEmpty && content.Len() == 0
	case reflect.Struct:
		return content.IsZero()
	}
	return f.OmitEmpty && content.IsZero()
}

// sortedKeys are the keys of a map in their order.
func sortedKeys(value reflect.Value) []reflect.Value {
	keys := value.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

func encodeMap(value reflect.Value) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	keys := sortedKeys(value)
	node.Content = make([]*yaml.Node, 0, 2*len(keys))
	for _, key := range keys {
		encoded, err := encode(value.MapIndex(key))
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, Text(key.String()), encoded)
	}
	return node, nil
}

func encodeSlice(value reflect.Value) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: make([]*yaml.Node, 0, value.Len())}
	for i := range value.Len() {
		encoded, err := encode(value.Index(i))
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, encoded)
	}
	return node, nil
}

// encodeJSON encodes a value whose type writes itself, such as a quantity.
// All of those in the objects of peerjob are single values.
func encodeJSON(value reflect.Value) (*yaml.Node, error) {
	data, err := ownJSON(value)
	if err != nil {
		return nil, err
	}
	if text := string(bytes.Trim(data, `"`)); len(text)+len(`""`) == len(data) && (isPlainWord(text) || isQuantity(text)) {
		return Text(text), nil // without an escape
	}
	var decoded any
	if err := json.Unmarshal(data, &decoded); err != nil {
		return nil, err
	}
	switch v := decoded.(type) {
	case nil:
		return scalar("!!null", "null"), nil
	case string:
		return Text(v), nil
	case bool:
		return scalar("!!bool", string(data)), nil
	case float64:
		return scalar("!!int", string(data)), nil
	}
	return nil, fmt.Errorf("encode %v: writes %s, and only single values are known", value.Type(), data)
}

// ownJSON is what a value writes of itself.
func ownJSON(value reflect.Value) ([]byte, error) {
	if own, ok := value.Interface().(json.Marshaler); ok && value.Kind() != reflect.Pointer {
		return own.MarshalJSON()
	}
	return json.Marshal(value.Interface())
}

func scalar(tag, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}

// Text returns a string as a YAML node that every reader takes for a string.
func Text(value string) *yaml.Node {
	t := textOf(value)
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: t.tag, Value: t.value, Style: t.style}
}

// text is a single value, and how it is written.
type text struct {
	tag, value string
	style      yaml.Style
}

// textOf returns a string with the style in which every reader takes it for one.
func textOf(value string) text {
	node := text{tag: "!!str", value: value}
	switch {
	case isSurelyText(value):
	case strings.ContainsAny(value, unwritableBreaks), beginsWithTab(value):
		node.style = yaml.DoubleQuotedStyle
	case strings.Contains(value, "\n"):
		node.style = yaml.LiteralStyle
	case value == "" || isNumber(value) || kyaml.IsValueNonString(value) || oldNonString.MatchString(value):
		node.style = yaml.DoubleQuotedStyle
	}
	return node
}

// isSurelyText reports whether a string is, without parsing it, known to be one for every
// reader. Nearly all strings of an object are.
func isSurelyText(value string) bool {
	return isPlainWord(value) || isWords(value) || isQuantity(value)
}

// isPlainWord reports whether a string is, without parsing it, known to be one
// for every reader: a letter, and then what names, paths and references are
// made of. Nearly all strings of an object are such words.
func isPlainWord(value string) bool {
	for i := range len(value) {
		c := value[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		other := '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '/'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return len(value) > len("false") || value != "" && !isOldWord(value)
}

// isWords reports whether a string of more than a word is, without parsing it,
// known to be one for every reader: it begins like a sentence, a variable, a path
// or a flag, and has no colon that ends a key.
func isWords(value string) bool {
	if !isASCII(value) || strings.ContainsAny(value, "\n\t") || strings.HasSuffix(value, ":") || strings.Contains(value, ": ") {
		return false
	}
	word := strings.TrimPrefix(strings.TrimPrefix(value, "-"), "-")
	if word == "" {
		return false
	}
	isLetter := 'a' <= word[0]|0x20 && word[0]|0x20 <= 'z'
	if len(word) < len(value) {
		return isLetter
	}
	return (isLetter || word[0] == '$' || word[0] == '/') && len(value) > len("false")
}

// isNumber reports whether a string is, without parsing it, known to be a number
// for every reader.
func isNumber(value string) bool {
	return value[0] != '0' && strings.Trim(value, "0123456789") == ""
}

// isQuantity reports whether a string is, without parsing it, known to be one for every
// reader: a number and a unit such as that of "4Gi" or "500m", which no number ends with,
// in any base.
func isQuantity(value string) bool {
	number := strings.TrimRight(value, "GKMPTikmnpu")
	return number != "" && number != value && strings.Trim(number, "0123456789") == ""
}

// isOldWord reports whether YAML 1.1 or 1.2 takes a word, all short, for a boolean or
// null.
func isOldWord(value string) bool {
	if _, known := spell.YesOrNo(value); known {
		return true
	}
	return strings.EqualFold(value, "true") || strings.EqualFold(value, "false") || strings.EqualFold(value, "null")
}

// beginsWithTab reports whether a tab stands before the first word: a block
// would begin with it, and kubectl takes it for indentation.
func beginsWithTab(value string) bool {
	space := value[:len(value)-len(strings.TrimLeft(value, " \n\t"))]
	return strings.Contains(space, "\t")
}

// unwritableBreaks are the line breaks that a reader turns into "\n" when
// they stand in a block.
const unwritableBreaks = "\r\u0085\u2028\u2029"

// oldNonString matches what YAML 1.1 takes for a boolean, a base 60 number, a
// merge or a default value, and kyaml does not.
var oldNonString = lazyregexp.New(`^([yYnN]|<<|=|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)$`)

// orderedField is a field of an API type in the order in which fields are written.
type orderedField struct {
	apitype.Field
	// key is the name as a node, the same one in every object, and text is how it is
	// written, with its colon.
	key  *yaml.Node
	text string
	// isAnnotations is whether it has the annotations of an object, or of its Pods.
	isAnnotations bool
}

// firstFields and lastFields move what wires the peers to the top of an
// object, and what is long to its end. All other fields keep the order of
// their type.
var (
	firstFields = map[reflect.Type][]string{
		reflect.TypeFor[metav1.TypeMeta]():    {"apiVersion", "kind"}, // of any object
		reflect.TypeFor[corev1.ServiceSpec](): {"clusterIP", "publishNotReadyAddresses", "selector"},
		reflect.TypeFor[batchv1.JobSpec]():    {"completions", "parallelism", "completionMode"},
		reflect.TypeFor[corev1.PodSpec]():     {"subdomain", "restartPolicy", "enableServiceLinks"},
	}
	lastFields = map[reflect.Type][]string{
		reflect.TypeFor[batchv1.JobSpec](): {"template"},
		reflect.TypeFor[corev1.PodSpec]():  {"initContainers", "containers", "volumes"},
	}
)

var orders sync.Map // reflect.Type -> []orderedField

// fieldsOf returns the fields of a struct type in the order in which they are
// written, those of inlined structs included.
func fieldsOf(typ reflect.Type) []orderedField {
	if known, found := orders.Load(typ); found {
		return known.([]orderedField)
	}
	var fields []orderedField
	for _, f := range apitype.Of(typ).Fields {
		key := scalar("!!str", f.Name)
		w := writer{}
		w.key(key)
		fields = append(fields, orderedField{f, key, string(w.out), f.Owner == reflect.TypeFor[metav1.ObjectMeta]() && f.Name == "annotations"})
	}
	slices.SortStableFunc(fields, func(a, b orderedField) int {
		return section(typ, a) - section(typ, b)
	})
	orders.Store(typ, fields)
	return fields
}

// section is negative for the first fields of a type, positive for the last ones
// and 0 for those between.
func section(typ reflect.Type, f orderedField) int {
	first, last := firstFields[typ], lastFields[typ]
	if f.Owner == reflect.TypeFor[metav1.TypeMeta]() {
		first = firstFields[f.Owner]
	}
	if i := slices.Index(first, f.Name); i >= 0 {
		return i - len(first)
	}
	return slices.Index(last, f.Name) + 1
}
