// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

func isReady(pod *corev1.Pod) bool {
	condition := conditionOf(pod, corev1.PodReady)
	return condition != nil && condition.Status == corev1.ConditionTrue
}

func conditionOf(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

// hasEnded reports whether no container of a Pod runs any more. Such a Pod is not in DNS.
func hasEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// examinePods looks at the Pods of a group.
func (c *cluster) examinePods(g *group, r *report) {
	var others []*corev1.Pod // that run, or will
	for _, pod := range g.peers {
		if !hasEnded(pod) {
			others = append(others, pod)
		}
	}
	for _, pod := range g.pods {
		switch {
		case pod.Status.Phase == corev1.PodFailed:
			g.failed(pod, r)
		case pod.Status.Phase == corev1.PodSucceeded:
			if len(others) > 0 && !waitsForTheEnd(pod) {
				r.pod(g, pod, peerEnded, Warning, "", fmt.Sprintf("has ended while %d of %d peers have not; DNS no longer has its name, and a peer that looks it up waits in vain", len(others), g.size),
					"let every peer stay until all are done (spec.barrier.end of a PeerJob), or look up no peer that may have ended")
			}
		case pod.DeletionTimestamp != nil:
			g.deleting(pod, r)
		default:
			c.live(g, pod, r)
		}
	}
}

// waitsForTheEnd reports whether peerjob-runner keeps the Pods of a group until all are
// done. Then they end within seconds of each other.
func waitsForTheEnd(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.Containers, func(container corev1.Container) bool {
		return slices.ContainsFunc(container.Command, func(word string) bool { return strings.HasPrefix(word, "--end-timeout=") })
	})
}

// deleting reports a Pod that is being deleted.
func (g *group) deleting(pod *corev1.Pod, r *report) {
	if pod.Status.Reason == "NodeLost" {
		r.pod(g, pod, nodeLost, Error, "", "is on a node that does not answer: "+pod.Status.Message, nodeCure(pod))
		return
	}
	because := ""
	if condition := conditionOf(pod, corev1.DisruptionTarget); condition != nil && condition.Status == corev1.ConditionTrue {
		because = fmt.Sprintf(" (%s: %s)", condition.Reason, condition.Message)
		if condition.Reason == "DeletionByTaintManager" {
			r.pod(g, pod, nodeLost, Error, "", "is being deleted from its node"+because, nodeCure(pod))
			return
		}
	}
	r.pod(g, pod, podDeleting, Warning, "", "is being deleted"+because+"; its name leads nowhere soon, until another Pod has its index",
		"wait for the next one; if this one stays, its node does not answer, or it has a finalizer")
}

func nodeCure(pod *corev1.Pod) string {
	return fmt.Sprintf("if the node is gone for good, delete it (kubectl delete node %s), or taint it with node.kubernetes.io/out-of-service; only then the index gets another Pod", pod.Spec.NodeName)
}

// failed reports a Pod that failed.
func (g *group) failed(pod *corev1.Pod, r *report) {
	severity, then := Error, ""
	if now := g.stands[indexOf(pod)]; now != nil && now != pod {
		then = fmt.Sprintf("; its index has another Pod now, which is %s", now.Status.Phase)
		if now.Status.Phase == corev1.PodRunning || now.Status.Phase == corev1.PodSucceeded {
			severity = Warning
		}
	}
	if condition := conditionOf(pod, corev1.DisruptionTarget); condition != nil && condition.Status == corev1.ConditionTrue {
		r.pod(g, pod, peerFailed, severity, "", fmt.Sprintf("was disrupted (%s): %s%s", condition.Reason, orReason(condition.Message, pod.Status.Message), then), disruptionCure(condition.Reason, pod))
		return
	}
	switch {
	case pod.Status.Reason == "Evicted":
		r.pod(g, pod, peerFailed, severity, "", "was evicted: "+strings.TrimRight(pod.Status.Message, ". ")+then, evictionCure(pod.Status.Message))
		return
	case pod.Status.Reason != "" && len(terminations(pod)) == 0:
		r.pod(g, pod, peerFailed, severity, "", fmt.Sprintf("has failed (%s): %s%s", pod.Status.Reason, pod.Status.Message, then), "mend what the message says; kubectl describe pod "+pod.Name)
		return
	}
	for _, t := range terminations(pod) {
		if t.state.ExitCode != 0 {
			r.pod(g, pod, peerFailed, severity, "", "has failed: "+t.says()+then, t.cure(pod))
			return
		}
	}
	r.pod(g, pod, peerFailed, severity, "", "has failed"+then, "kubectl describe pod "+pod.Name)
}

func orReason(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return "no message"
}

// disruptionCure says what to do about a Pod that something outside ended.
// See https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions.
func disruptionCure(reason string, pod *corev1.Pod) string {
	switch reason {
	case "PreemptionByScheduler":
		return "Pods of a higher priority needed its place; give the peers a PriorityClass, or let Kueue admit them as one"
	case "TerminationByKubelet":
		return "the node ran out of a resource, or shut down; set requests that are what the peers need"
	case "DeletionByTaintManager":
		return nodeCure(pod)
	case "EvictionByEvictionAPI":
		return "somebody drained the node; a PodDisruptionBudget keeps peers from that"
	}
	return "let podFailurePolicy ignore the condition DisruptionTarget, so that it does not count as a failure"
}

func evictionCure(message string) string {
	switch {
	case strings.Contains(message, "ephemeral"), strings.Contains(message, "emptyDir"), strings.Contains(message, "DiskPressure"), strings.Contains(message, "disk"):
		return "write less to the container and to emptyDir, raise the limit of ephemeral-storage or sizeLimit, or use a volume"
	case strings.Contains(message, "memory"):
		return "request as much memory as the peers use"
	}
	return "request what the peers use of the resource that the message names"
}

// termination is a container that has ended.
type termination struct {
	container string
	state     *corev1.ContainerStateTerminated
}

// terminations are the containers of a Pod that have ended, init containers first.
func terminations(pod *corev1.Pod) []termination {
	var all []termination
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range statuses {
			if state := statuses[i].State.Terminated; state != nil {
				all = append(all, termination{statuses[i].Name, state})
			}
		}
	}
	return all
}

// longestMessage is how much of a termination message a finding has, in bytes.
const longestMessage = 300

// says is how a container ended.
func (t termination) says() string {
	text := fmt.Sprintf("container %s ended with exit code %d", t.container, t.state.ExitCode)
	if t.state.Reason != "" && t.state.Reason != "Error" && t.state.Reason != "Completed" {
		text = fmt.Sprintf("container %s ended with exit code %d (%s)", t.container, t.state.ExitCode, t.state.Reason)
	}
	if message := oneLine(t.state.Message); message != "" {
		if len(message) > longestMessage {
			message = strings.ToValidUTF8(message[:longestMessage], "") + " …"
		}
		text += ": " + message
	}
	return text
}

// cure says what to do about a container that ended.
func (t termination) cure(pod *corev1.Pod) string {
	logs := fmt.Sprintf("kubectl logs %s -c %s", pod.Name, t.container)
	switch {
	case t.state.Reason == "OOMKilled":
		return fmt.Sprintf("raise resources.limits.memory of %s, or let it use less", t.container)
	case t.state.Reason == "DeadlineExceeded":
		return "raise activeDeadlineSeconds"
	case t.state.Reason == "ContainerCannotRun", t.state.Reason == "StartError", t.state.Reason == "ContainerStatusUnknown":
		return "mend the command: the runtime can't start it"
	case t.state.ExitCode == 75 && strings.Contains(t.state.Message, "peerjob-runner"):
		return "not every peer came within spec.barrier.startTimeoutSeconds; find the peers that are missing, or allow more time"
	case t.state.ExitCode == 126, t.state.ExitCode == 127:
		return "the command is not in the image, or is not executable; " + logs
	case t.state.ExitCode == 137:
		return "it was killed with SIGKILL: by the kubelet after its grace period, by a failed liveness probe, or by the kernel for memory; " + logs
	case t.state.ExitCode == 139:
		return "its program crashed (SIGSEGV); " + logs
	case t.state.ExitCode == 143:
		return "it was asked to end (SIGTERM), and did; kubectl describe pod " + pod.Name + " says by whom"
	}
	return "read its log: " + logs
}

// live reports what keeps a Pod that has not ended from being a peer.
func (c *cluster) live(g *group, pod *corev1.Pod, r *report) {
	if pod.Status.Reason == "NodeLost" {
		r.pod(g, pod, nodeLost, Error, "", "is on a node that does not answer: "+pod.Status.Message, nodeCure(pod))
		return
	}
	scheduled := conditionOf(pod, corev1.PodScheduled)
	switch {
	case pod.Spec.NodeName != "" || scheduled != nil && scheduled.Status == corev1.ConditionTrue || pod.Status.Phase == corev1.PodRunning:
	case len(pod.Spec.SchedulingGates) > 0:
		var gates []string
		for _, gate := range pod.Spec.SchedulingGates {
			gates = append(gates, gate.Name)
		}
		r.pod(g, pod, schedulingGated, Warning, "", "is Pending, because it has scheduling gates: "+strings.Join(gates, ", "), "see what removes the gates, such as Kueue: it waits for the others, for quota or for a topology")
		return
	case scheduled != nil && scheduled.Status == corev1.ConditionFalse:
		r.pod(g, pod, unschedulable, Error, "", "is Pending, because no node takes it: "+orReason(scheduled.Message, scheduled.Reason), schedulingCure(scheduled.Message, pod))
		return
	default:
		if e := c.lastEvent("Pod", pod, "FailedScheduling"); e != nil {
			r.pod(g, pod, unschedulable, Error, "", "is Pending, because no node takes it: "+e.message, schedulingCure(e.message, pod))
			return
		}
		name, severity, do := pod.Spec.SchedulerName, Error, "see whether a scheduler of this name runs (schedulerName), and whether it waits for a PodGroup"
		if name == "" || name == corev1.DefaultSchedulerName {
			// A Pod that was just made is so for a moment, and nobody has a clock here.
			name, severity, do = corev1.DefaultSchedulerName, Warning, "wait some seconds, and run doctor on new input; if it stays so, see whether kube-scheduler runs"
		}
		r.pod(g, pod, notScheduled, severity, "", fmt.Sprintf("is Pending, and the scheduler %s has not looked at it", name), do)
		return
	}
	if !c.containers(g, pod, r) {
		c.readiness(g, pod, r)
	}
}

// schedulingCure says what to do about the message of a scheduler. It names what the Pod
// asks for.
func schedulingCure(message string, pod *corev1.Pod) string {
	var cures []string
	if strings.Contains(message, "node affinity/selector") || strings.Contains(message, "node selector") {
		asks := "nodeSelector or affinity"
		var pairs []string
		for _, key := range slices.Sorted(maps.Keys(pod.Spec.NodeSelector)) {
			pairs = append(pairs, key+"="+pod.Spec.NodeSelector[key])
		}
		if len(pairs) > 0 {
			asks = "nodeSelector " + strings.Join(pairs, ",")
		}
		cures = append(cures, "label a node, or change the "+asks)
	}
	if strings.Contains(message, "Insufficient ") {
		var lacks []string
		for _, part := range strings.Split(message, "Insufficient ")[1:] {
			if name := strings.TrimRight(strings.FieldsFunc(part+" ", func(r rune) bool { return r == ',' || r == ' ' })[0], "."); !slices.Contains(lacks, name) {
				lacks = append(lacks, name)
			}
		}
		cures = append(cures, "free or add nodes with enough "+strings.Join(lacks, " and ")+", or request less")
	}
	if strings.Contains(message, "taint") {
		cures = append(cures, "add a toleration for the taint, or remove it")
	}
	if strings.Contains(message, "PersistentVolumeClaim") || strings.Contains(message, "persistentvolumeclaim") || strings.Contains(message, "volume node affinity") {
		cures = append(cures, "see to the PersistentVolumeClaim: it must be there, bound, and in the zone of a node that fits")
	}
	if strings.Contains(message, "anti-affinity") || strings.Contains(message, "topology spread") || strings.Contains(message, "pod affinity") {
		cures = append(cures, "relax podAntiAffinity or topologySpreadConstraints, or add nodes")
	}
	if strings.Contains(message, "free ports") {
		cures = append(cures, "two peers with a hostPort, or on the host network, need two nodes")
	}
	if strings.Contains(strings.ToLower(message), "podgroup") || strings.Contains(message, "gang") || strings.Contains(message, "minMember") {
		cures = append(cures, "the scheduler waits for room for the whole PodGroup; its minMember must be the number of peers")
	}
	if len(cures) == 0 {
		return "kubectl describe pod " + pod.Name
	}
	return strings.Join(cures, "; ")
}

var (
	pullReasons   = []string{"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"}
	createReasons = []string{"CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError", "PostStartHookError", "StartError"}
)

// containers reports what keeps the containers of a Pod from running, and whether there is
// such a thing.
func (c *cluster) containers(g *group, pod *corev1.Pod, r *report) bool {
	stuck := false
	say := func(id string, severity Severity, key, is, do string) {
		stuck = stuck || severity == Error
		r.pod(g, pod, id, severity, key, is, do)
	}
	waits := false
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range statuses {
			s := &statuses[i]
			last := termination{s.Name, s.LastTerminationState.Terminated}
			waiting := s.State.Waiting
			ended := s.State.Terminated
			switch {
			case ended != nil && ended.ExitCode != 0:
				t := termination{s.Name, ended}
				if s.RestartCount > 0 {
					say(crashLoop, Error, "", fmt.Sprintf("has ended %d times; %s", s.RestartCount+1, t.says()), t.cure(pod))
				} else {
					say(peerFailed, Error, "", "has failed: "+t.says(), t.cure(pod))
				}
			case waiting == nil:
				if s.State.Running != nil && s.RestartCount > 0 && last.state != nil {
					say(restarted, Warning, "", fmt.Sprintf("was started %d times again; %s", s.RestartCount, last.says()), last.cure(pod))
				}
			case slices.Contains(pullReasons, waiting.Reason):
				say(imagePull, Error, s.Name+imageOf(pod, s), fmt.Sprintf("can't pull the image %s of container %s (%s): %s", imageOf(pod, s), s.Name, waiting.Reason, c.pullMessage(pod, waiting)),
					"mend the name of the image, push it, or give the Pods imagePullSecrets for the registry")
			case waiting.Reason == "CreateContainerConfigError":
				say(containerConfig, Error, "", fmt.Sprintf("can't create container %s: %s", s.Name, orReason(waiting.Message, waiting.Reason)), configCure(waiting.Message, pod))
			case slices.Contains(createReasons, waiting.Reason):
				say(containerCreate, Error, "", fmt.Sprintf("can't start container %s (%s): %s", s.Name, waiting.Reason, orReason(waiting.Message)), "mend its command, mounts or securityContext, as the message says")
			case waiting.Reason == "CrashLoopBackOff" && last.state != nil:
				say(crashLoop, Error, "", fmt.Sprintf("has ended %d times; %s", s.RestartCount, last.says()), last.cure(pod))
			case waiting.Reason == "CrashLoopBackOff":
				say(crashLoop, Error, "", fmt.Sprintf("container %s ends again and again: %s", s.Name, waiting.Message), fmt.Sprintf("kubectl logs %s -c %s --previous", pod.Name, s.Name))
			default:
				waits = true
			}
		}
	}
	if stuck || !waits && len(pod.Status.ContainerStatuses) > 0 {
		return stuck
	}
	c.preparing(pod, say)
	return stuck
}

// preparing reports what keeps a node from starting the first container.
func (c *cluster) preparing(pod *corev1.Pod, say func(id string, severity Severity, key, is, do string)) {
	if slices.ContainsFunc(pod.Status.InitContainerStatuses, func(s corev1.ContainerStatus) bool {
		return s.State.Running != nil || s.State.Terminated != nil
	}) {
		return
	}
	if slices.ContainsFunc(pod.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool {
		return s.State.Running != nil || s.State.Terminated != nil || s.RestartCount > 0
	}) {
		return
	}
	if e := c.lastEvent("Pod", pod, "FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", "FailedPodSandBoxStatus", "FailedSync"); e != nil {
		if strings.Contains(e.reason, "Mount") || strings.Contains(e.reason, "Volume") {
			say(volume, Error, "", "can't mount a volume: "+e.message, configCure(e.message, pod))
			return
		}
		do := "see to the network plugin of the node"
		if strings.Contains(e.message, "hostname") {
			do = "shorten the names, or leave setHostnameAsFQDN out"
		}
		say(sandbox, Error, e.reason, "has no sandbox on its node: "+e.message, do)
	}
}

// imageOf is the image of a container as the Pod has it.
func imageOf(pod *corev1.Pod, status *corev1.ContainerStatus) string {
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range containers {
			if containers[i].Name == status.Name && containers[i].Image != "" {
				return containers[i].Image
			}
		}
	}
	return status.Image
}

// pullMessage says why an image can't be pulled. While the kubelet backs off, only an
// event does.
func (c *cluster) pullMessage(pod *corev1.Pod, waiting *corev1.ContainerStateWaiting) string {
	if waiting.Reason == "ImagePullBackOff" {
		if e := c.lastEvent("Pod", pod, "Failed"); e != nil && strings.HasPrefix(e.message, "Failed to pull image") {
			return e.message
		}
	}
	return orReason(waiting.Message)
}

// configCure says what to do about a message of the kubelet about ConfigMaps, Secrets and
// volumes.
func configCure(message string, pod *corev1.Pod) string {
	lower := strings.ToLower(message)
	switch {
	case strings.Contains(lower, "configmap") && strings.Contains(lower, "not found"):
		return "create the ConfigMap in the namespace " + orDefault(pod.Namespace) + ", or mend its name; the Pod then starts by itself"
	case strings.Contains(lower, "secret") && strings.Contains(lower, "not found"):
		return "create the Secret in the namespace " + orDefault(pod.Namespace) + ", or mend its name; the Pod then starts by itself"
	case strings.Contains(lower, "couldn't find key"), strings.Contains(lower, "references non-existent"):
		return "add the key to the ConfigMap or the Secret, or mend its name"
	case strings.Contains(lower, "runasnonroot"), strings.Contains(lower, "run as root"):
		return "set securityContext.runAsUser to a user that is not 0"
	case strings.Contains(lower, "persistentvolumeclaim"):
		return "see to the PersistentVolumeClaim; one that is ReadWriteOnce can be on one node only"
	case strings.Contains(lower, "multi-attach"):
		return "the volume is on another node; peers on several nodes need one that is ReadWriteMany"
	}
	return "mend what the message says"
}

// readiness reports a Pod that DNS has no name for because it is not ready.
func (c *cluster) readiness(g *group, pod *corev1.Pod, r *report) {
	if isReady(pod) || g.broken || g.service == nil || g.service.Spec.PublishNotReadyAddresses || pod.Status.PodIP == "" {
		return
	}
	why, severity := "it starts", Warning
	if condition := conditionOf(pod, corev1.PodReady); condition != nil && condition.Message != "" {
		why = condition.Message
	}
	if slices.ContainsFunc(pod.Spec.Containers, func(container corev1.Container) bool {
		return container.ReadinessProbe != nil || container.StartupProbe != nil
	}) {
		severity = Error
	}
	if initialized := conditionOf(pod, corev1.PodInitialized); initialized != nil && initialized.Status == corev1.ConditionFalse {
		why, severity = initialized.Message, Error
	}
	if e := c.lastEvent("Pod", pod, "Unhealthy"); e != nil {
		why, severity = why+": "+strings.TrimRight(e.message, ": "), Error
	}
	r.pod(g, pod, notPublished, severity, "readiness", fmt.Sprintf("is not ready (%s), and the Service %s publishes only Pods that are; DNS has no name for it", why, g.service.Name),
		fmt.Sprintf("write publishNotReadyAddresses: true into the Service %s, as peerjob does, or mend the readiness probe", g.service.Name))
}
