// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	"helm.sh/helm/v3/pkg/strvals"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/fn/render"
	"github.com/peerjob/peerjob/fn/v1alpha1"
)

// maxValues is how large one source of values may be, in bytes: as large as a
// ConfigMap.
const maxValues = 1 << 20

// ReadValues reads values for templates from YAML or JSON: a map, or nothing.
func ReadValues(content []byte) (map[string]any, error) {
	if len(content) > maxValues {
		return nil, fmt.Errorf("has %d bytes, and values may have %d", len(content), maxValues)
	}
	value, err := render.Parse(content)
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, err
	}
	if err := checkKeys(&document); err != nil {
		return nil, err
	}
	values, ok := value.(map[string]any)
	if !ok && value != nil {
		return nil, errors.New("must be a map of values")
	}
	return values, nil
}

// MergeValues lays values over others, as Helm does: maps by key, anything else
// whole. Null removes what it stands over at last.
func MergeValues(base, overlay map[string]any) map[string]any { return render.Merge(base, overlay) }

// SetValues lays values in the form of Helm's --set over others:
// "image=web:2,ports[0]=80".
func SetValues(base map[string]any, assignments string) (map[string]any, error) {
	set, err := strvals.Parse(assignments)
	if err != nil {
		return nil, err
	}
	return render.Merge(base, set), nil
}

// valueSources are where the values of templates come from: the ConfigMaps of
// the list, and what the command line says.
type valueSources struct {
	configMaps []*object
	// overrides lie over the values of every PeerJob.
	overrides map[string]any
	// read are the values that were read before; PeerJobs are expanded side by
	// side.
	read  map[valuesKey]map[string]any
	mutex sync.Mutex
}

type valuesKey struct {
	configMap *object
	key       string
}

func newValueSources(objects []*object, overrides map[string]any) *valueSources {
	sources := &valueSources{overrides: overrides, read: map[valuesKey]map[string]any{}}
	for _, o := range objects {
		if o.apiVersion == "v1" && o.kind == "ConfigMap" {
			sources.configMaps = append(sources.configMaps, o)
		}
	}
	return sources
}

// valuesOf are the merged values of a PeerJob, with the sources that are
// missing and all that is wrong with others.
func (s *valueSources) valuesOf(source *object, pj *v1alpha1.PeerJob) (values map[string]any, missing, errs field.ErrorList) {
	values = map[string]any{}
	for i, from := range pj.Spec.ValuesFrom {
		ref := from.ConfigMapRef
		if ref == nil || ref.Name == "" {
			continue // an error of the PeerJob's own
		}
		path := field.NewPath("spec", "valuesFrom").Index(i).Child("configMapRef")
		found, err := s.configMap(source, ref, path)
		if err == nil {
			var read map[string]any
			if read, err = s.entry(found, ref.Key, path.Child("key")); err == nil {
				values = render.Merge(values, read)
			}
		}
		switch {
		case found == nil && err.Type == field.ErrorTypeNotFound:
			missing = append(missing, err)
		case err != nil:
			errs = append(errs, err)
		}
	}
	return render.WithoutNulls(render.Merge(render.Merge(values, pj.Spec.Values), s.overrides)), missing, errs
}

// hashSuffix matches what a configMapGenerator of kustomize adds to a name. Its
// letters make no words, so that "settings-production" is no "settings". See
// https://github.com/kubernetes-sigs/kustomize/blob/master/api/hasher/hasher.go.
var hashSuffix = regexp.MustCompile(`^-[2456789bcdfghkmt]{10}$`)

// configMap finds the ConfigMap that a PeerJob names: by its name or by one which
// it had before kustomize renamed it, or else by its name with kustomize's hash.
// It stands in the same package of kpt, so that the package renders by itself.
func (s *valueSources) configMap(source *object, ref *v1alpha1.ConfigMapKey, path *field.Path) (*object, *field.Error) {
	reachable := filter(s.configMaps, func(o *object) bool {
		return o.pkg == source.pkg && (o.namespace == source.namespace || o.namespace == "" || source.namespace == "")
	})
	for _, matches := range []func(*object) bool{
		func(o *object) bool { return slices.Contains(o.names(), ref.Name) },
		func(o *object) bool {
			suffix, found := strings.CutPrefix(o.name, ref.Name)
			return found && hashSuffix.MatchString(suffix)
		},
	} {
		found := nearest(source, filter(reachable, matches))
		if exact := filter(found, func(o *object) bool { return o.name == ref.Name }); len(exact) > 0 {
			found = exact
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0], nil
		}
		hint := "rename one of them"
		if source.namespace == "" {
			hint = "give the PeerJob a namespace, or " + hint
		}
		return nil, field.Invalid(path.Child("name"), ref.Name, fmt.Sprintf("is the name of %d ConfigMaps: %v and %v; %s", len(found), found[0], found[1], hint))
	}
	err := field.NotFound(path.Child("name"), ref.Name)
	err.Detail = "no ConfigMap of this name is among the objects that peerjob was given" + s.known(source) +
		"; kustomize: list a configMapGenerator in a kustomization which has the PeerJob, and peerjob under transformers, as a generator sees only its own configuration" +
		"; kpt: put the ConfigMap into the package; peerjob expand: name its file, too, or use --values; anywhere: write the values into spec.values"
	return nil, err
}

// known lists the ConfigMaps there are.
func (s *valueSources) known(source *object) string {
	const few = 5
	var names, elsewhere []string
	for _, o := range s.configMaps {
		switch {
		case o.pkg == source.pkg && len(names) < few:
			names = append(names, o.name)
		case o.pkg != source.pkg && len(elsewhere) < few:
			elsewhere = append(elsewhere, fmt.Sprintf("%s (%s)", o.name, o.shownFile))
		}
	}
	said := ""
	if len(names) > 0 {
		said += "; those there are: " + strings.Join(names, ", ")
	}
	if len(elsewhere) > 0 {
		said += "; those of other packages are not taken: " + strings.Join(elsewhere, ", ")
	}
	return said
}

// entry reads the values in an entry of a ConfigMap.
func (s *valueSources) entry(configMap *object, key string, path *field.Path) (map[string]any, *field.Error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	at := valuesKey{configMap, key}
	if values, found := s.read[at]; found {
		return values, nil
	}
	data := resolve(get(configMap.node(), "data"))
	content := resolve(get(data, key))
	if content == nil || content.Kind != yaml.ScalarNode {
		var keys []string
		eachEntry(data, func(key string, _ *yaml.Node) { keys = append(keys, key) })
		err := field.NotFound(path, key)
		err.Detail = fmt.Sprintf("%v has no such entry in its data; it has: %s", configMap, strings.Join(keys, ", "))
		return nil, err
	}
	values, err := ReadValues([]byte(content.Value))
	if err != nil {
		return nil, field.Invalid(path, key, fmt.Sprintf("the entry of %v: %v", configMap, err))
	}
	s.read[at] = values
	return values, nil
}

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
	for _, name := range sortedNames(head.Spec.Snippets) {
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

func sortedNames[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// warnOfOverrides says when the command line's values reach no template.
func warnOfOverrides(expansions []*expansion, overrides map[string]any, report *results) {
	if len(overrides) == 0 || slices.ContainsFunc(expansions, func(e *expansion) bool { return e.templates.data != nil }) {
		return
	}
	report.warningf(nil, "the values of the command line reach no template: no PeerJob has spec.templating: Enabled")
}
