// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/admission"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/lint"
)

// Difference is one field in which the expansion is not like the original.
type Difference struct {
	// Object is "Job train", Field the path of the field.
	Object, Field string
	// Was and Is are the values, "" where there is none.
	Was, Is string
	// Why is why, and what to write to keep what was. It may be "".
	Why string
	// Adds is whether peerjob only adds something that no program of the user's sees
	// unless it looks for it.
	Adds bool
}

// compare returns how an expansion differs from the original, by object and field.
func compare(original lint.Pair, x expanded, d *draft) []Difference {
	var all []Difference
	template := &original.Job.Spec.Template
	was, is := map[string]string{}, map[string]string{}
	name := "Service " + x.service.Name
	if original.Service == nil {
		all = append(all, Difference{Object: name, Is: "a headless Service", Why: "no other Service gives the Pods their names"})
	} else {
		flatten(plain(cleanService(withDefaults(original.Service, template))), "", was)
		flatten(plain(cleanService(withDefaults(x.service, &x.job.Spec.Template))), "", is)
		all = append(all, differences(name, was, is)...)
	}
	was, is = map[string]string{}, map[string]string{}
	before := original.Job.DeepCopy()
	d.withPreset(before, x.job)
	flatten(plain(cleanJob(before)), "", was)
	flatten(plain(cleanJob(x.job)), "", is)
	all = append(all, peerVariables(differences("Job "+x.job.Name, was, is), x)...)
	for i := range all {
		all[i].explain(x)
	}
	for _, other := range x.others {
		all = append(all, Difference{Object: other, Is: "an object of its own", Adds: true})
	}
	return all
}

// withPreset puts into the original what a preset says in other words: the preset was
// written only because it sets the same values.
func (d *draft) withPreset(before, after *batchv1.Job) {
	if len(d.same) == 0 {
		return
	}
	for i := range before.Spec.Template.Spec.Containers {
		own, now := &before.Spec.Template.Spec.Containers[i], &after.Spec.Template.Spec.Containers[i]
		if startOfFlags(slices.Concat(own.Command, own.Args)) >= 0 {
			own.Command, own.Args = now.Command, now.Args
		}
		for j := range own.Env {
			for _, v := range now.Env {
				if v.Name == own.Env[j].Name {
					own.Env[j] = v
				}
			}
		}
		for _, v := range now.Env {
			if strings.HasPrefix(v.Name, "PET_") && !slices.ContainsFunc(own.Env, func(e corev1.EnvVar) bool { return e.Name == v.Name }) {
				own.Env = append(own.Env, v)
			}
		}
	}
}

func cleanService(s *corev1.Service) *corev1.Service {
	s.TypeMeta.Kind, s.TypeMeta.APIVersion = "", ""
	s.Status = corev1.ServiceStatus{}
	cleanMetadata(&s.ObjectMeta.Annotations)
	s.ObjectMeta.ManagedFields, s.UID, s.ResourceVersion, s.Generation = nil, "", "", 0
	s.CreationTimestamp.Reset()
	return s
}

func cleanJob(job *batchv1.Job) *batchv1.Job {
	j := job.DeepCopy()
	live := j.UID != "" || j.ResourceVersion != ""
	j.Kind, j.APIVersion = "", ""
	j.Status = batchv1.JobStatus{}
	j.ManagedFields, j.UID, j.ResourceVersion, j.Generation = nil, "", "", 0
	j.CreationTimestamp.Reset()
	j.Spec.Template.CreationTimestamp.Reset()
	j.Spec.Selector, j.Spec.ManualSelector = nil, nil
	cleanMetadata(&j.Annotations)
	controller := []string{"job-name", "controller-uid", batchv1.JobNameLabel, batchv1.ControllerUidLabel}
	drop := func(labels map[string]string) {
		for _, key := range controller {
			delete(labels, key)
		}
	}
	drop(j.Spec.Template.Labels)
	if live {
		drop(j.Labels)
	}
	if live && maps.Equal(j.Labels, j.Spec.Template.Labels) {
		j.Labels = nil // the server copies them to a Job without labels
	}
	if j.Spec.Template.Spec.EnableServiceLinks == nil {
		j.Spec.Template.Spec.EnableServiceLinks = new(true) // the default of a Pod
	}
	hadLabels := len(j.Labels) > 0
	j = admission.Defaulted(j)
	if !hadLabels {
		j.Labels = nil
	}
	return j
}

func cleanMetadata(annotations *map[string]string) {
	for _, key := range serverAnnotations {
		delete(*annotations, key)
	}
}

// plain is an object as plain values.
func plain(object any) any {
	data, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		panic(err)
	}
	return value
}

// names are the keys by which the elements of lists are told apart.
var names = []string{"name", "mountPath", "containerPort", "devicePath"}

// flatten writes every single value of an object by its path. Elements of a list that
// have names are called by them: peerjob adds some in front.
func flatten(value any, path string, to map[string]string) {
	switch v := value.(type) {
	case map[string]any:
		if path == "spec.selector" {
			to[path] = labelsOf(v)
			return
		}
		for key, child := range v {
			at := key
			if path != "" {
				at = path + "." + key
			}
			if strings.ContainsAny(key, "./") {
				at = path + "[" + key + "]"
			}
			flatten(child, at, to)
		}
		if len(v) == 0 && path != "" && meansSomething(path) {
			to[path] = "{}"
		}
	case []any:
		key := keyOf(v)
		for i, child := range v {
			at := path + "[" + strconv.Itoa(i) + "]"
			if key != "" {
				at = path + "[" + fmt.Sprint(child.(map[string]any)[key]) + "]"
			}
			flatten(child, at, to)
		}
	case nil:
	case string:
		to[path] = v
	case float64:
		if v != 0 || !strings.HasSuffix(path, ".targetPort") { // 0 is none
			to[path] = strconv.FormatFloat(v, 'f', -1, 64)
		}
	default:
		to[path] = fmt.Sprint(v)
	}
}

// meansSomething reports whether an empty map at a path is a choice.
func meansSomething(path string) bool {
	return strings.HasSuffix(path, ".emptyDir") || strings.HasSuffix(path, ".gang")
}

// keyOf is the key that every element of a list has with another value, "" for none.
func keyOf(list []any) string {
	for _, key := range names {
		seen := map[string]bool{}
		for _, element := range list {
			m, isMap := element.(map[string]any)
			if value, found := m[key]; isMap && found {
				seen[fmt.Sprint(value)] = true
			}
		}
		if len(list) > 0 && len(seen) == len(list) {
			return key
		}
	}
	return ""
}

// labelsOf are labels in one text: "app=train,tier=peers".
func labelsOf(labels map[string]any) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, key+"="+fmt.Sprint(labels[key]))
	}
	return strings.Join(pairs, ",")
}

// elementOf matches a path below an element of a list that has a name.
var elementOf = lazyregexp.New(`^(.*(?:ports|env|volumes|volumeMounts|initContainers|containers)\[[^]]+\])\.(.+)$`)

// differences returns the fields in which two objects differ. An element of a list that
// only one of them has is one difference.
func differences(object string, was, is map[string]string) []Difference {
	paths := map[string]bool{}
	elements := func(values map[string]string) map[string]bool {
		found := map[string]bool{}
		for path := range values {
			paths[path] = true
			for match := elementOf.FindStringSubmatch(path); match != nil; match = elementOf.FindStringSubmatch(match[1]) {
				found[match[1]] = true
			}
		}
		return found
	}
	hadElements, hasElements := elements(was), elements(is)
	var all []Difference
	whole := map[string]int{}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		before, had := was[path]
		after, has := is[path]
		if had == has && before == after {
			continue
		}
		if at, rest := wholeElement(path, hadElements, hasElements); at != "" && had != has {
			i, found := whole[at]
			if !found {
				i = len(all)
				whole[at] = i
				all = append(all, Difference{Object: object, Field: at})
			}
			if had {
				all[i].Was = strings.TrimSpace(all[i].Was + " " + rest + "=" + before)
			} else {
				all[i].Is = strings.TrimSpace(all[i].Is + " " + rest + "=" + after)
			}
			continue
		}
		all = append(all, Difference{Object: object, Field: path, Was: before, Is: after})
	}
	return all
}

// wholeElement returns the outermost element of a list that only one object has and that a
// path is in, and the rest of the path; "" if there is none.
func wholeElement(path string, had, has map[string]bool) (element, rest string) {
	for match := elementOf.FindStringSubmatch(path); match != nil; match = elementOf.FindStringSubmatch(match[1]) {
		if had[match[1]] != has[match[1]] {
			element = match[1]
		}
	}
	return element, strings.TrimPrefix(strings.TrimPrefix(path, element), ".")
}

// reasons say why a field differs.
var reasons = []struct {
	path *lazyregexp.Regexp
	// was and is are whether the original, and the expansion, must have a value.
	was, is bool
	adds    bool
	why     string
}{
	{path: lazyregexp.New(`^metadata\.annotations\[peerjob\.dev/owner\]$`), is: true, adds: true, why: "marks what peerjob may replace"},
	{path: lazyregexp.New(`^spec\.template\.metadata\.annotations\[peerjob\.dev/service\]$`), is: true, adds: true, why: "the variable PEERJOB_SERVICE reads it"},
	{path: lazyregexp.New(`^spec\.publishNotReadyAddresses$`), why: "peers find each other before they are ready; to keep what was, write spec.service.publishNotReadyAddresses: false"},
	{path: lazyregexp.New(`^spec\.template\.spec\.enableServiceLinks$`), why: "variables of other Services can't take the place of the user's; to keep what was, write enableServiceLinks: true in the template"},
	{path: lazyregexp.New(`^spec\.selector$`), why: "the Service selects the Pods of this Job by the label that the Job controller gives them"},
	{path: lazyregexp.New(`^spec\.(clusterIP|type)$`), why: "the Service of the peers is headless: only then has each Pod a name"},
	{path: lazyregexp.New(`^spec\.completionMode$`), why: "only Pods with an index have a name"},
	{path: lazyregexp.New(`^spec\.(completions|parallelism)$`), why: "all peers run at the same time; if only some shall, keep the Job"},
	{path: lazyregexp.New(`^spec\.template\.spec\.subdomain$`), why: "the subdomain is the name of the Service"},
	{path: lazyregexp.New(`^spec\.template\.spec\.hostname$`), why: "the host name of a peer has its index"},
	{path: lazyregexp.New(`^spec\.template\.spec\.dnsPolicy$`), why: "with the other policy, the Pods find no names of the cluster"},
	{path: lazyregexp.New(`^metadata\.(name|namespace)$`), why: "the Service and the Job of a PeerJob are in one namespace"},
	{path: lazyregexp.New(`^spec\.ports\[`), is: true, adds: true, why: "a port of the containers or of spec.framework; to have other ports, write spec.service.ports"},
	{path: lazyregexp.New(`^spec\.template\.spec\.(initC|c)ontainers\[[^]]+\]\.(command|args)\[`), was: true, is: true, why: "a host name becomes one that leads to a peer"},
	{path: lazyregexp.New(`\.env\[[^]]+\]\.value$`), was: true, is: true, why: "a host name becomes one that leads to a peer"},
}

// explain says why there is a difference.
func (d *Difference) explain(x expanded) {
	if d.Why != "" {
		return
	}
	for _, r := range reasons {
		if !r.path.MatchString(d.Field) || r.was && d.Was == "" || r.is && d.Is == "" {
			continue
		}
		d.Why, d.Adds = r.why, r.adds && d.Was == ""
		return
	}
	if own := x.group.PeerJob.Spec.Framework; own != nil && d.Was == "" && variableOf.MatchString(d.Field) {
		d.Why, d.Adds = "of spec.framework ("+own.Type+")", true
	}
}

// variableOf matches a part of a variable of a container.
var variableOf = lazyregexp.New(`^(spec\.template\.spec\.(?:initContainers|containers)\[[^]]+\]\.env)\[([^]]+)\]`)

// peerVariables puts the variables that peerjob adds to a container into one difference.
func peerVariables(all []Difference, x expanded) []Difference {
	added := map[string][]string{}
	ours := append(v1alpha1.PeerEnvNames(), v1alpha1.EnvUID)
	rest := slices.DeleteFunc(all, func(d Difference) bool {
		match := variableOf.FindStringSubmatch(d.Field)
		if match == nil || d.Was != "" || !contains(ours, match[2]) {
			return false
		}
		if !contains(added[match[1]], match[2]) {
			added[match[1]] = append(added[match[1]], match[2])
		}
		return true
	})
	for _, path := range slices.Sorted(maps.Keys(added)) {
		names := added[path]
		slices.SortFunc(names, func(a, b string) int { return slices.Index(ours, a) - slices.Index(ours, b) })
		rest = append(rest, Difference{
			Object: "Job " + x.job.Name, Field: path, Is: strings.Join(names, ", "), Adds: true,
			Why: "variables of the peers; spec.peerEnv: Disabled leaves them out",
		})
	}
	return rest
}
