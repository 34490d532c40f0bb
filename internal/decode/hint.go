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
)

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
		case "roles", "replicatedJobs", "tasks":
			return "; a PeerJob has one Pod template; for several at once use JobSet, or one PeerJob each"
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
	if belongs := containerField(key, typ); belongs != "" {
		return "; set " + belongs
	}
	if nearest != "" {
		return "; did you mean " + strconv.Quote(nearest) + "?"
	}
	if typ == reflect.TypeFor[v1alpha1.PeerJobSpec]() || typ == reflect.TypeFor[corev1.PodTemplateSpec]() {
		if _, found := apitype.Of(reflect.TypeFor[corev1.PodSpec]()).Place(key); found {
			return "; did you mean spec.template.spec." + key + "?"
		}
	}
	return ""
}

// containerField says where a field of a container belongs that stands above it, ""
// where it is none.
func containerField(key string, typ reflect.Type) string {
	above := typ == reflect.TypeFor[v1alpha1.PeerJobSpec]() || typ == reflect.TypeFor[v1alpha1.PeerJob]() ||
		typ == reflect.TypeFor[corev1.PodTemplateSpec]() || typ == reflect.TypeFor[corev1.PodSpec]()
	_, ofPod := apitype.Of(reflect.TypeFor[corev1.PodSpec]()).Place(key)
	if _, ofContainer := apitype.Of(reflect.TypeFor[corev1.Container]()).Place(key); !above || !ofContainer || ofPod || key == "name" {
		return ""
	}
	return "spec.template.spec.containers[]." + key
}

// shortFor are the fields that a text in the place of a whole map probably meant.
var shortFor = map[reflect.Type]string{
	reflect.TypeFor[v1alpha1.Framework]():   "type",
	reflect.TypeFor[v1alpha1.PeerService](): "name",
}

// wantedMap says what a map must be, for a node that is none.
func wantedMap(node *yaml.Node, typ reflect.Type) string {
	if field, found := shortFor[typ]; found && node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" && !strings.Contains(node.Value, "{{") {
		return fmt.Sprintf("a map; write {%s: %s}", field, node.Value)
	}
	return "a map"
}

// wantedText says what a text must be, for a scalar that is none.
func wantedText(node *yaml.Node, path *field.Path) string {
	const quoted = "a string; write %q, with the quotes"
	switch {
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
