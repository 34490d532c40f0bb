// SPDX-License-Identifier: Apache-2.0

// Package expansion answers: what becomes of one PeerJob of the list?
//
// # The path of a PeerJob
//
//	head -> values -> templates -> defaults -> group -> objects -> hash -> checks
//
// # Rules
//
//   - Every check runs, and all errors are returned, in the order of the fields.
//   - The PeerJob in the list is not changed.
//   - One PeerJob knows nothing of the others, so that they can be expanded side
//     by side.
//
// # Never
//
// It never decides where the objects go.
package expansion

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/admission"
	"github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/expand"
	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/values"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// Expansion is one PeerJob of the list and the objects that it stands for.
type Expansion struct {
	// Source is the PeerJob as it was read.
	Source *krmlist.Object
	// InList says that Source is an item; a functionConfig is none.
	InList bool
	// Children are the objects that the PeerJob stands for, in the order of
	// internal/kinds. They are not to be written where there were errors.
	Children []*krmlist.Object

	// group is what the PeerJob means, and again reads it once more after Forget. again is
	// nil if that can't be done.
	group *peerjob.Group
	again func() *peerjob.Group
	// objects are the Children as they were made. They are nil while nobody asks: then the
	// Children have their text, and the group can be expanded again.
	objects []origin.Object
	// renderer has what was rendered; it is nil without templates.
	renderer *values.Renderer
	// values are those that were found for templates that could not be rendered.
	values map[string]any
	// from are the entries of ConfigMaps that have values for it.
	from []valuesKey
}

// Group returns what the PeerJob means. It is nil until the PeerJob was read.
func (e *Expansion) Group() *peerjob.Group {
	if e.group == nil && e.again != nil {
		e.group = e.again()
	}
	return e.group
}

// Forget lets go of what can be read again: there may be many PeerJobs, and the types of
// Kubernetes are large.
func (e *Expansion) Forget() {
	if e.again != nil {
		e.group, e.objects = nil, nil
	}
}

// Role is one group of the PeerJob, and the Job that it became.
type Role struct {
	*peerjob.Group
	of *Expansion
	// index is the place of the role.
	index int
}

// Roles returns the groups of the PeerJob with their Jobs, in the order of its roles: one
// without roles. The PeerJob must have been expanded without errors.
func (e *Expansion) Roles() []Role {
	var roles []Role
	for i, g := range e.Group().All() {
		roles = append(roles, Role{g, e, i})
	}
	return roles
}

// PodTemplate returns the template of the Pods as peerjob writes it.
func (r Role) PodTemplate() *corev1.PodTemplateSpec {
	return &r.job().Object.(*batchv1.Job).Spec.Template
}

// job is the Job that the role became. The Jobs are in the order of the roles.
func (r Role) job() origin.Object {
	jobs := 0
	for _, o := range r.of.Objects() {
		if _, isJob := o.Object.(*batchv1.Job); isJob {
			if jobs == r.index {
				return o
			}
			jobs++
		}
	}
	panic("role without Job")
}

// FieldOf returns the field of the PeerJob that a field of the Job came from.
func (r Role) FieldOf(path string) string { return r.job().Origins.Of(path, nil) }

// Objects returns the objects that the PeerJob stands for, as they were made, with where
// their fields came from. They are not to be changed.
func (e *Expansion) Objects() []origin.Object {
	if e.objects == nil && e.Children != nil {
		e.objects = expanded(e.Group())
	}
	return e.objects
}

// expanded are the objects of a group whose kinds are known.
func expanded(g *peerjob.Group) []origin.Object {
	objects, err := kinds.InOrder(expand.Group(g))
	if err != nil {
		panic(err)
	}
	return objects
}

// IsRendered reports whether the value of a field of the PeerJob comes from a template:
// its own, or that of a field that it is a part of.
func (e *Expansion) IsRendered(path string) bool {
	if e.renderer == nil {
		return false
	}
	return slices.ContainsFunc(e.renderer.Rendered, func(r values.Rendering) bool {
		rest, found := strings.CutPrefix(path, r.Field)
		return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// HasTemplates reports whether the PeerJob has templates that were rendered.
func (e *Expansion) HasTemplates() bool { return e.renderer != nil }

// Expand takes one PeerJob all the way: head, values, templates, defaults, names,
// expansion, validation, admission. Every check runs, whatever the one before found,
// so that one run reports every error. A PeerJob with errors has only the warnings that
// may explain them.
func (e *Expansion) Expand(settings v1alpha1.Settings, sources *Sources) (field.ErrorList, []diag.Warning) {
	if e.Source.APIVersion != v1alpha1.APIVersion {
		return field.ErrorList{field.NotSupported(field.NewPath("apiVersion"), e.Source.APIVersion, []string{v1alpha1.APIVersion})}, nil
	}
	node := e.Source.Node()
	defer e.Source.Forget()
	merges := refuseMerges(node)

	templates, errs := readTemplates(node, settings, e.Source, sources)
	if len(errs) > 0 {
		e.group, e.values = peerjob.NewGroup(templates.head, ""), templates.values.Values
		return diag.SortErrors(diag.Append(append(errs, merges...), peerjob.Validate(e.group, framework.Brings))), nil
	}
	pj, renderer, errs := read(node, templates, "", settings)
	hash := ""
	group := peerjob.NewGroup(pj, "")
	objects := expand.Group(group)
	if pj.Spec.NameSuffixHash == v1alpha1.Enabled {
		// The hash is that of the objects under the name without a hash. Then
		// everything that has the name in it is made once more.
		var err error
		if hash, err = expand.Hash(objects, admission.Defaulted); err != nil {
			return field.ErrorList{field.InternalError(field.NewPath("spec", "nameSuffixHash"), err)}, nil
		}
		if templates != nil {
			pj, renderer, errs = read(node, templates, hash, settings)
		}
		group = peerjob.NewGroup(pj, hash)
		objects = expand.Group(group)
	}
	e.group, e.renderer = group, renderer
	objects, err := kinds.InOrder(objects)
	if err != nil {
		return field.ErrorList{field.InternalError(field.NewPath("spec"), err)}, nil
	}
	e.setChildren(objects)

	errs, warnings := check(group, objects, append(errs, merges...))
	if len(errs) > 0 {
		diag.Suggest(errs)
		if renderer != nil {
			renderer.Explain(errs)
		} else {
			explainForgotten(errs)
		}
		return diag.SortErrors(errs), standIns(templates.missingSources())
	}
	if templates == nil {
		warnings = append(warnings, warnForgotten(node)...)
	} else {
		e.from = templates.from
		warnings = append(warnings, e.warnUnread(templates.own, templates.head.Spec.Snippets)...)
	}
	e.pack()
	if parse := e.Source.Parser(); parse != nil && templates == nil {
		e.again = func() *peerjob.Group {
			pj, _, _ := read(parse(), nil, "", settings)
			return peerjob.NewGroup(pj, hash)
		}
	}
	return nil, diag.SortWarnings(append(warnings, standIns(templates.missingSources())...))
}

// check runs every check on a group and on what it expands to. It adds what it finds
// to the errors of reading, less what only follows from them.
func check(g *peerjob.Group, objects []origin.Object, errs field.ErrorList) (field.ErrorList, []diag.Warning) {
	noRoles := g.PeerJob.Spec.Roles == nil && slices.ContainsFunc(errs, func(err *field.Error) bool { return err.Field == peerjob.RolesPath.String() })
	errs = diag.Append(errs, peerjob.Validate(g, framework.Brings))
	wrong := framework.Validate(g)
	errs = diag.Append(errs, wrong)
	refused, warned := admission.Admit(g, objects)
	if len(wrong) > 0 {
		// What the framework brings is wrong because of what was said already.
		refused = slices.DeleteFunc(refused, func(err *field.Error) bool { return err.Field == peerjob.FrameworkPath.String() })
	}
	errs = diag.Append(errs, explain(refused, errs))
	tooNew, dropped := admission.CheckVersion(g, objects)
	errs = diag.Append(errs, tooNew)
	if noRoles || g.PeerJob.Spec.Roles != nil && !g.HasRoles() {
		errs = withoutShortForm(errs)
	}
	if len(errs) > 0 {
		return withoutRunner(errs), nil
	}
	return nil, slices.Concat(peerjob.Warn(g, framework.Brings), framework.Warn(g), warned, dropped)
}

// withoutShortForm leaves out that the short form of one role is missing, where the roles
// could not be read.
func withoutShortForm(errs field.ErrorList) field.ErrorList {
	return slices.DeleteFunc(errs, func(err *field.Error) bool {
		return err.Type == field.ErrorTypeRequired && (err.Field == "spec.peers" || strings.HasPrefix(err.Field, "spec.template."))
	})
}

// withoutRunner leaves out what the server says about that which the runner brings, if
// there is anything else: it follows from that. A volume without an image is no volume to
// the server, for instance, and it does not find the one of the mount.
func withoutRunner(errs field.ErrorList) field.ErrorList {
	others := slices.DeleteFunc(slices.Clone(errs), func(err *field.Error) bool { return err.Field == peerjob.RunnerPath.String() })
	if len(others) == 0 {
		return errs
	}
	return others
}

// templates are what the templates of a PeerJob are rendered from.
type templates struct {
	// head is what the PeerJob says outside of the fields with templates.
	head   *v1alpha1.PeerJob
	values values.Merged
	// peers are the numbers of peers that are templates, by their path.
	peers map[string]string
	// own are spec.values.
	own map[string]any
	// from are the entries of ConfigMaps that have values.
	from []valuesKey
	// missing are sources of values that are not there, where the caller's values
	// stand in for them.
	missing field.ErrorList
}

// missingSources returns the sources of values that are not there, none for a PeerJob
// without templates.
func (t *templates) missingSources() field.ErrorList {
	if t == nil {
		return nil
	}
	return t.missing
}

// readTemplates reads the head of a PeerJob and its values. It returns nil for one
// without templates. The PeerJob can't be read any further where there are errors.
func readTemplates(node *yaml.Node, settings v1alpha1.Settings, source *krmlist.Object, sources *Sources) (*templates, field.ErrorList) {
	if !decode.MayTemplate(node) {
		return nil, nil
	}
	head, errs := decode.Head(node)
	v1alpha1.Default(head, settings)
	if head.Spec.Templating != v1alpha1.Enabled {
		return nil, nil
	}
	known, used, missing, wrong := sources.valuesOf(source, head)
	if !sources.hasCallers() {
		wrong, missing = append(wrong, missing...), nil
	}
	if len(wrong) == 0 {
		wrong = values.CheckSnippets(head.Spec.Snippets)
	}
	if len(wrong) > 0 {
		// The errors of the head are of interest only here: the PeerJob as a whole has
		// them, too.
		return &templates{head: head, values: known}, append(errs, wrong...)
	}
	own, _ := ownValues(source, head)
	return &templates{head: head, values: known, peers: decode.Peers(node), own: own, from: used, missing: missing}, nil
}

// read reads a PeerJob, with its templates rendered for a Job with this hash in its
// name.
func read(node *yaml.Node, from *templates, hash string, settings v1alpha1.Settings) (*v1alpha1.PeerJob, *values.Renderer, field.ErrorList) {
	var renderer *values.Renderer
	var rendering decode.Renderer
	if from != nil {
		renderer = values.NewRenderer(from.head, from.peers, hash, from.values)
		rendering = renderer
	}
	pj, errs := decode.PeerJob(node, rendering)
	// Names live longer than the PeerJob, and are parts of its whole text.
	for _, name := range []*string{&pj.Name, &pj.Namespace, &pj.Spec.Service.Name} {
		*name = strings.Clone(*name)
	}
	v1alpha1.Default(pj, settings)
	return pj, renderer, errs
}

// setChildren makes the children of the objects, in the package of the PeerJob.
func (e *Expansion) setChildren(objects []origin.Object) {
	e.objects = objects
	for _, o := range objects {
		e.Children = append(e.Children, krmlist.NewMade(o.Object, e.Source.Package))
	}
}

// pack keeps the text of the children and forgets the objects themselves: there may be
// many PeerJobs, and only few things that come later ask for an object.
func (e *Expansion) pack() {
	e.objects = nil
	for i, child := range e.Children {
		child.Pack(func() kinds.Object { return expanded(e.Group())[i].Object })
	}
}

// standIns tell of sources of values that are not there, where the command line has
// values in their place.
func standIns(missing field.ErrorList) []diag.Warning {
	var warnings []diag.Warning
	for _, err := range missing {
		warnings = append(warnings, diag.Warning{Field: err.Field, Message: fmt.Sprintf(
			"there is no ConfigMap %v; the values of the command line replace it", err.BadValue)})
	}
	return warnings
}

// refuseMerges refuses "<<" where the function writes or orchestrators read:
// what it merges in would be hidden by the first key that is added beside it.
func refuseMerges(node *yaml.Node) field.ErrorList {
	var errs field.ErrorList
	metadata := field.NewPath("metadata")
	for _, m := range []struct {
		path *field.Path
		node *yaml.Node
	}{{metadata, yamlnode.Get(node, "metadata")}, {metadata.Child("annotations"), yamlnode.Get(yamlnode.Get(node, "metadata"), "annotations")}} {
		yamlnode.EachEntry(m.node, func(key string, _ *yaml.Node) {
			if key == "<<" {
				errs = append(errs, field.Forbidden(m.path.Child(key), "can't be merged into; write the values out"))
			}
		})
	}
	return errs
}
