// SPDX-License-Identifier: Apache-2.0

// Package admission answers: would the API server take these objects?
//
// # Rules
//
//   - The answer comes from Kubernetes' own code. The objects are defaulted,
//     given what the server gives them on create, converted to the internal
//     types and validated, as the registries of the API server do it
//     (pkg/registry/batch/job, pkg/registry/core/service,
//     pkg/registry/core/configmap and pkg/registry/networking/networkpolicy). No rule of
//     Kubernetes is written here again.
//   - The Pod that the Job controller would make is judged like the Job
//     (pod.go): some rules hold only for a Pod.
//   - An older server is asked with the same code: Kubernetes' feature gates
//     are set to what that version has by default (server.go, older.go). What
//     Kubernetes no longer has a gate for is in a table (features.go).
//   - An error comes back on the field of the PeerJob that the object's field
//     came from (internal/origin), in the server's own words.
//   - This is the only package that imports k8s.io/kubernetes.
//
// # Never
//
// It never changes the objects, and it never asks a cluster.
package admission

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	jobapi "k8s.io/kubernetes/pkg/api/job"
	podapi "k8s.io/kubernetes/pkg/api/pod"
	serviceapi "k8s.io/kubernetes/pkg/api/service"
	"k8s.io/kubernetes/pkg/apis/batch"
	batchinternal "k8s.io/kubernetes/pkg/apis/batch/v1"
	batchvalidation "k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	coreinternal "k8s.io/kubernetes/pkg/apis/core/v1"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/capabilities"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/apitype"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

const (
	// anyNamespace stands in where the PeerJob has no namespace: the server
	// takes none without, and which it will be is not known yet.
	anyNamespace = "default"
	// anyUID stands in for the unique ID that the server gives to the Job.
	anyUID = "00000000-0000-0000-0000-000000000000"
)

// Admit returns what the API server would refuse, or what it would warn of
// where it refuses nothing, each on the field of the PeerJob that it came from. A
// kind that is not in internal/kinds is an internal error. What concerns several
// objects is said of the Job. The server is the newest known one. What only servers
// after spec.kubernetesVersion refuse is a warning; CheckVersion says what that one
// refuses besides.
func Admit(g *peerjob.Group, objects []origin.Object) (errs field.ErrorList, warnings []diag.Warning) {
	errs, warnings = judge(v1alpha1.NewestMinor, objects)
	if minor, asked := peerjob.Minor(g.PeerJob.Spec.KubernetesVersion); asked && len(errs) > 0 {
		var later []diag.Warning
		errs, later = refusedLater(minor, errs, objects)
		warnings = append(warnings, later...)
	}
	nameGates(g, errs)
	asServer(v1alpha1.NewestMinor, func() {
		for _, object := range objects {
			if job, ok := object.Object.(*batchv1.Job); ok {
				sizeErrs, sizeWarnings := checkSize(job, func() string { return object.Origins.Of("spec.template", nil) })
				errs, warnings = append(errs, sizeErrs...), append(warnings, sizeWarnings...)
			}
		}
	})
	return errs, warnings
}

// judge is the verdict of a server of one minor version, in which feature gates
// are as that version has them by default.
func judge(minor int, objects []origin.Object) (errs field.ErrorList, warnings []diag.Warning) {
	// Whether a cluster takes privileged containers is the API server's flag
	// --allow-privileged, which every installer sets.
	capabilities.Setup(true, 0)
	asServer(minor, func() {
		for _, object := range slices.Backward(objects) {
			refused, warned := checkObject(object.Object)
			errs = diag.Append(errs, onPeerJob(refused, object.Object, object.Origins))
			warnings = append(warnings, warningsOnPeerJob(warned, object.Origins)...)
		}
	})
	return errs, warnings
}

func checkJob(object *batchv1.Job) (field.ErrorList, []string) {
	job, versioned, err := completeJob(object)
	if err != nil {
		return field.ErrorList{field.InternalError(field.NewPath("spec"), err)}, nil
	}
	errs := batchvalidation.ValidateJobCreate(job, batchvalidation.JobValidationOptions{
		PodValidationOptions:  podapi.GetValidationOptionsFromPodTemplate(&job.Spec.Template, nil),
		RequirePrefixedLabels: true,
	})
	errs = diag.Append(errs, checkPod(versioned))
	if len(errs) > 0 || hasManyPorts(&job.Spec.Template.Spec) {
		return errs, nil
	}
	warnings := jobapi.WarningsForJobSpec(context.Background(), field.NewPath("spec"), &job.Spec, nil)
	return nil, append(warnings, warnOfPod(&job.Spec.Template.Spec)...)
}

// completeJob is a Job as the server has it before it validates, in the internal
// form and as batch/v1: with its defaults, its selector and its Pods' labels.
// The internal form is without the fields that the server drops.
func completeJob(object *batchv1.Job) (*batch.Job, *batchv1.Job, error) {
	object = object.DeepCopy()
	dropEmpty(reflect.ValueOf(object).Elem())
	if object.Namespace == "" {
		object.Namespace = anyNamespace
	}
	object.UID = anyUID
	labels := object.Labels
	batchinternal.SetObjectDefaults_Job(object)
	// The server copies the template's labels to a Job without any; what is wrong
	// with them is said of the template.
	object.Labels = labels
	giveSelector(object)
	job := &batch.Job{}
	if err := batchinternal.Convert_v1_Job_To_batch_Job(object, job, nil); err != nil {
		return nil, nil, err
	}
	jobapi.DropDisabledFields(&job.Spec, nil)
	podapi.DropDisabledTemplateFields(&job.Spec.Template, nil)
	return job, object, nil
}

// manyPorts is more container ports than anyone writes. The server's warnings
// compare each with each other.
const manyPorts = 500

func hasManyPorts(pod *core.PodSpec) bool {
	ports := 0
	for _, containers := range [][]core.Container{pod.InitContainers, pod.Containers} {
		for _, container := range containers {
			ports += len(container.Ports)
		}
	}
	return ports > manyPorts
}

// dropEmpty unsets the empty lists and maps that are not written out: the
// server never sees them, and what it does not see it does not refuse.
func dropEmpty(value reflect.Value) {
	switch value.Kind() {
	case reflect.Pointer:
		if !value.IsNil() {
			dropEmpty(value.Elem())
		}
	case reflect.Slice:
		for i := range value.Len() {
			dropEmpty(value.Index(i))
		}
	case reflect.Struct:
		fields := apitype.Of(value.Type()).Fields
		for i := range fields {
			f := &fields[i]
			content := value.FieldByIndex(f.Index)
			if f.OmitEmpty && isEmpty(content) {
				content.SetZero()
			}
			dropEmpty(content)
		}
	}
}

// isEmpty reports whether a value is a list or a map with nothing in it.
func isEmpty(value reflect.Value) bool {
	return (value.Kind() == reflect.Slice || value.Kind() == reflect.Map) && value.Len() == 0
}

// giveSelector sets the selector and the Pods' labels as the server does when
// a Job has no selector of its own.
func giveSelector(job *batchv1.Job) {
	if job.Spec.Template.Labels == nil {
		job.Spec.Template.Labels = map[string]string{}
	}
	for key, value := range map[string]string{
		batch.LegacyJobNameLabel:       job.Name,
		batch.JobNameLabel:             job.Name,
		batch.LegacyControllerUidLabel: string(job.UID),
		batch.ControllerUidLabel:       string(job.UID),
	} {
		// A label of the user's with another value is refused by rules.ControllerLabels.
		if _, found := job.Spec.Template.Labels[key]; !found || job.Spec.Selector == nil {
			job.Spec.Template.Labels[key] = value
		}
	}
	if job.Spec.Selector == nil {
		job.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{batch.ControllerUidLabel: string(job.UID)}}
	}
}

func checkService(object *corev1.Service) (field.ErrorList, []string) {
	object = object.DeepCopy()
	dropEmpty(reflect.ValueOf(object).Elem())
	if object.Namespace == "" {
		object.Namespace = anyNamespace
	}
	coreinternal.SetObjectDefaults_Service(object)
	service := &core.Service{}
	if err := coreinternal.Convert_v1_Service_To_core_Service(object, service, nil); err != nil {
		return field.ErrorList{field.InternalError(field.NewPath("spec"), err)}, nil
	}
	if service.Spec.ClusterIP != "" { // else the server finds one
		service.Spec.ClusterIPs = []string{service.Spec.ClusterIP}
	}
	if service.Spec.IPFamilyPolicy == nil {
		service.Spec.IPFamilyPolicy = new(core.IPFamilyPolicySingleStack)
	}
	errs := corevalidation.ValidateServiceCreate(service)
	if *service.Spec.IPFamilyPolicy == core.IPFamilyPolicySingleStack && len(service.Spec.IPFamilies) == 2 {
		// The server says this while it allocates addresses, after validation
		// (pkg/registry/core/service/storage/alloc.go).
		errs = append(errs, field.Invalid(field.NewPath("spec", "ipFamilyPolicy"), service.Spec.IPFamilyPolicy,
			"must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"))
	}
	if len(errs) > 0 {
		return errs, nil
	}
	return nil, serviceapi.GetWarningsForService(service, nil)
}

func checkConfigMap(object *corev1.ConfigMap) (field.ErrorList, []string) {
	object = object.DeepCopy()
	if object.Namespace == "" {
		object.Namespace = anyNamespace
	}
	configMap := &core.ConfigMap{}
	if err := coreinternal.Convert_v1_ConfigMap_To_core_ConfigMap(object, configMap, nil); err != nil {
		return field.ErrorList{field.InternalError(field.NewPath("data"), err)}, nil
	}
	if errs := corevalidation.ValidateConfigMap(configMap); len(errs) > 0 {
		return errs, nil
	}
	if data, err := json.Marshal(object); err == nil && len(data) > maxAnnotationsSize {
		return nil, []string{fmt.Sprintf("data: the ConfigMap %s has %d bytes as JSON, and kubectl apply keeps at most %d of them in an annotation; use kubectl apply --server-side",
			object.Name, len(data), maxAnnotationsSize)}
	}
	return nil, nil
}
