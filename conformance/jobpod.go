// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"fmt"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
)

// podOf returns the Pod that the Job controller creates for the last index of a
// Job that the server took, as pkg/controller/job does it. It works on plain
// values, so that it keeps fields that the API's types here do not have. A Job
// is worth nothing when the server refuses its Pods.
func podOf(job []byte) (map[string]any, error) {
	decoded, err := decodeJSON(job)
	if err != nil {
		return nil, err
	}
	metadata, spec := object(decoded, "metadata"), object(decoded, "spec")
	template := object(spec, "template")
	podSpec := object(template, "spec")
	name, _ := metadata["name"].(string)
	if name == "" || podSpec == nil {
		return nil, fmt.Errorf("the server's Job has no name or no template: %s", job)
	}
	completions, _ := spec["completions"].(json.Number)
	peers, err := strconv.Atoi(completions.String())
	if err != nil {
		return nil, fmt.Errorf("spec.completions: %w", err)
	}
	last := strconv.Itoa(peers - 1)

	podSpec["hostname"] = name + "-" + last
	if podSpec["serviceAccountName"] == nil {
		// As the admission plugin ServiceAccount does.
		podSpec["serviceAccountName"] = "default"
	}
	if podSpec["runtimeClassName"] != nil {
		// The cluster's RuntimeClass says which overhead is right.
		delete(podSpec, "runtimeClassName")
		delete(podSpec, "overhead")
	}
	for _, list := range []string{"initContainers", "containers"} {
		containers, _ := podSpec[list].([]any)
		for _, container := range containers {
			addIndexVariable(container)
		}
	}
	labels := merged(object(template, "metadata")["labels"], batchv1.JobCompletionIndexAnnotation, last)
	annotations := merged(object(template, "metadata")["annotations"], batchv1.JobCompletionIndexAnnotation, last)
	return map[string]any{
		"apiVersion": "v1",
		"kind":       "Pod",
		"metadata": map[string]any{
			"generateName": generateName(name, last),
			"labels":       labels,
			"annotations":  annotations,
			"finalizers":   []any{batchv1.JobTrackingFinalizer},
			"ownerReferences": []any{map[string]any{
				"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": metadata["uid"], "controller": true, "blockOwnerDeletion": true,
			}},
		},
		"spec": podSpec,
	}, nil
}

// object returns the object in a field, or nil.
func object(value any, field string) map[string]any {
	parent, _ := value.(map[string]any)
	inner, _ := parent[field].(map[string]any)
	return inner
}

// merged returns a map with one more entry.
func merged(values any, key, value string) map[string]any {
	all := map[string]any{key: value}
	old, _ := values.(map[string]any)
	for k, v := range old {
		if k != key {
			all[k] = v
		}
	}
	return all
}

// addIndexVariable gives a container JOB_COMPLETION_INDEX, unless it has it.
func addIndexVariable(container any) {
	fields, ok := container.(map[string]any)
	if !ok {
		return
	}
	const name = "JOB_COMPLETION_INDEX"
	env, _ := fields["env"].([]any)
	for _, variable := range env {
		if v, ok := variable.(map[string]any); ok && v["name"] == name {
			return
		}
	}
	fields["env"] = append(env, map[string]any{"name": name, "valueFrom": map[string]any{
		"fieldRef": map[string]any{"fieldPath": "metadata.labels['" + batchv1.JobCompletionIndexAnnotation + "']"},
	}})
}

// generateName is the prefix of a Pod's name. The name of the Job is cut so that
// the server's five random characters fit a label.
func generateName(job, index string) string {
	const maxPrefix = 58
	suffix := "-" + index + "-"
	return job[:min(len(job), maxPrefix-len(suffix))] + suffix
}
