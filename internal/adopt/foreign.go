// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lint"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// foreignKind is a kind of another controller that a PeerJob can stand for.
type foreignKind struct {
	kind, group string
	// write writes the PeerJob. It returns why there can be none, "" if there is one.
	write func(d *draft, object *yaml.Node) string
}

var foreignKinds = []foreignKind{
	{"PyTorchJob", "kubeflow.org", writePyTorchJob},
	{"MPIJob", "kubeflow.org", writeMPIJob},
	{"JobSet", "jobset.x-k8s.io", writeJobSet},
	{"TrainJob", "trainer.kubeflow.org", writeTrainJob},
}

// foreign returns the PeerJobs for the objects of other controllers in a file.
func foreign(file lint.File, options Options) (proposals []Proposal, refused []Refusal) {
	if !slices.ContainsFunc(foreignKinds, func(k foreignKind) bool { return bytes.Contains(file.Content, []byte(k.kind)) }) {
		return nil, nil
	}
	objects, errs := krmlist.ReadFile(file.Name, file.Content)
	for _, o := range objects {
		if errs[o] != nil {
			continue // lint has said so, or it is none of ours
		}
		eachItem(o.Node(), 0, func(node *yaml.Node) {
			for _, k := range foreignKinds {
				group, _, _ := strings.Cut(text(get(node, "apiVersion")), "/")
				if text(get(node, "kind")) != k.kind || group != k.group {
					continue
				}
				name := k.kind + " " + text(get(node, "metadata", "name"))
				p, reason := adoptForeign(k, node, options)
				if reason != "" {
					refused = append(refused, Refusal{file.Name, name, reason, true})
					continue
				}
				p.Source, p.File = name, file.Name
				proposals = append(proposals, p)
			}
		})
	}
	return proposals, refused
}

// maxNesting bounds lists in lists.
const maxNesting = 8

// eachItem visits an object, or the items of a list of objects.
func eachItem(node *yaml.Node, depth int, visit func(*yaml.Node)) {
	node = yamlnode.Resolve(node)
	if !strings.HasSuffix(text(get(node, "kind")), "List") || depth > maxNesting {
		visit(node)
		return
	}
	for _, item := range elements(yamlnode.Resolve(get(node, "items"))) {
		eachItem(item, depth+1, visit)
	}
}

func adoptForeign(k foreignKind, node *yaml.Node, options Options) (Proposal, string) {
	object, err := clone(node)
	if err != nil {
		return Proposal{}, err.Error()
	}
	if isJSON(object) {
		asWritten(object)
	}
	withoutServer(object)
	d := &draft{options: options}
	metadata := mapping("name", text(get(object, "metadata", "name")))
	for _, key := range []string{"namespace", "labels", "annotations"} {
		entryOr(metadata, get(object, "metadata"), key)
	}
	d.node = mapping("apiVersion", v1alpha1.APIVersion, "kind", v1alpha1.Kind, "metadata", metadata, "spec", mapping())
	if len(object.Content) > 0 {
		d.node.Content[0].HeadComment = object.Content[0].HeadComment
	}
	if reason := k.write(d, object); reason != "" {
		return Proposal{}, reason
	}
	if d.options.ClusterDomain != v1alpha1.DefaultClusterDomain {
		set(d.spec(), "clusterDomain", scalarOf(d.options.ClusterDomain))
	}
	moveTemplateLast(d.spec())
	p := Proposal{Object: krmlist.NewParsed(d.node), Notes: d.notes, Same: d.same, Added: d.added}
	x := expand(d.node, options)
	p.Errors, p.Warnings = x.errs, x.warnings
	return p, ""
}

// number is a number of an object, or what it is without one.
func number(node *yaml.Node, otherwise int32) int32 {
	n, err := strconv.ParseInt(text(node), 10, 32)
	if err != nil {
		return otherwise
	}
	return int32(n)
}

// setTemplate takes over a Pod template.
func (d *draft) setTemplate(template *yaml.Node) {
	set(d.spec(), "template", template)
	d.template = template
	d.foreignTemplate(template)
}

// foreignTemplate takes out of a Pod template what peerjob sets.
func (d *draft) foreignTemplate(template *yaml.Node) {
	pod := get(template, "spec")
	drop(pod, "subdomain", "hostname")
	metadata := get(template, "metadata")
	drop(metadata, "creationTimestamp", "name", "generateName", "namespace")
	dropEmpty(metadata, "annotations", "labels")
	dropEmpty(template, "metadata")
	if text(get(pod, "restartPolicy")) == string(corev1.RestartPolicyNever) {
		drop(pod, "restartPolicy")
	}
}

// container is the container of a Pod template with one of the names, else the first.
func container(template *yaml.Node, names ...string) *yaml.Node {
	containers := elements(get(template, "spec", "containers"))
	for _, c := range containers {
		if contains(names, text(get(c, "name"))) {
			return c
		}
	}
	if len(containers) == 0 {
		return nil
	}
	return containers[0]
}

// commandOf are the words that a container runs.
func commandOf(c *yaml.Node) []string {
	var words []string
	for _, key := range []string{"command", "args"} {
		for _, word := range elements(get(c, key)) {
			words = append(words, text(word))
		}
	}
	return words
}

// runPolicy takes over the fields that Kubeflow's kinds have in common.
func (d *draft) runPolicy(policy *yaml.Node) {
	spec := d.spec()
	for _, key := range []string{"backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "suspend"} {
		entryOr(spec, policy, key)
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

// restartPolicy takes over what happens to a Pod that failed.
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

// writePyTorchJob writes the PeerJob of a PyTorchJob: the master is index 0, the workers
// are the others.
func writePyTorchJob(d *draft, object *yaml.Node) string {
	spec := get(object, "spec")
	replicas := get(spec, "pytorchReplicaSpecs")
	master, worker := get(replicas, "Master"), get(replicas, "Worker")
	if master == nil && worker == nil {
		return "it has neither a Master nor a Worker under spec.pytorchReplicaSpecs"
	}
	peers, source := int32(0), master
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
			return "its Master and its Worker run different Pod templates (" + strings.Join(different, ", ") + "), and all peers of a PeerJob run one; make the two equal, with a script that asks for $JOB_COMPLETION_INDEX"
		}
	}
	set(d.spec(), "peers", scalarOf(peers))
	d.runPolicy(get(spec, "runPolicy"))
	d.setTemplate(get(source, "template"))
	d.restartPolicy(source)
	main := container(d.template, "pytorch")
	own := mapping("type", "PyTorch")
	words := commandOf(main)
	if startOfFlags(words) >= 0 || slices.ContainsFunc(words, func(word string) bool {
		return strings.Contains(word, "torchrun") || strings.Contains(word, "torch.distributed.run")
	}) {
		own = mapping("type", "Torchrun")
		if processes := text(get(spec, "nprocPerNode")); processes != "" {
			set(own, "processesPerPeer", processesNode(processes))
		}
	} else if processes := text(get(spec, "nprocPerNode")); processes != "" && processes != "1" {
		d.note("nprocPerNode is %s, and no container calls torchrun, which reads it; call it, with spec.framework.type: Torchrun", processes)
	}
	for _, port := range elements(get(main, "ports")) {
		if text(get(port, "name")) == "pytorchjob-port" {
			if number := number(get(port, "containerPort"), 0); number > 0 {
				set(own, "port", scalarOf(number))
			}
			dropElement(main, "ports", port)
		}
	}
	if get(own, "port") == nil {
		set(own, "port", scalarOf(int32(23456))) // the operator's default
	}
	if len(elements(get(d.template, "spec", "containers"))) > 1 {
		set(own, "containers", scalarOf([]string{text(get(main, "name"))}))
	}
	if elastic := get(spec, "elasticPolicy"); elastic != nil {
		d.elastic(own, elastic, peers)
	}
	set(d.spec(), "framework", own)
	d.note("the operator calls the Pods %[1]s-master-0 and %[1]s-worker-N; the peers are %[1]s-0 to %[1]s-%[2]d", text(get(object, "metadata", "name")), peers-1)
	d.note("the operator marks its Pods with the labels training.kubeflow.org/job-name and replica-type; the Pods of a Job have job-name")
	return ""
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

// processesNode is a number of processes, or a word for one.
func processesNode(value string) *yaml.Node {
	if isNumber(value) {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: value}
	}
	return scalarOf(value)
}

// dropElement removes an element of a list.
func dropElement(of *yaml.Node, key string, element *yaml.Node) {
	list := get(of, key)
	list.Content = slices.DeleteFunc(slices.Clone(list.Content), func(n *yaml.Node) bool { return n == element })
	dropEmpty(of, key)
}

// differentFields are the fields in which two Pod templates differ.
func differentFields(a, b *corev1.PodTemplateSpec) []string {
	if equality.Semantic.DeepEqual(a, b) {
		return nil
	}
	was, is := map[string]string{}, map[string]string{}
	flatten(plain(a), "", was)
	flatten(plain(b), "", is)
	var fields []string
	for _, d := range differences("", was, is) {
		if len(fields) == fewest {
			return append(fields, "and others")
		}
		fields = append(fields, d.Field)
	}
	return fields
}

// fewest is how many fields a message names.
const fewest = 5

// writeMPIJob writes the PeerJob of an MPIJob: index 0 runs the launcher's command, and is
// a host like the others.
func writeMPIJob(d *draft, object *yaml.Node) string {
	spec := get(object, "spec")
	replicas := get(spec, "mpiReplicaSpecs")
	launcher, worker := get(replicas, "Launcher"), get(replicas, "Worker")
	if launcher == nil || worker == nil {
		return "it needs a Launcher and a Worker under spec.mpiReplicaSpecs"
	}
	name := text(get(object, "metadata", "name"))
	peers := number(get(worker, "replicas"), 1)
	set(d.spec(), "peers", scalarOf(peers))
	policy := get(spec, "runPolicy")
	d.runPolicy(policy)
	d.setTemplate(get(worker, "template"))
	drop(get(d.template, "spec"), "restartPolicy")
	implementation := map[string]string{"": "OpenMPI", "OpenMPI": "OpenMPI", "Intel": "IntelMPI", "MPICH": "MPICH"}[text(get(spec, "mpiImplementation"))]
	if implementation == "" {
		return "its mpiImplementation is " + text(get(spec, "mpiImplementation")) + ", and spec.framework knows OpenMPI, IntelMPI and MPICH"
	}
	starts := container(get(launcher, "template"), "mpi-launcher", "launcher", "mpi")
	command, args := get(starts, "command"), get(starts, "args")
	if len(elements(command)) == 0 {
		if len(elements(args)) == 0 {
			return "its Launcher has no command, and peerjob does not know that of the image; write it"
		}
		d.note("the Launcher has args and no command: its image decides what runs; mpirun was put in front, correct that if it is something else")
		command = scalarOf([]string{"mpirun"})
	}
	leader := mapping("command", command, "args", args)
	own := mapping("type", implementation)
	if slots := get(spec, "slotsPerWorker"); slots != nil {
		set(own, "processesPerPeer", slots)
	}
	set(own, "sshSecretName", scalarOf(name+"-ssh"))
	main := container(d.template, "mpi-worker", "worker", "mpi")
	if len(elements(get(d.template, "spec", "containers"))) > 1 {
		set(own, "containers", scalarOf([]string{text(get(main, "name"))}))
	}
	set(own, "leader", leader)
	set(d.spec(), "framework", own)
	if words := commandOf(main); len(words) > 0 && strings.Contains(strings.Join(words, " "), "sshd") {
		drop(main, "command", "args") // peerjob starts sshd
		d.same = append(d.same, "the workers run sshd: spec.framework starts it")
	}
	if text(get(spec, "runLauncherAsWorker")) != "true" {
		d.note("the Launcher is a Pod of its own, without the workers' resources; here index 0 runs its command beside its processes, with what container %s of a worker has", text(get(main, "name")))
	}
	d.note("the operator makes the keys for ssh; a PeerJob reads them from the Secret %s-ssh: ssh-keygen -t ed25519 -N '' -f key, and then kubectl create secret generic %s-ssh --from-file=ssh-privatekey=key --from-file=ssh-publickey=key.pub", name, name)
	if a, b := text(get(starts, "image")), text(get(main, "image")); a != b {
		d.note("the Launcher's image is %s, and the workers' is %s; all peers run the workers'", a, b)
	}
	if len(elements(get(starts, "env"))) > 0 {
		d.note("the Launcher has variables of its own; put into the template those that its command needs")
	}
	if path := text(get(spec, "sshAuthMountPath")); path != "" {
		d.note("sshAuthMountPath is %s; peerjob mounts the keys elsewhere, and starts ssh with them", path)
	}
	d.note("the operator calls the Pods %[1]s-worker-N; the peers are %[1]s-0 to %[1]s-%[2]d", name, peers-1)
	return ""
}

// writeJobSet writes the PeerJob of a JobSet. One group of Pods keeps the names of its Pods,
// and several are roles.
func writeJobSet(d *draft, object *yaml.Node) string {
	spec := get(object, "spec")
	jobs := elements(get(spec, "replicatedJobs"))
	name := text(get(object, "metadata", "name"))
	switch len(jobs) {
	case 0:
		return "it has no replicatedJobs"
	case 1:
	default:
		return writeRoles(d, object)
	}
	job := jobs[0]
	if n := number(get(job, "replicas"), 1); n != 1 {
		return fmt.Sprintf("its replicatedJob %s has %d replicas, and a PeerJob is one Job; write a PeerJob for each, or one with all Pods as peers", text(get(job, "name")), n)
	}
	from := get(job, "template", "spec")
	peers := number(get(from, "completions"), number(get(from, "parallelism"), 1))
	// The Job of a JobSet has this name, and so the Pods keep their host names.
	own := name + "-" + text(get(job, "name")) + "-0"
	set(get(d.node, "metadata"), "name", scalarOf(own))
	set(d.spec(), "peers", scalarOf(peers))
	subdomain := text(get(spec, "network", "subdomain"))
	if subdomain == "" {
		subdomain = name
	}
	service := d.ownService()
	set(service, "name", scalarOf(subdomain))
	if text(get(spec, "network", "publishNotReadyAddresses")) == "false" {
		set(service, "publishNotReadyAddresses", scalarOf(false))
	}
	yamlnode.EachEntry(from, func(key string, _ *yaml.Node) {
		if !contains(decided, key) && key != "template" {
			entry(d.spec(), from, key, key)
		}
	})
	entryOr(d.spec(), spec, "suspend")
	entryOr(d.spec(), spec, "ttlSecondsAfterFinished")
	template := get(from, "template")
	if template == nil {
		return "its replicatedJob has no template"
	}
	d.setTemplate(template)
	if mode := text(get(from, "completionMode")); mode == "NonIndexed" {
		d.note("the Job is NonIndexed; the Pods of a PeerJob have an index, and so a name")
	}
	if n := number(get(from, "parallelism"), peers); n != peers {
		d.note("parallelism is %d, and completions %d; all peers run at the same time", n, peers)
	}
	if policy := get(spec, "failurePolicy"); policy != nil {
		d.note("failurePolicy.maxRestarts is %s: the JobSet makes its Jobs anew; a Job replaces the Pods that fail, see spec.backoffLimit and docs/runner.md", text(get(policy, "maxRestarts")))
	}
	if get(spec, "successPolicy") != nil {
		d.note("successPolicy of the JobSet is about its Jobs; spec.successPolicy of a PeerJob is about its peers")
	}
	for _, key := range []string{"coordinator", "startupPolicy", "managedBy", "volumeClaimPolicies"} {
		if get(spec, key) != nil {
			d.note("the JobSet has spec.%s, and a PeerJob has nothing like it; it is left out", key)
		}
	}
	if usesJobSet(template) {
		d.note("the containers read labels or annotations of JobSet (jobset.sigs.k8s.io/...), which the Pods of a PeerJob do not have; read JOB_COMPLETION_INDEX and the variables of the peers instead")
	}
	d.preset(typedJob(d, own))
	return ""
}

// usesJobSet reports whether a template reads what the JobSet controller sets.
func usesJobSet(template *yaml.Node) bool {
	if template.Kind == yaml.ScalarNode {
		return strings.Contains(template.Value, "jobset.sigs.k8s.io/")
	}
	return slices.ContainsFunc(template.Content, usesJobSet)
}

// writeTrainJob writes the PeerJob of a TrainJob, as far as it says itself what runs.
func writeTrainJob(d *draft, object *yaml.Node) string {
	spec := get(object, "spec")
	trainer := get(spec, "trainer")
	runtime := text(get(spec, "runtimeRef", "name"))
	if text(get(trainer, "image")) == "" {
		return fmt.Sprintf("it has no spec.trainer.image: what runs is in the runtime %s, which is not in the input", runtime)
	}
	peers := number(get(trainer, "numNodes"), 1)
	set(d.spec(), "peers", scalarOf(peers))
	entryOr(d.spec(), spec, "suspend")
	main := mapping("name", "node")
	for _, key := range []string{"image", "command", "args", "env"} {
		entryOr(main, trainer, key)
	}
	if resources := get(trainer, "resourcesPerNode"); resources != nil {
		set(main, "resources", resources)
	}
	pod := mapping("containers", &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{main}})
	d.setTemplate(mapping("spec", pod))
	if !strings.Contains(runtime, "torch") {
		d.note("the runtime %s is not in the input; spec.framework is for you to choose: see peerjob frameworks", runtime)
	} else {
		own := mapping("type", "Torchrun")
		if processes := text(get(trainer, "numProcPerNode")); processes != "" {
			set(own, "processesPerPeer", processesNode(processes))
		}
		set(d.spec(), "framework", own)
	}
	if get(trainer, "numNodes") == nil {
		d.note("spec.trainer.numNodes is not set, and the runtime %s has the number; spec.peers is 1", runtime)
	}
	d.note("the runtime %s may add volumes, init containers and a policy for the group; look at it, and put what you need into the template", runtime)
	for _, key := range []string{"initializer", "podTemplateOverrides", "podSpecOverrides", "runtimePatches", "managedBy"} {
		if get(spec, key) != nil {
			d.note("the TrainJob has spec.%s, and a PeerJob has nothing like it; it is left out", key)
		}
	}
	return ""
}
