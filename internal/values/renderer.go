// SPDX-License-Identifier: Apache-2.0

package values

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/lazyregexp"
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
	// roles render the fields of the roles, in their order; none without roles.
	roles    []*render.Renderer
	snippets map[string]string
	// exhausted says that an error told that the templates do too much work.
	exhausted bool
	// early are the fields that were rendered before all others, by their path.
	early map[string]early
}

// early is a field that decides what the templates of others see.
type early struct {
	text string
	err  error
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
// (decode.Head) and defaulted. The numbers of peers that are templates are by their path
// (decode.Peers). The names of the peers have this hash in them, which may be "".
func NewRenderer(head *v1alpha1.PeerJob, peers map[string]string, hash string, merged Merged) *Renderer {
	budget := render.NewBudget()
	named := *head
	named.Spec.Roles = slices.Clone(head.Spec.Roles)
	r := &Renderer{early: map[string]early{}, snippets: head.Spec.Snippets}
	texts := func(data *Data) *render.Renderer {
		texts := render.New(data, head.Spec.Snippets, budget)
		texts.Nulls = merged.Nulls
		return texts
	}
	counts := map[string]**int32{field.NewPath("spec", "peers").String(): &named.Spec.Peers}
	for i := range named.Spec.Roles {
		counts[peerjob.RolesPath.Index(i).Child("peers").String()] = &named.Spec.Roles[i].Peers
	}
	for _, path := range slices.Sorted(maps.Keys(peers)) {
		text, err := texts(&Data{values: merged.Values, stage: countingStage}).Render(peers[path])
		r.early[path] = early{text, err}
		if n, wrong := strconv.ParseInt(text, 10, 32); err == nil && wrong == nil && counts[path] != nil {
			count := int32(n)
			*counts[path] = &count
		}
	}
	service, err := texts(&Data{group: peerjob.NewGroup(&named, ""), values: merged.Values, stage: namingStage}).Render(head.Spec.Service.Name)
	r.early[serviceNamePath] = early{service, err}
	if err == nil {
		named.Spec.Service.Name = service
	}
	group := peerjob.NewGroup(&named, hash)
	r.Data = NewData(group, merged.Values)
	r.texts = texts(r.Data)
	for _, role := range group.All() {
		if role.HasRoles() {
			r.roles = append(r.roles, texts(r.Data.forRole(role)))
		}
	}
	return r
}

// rolePath matches the role that a field is in.
var rolePath = lazyregexp.New(`^spec\.roles\[(\d+)\]`)

// textsAt returns the renderer for a field.
func (r *Renderer) textsAt(path string) *render.Renderer {
	if match := rolePath.FindStringSubmatch(path); match != nil {
		if i, err := strconv.Atoi(match[1]); err == nil && i < len(r.roles) {
			return r.roles[i]
		}
	}
	return r.texts
}

// Snippets are the snippets that templates can include.
func (r *Renderer) Snippets() map[string]string { return r.snippets }

// Render renders the text of a field.
func (r *Renderer) Render(path *field.Path, text string) (string, *field.Error) {
	at := path.String()
	known, found := r.early[at]
	if !found {
		known.text, known.err = r.textsAt(at).Render(text)
	}
	if known.err != nil {
		return "", r.failed(path, known.err)
	}
	r.Rendered = append(r.Rendered, Rendering{at, text, known.text})
	return known.text, nil
}

// RenderYAML renders the text of a field that is a list or a map.
func (r *Renderer) RenderYAML(path *field.Path, text string) (*yaml.Node, *field.Error) {
	node, rendered, err := r.textsAt(path.String()).RenderYAML(text)
	if err != nil {
		return nil, r.failed(path, err)
	}
	r.Rendered = append(r.Rendered, Rendering{path.String(), text, rendered})
	return node, nil
}

// failed is the error of a field. The templates share one budget: when it is used up,
// the first field says so for all.
func (r *Renderer) failed(path *field.Path, err error) *field.Error {
	if errors.Is(err, render.ErrBudget) {
		if r.exhausted {
			return decode.ErrSaid
		}
		r.exhausted = true
	}
	return templateError(path, err)
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
	renderings := map[string]Rendering{}
	for _, rendering := range r.Rendered {
		renderings[rendering.Field] = rendering
	}
	for _, err := range errs {
		if rendering, found := renderings[err.Field]; found {
			template := rendering.Template
			if err.Type == field.ErrorTypeRequired && rendering.Text == "" {
				err.Detail = "the template renders to nothing" + giveValue(template)
			}
			line, _, more := strings.Cut(template, "\n")
			if more {
				line += "..."
			}
			err.Detail += fmt.Sprintf("; rendered from %q", line)
		}
	}
}

// giveValue says which value could fill a template that renders to nothing.
func giveValue(template string) string {
	if read := render.ValuesRead(template); len(read) == 1 && read[0] != "" {
		return fmt.Sprintf("; give values.%s a value", read[0])
	}
	return ""
}
