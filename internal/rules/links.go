// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
)

// linked are variables that a framework reads, and that a Service with an unlucky name
// sets: the Service "master" sets MASTER_PORT to "tcp://10.0.0.1:80".
var linked = []string{"MASTER_PORT", "SPARK_MASTER_PORT", "SPARK_WORKER_PORT", "RAY_PORT", "COORDINATOR_PORT"}

// ServiceLinks finds a Service of the namespace whose variables (service links) take the
// place of those that the containers read. A headless Service sets none, and a variable
// of the container's own takes precedence. It reads name, clusterIP and ports of the
// Service.
// See https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables.
func ServiceLinks(services []*corev1.Service, template *corev1.PodTemplateSpec, path *field.Path) []diag.Warning {
	if links := template.Spec.EnableServiceLinks; links != nil && !*links {
		return nil
	}
	var w []diag.Warning
	for _, service := range services {
		if IsHeadless(service) || len(service.Spec.Ports) == 0 || service.Spec.Type == corev1.ServiceTypeExternalName {
			continue
		}
		name := linkOf(service.Name)
		if !slices.Contains(linked, name) || slices.ContainsFunc(w, func(other diag.Warning) bool { return strings.Contains(other.Message, name) }) {
			continue
		}
		reads := false
		EachContainer(template, path, func(container *corev1.Container, _ *field.Path) {
			if slices.ContainsFunc(container.Env, func(v corev1.EnvVar) bool { return v.Name == name }) {
				return
			}
			reads = reads || slices.ContainsFunc(Texts(container, nil), func(t Text) bool { return strings.Contains(t.Value, name) })
		})
		if reads {
			w = append(w, diag.Warn(path.Child("spec", "enableServiceLinks"),
				"the Service %s sets %s to an address in every container, and a program takes it for its own; write enableServiceLinks: false", service.Name, name))
		}
	}
	return w
}

// linkOf is the variable with the port of a Service.
func linkOf(service string) string {
	return strings.ToUpper(strings.ReplaceAll(service, "-", "_")) + "_PORT"
}

// MayLink reports whether the variables of a Service with this name may be in the way of
// a framework.
func MayLink(service string) bool { return slices.Contains(linked, linkOf(service)) }
