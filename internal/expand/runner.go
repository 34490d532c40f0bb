// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

const (
	// nobody is the user that the runner's image runs as.
	nobody = 65534
	// runnerVolumeSize is room for two copies of the runner, which are there while it is
	// replaced.
	runnerVolumeSize = "32Mi"
	// endOfFlags is between the runner's flags and the command that it runs. No flag is like it.
	endOfFlags = "--"
)

// addRunner puts the runner in front of the command of a container. Everything else has
// been added to the Job.
func addRunner(g *peerjob.Group, job *batchv1.Job) {
	at := g.RunnerContainer()
	if at < 0 {
		return
	}
	pod := &job.Spec.Template.Spec
	container, runner := &pod.Containers[at], g.Runner()
	container.Command = slices.Concat(runnerCommand(g, job, container), container.Command)
	container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: v1alpha1.RunnerName, MountPath: v1alpha1.RunnerDirectory, ReadOnly: true})
	pod.Volumes = append(pod.Volumes, runnerVolume(runner))
	if runner.Delivery != v1alpha1.ImageVolumeDelivery {
		// First, so that every other init container finds room and time as before.
		pod.InitContainers = append([]corev1.Container{installContainer(runner, container)}, pod.InitContainers...)
	}
	if runner.KeySecretName != "" {
		container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: v1alpha1.RunnerKey, MountPath: v1alpha1.RunnerKeyDirectory, ReadOnly: true})
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: v1alpha1.RunnerKey, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: runner.KeySecretName,
			// A Secret without the key keeps the Pod from starting, with an event.
			Items: []corev1.KeyToPath{{Key: v1alpha1.RunnerKeyFile, Path: v1alpha1.RunnerKeyFile}},
		}}})
	}
	if pod.HostNetwork {
		// It is a port of the node, which the scheduler must know.
		container.Ports = append(container.Ports, corev1.ContainerPort{Name: v1alpha1.RunnerName, ContainerPort: *runner.Port})
	}
}

// runnerCommand is what stands before the user's command.
func runnerCommand(g *peerjob.Group, job *batchv1.Job, container *corev1.Container) []string {
	command := []string{v1alpha1.RunnerProgram, "run", fmt.Sprintf("--port=%d", *g.Runner().Port)}
	if g.Barrier().Start == v1alpha1.Enabled {
		command = append(command, fmt.Sprintf("--start-timeout=%ds", *g.Barrier().StartTimeoutSeconds))
	}
	if g.Barrier().End == v1alpha1.Enabled {
		// None in a group that restarts: who has ended must be able to run again.
		command = append(command, fmt.Sprintf("--end-timeout=%ds", orZero(g.Barrier().EndTimeoutSeconds)))
	}
	if g.Barrier().End == v1alpha1.Enabled || g.FailurePolicy() != nil {
		// Who fails after the Job has succeeded fails nobody else.
		for _, until := range successes(job.Spec.SuccessPolicy) {
			command = append(command, "--until="+until)
		}
	}
	command = append(command, roleFlags(g)...)
	command = append(command, policyFlags(g)...)
	if grace := g.RunnerGraceSeconds(); grace != nil && (g.Barrier().End == v1alpha1.Enabled || g.FailurePolicy() != nil || g.SuccessRoles() != nil) {
		command = append(command, fmt.Sprintf("--grace-period=%ds", *grace))
	}
	if hook := container.Lifecycle; hook != nil && hook.StopSignal != nil && *hook.StopSignal != corev1.SIGTERM {
		command = append(command, "--stop-signal="+literal(string(*hook.StopSignal)))
	}
	if container.TerminationMessagePath != "" {
		command = append(command, "--termination-message="+literal(container.TerminationMessagePath))
	}
	if g.Runner().KeySecretName != "" {
		command = append(command, "--key-file="+v1alpha1.RunnerKeyDirectory+"/"+v1alpha1.RunnerKeyFile)
	}
	return append(command, endOfFlags)
}

// roleFlags are the flags of the runner that tell it of the roles.
func roleFlags(g *peerjob.Group) []string {
	if !g.HasRoles() {
		return nil
	}
	var flags []string
	for _, role := range g.All() {
		flags = append(flags, fmt.Sprintf("%s%s:%d", v1alpha1.RunnerRole, role.RoleName(), role.Peers()))
	}
	for _, dependency := range g.Role.DependsOn {
		flags = append(flags, fmt.Sprintf("--depends-on=%s:%s", dependency.Name, dependency.Status))
	}
	for _, name := range g.SuccessRoles() {
		flags = append(flags, "--success-role="+name)
	}
	return flags
}

// policyFlags are the flags of the runner that come from the failure policy.
func policyFlags(g *peerjob.Group) []string {
	policy := g.FailurePolicy()
	if policy == nil {
		return nil
	}
	flags := []string{v1alpha1.RunnerOnFailure + string(policy.Action)}
	if policy.Restarts() {
		flags = append(flags, fmt.Sprintf("--max-restarts=%d", orZero(policy.MaxRestarts)), fmt.Sprintf("--backoff=%ds", orZero(policy.BackoffSeconds)))
	}
	if policy.OnDisruption != "" {
		flags = append(flags, "--on-disruption="+string(policy.OnDisruption))
	}
	for _, rule := range g.ExitCodeRules() {
		codes := make([]string, len(rule.OnExitCodes.Values))
		for i, code := range rule.OnExitCodes.Values {
			codes[i] = strconv.Itoa(int(code))
		}
		flags = append(flags, fmt.Sprintf("--exit-code-rule=%s:%s:%s", rule.Action, rule.OnExitCodes.Operator, strings.Join(codes, ",")))
	}
	return flags
}

// orZero is a number that may not be set.
func orZero(n *int32) int32 { return *cmp.Or(n, new(int32(0))) }

// literal is a text in which the kubelet expands no "$(NAME)".
func literal(text string) string { return strings.ReplaceAll(text, "$", "$$") }

func runnerVolume(runner *v1alpha1.PeerRunner) corev1.Volume {
	volume := corev1.Volume{Name: v1alpha1.RunnerName}
	if runner.Delivery == v1alpha1.ImageVolumeDelivery {
		volume.Image = &corev1.ImageVolumeSource{Reference: runner.Image, PullPolicy: runner.ImagePullPolicy}
	} else {
		volume.EmptyDir = &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse(runnerVolumeSize))}
	}
	return volume
}

// installContainer copies the runner to its volume. Its security context is what the
// Pod Security Standard "restricted" asks for.
// See https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted.
func installContainer(runner *v1alpha1.PeerRunner, container *corev1.Container) corev1.Container {
	return corev1.Container{
		Name:            v1alpha1.RunnerInstall,
		Image:           runner.Image,
		ImagePullPolicy: runner.ImagePullPolicy,
		Args:            []string{"install", v1alpha1.RunnerDirectory},
		Resources:       installResources(runner, container),
		VolumeMounts:    []corev1.VolumeMount{{Name: v1alpha1.RunnerName, MountPath: v1alpha1.RunnerDirectory}},
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			ReadOnlyRootFilesystem:   new(true),
			RunAsNonRoot:             new(true),
			RunAsUser:                new(int64(nobody)),
			RunAsGroup:               new(int64(nobody)),
			SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
}

// installResources are those of the container that the runner runs in, which runs later:
// so a Pod asks for nothing more, keeps its QoS class, and passes the LimitRange that the
// container passes.
func installResources(runner *v1alpha1.PeerRunner, container *corev1.Container) corev1.ResourceRequirements {
	if runner.Resources != nil {
		return *runner.Resources.DeepCopy()
	}
	return corev1.ResourceRequirements{Limits: common(container.Resources.Limits), Requests: common(container.Resources.Requests)}
}

// common returns the resources that every container uses: no devices, no huge pages.
func common(list corev1.ResourceList) corev1.ResourceList {
	var found corev1.ResourceList
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		if quantity, has := list[name]; has {
			if found == nil {
				found = corev1.ResourceList{}
			}
			found[name] = quantity.DeepCopy()
		}
	}
	return found
}

// runnerVolumeOrigins records that the volumes of the runner came from spec.runner.
// Volumes of the user's with their names are before them.
func runnerVolumeOrigins(from *origin.Map, g *peerjob.Group, volumes []corev1.Volume, at *field.Path) {
	if g.RunnerContainer() < 0 {
		return
	}
	last := len(volumes)
	if g.Runner().KeySecretName != "" {
		last--
		from.AllElements(at, last, last+1, peerjob.RunnerPath.Child("keySecretName"))
	}
	from.AllElements(at, last-1, last, peerjob.RunnerPath)
	image := at.Index(last - 1).Child("image")
	from.All(image.Child("reference"), peerjob.RunnerPath.Child("image"))
	from.All(image.Child("pullPolicy"), peerjob.RunnerPath.Child("imagePullPolicy"))
}

// installOrigins records where the init container came from. Its name is the user's
// where one of the user's containers has it, too.
func installOrigins(from *origin.Map, g *peerjob.Group, at *field.Path) {
	from.All(at, peerjob.RunnerPath)
	for _, name := range []string{"image", "imagePullPolicy"} {
		from.From(at.Child(name), peerjob.RunnerPath.Child(name))
	}
	resources := peerjob.RunnerPath.Child("resources")
	if g.Runner().Resources == nil {
		resources = g.PodPath().Child("containers").Index(g.RunnerContainer()).Child("resources")
	}
	from.From(at.Child("resources"), resources)
	g.EachContainer(func(container *corev1.Container, path *field.Path) {
		if container.Name == v1alpha1.RunnerInstall {
			from.From(at.Child("name"), path.Child("name"))
		}
	})
}

// runnerOrigins records what the runner added to its container: the beginning of the
// command, and the last mounts and ports.
func runnerOrigins(from *origin.Map, g *peerjob.Group, container *corev1.Container, at *field.Path, own *corev1.Container, source *field.Path) {
	command := at.Child("command")
	before := slices.Index(container.Command, endOfFlags) + 1
	from.AllElements(command, 0, before, peerjob.RunnerPath)
	if first := slices.IndexFunc(container.Command[:before], func(word string) bool { return strings.HasPrefix(word, v1alpha1.RunnerOnFailure) }); first >= 0 {
		from.AllElements(command, first, first+len(policyFlags(g)), peerjob.FailurePolicyPath)
	}
	if slices.Equal(container.Command[before:], own.Command) {
		from.Elements(command, before, source.Child("command"))
	} else {
		// The framework's script, whose arguments may be the user's command.
		from.AllElements(command, before, -1, peerjob.FrameworkPath)
	}
	mounts := 1
	if g.Runner().KeySecretName != "" {
		mounts++
	}
	from.AllElements(at.Child("volumeMounts"), len(container.VolumeMounts)-mounts, -1, peerjob.RunnerPath)
	from.AllElements(at.Child("ports"), len(own.Ports), -1, runnerPort)
}

// successes are the ways in which the Job succeeds without all of its indexes, as the
// runner's flag --until reads them.
func successes(policy *batchv1.SuccessPolicy) []string {
	if policy == nil {
		return nil
	}
	var untils []string
	for _, rule := range policy.Rules {
		until := *cmp.Or(rule.SucceededIndexes, new(""))
		if rule.SucceededCount != nil {
			until += fmt.Sprintf(":%d", *rule.SucceededCount)
		}
		untils = append(untils, until)
	}
	return untils
}
