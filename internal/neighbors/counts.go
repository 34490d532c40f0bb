// SPDX-License-Identifier: Apache-2.0

package neighbors

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/rules"
)

// countedIn are the names of the ConfigMaps from which a Pod template may have a number of
// peers.
func countedIn(template *corev1.PodTemplateSpec) map[string]bool {
	names := map[string]bool{}
	rules.EachContainer(template, nil, func(container *corev1.Container, _ *field.Path) {
		for _, source := range container.EnvFrom {
			if source.ConfigMapRef != nil {
				names[source.ConfigMapRef.Name] = true
			}
		}
		for _, variable := range container.Env {
			if rules.Counts(variable.Name) && variable.ValueFrom != nil && variable.ValueFrom.ConfigMapKeyRef != nil {
				names[variable.ValueFrom.ConfigMapKeyRef.Name] = true
			}
		}
	})
	return names
}

// isNamedIn reports whether an object has, or had, one of some names.
func isNamedIn(o *krmlist.Object, names map[string]bool) bool {
	return slices.ContainsFunc(o.Names(), func(name string) bool { return names[name] })
}

// warnOfCounts finds numbers of peers in ConfigMaps that contradict the PeerJob: the values
// of variables such as WORLD_SIZE, by envFrom or by a configMapKeyRef.
func (e peers) warnOfCounts(near *neighbors, report *results.Report) {
	if len(near.counting) == 0 {
		return
	}
	// The values take their places in a copy of the template, by which the fields of what is
	// found are told.
	type source struct {
		path      *field.Path
		configMap *krmlist.Object
	}
	sources := map[string]source{}
	template := e.Group.Template().DeepCopy()
	dataOf := func(name string) (*krmlist.Object, map[string]string) {
		for _, o := range near.counting[name] {
			if !inOtherVariant(e.Source, o.Object) {
				return o.Object, o.typed.Data
			}
		}
		return nil, nil
	}
	rules.EachContainer(template, e.Group.TemplatePath(), func(container *corev1.Container, path *field.Path) {
		set := map[string]bool{}
		for i := range container.Env {
			variable := &container.Env[i]
			set[variable.Name] = true
			if !rules.Counts(variable.Name) || variable.ValueFrom == nil || variable.ValueFrom.ConfigMapKeyRef == nil {
				continue
			}
			ref := variable.ValueFrom.ConfigMapKeyRef
			configMap, data := dataOf(ref.Name)
			if value, found := data[ref.Key]; found {
				variable.Value, variable.ValueFrom = value, nil
				at := path.Child("env").Index(i)
				sources[at.Child("value").String()] = source{at.Child("valueFrom", "configMapKeyRef"), configMap}
			}
		}
		for i, from := range container.EnvFrom {
			if from.ConfigMapRef == nil {
				continue
			}
			configMap, data := dataOf(from.ConfigMapRef.Name)
			for _, key := range slices.Sorted(maps.Keys(data)) {
				if name := from.Prefix + key; rules.Counts(name) && !set[name] {
					at := path.Child("env").Index(len(container.Env)).Child("value")
					container.Env = append(container.Env, corev1.EnvVar{Name: name, Value: data[key]})
					sources[at.String()] = source{path.Child("envFrom").Index(i).Child("configMapRef"), configMap}
				}
			}
		}
	})
	if len(sources) == 0 {
		return
	}
	for _, w := range peerjob.CountsIn(e.Group, framework.Brings(e.Group), template) {
		if from, found := sources[w.Field]; found {
			e.warn(report, from.path.String(), "%s", strings.Replace(w.Message, ", and ", " in "+from.configMap.String()+inFileOf(from.configMap)+", and ", 1))
		}
	}
}
