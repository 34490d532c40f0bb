// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// origin tells which field of a PeerJob a field of an object came from.
type origin func(path string, badValue any) string

// onPeerJob moves errors from an object's fields to the PeerJob's.
func onPeerJob(errs field.ErrorList, from origin) field.ErrorList {
	moved := make(field.ErrorList, len(errs))
	for i, err := range errs {
		there := *err
		there.Field = from(err.Field, err.BadValue)
		moved[i] = &there
	}
	return moved
}

// warningsOnPeerJob moves the server's warnings, which are text of the form
// "spec.template.spec.nodeSelector[x]: is deprecated", to the PeerJob's fields.
func warningsOnPeerJob(texts []string, from origin) []v1alpha1.Warning {
	var warnings []v1alpha1.Warning
	for _, text := range texts {
		path, message, found := strings.Cut(text, ": ")
		if !found || !strings.HasPrefix(path, "spec.") && !strings.HasPrefix(path, "metadata.") {
			path, message = "", text
		} else {
			path = from(path, nil)
		}
		warnings = append(warnings, v1alpha1.Warning{Field: path, Message: message})
	}
	return warnings
}

// listIndex matches a list of a container or of the Pod to which peerjob adds
// elements: before the user's variables, behind the user's mounts and volumes.
var listIndex = regexp.MustCompile(`^spec\.template\.spec\.(?:((?:initC|c)ontainers)\[(\d+)\]\.(env|volumeMounts)|volumes)\[(\d+)\]`)

// jobFields is the origin of a Job's fields.
func jobFields(pj *v1alpha1.PeerJob, job *batchv1.Job) origin {
	return func(path string, badValue any) string {
		switch {
		case strings.HasPrefix(path, "metadata.labels"):
			return metadataField(path, "labels", "spec.job.", pj.Spec.Job.Labels, badValue)
		case strings.HasPrefix(path, "metadata.annotations"):
			return metadataField(path, "annotations", "spec.job.", pj.Spec.Job.Annotations, badValue)
		case strings.HasPrefix(path, "spec.successPolicy") && pj.Spec.SuccessPolicy == nil:
			return FrameworkField
		case path == "spec.completions" || path == "spec.parallelism":
			return "spec.peers"
		case path == "spec.template.spec.subdomain":
			return serviceNameField(pj)
		case strings.HasPrefix(path, "spec.template.labels") && badValue == pj.JobName():
			// The server puts the Job's name there.
			return "metadata.name"
		case strings.HasPrefix(path, "spec.template.labels"), strings.HasPrefix(path, "spec.template.annotations"):
			return "spec.template.metadata" + strings.TrimPrefix(path, "spec.template")
		case path == "spec.template.spec.terminationGracePeriodSeconds" && pj.Spec.Template.Spec.TerminationGracePeriodSeconds == nil:
			return "spec.barrier.endTimeoutSeconds"
		}
		path, own := initContainerField(path, pj.InjectedInitContainers())
		if !own {
			return cmp.Or(namesake(pj, badValue), path)
		}
		if match := listIndex.FindStringSubmatch(path); match != nil {
			all := job.Spec.Template.Spec
			all.InitContainers = all.InitContainers[min(pj.InjectedInitContainers(), len(all.InitContainers)):]
			return addedField(path, match, &pj.Spec.Template.Spec, &all)
		}
		return path
	}
}

// addedField is the field of a list element to which peerjob has added others:
// the user's own element, or the framework that brought it.
func addedField(path string, match []string, own, all *corev1.PodSpec) string {
	index, err := strconv.Atoi(match[4])
	if err != nil {
		return path
	}
	if match[1] == "" {
		if index >= len(own.Volumes) {
			return FrameworkField
		}
		return path
	}
	ours, theirs := all.Containers, own.Containers
	if match[1] == "initContainers" {
		ours, theirs = all.InitContainers, own.InitContainers
	}
	at, err := strconv.Atoi(match[2])
	if err != nil || at >= len(ours) || at >= len(theirs) {
		return path
	}
	if match[3] == "volumeMounts" {
		if index >= len(theirs[at].VolumeMounts) {
			return FrameworkField
		}
		return path
	}
	added := len(ours[at].Env) - len(theirs[at].Env)
	if index < added {
		return path
	}
	return fmt.Sprintf("spec.template.spec.%s[%d].env[%d]%s", match[1], at, index-added, path[len(match[0]):])
}

// FrameworkField is the field from which what a framework brings comes.
const FrameworkField = "spec.framework"

// configMapFields is the origin of the fields of the ConfigMap with the peers.
func configMapFields(path string, _ any) string {
	if strings.HasPrefix(path, "metadata.") {
		return path
	}
	return FrameworkField
}

// initContainer matches the path of an init container and of what is in it.
var initContainer = regexp.MustCompile(`^spec\.template\.spec\.initContainers\[(\d+)\](.*)$`)

// initContainerField tells whether an init container is one of the user's own,
// before which so many of the barrier's stand, and which field it came from.
func initContainerField(path string, injected int) (field string, own bool) {
	match := initContainer.FindStringSubmatch(path)
	if match == nil || injected == 0 {
		return path, true
	}
	index, err := strconv.Atoi(match[1])
	if err != nil || index >= injected {
		return fmt.Sprintf("spec.template.spec.initContainers[%d]%s", index-injected, match[2]), true
	}
	rest := match[2]
	switch {
	case strings.HasPrefix(rest, ".image"), strings.HasPrefix(rest, ".resources"):
		return "spec.barrier" + rest, false
	case strings.HasPrefix(rest, ".ports"):
		return "spec.barrier.port", false
	}
	return "spec.barrier", false
}

// namesake is the name of the user's container which is called like one of the
// barrier's, "" when none is.
func namesake(pj *v1alpha1.PeerJob, name any) string {
	found := ""
	pj.EachContainer(func(container *corev1.Container, path *field.Path) {
		if name == container.Name && container.Name != "" {
			found = path.Child("name").String()
		}
	})
	return found
}

// servicePort matches the path of a port of the Service.
var servicePort = regexp.MustCompile(`^spec\.ports\[(\d+)\](.*)$`)

// serviceFields is the origin of a Service's fields.
func serviceFields(pj *v1alpha1.PeerJob) origin {
	derived := sync.OnceValue(pj.DerivedPorts)
	return func(path string, badValue any) string {
		switch {
		case path == "metadata.name":
			return serviceNameField(pj)
		case strings.HasPrefix(path, "metadata.labels"):
			return metadataField(path, "labels", "spec.service.", pj.Spec.Service.Labels, badValue)
		case strings.HasPrefix(path, "metadata.annotations"):
			return metadataField(path, "annotations", "spec.service.", pj.Spec.Service.Annotations, badValue)
		case strings.HasPrefix(path, "spec.selector"):
			return "metadata.name"
		}
		if match := servicePort.FindStringSubmatch(path); match != nil {
			if pj.Spec.Service.Ports == nil {
				return derivedPortField(derived(), match[1], match[2])
			}
			if index, err := strconv.Atoi(match[1]); err == nil && index >= len(pj.Spec.Service.Ports) {
				return FrameworkField
			}
		}
		if rest, found := strings.CutPrefix(path, "spec."); found {
			return "spec.service." + rest
		}
		return path
	}
}

// serviceNameField is the field that the name of the Service comes from.
func serviceNameField(pj *v1alpha1.PeerJob) string {
	if pj.Spec.Service.Name != "" {
		return "spec.service.name"
	}
	return "metadata.name"
}

// metadataField tells whether a label or an annotation is one of the object's
// own, which stand below a field of the PeerJob, or one of the PeerJob's.
func metadataField(path, name, below string, own map[string]string, badValue any) string {
	for key, value := range own {
		if badValue == key || badValue == value {
			return below + name + strings.TrimPrefix(path, "metadata."+name)
		}
	}
	return path
}

// derivedPortField is the field of the container port which a port of the
// Service follows from.
func derivedPortField(ports []v1alpha1.DerivedPort, index, rest string) string {
	i, err := strconv.Atoi(index)
	if err != nil || i >= len(ports) {
		return FrameworkField
	}
	path := ports[i].Path.String()
	switch {
	case path == "spec.barrier.port":
		return path
	case rest == ".port" || rest == ".targetPort":
		rest = ".containerPort"
	}
	return path + rest
}
