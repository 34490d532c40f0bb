// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/render"
)

// templating renders the templates of one PeerJob.
type templating struct {
	source   *object
	sources  *valueSources
	settings v1alpha1.Settings
	// jobName is the Job's name, when it can't follow from what is rendered.
	jobName string

	// stopped says that there are no values to render with: only the head of the
	// PeerJob was read.
	stopped bool
	values  map[string]any
	// missing are sources of values that were not there, where the command line
	// has values in their place.
	missing  field.ErrorList
	data     *v1alpha1.TemplateData
	renderer *render.Renderer
	rendered []rendering
}

// rendering is a template and what it rendered.
type rendering struct {
	path, template, text string
}

// decodePeerJob reads a PeerJob and renders its templates, if it wants that.
func decodePeerJob(source *object, sources *valueSources, settings v1alpha1.Settings) (*v1alpha1.PeerJob, *templating, field.ErrorList) {
	t := &templating{source: source, sources: sources, settings: settings}
	pj, errs := v1alpha1.DecodeTemplates(source.node(), t.start)
	if t.data == nil || !t.data.UsesNames() || pj.Spec.NameSuffixHash != v1alpha1.Enabled {
		return pj, t, errs
	}
	// A text with the Job's name in it can't be part of the hash in that name:
	// the hash is that of the texts with the PeerJob's name.
	v1alpha1.Default(pj, settings)
	again := &templating{source: source, sources: sources, settings: settings, jobName: pj.JobName()}
	pj, errs = v1alpha1.DecodeTemplates(source.node(), again.start)
	pj.FixJobName(again.jobName)
	return pj, again, errs
}

// start prepares for the templates of a PeerJob.
func (t *templating) start(head *v1alpha1.PeerJob) (v1alpha1.Renderer, field.ErrorList) {
	v1alpha1.Default(head, t.settings)
	values, missing, errs := t.sources.valuesOf(t.source, head)
	if len(t.sources.overrides) == 0 {
		errs = append(errs, missing...)
	} else {
		t.missing = missing
	}
	if t.stopped = len(errs) > 0; t.stopped {
		return nil, errs
	}
	name := t.jobName
	if name == "" {
		name = head.Name // without its hash
	}
	head.FixJobName(name)
	t.values = values
	t.data = v1alpha1.NewTemplateData(head, values)
	t.renderer = render.New(t.data, head.Spec.Snippets, render.NewBudget())
	for _, name := range slices.Sorted(maps.Keys(head.Spec.Snippets)) {
		if err := t.renderer.Check(name); err != nil {
			errs = append(errs, templateError(field.NewPath("spec", "snippets").Key(name), err))
		}
	}
	if t.stopped = len(errs) > 0; t.stopped {
		return nil, errs
	}
	// The names of the peers follow from that of the Service. Where it can't be
	// rendered, that is said once, when it is read.
	t.data.Naming(true)
	if service, err := t.renderer.Render(head.Spec.Service.Name); err == nil {
		head.Spec.Service.Name = service
	}
	t.data.Naming(false)
	return t, nil
}

// serviceNamePath is the field from which the names of the peers follow.
var serviceNamePath = field.NewPath("spec", "service", "name").String()

// Render renders the text of a field.
func (t *templating) Render(path *field.Path, text string) (string, *field.Error) {
	t.data.Naming(path.String() == serviceNamePath)
	defer t.data.Naming(false)
	rendered, err := t.renderer.Render(text)
	if err != nil {
		return "", templateError(path, err)
	}
	t.rendered = append(t.rendered, rendering{path.String(), text, rendered})
	return rendered, nil
}

// templateError is an error of a template, on the field that it stands in.
func templateError(path *field.Path, err error) *field.Error {
	var placed *render.Error
	if !errors.As(err, &placed) {
		return field.InternalError(path, err)
	}
	return field.Invalid(path, placed.Source, placed.Error())
}

// warnings tell of sources of values that were not there.
func (t *templating) warnings() []v1alpha1.Warning {
	var warnings []v1alpha1.Warning
	for _, err := range t.missing {
		warnings = append(warnings, v1alpha1.Warning{Field: err.Field, Message: fmt.Sprintf(
			"there is no ConfigMap %v; the values of the command line stand in for it", err.BadValue)})
	}
	return warnings
}

// explain adds to errors what they may come from: the templates, and the sources
// of values that were not there.
func (t *templating) explain(errs field.ErrorList) field.ErrorList {
	if len(errs) > 0 {
		errs = append(errs, t.missing...)
	}
	templates := map[string]string{}
	for _, r := range t.rendered {
		templates[r.path] = r.template
	}
	for _, err := range errs {
		if template, found := templates[err.Field]; found {
			line, _, more := strings.Cut(template, "\n")
			if more {
				line += "..."
			}
			err.Detail += fmt.Sprintf("; rendered from %q", line)
		}
	}
	return errs
}

// warnOfOverrides says when the command line's values reach no template.
func warnOfOverrides(expansions []*expansion, overrides map[string]any, report *results) {
	if len(overrides) == 0 || slices.ContainsFunc(expansions, func(e *expansion) bool { return e.templates.data != nil }) {
		return
	}
	report.warningf(nil, "the values of the command line reach no template: no PeerJob has spec.templating: Enabled")
}
