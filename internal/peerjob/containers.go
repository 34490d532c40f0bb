// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/rules"
)

// validateContainers refuses containers that the server accepts and the kubelet never
// starts, or never finds ready.
func validateContainers(g *Group) field.ErrorList {
	var errs field.ErrorList
	g.EachContainer(func(container *corev1.Container, at *field.Path) {
		errs = append(errs, validateRoot(g, container, at)...)
		errs = append(errs, validateNamedPorts(g, container, at)...)
	})
	return errs
}

// validateRoot refuses a container that must not be root and is.
// See verifyRunAsNonRoot in k8s.io/kubernetes/pkg/kubelet/kuberuntime.
func validateRoot(g *Group, container *corev1.Container, at *field.Path) field.ErrorList {
	pod, own := cmp.Or(g.Template().Spec.SecurityContext, &corev1.PodSecurityContext{}), cmp.Or(container.SecurityContext, &corev1.SecurityContext{})
	nonRoot, user := cmp.Or(own.RunAsNonRoot, pod.RunAsNonRoot), cmp.Or(own.RunAsUser, pod.RunAsUser)
	if nonRoot == nil || !*nonRoot || user == nil || *user != 0 {
		return nil
	}
	where := at
	if own.RunAsUser == nil {
		where = g.PodPath()
	}
	return field.ErrorList{field.Invalid(where.Child("securityContext", "runAsUser"), 0, fmt.Sprintf(
		"is root, and runAsNonRoot is true: the container %s never starts; set another user, or runAsNonRoot to false", container.Name))}
}

// validateNamedPorts refuses the name of a port that the container does not have, in probes
// and hooks. The kubelet takes such a probe neither for passed nor for failed.
// See resolvePort in k8s.io/kubernetes/pkg/kubelet/prober and pkg/kubelet/lifecycle.
func validateNamedPorts(g *Group, container *corev1.Container, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	var names []string
	for _, port := range container.Ports {
		if port.Name != "" {
			names = append(names, port.Name)
		}
	}
	if g.isRunnerContainer(container) && g.Template().Spec.HostNetwork {
		names = append(names, v1alpha1.RunnerName)
	}
	check := func(port intstr.IntOrString, at *field.Path) {
		if _, err := strconv.Atoi(port.StrVal); port.Type != intstr.String || err == nil || port.StrVal == "" || slices.Contains(names, port.StrVal) {
			return
		}
		if len(names) > 0 {
			errs = append(errs, diag.NotSupported(at.Child("port"), port.StrVal, names))
			return
		}
		errs = append(errs, field.Invalid(at.Child("port"), port.StrVal, fmt.Sprintf("must be a number, or the name of a port of the container %s, which has none with a name", container.Name)))
	}
	request := func(http *corev1.HTTPGetAction, tcp *corev1.TCPSocketAction, at *field.Path) {
		if http != nil {
			check(http.Port, at.Child("httpGet"))
		}
		if tcp != nil {
			check(tcp.Port, at.Child("tcpSocket"))
		}
	}
	for _, probe := range []struct {
		name  string
		probe *corev1.Probe
	}{{"livenessProbe", container.LivenessProbe}, {"readinessProbe", container.ReadinessProbe}, {"startupProbe", container.StartupProbe}} {
		if probe.probe != nil {
			request(probe.probe.HTTPGet, probe.probe.TCPSocket, at.Child(probe.name))
		}
	}
	if lifecycle := container.Lifecycle; lifecycle != nil {
		if hook := lifecycle.PostStart; hook != nil {
			request(hook.HTTPGet, nil, at.Child("lifecycle", "postStart"))
		}
		if hook := lifecycle.PreStop; hook != nil {
			request(hook.HTTPGet, nil, at.Child("lifecycle", "preStop"))
		}
	}
	return errs
}

// warnContainers finds what the server accepts in a container, and probably nobody means.
func warnContainers(g *Group) []diag.Warning {
	var w []diag.Warning
	g.EachContainer(func(container *corev1.Container, at *field.Path) {
		w = append(w, warnShell(container, at)...)
		w = append(w, warnAmounts(container.Resources.Requests, at.Child("resources", "requests"))...)
		w = append(w, warnAmounts(container.Resources.Limits, at.Child("resources", "limits"))...)
	})
	return diag.Few(w)
}

// shellFlags matches flags of a shell that end with the one that a script follows.
var shellFlags = lazyregexp.New(`^-[a-z]*c$`)

// warnShell finds a shell that runs less than its words say: the one word behind -c is the
// script, and the others are its parameters.
func warnShell(container *corev1.Container, at *field.Path) []diag.Warning {
	words := slices.Concat(container.Command, container.Args)
	if len(container.Command) < 2 || !rules.IsShell(words[0]) || !shellFlags.MatchString(words[1]) {
		return nil
	}
	fieldOf := func(i int) *field.Path {
		if i < len(container.Command) {
			return at.Child("command").Index(i)
		}
		return at.Child("args").Index(i - len(container.Command))
	}
	// Other options may stand before the script, and "--" ends them.
	i := 2
	for i < len(words) && strings.HasPrefix(words[i], "-") {
		if i++; words[i-1] == "--" {
			break
		}
	}
	if i == len(words) {
		return []diag.Warning{diag.Warn(fieldOf(1), "is for a script, and there is none: the container ends with an error; add it")}
	}
	script, rest := words[i], words[i+1:]
	if len(rest) == 0 || len(strings.Fields(script)) != 1 || strings.Contains(script, "$") {
		return nil
	}
	where := fieldOf(i)
	return []diag.Warning{diag.Warn(where, "is the whole script, and the shell runs it without the words behind it; write them all in one string, or leave out %s and %s", words[0], words[1])}
}

// fewestBytes is less memory than any program runs in, and mostCores more cores than any
// machine has.
const (
	fewestBytes = 1 << 20
	mostCores   = 1000
)

// warnAmounts finds amounts with a unit that is probably not meant.
func warnAmounts(amounts corev1.ResourceList, at *field.Path) []diag.Warning {
	var w []diag.Warning
	for _, name := range slices.Sorted(maps.Keys(amounts)) {
		amount := amounts[name]
		switch {
		case name == corev1.ResourceMemory && amount.Sign() > 0 && amount.Cmp(*resource.NewQuantity(fewestBytes, resource.BinarySI)) < 0:
			w = append(w, diag.Warn(at.Key(string(name)), "%s is in bytes, and no container starts with so few; write a unit, such as %sGi or %[2]sMi", amount.String(), digits(amount.String())))
		case name == corev1.ResourceCPU && amount.Cmp(*resource.NewQuantity(mostCores, resource.DecimalSI)) >= 0:
			w = append(w, diag.Warn(at.Key(string(name)), "%s is in cores, and no node has so many: the Pods stay Pending; for thousandths of a core, write %sm", amount.String(), strconv.FormatInt(amount.Value(), 10)))
		}
	}
	return w
}

// digits are those that an amount begins with.
func digits(amount string) string {
	return strings.TrimRight(amount, "abcdefghijklmnopqrstuvwxyzEGKMPT")
}
