// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/rules"
)

// This file has what a Pod can say that the runner can't live with: hooks, nodes, limits
// and programs that want to be process 1.

// publishesBeforeContainers reports whether a Pod has its address in DNS before its
// containers start. The kubelet publishes an address when it has finished a step of the
// Pod's start. The first step makes the sandbox, and starts the first init container, or
// all containers one after the other, each with its postStart hook. On the host network,
// the address is known before.
func (g *Group) publishesBeforeContainers() bool {
	pod := &g.Template().Spec
	return g.Runner().Delivery != v1alpha1.ImageVolumeDelivery || len(pod.InitContainers) > 0 || pod.HostNetwork
}

// validateRunnerHooks refuses a hook that keeps the peers from finding each other, or
// that fails because the command does not run yet.
func validateRunnerHooks(g *Group) field.ErrorList {
	container, at, found := g.runnerContainer()
	if !found || g.Barrier().Start != v1alpha1.Enabled || container.Lifecycle == nil || container.Lifecycle.PostStart == nil {
		return nil
	}
	hook := container.Lifecycle.PostStart
	if _, known := sleeps(hook); known {
		return nil // ends by itself
	}
	hookPath := at.Child("lifecycle", "postStart")
	switch {
	case !g.publishesBeforeContainers():
		return field.ErrorList{field.Forbidden(hookPath,
			"with spec.barrier.start, the command starts when every peer has an address, and a Pod without init containers gets none before this hook has ended: if it waits for the command, both wait forever; do it in the command, or set spec.runner.delivery to InitContainer")}
	case hook.HTTPGet != nil && g.asksCommand(&corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: hook.HTTPGet}}, container):
		return field.ErrorList{field.Forbidden(hookPath.Child("httpGet"),
			"with spec.barrier.start, the kubelet asks before the command has started, and kills a container whose hook fails; do it in the command")}
	}
	return nil
}

// warnRunnerHooks finds hooks that do not do what they are for behind the runner.
func warnRunnerHooks(g *Group) []diag.Warning {
	container, at, found := g.runnerContainer()
	if !found || container.Lifecycle == nil {
		return nil
	}
	var w []diag.Warning
	if hook := container.Lifecycle.PostStart; hook != nil && g.Barrier().Start == v1alpha1.Enabled && g.publishesBeforeContainers() && asksOnce(hook.Exec) {
		w = append(w, diag.Warn(at.Child("lifecycle", "postStart"),
			"asks this container once, before the command has started: that waits for the other peers, and the kubelet kills a container whose hook fails; do it in the command, or ask until it answers"))
	}
	if hook := container.Lifecycle.PreStop; hook != nil && g.Barrier().End == v1alpha1.Enabled {
		if _, known := sleeps(hook); !known {
			w = append(w, diag.Warn(at.Child("lifecycle", "preStop"),
				"takes its time from terminationGracePeriodSeconds, and the runner does not know how much: if it takes more than 2 s, the kubelet can kill a peer that stays for the others (spec.barrier.end), and the exit code of its command is lost; do it in the command when it gets SIGTERM, or use preStop.sleep"))
		}
	}
	return w
}

// sleeps is how many seconds a hook sleeps, if it does nothing else.
func sleeps(hook *corev1.LifecycleHandler) (seconds int64, known bool) {
	if hook.Sleep != nil {
		return hook.Sleep.Seconds, true
	}
	if hook.Exec == nil {
		return 0, false
	}
	words := hook.Exec.Command
	if len(words) == 3 && rules.IsShell(words[0]) && words[1] == "-c" {
		words = strings.Fields(words[2])
	}
	if len(words) != 2 || path.Base(words[0]) != "sleep" {
		return 0, false
	}
	seconds, err := strconv.ParseInt(strings.TrimSuffix(words[1], "s"), 10, 32)
	return seconds, err == nil && seconds >= 0
}

// asksOnce reports whether a command of a hook asks a server of its own Pod, and does not
// try again.
func asksOnce(exec *corev1.ExecAction) bool {
	if exec == nil {
		return false
	}
	text := strings.Join(exec.Command, " ")
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
	}
	return has("localhost", "127.0.0.1", "[::1]") && has("curl", "wget", "nc ") && !has("until", "while", "for ", "retry", "||", "sleep", "tries")
}

// platform is what a label of a node says of what it runs, and which values suit the
// runner.
type platform struct {
	labels []string
	suits  []string
	detail string // with the field that wants the runner
}

var platforms = []platform{
	{[]string{corev1.LabelOSStable, "beta.kubernetes.io/os"}, []string{string(corev1.Linux)},
		"the runner of %[1]s is a program for Linux; remove %[1]s, or let the Pods run on Linux"},
	{[]string{corev1.LabelArchStable, "beta.kubernetes.io/arch"}, []string{"amd64", "arm64"},
		"the runner of %[1]s is a program for amd64 and arm64; remove %[1]s, or let the Pods run on one of these"},
}

// validatePlatform refuses Pods that no node runs on which the runner runs.
func validatePlatform(g *Group) field.ErrorList {
	return validatePlatforms(g, platforms, func(p platform) string { return fmt.Sprintf(p.detail, g.runnerField()) })
}

// ValidateLinux refuses Pods that no node with Linux runs; detail says what needs it.
func ValidateLinux(g *Group, detail string) field.ErrorList {
	return validatePlatforms(g, platforms[:1], func(platform) string { return detail })
}

// validatePlatforms refuses Pods that no node of the platforms runs. The first platform is
// that of the operating system.
func validatePlatforms(g *Group, platforms []platform, says func(platform) string) field.ErrorList {
	pod, at := &g.Template().Spec, g.PodPath()
	var errs field.ErrorList
	if pod.OS != nil && pod.OS.Name == corev1.Windows {
		errs = append(errs, field.Invalid(at.Child("os", "name"), string(corev1.Windows), says(platforms[0])))
	}
	eachWindowsOptions(g, func(options *corev1.WindowsSecurityContextOptions, path *field.Path) {
		if host := options.HostProcess; host != nil && *host {
			errs = append(errs, field.Invalid(path.Child("hostProcess"), true, says(platforms[0])))
		}
	})
	for _, p := range platforms {
		for _, key := range p.labels {
			if value, found := pod.NodeSelector[key]; found && !slices.Contains(p.suits, value) {
				errs = append(errs, field.Invalid(at.Child("nodeSelector").Key(key), value, says(p)))
			}
		}
	}
	if pod.Affinity == nil || pod.Affinity.NodeAffinity == nil || pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return errs
	}
	// One of the terms is enough for a node.
	terms := pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	detail := ""
	for _, term := range terms {
		at := slices.IndexFunc(platforms, func(p platform) bool { return slices.ContainsFunc(term.MatchExpressions, p.excludes) })
		if at < 0 {
			return errs
		}
		detail = says(platforms[at])
	}
	if detail != "" {
		errs = append(errs, field.Forbidden(at.Child("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"), "wants other nodes: "+detail))
	}
	return errs
}

// excludes reports whether a requirement keeps Pods from every node that suits.
func (p platform) excludes(r corev1.NodeSelectorRequirement) bool {
	if !slices.Contains(p.labels, r.Key) {
		return false
	}
	named := func(value string) bool { return slices.Contains(r.Values, value) }
	switch r.Operator {
	case corev1.NodeSelectorOpIn:
		return !slices.ContainsFunc(p.suits, named)
	case corev1.NodeSelectorOpNotIn:
		return !slices.ContainsFunc(p.suits, func(value string) bool { return !named(value) })
	}
	return false
}

// eachWindowsOptions calls a function for all options of the Pod that only Windows has.
func eachWindowsOptions(g *Group, do func(*corev1.WindowsSecurityContextOptions, *field.Path)) {
	if own := g.Template().Spec.SecurityContext; own != nil && own.WindowsOptions != nil {
		do(own.WindowsOptions, g.PodPath().Child("securityContext", "windowsOptions"))
	}
	g.EachContainer(func(container *corev1.Container, at *field.Path) {
		if own := container.SecurityContext; own != nil && own.WindowsOptions != nil {
			do(own.WindowsOptions, at.Child("securityContext", "windowsOptions"))
		}
	})
}

// warnWindowsOptions finds Pods that are meant for Windows and do not say so.
func warnWindowsOptions(g *Group) []diag.Warning {
	var w []diag.Warning
	eachWindowsOptions(g, func(options *corev1.WindowsSecurityContextOptions, at *field.Path) {
		if options.HostProcess == nil || !*options.HostProcess {
			w = append(w, diag.Warn(at, "does something on Windows alone, and the runner of %s is a program for Linux; remove it if the Pods run on Linux", g.runnerField()))
		}
	})
	return w
}

const (
	// runnerMemory is what the runner of a small group uses, and runnerPeerMemory what
	// each peer adds at index 0, in bytes, as measured. With less, the kernel kills it.
	runnerMemory     = 10 << 20
	runnerPeerMemory = 31 << 10
	// runnerDisk is room for the runner in its volume, and for a second copy while it is
	// replaced.
	runnerDisk = 16 << 20
)

// warnRunnerLimits finds limits that leave the runner no room. The command has the same
// ones.
func warnRunnerLimits(g *Group) []diag.Warning {
	container, at, found := g.runnerContainer()
	if !found {
		return nil
	}
	var w []diag.Warning
	need := int64(runnerMemory) + int64(g.Peers())*runnerPeerMemory
	tight := func(limits corev1.ResourceList, path *field.Path, who string, bytes int64) {
		if limit, has := limits[corev1.ResourceMemory]; has && limit.Value() < bytes {
			w = append(w, diag.Warn(path.Child("limits").Key(string(corev1.ResourceMemory)),
				"is %s, and %s needs some %d MB: the kernel kills it; set it to more", limit.String(), who, bytes>>20))
		}
	}
	tight(container.Resources.Limits, at.Child("resources"), "the runner in this container alone", need)
	installs := g.Runner().Delivery != v1alpha1.ImageVolumeDelivery
	if own := g.Runner().Resources; own != nil && installs {
		tight(own.Limits, RunnerPath.Child("resources"), "the runner, which copies itself,", runnerMemory)
	}
	if !installs {
		return w
	}
	// The limits of all containers together are that of the Pod, volumes included; or that
	// of an init container, if it is higher.
	total, first := resource.Quantity{}, (*field.Path)(nil)
	for i := range g.Template().Spec.Containers {
		limits := g.Template().Spec.Containers[i].Resources.Limits
		if limit, has := limits[corev1.ResourceEphemeralStorage]; has {
			total.Add(limit)
			if first == nil {
				first = g.PodPath().Child("containers").Index(i).Child("resources", "limits").Key(string(corev1.ResourceEphemeralStorage))
			}
		}
	}
	for i := range g.Template().Spec.InitContainers {
		if limit, has := g.Template().Spec.InitContainers[i].Resources.Limits[corev1.ResourceEphemeralStorage]; has && limit.Cmp(total) > 0 {
			total = limit
		}
	}
	if first != nil && total.Value() < runnerDisk {
		w = append(w, diag.Warn(first,
			"leaves the Pod %s of the node's disk, and the runner in its volume needs up to %d MB of it: the kubelet evicts the Pod; set it to more, or spec.runner.delivery to ImageVolume", total.String(), runnerDisk>>20))
	}
	return w
}

// processOne are programs that run as process 1 only, by what they do otherwise.
var processOne = map[string]string{
	"/init":                    "s6-overlay's /init, and most others of this name, end if they are not process 1",
	"/sbin/init":               "an init system ends, or does nothing, if it is not process 1",
	"/usr/sbin/init":           "an init system ends, or does nothing, if it is not process 1",
	"/lib/systemd/systemd":     "systemd ends if it is not process 1",
	"/usr/lib/systemd/systemd": "systemd ends if it is not process 1",
}

// warnProcessOne finds a command that wants to be process 1, which the runner is.
func warnProcessOne(g *Group) []diag.Warning {
	container, at, found := g.runnerContainer()
	if !found || len(container.Command) == 0 {
		return nil
	}
	at = at.Child("command").Index(0)
	words := slices.Concat(container.Command, container.Args)
	if why, known := processOne[path.Clean(container.Command[0])]; known {
		return []diag.Warning{diag.Warn(at, "runs behind the runner, which is process 1: %s; write the program that it starts as command", why)}
	}
	if name := path.Base(container.Command[0]); name == "tini" || name == "tini-static" {
		if len(words) > 1 && (words[1] == "-s" || words[1] == "-g" && len(words) > 2 && words[2] == "-s") {
			return nil
		}
		if slices.ContainsFunc(container.Env, func(e corev1.EnvVar) bool { return e.Name == "TINI_SUBREAPER" }) {
			return nil
		}
		return []diag.Warning{diag.Warn(at, "is not process 1 behind the runner, and says so in the log of every peer; the runner passes signals on and reaps orphans: leave it out, or write \"-s\" behind it")}
	}
	return nil
}
