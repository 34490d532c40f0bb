// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
)

// replica is one kind of Pods of a job of Kubeflow, with the name of the role for it.
type replica struct {
	role string
	node *yaml.Node
}

// group writes what a job of Kubeflow with several kinds of Pods is: roles that start
// together and fail together. own is spec.framework, mains are the containers that run it, and
// success the roles whose end is the end of the group, none for all.
func (d *draft) group(policy, own *yaml.Node, replicas []replica, mains []*yaml.Node, success []string) {
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
	retries, restarts := number(get(policy, "backoffLimit"), 0), false
	switch {
	case get(own, "elastic") != nil: // goes on when a peer fails
	case several:
		set(spec, "runner", mapping("container", names[0]))
		d.note("spec.failurePolicy takes Pods with one container, so a failure stays in its role; limit the group with spec.activeDeadlineSeconds")
	case retries > 0:
		restarts = true
		set(spec, "failurePolicy", mapping("action", string(v1alpha1.RestartPeerJob), "maxRestarts", retries))
		d.note("runPolicy.backoffLimit is %d: the operator makes a Pod that failed again; with spec.failurePolicy, all commands start again in their Pods", retries)
	default:
		set(spec, "failurePolicy", mapping("action", string(v1alpha1.FailPeerJob)))
	}
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
		if restart := text(get(r.node, "restartPolicy")); restart != "" && restart != string(corev1.RestartPolicyNever) {
			d.note("restartPolicy of %s is %s; with the runner, a failure is one of the group: see spec.failurePolicy", r.role, restart)
		}
		role := mapping("name", r.role, "peers", number(get(r.node, "replicas"), 1))
		if !restarts {
			entryOr(role, policy, "backoffLimit")
		}
		set(role, "template", template)
		roles.Content = append(roles.Content, role)
	}
	set(spec, "roles", roles)
}

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
		d.note("runPolicy.cleanPodPolicy is %s; the Pods of a Job stay until the Job is deleted: set spec.ttlSecondsAfterFinished", value)
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
		d.note("restartPolicy is Always; a Pod of a Job ends when its command has ended: OnFailure")
	case "ExitCode":
		d.note("restartPolicy is ExitCode: codes from 1 to 127 fail the job, others are retried; write that as spec.podFailurePolicy, with action FailJob and the codes that your command ends with")
	}
}

// writePyTorchJob writes the PeerJob of a PyTorchJob: if the master and the workers run one
// Pod template, the master is index 0 of one group, and else they are two roles.
func writePyTorchJob(d *draft, object *yaml.Node) string {
	spec := get(object, "spec")
	replicas := get(spec, "pytorchReplicaSpecs")
	master, worker := get(replicas, "Master"), get(replicas, "Worker")
	if master == nil && worker == nil {
		return "it has neither a Master nor a Worker under spec.pytorchReplicaSpecs"
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
			d.note("its Master and its Worker run different Pod templates (%s), so they are roles; if you make the two equal, they are one group without the runner", strings.Join(different, ", "))
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
	for _, main := range mains {
		takePort(own, main, "pytorchjob-port", 0)
	}
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
		d.group(get(spec, "runPolicy"), own, parts, mains, nil)
		d.note("the operator calls the Pods %[1]s-master-0 and %[1]s-worker-N, and so do the roles; for each other they are %[1]s-master-0.%[1]s and %[1]s-worker-N.%[1]s", name)
		d.note("the operator's job is done with its Master, and a PeerJob when all roles are; for Workers that do not end by themselves, write spec.successRoles: [master]")
	} else {
		d.oneGroup(get(spec, "runPolicy"), own, source, mains[0], peers)
		d.note("the operator calls the Pods %[1]s-master-0 and %[1]s-worker-N; the peers are %[1]s-0 to %[1]s-%[2]d", name, peers-1)
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

// takePort takes the port of the operator out of a container, and gives it to the framework,
// unless it is the default there.
func takePort(own, main *yaml.Node, name string, otherwise int32) {
	for _, port := range elements(get(main, "ports")) {
		if text(get(port, "name")) != name {
			continue
		}
		if number := number(get(port, "containerPort"), 0); number > 0 && number != otherwise {
			set(own, "port", scalarOf(number))
		}
		dropElement(main, "ports", port)
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
	launcher, worker := get(spec, "mpiReplicaSpecs", "Launcher"), get(spec, "mpiReplicaSpecs", "Worker")
	if launcher == nil || worker == nil {
		return "it needs a Launcher and a Worker under spec.mpiReplicaSpecs"
	}
	if reason := withoutTemplate(get(spec, "mpiReplicaSpecs"), "Launcher", "Worker"); reason != "" {
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
		d.note("the Launcher has args and no command: its image decides what runs; mpirun was put in front, correct that if it is something else")
		args := get(starts, "args")
		drop(starts, "command", "args")
		set(starts, "command", scalarOf([]string{"mpirun"}))
		set(starts, "args", args)
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
	d.group(get(spec, "runPolicy"), own, replicas, []*yaml.Node{starts, main}, []string{"launcher"})
	if get(spec, "runPolicy", "backoffLimit") == nil && get(d.spec(), "failurePolicy") != nil {
		d.note("runPolicy.backoffLimit is not set, and the operator tries the Launcher again 6 times; to try again, write spec.failurePolicy: {action: RestartPeerJob, maxRestarts: 6}")
	}
	d.note("the operator makes the keys for ssh; a PeerJob reads them from the Secret %s-ssh: ssh-keygen -t ed25519 -N '' -f key, and then kubectl create secret generic %s-ssh --from-file=ssh-privatekey=key --from-file=ssh-publickey=key.pub", name, name)
	if path := text(get(spec, "sshAuthMountPath")); path != "" {
		d.note("sshAuthMountPath is %s; peerjob mounts the keys elsewhere, and starts ssh with them", path)
	}
	if text(get(spec, "launcherCreationPolicy")) == "WaitForWorkersReady" {
		d.same = append(d.same, "launcherCreationPolicy: the command of the launcher waits until all Pods are there")
	}
	d.note("the operator calls the Pods %[1]s-launcher-XXXXX and %[1]s-worker-N; the peers are %[1]s-launcher-0.%[1]s and %[1]s-worker-N.%[1]s", name)
	return ""
}

// writeTFJob writes the PeerJob of a TFJob: its workers alone are one group, and with others
// they are roles with the names of TensorFlow's tasks.
func writeTFJob(d *draft, object *yaml.Node) string {
	spec := get(object, "spec")
	all := get(spec, "tfReplicaSpecs")
	var replicas []replica
	for _, kind := range []struct{ role, key string }{{"chief", "Chief"}, {"chief", "Master"}, {"worker", "Worker"}, {"ps", "PS"}, {"evaluator", "Evaluator"}} {
		node := get(all, kind.key)
		switch {
		case node == nil:
			continue
		case slices.ContainsFunc(replicas, func(r replica) bool { return r.role == kind.role }):
			return "it has a Chief and a Master, and a cluster of TensorFlow has one chief; leave one of them out"
		}
		replicas = append(replicas, replica{kind.role, node})
	}
	if reason := withoutTemplate(all, "Chief", "Master", "Worker", "PS", "Evaluator"); reason != "" {
		return reason
	}
	if len(replicas) == 0 {
		return "it has no Chief, Worker, PS or Evaluator under spec.tfReplicaSpecs"
	}
	own := mapping("type", "TensorFlow")
	var mains []*yaml.Node
	for _, r := range replicas {
		main := container(get(r.node, "template"), "tensorflow")
		takePort(own, main, "tfjob-port", 2222)
		mains = append(mains, main)
	}
	name, first := text(get(object, "metadata", "name")), replicas[0]
	alone := len(replicas) == 1 && first.role == "worker"
	policy := get(spec, "runPolicy")
	if policy == nil {
		policy = spec // of the first versions
	}
	if alone {
		peers := number(get(first.node, "replicas"), 1)
		d.oneGroup(policy, own, first.node, mains[0], peers)
		d.note("the operator calls the Pods %[1]s-worker-N; the peers are %[1]s-0 to %[1]s-%[2]d", name, peers-1)
	} else {
		set(own, "roles", frameworkRoles(replicas))
		d.group(policy, own, replicas, mains, tfSuccess(spec, replicas))
		d.note("the operator calls the Pods %[1]s-<task>-N, with chief, worker, ps and evaluator, and so do the roles; for each other they are %[1]s-<task>-N.%[1]s", name)
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
