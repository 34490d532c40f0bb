// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/apitype"
	"github.com/peerjob/peerjob/internal/framework/known"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// form is how a value of a struct type is written.
type form struct {
	// short is the field that a single value in the place of the struct probably meant,
	// "" if none is likelier than the others.
	short string
	// value is the field for the value of "key: value" or "key=value"; short is that for
	// the key. "" if a pair means nothing here.
	value string
	// example is the smallest struct that means something, as YAML.
	example string
}

// forms are the forms of the types that people write from memory.
var forms = map[reflect.Type]form{
	reflect.TypeFor[v1alpha1.Framework]():         {short: "type", example: "{type: Torchrun}"},
	reflect.TypeFor[v1alpha1.PeerRole]():          {example: "{name: worker, peers: 4, template: {...}}"},
	reflect.TypeFor[v1alpha1.RoleDependency]():    {example: "{name: ROLE, status: Started}"},
	reflect.TypeFor[v1alpha1.PeerNetworkPolicy](): {short: "ingress", example: "{ingress: PeersOnly}"},
	reflect.TypeFor[v1alpha1.FrameworkLeader]():   {short: "command", example: "{command: [PROGRAM]}"},
	reflect.TypeFor[v1alpha1.FrameworkElastic]():  {example: "{}"},
	reflect.TypeFor[v1alpha1.PeerFailurePolicy](): {example: "{action: RestartPeerJob, maxRestarts: 3}"},
	reflect.TypeFor[v1alpha1.PeerBarrier]():       {example: "{start: Enabled, end: Enabled}"},
	reflect.TypeFor[v1alpha1.PeerRunner]():        {example: "{container: NAME}"},
	reflect.TypeFor[v1alpha1.PeerFile]():          {short: "path", value: "content", example: "{path: /etc/FILE, content: TEXT}"},
	reflect.TypeFor[v1alpha1.PeerService]():       {short: "name", example: "{name: NAME}"},
	reflect.TypeFor[v1alpha1.PeerJobMeta]():       {example: "{labels: {KEY: VALUE}}"},
	reflect.TypeFor[v1alpha1.ValuesSource]():      {short: "configMapRef", example: "{configMapRef: {name: NAME}}"},
	reflect.TypeFor[v1alpha1.ConfigMapKey]():      {short: "name", example: "{name: NAME}"},

	reflect.TypeFor[corev1.Container]():            {example: "{name: main, image: IMAGE}"},
	reflect.TypeFor[corev1.ContainerPort]():        {short: "containerPort", example: "{containerPort: NUMBER}"},
	reflect.TypeFor[corev1.ServicePort]():          {short: "port", example: "{port: NUMBER}"},
	reflect.TypeFor[corev1.EnvVar]():               {short: "name", value: "value", example: "{name: NAME, value: VALUE}"},
	reflect.TypeFor[corev1.EnvFromSource]():        {example: "{configMapRef: {name: NAME}}"},
	reflect.TypeFor[corev1.ConfigMapEnvSource]():   {short: "name", example: "{name: NAME}"},
	reflect.TypeFor[corev1.SecretEnvSource]():      {short: "name", example: "{name: NAME}"},
	reflect.TypeFor[corev1.LocalObjectReference](): {short: "name", example: "{name: NAME}"},
	reflect.TypeFor[corev1.EnvVarSource]():         {example: "{fieldRef: {fieldPath: metadata.name}}"},
	reflect.TypeFor[corev1.ObjectFieldSelector]():  {short: "fieldPath", example: "{fieldPath: metadata.name}"},
	reflect.TypeFor[corev1.ConfigMapKeySelector](): {example: "{name: NAME, key: KEY}"},
	reflect.TypeFor[corev1.SecretKeySelector]():    {example: "{name: NAME, key: KEY}"},
	reflect.TypeFor[corev1.ExecAction]():           {short: "command", example: "{command: [PROGRAM]}"},
	reflect.TypeFor[corev1.VolumeMount]():          {example: "{name: VOLUME, mountPath: /PATH}"},
	reflect.TypeFor[corev1.Volume]():               {example: "{name: NAME, emptyDir: {}}"},

	reflect.TypeFor[corev1.EmptyDirVolumeSource]():              {example: "{}"},
	reflect.TypeFor[corev1.HostPathVolumeSource]():              {short: "path", example: "{path: /PATH}"},
	reflect.TypeFor[corev1.ConfigMapVolumeSource]():             {short: "name", example: "{name: NAME}"},
	reflect.TypeFor[corev1.SecretVolumeSource]():                {short: "secretName", example: "{secretName: NAME}"},
	reflect.TypeFor[corev1.PersistentVolumeClaimVolumeSource](): {short: "claimName", example: "{claimName: NAME}"},
	reflect.TypeFor[corev1.ResourceRequirements]():              {example: "{limits: {cpu: 1, memory: 1Gi}}"},
	reflect.TypeFor[corev1.Toleration]():                        {example: "{operator: Exists}"},
}

// maxShown bounds how much of a user's text an error repeats in another form, in bytes.
const maxShown = 200

// write returns "; write ..." with the value of a type that a node of another form
// probably meant, or with the smallest value of the type; "" if neither is known.
func write(node *yaml.Node, typ reflect.Type, at *field.Path) string {
	if node.Kind == yaml.ScalarNode && strings.Contains(node.Value, "{{") {
		return ""
	}
	if typ == reflect.TypeFor[v1alpha1.Framework]() && node.Kind == yaml.ScalarNode {
		if types := known.Meant(node.Value); len(types) > 1 {
			return "; write {type: TYPE}, with one of " + strings.Join(types, ", ")
		}
	}
	if how := asList(node, typ); how != "" {
		return how
	}
	if meant := rewritten(node, typ, strings.HasSuffix(orRoot(at).String(), ".command"), 0); meant != nil {
		if data, err := yaml.Marshal(meant); err == nil && len(data) <= maxShown {
			return "; write " + strings.TrimSuffix(string(data), "\n")
		}
	}
	example := forms[typ].example
	if typ.Kind() == reflect.Slice && forms[typ.Elem()].example != "" {
		example = "[" + forms[typ.Elem()].example + "]"
	}
	switch {
	case node.Kind == yaml.ScalarNode && saysNo(node):
		return "; remove it"
	case example != "":
		return ", such as " + example
	}
	return ""
}

// asList says how a map becomes a list of structs that is not small: it is one element, or has
// the elements by their names.
func asList(node *yaml.Node, typ reflect.Type) string {
	if node.Kind != yaml.MappingNode || typ.Kind() != reflect.Slice || typ.Elem().Kind() != reflect.Struct || len(node.Content) == 0 {
		return ""
	}
	first := node.Content[0]
	if first.Kind != yaml.ScalarNode || len(first.Value) > maxShown {
		return ""
	}
	fields := apitype.Of(typ.Elem())
	_, isField := fields.Place(first.Value)
	_, hasName := fields.Place("name")
	allMaps, single := true, true
	for i := 0; i+1 < len(node.Content); i += 2 {
		value := yamlnode.Resolve(node.Content[i+1])
		allMaps, single = allMaps && value.Kind == yaml.MappingNode, single && value.Kind == yaml.ScalarNode
	}
	switch {
	case isField && !single:
		return fmt.Sprintf(`; write "- " before %q, and indent the other keys`, first.Value)
	case !isField && hasName && allMaps:
		return fmt.Sprintf("; write each as an element with a name, such as - name: %s", first.Value)
	}
	return ""
}

// maxRewritten bounds how deep rewritten looks into a value.
const maxRewritten = 4

// rewritten returns a node that has the form of a type and says what another node
// probably meant, nil if that is not clear. isCommand says that it is what a container
// runs.
func rewritten(node *yaml.Node, typ reflect.Type, isCommand bool, depth int) *yaml.Node {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if node = yamlnode.Resolve(node); depth > maxRewritten || node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" {
		return nil
	}
	switch typ.Kind() {
	case reflect.Slice:
		return rewrittenList(node, typ.Elem(), isCommand, depth)
	case reflect.Struct:
		if typ != reflect.TypeFor[intstr.IntOrString]() {
			return rewrittenStruct(node, typ, depth)
		}
	case reflect.String:
		if node.Kind == yaml.ScalarNode {
			return textNode(node.Value)
		}
		return nil
	case reflect.Int32, reflect.Int64:
		if node.Kind != yaml.ScalarNode || plainInteger(node.Value) == "" {
			return nil
		}
	}
	if node.Kind == yaml.ScalarNode {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: node.Value}
	}
	return nil
}

func rewrittenList(node *yaml.Node, elem reflect.Type, isCommand bool, depth int) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	switch node.Kind {
	case yaml.ScalarNode:
		if elem.Kind() == reflect.String {
			list.Content = words(node.Value, isCommand)
			break
		}
		if item := rewritten(node, elem, isCommand, depth+1); item != nil {
			list.Content = []*yaml.Node{item}
		}
	case yaml.MappingNode:
		if len(node.Content) == 0 {
			return nil
		}
		form := forms[elem]
		for i := 0; i+1 < len(node.Content) && form.value != ""; i += 2 {
			key, value := node.Content[i], yamlnode.Resolve(node.Content[i+1])
			if key.Kind != yaml.ScalarNode || value.Kind != yaml.ScalarNode {
				return nil
			}
			list.Content = append(list.Content, pair(form, key.Value, value.Value))
		}
		if form.value == "" || len(node.Content) > 0 && node.Content[0].Value == form.short {
			list.Content = nil
			if item := rewritten(node, elem, isCommand, depth+1); item != nil {
				list.Content = []*yaml.Node{item}
			}
		}
	}
	if len(list.Content) == 0 {
		return nil
	}
	return list
}

// assignment matches "NAME=value", as a shell and docker have it.
var assignment = lazyregexp.New(`^([A-Za-z_][A-Za-z0-9_.-]*)=(.*)$`)

func rewrittenStruct(node *yaml.Node, typ reflect.Type, depth int) *yaml.Node {
	form := forms[typ]
	if node.Kind == yaml.MappingNode {
		// One element of a list without the list.
		mapping := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		for _, part := range node.Content {
			if part = yamlnode.Resolve(part); part.Kind != yaml.ScalarNode {
				return nil
			}
			mapping.Content = append(mapping.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: part.Tag, Value: part.Value, Style: part.Style &^ (yaml.LiteralStyle | yaml.FoldedStyle)})
		}
		return mapping
	}
	if node.Kind != yaml.ScalarNode || form.short == "" {
		return nil
	}
	if match := assignment.FindStringSubmatch(node.Value); match != nil && form.value != "" {
		return pair(form, match[1], match[2])
	}
	if typ == reflect.TypeFor[v1alpha1.Framework]() {
		if node = typeOf(node); node == nil {
			return nil
		}
	} else if form.value != "" || saysYes(node) || saysNo(node) {
		return nil // half of it is missing
	}
	fields := apitype.Of(typ)
	place, _ := fields.Place(form.short)
	if fields.Fields[place].Type.Kind() == reflect.String && node.ShortTag() != "!!str" {
		return nil
	}
	value := rewritten(node, fields.Fields[place].Type, form.short == "command", depth+1)
	if value == nil {
		return nil
	}
	return mapNode(textNode(form.short), value)
}

// typeOf returns the type of a framework that a text meant, nil if that is not clear.
func typeOf(node *yaml.Node) *yaml.Node {
	if types := known.Meant(node.Value); len(types) == 1 {
		return textNode(types[0])
	}
	return nil
}

// saysYes and saysNo report whether a value only turns something on or off.
func saysYes(node *yaml.Node) bool {
	return strings.EqualFold(node.Value, "true") || node.Value == string(v1alpha1.Enabled) || yamlnode.IsOldBoolean(node) && yamlnode.MeansTrue(node)
}

func saysNo(node *yaml.Node) bool {
	return strings.EqualFold(node.Value, "false") || node.Value == string(v1alpha1.Disabled) || yamlnode.IsOldBoolean(node) && !yamlnode.MeansTrue(node)
}

// unquotedText is a scalar without its quotes, which YAML reads otherwise.
func unquotedText(node *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: node.Kind, Value: node.Value}
}

func pair(form form, key, value string) *yaml.Node {
	return mapNode(textNode(form.short), textNode(key), textNode(form.value), textNode(value))
}

func mapNode(content ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: content}
}

// textNode returns a text with the quotes that it needs: also where only YAML 1.1 reads
// something else.
func textNode(text string) *yaml.Node {
	node := &yaml.Node{}
	node.SetString(text)
	switch plain := (&yaml.Node{Kind: yaml.ScalarNode, Value: text}); {
	case strings.Contains(text, "\n"), plain.ShortTag() != "!!str", yamlnode.IsOldBoolean(plain):
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

// words are the words of a command line that is written as one text. Only a shell reads
// quotes, pipes and variables, so a command with them becomes its script, and of another
// list it is not clear what they are.
func words(text string, isCommand bool) []*yaml.Node {
	split := strings.Fields(text)
	if len(split) > 1 && strings.ContainsAny(text, "\n\"'`\\|&;<>()$*?") {
		if !isCommand {
			return nil
		}
		split = []string{"sh", "-c", strings.TrimSpace(text)}
	}
	nodes := make([]*yaml.Node, len(split))
	for i, word := range split {
		nodes[i] = textNode(word)
	}
	return nodes
}

// period matches a time as people write it.
var period = lazyregexp.New(`^([0-9]{1,5}) ?([smhd])$`)

// seconds says how many seconds a text such as "5m" means, "" if it is no time.
func seconds(text string) string {
	match := period.FindStringSubmatch(text)
	if match == nil {
		return ""
	}
	number, _ := strconv.Atoi(match[1])
	return strconv.Itoa(number * map[string]int{"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}[match[2]])
}
