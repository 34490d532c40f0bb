// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lint"
	"github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// contains reports whether a list has a word.
func contains(list []string, word string) bool { return slices.Contains(list, word) }

// draft is a PeerJob that is being written.
type draft struct {
	options Options
	// node is the PeerJob, and template the Pod template in it.
	node, template *yaml.Node
	notes, same    []string
	// added are what the PeerJob says besides, and differs what it says with another value.
	added, differs []string
}

func (d *draft) note(format string, args ...any) {
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
}

func (d *draft) differ(format string, args ...any) {
	d.differs = append(d.differs, fmt.Sprintf(format, args...))
}

func (d *draft) spec() *yaml.Node { return get(d.node, "spec") }

// adoptPair returns the PeerJob of a pair. The source is the pair with its host names
// mended.
func adoptPair(original, source lint.Pair, options Options) Proposal {
	p := Proposal{Source: "Job " + original.Job.Name, File: original.JobFile, Compared: true}
	if original.Service != nil {
		p.Source += " and Service " + original.Service.Name
	}
	job, service, err := readPair(source)
	if err == nil {
		var d *draft
		d, err = writePair(job, service, options)
		if err == nil {
			if original.Leader != "" {
				d.note("the Service %s selects one of the Pods; keep it beside the PeerJob", original.Leader)
			}
			p.finish(d, original)
			return p
		}
	}
	p.Object = krmlist.NewParsed(mapping("apiVersion", v1alpha1.APIVersion, "kind", v1alpha1.Kind, "metadata", mapping("name", original.Job.Name)))
	p.Errors = field.ErrorList{field.Forbidden(field.NewPath("spec"), err.Error())}
	p.Compared = false
	return p
}

// readPair copies the YAML of a pair without what the server added. The Service is nil if
// there is none.
func readPair(pair lint.Pair) (job, service *yaml.Node, err error) {
	if job, err = clone(pair.JobNode); err != nil {
		return nil, nil, err
	}
	live := isLive(job)
	if isJSON(job) {
		asWritten(job)
	}
	withoutServer(job)
	if live {
		dropDefaults(job)
	}
	if pair.ServiceNode == nil {
		return job, nil, nil
	}
	if service, err = clone(pair.ServiceNode); err != nil {
		return nil, nil, err
	}
	if isJSON(service) {
		asWritten(service)
	}
	if live = isLive(service); live {
		dropServiceDefaults(service)
	}
	withoutServer(service)
	return job, service, nil
}

// finish expands a draft and compares what comes out with the original.
func (p *Proposal) finish(d *draft, original lint.Pair) {
	p.Object, p.Notes, p.Same = krmlist.NewParsed(d.node), d.notes, d.same
	x := expand(d.node, d.options)
	p.Errors, p.Warnings = x.errs, x.warnings
	if x.job == nil || x.service == nil {
		p.Compared = false
		return
	}
	p.Differences = compare(original, x, d)
}

// writePair writes the PeerJob of a pair.
func writePair(jobNode, serviceNode *yaml.Node, options Options) (*draft, error) {
	job := typed[batchv1.Job](jobNode)
	var service *corev1.Service
	if serviceNode != nil {
		service = typed[corev1.Service](serviceNode)
	}
	d := &draft{options: options}
	d.metadata(jobNode, job, service)
	d.jobFields(jobNode, job)
	d.service(serviceNode, service, job)
	d.cleanTemplate(job)
	if options.Exact {
		d.keepExact(service)
	}
	if options.Variables {
		d.useVariables(job, d.serviceName(job))
	}
	if service != nil {
		d.ports(serviceNode, service)
	}
	if options.ClusterDomain != v1alpha1.DefaultClusterDomain {
		set(d.spec(), "clusterDomain", scalarOf(options.ClusterDomain))
	}
	if options.Exact {
		if !options.Variables {
			set(d.spec(), "peerEnv", scalarOf(string(v1alpha1.Disabled)))
			moveTemplateLast(d.spec())
		}
		return d, nil
	}
	d.preset(job)
	d.dropOwnVariables()
	moveTemplateLast(d.spec())
	return d, nil
}

// metadata begins the PeerJob. What both objects have in common is the PeerJob's own.
func (d *draft) metadata(jobNode *yaml.Node, job *batchv1.Job, service *corev1.Service) {
	own := mapping("name", job.Name)
	entryOr(own, get(jobNode, "metadata"), "namespace")
	namespace := job.Namespace
	if service != nil && namespace == "" && service.Namespace != "" {
		set(own, "namespace", scalarOf(service.Namespace))
	}
	spec := mapping()
	d.node = mapping("apiVersion", v1alpha1.APIVersion, "kind", v1alpha1.Kind, "metadata", own, "spec", spec)
	if len(jobNode.Content) > 0 {
		d.node.Content[0].HeadComment = jobNode.Content[0].HeadComment
	}
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"generateName", job.GenerateName != ""}, {"ownerReferences", len(job.OwnerReferences) > 0}, {"finalizers", len(job.Finalizers) > 0},
	} {
		if f.set {
			d.note("the Job has metadata.%s, and a PeerJob can't; it is left out", f.name)
		}
	}
	jobLabels, jobAnnotations := d.carried(job.Labels, "Job", "labels"), d.carried(job.Annotations, "Job", "annotations")
	if service == nil {
		set(own, "labels", scalarOf(jobLabels))
		set(own, "annotations", scalarOf(jobAnnotations))
		return
	}
	labels, onJob, onService := split(jobLabels, d.carried(service.Labels, "Service", "labels"))
	for key, value := range onJob {
		// The labels of Kueue reach the Job alone.
		if strings.HasPrefix(key, "kueue.x-k8s.io/") {
			labels[key] = value
			delete(onJob, key)
		}
	}
	annotations, jobOnly, serviceOnly := split(jobAnnotations, d.carried(service.Annotations, "Service", "annotations"))
	set(own, "labels", scalarOf(labels))
	set(own, "annotations", scalarOf(annotations))
	if serviceOwn := mapping("labels", onService, "annotations", serviceOnly); len(serviceOwn.Content) > 0 {
		set(spec, "service", serviceOwn)
	}
	if jobOwn := mapping("labels", onJob, "annotations", jobOnly); len(jobOwn.Content) > 0 {
		set(spec, "job", jobOwn)
	}
}

func entryOr(to, from *yaml.Node, key string) {
	if get(from, key) != nil {
		entry(to, from, key, key)
	}
}

// carried are the labels or annotations that a PeerJob may hand on.
func (d *draft) carried(values map[string]string, kind, what string) map[string]string {
	kept := maps.Clone(values)
	for _, key := range slices.Sorted(maps.Keys(kept)) {
		if v1alpha1.IsReservedKey(key) && key != v1alpha1.DependsOnAnnotation {
			d.note("the %s has %s among its %s, which belongs to a tool and is not handed on; it is left out", kind, key, what)
			delete(kept, key)
		}
	}
	return kept
}

// split returns what two maps have in common, and what each has alone.
func split(a, b map[string]string) (both, onlyA, onlyB map[string]string) {
	both, onlyA, onlyB = map[string]string{}, map[string]string{}, map[string]string{}
	for key, value := range a {
		if other, found := b[key]; found && other == value && key != v1alpha1.DependsOnAnnotation {
			both[key] = value
		} else {
			onlyA[key] = value
		}
	}
	for key, value := range b {
		if _, found := both[key]; !found {
			onlyB[key] = value
		}
	}
	return both, onlyA, onlyB
}

// peersOf is the number of peers that a Job was meant to have.
func peersOf(job *batchv1.Job) int32 {
	one := int32(1)
	return *cmp.Or(job.Spec.Completions, job.Spec.Parallelism, &one)
}

// decided are the fields of a Job that follow from a PeerJob.
var decided = []string{"completions", "parallelism", "completionMode", "selector", "manualSelector"}

// jobFields takes over the fields of the Job.
func (d *draft) jobFields(jobNode *yaml.Node, job *batchv1.Job) {
	spec := d.spec()
	content := spec.Content
	spec.Content = nil
	set(spec, "peers", scalarOf(peersOf(job)))
	spec.Content = append(spec.Content, content...)
	from := get(jobNode, "spec")
	yamlnode.EachEntry(from, func(key string, value *yaml.Node) {
		if !contains(decided, key) {
			entry(spec, from, key, key)
		}
	})
	d.template = get(spec, "template")
}

// serviceName is the name of the Service of the PeerJob so far.
func (d *draft) serviceName(job *batchv1.Job) string {
	return cmp.Or(yamlnode.Text(get(d.spec(), "service", "name")), job.Name)
}

// ownService returns the node spec.service, which comes behind spec.peers.
func (d *draft) ownService() *yaml.Node {
	if own := get(d.spec(), "service"); own != nil {
		return own
	}
	own := mapping()
	spec := d.spec()
	spec.Content = slices.Insert(spec.Content, 2, scalarOf("service"), own)
	return own
}

// service writes spec.service, but for the ports.
func (d *draft) service(serviceNode *yaml.Node, service *corev1.Service, job *batchv1.Job) {
	name := cmp.Or(job.Spec.Template.Spec.Subdomain, job.Name)
	if service != nil {
		name = service.Name
	}
	if name != job.Name && name != "" {
		own := d.ownService()
		own.Content = slices.Insert(own.Content, 0, scalarOf("name"), scalarOf(name))
	}
	if service == nil {
		return
	}
	from := get(serviceNode, "spec")
	if value := get(from, "publishNotReadyAddresses"); yamlnode.Text(value) == "false" {
		entry(d.ownService(), from, "publishNotReadyAddresses", "publishNotReadyAddresses")
	}
	for _, key := range []string{"ipFamilyPolicy", "ipFamilies"} {
		if get(from, key) != nil {
			entry(d.ownService(), from, key, key)
		}
	}
	known := []string{"clusterIP", "clusterIPs", "selector", "ports", "publishNotReadyAddresses", "ipFamilyPolicy", "ipFamilies", "type"}
	yamlnode.EachEntry(from, func(key string, _ *yaml.Node) {
		if !contains(known, key) {
			d.note("the Service has spec.%s, which a headless Service for peers has no use for; it is left out", key)
		}
	})
}

// dropServiceDefaults takes out of a live Service what the server or the cluster added.
func dropServiceDefaults(service *yaml.Node) {
	spec := get(service, "spec")
	drop(spec, "clusterIPs", "internalTrafficPolicy")
	for key, value := range map[string]string{"sessionAffinity": "None", "type": "ClusterIP"} {
		if yamlnode.Text(get(spec, key)) == value {
			drop(spec, key)
		}
	}
	if yamlnode.Text(get(spec, "ipFamilyPolicy")) == "SingleStack" {
		drop(spec, "ipFamilyPolicy", "ipFamilies")
	}
	for _, port := range elements(get(spec, "ports")) {
		if yamlnode.Text(get(port, "protocol")) == "TCP" {
			drop(port, "protocol")
		}
		if yamlnode.Text(get(port, "targetPort")) == yamlnode.Text(get(port, "port")) {
			drop(port, "targetPort")
		}
	}
}

// ports writes the ports of the Service, if they are not those that peerjob takes from the
// containers.
func (d *draft) ports(serviceNode *yaml.Node, service *corev1.Service) {
	x := expand(d.node, d.options)
	if x.service == nil {
		return
	}
	want := withDefaults(service, x.group.Template()).Spec.Ports
	got := withDefaults(x.service, x.group.Template()).Spec.Ports
	if equality.Semantic.DeepEqual(want, got) || len(want) == 0 && !d.options.Exact {
		return
	}
	ports := get(serviceNode, "spec", "ports")
	if ports == nil {
		ports = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	}
	set(d.ownService(), "ports", ports)
}

// cleanTemplate takes out of the Pod template what peerjob sets.
func (d *draft) cleanTemplate(job *batchv1.Job) {
	pod := get(d.template, "spec")
	drop(pod, "subdomain")
	if yamlnode.Text(get(pod, "restartPolicy")) == string(corev1.RestartPolicyNever) {
		drop(pod, "restartPolicy")
	}
	if yamlnode.Text(get(pod, "enableServiceLinks")) == "false" && !d.options.Exact {
		drop(pod, "enableServiceLinks")
	}
	if name := job.Spec.Template.Spec.Hostname; name != "" {
		d.note("the Pods have the host name %s, all of them the same one; a peer is called by its index, so hostname is left out", name)
		drop(pod, "hostname")
	}
	if job.Spec.Template.Spec.HostNetwork && job.Spec.Template.Spec.DNSPolicy == corev1.DNSClusterFirstWithHostNet {
		drop(pod, "dnsPolicy")
	}
	metadata := get(d.template, "metadata")
	drop(metadata, "creationTimestamp", "name", "generateName", "namespace")
	labels := get(metadata, "labels")
	var own []string
	yamlnode.EachEntry(labels, func(key string, value *yaml.Node) {
		if rules.IsControllerLabel(key) || v1alpha1.IsReservedKey(key) {
			own = append(own, key)
		}
	})
	drop(labels, own...)
	own = nil
	yamlnode.EachEntry(get(metadata, "annotations"), func(key string, _ *yaml.Node) {
		if v1alpha1.IsReservedKey(key) {
			own = append(own, key)
		}
	})
	drop(get(metadata, "annotations"), own...)
	dropEmpty(metadata, "labels", "annotations")
	dropEmpty(d.template, "metadata")
}

// keepExact writes out what keeps the expansion as the original is.
func (d *draft) keepExact(service *corev1.Service) {
	if service != nil && !service.Spec.PublishNotReadyAddresses {
		set(d.ownService(), "publishNotReadyAddresses", scalarOf(false))
	}
	pod := get(d.template, "spec")
	if pod != nil && get(pod, "enableServiceLinks") == nil {
		setFirst(pod, "enableServiceLinks", scalarOf(true))
	}
}

// useVariables writes variables of the peers in the place of their host names.
func (d *draft) useVariables(job *batchv1.Job, service string) {
	network := rules.Network{Job: job.Name, Service: service}
	template := typed[corev1.PodTemplateSpec](d.template)
	rules.EachContainer(template, field.NewPath("template"), func(container *corev1.Container, path *field.Path) {
		for _, text := range rules.Texts(container, path) {
			node := at(d.spec(), text.Path().String())
			if node == nil || node.Kind != yaml.ScalarNode {
				continue
			}
			addresses := rules.Addresses(text)
			for _, a := range slices.Backward(addresses) {
				if !network.IsOwn(a) || strings.HasPrefix(a.Index, "{") {
					continue
				}
				name := a.Host + "-" + a.Index + "." + service
				node.Value = node.Value[:a.Start] + rules.PeerReference(a.Index) + strings.TrimPrefix(node.Value[a.Start:], name)
			}
		}
	})
}

// moveTemplateLast puts the Pod template behind all other fields.
func moveTemplateLast(spec *yaml.Node) {
	for i := 0; i+1 < len(spec.Content); i += 2 {
		if spec.Content[i].Value == "template" {
			pair := []*yaml.Node{spec.Content[i], spec.Content[i+1]}
			spec.Content = append(slices.Delete(spec.Content, i, i+2), pair...)
			return
		}
	}
}

// dropOwnVariables takes out the user's variables that peerjob sets to the same value.
func (d *draft) dropOwnVariables() {
	x := expand(d.node, d.options)
	if x.group == nil || !x.group.HasPeerEnv() {
		return
	}
	x.group.EachContainer(func(container *corev1.Container, path *field.Path) {
		d.dropVariables(path, func(i int) bool { return x.group.IsPeerVariable(container, container.Env[i]) })
	})
}

// dropVariables takes variables out of a container at a path of the PeerJob.
func (d *draft) dropVariables(path *field.Path, isDropped func(i int) bool) {
	container := at(d.node, path.String())
	env := get(container, "env")
	if env == nil || env.Kind != yaml.SequenceNode {
		return
	}
	var kept []*yaml.Node
	for i, variable := range env.Content {
		if !isDropped(i) {
			kept = append(kept, variable)
		}
	}
	env.Content = kept
	dropEmpty(container, "env")
}
