// SPDX-License-Identifier: Apache-2.0

package expansion

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/render"
	"github.com/peerjob/peerjob/internal/spell"
	"github.com/peerjob/peerjob/internal/values"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// Sources are where the values of templates come from: the ConfigMaps of the list,
// and the caller.
type Sources struct {
	configMaps []*krmlist.Object
	// files have values of the caller, and overrides are all of them merged. They lie
	// over the values of every PeerJob.
	files     []values.File
	overrides map[string]any
	// assignments change single values after that.
	assignments []values.Assignment
	// read are the values that were read before; PeerJobs are expanded side by
	// side.
	read  map[valuesKey]map[string]any
	mutex sync.Mutex
}

type valuesKey struct {
	configMap *krmlist.Object
	key       string
}

// NewSources returns the sources in a list, with the values of the caller.
func NewSources(objects []*krmlist.Object, files []values.File, assignments []values.Assignment) *Sources {
	sources := &Sources{files: files, assignments: assignments, read: map[valuesKey]map[string]any{}}
	for _, file := range files {
		sources.overrides = render.Merge(sources.overrides, file.Values)
	}
	for _, o := range objects {
		if o.APIVersion == "v1" && o.Kind == "ConfigMap" {
			sources.configMaps = append(sources.configMaps, o)
		}
	}
	return sources
}

// assignError is an error of an assignment, on the value that it does not fit.
func assignError(err error) *field.Error {
	at := field.NewPath("spec", "values")
	var misfit *values.Misfit
	if !errors.As(err, &misfit) {
		return field.Invalid(at, field.OmitValueType{}, "on the command line "+err.Error())
	}
	for _, step := range misfit.Path {
		switch step := step.(type) {
		case string:
			at = at.Child(step)
		case int:
			at = at.Index(step)
		}
	}
	var shown any = field.OmitValueType{}
	switch misfit.Value.(type) {
	case map[string]any, []any:
	default:
		shown = misfit.Value
	}
	return field.Invalid(at, shown, "on the command line "+misfit.Error())
}

// valuesOf are the merged values of a PeerJob, with the sources that they come from,
// those that are missing and all that is wrong with others.
func (s *Sources) valuesOf(source *krmlist.Object, pj *v1alpha1.PeerJob) (merged values.Merged, used []valuesKey, missing, errs field.ErrorList) {
	all := map[string]any{}
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
				all = render.Merge(all, read)
				used = append(used, valuesKey{found, ref.Key})
			}
		}
		switch {
		case found == nil && err.Type == field.ErrorTypeNotFound:
			missing = append(missing, err)
		case err != nil:
			errs = append(errs, err)
		}
	}
	own, err := ownValues(source, pj)
	if err != nil {
		errs = append(errs, err)
	}
	all, wrong := values.Override(render.Merge(all, own), s.overrides, s.assignments)
	for _, err := range wrong {
		errs = append(errs, assignError(err))
	}
	if err := values.CheckCount(all); err != nil {
		errs = append(errs, field.Invalid(field.NewPath("spec", "values"), field.OmitValueType{}, "together with spec.valuesFrom and the command line "+err.Error()))
		all = nil
	}
	return values.NewMerged(all), used, missing, errs
}

// hasCallers reports whether the caller has values.
func (s *Sources) hasCallers() bool { return len(s.overrides) > 0 || len(s.assignments) > 0 }

// ownValues are spec.values, with their numbers as they were written.
func ownValues(source *krmlist.Object, pj *v1alpha1.PeerJob) (map[string]any, *field.Error) {
	node := yamlnode.Get(yamlnode.Get(source.Node(), "spec"), "values")
	if node == nil || pj.Spec.Values == nil {
		return pj.Spec.Values, nil // from a merge key, or none
	}
	value, err := render.Value(node)
	if errors.Is(err, render.ErrTooLarge) {
		return nil, field.Invalid(field.NewPath("spec", "values"), field.OmitValueType{}, err.Error())
	}
	if err != nil {
		return pj.Spec.Values, nil // internal/decode says what is wrong
	}
	own, _ := value.(map[string]any)
	return own, nil
}

// hashSuffix matches what a configMapGenerator of kustomize adds to a name. Its
// letters make no words, so that "settings-production" is no "settings". See
// https://github.com/kubernetes-sigs/kustomize/blob/master/api/hasher/hasher.go.
var hashSuffix = lazyregexp.New(`^-[2456789bcdfghkmt]{10}$`)

// configMap finds the ConfigMap that a PeerJob names: by its name or by one that
// it had before kustomize renamed it, or else by its name with kustomize's hash.
// It stands in the same package of kpt, so that the package renders by itself.
func (s *Sources) configMap(source *krmlist.Object, ref *v1alpha1.ConfigMapKey, path *field.Path) (*krmlist.Object, *field.Error) {
	reachable := krmlist.Filter(s.configMaps, func(o *krmlist.Object) bool {
		return o.Package == source.Package && (o.Namespace == source.Namespace || o.Namespace == "" || source.Namespace == "")
	})
	for _, matches := range []func(*krmlist.Object) bool{
		func(o *krmlist.Object) bool { return slices.Contains(o.Names(), ref.Name) },
		func(o *krmlist.Object) bool {
			suffix, found := strings.CutPrefix(o.Name, ref.Name)
			return found && hashSuffix.MatchString(suffix)
		},
	} {
		found := krmlist.Closest(source, krmlist.Filter(reachable, matches))
		if exact := krmlist.Filter(found, func(o *krmlist.Object) bool { return o.Name == ref.Name }); len(exact) > 0 {
			found = exact
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0], nil
		}
		hint := "rename one of them"
		if source.Namespace == "" {
			hint = "give the PeerJob a namespace, or " + hint
		}
		return nil, field.Invalid(path.Child("name"), ref.Name, fmt.Sprintf("is the name of %d ConfigMaps: %v and %v; %s", len(found), found[0], found[1], hint))
	}
	err := field.NotFound(path.Child("name"), ref.Name)
	var names []string
	for _, o := range reachable {
		names = append(names, o.Names()...)
	}
	if near := spell.Nearest(ref.Name, names); near != "" {
		err.Detail = fmt.Sprintf("no ConfigMap has this name; did you mean %q?", near)
		return nil, err
	}
	err.Detail = "peerjob was given no ConfigMap of this name" + s.known(source) +
		"; kustomize: list a configMapGenerator beside the PeerJob, and peerjob under transformers, as a generator sees only its own configuration" +
		"; kpt: put the ConfigMap into the package; peerjob expand: name its file, too, or use --values"
	return nil, err
}

// known lists the ConfigMaps there are.
func (s *Sources) known(source *krmlist.Object) string {
	const few = 5
	var names, elsewhere []string
	for _, o := range s.configMaps {
		switch {
		case o.Package == source.Package && len(names) < few:
			names = append(names, o.Name)
		case o.Package != source.Package && len(elsewhere) < few:
			elsewhere = append(elsewhere, fmt.Sprintf("%s (%s)", o.Name, o.ShownFile))
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
func (s *Sources) entry(configMap *krmlist.Object, key string, path *field.Path) (map[string]any, *field.Error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	at := valuesKey{configMap, key}
	if known, found := s.read[at]; found {
		return known, nil
	}
	data := yamlnode.Resolve(yamlnode.Get(configMap.Node(), "data"))
	content := yamlnode.Resolve(yamlnode.Get(data, key))
	if content == nil || content.Kind != yaml.ScalarNode {
		var keys []string
		yamlnode.EachEntry(data, func(key string, _ *yaml.Node) { keys = append(keys, key) })
		err := field.NotFound(path, key)
		err.Detail = fmt.Sprintf("%v has no such entry in its data; it has: %s", configMap, strings.Join(keys, ", "))
		return nil, err
	}
	known, err := values.Read([]byte(content.Value))
	if err != nil {
		return nil, field.Invalid(path, key, fmt.Sprintf("the entry of %v: %v", configMap, err))
	}
	s.read[at] = known
	return known, nil
}
