// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/apitype"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/spell"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// hasHints reports whether [hint] knows what people write in the place of the fields of a
// type that must be there. Another unknown field is none of them.
func hasHints(typ reflect.Type) bool {
	return typ == reflect.TypeFor[v1alpha1.PeerJobSpec]() || typ == reflect.TypeFor[v1alpha1.PeerRole]()
}

// hint says what to write instead of an unknown field: what decides it, where
// it belongs, or the field with the nearest name.
func hint(key string, typ reflect.Type, nearest string) string {
	if typ == reflect.TypeFor[v1alpha1.PeerJobSpec]() {
		switch key {
		case "completions", "parallelism":
			return "; set spec.peers, which becomes the completions and the parallelism of the Job"
		case "completionMode":
			return "; the Job of a PeerJob is always Indexed, with spec.peers indexes"
		case "selector", "manualSelector":
			return "; the server gives the Job its selector, set only spec.peers"
		case "subdomain", "serviceName":
			return "; set spec.service.name"
		case "replicas", "size", "workers":
			return "; set spec.peers"
		case "leader":
			return "; set spec.framework.leader, or let the peer with JOB_COMPLETION_INDEX 0 lead"
		case "replicatedJobs", "tasks", "replicaSpecs", "launcher", "ps", "head":
			return "; set spec.roles, with a name, peers and a template for each"
		case "volumeClaimTemplates":
			return "; a StatefulSet has them; in a Job set spec.template.spec.volumes[].ephemeral.volumeClaimTemplate"
		case "metadata", "labels", "annotations":
			return "; set metadata of the PeerJob for all objects, spec.job for the Job alone, spec.template.metadata for the Pods"
		case "nprocPerNode", "nproc_per_node", "nprocPerPod", "numProcPerWorker", "slotsPerWorker", "processesPerPeer":
			return "; set spec.framework.processesPerPeer"
		case "schedule", "jobTemplate", "concurrencyPolicy":
			return "; a CronJob has it, and a PeerJob runs once; let a CronJob or a workflow apply its objects"
		}
	}
	if typ == reflect.TypeFor[v1alpha1.PeerRole]() {
		switch key {
		case "replicas", "size", "completions", "parallelism":
			return "; set peers"
		case "metadata", "labels", "annotations":
			return "; set metadata of the PeerJob for all objects, job for the Job of the role, template.metadata for its Pods"
		}
		if _, found := apitype.Of(reflect.TypeFor[v1alpha1.PeerJobSpec]()).Place(key); found {
			return "; all roles have it in common: set spec." + key
		}
	}
	if typ == reflect.TypeFor[v1alpha1.PeerJobMeta]() {
		switch key {
		case "metadata":
			return "; set labels and annotations right here, without metadata"
		case "name":
			return "; the Job is named <metadata.name>, and that of a role <metadata.name>-<role>"
		case "spec", "template":
			return "; this is the metadata of the Job alone: set its other fields in spec, and those of the Pods in spec.template"
		}
	}
	if typ == reflect.TypeFor[v1alpha1.PeerService]() {
		switch key {
		case "metadata":
			return "; set name, labels and annotations right here, without metadata"
		case "spec":
			return "; set ports and the like right here, without spec"
		}
	}
	if typ == reflect.TypeFor[v1alpha1.Framework]() {
		switch key {
		case "nprocPerNode", "nproc_per_node", "nprocPerPod", "numProcPerWorker", "slotsPerWorker", "processes":
			return "; set processesPerPeer"
		}
	}
	if typ == reflect.TypeFor[v1alpha1.PeerService]() {
		switch key {
		case "clusterIP", "clusterIPs", "type":
			return "; the Service of a PeerJob is always headless"
		case "selector":
			return "; the Service of a PeerJob selects the Pods of its Job"
		}
	}
	if typ == reflect.TypeFor[v1alpha1.PeerFile]() {
		switch key {
		case "data", "text", "contents", "value", "template":
			return "; set content"
		case "mountPath", "name", "subPath", "file", "key":
			return "; set path, the path of the file in the containers"
		case "container", "initContainers":
			return "; set containers, which may name init containers, too"
		case "configMap", "configMapRef", "configMapKeyRef", "secret", "secretRef":
			return "; a file has its content here; mount what exists with volumes and volumeMounts in the template"
		case "mode", "defaultMode":
			return "; every file has the mode 0644; run a script with its interpreter, such as bash /path"
		}
	}
	if typ == reflect.TypeFor[v1alpha1.ValuesSource]() {
		switch key {
		case "name", "key":
			return "; set configMapRef." + key
		case "configMap", "configMapKeyRef":
			return "; set configMapRef"
		case "secretRef", "secretKeyRef", "secret":
			return "; values are text in the manifest, and no place for a Secret; let the container read it"
		}
	}
	if typ == reflect.TypeFor[v1alpha1.PeerFailurePolicy]() {
		switch key {
		case "rules", "onExitCodes", "onPodConditions":
			return "; set spec.podFailurePolicy, whose rules say which exit codes are no failure of the group"
		case "backoffLimit", "maxRetries":
			return "; set maxRestarts, with the action RestartPeerJob"
		}
	}
	if typ == reflect.TypeFor[v1alpha1.PeerBarrier]() {
		switch key {
		case "port", "container", "delivery", "imagePullPolicy", "keySecretName":
			return "; use spec.runner." + key
		case "image":
			return "; use spec.runner.image, with the image of the runner, which is " + v1alpha1.RunnerRepository
		case "resources":
			return "; the barrier has no container of its own, so remove it; spec.runner.resources are those of the init container that brings the runner"
		}
	}
	if path := belongs(key, typ); path != "" {
		return "; set " + path
	}
	if nearest != "" {
		return "; did you mean " + strconv.Quote(nearest) + "?"
	}
	return ""
}

// nearest returns the field of a type that an unknown one was probably meant to be, ""
// if none is like it.
func nearest(key string, typ reflect.Type) string {
	if name := synonyms[misplaced{typ, key}]; name != "" {
		return name
	}
	if belongs(key, typ) != "" {
		return ""
	}
	return spell.Nearest(key, apitype.Of(typ).Names())
}

// misplaced is a field that a type does not have.
type misplaced struct {
	typ reflect.Type
	key string
}

// synonyms are names that other programs, or other types, have for a field.
var synonyms = map[misplaced]string{
	{reflect.TypeFor[v1alpha1.PeerBarrier](), "startTimeout"}:       "startTimeoutSeconds",
	{reflect.TypeFor[v1alpha1.PeerBarrier](), "timeout"}:            "startTimeoutSeconds",
	{reflect.TypeFor[v1alpha1.PeerBarrier](), "timeoutSeconds"}:     "startTimeoutSeconds",
	{reflect.TypeFor[v1alpha1.PeerBarrier](), "endTimeout"}:         "endTimeoutSeconds",
	{reflect.TypeFor[v1alpha1.PeerFailurePolicy](), "backoff"}:      "backoffSeconds",
	{reflect.TypeFor[v1alpha1.PeerFailurePolicy](), "restarts"}:     "maxRestarts",
	{reflect.TypeFor[v1alpha1.PeerFailurePolicy](), "restartLimit"}: "maxRestarts",
	{reflect.TypeFor[v1alpha1.PeerFailurePolicy](), "type"}:         "action",
	{reflect.TypeFor[v1alpha1.PeerRunner](), "keySecret"}:           "keySecretName",
	{reflect.TypeFor[v1alpha1.PeerRunner](), "secretName"}:          "keySecretName",
	{reflect.TypeFor[v1alpha1.Framework](), "sshSecret"}:            "sshSecretName",
	{reflect.TypeFor[corev1.Container](), "img"}:                    "image",
	{reflect.TypeFor[corev1.Container](), "cmd"}:                    "command",
	{reflect.TypeFor[corev1.Container](), "entrypoint"}:             "command",
	{reflect.TypeFor[corev1.Container](), "environment"}:            "env",
	{reflect.TypeFor[corev1.ContainerPort](), "port"}:               "containerPort",
	{reflect.TypeFor[corev1.ServicePort](), "containerPort"}:        "port",
}

// elsewhere are fields that another object has.
var elsewhere = map[misplaced]string{
	{reflect.TypeFor[v1alpha1.Framework](), "minPeers"}:       "spec.framework.elastic.minPeers",
	{reflect.TypeFor[v1alpha1.Framework](), "maxRestarts"}:    "spec.framework.elastic.maxRestarts",
	{reflect.TypeFor[v1alpha1.PeerJobSpec](), "name"}:         "metadata.name",
	{reflect.TypeFor[v1alpha1.PeerJobSpec](), "namespace"}:    "metadata.namespace",
	{reflect.TypeFor[v1alpha1.PeerJob](), "name"}:             "metadata.name",
	{reflect.TypeFor[v1alpha1.PeerJob](), "namespace"}:        "metadata.namespace",
	{reflect.TypeFor[v1alpha1.PeerJob](), "labels"}:           "metadata.labels",
	{reflect.TypeFor[v1alpha1.PeerJob](), "annotations"}:      "metadata.annotations",
	{reflect.TypeFor[corev1.Container](), "volumes"}:          "volumeMounts, and the volume in spec.template.spec.volumes",
	{reflect.TypeFor[v1alpha1.PeerJobSpec](), "minPeers"}:     "spec.framework.elastic.minPeers",
	{reflect.TypeFor[v1alpha1.PeerJobSpec](), "maxRestarts"}:  "spec.failurePolicy.maxRestarts, or spec.framework.elastic.maxRestarts if the group may shrink",
	{reflect.TypeFor[v1alpha1.PeerJobSpec](), "onDisruption"}: "spec.failurePolicy.onDisruption",
}

// belongs returns the path of a field that is too high or too low: one of elsewhere, of
// the spec in the PeerJob, of the Pod above it or in a container, or of a container above
// it. It returns "" for any other.
func belongs(key string, typ reflect.Type) string {
	if path := elsewhere[misplaced{typ, key}]; path != "" {
		return path
	}
	in := func(other reflect.Type) bool {
		_, found := apitype.Of(other).Place(key)
		return found && other != typ
	}
	if typ == reflect.TypeFor[v1alpha1.PeerRole]() {
		switch {
		case in(reflect.TypeFor[corev1.PodSpec]()):
			return "template.spec." + key
		case in(reflect.TypeFor[corev1.Container]()):
			return "template.spec.containers[]." + key
		}
		return ""
	}
	inSpec := typ == reflect.TypeFor[v1alpha1.PeerJobSpec]() || typ == reflect.TypeFor[corev1.PodTemplateSpec]()
	switch inRoot := typ == reflect.TypeFor[v1alpha1.PeerJob](); {
	case inRoot && in(reflect.TypeFor[v1alpha1.PeerJobSpec]()):
		return "spec." + key
	case (inRoot || inSpec || typ == reflect.TypeFor[corev1.Container]()) && in(reflect.TypeFor[corev1.PodSpec]()):
		return "spec.template.spec." + key
	case (inRoot || inSpec || typ == reflect.TypeFor[corev1.PodSpec]()) && in(reflect.TypeFor[corev1.Container]()) && key != "name":
		return "spec.template.spec.containers[]." + key
	}
	return ""
}

// wantedText says what a text must be, for a value that is none.
func wantedText(node *yaml.Node, path *field.Path) string {
	const quoted = "a string; write %q, with the quotes"
	switch {
	case isElement.MatchString(path.String()) && isTextWithColon(node):
		return fmt.Sprintf(quoted, node.Content[0].Value+": "+node.Content[1].Value)
	case node.Kind != yaml.ScalarNode:
		return "a string"
	case node.ShortTag() == "!!binary":
		text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(node.Value), ""))
		if err != nil || !utf8.Valid(text) {
			return "a string; leave out the tag !!binary, and write the text itself"
		}
		return fmt.Sprintf("a string; leave out the tag !!binary, and write %q", text)
	case path.String() == "spec.kubernetesVersion" && isShortVersion(node.Value):
		return fmt.Sprintf("a string; write %q, with the quotes: kustomize and other tools read it as the number %s without", node.Value+"0", node.Value)
	}
	return fmt.Sprintf(quoted, node.Value)
}

// isElement matches the path of an element of a list.
var isElement = lazyregexp.New(`\[\d+\]$`)

// isTextWithColon reports whether a map was surely meant as a text, such as the element
// "- --title=a: b" of a list: its colon makes it a map of one key.
func isTextWithColon(node *yaml.Node) bool {
	if node.Kind != yaml.MappingNode || node.Style&yaml.FlowStyle != 0 || len(node.Content) != 2 {
		return false
	}
	key, value := node.Content[0], node.Content[1]
	return value.Kind == yaml.ScalarNode && key.Style == 0 && value.Style == 0 && value.Value != "" && key.Line == value.Line
}

// wantedKey says how to write a key that not every reader takes for a string.
func wantedKey(key *yaml.Node) string {
	if yamlnode.IsOldBoolean(key) {
		return fmt.Sprintf("a key must be a string, and YAML 1.1 reads %s as %t; write %q, with the quotes", key.Value, yamlnode.MeansTrue(key), key.Value)
	}
	return fmt.Sprintf("a key must be a string; write %q, with the quotes", key.Value)
}

// amount matches a number with a unit as people write it.
var amount = lazyregexp.New(`(?i)^([0-9]+(?:\.[0-9]+)?) *([kmgtpe])i?(b|byte|bytes)?$`)

// wantedQuantity says what a quantity must be, for a text that is none.
func wantedQuantity(text string) string {
	if match := amount.FindStringSubmatch(text); match != nil {
		unit := strings.ToUpper(match[2])
		decimal := strings.ReplaceAll(unit, "K", "k")
		return fmt.Sprintf("a quantity; write %s%s or %s%si", match[1], decimal, match[1], unit)
	}
	return "a quantity, such as 500m, 2, 2G or 2Gi"
}

// isShortVersion reports whether a version is one whose last zero was lost, because it
// was read as a number: 1.3 is 1.30, if there is no 1.3.
func isShortVersion(text string) bool {
	digits, found := strings.CutPrefix(text, "1.")
	minor, err := strconv.Atoi(digits + "0")
	return found && err == nil && len(digits) == 1 && minor >= v1alpha1.OldestMinor && minor <= v1alpha1.NewestMinor
}

// plainInteger returns how an integer in quotes is written without them: as it stands,
// if YAML reads that as an integer (0755 is octal), and "" if it is none.
func plainInteger(text string) string {
	node := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
	var n int64
	if node.ShortTag() != "!!int" || node.Decode(&n) != nil {
		return ""
	}
	if strings.HasPrefix(strings.TrimLeft(text, "+-"), "0o") {
		return strconv.FormatInt(n, 10) // what kubectl reads is older
	}
	return text
}
