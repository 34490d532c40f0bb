// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Warning is about a field which can be meant as it is, and probably is not.
type Warning struct {
	// Field is the field of the PeerJob; "" for the PeerJob as a whole.
	Field string
	// Message says what happens, and what to write instead.
	Message string
}

// Warn returns what is probably not meant in a PeerJob that [Validate] lets
// through, in the order of the fields. The function tells which variables stand
// before those of the container with a name, besides the peers' own.
func Warn(pj *PeerJob, variables func(container string) []string) []Warning {
	var w []Warning
	w = append(w, warnTargetPorts(pj)...)
	w = append(w, warnOldestMinor(pj)...)
	w = append(w, warnTTL(pj)...)
	w = append(w, warnHostNetwork(pj)...)
	w = append(w, warnReferences(pj, variables)...)
	return w
}

func warning(path *field.Path, format string, args ...any) Warning {
	return Warning{Field: path.String(), Message: fmt.Sprintf(format, args...)}
}

// warnTargetPorts finds ports which are forwarded nowhere: a headless Service
// has no address that could forward.
func warnTargetPorts(pj *PeerJob) []Warning {
	var w []Warning
	for i, port := range pj.Spec.Service.Ports {
		target := port.TargetPort.IntVal
		if port.TargetPort.Type == intstr.String {
			target = numberOf(pj, port.TargetPort.StrVal)
		}
		if port.TargetPort != (intstr.IntOrString{}) && target != port.Port {
			w = append(w, warning(servicePath.Child("ports").Index(i).Child("targetPort"),
				"%s differs from the port, %d, and a headless Service forwards nothing: peers reach the Pod itself; leave it out, and set port to what the container listens on",
				port.TargetPort.String(), port.Port))
		}
	}
	return w
}

// numberOf is the number of the container port with this name, 0 when there is
// none.
func numberOf(pj *PeerJob, name string) int32 {
	for _, port := range containerPorts(pj) {
		if port.Name == name {
			return port.Port
		}
	}
	return 0
}

func warnOldestMinor(pj *PeerJob) []Warning {
	if minor, ok := pj.KubernetesMinor(); !ok || minor > OldestMinor {
		return nil
	}
	return []Warning{warning(specPath.Child("kubernetesVersion"),
		"a server of 1.21 has Indexed Jobs only with the feature gate IndexedJob, which is off by default there; they are on from 1.22")}
}

// gitOpsTools are the domains of annotations which only the users of a tool
// write that keeps a cluster as the repository says.
var gitOpsTools = map[string]string{
	"argocd.argoproj.io":             "Argo CD",
	"kustomize.toolkit.fluxcd.io":    "Flux",
	"configmanagement.gke.io":        "Config Sync",
	"configsync.gke.io":              "Config Sync",
	"client.lifecycle.config.k8s.io": "Config Sync",
}

// argoHook makes a Job a hook of Argo CD, which does not miss it afterwards.
const argoHook = "argocd.argoproj.io/hook"

// warnTTL finds a Job that removes itself under a tool which puts it back.
func warnTTL(pj *PeerJob) []Warning {
	annotations := map[string]string{}
	maps.Copy(annotations, pj.Annotations)
	maps.Copy(annotations, pj.Spec.Job.Annotations)
	if _, hook := annotations[argoHook]; hook || pj.Spec.TTLSecondsAfterFinished == nil {
		return nil
	}
	for _, key := range sortedKeys(annotations) {
		domain, _, _ := strings.Cut(key, "/")
		if tool, found := gitOpsTools[domain]; found {
			return []Warning{warning(specPath.Child("ttlSecondsAfterFinished"),
				"%s (annotation %s) makes the Job again when it is gone, and it runs once more; leave it out", tool, key)}
		}
	}
	return nil
}

// warnHostNetwork finds peers that can't share a node without saying so.
func warnHostNetwork(pj *PeerJob) []Warning {
	pod := &pj.Spec.Template.Spec
	if !pod.HostNetwork || pj.Peers() < 2 || len(containerPorts(pj)) == 0 || keepsApart(pod.Affinity) {
		return nil
	}
	return []Warning{warning(podPath.Child("hostNetwork"),
		"the container ports are ports of the node, so two peers on one node collide: a peer without a node of its own stays Pending; say so with a required podAntiAffinity on kubernetes.io/hostname")}
}

// keepsApart reports whether Pods with this affinity are held to a node each.
func keepsApart(affinity *corev1.Affinity) bool {
	return affinity != nil && affinity.PodAntiAffinity != nil && slices.ContainsFunc(
		affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution,
		func(term corev1.PodAffinityTerm) bool { return term.TopologyKey == corev1.LabelHostname })
}

// warnReferences finds values that use a variable which is not set yet, or
// never is: the kubelet leaves "$(NAME)" as it is then, without a word.
// See https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/.
func warnReferences(pj *PeerJob, variables func(container string) []string) []Warning {
	var w []Warning
	// Service links set variables that can't be known here.
	links := pj.Spec.Template.Spec.EnableServiceLinks
	pj.EachContainer(func(container *corev1.Container, path *field.Path) {
		known := map[string]bool{}
		if pj.Spec.PeerEnv != Disabled {
			for _, name := range PeerEnvNames() {
				known[name] = true
			}
		}
		for _, name := range variables(container.Name) {
			known[name] = true
		}
		later := map[string]int{}
		for i, variable := range container.Env {
			later[variable.Name] = i
		}
		unknowable := len(container.EnvFrom) > 0 || links == nil || *links
		for i, variable := range container.Env {
			for _, name := range references(variable.Value) {
				value := path.Child("env").Index(i).Child("value")
				at, set := later[name]
				switch {
				case known[name] || strings.HasPrefix(name, "KUBERNETES_"):
				case set:
					w = append(w, warning(value, "uses $(%s), and only variables that stand before it are seen; move env[%d] up", name, at))
				case !unknowable:
					w = append(w, warning(value, "uses $(%s), which no variable sets, and it stays in the value as it is; write $$(%s) if that is meant", name, name))
				}
			}
			known[variable.Name] = true
		}
	})
	return w
}

// references returns the names in the "$(NAME)" of a value, as the kubelet
// reads them: "$$" stands for a dollar sign.
func references(value string) []string {
	var names []string
	for i := 0; i+1 < len(value); i++ {
		if value[i] != '$' {
			continue
		}
		if value[i+1] == '$' {
			i++
			continue
		}
		if value[i+1] != '(' {
			continue
		}
		name, _, closed := strings.Cut(value[i+2:], ")")
		if !closed {
			break
		}
		names = append(names, name)
		i += len(name) + 2
	}
	return names
}
