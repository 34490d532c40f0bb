// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// mode is what the function does with what it finds.
type mode string

const (
	// modeExpand expands every PeerJob. It is the default.
	modeExpand mode = "Expand"
	// modeValidate checks and reports, and changes nothing.
	modeValidate mode = "Validate"
	// modeKustomizeValidator checks and reports, and writes no items. It is for
	// the "validators:" of kustomize, which takes items for a change, even the
	// very same (kustomize#5036), and keeps its own whatever comes back.
	modeKustomizeValidator mode = "KustomizeValidator"
	// modeLint checks the Services and Jobs that people wrote by hand, too. In
	// kustomize it writes no items, as modeKustomizeValidator does.
	modeLint mode = "Lint"
)

var modes = []mode{modeExpand, modeValidate, modeKustomizeValidator, modeLint}

// settings are what a functionConfig of kind ConfigMap says.
type settings struct {
	// defaults are for every PeerJob that does not set them itself.
	defaults v1alpha1.Settings
	// prune removes objects of peerjob's whose PeerJob is not in the list.
	prune bool
	mode  mode
}

// setters have the keys of such a ConfigMap, each with what its value does.
var setters = map[string]func(*settings, string, *field.Path) *field.Error{
	"clusterDomain": func(s *settings, value string, path *field.Path) *field.Error {
		for _, msg := range validation.IsDNS1123Subdomain(value) {
			return field.Invalid(path, value, msg)
		}
		s.defaults.ClusterDomain = value
		return nil
	},
	"kubernetesVersion": func(s *settings, value string, path *field.Path) *field.Error {
		for _, err := range peerjob.ValidateVersion(value, path) {
			return err
		}
		s.defaults.KubernetesVersion = value
		return nil
	},
	"mode": func(s *settings, value string, path *field.Path) *field.Error {
		s.mode = mode(value)
		if !slices.Contains(modes, s.mode) {
			return field.NotSupported(path, value, modes)
		}
		return nil
	},
	"prune": func(s *settings, value string, path *field.Path) *field.Error {
		if value != "true" && value != "false" {
			return field.NotSupported(path, value, []string{"false", "true"})
		}
		s.prune = value == "true"
		return nil
	},
	"runnerImage": func(s *settings, value string, path *field.Path) *field.Error {
		if strings.TrimSpace(value) != value || value == "" {
			return field.Invalid(path, value, "must be an image")
		}
		s.defaults.RunnerImage = value
		return nil
	},
}

// settingNames are the keys of setters, sorted.
func settingNames() []string {
	names := make([]string, 0, len(setters))
	for name := range setters {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// readSettings reads a functionConfig that is no PeerJob. Nothing, null and an
// empty ConfigMap all mean the defaults: kpt sends an empty one named
// "function-input" when it was given none.
func readSettings(about *krmlist.Object) (settings, field.ErrorList) {
	s := settings{mode: modeExpand}
	if about == nil {
		return s, nil
	}
	if about.APIVersion != "v1" || about.Kind != "ConfigMap" {
		what := strings.Trim(about.APIVersion+"/"+about.Kind, "/")
		return s, field.ErrorList{field.Invalid(field.NewPath("kind"), what, fmt.Sprintf(
			"the functionConfig must be a %s/%s, or a v1/ConfigMap with the settings %s in its data",
			v1alpha1.APIVersion, v1alpha1.Kind, strings.Join(settingNames(), ", ")))}
	}
	var errs field.ErrorList
	yamlnode.EachEntry(about.Node(), func(key string, _ *yaml.Node) {
		if !slices.Contains([]string{"apiVersion", "kind", "metadata", "data"}, key) {
			errs = append(errs, field.Forbidden(field.NewPath(key), "unknown field; put settings under data"))
		}
	})
	dataPath := field.NewPath("data")
	data := yamlnode.Resolve(yamlnode.Get(about.Node(), "data"))
	if data != nil && data.Kind != yaml.MappingNode && data.ShortTag() != "!!null" {
		return s, append(errs, field.Invalid(dataPath, yamlnode.Text(data), "must be a map"))
	}
	seen := map[string]bool{}
	yamlnode.EachEntry(data, func(key string, value *yaml.Node) {
		if seen[key] {
			errs = append(errs, duplicate(dataPath.Child(key).String(), key, "duplicate key; keep one"))
			return
		}
		seen[key] = true
		set, found := setters[key]
		if key == "barrierImage" {
			errs = append(errs, field.Forbidden(dataPath.Child(key), "is gone; use data.runnerImage, with the image of the runner, which is "+v1alpha1.RunnerRepository))
			return
		}
		if !found {
			errs = append(errs, field.NotSupported(dataPath.Key(key), key, settingNames()))
			return
		}
		if err := set(&s, yamlnode.Text(value), dataPath.Child(key)); err != nil {
			errs = append(errs, err)
		}
	})
	return s, errs
}
