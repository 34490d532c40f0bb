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
	{"TFJob", "kubeflow.org", writeTFJob},
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
	p := Proposal{Object: krmlist.NewParsed(d.node), Notes: d.notes, Same: d.same, Added: d.added, Differs: d.differs}
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
	if reason := notOneJob(job, "a PeerJob is one Job; write a PeerJob for each"); reason != "" {
		return reason
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
