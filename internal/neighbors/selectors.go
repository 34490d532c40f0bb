// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// renames are the fields of other objects in which the Component, kustomize/, gives a
// renamed PeerJob its new name at the end of the build, without the label. A test holds
// them to its configuration.
var renames = map[string][]string{
	"Service":             {"spec.selector"},
	"NetworkPolicy":       {"spec.podSelector.matchLabels", "spec.ingress.from.podSelector.matchLabels", "spec.egress.to.podSelector.matchLabels"},
	"PodDisruptionBudget": {"spec.selector.matchLabels"},
	"PodMonitor":          {"spec.selector.matchLabels"},
	"Ingress":             {"spec.defaultBackend.service.name", "spec.rules.http.paths.backend.service.name"},
	"HTTPRoute":           {"spec.rules.backendRefs.name"},
	"GRPCRoute":           {"spec.rules.backendRefs.name"},
	"TCPRoute":            {"spec.rules.backendRefs.name"},
}

var (
	// indexes are what a path has and a field of a configuration of kustomize has not.
	indexes = lazyregexp.New(`\[[^\]]*\]`)
	// routeKinds are the kinds of objects that send traffic to Services.
	routeKinds = []string{"Ingress", "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"}
)

// hasComponent reports whether kustomize knew the Component when it renamed the PeerJob.
func (e peers) hasComponent() bool { return e.Source.Annotations[v1alpha1.ComponentAnnotation] != "" }

// isHashed reports whether a hash is in the name of the Job, which kustomize does not know.
func (e peers) isHashed() bool { return !slices.Contains(e.jobNames(e.Group), e.Group.JobName) }

// renamesIn reports whether the end of the build gives a field of another object the name of
// today.
func (e peers) renamesIn(kind string, r reference) bool {
	return e.hasComponent() && !e.isHashed() && e.isRenamable(kind, r)
}

// isRenamable reports whether the Component can give a field of another object the name of
// today: it knows the name of the PeerJob. The Job of a role does not have that name, and the
// Service of a group has it unless spec.service.name is set.
func (e peers) isRenamable(kind string, r reference) bool {
	if !slices.Contains(renames[kind], indexes.ReplaceAllString(r.in.String(), "")) {
		return false
	}
	if e.Group.HasRoles() {
		return !rules.IsJobNameLabel(r.key) && e.Group.PeerJob.Spec.Service.Name == ""
	}
	return r.key != v1alpha1.GroupLabel
}

// reference is a place in another object that names Jobs by the label of their Pods, or
// a Service.
type reference struct {
	// path is the field with the name, and map the field of a selector in it.
	path, in *field.Path
	// key and operator are the label of a selector and how it is compared; key is "" for
	// a Service.
	key      string
	operator metav1.LabelSelectorOperator
	names    []string
}

// most is how many nodes of an object are looked at. Aliases can make many of a few.
const most = 100_000

// referencesIn finds the places of an object that name Jobs and Services of its namespace.
func referencesIn(o *krmlist.Object) []reference {
	w := &walker{isRoute: slices.Contains(routeKinds, o.Kind)}
	w.walk(o.Node(), nil)
	return w.found
}

type walker struct {
	isRoute bool
	found   []reference
	seen    int
}

func child(path *field.Path, key string) *field.Path {
	if path == nil {
		return field.NewPath(key)
	}
	return path.Child(key)
}

func (w *walker) walk(node *yaml.Node, path *field.Path) {
	node = yamlnode.Resolve(node)
	if w.seen++; node == nil || w.seen > most {
		return
	}
	if node.Kind == yaml.SequenceNode {
		for i, element := range node.Content {
			w.walk(element, path.Index(i))
		}
		return
	}
	// What selects namespaces, too, may be about others.
	if yamlnode.Get(node, "namespaceSelector") != nil || yamlnode.Get(node, "namespaces") != nil {
		return
	}
	yamlnode.EachEntry(node, func(key string, value *yaml.Node) {
		at := child(path, key)
		switch {
		case key == "metadata" && path == nil, key == "status":
		case key == "matchLabels", key == "selector":
			w.labels(value, at)
			w.walk(value, at)
		case key == "matchExpressions":
			w.expressions(value, at)
		case w.isRoute && key == "service":
			w.service(value, at)
		case w.isRoute && key == "backendRefs":
			if list := yamlnode.Resolve(value); list != nil && list.Kind == yaml.SequenceNode {
				for i, ref := range list.Content {
					w.service(ref, at.Index(i))
				}
			}
		default:
			w.walk(value, at)
		}
	})
}

// namesPeers reports whether the value of a label is the name of a Job, or of a group.
func namesPeers(key string) bool { return rules.IsJobNameLabel(key) || key == v1alpha1.GroupLabel }

// labels reads a map of labels.
func (w *walker) labels(node *yaml.Node, path *field.Path) {
	yamlnode.EachEntry(node, func(key string, value *yaml.Node) {
		if label := strings.TrimPrefix(key, "k8s:"); namesPeers(label) && yamlnode.Text(value) != "" {
			w.found = append(w.found, reference{path.Key(key), path, label, metav1.LabelSelectorOpIn, []string{yamlnode.Text(value)}})
		}
	})
}

func (w *walker) expressions(node *yaml.Node, path *field.Path) {
	node = yamlnode.Resolve(node)
	if node == nil || node.Kind != yaml.SequenceNode {
		return
	}
	for i, expression := range node.Content {
		key := strings.TrimPrefix(yamlnode.Text(yamlnode.Get(expression, "key")), "k8s:")
		values := yamlnode.Resolve(yamlnode.Get(expression, "values"))
		if !namesPeers(key) || values == nil {
			continue
		}
		var names []string
		for _, value := range values.Content {
			names = append(names, yamlnode.Text(yamlnode.Resolve(value)))
		}
		at := path.Index(i).Child("values")
		w.found = append(w.found, reference{at, at, key, metav1.LabelSelectorOperator(yamlnode.Text(yamlnode.Get(expression, "operator"))), names})
	}
}

// service reads a reference to a Service of the same namespace.
func (w *walker) service(node *yaml.Node, path *field.Path) {
	kind := yamlnode.Text(yamlnode.Get(node, "kind"))
	if name := yamlnode.Text(yamlnode.Get(node, "name")); name != "" && (kind == "" || kind == "Service") && yamlnode.Get(node, "namespace") == nil {
		at := path.Child("name")
		w.found = append(w.found, reference{path: at, in: at, names: []string{name}})
	}
}

// warnOfReferences finds selectors and routes of other objects that name the Job or the
// Service as they were called before, and labels that the Pods of an older server lack.
func (e peers) warnOfReferences(near *neighbors, report *results.Report) {
	names := e.names()
	for _, n := range near.references {
		if n.Object == e.Source || inOtherVariant(e.Source, n.Object) {
			continue
		}
		var w []diag.Warning
		for _, r := range n.found {
			switch {
			case r.key == v1alpha1.GroupLabel:
				// said once for all roles: warnOfGroups
			case r.key == "":
				if name := r.names[0]; name != names.Service && slices.Contains(names.EarlierServices, name) && !e.isOtherService(name, near) && !e.renamesIn(n.Kind, r) && e.isFirst() {
					w = append(w, diag.Warn(r.path, "sends traffic to the Service %s, and it is %s now: nothing answers; %s", name, names.Service, e.cureOf(n.Kind, r, names.Service)))
				}
			case slices.Contains(r.names, names.Job):
				if r.key != v1alpha1.NameLabel && !e.hasNewLabels() && r.operator == metav1.LabelSelectorOpIn {
					w = append(w, diag.Warn(r.path, "selects by %s, and the Pods have that label from Kubernetes 1.%d on, and spec.kubernetesVersion is %q: it selects none of them; write %s",
						r.key, newLabels, e.Group.PeerJob.Spec.KubernetesVersion, v1alpha1.NameLabel))
				}
			default:
				for _, name := range r.names {
					if !wasNamed(name, names.Job, names.EarlierJobs) || e.isOtherJob(name, near) || e.renamesIn(n.Kind, r) {
						continue
					}
					switch r.operator {
					case metav1.LabelSelectorOpIn:
						w = append(w, diag.Warn(r.path, "selects the Pods of the Job %s, and the Job is %s now: it selects none of them; %s", name, names.Job, e.cureOf(n.Kind, r, names.Job)))
					case metav1.LabelSelectorOpNotIn:
						w = append(w, diag.Warn(r.path, "leaves out the Pods of the Job %s, and the Job is %s now: it leaves out none of them; %s", name, names.Job, e.cureOf(n.Kind, r, names.Job)))
					}
				}
			}
		}
		report.AddWarnings(n.Object, diag.Few(w))
	}
}

// cureOf says what to write instead of an earlier name. A hash is another one after the
// next change.
func (e peers) cureOf(kind string, r reference, today string) string {
	instead := "select a label of spec.template.metadata.labels instead"
	if r.key == "" {
		instead = "write a Service of your own that selects a label of spec.template.metadata.labels"
	}
	switch {
	case e.isHashed():
		return instead
	case !e.hasComponent() && e.isRenamable(kind, r):
		return "list peerjob's Component under components:, or write " + today
	}
	return "write " + today + ", or " + instead
}
