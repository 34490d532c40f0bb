// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// object is a Kubernetes object as it stands in YAML.
type object map[string]any

func (o object) kind() string { return fmt.Sprint(o["kind"]) }

// key tells an object from the others of its list.
func (o object) key() string { return fmt.Sprintf("%s/%v", o.kind(), at(o, "metadata", "name")) }

// mostParsed is how many objects are parsed to be checked. Of more, the kinds are
// counted in the text: to parse 10,000 takes half a minute.
const mostParsed = 1000

// checkExpansion says whether peerjob made n Services and Jobs that belong
// together, Helm the very same ones, and the no-op none.
func checkExpansion(n int, input []byte, outputs map[string][]byte) error {
	if n > mostParsed {
		return errors.Join(
			checkKinds(peerjobName, outputs, "  kind: ", map[string]int{"PeerJob": n, "Service": n, "Job": n}),
			checkKinds(helmName, outputs, "kind: ", map[string]int{"Service": n, "Job": n}))
	}
	ours, err := keptItems(input, outputs[peerjobName])
	if err == nil {
		err = checkMade(n, ours)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", peerjobName, err)
	}
	helms, err := documents(outputs[helmName])
	if err == nil {
		err = checkMade(n, helms)
	}
	if err == nil {
		err = checkSame(ours, helms)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", helmName, err)
	}
	return checkNothingMade(noopName, input, outputs[noopName])
}

// checkKinds counts the lines that say the kind of an object.
func checkKinds(program string, outputs map[string][]byte, prefix string, want map[string]int) error {
	got := map[string]int{}
	for line := range bytes.Lines(outputs[program]) {
		if kind, found := strings.CutPrefix(strings.TrimRight(string(line), "\n"), prefix); found {
			got[kind]++
		}
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("%s: holds %v, want %v", program, got, want)
	}
	return nil
}

// checkPeers says whether each Job has as many peers as its case is named for.
func checkPeers(outputs map[string][]byte) error {
	for program, output := range outputs {
		peers, _, _ := strings.Cut(program, " ")
		if !strings.Contains(string(output), "\n    completions: "+peers+"\n") {
			return fmt.Errorf("%s: made no Job of this size", program)
		}
	}
	return nil
}

// checkForeign says whether each program let the n objects through and nothing
// else: peerjob and cat by the very bytes.
func checkForeign(n int, input []byte, outputs map[string][]byte) error {
	kinds := map[string]int{}
	if n > 0 {
		kinds["Deployment"] = n
	}
	if err := checkKinds("the input", map[string][]byte{"the input": input}, "  kind: ", kinds); err != nil {
		return err
	}
	for _, program := range []string{peerjobName, catName} {
		if !bytes.Equal(outputs[program], input) {
			return fmt.Errorf("%s: wrote something else than it read", program)
		}
	}
	return checkNoops(n, input, outputs, kinds)
}

// checkNoops says whether the no-ops, where there are any, let all through.
func checkNoops(n int, input []byte, outputs map[string][]byte, kinds map[string]int) error {
	for _, program := range []string{noopName, sdkName} {
		var err error
		switch output, found := outputs[program]; {
		case !found || n == 0: // they write no list without items
		case n > mostParsed:
			err = checkKinds(program, outputs, "  kind: ", kinds)
		default:
			err = checkNothingMade(program, input, output)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkBoth says whether peerjob wrote the objects before its PeerJob by the
// very bytes, and then the PeerJob with its Service and its Job.
func checkBoth(deployments []byte, peerJob string, outputs map[string][]byte) error {
	const head = "kind: ResourceList\nitems:\n"
	rest, found := bytes.CutPrefix(outputs[peerjobName], deployments)
	if !found {
		return fmt.Errorf("%s: changed what it does not own", peerjobName)
	}
	made, err := keptItems([]byte(head+peerJob), append([]byte(head), rest...))
	if err == nil {
		err = checkMade(1, made)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", peerjobName, err)
	}
	input := append(bytes.Clone(deployments), peerJob...)
	if !bytes.Equal(outputs[catName], input) {
		return fmt.Errorf("%s: wrote something else than it read", catName)
	}
	n := bytes.Count(deployments, []byte("\n  kind: Deployment\n"))
	return checkNoops(n, input, outputs, map[string]int{"Deployment": n, "PeerJob": 1})
}

// checkKustomize says whether each form of peerjob left the same n Services and
// Jobs and nothing else, and each build without it the PeerJobs.
func checkKustomize(n int, input []byte, outputs map[string][]byte) error {
	peerJobs, err := items(input)
	if err != nil {
		return err
	}
	made, err := documents(outputs[transformerName])
	if err == nil {
		err = checkMade(n, made)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", transformerName, err)
	}
	for _, program := range slices.Sorted(maps.Keys(outputs)) {
		objects, err := documents(outputs[program])
		switch {
		case err != nil:
		case program == pageName:
			err = checkCounts(objects, map[string]int{"Service": 1, "Job": 1})
		case program == catTransformerName || program == noFunctionName:
			err = checkOnly(peerJobs, objects)
		default:
			if err = checkMade(n, objects); err == nil {
				err = checkSame(made, objects)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", program, err)
		}
	}
	return nil
}

// checkOnly says whether the objects after are those from before.
func checkOnly(before, after []object) error {
	added, err := kept(before, after)
	if err == nil && len(added) > 0 {
		err = fmt.Errorf("added %d items, want none", len(added))
	}
	return err
}

// checkNothingMade says whether the output is the input.
func checkNothingMade(program string, input, output []byte) error {
	added, err := keptItems(input, output)
	if err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	if len(added) > 0 {
		return fmt.Errorf("%s: added %d items, want none", program, len(added))
	}
	return nil
}

// checkMade says whether the objects are n Services and n Jobs, wired in pairs.
func checkMade(n int, made []object) error {
	if err := checkCounts(made, map[string]int{"Service": n, "Job": n}); err != nil {
		return err
	}
	byKey := keyed(made)
	for i := range n {
		name := objectName(i)
		if err := checkWiring(name, byKey["Service/"+name], byKey["Job/"+name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func checkCounts(objects []object, want map[string]int) error {
	got := map[string]int{}
	for _, o := range objects {
		got[o.kind()]++
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("holds %v, want %v", got, want)
	}
	return nil
}

// peerEnv are the first variables of every container.
var peerEnv = []string{"JOB_COMPLETION_INDEX", "PEERJOB_NAME", "PEERJOB_NAMESPACE",
	"PEERJOB_SERVICE", "PEERJOB_SIZE", "PEERJOB_LEADER", "PEERJOB_SELF"}

// checkWiring says whether the peers of this Job find each other through this
// Service.
func checkWiring(name string, service, job object) error {
	container := []any{"spec", "template", "spec", "containers", 0}
	wirings := []struct {
		in   object
		path []any
		want any
	}{
		{service, []any{"spec", "clusterIP"}, "None"},
		{service, []any{"spec", "publishNotReadyAddresses"}, true},
		{service, []any{"spec", "selector", "job-name"}, name},
		{job, []any{"spec", "completionMode"}, "Indexed"},
		{job, []any{"spec", "parallelism"}, at(job, "spec", "completions")},
		{job, []any{"spec", "template", "spec", "subdomain"}, name},
		{job, []any{"spec", "template", "metadata", "annotations", "peerjob.dev/service"}, name},
	}
	for _, w := range wirings {
		if got := at(w.in, w.path...); !reflect.DeepEqual(got, w.want) {
			return fmt.Errorf("%v is %v, want %v", w.path, got, w.want)
		}
	}
	for i, want := range peerEnv {
		if got := at(job, append(container, "env", i, "name")...); got != want {
			return fmt.Errorf("variable %d is %v, want %s", i, got, want)
		}
	}
	return nil
}

// checkSame says whether theirs are the objects that peerjob made, in any
// order.
func checkSame(ours, theirs []object) error {
	byKey := keyed(ours)
	for _, o := range theirs {
		if want := byKey[o.key()]; !reflect.DeepEqual(o, want) {
			return fmt.Errorf("%s is not the one that peerjob made:\n  this:    %v\n  peerjob: %v", o.key(), o, want)
		}
	}
	return nil
}

func keyed(objects []object) map[string]object {
	byKey := make(map[string]object, len(objects))
	for _, o := range objects {
		byKey[o.key()] = o
	}
	return byKey
}

// keptItems says whether every item of the input stands in the output, and
// returns the other ones of the output.
func keptItems(input, output []byte) ([]object, error) {
	before, err := items(input)
	if err != nil {
		return nil, err
	}
	after, err := items(output)
	if err != nil {
		return nil, err
	}
	return kept(before, after)
}

// kept says whether every object from before is there after, and returns the
// other ones that are.
func kept(before, after []object) ([]object, error) {
	lost := keyed(before)
	var added []object
	for _, o := range after {
		want, found := lost[o.key()]
		switch {
		case !found:
			added = append(added, o)
		case !reflect.DeepEqual(o, want):
			return nil, fmt.Errorf("%s was changed", o.key())
		}
		delete(lost, o.key())
	}
	if len(lost) > 0 {
		return nil, fmt.Errorf("%d of %d items are missing", len(lost), len(before))
	}
	return added, nil
}

// items reads a ResourceList.
func items(data []byte) ([]object, error) {
	var list struct {
		Kind  string
		Items []object
	}
	if err := yaml.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	if list.Kind != "ResourceList" {
		return nil, fmt.Errorf("kind is %q, want ResourceList", list.Kind)
	}
	for _, item := range list.Items {
		dropOrchestrators(item)
	}
	return list.Items, nil
}

// documents reads the output of "helm template" and of "kustomize build".
func documents(data []byte) ([]object, error) {
	var objects []object
	for document := range strings.SplitSeq("\n"+string(data), "\n---\n") {
		var o object
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			return nil, err
		}
		if o != nil {
			objects = append(objects, o)
		}
	}
	return objects, nil
}

// dropOrchestrators drops the annotations that a function may set for its
// orchestrator.
func dropOrchestrators(o object) {
	annotations, _ := at(o, "metadata", "annotations").(map[string]any)
	if annotations == nil {
		return
	}
	maps.DeleteFunc(annotations, func(key string, _ any) bool {
		return strings.HasPrefix(key, "config.kubernetes.io/") || strings.HasPrefix(key, "internal.config.kubernetes.io/")
	})
	if len(annotations) == 0 {
		delete(o["metadata"].(map[string]any), "annotations")
	}
}

// at is the value at a path of keys and indexes, nil when there is none.
func at(value any, path ...any) any {
	if o, ok := value.(object); ok {
		value = map[string]any(o)
	}
	for _, step := range path {
		switch key := step.(type) {
		case string:
			fields, _ := value.(map[string]any)
			value = fields[key]
		case int:
			list, _ := value.([]any)
			if key >= len(list) {
				return nil
			}
			value = list[key]
		}
	}
	return value
}
