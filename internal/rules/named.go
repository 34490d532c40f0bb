// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Named is a name in a Pod template that is that of another object.
type Named struct {
	// Kind is the kind of the object, and Name its name.
	Kind, Name string
	// Path is the field with the name.
	Path *field.Path
	// Part is whether the field has more than the name: a list, or a program's own form.
	Part bool
}

// NamedKinds are the kinds of [NamedObjects] and [NamedQueues].
var NamedKinds = append([]string{
	"PodGroup", "NetworkAttachmentDefinition", "ResourceClaimTemplate", "ResourceClaim", "SecretProviderClass",
	"PersistentVolumeClaim", "VolumeSnapshot", "LocalQueue",
}, ClusterKinds...)

// ClusterKinds are the kinds of [NamedObjects] that have no namespace.
var ClusterKinds = []string{"RuntimeClass", "StorageClass", "Queue", "WorkloadPriorityClass"}

// NamedQueues returns the names of objects of Kueue in the labels of a Job.
func NamedQueues(labels map[string]string, path *field.Path) (all []Named) {
	for _, l := range []struct{ key, kind string }{{"kueue.x-k8s.io/queue-name", "LocalQueue"}, {"kueue.x-k8s.io/priority-class", "WorkloadPriorityClass"}} {
		if name := labels[l.key]; name != "" {
			all = append(all, Named{Kind: l.kind, Name: name, Path: path.Key(l.key)})
		}
	}
	return all
}

// networks is the annotation of a Pod with its networks: "net-a, other/net-b@eth1", or a
// list as JSON.
// See https://github.com/k8snetworkplumbingwg/multi-net-spec.
const networks = "k8s.v1.cni.cncf.io/networks"

// networksOf are the networks of the same namespace in such an annotation.
func networksOf(value string) (names []string) {
	if strings.HasPrefix(strings.TrimSpace(value), "[") {
		var list []struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		}
		if json.Unmarshal([]byte(value), &list) == nil {
			for _, one := range list {
				if one.Namespace == "" {
					names = append(names, one.Name)
				}
			}
		}
		return names
	}
	for one := range strings.SplitSeq(value, ",") {
		if name, _, _ := strings.Cut(strings.TrimSpace(one), "@"); !strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	return names
}

// NamedObjects returns the names of other objects in a Pod template that kustomize does not
// know as such. Those of ConfigMaps, Secrets, claims, ServiceAccounts and PriorityClasses
// are not among them: kustomize renames these in every Job.
func NamedObjects(template *corev1.PodTemplateSpec, path *field.Path) []Named {
	var all []Named
	add := func(kind string, name *string, at *field.Path) {
		if name != nil && *name != "" {
			all = append(all, Named{Kind: kind, Name: *name, Path: at})
		}
	}
	if path == nil {
		path = field.NewPath("template")
	}
	metadata, pod := path.Child("metadata"), path.Child("spec")
	for _, m := range []struct {
		values map[string]string
		path   *field.Path
	}{{template.Labels, metadata.Child("labels")}, {template.Annotations, metadata.Child("annotations")}} {
		for _, key := range slices.Sorted(maps.Keys(m.values)) {
			switch value := m.values[key]; {
			case slices.Contains(gangKeys, key):
				add("PodGroup", &value, m.path.Key(key))
			case key == "scheduling.volcano.sh/queue-name":
				add("Queue", &value, m.path.Key(key))
			case key == networks:
				for _, name := range networksOf(value) {
					all = append(all, Named{Kind: "NetworkAttachmentDefinition", Name: name, Path: m.path.Key(key), Part: name != value})
				}
			}
		}
	}
	spec := &template.Spec
	if group := spec.SchedulingGroup; group != nil {
		add("PodGroup", group.PodGroupName, pod.Child("schedulingGroup", "podGroupName"))
	}
	add("RuntimeClass", spec.RuntimeClassName, pod.Child("runtimeClassName"))
	for i, claim := range spec.ResourceClaims {
		at := pod.Child("resourceClaims").Index(i)
		add("ResourceClaimTemplate", claim.ResourceClaimTemplateName, at.Child("resourceClaimTemplateName"))
		add("ResourceClaim", claim.ResourceClaimName, at.Child("resourceClaimName"))
	}
	for i := range spec.Volumes {
		volume, at := &spec.Volumes[i], pod.Child("volumes").Index(i)
		if volume.CSI != nil {
			class := volume.CSI.VolumeAttributes["secretProviderClass"]
			add("SecretProviderClass", &class, at.Child("csi", "volumeAttributes").Key("secretProviderClass"))
		}
		if volume.Ephemeral != nil && volume.Ephemeral.VolumeClaimTemplate != nil {
			claim := &volume.Ephemeral.VolumeClaimTemplate.Spec
			at := at.Child("ephemeral", "volumeClaimTemplate", "spec")
			add("StorageClass", claim.StorageClassName, at.Child("storageClassName"))
			if source := claim.DataSource; source != nil {
				all = append(all, Named{Kind: source.Kind, Name: source.Name, Path: at.Child("dataSource", "name"), Part: true})
			}
		}
	}
	return all
}
