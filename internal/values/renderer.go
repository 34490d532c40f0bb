// SPDX-License-Identifier: Apache-2.0

package values

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/render"
)

// Renderer renders the fields of one PeerJob. It keeps what it rendered.
type Renderer struct {
	// Data is what the templates see.
	Data *Data
	// Rendered is what was rendered so far, in the order of the fields.
	Rendered []Rendering

	texts *render.Renderer
	// service is what spec.service.name renders to, or why it does not.
	service    string
	serviceErr error
}

// Rendering is a template and what it renders to.
type Rendering struct {
	// Field is the path of the template.
	Field string
	// Template is the template as it was written.
	Template string
	// Text is what it renders to.
	Text string
}

var (
	serviceNamePath = field.NewPath("spec", "service", "name").String()
	snippetsPath    = field.NewPath("spec", "snippets")
)

// CheckSnippets returns the errors of snippets that can't be parsed.
func CheckSnippets(snippets map[string]string) field.ErrorList {
	renderer := render.New(&Data{}, snippets, render.NewBudget())
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(snippets)) {
		if err := renderer.Check(name); err != nil {
			errs = append(errs, templateError(snippetsPath.Key(name), err))
		}
	}
	return errs
}

// NewRenderer returns a renderer for a PeerJob of which the head was read
// (decode.Head) and defaulted. The names of the peers have this hash in them,
// which may be "".
func NewRenderer(head *v1alpha1.PeerJob, hash string, values map[string]any) *Renderer {
	budget := render.NewBudget()
	named := *head
	r := &Renderer{}
	r.service, r.serviceErr = render.New(namingData(head, values), head.Spec.Snippets, budget).Render(head.Spec.Service.Name)
	if r.serviceErr == nil {
		named.Spec.Service.Name = r.service
	}
	r.Data = NewData(peerjob.NewGroup(&named, hash), values)
	r.texts = render.New(r.Data, head.Spec.Snippets, budget)
	return r
}

// Render renders the text of a field.
func (r *Renderer) Render(path *field.Path, text string) (string, *field.Error) {
	at := path.String()
	rendered, err := r.service, r.serviceErr
	if at != serviceNamePath {
		rendered, err = r.texts.Render(text)
	}
	if err != nil {
		return "", templateError(path, err)
	}
	r.Rendered = append(r.Rendered, Rendering{at, text, rendered})
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

// Explain adds to errors the templates that their values were rendered from.
func (r *Renderer) Explain(errs field.ErrorList) {
	templates := map[string]string{}
	for _, rendering := range r.Rendered {
		templates[rendering.Field] = rendering.Template
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
}
