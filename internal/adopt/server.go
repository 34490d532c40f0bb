// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/peerjob/peerjob/internal/admission"
	"github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// isLive reports whether an object comes from a server.
func isLive(node *yaml.Node) bool {
	metadata := get(node, "metadata")
	for _, key := range []string{"uid", "resourceVersion", "managedFields"} {
		if get(metadata, key) != nil {
			return true
		}
	}
	return false
}

// serverAnnotations are annotations that tools and controllers leave on an object.
var serverAnnotations = []string{
	"kubectl.kubernetes.io/last-applied-configuration", "batch.kubernetes.io/job-tracking", "batch.kubernetes.io/cronjob-scheduled-timestamp",
}

// metadataKeys are the fields of metadata that people write.
var metadataKeys = []string{"name", "generateName", "namespace", "labels", "annotations", "ownerReferences", "finalizers"}

// withoutServer takes out of an object what no person writes: status, and most of
// metadata.
func withoutServer(object *yaml.Node) {
	drop(object, "status")
	metadata := get(object, "metadata")
	var foreign []string
	yamlnode.EachEntry(metadata, func(key string, _ *yaml.Node) {
		if !contains(metadataKeys, key) {
			foreign = append(foreign, key)
		}
	})
	drop(metadata, foreign...)
	drop(get(metadata, "annotations"), serverAnnotations...)
	dropEmpty(metadata, "labels", "annotations")
}

// dropControllerLabels takes out the labels of the Job controller.
func dropControllerLabels(metadata *yaml.Node) {
	labels := get(metadata, "labels")
	var own []string
	yamlnode.EachEntry(labels, func(key string, _ *yaml.Node) {
		if rules.IsControllerLabel(key) {
			own = append(own, key)
		}
	})
	drop(labels, own...)
}

// keptDefaults are what is written out though it is a default: without it the thing that
// it is a part of is not clear.
var keptDefaults = []string{"emptyDir", "completions", "parallelism", "completionMode", "template"}

// dropDefaults takes out of a Job what the server adds by itself. A field is taken out if
// the server makes the same Job without it.
func dropDefaults(job *yaml.Node) {
	drop(get(job, "spec"), "selector", "manualSelector")
	dropControllerLabels(get(job, "metadata"))
	dropEmpty(get(job, "metadata"), "labels")
	metadata := get(job, "spec", "template", "metadata")
	drop(metadata, "creationTimestamp")
	dropControllerLabels(metadata)
	dropEmpty(metadata, "labels", "annotations")
	dropEmpty(get(job, "spec", "template"), "metadata")
	if pod := get(job, "spec", "template", "spec"); get(pod, "serviceAccountName") != nil {
		drop(pod, "serviceAccount") // its old name
	}
	want := admission.Defaulted(typed[batchv1.Job](job))
	p := &pruner{left: maxTrials, isSame: func() bool { return equality.Semantic.DeepEqual(want, admission.Defaulted(typed[batchv1.Job](job))) }}
	p.prune(get(job, "metadata"))
	p.prune(get(job, "spec"))
}

// maxTrials bounds how many fields of a Job are tried. Those behind them are kept, as the
// server wrote them.
const maxTrials = 4000

// pruner takes out of a part of an object whatever leaves the whole the same.
type pruner struct {
	isSame func() bool
	left   int
}

// neverDefaults are fields that no server sets by itself.
var neverDefaults = []string{"name", "value", "image", "mountPath", "key", "command", "args", "containerPort", "containers", "env"}

func (p *pruner) prune(node *yaml.Node) {
	if node == nil {
		return
	}
	if node.Kind != yaml.MappingNode {
		for _, child := range node.Content {
			p.prune(child)
		}
		return
	}
	for i := len(node.Content) - 2; i >= 0; i -= 2 {
		all := node.Content
		if key := all[i].Value; p.left > 0 && !contains(keptDefaults, key) && !contains(neverDefaults, key) {
			p.left--
			node.Content = append(append([]*yaml.Node{}, all[:i]...), all[i+2:]...)
			if p.isSame() {
				continue
			}
			node.Content = all
		}
		p.prune(all[i+1])
	}
}

// withDefaults returns a Service for the Pods of a template with what the server adds to
// it, and without what only a cluster can add.
func withDefaults(service *corev1.Service, template *corev1.PodTemplateSpec) *corev1.Service {
	s := service.DeepCopy()
	s.Spec.ClusterIPs = nil
	if s.Spec.IPFamilyPolicy != nil && *s.Spec.IPFamilyPolicy == corev1.IPFamilyPolicySingleStack {
		s.Spec.IPFamilyPolicy, s.Spec.IPFamilies = nil, nil
	}
	s.Spec.InternalTrafficPolicy = nil
	if s.Spec.Type == corev1.ServiceTypeClusterIP {
		s.Spec.Type = ""
	}
	if s.Spec.SessionAffinity == corev1.ServiceAffinityNone {
		s.Spec.SessionAffinity = ""
	}
	for i := range s.Spec.Ports {
		port := &s.Spec.Ports[i]
		if port.Protocol == "" {
			port.Protocol = corev1.ProtocolTCP
		}
		if port.TargetPort.Type == intstr.String {
			for _, own := range rules.ContainerPorts(template, nil) {
				if own.Name == port.TargetPort.StrVal && own.Protocol == port.Protocol {
					port.TargetPort = intstr.FromInt32(own.Port)
				}
			}
		}
		if port.TargetPort.IntVal == port.Port {
			port.TargetPort = intstr.IntOrString{}
		}
	}
	return s
}
