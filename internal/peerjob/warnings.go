// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/rules"
)

// Warn returns what is probably not meant in a group that [Validate] lets through, in all
// groups of a PeerJob with roles.
func Warn(g *Group, brings Brings) []diag.Warning {
	var w []diag.Warning
	for _, role := range g.All() {
		w = append(w, warnGroup(role, brings.to(role))...)
	}
	return append(w, warnRoles(g, brings)...)
}

func warnGroup(g *Group, brought Brought) []diag.Warning {
	service, job, template := g.draft()
	ports := g.containerPorts()
	return slices.Concat(
		rules.TargetPorts(service, g.allPorts(), servicePath.Child("ports")),
		warnTTL(g),
		warnNetworkPolicy(g),
		warnBarrier(g),
		warnFiles(g),
		warnFailurePolicy(g, g.Job.SuccessPolicy != nil || brought.Success),
		warnMounts(g),
		warnPrograms(g),
		warnRunner(g),
		warnPod(g),
		warnContainers(g),
		rules.HostNetwork(template, job, ports, brought.Ports, g.TemplatePath()),
		rules.References(template, brought.variables(g), g.TemplatePath()),
		rules.Unexpanded(template, brought.variables(g), g.TemplatePath()),
		rules.MetadataFields(template, g.TemplatePath()),
		rules.OneWord(template, g.TemplatePath()),
		rules.Images(template, g.TemplatePath()),
		rules.Capabilities(template, g.TemplatePath()),
		warnBareNames(g),
		warnSpread(g),
		warnGroupSize(g),
		warnCounts(g, brought),
	)
}

// warnCounts finds numbers of peers that are none. In a PeerJob with roles, the number may
// be that of any role, or of several; in a container that runs the framework, only of those
// that run it.
func warnCounts(g *Group, brought Brought) []diag.Warning { return CountsIn(g, brought, g.Template()) }

// CountsIn finds the same in the Pod template of a group whose variables have values that
// the group alone does not know.
func CountsIn(g *Group, brought Brought, template *corev1.PodTemplateSpec) []diag.Warning {
	if g.Job.Completions == nil {
		g = g.WithPeers(0)
	}
	_, job, _ := g.draft()
	var roles []int32
	for _, role := range g.All() {
		roles = append(roles, role.Peers())
	}
	rolesOf := func(container string) ([]int32, string) {
		if brought.Peers != nil {
			if own := brought.Peers(container); len(own) > 0 {
				return own, " in the roles that run it (spec.framework)"
			}
		}
		return roles, " in all roles"
	}
	return rules.CountsOfContainers(template, job, brought.Processes, "$("+v1alpha1.EnvSize+")", rolesOf, g.TemplatePath())
}

// warnGroupSize finds sizes of a gang that the peers do not reach.
func warnGroupSize(g *Group) []diag.Warning {
	type values struct {
		path   *field.Path
		values map[string]string
	}
	all := []values{
		{metadataPath.Child("labels"), g.PeerJob.Labels},
		{metadataPath.Child("annotations"), g.PeerJob.Annotations},
	}
	for _, own := range g.JobMetas() {
		all = append(all, values{own.Path.Child("labels"), own.Labels}, values{own.Path.Child("annotations"), own.Annotations})
	}
	for _, own := range g.TemplateMetas() {
		all = append(all, values{own.Path.Child("labels"), own.Labels}, values{own.Path.Child("annotations"), own.Annotations})
	}
	var w []diag.Warning
	for _, m := range all {
		// A gang may be of all roles.
		w = append(w, rules.GroupSize(m.values, int32(min(g.Total(), v1alpha1.MaxPeers)), m.path)...)
	}
	return w
}

// gitOpsTools are the tools that keep a cluster as a repository says, by the domains of
// annotations that only their users write.
var gitOpsTools = map[string]string{
	"argocd.argoproj.io":             "Argo CD",
	"kustomize.toolkit.fluxcd.io":    "Flux",
	"configmanagement.gke.io":        "Config Sync",
	"configsync.gke.io":              "Config Sync",
	"client.lifecycle.config.k8s.io": "Config Sync",
}

// argoHook makes a Job a hook of Argo CD, which does not miss it afterwards.
const argoHook = "argocd.argoproj.io/hook"

// warnTTL finds a Job that removes itself under a tool that puts it back.
func warnTTL(g *Group) []diag.Warning {
	annotations := map[string]string{}
	maps.Copy(annotations, g.PeerJob.Annotations)
	for _, own := range g.JobMetas() {
		maps.Copy(annotations, own.Annotations)
	}
	if _, hook := annotations[argoHook]; hook || g.Job.TTLSecondsAfterFinished == nil {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		domain, _, _ := strings.Cut(key, "/")
		if tool, found := gitOpsTools[domain]; found {
			return []diag.Warning{diag.Warn(g.FieldPath("ttlSecondsAfterFinished"),
				"%s (annotation %s) makes the Job again when it is gone, and it runs once more; leave it out", tool, key)}
		}
	}
	return nil
}

// warnRoles finds what is different for a group of several Jobs.
func warnRoles(g *Group, brings Brings) []diag.Warning {
	if len(g.All()) < 2 {
		return nil
	}
	var w []diag.Warning
	queue := func(path *field.Path, values map[string]string) {
		if _, found := values[rules.QueueLabel]; found {
			w = append(w, diag.Warn(path.Key(rules.QueueLabel),
				"Kueue admits each of the %d Jobs for itself, and those that it admits hold their resources while they wait for the others; give the queue room for all roles, or let the group fail with spec.barrier.startTimeoutSeconds", len(g.All())))
		}
	}
	queue(metadataPath.Child("labels"), g.PeerJob.Labels)
	queue(specPath.Child("job", "labels"), g.PeerJob.Spec.Job.Labels)
	for _, role := range g.All() {
		queue(role.Path.Child("job", "labels"), role.Role.Job.Labels)
	}
	return slices.Concat(w, warnRolePorts(g), warnSuspendedRoles(g, brings), warnWaiting(g))
}

// warnRolePorts finds ports of the node that two roles have: two of their peers do not fit on
// one node. Within a role, [rules.HostNetwork] finds them.
func warnRolePorts(g *Group) []diag.Warning {
	var w []diag.Warning
	for i, role := range g.All() {
		for _, other := range g.All()[:i] {
			port, path, found := sharedNodePort(role, other)
			if !found || role.keepsAwayFrom(other) || other.keepsAwayFrom(role) {
				continue
			}
			w = append(w, diag.Warn(path, "the port %d is a port of the node, and the role %s has it, too: a peer that finds only nodes with a peer of the other role stays Pending; choose another port, or keep the roles apart with a required podAntiAffinity on kubernetes.io/hostname",
				port, other.RoleName()))
			break
		}
	}
	return w
}

// sharedNodePort returns a port of the node that two roles have, and the field of it in the
// first one.
func sharedNodePort(role, other *Group) (int32, *field.Path, bool) {
	type port struct {
		number   int32
		protocol corev1.Protocol
	}
	taken := map[port]bool{}
	other.eachNodePort(func(number int32, protocol corev1.Protocol, _ *field.Path) { taken[port{number, protocol}] = true })
	var shared int32
	var at *field.Path
	role.eachNodePort(func(number int32, protocol corev1.Protocol, path *field.Path) {
		if at == nil && taken[port{number, protocol}] {
			shared, at = number, path
		}
	})
	return shared, at, at != nil
}

// eachNodePort visits the ports of the node that a Pod takes: its host ports, and on the host
// network every port, with that of the runner.
func (g *Group) eachNodePort(visit func(number int32, protocol corev1.Protocol, path *field.Path)) {
	onHost := g.Template().Spec.HostNetwork
	g.EachContainer(func(container *corev1.Container, path *field.Path) {
		for i, port := range container.Ports {
			number, at := port.HostPort, path.Child("ports").Index(i).Child("hostPort")
			if onHost {
				number, at = port.ContainerPort, g.PodPath().Child("hostNetwork")
			}
			if number > 0 {
				visit(number, cmp.Or(port.Protocol, corev1.ProtocolTCP), at)
			}
		}
	})
	if onHost && g.HasRunner() {
		visit(*g.Runner().Port, corev1.ProtocolTCP, g.PodPath().Child("hostNetwork"))
	}
}

// keepsAwayFrom reports whether the Pods of a role are kept off the nodes of another one's.
func (g *Group) keepsAwayFrom(other *Group) bool {
	affinity := g.Template().Spec.Affinity
	if affinity == nil || affinity.PodAntiAffinity == nil {
		return false
	}
	pod := labels.Merge(labels.Merge(labels.Set{v1alpha1.NameLabel: other.JobName, batchv1.JobNameLabel: other.JobName}, other.Template().Labels), other.SelectorLabels())
	return slices.ContainsFunc(affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution, func(term corev1.PodAffinityTerm) bool {
		selector, err := metav1.LabelSelectorAsSelector(term.LabelSelector)
		return term.TopologyKey == corev1.LabelHostname && err == nil && selector.Matches(pod)
	})
}

// warnWaiting finds roles that wait for others, and would wait forever when those have failed.
func warnWaiting(g *Group) []diag.Warning {
	b := g.Barrier()
	limited := b.Start == v1alpha1.Enabled && b.StartTimeoutSeconds != nil && *b.StartTimeoutSeconds > 0
	if !g.HasRunner() || g.FailurePolicy() != nil || limited {
		return nil
	}
	var waiting []string
	for _, role := range g.All() {
		if len(role.Role.DependsOn) > 0 && role.Job.ActiveDeadlineSeconds == nil {
			waiting = append(waiting, role.RoleName())
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	return []diag.Warning{diag.Warn(FailurePolicyPath,
		"the peers of %s wait for another role (dependsOn) without a limit, and nobody tells them if it fails; write {action: FailPeerJob}, or set spec.barrier.start to Enabled with a startTimeoutSeconds, or activeDeadlineSeconds", strings.Join(waiting, ", "))}
}

// warnSuspendedRoles finds roles whose Job is suspended while others that run wait for them.
func warnSuspendedRoles(g *Group, brings Brings) []diag.Warning {
	var w []diag.Warning
	for _, role := range g.All() {
		if !role.isSuspended() {
			continue
		}
		var waiting, resumed []string
		why := waitsNot
		for _, other := range g.All() {
			if other.isSuspended() {
				continue
			}
			if own := other.waitsFor(role, brings); own != waitsNot {
				waiting = append(waiting, other.RoleName())
				why = min(why, own)
			}
			if other.Role.Suspend != nil {
				resumed = append(resumed, other.FieldPath("suspend").String())
			}
		}
		if len(waiting) == 0 {
			continue
		}
		path, cure := role.FieldPath("suspend"), "suspend all roles with spec.suspend"
		if shared := g.PeerJob.Spec.Suspend; shared != nil && *shared {
			// Those that run have a suspend of their own.
			path, cure = specPath.Child("suspend"), "remove "+strings.Join(resumed, " and ")
			if len(resumed) == 1 {
				path = field.NewPath(resumed[0])
			}
		}
		w = append(w, diag.Warn(path, "the Job of the role %s has no Pods while it is suspended, and the peers of %s %s; %s, or resume the Job soon",
			role.RoleName(), strings.Join(waiting, ", "), g.howLong(why, role), cure))
	}
	return w
}

// wait is why a role waits for another one. The first one that holds is said.
type wait int

const (
	waitsDependsOn wait = iota
	waitsBarrier
	waitsFramework
	waitsSuccess
	waitsNot
)

// waitsFor is why a role waits for the peers of another one.
func (g *Group) waitsFor(other *Group, brings Brings) wait {
	decide := g.SuccessRoles()
	switch runner := g.HasRunner(); {
	case runner && slices.ContainsFunc(g.Role.DependsOn, func(d v1alpha1.RoleDependency) bool { return d.Name == other.RoleName() }):
		return waitsDependsOn
	case runner && g.Barrier().Start == v1alpha1.Enabled:
		return waitsBarrier
	case brings.to(g).Together && brings.to(other).Together:
		return waitsFramework
	case runner && g.isTold() && slices.Contains(decide, other.RoleName()):
		return waitsSuccess
	}
	return waitsNot
}

// howLong says how long peers wait for a role, and why.
func (g *Group) howLong(why wait, role *Group) string {
	switch why {
	case waitsFramework:
		return fmt.Sprintf("run %s with them (spec.framework), and wait as long as it does", g.PeerJob.Spec.Framework.Type)
	case waitsSuccess:
		return fmt.Sprintf("are not told to end before %s is Complete (spec.successRoles)", role.RoleName())
	}
	field := map[wait]string{waitsDependsOn: "dependsOn", waitsBarrier: "spec.barrier.start"}[why]
	if seconds := g.Barrier().StartTimeoutSeconds; seconds != nil && *seconds > 0 {
		return fmt.Sprintf("wait for them (%s) and fail after %d s (spec.barrier.startTimeoutSeconds)", field, *seconds)
	}
	return "wait for them (" + field + ") and have no limit (spec.barrier.startTimeoutSeconds)"
}

// isSuspended reports whether the Job of the group starts suspended.
func (g *Group) isSuspended() bool { return g.Job.Suspend != nil && *g.Job.Suspend }
