// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/spell"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// replica is one kind of Pods of a job of Kubeflow, with the name of the role for it.
type replica struct {
	role string
	node *yaml.Node
}

// group writes what a job of Kubeflow with several kinds of Pods is: roles that start
// together and fail together. own is spec.framework, mains are the containers that run it,
// success the roles whose end is the end of the group, none for all, and again is how many
// restarts to suggest if the operator had no limit.
func (d *draft) group(policy, own *yaml.Node, replicas []replica, mains []*yaml.Node, success []string, again int32) {
	spec := d.spec()
	d.runPolicy(policy, true)
	several, names := false, []string{}
	for i, r := range replicas {
		several = several || len(elements(get(r.node, "template", "spec", "containers"))) > 1
		if name := text(get(mains[i], "name")); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if several {
		set(own, "containers", scalarOf(names))
	}
	set(spec, "framework", own)
	set(spec, "barrier", mapping("start", string(v1alpha1.Enabled)))
	d.added = append(d.added, "spec.barrier.start: the commands start when all Pods are there, so that a failure reaches every one of them; without it, a Pod that comes later is not told")
	retries := number(get(policy, "backoffLimit"), 0)
	switch {
	case get(own, "elastic") != nil: // goes on when a peer fails
	case several:
		set(spec, "runner", mapping("container", names[0]))
		d.note("spec.failurePolicy takes Pods with one container, so a failure stays in its role; limit the group with spec.activeDeadlineSeconds")
	case retries > 0:
		set(spec, "failurePolicy", mapping("action", string(v1alpha1.RestartPeerJob), "maxRestarts", retries))
		d.differ("runPolicy.backoffLimit: %s of Pods became %s of all commands in their Pods (failurePolicy.maxRestarts)", diag.Count(retries, "retry"), diag.Count(retries, "restart"))
	default:
		set(spec, "failurePolicy", mapping("action", string(v1alpha1.FailPeerJob)))
	}
	restarts := get(spec, "failurePolicy", "maxRestarts") != nil
	if len(success) > 0 {
		list := scalarOf(success)
		list.Style = yaml.FlowStyle
		set(spec, "successRoles", list)
	}
	roles := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, r := range replicas {
		template := get(r.node, "template")
		d.foreignTemplate(template)
		drop(get(template, "spec"), "restartPolicy")
		d.restartPolicyOfRole(policy, r, again)
		role := mapping("name", r.role, "peers", number(get(r.node, "replicas"), 1))
		if !restarts {
			entryOr(role, policy, "backoffLimit")
		}
		set(role, "template", template)
		roles.Content = append(roles.Content, role)
	}
	set(spec, "roles", roles)
}

// restartPolicyOfRole says what becomes of the restartPolicy of a role: with the runner, it is
// spec.failurePolicy that starts commands again, and without that policy it is the Job.
func (d *draft) restartPolicyOfRole(policy *yaml.Node, r replica, again int32) {
	was := text(get(r.node, "restartPolicy"))
	did := "started the container again"
	switch was {
	case "", string(corev1.RestartPolicyNever):
		return
	case "ExitCode":
		did = "replaced a Pod that exited with a code above 127"
	}
	own := get(d.spec(), "failurePolicy")
	switch {
	case own == nil:
		d.differ("restartPolicy of %s was %s, is Never: the Job replaces the Pod, at most %s", r.role, was, diag.Count(number(get(policy, "backoffLimit"), peerjob.ServerBackoffLimit), "time"))
	case get(own, "maxRestarts") != nil:
		d.differ("restartPolicy of %s was %s: the operator %s; with RestartPeerJob, any failure starts all commands again", r.role, was, did)
	case get(policy, "backoffLimit") != nil:
		d.same = append(d.same, fmt.Sprintf("restartPolicy of %s was %s, with runPolicy.backoffLimit 0: the first failure fails all", r.role, was))
	default:
		d.differ("restartPolicy of %s was %s: the operator %s; with FailPeerJob, the first failure fails all; to try again, write spec.failurePolicy: {action: RestartPeerJob, maxRestarts: %d}", r.role, was, did, again)
	}
}

// someRestarts is how many restarts a message suggests where there was no limit.
const someRestarts = 3

// oneGroup writes the peers of a job of Kubeflow that all run one Pod template. own is
// spec.framework, and main the container that runs it.
func (d *draft) oneGroup(policy, own, replica, main *yaml.Node, peers int32) {
	set(d.spec(), "peers", scalarOf(peers))
	d.runPolicy(policy, false)
	d.setTemplate(get(replica, "template"))
	d.restartPolicy(replica)
	if len(elements(get(d.template, "spec", "containers"))) > 1 {
		set(own, "containers", scalarOf([]string{text(get(main, "name"))}))
	}
	set(d.spec(), "framework", own)
}

// hostNamesOfRoles says how the peers of roles are called, and how the operator called them.
func (d *draft) hostNamesOfRoles(job string, replicas []replica, was []string) {
	var hosts, names, pods []string
	for _, r := range replicas {
		host := job + "-" + r.role + numberOf(r.node)
		hosts, names, pods = append(hosts, host), append(names, host+"."+job), append(pods, host+"-<random>")
	}
	text := "the host names stay " + diag.Listed(hosts, "and")
	if !slices.Equal(was, hosts) {
		text = "the host names were " + diag.Listed(was, "and") + ", are " + diag.Listed(hosts, "and")
	}
	d.differ("%s; peers reach them as %s, and the Pods are named %s", text, diag.Listed(names, "and"), diag.Listed(pods, "and"))
}

// numberOf is how the host names of replicas end.
func numberOf(replica *yaml.Node) string {
	if number(get(replica, "replicas"), 1) == 1 {
		return "-0"
	}
	return "-N"
}

// hostNamesOfPeers says how the peers of one group are called, and how the operator called them.
func (d *draft) hostNamesOfPeers(job string, was []string, peers int32) {
	hosts, one := job+"-0", job+"-0"
	if peers > 1 {
		hosts, one = fmt.Sprintf("%s-0 to %[1]s-%d", job, peers-1), job+"-N"
	}
	d.differ("the host names were %s, are %s; peers reach them as %s.%s, and the Pods are named %[3]s-<random>", diag.Listed(was, "and"), hosts, one, job)
}

// unknownType says which kind of Pods the operator does not know, "" for none.
func unknownType(of *yaml.Node, known ...string) (reason string) {
	yamlnode.EachEntry(of, func(key string, _ *yaml.Node) {
		if reason != "" || slices.Contains(known, key) {
			return
		}
		reason = fmt.Sprintf("unknown replica type %q", key)
		if nearest := spell.Nearest(key, known); nearest != "" {
			reason += fmt.Sprintf("; did you mean %q?", nearest)
		} else {
			reason += "; write " + diag.Listed(known, "or")
		}
	})
	return reason
}

// withPods returns the kinds of Pods of which there are any: the operator makes none where
// replicas is 0, and a role has at least one peer.
func (d *draft) withPods(of *yaml.Node) *yaml.Node {
	left := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	yamlnode.EachEntry(of, func(key string, replica *yaml.Node) {
		if replicas := get(replica, "replicas"); replicas != nil && number(replicas, 1) == 0 {
			d.note("its %s has 0 replicas, so there are no such Pods, and it is left out; a role has at least 1 peer", key)
			return
		}
		set(left, key, replica)
	})
	return left
}

// withoutTemplate says which kind of Pods has no template, "" for none.
func withoutTemplate(of *yaml.Node, kinds ...string) string {
	for _, kind := range kinds {
		if replica := get(of, kind); replica != nil && get(replica, "template") == nil {
			return "its " + kind + " has no template"
		}
	}
	return ""
}

// frameworkRoles are the elements of spec.framework.roles.
func frameworkRoles(replicas []replica) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, r := range replicas {
		role := mapping("name", r.role)
		role.Style = yaml.FlowStyle
		list.Content = append(list.Content, role)
	}
	return list
}

// runPolicy takes over the fields that Kubeflow's kinds have in common. In a PeerJob with
// roles, retries are those of the group, see [draft.group].
func (d *draft) runPolicy(policy *yaml.Node, hasRoles bool) {
	spec := d.spec()
	for _, key := range []string{"backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "suspend"} {
		if key != "backoffLimit" || !hasRoles {
			entryOr(spec, policy, key)
		}
	}
	if get(policy, "schedulingPolicy") != nil {
		d.note("runPolicy.schedulingPolicy schedules the Pods together; a PeerJob has spec.scheduling (a feature gate of Kubernetes 1.37), or labels of Kueue")
	}
	if value := text(get(policy, "cleanPodPolicy")); value != "" && value != "None" {
		cure := "set spec.ttlSecondsAfterFinished"
		if get(spec, "ttlSecondsAfterFinished") != nil {
			cure = "spec.ttlSecondsAfterFinished does that"
		}
		d.note("runPolicy.cleanPodPolicy is %s; the Pods of a Job stay until the Job is deleted: %s", value, cure)
	}
	if value := text(get(policy, "managedBy")); value != "" {
		d.note("runPolicy.managedBy is %s; a PeerJob makes a Job of Kubernetes, and spec.managedBy is for that Job", value)
	}
}

// restartPolicy takes over what happens to a Pod that failed, in a PeerJob without roles.
func (d *draft) restartPolicy(replica *yaml.Node) {
	pod := get(d.template, "spec")
	drop(pod, "restartPolicy")
	switch text(get(replica, "restartPolicy")) {
	case "OnFailure":
		setFirst(pod, "restartPolicy", scalarOf("OnFailure"))
	case "Always":
		setFirst(pod, "restartPolicy", scalarOf("OnFailure"))
		d.differ("restartPolicy was Always, is OnFailure: a Pod of a Job ends when its command has ended")
	case "ExitCode":
		d.note("restartPolicy is ExitCode: codes from 1 to 127 fail the job, others are retried; write that as spec.podFailurePolicy, with action FailJob and the codes that your command ends with")
	}
}

// writePyTorchJob writes the PeerJob of a PyTorchJob: if the master and the workers run one
// Pod template, the master is index 0 of one group, and else they are two roles.
func writePyTorchJob(d *draft, object *yaml.Node) string {
	spec := get(object, "spec")
	replicas := get(spec, "pytorchReplicaSpecs")
	if reason := unknownType(replicas, "Master", "Worker"); reason != "" {
		return reason
	}
	replicas = d.withPods(replicas)
	master, worker := get(replicas, "Master"), get(replicas, "Worker")
	if master == nil && worker == nil {
		return "it has neither a Master nor a Worker with Pods under spec.pytorchReplicaSpecs"
	}
	if reason := withoutTemplate(replicas, "Master", "Worker"); reason != "" {
		return reason
	}
	peers, source, hasRoles := int32(0), master, false
	for _, replica := range []*yaml.Node{master, worker} {
		if replica != nil {
			peers += number(get(replica, "replicas"), 1)
		}
	}
	switch {
	case master == nil:
		source = worker
	case worker != nil:
		a, b := typed[corev1.PodTemplateSpec](get(master, "template")), typed[corev1.PodTemplateSpec](get(worker, "template"))
		if different := differentFields(a, b); len(different) > 0 {
			hasRoles = true
			d.differ("its Master and its Worker run different Pod templates (%s), so they are roles; if you make the two equal, they are one group without the runner", strings.Join(different, ", "))
		}
	}
	own := mapping("type", "PyTorch")
	parts := []replica{{"master", master}, {"worker", worker}}
	if !hasRoles {
		parts = []replica{{"", source}}
	}
	var mains []*yaml.Node
	for _, r := range parts {
		mains = append(mains, container(get(r.node, "template"), "pytorch"))
	}
	if slices.ContainsFunc(mains, callsTorchrun) {
		set(own, "type", scalarOf("Torchrun"))
	}
	if processes := text(get(spec, "nprocPerNode")); processes != "" {
		switch {
		case text(get(own, "type")) == "Torchrun":
			set(own, "processesPerPeer", processesNode(processes))
		case processes != "1":
			d.note("nprocPerNode is %s, and no container calls torchrun, which reads it; call it, with spec.framework.type: Torchrun", processes)
		}
	}
	d.takePorts(own, mains, "pytorchjob-port", 0)
	if get(own, "port") == nil {
		set(own, "port", scalarOf(int32(23456))) // the operator's default
	}
	if hasRoles {
		set(own, "roles", frameworkRoles(parts))
	}
	if elastic := get(spec, "elasticPolicy"); elastic != nil {
		d.elastic(own, elastic, peers)
	}
	name := text(get(object, "metadata", "name"))
	if hasRoles {
		d.group(get(spec, "runPolicy"), own, parts, mains, nil, someRestarts)
		d.hostNamesOfRoles(name, parts, []string{name + "-master" + numberOf(master), name + "-worker" + numberOf(worker)})
		d.note("the operator's job is done with its Master, and a PeerJob when all roles are; for Workers that do not end by themselves, write spec.successRoles: [master]")
	} else {
		d.oneGroup(get(spec, "runPolicy"), own, source, mains[0], peers)
		var was []string
		if master != nil {
			was = append(was, name+"-master"+numberOf(master))
		}
		if worker != nil {
			was = append(was, name+"-worker"+numberOf(worker))
		}
		d.hostNamesOfPeers(name, was, peers)
	}
	d.note("the operator marks its Pods with the labels training.kubeflow.org/job-name and replica-type; the Pods of a Job have job-name")
	return ""
}

// callsTorchrun reports whether a container runs torchrun.
func callsTorchrun(c *yaml.Node) bool {
	words := commandOf(c)
	return startOfFlags(words) >= 0 || slices.ContainsFunc(words, func(word string) bool {
		return strings.Contains(word, "torchrun") || strings.Contains(word, "torch.distributed.run")
	})
}

// takePorts takes the port of the operator out of the containers, and gives it to the
// framework, unless it is the default there. Of several, the first one counts: the operator
// takes that of the master, too.
func (d *draft) takePorts(own *yaml.Node, mains []*yaml.Node, name string, otherwise int32) {
	taken := int32(0)
	for _, main := range mains {
		for _, port := range elements(get(main, "ports")) {
			value := number(get(port, "containerPort"), 0)
			switch {
			case text(get(port, "name")) != name || value <= 0:
				continue
			case taken == 0:
				taken = value
				d.same = append(d.same, fmt.Sprintf("port %d (%s): spec.framework opens it", value, name))
			case value != taken:
				d.differ("port of container %s was %d (%s), is %d: spec.framework has one port", text(get(main, "name")), value, name, taken)
			}
			dropElement(main, "ports", port)
		}
	}
	if taken > 0 && taken != otherwise {
		set(own, "port", scalarOf(taken))
	}
}

// elastic takes over the elastic policy of a PyTorchJob.
func (d *draft) elastic(own, policy *yaml.Node, peers int32) {
	if backend := text(get(policy, "rdzvBackend")); backend != "" && backend != "c10d" {
		d.note("elasticPolicy.rdzvBackend is %s, and spec.framework.elastic is c10d", backend)
	}
	elastic := mapping()
	elastic.Style = yaml.FlowStyle
	if least := number(get(policy, "minReplicas"), 0); least > 0 && least < peers {
		set(elastic, "minPeers", scalarOf(least))
	}
	if most := number(get(policy, "maxReplicas"), 0); most > peers {
		d.note("elasticPolicy.maxReplicas is %d; a PeerJob does not grow, and has %s", most, diag.Count(peers, "peer"))
	}
	if restarts := get(policy, "maxRestarts"); restarts != nil {
		set(elastic, "maxRestarts", restarts)
	}
	if get(policy, "metrics") != nil {
		d.note("elasticPolicy.metrics scales the workers; nothing scales a PeerJob")
	}
	set(own, "type", scalarOf("Torchrun"))
	set(own, "elastic", elastic)
}

// writeMPIJob writes the PeerJob of an MPIJob: the launcher and the workers are roles.
func writeMPIJob(d *draft, object *yaml.Node) string {
	spec := get(object, "spec")
	if reason := unknownType(get(spec, "mpiReplicaSpecs"), "Launcher", "Worker"); reason != "" {
		return reason
	}
	all := d.withPods(get(spec, "mpiReplicaSpecs"))
	launcher, worker := get(all, "Launcher"), get(all, "Worker")
	if launcher == nil || worker == nil {
		return "it needs a Launcher and a Worker with Pods under spec.mpiReplicaSpecs"
	}
	if reason := withoutTemplate(all, "Launcher", "Worker"); reason != "" {
		return reason
	}
	name := text(get(object, "metadata", "name"))
	implementation := map[string]string{"": "OpenMPI", "OpenMPI": "OpenMPI", "Intel": "IntelMPI", "MPICH": "MPICH"}[text(get(spec, "mpiImplementation"))]
	if implementation == "" {
		return "its mpiImplementation is " + text(get(spec, "mpiImplementation")) + ", and spec.framework knows OpenMPI, IntelMPI and MPICH"
	}
	starts := container(get(launcher, "template"), "mpi-launcher", "launcher", "mpi")
	if len(elements(get(starts, "command"))) == 0 {
		if len(elements(get(starts, "args"))) == 0 {
			return "its Launcher has no command, and peerjob does not know that of the image; write it"
		}
		d.startMPI(starts)
	}
	main := container(get(worker, "template"), "mpi-worker", "worker", "mpi")
	if words := commandOf(main); strings.Contains(strings.Join(words, " "), "sshd") {
		drop(main, "command", "args") // peerjob starts sshd
		d.same = append(d.same, "the workers run sshd: spec.framework starts it")
	}
	own := mapping("type", implementation)
	slots := get(spec, "slotsPerWorker")
	if slots != nil {
		set(own, "processesPerPeer", slots)
	}
	set(own, "sshSecretName", scalarOf(name+"-ssh"))
	replicas := []replica{{"launcher", launcher}, {"worker", worker}}
	roles := frameworkRoles(replicas)
	if text(get(spec, "runLauncherAsWorker")) == "true" {
		set(roles.Content[0], "processesPerPeer", scalarOf(number(slots, 1)))
		d.same = append(d.same, "runLauncherAsWorker: processesPerPeer of the launcher")
	}
	set(own, "roles", roles)
	d.group(get(spec, "runPolicy"), own, replicas, []*yaml.Node{starts, main}, []string{"launcher"}, peerjob.ServerBackoffLimit)
	if get(spec, "runPolicy", "backoffLimit") == nil && get(d.spec(), "failurePolicy") != nil {
		d.differ("runPolicy.backoffLimit was not set, and the operator tried the Launcher again %[1]d times; with FailPeerJob, the first failure fails all; to try again, write spec.failurePolicy: {action: RestartPeerJob, maxRestarts: %[1]d}", peerjob.ServerBackoffLimit)
	}
	d.note("the operator makes the keys for ssh; a PeerJob reads them from the Secret %s-ssh: ssh-keygen -t ed25519 -N '' -f key, and then kubectl create secret generic %s-ssh --from-file=ssh-privatekey=key --from-file=ssh-publickey=key.pub", name, name)
	if path := text(get(spec, "sshAuthMountPath")); path != "" {
		d.note("sshAuthMountPath is %s; peerjob mounts the keys elsewhere, and starts ssh with them", path)
	}
	if text(get(spec, "launcherCreationPolicy")) == "WaitForWorkersReady" {
		d.same = append(d.same, "launcherCreationPolicy: the command of the launcher waits until all Pods are there")
	}
	d.hostNamesOfRoles(name, replicas, []string{name + "-launcher-<random>", name + "-worker" + numberOf(worker)})
	return ""
}

// startMPI gives a launcher with args and no command the command that starts MPI: the one that
// args begins with, else mpirun.
func (d *draft) startMPI(launcher *yaml.Node) {
	args := get(launcher, "args")
	drop(launcher, "command", "args")
	first := text(elements(args)[0])
	if !contains(framework.MPIStarters, path.Base(first)) {
		d.note("the Launcher has args and no command: its image decides what runs; mpirun was put in front, correct that if it is something else")
		set(launcher, "command", scalarOf([]string{"mpirun"}))
		set(launcher, "args", args)
		return
	}
	d.differ("the Launcher had args and no command: %s is the command, and the entrypoint of its image does not run", first)
	command := *args
	command.Content = args.Content[:1]
	set(launcher, "command", &command)
	if rest := args.Content[1:]; len(rest) > 0 {
		others := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: args.Style, Content: rest}
		set(launcher, "args", others)
	}
}

// writeTFJob writes the PeerJob of a TFJob: its workers alone are one group, and with others
// they are roles with the names of TensorFlow's tasks.
func writeTFJob(d *draft, object *yaml.Node) string {
	spec := get(object, "spec")
	all := get(spec, "tfReplicaSpecs")
	if reason := unknownType(all, "Chief", "Master", "Worker", "PS", "Evaluator"); reason != "" {
		return reason
	}
	all = d.withPods(all)
	name := text(get(object, "metadata", "name"))
	var replicas []replica
	var was []string // the host names
	for _, kind := range []struct{ role, key string }{{"chief", "Chief"}, {"chief", "Master"}, {"worker", "Worker"}, {"ps", "PS"}, {"evaluator", "Evaluator"}} {
		node := get(all, kind.key)
		switch {
		case node == nil:
			continue
		case slices.ContainsFunc(replicas, func(r replica) bool { return r.role == kind.role }):
			return "it has a Chief and a Master, and a cluster of TensorFlow has one chief; leave one of them out"
		}
		replicas = append(replicas, replica{kind.role, node})
		was = append(was, name+"-"+strings.ToLower(kind.key)+numberOf(node))
	}
	if reason := withoutTemplate(all, "Chief", "Master", "Worker", "PS", "Evaluator"); reason != "" {
		return reason
	}
	if len(replicas) == 0 {
		return "it has no Chief, Worker, PS or Evaluator with Pods under spec.tfReplicaSpecs"
	}
	own := mapping("type", "TensorFlow")
	var mains []*yaml.Node
	for _, r := range replicas {
		mains = append(mains, container(get(r.node, "template"), "tensorflow"))
	}
	d.takePorts(own, mains, "tfjob-port", 2222)
	first := replicas[0]
	alone := len(replicas) == 1 && first.role == "worker"
	policy := get(spec, "runPolicy")
	if policy == nil {
		policy = spec // of the first versions
	}
	if alone {
		peers := number(get(first.node, "replicas"), 1)
		d.oneGroup(policy, own, first.node, mains[0], peers)
		d.hostNamesOfPeers(name, []string{name + "-worker" + numberOf(first.node)}, peers)
	} else {
		set(own, "roles", frameworkRoles(replicas))
		d.group(policy, own, replicas, mains, tfSuccess(spec, replicas), someRestarts)
		d.hostNamesOfRoles(name, replicas, was)
	}
	if text(get(spec, "successPolicy")) == "" && first.role == "worker" {
		d.note("the operator's job is done with its first Worker, and a PeerJob when all are; for Workers that do not end by themselves, let them end with the first")
	}
	if text(get(spec, "enableDynamicWorker")) == "true" {
		d.note("enableDynamicWorker changes the number of Workers; a PeerJob has a fixed one")
	}
	d.note("the operator marks its Pods with the labels training.kubeflow.org/job-name and replica-type; the Pods of a Job have job-name")
	return ""
}

// tfSuccess are the roles whose end is the end of a TFJob: the chief, or without one, or
// with the policy AllWorkers, all workers.
func tfSuccess(spec *yaml.Node, replicas []replica) []string {
	var success []string
	for _, r := range replicas {
		switch {
		case r.role == "chief" && text(get(spec, "successPolicy")) != "AllWorkers":
			return []string{r.role}
		case r.role == "chief", r.role == "worker":
			success = append(success, r.role)
		}
	}
	return success
}
