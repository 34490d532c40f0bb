// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/rules"
)

// RunnerPath is the field that what the runner brings comes from.
var RunnerPath = specPath.Child("runner")

// Runner is how the runner of the group is set up. It is of use only to a group that
// has one ([Group.HasRunner]).
func (g *Group) Runner() *v1alpha1.PeerRunner { return &g.PeerJob.Spec.Runner }

// HasRunner reports whether a runner starts the command of a container.
func (g *Group) HasRunner() bool { return g.Barrier().Enabled() || g.FailurePolicy() != nil }

// runnerField is the field that asks for the runner. RestartPeerJob brings the barrier.
func (g *Group) runnerField() string {
	switch {
	case g.FailurePolicy() == nil:
		return barrierPath.String()
	case g.Restarts() || !g.Barrier().Enabled():
		return FailurePolicyPath.String()
	}
	return barrierPath.String() + " and " + FailurePolicyPath.String()
}

// RunnerContainer is the index of the container that the runner runs in, among those
// that are no init containers. With roles, it is the one that spec.runner.container names,
// or the only one. It is -1 in a group without a runner, and where it is not known which
// one.
func (g *Group) RunnerContainer() int {
	if !g.HasRunner() {
		return -1
	}
	containers := g.Template().Spec.Containers
	if name := g.Runner().Container; name != "" {
		// A role with one container needs no name for it.
		if at := slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == name }); at >= 0 || !g.HasRoles() {
			return at
		}
	}
	if len(containers) != 1 {
		return -1
	}
	return 0
}

// isRunnerContainer reports whether a container of the user's Pod template is the one
// that the runner runs in.
func (g *Group) isRunnerContainer(container *corev1.Container) bool {
	at := g.RunnerContainer()
	return at >= 0 && &g.Template().Spec.Containers[at] == container
}

// RunnerGraceSeconds is how long a container runs after SIGTERM, in seconds; nil if that
// is what the server sets, unless the group has a failure policy: then the others must
// know how long a peer takes to stop. Behind it, the kubelet kills. A preStop hook that
// sleeps takes its time from it, and a probe that fails can have a time of its own.
func (g *Group) RunnerGraceSeconds() *int64 {
	at := g.RunnerContainer()
	if at < 0 {
		return nil
	}
	container, least := &g.Template().Spec.Containers[at], int64(corev1.DefaultTerminationGracePeriodSeconds)
	if own := g.Template().Spec.TerminationGracePeriodSeconds; own != nil {
		least = *own
	}
	for _, probe := range []*corev1.Probe{container.StartupProbe, container.LivenessProbe} {
		if probe != nil && probe.TerminationGracePeriodSeconds != nil {
			least = min(least, *probe.TerminationGracePeriodSeconds)
		}
	}
	if hook := container.Lifecycle; hook != nil && hook.PreStop != nil {
		if seconds, known := sleeps(hook.PreStop); known {
			least -= seconds
		}
	}
	if least == corev1.DefaultTerminationGracePeriodSeconds && g.FailurePolicy() == nil {
		return nil
	}
	// The runner's durations have room for no more than 292 years.
	return new(min(max(least, 0), math.MaxInt32))
}

// validateRunner refuses a runner that can't run, that can't start the user's command,
// or that stands in the way of the user's containers.
func validateRunner(g *Group, brought Brought) field.ErrorList {
	r := g.Runner()
	var errs field.ErrorList
	errs = append(errs, validateRange(r.Port, v1alpha1.MinRunnerPort, v1alpha1.MaxPort, RunnerPath.Child("port"))...)
	if deliveries := []v1alpha1.RunnerDelivery{v1alpha1.InitContainerDelivery, v1alpha1.ImageVolumeDelivery}; r.Delivery != "" && !slices.Contains(deliveries, r.Delivery) {
		errs = append(errs, field.NotSupported(RunnerPath.Child("delivery"), r.Delivery, deliveries))
	}
	if r.Resources != nil && r.Delivery == v1alpha1.ImageVolumeDelivery {
		errs = append(errs, field.Forbidden(RunnerPath.Child("resources"), "are those of an init container, and the delivery ImageVolume has none; remove it"))
	}
	if r.KeySecretName != "" {
		for _, msg := range validation.IsDNS1123Subdomain(r.KeySecretName) {
			errs = append(errs, field.Invalid(RunnerPath.Child("keySecretName"), r.KeySecretName, msg))
		}
	}
	if !g.HasRunner() {
		return errs
	}
	return slices.Concat(errs,
		validateRunnerImage(r),
		validateRunnerContainer(g),
		validateRunnerCommand(g, brought),
		validateRunnerHooks(g),
		validateRunnerProbes(g),
		validateRunnerNames(g),
		validateRunnerPaths(g),
		validatePlatform(g),
		validateGone(g),
	)
}

func validateRunnerImage(r *v1alpha1.PeerRunner) field.ErrorList {
	path := RunnerPath.Child("image")
	repository, _, _ := strings.Cut(r.Image, "@")
	if at := strings.LastIndex(repository, ":"); at > strings.LastIndex(repository, "/") {
		repository = repository[:at]
	}
	switch {
	case r.Image == "":
		return field.ErrorList{field.Required(path, fmt.Sprintf(
			"this build of peerjob is not a release and has no default image; write %s:v0.1.0, or the image of another release; until it is published, \"make runner-image TAG=v0.1.0\" builds it",
			v1alpha1.RunnerRepository))}
	case strings.TrimSpace(r.Image) != r.Image:
		return field.ErrorList{field.Invalid(path, r.Image, "must not begin or end with a space")}
	case strings.HasSuffix("/"+repository, "/peerjob/peerjob"):
		return field.ErrorList{field.Invalid(path, r.Image, "is the image of peerjob; the runner has its own, "+v1alpha1.RunnerRepository)}
	}
	return nil
}

// validateRunnerContainer wants to know whose command the runner starts.
func validateRunnerContainer(g *Group) field.ErrorList {
	path, pod := RunnerPath.Child("container"), &g.Template().Spec
	name := g.Runner().Container
	names := containerNames(pod.Containers)
	switch {
	case g.HasRoles(), g.RunnerContainer() >= 0, len(names) == 0:
		return nil
	case name == "" && g.FailurePolicy() != nil:
		return nil // which takes one container
	case name == "":
		return field.ErrorList{field.Required(path, fmt.Sprintf("the Pod has several containers; name the one whose command the runner starts, of %s", diag.Listed(names, "and")))}
	case slices.Contains(containerNames(pod.InitContainers), name):
		return field.ErrorList{field.Invalid(path, name, fmt.Sprintf("is an init container, which ends before the peers start; name %s", diag.Listed(names, "or")))}
	}
	return field.ErrorList{diag.NotSupported(path, name, names)}
}

// validateRolesContainer does the same for all roles at once, because one name is for all of
// them. A role with one container needs none.
func validateRolesContainer(g *Group) field.ErrorList {
	if !g.HasRunner() {
		return nil
	}
	path, name := RunnerPath.Child("container"), g.Runner().Container
	var all, inits, several, without, common []string
	for _, role := range g.All() {
		pod := &role.Template().Spec
		own := containerNames(pod.Containers)
		all = append(all, own...)
		inits = append(inits, containerNames(pod.InitContainers)...)
		if len(own) < 2 {
			continue
		}
		if len(several) == 0 {
			common = own
		} else {
			common = slices.DeleteFunc(slices.Clone(common), func(one string) bool { return !slices.Contains(own, one) })
		}
		several = append(several, role.RoleName())
		if !slices.Contains(own, name) {
			without = append(without, fmt.Sprintf("%s has %s", role.RoleName(), strings.Join(own, ", ")))
		}
	}
	who := "the roles " + strings.Join(several, ", ") + " have several containers"
	if len(several) == 1 {
		who = "the role " + several[0] + " has several containers"
	}
	cure := fmt.Sprintf("name the one whose command the runner starts, of %s", diag.Listed(common, "and"))
	if len(common) == 0 {
		cure = "no name is in all of them: give the one whose command the runner starts the same name in each, and write it here"
	}
	switch {
	case name == "" && (len(several) == 0 || g.FailurePolicy() != nil): // which takes one container
		return nil
	case name == "":
		return field.ErrorList{field.Required(path, who+"; "+cure)}
	case len(without) > 0 && slices.Contains(inits, name) && !slices.Contains(all, name):
		return field.ErrorList{field.Invalid(path, name, "is an init container, which ends before the peers start; "+cure)}
	case len(without) > 0 && len(common) > 0:
		err := diag.NotSupported(path, name, common)
		err.Detail += " (" + who + ")"
		return field.ErrorList{err}
	case len(without) > 0:
		return field.ErrorList{field.Invalid(path, name, fmt.Sprintf("%s, and it must be in each of them: %s; %s", who, strings.Join(without, ", and "), cure))}
	case len(several) == 0 && !slices.Contains(all, name):
		slices.Sort(all)
		return field.ErrorList{diag.NotSupported(path, name, all)}
	}
	return nil
}

func containerNames(containers []corev1.Container) []string {
	names := make([]string, len(containers))
	for i := range containers {
		names[i] = containers[i].Name
	}
	return names
}

// runnerContainer returns the container that the runner runs in and its path, and false
// where it is not known.
func (g *Group) runnerContainer() (*corev1.Container, *field.Path, bool) {
	at := g.RunnerContainer()
	if at < 0 {
		return nil, nil, false
	}
	return &g.Template().Spec.Containers[at], g.PodPath().Child("containers").Index(at), true
}

// validateRunnerCommand wants a command: what an image starts by itself is written in
// the image.
func validateRunnerCommand(g *Group, brought Brought) field.ErrorList {
	container, path, found := g.runnerContainer()
	if !found || len(container.Command) > 0 || brought.Command != nil && brought.Command(container.Name) {
		return nil
	}
	image := cmp.Or(container.Image, "IMAGE")
	what, then := "Entrypoint and Cmd", "the Entrypoint as command, and the Cmd as args"
	if len(container.Args) > 0 {
		what, then = "Entrypoint", "that"
	}
	return field.ErrorList{field.Required(path.Child("command"), fmt.Sprintf(
		"the runner of %s starts it, and what an image starts by itself is not known here; %q or %q shows its %s: write %s",
		g.runnerField(), "crane config "+image, "docker inspect "+image, what, then))}
}

// Defaults of a probe, in seconds and failures.
const (
	defaultProbePeriod    = 10
	defaultProbeThreshold = 3
	// forever is longer than anything runs, in seconds: 68 years.
	forever = 1<<31 - 1
)

// probeSeconds is the earliest time after the start of a container at which the kubelet
// kills it because nothing answers a probe.
func probeSeconds(p *corev1.Probe) int64 {
	period, threshold := int64(cmp.Or(p.PeriodSeconds, defaultProbePeriod)), int64(cmp.Or(p.FailureThreshold, defaultProbeThreshold))
	return int64(p.InitialDelaySeconds) + (threshold-1)*period
}

// neededThreshold is the least failureThreshold with which a probe leaves a container
// alone for so many seconds.
func neededThreshold(p *corev1.Probe, seconds int64) int64 {
	period := int64(max(cmp.Or(p.PeriodSeconds, defaultProbePeriod), 1))
	return max(seconds-int64(p.InitialDelaySeconds)+period-1, 0)/period + 1
}

// validateRunnerProbes refuses a probe that can kill a peer while its command does not
// run: before it, while it waits for the others, and behind it.
func validateRunnerProbes(g *Group) field.ErrorList {
	container, path, found := g.runnerContainer()
	if !found {
		return nil
	}
	return append(validateProbeAtStart(g, container, path), validateProbeAtEnd(g, container, path)...)
}

// validateProbeAtStart looks at the first probe that can kill: a liveness probe begins
// when the startup probe has succeeded.
func validateProbeAtStart(g *Group, container *corev1.Container, path *field.Path) field.ErrorList {
	if g.Barrier().Start != v1alpha1.Enabled || g.Restarts() && container.StartupProbe == nil {
		return nil // a group that restarts takes no liveness probe
	}
	wait := int64(*g.Barrier().StartTimeoutSeconds)
	limit := fmt.Sprintf("while it waits for the others (spec.barrier.startTimeoutSeconds is %d)", wait)
	if wait == 0 {
		wait = forever
	}
	dangerous := func(p *corev1.Probe) bool { return p != nil && g.asksCommand(p, container) && probeSeconds(p) < wait }
	startup, liveness := container.StartupProbe, container.LivenessProbe
	switch {
	case startup != nil && !dangerous(startup), startup == nil && !dangerous(liveness):
		return nil
	case startup != nil && wait == forever:
		return field.ErrorList{threshold(startup, path.Child("startupProbe"), fmt.Sprintf(
			"the probe can kill a peer after %d s, %s: no number is enough; set startTimeoutSeconds to more than 0, or remove the probe", probeSeconds(startup), limit))}
	case startup != nil:
		return field.ErrorList{threshold(startup, path.Child("startupProbe"), fmt.Sprintf(
			"the probe can kill a peer after %d s, %s; set it to at least %d", probeSeconds(startup), limit, neededThreshold(startup, wait)))}
	case wait == forever:
		return field.ErrorList{threshold(liveness, path.Child("livenessProbe"), fmt.Sprintf(
			"the probe can kill a peer after %d s, %s: no number is enough; set startTimeoutSeconds to more than 0, or remove the probe", probeSeconds(liveness), limit))}
	}
	every := &corev1.Probe{PeriodSeconds: cmp.Or(liveness.PeriodSeconds, defaultProbePeriod)}
	return field.ErrorList{field.Required(path.Child("startupProbe"), fmt.Sprintf(
		"the livenessProbe can kill a peer after %d s, %s; add a startupProbe of the same kind, with periodSeconds %d and a failureThreshold of at least %d: the livenessProbe waits for it",
		probeSeconds(liveness), limit, every.PeriodSeconds, neededThreshold(every, wait)))}
}

func validateProbeAtEnd(g *Group, container *corev1.Container, path *field.Path) field.ErrorList {
	if g.Barrier().End != v1alpha1.Enabled || g.Restarts() {
		return nil // a group that restarts takes no such probe, and no kubelet that starts a container again
	}
	liveness, stay := container.LivenessProbe, int64(*g.Barrier().EndTimeoutSeconds)
	if liveness == nil || !g.restarts(container) || !g.asksCommand(liveness, container) || probeSeconds(liveness) >= stay {
		return nil
	}
	return field.ErrorList{threshold(liveness, path.Child("livenessProbe"), fmt.Sprintf(
		"the kubelet can run a command again that has ended, while the peer stays for the others (spec.barrier.endTimeoutSeconds is %d): it starts a container again that a probe has killed; set it to at least %d, or restartPolicy to Never",
		stay, neededThreshold(liveness, stay)))}
}

// threshold is an error about the number of failures after which a probe kills.
func threshold(p *corev1.Probe, path *field.Path, detail string) *field.Error {
	if p.FailureThreshold == 0 {
		return field.Required(path.Child("failureThreshold"), detail)
	}
	return field.Invalid(path.Child("failureThreshold"), p.FailureThreshold, detail)
}

// restarts reports whether the kubelet starts a container again that it killed.
func (g *Group) restarts(container *corev1.Container) bool {
	if own := container.RestartPolicy; own != nil {
		return *own != corev1.ContainerRestartPolicyNever
	}
	return g.Template().Spec.RestartPolicy == corev1.RestartPolicyOnFailure
}

// asksCommand reports whether the answer to a probe may come from the command of the
// container: not from another host, another container or the runner itself.
func (g *Group) asksCommand(p *corev1.Probe, container *corev1.Container) bool {
	var host string
	var port int32
	switch {
	case p.HTTPGet != nil:
		host, port = p.HTTPGet.Host, p.HTTPGet.Port.IntVal
	case p.TCPSocket != nil:
		host, port = p.TCPSocket.Host, p.TCPSocket.Port.IntVal
	case p.GRPC != nil:
		port = p.GRPC.Port
	}
	if host != "" && host != "localhost" && host != "127.0.0.1" && host != "::1" {
		return false
	}
	if port == 0 {
		return true
	}
	if port == *g.Runner().Port && p.TCPSocket != nil {
		return false
	}
	declares := func(c *corev1.Container) bool {
		return slices.ContainsFunc(c.Ports, func(declared corev1.ContainerPort) bool { return declared.ContainerPort == port })
	}
	if declares(container) {
		return true
	}
	other := false
	g.EachContainer(func(c *corev1.Container, _ *field.Path) { other = other || declares(c) })
	return !other
}

// validateRunnerNames refuses containers, volumes and ports that are the runner's.
func validateRunnerNames(g *Group) field.ErrorList {
	var errs field.ErrorList
	g.EachContainer(func(container *corev1.Container, path *field.Path) {
		if container.Name == v1alpha1.RunnerInstall && g.Runner().Delivery != v1alpha1.ImageVolumeDelivery {
			errs = append(errs, field.Invalid(path.Child("name"), container.Name, "is a container of spec.runner; choose another name"))
		}
		for i, port := range container.Ports {
			if port.Name == v1alpha1.RunnerName && port.ContainerPort != *g.Runner().Port {
				errs = append(errs, field.Invalid(path.Child("ports").Index(i).Child("name"), port.Name, "is the name of the runner's port; choose another name"))
			}
			if port.ContainerPort == *g.Runner().Port && cmp.Or(port.Protocol, corev1.ProtocolTCP) == corev1.ProtocolTCP {
				errs = append(errs, field.Invalid(RunnerPath.Child("port"), *g.Runner().Port, fmt.Sprintf(
					"is a port of container %q, too; choose another", container.Name)))
			}
		}
	})
	for i, port := range g.PeerJob.Spec.Service.Ports {
		if port.Name == v1alpha1.RunnerName && port.Port != *g.Runner().Port {
			errs = append(errs, field.Invalid(servicePath.Child("ports").Index(i).Child("name"), port.Name, fmt.Sprintf(
				"is the name of the runner's port, %d; choose another name", *g.Runner().Port)))
		}
	}
	for i, volume := range g.Template().Spec.Volumes {
		if volume.Name == v1alpha1.RunnerName || volume.Name == v1alpha1.RunnerKey && g.Runner().KeySecretName != "" {
			errs = append(errs, field.Invalid(g.PodPath().Child("volumes").Index(i).Child("name"), volume.Name, "is a volume of spec.runner; choose another name"))
		}
	}
	return errs
}

// validateRunnerPaths refuses what the user wants to find where the runner is mounted.
func validateRunnerPaths(g *Group) field.ErrorList {
	container, at, found := g.runnerContainer()
	if !found {
		return nil
	}
	var errs field.ErrorList
	refuse := func(path *field.Path, value string) {
		for _, directory := range g.runnerDirectories() {
			if clean := cleanPath(value); clean == directory || strings.HasPrefix(clean, directory+"/") {
				errs = append(errs, field.Invalid(path, value, fmt.Sprintf("is where spec.runner mounts what it needs, %s; choose another path", directory)))
			}
		}
	}
	for i, mount := range container.VolumeMounts {
		refuse(at.Child("volumeMounts").Index(i).Child("mountPath"), mount.MountPath)
	}
	for i, device := range container.VolumeDevices {
		refuse(at.Child("volumeDevices").Index(i).Child("devicePath"), device.DevicePath)
	}
	for i := range g.PeerJob.Spec.Files {
		if file := &g.PeerJob.Spec.Files[i]; HasFile(file, container.Name, false) {
			refuse(FilesPath.Index(i).Child("path"), file.Path)
		}
	}
	if container.WorkingDir != "" {
		refuse(at.Child("workingDir"), container.WorkingDir)
	}
	if container.TerminationMessagePath != "" {
		refuse(at.Child("terminationMessagePath"), container.TerminationMessagePath)
	}
	if len(container.Command) > 0 && path.IsAbs(container.Command[0]) {
		refuse(at.Child("command").Index(0), container.Command[0])
	}
	return errs
}

// runnerDirectories are the directories that the runner has in its container.
func (g *Group) runnerDirectories() []string {
	if g.Runner().KeySecretName == "" {
		return []string{v1alpha1.RunnerDirectory}
	}
	return []string{v1alpha1.RunnerDirectory, v1alpha1.RunnerKeyDirectory}
}

// cleanPath is a path in a container as the kubelet reads it.
func cleanPath(text string) string { return path.Clean("/" + text) }

// validateGone refuses a rule for the exit code of a container that earlier builds of
// peerjob added.
func validateGone(g *Group) field.ErrorList {
	policy := g.Job.PodFailurePolicy
	container, _, found := g.runnerContainer()
	if policy == nil || !found {
		return nil
	}
	own := map[string]bool{}
	g.EachContainer(func(c *corev1.Container, _ *field.Path) { own[c.Name] = true })
	var errs field.ErrorList
	for i, rule := range policy.Rules {
		codes := rule.OnExitCodes
		if codes == nil || codes.ContainerName == nil || own[*codes.ContainerName] {
			continue
		}
		if name := *codes.ContainerName; name == "peerjob-barrier" || name == "peerjob-barrier-start" {
			path := g.Path.Child("podFailurePolicy", "rules").Index(i).Child("onExitCodes", "containerName")
			errs = append(errs, field.Invalid(path, name, fmt.Sprintf(
				"is not a container of the Pod; the container that the runner starts exits with 75 if a peer does not come; write %q", container.Name)))
		}
	}
	return errs
}

// warnRunner returns what is probably not meant about the runner.
func warnRunner(g *Group) []diag.Warning {
	if !g.HasRunner() {
		if *g.Barrier() == (v1alpha1.PeerBarrier{}) && *g.Runner() != (v1alpha1.PeerRunner{}) {
			return []diag.Warning{diag.Warn(RunnerPath, "does nothing without spec.barrier and spec.failurePolicy; set spec.barrier.start or spec.barrier.end to Enabled, set spec.failurePolicy.action, or remove it")}
		}
		return nil
	}
	var w []diag.Warning
	if g.Barrier().Start == v1alpha1.Enabled {
		w = append(w, warnInitContainers(g)...)
	}
	return slices.Concat(w, warnQOS(g), warnGrace(g), warnRunnerHooks(g), warnRunnerLimits(g), warnProcessOne(g), warnWindowsOptions(g))
}

// leastGrace is how long a runner needs after SIGTERM, in seconds: it passes the signal on,
// waits for the command and tells the others.
const leastGrace = 2

// warnGrace finds a Pod that is killed before its runner has ended the command.
func warnGrace(g *Group) []diag.Warning {
	grace := g.RunnerGraceSeconds()
	if grace == nil || *grace >= leastGrace {
		return nil
	}
	container, at, _ := g.runnerContainer()
	path, why := g.PodPath().Child("terminationGracePeriodSeconds"), "is"
	if own := g.Template().Spec.TerminationGracePeriodSeconds; own == nil || *own >= leastGrace {
		switch {
		case isShort(container.StartupProbe):
			path = at.Child("startupProbe", "terminationGracePeriodSeconds")
		case isShort(container.LivenessProbe):
			path = at.Child("livenessProbe", "terminationGracePeriodSeconds")
		default:
			path, why = at.Child("lifecycle", "preStop"), "leaves"
		}
	}
	return []diag.Warning{diag.Warn(path, "%s %d s after SIGTERM, and then the kubelet kills the runner, which has no time to pass the signal to the command and to tell the other peers; give it %d s or more", why, *grace, leastGrace)}
}

func isShort(probe *corev1.Probe) bool {
	return probe != nil && probe.TerminationGracePeriodSeconds != nil && *probe.TerminationGracePeriodSeconds < leastGrace
}

// warnInitContainers finds init containers that may wait for a peer. It runs before the
// barrier, and the command of that peer behind it.
func warnInitContainers(g *Group) []diag.Warning {
	named := func(text rules.Text) string {
		for _, role := range g.All() {
			if peer := (rules.PeerNames{Job: role.JobName, Service: g.ServiceName(), Peers: role.Peers()}).Named(text); peer != "" {
				return peer
			}
		}
		return ""
	}
	var w []diag.Warning
	for i := range g.Template().Spec.InitContainers {
		container := &g.Template().Spec.InitContainers[i]
		if rules.IsSidecar(container) {
			continue
		}
		for _, text := range rules.Texts(container, g.PodPath().Child("initContainers").Index(i)) {
			if peer := named(text); peer != "" {
				w = append(w, diag.Warn(text.Path(),
					"names the peer %s, and runs before the start barrier, when no command of a peer runs; if it waits for one, it waits forever: wait in the command of container %q, which starts when all peers are there",
					peer, g.runnerName()))
				break
			}
		}
	}
	return w
}

// runnerName is the name of the container that the runner runs in, "" where it is not
// known.
func (g *Group) runnerName() string {
	if container, _, found := g.runnerContainer(); found {
		return container.Name
	}
	return ""
}

// warnQOS finds resources of the init container that take a Pod its class: every other
// container is Guaranteed.
func warnQOS(g *Group) []diag.Warning {
	pod := &g.Template().Spec
	if g.Runner().Resources == nil || pod.Resources != nil || isGuaranteed(g.Runner().Resources) || len(pod.Containers) == 0 {
		return nil
	}
	all := true
	g.EachContainer(func(container *corev1.Container, _ *field.Path) { all = all && isGuaranteed(&container.Resources) })
	if !all {
		return nil
	}
	return []diag.Warning{diag.Warn(RunnerPath.Child("resources"),
		"makes the Pod Burstable, and all other containers are Guaranteed; remove it, or set limits of CPU and memory that equal the requests")}
}

// isGuaranteed reports whether a container has limits of CPU and memory that equal its
// requests. The server makes a request of a limit.
// See https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/#guaranteed.
func isGuaranteed(r *corev1.ResourceRequirements) bool {
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		limit, found := r.Limits[name]
		request, requested := r.Requests[name]
		if !found || limit.IsZero() || requested && request.Cmp(limit) != 0 {
			return false
		}
	}
	return true
}
