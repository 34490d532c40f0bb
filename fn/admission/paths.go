// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/fn/v1alpha1"
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

// envIndex matches the index of a variable in a container's environment.
var envIndex = regexp.MustCompile(`^(spec\.template\.spec\.(?:initC|c)ontainers\[\d+\]\.env)\[(\d+)\](.*)$`)

// jobFields is the origin of a Job's fields.
func jobFields(pj *v1alpha1.PeerJob) origin {
	injected := 0
	if pj.Spec.PeerEnv != v1alpha1.Disabled {
		injected = len(v1alpha1.PeerEnvNames())
	}
	return func(path string, badValue any) string {
		switch {
		case strings.HasPrefix(path, "metadata.labels"):
			return metadataField(path, "labels", "spec.job.", pj.Spec.Job.Labels, badValue)
		case strings.HasPrefix(path, "metadata.annotations"):
			return metadataField(path, "annotations", "spec.job.", pj.Spec.Job.Annotations, badValue)
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
		if match := envIndex.FindStringSubmatch(path); match != nil {
			if index, err := strconv.Atoi(match[2]); err == nil && index >= injected {
				return fmt.Sprintf("%s[%d]%s", match[1], index-injected, match[3])
			}
		}
		return path
	}
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
		if match := servicePort.FindStringSubmatch(path); match != nil && pj.Spec.Service.Ports == nil {
			return derivedPortField(derived(), match[1], match[2])
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
		return "spec.template.spec.containers"
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
