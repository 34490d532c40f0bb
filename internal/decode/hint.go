// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"reflect"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/apitype"
)

// hint says what to write instead of an unknown field: what decides it, where
// it belongs, or the field with the nearest name.
func hint(key string, typ reflect.Type, nearest string) string {
	if typ == reflect.TypeFor[v1alpha1.PeerJobSpec]() {
		switch key {
		case "completions", "parallelism":
			return "; set spec.peers, which becomes the completions and the parallelism of the Job"
		case "completionMode":
			return "; the Job of a PeerJob is always Indexed, with spec.peers indexes"
		case "selector", "manualSelector":
			return "; the server gives the Job its selector, set only spec.peers"
		case "subdomain", "serviceName":
			return "; set spec.service.name"
		case "replicas", "size", "workers":
			return "; set spec.peers"
		case "leader":
			return "; set spec.framework.leader, or let the peer with JOB_COMPLETION_INDEX 0 lead"
		case "roles", "replicatedJobs", "tasks":
			return "; a PeerJob has one Pod template; for several at once use JobSet, or one PeerJob each"
		case "volumeClaimTemplates":
			return "; a StatefulSet has them; in a Job set spec.template.spec.volumes[].ephemeral.volumeClaimTemplate"
		case "schedule", "jobTemplate", "concurrencyPolicy":
			return "; a CronJob has it, and a PeerJob runs once; let a CronJob or a workflow apply its objects"
		}
	}
	if typ == reflect.TypeFor[v1alpha1.PeerService]() {
		switch key {
		case "clusterIP", "clusterIPs", "type":
			return "; the Service of a PeerJob is always headless"
		case "selector":
			return "; the Service of a PeerJob selects the Pods of its Job"
		}
	}
	if belongs := containerField(key, typ); belongs != "" {
		return "; set " + belongs
	}
	if nearest != "" {
		return "; did you mean " + strconv.Quote(nearest) + "?"
	}
	if typ == reflect.TypeFor[v1alpha1.PeerJobSpec]() || typ == reflect.TypeFor[corev1.PodTemplateSpec]() {
		if _, found := apitype.Of(reflect.TypeFor[corev1.PodSpec]()).Place(key); found {
			return "; did you mean spec.template.spec." + key + "?"
		}
	}
	return ""
}

// containerField says where a field of a container belongs that stands above it, ""
// where it is none.
func containerField(key string, typ reflect.Type) string {
	above := typ == reflect.TypeFor[v1alpha1.PeerJobSpec]() || typ == reflect.TypeFor[v1alpha1.PeerJob]() ||
		typ == reflect.TypeFor[corev1.PodTemplateSpec]() || typ == reflect.TypeFor[corev1.PodSpec]()
	_, ofPod := apitype.Of(reflect.TypeFor[corev1.PodSpec]()).Place(key)
	if _, ofContainer := apitype.Of(reflect.TypeFor[corev1.Container]()).Place(key); !above || !ofContainer || ofPod || key == "name" {
		return ""
	}
	return "spec.template.spec.containers[]." + key
}
