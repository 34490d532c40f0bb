// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
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
)

var modes = []mode{modeExpand, modeValidate, modeKustomizeValidator}

// config is what the functionConfig of a ConfigMap kind says.
type config struct {
	// defaults are for every PeerJob that does not set them itself.
	defaults v1alpha1.Settings
	// prune removes objects of peerjob's whose PeerJob is not in the list.
	prune bool
	mode  mode
}

// settings are the keys of a ConfigMap that configures the function, each with
// what its value does.
var settings = map[string]func(*config, string, *field.Path) *field.Error{
	"barrierImage": func(c *config, value string, path *field.Path) *field.Error {
		if strings.TrimSpace(value) != value || value == "" {
			return field.Invalid(path, value, "must be an image")
		}
		c.defaults.BarrierImage = value
		return nil
	},
	"clusterDomain": func(c *config, value string, path *field.Path) *field.Error {
		for _, msg := range validation.IsDNS1123Subdomain(value) {
			return field.Invalid(path, value, msg)
		}
		c.defaults.ClusterDomain = value
		return nil
	},
	"kubernetesVersion": func(c *config, value string, path *field.Path) *field.Error {
		for _, err := range peerjob.ValidateVersion(value, path) {
			return err
		}
		c.defaults.KubernetesVersion = value
		return nil
	},
	"mode": func(c *config, value string, path *field.Path) *field.Error {
		c.mode = mode(value)
		if !slices.Contains(modes, c.mode) {
			return field.NotSupported(path, value, modes)
		}
		return nil
	},
	"prune": func(c *config, value string, path *field.Path) *field.Error {
		if value != "true" && value != "false" {
			return field.NotSupported(path, value, []string{"false", "true"})
		}
		c.prune = value == "true"
		return nil
	},
}

// settingNames are the keys of settings, sorted.
func settingNames() []string {
	names := make([]string, 0, len(settings))
	for name := range settings {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// readConfig reads a functionConfig that is no PeerJob. Nothing, null and an
// empty ConfigMap all mean the defaults: kpt sends an empty one named
// "function-input" when it was given none.
func readConfig(about *object) (config, field.ErrorList) {
	c := config{mode: modeExpand}
	if about == nil {
		return c, nil
	}
	if about.apiVersion != "v1" || about.kind != "ConfigMap" {
		what := strings.Trim(about.apiVersion+"/"+about.kind, "/")
		return c, field.ErrorList{field.Invalid(field.NewPath("kind"), what, fmt.Sprintf(
			"the functionConfig must be a %s/%s, or a v1/ConfigMap with the settings %s in its data",
			v1alpha1.APIVersion, v1alpha1.Kind, strings.Join(settingNames(), ", ")))}
	}
	var errs field.ErrorList
	eachEntry(about.node(), func(key string, _ *yaml.Node) {
		if !slices.Contains([]string{"apiVersion", "kind", "metadata", "data"}, key) {
			errs = append(errs, field.Forbidden(field.NewPath(key), "unknown field; the settings stand in data"))
		}
	})
	dataPath := field.NewPath("data")
	data := yamlnode.Resolve(yamlnode.Get(about.node(), "data"))
	if data != nil && data.Kind != yaml.MappingNode && data.ShortTag() != "!!null" {
		return c, append(errs, field.Invalid(dataPath, yamlnode.Text(data), "must be a map"))
	}
	seen := map[string]bool{}
	eachEntry(data, func(key string, value *yaml.Node) {
		if seen[key] {
			errs = append(errs, duplicate(dataPath.Child(key).String(), key, "the key stands twice in the same map; keep one"))
			return
		}
		seen[key] = true
		set, found := settings[key]
		if !found {
			errs = append(errs, field.NotSupported(dataPath.Key(key), key, settingNames()))
			return
		}
		if err := set(&c, yamlnode.Text(value), dataPath.Child(key)); err != nil {
			errs = append(errs, err)
		}
	})
	return c, errs
}

// eachEntry visits the keys of a mapping in their order.
func eachEntry(node *yaml.Node, visit func(key string, value *yaml.Node)) {
	node = yamlnode.Resolve(node)
	if node == nil || node.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		visit(node.Content[i].Value, node.Content[i+1])
	}
}
