// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// Selection is which Pods of a Job a Service selects.
type Selection int

const (
	// SelectsNone is no Pod.
	SelectsNone Selection = iota
	// SelectsOne is the Pod of one completion index.
	SelectsOne
	// SelectsAll is every Pod.
	SelectsAll
)

// PodLabels are the labels of the Pods of a Job, with those that the Job controller
// sets and are the same for all of them. A Job without a name gets one of the server, or
// of a CronJob: nobody knows the labels with it beforehand.
func PodLabels(template *corev1.PodTemplateSpec, job *batchv1.Job) labels.Set {
	if job.Name == "" {
		return labels.Merge(nil, template.Labels)
	}
	return labels.Merge(labels.Set{"job-name": job.Name, batchv1.JobNameLabel: job.Name}, template.Labels)
}

// IsIndexed reports whether the Pods of a Job have a completion index.
func IsIndexed(job *batchv1.Job) bool {
	return job.Spec.CompletionMode != nil && *job.Spec.CompletionMode == batchv1.IndexedCompletion
}

// Selects returns which Pods of a Job a Service selects, if both are in one namespace.
// It reads spec.selector of the Service, and completionMode and completions of the Job.
func Selects(service *corev1.Service, template *corev1.PodTemplateSpec, job *batchv1.Job) Selection {
	if len(service.Spec.Selector) == 0 {
		return SelectsNone
	}
	pod := PodLabels(template, job)
	selects := SelectsAll
	for key, value := range service.Spec.Selector {
		if pod[key] == value && pod.Has(key) {
			continue
		}
		index, err := strconv.ParseInt(value, 10, 32)
		if key != batchv1.JobCompletionIndexAnnotation || !IsIndexed(job) || err != nil || index < 0 || index > int64(lastIndex(job)) {
			return SelectsNone
		}
		selects = SelectsOne
	}
	return selects
}

// IsHeadless reports whether a Service has no address of its own.
func IsHeadless(service *corev1.Service) bool { return service.Spec.ClusterIP == corev1.ClusterIPNone }

// Headless refuses a Service with an address of its own: DNS publishes the names of
// Pods only for a headless one. It reads spec.clusterIP of the Service, which stands at
// the path.
// See https://github.com/kubernetes/dns/blob/master/docs/specification.md.
func Headless(service *corev1.Service, spec *field.Path) field.ErrorList {
	if IsHeadless(service) {
		return nil
	}
	at := spec.Child("clusterIP")
	if kind := service.Spec.Type; kind != "" && kind != corev1.ServiceTypeClusterIP {
		return field.ErrorList{field.Invalid(spec.Child("type"), kind, "must be ClusterIP, with clusterIP: None: DNS has the names of Pods only for a headless Service")}
	}
	if service.Spec.ClusterIP == "" {
		return field.ErrorList{field.Required(at, "DNS has the names of Pods only for a headless Service; write clusterIP: None")}
	}
	return field.ErrorList{field.Invalid(at, service.Spec.ClusterIP, "must be None: DNS has the names of Pods only for a headless Service")}
}

// Selector refuses a Service that does not select the Pods of a Job.
func Selector(service *corev1.Service, template *corev1.PodTemplateSpec, job *batchv1.Job, spec *field.Path) field.ErrorList {
	if Selects(service, template, job) != SelectsNone {
		return nil
	}
	at := spec.Child("selector")
	cure, whose := fmt.Sprintf("write job-name: %s", job.Name), "the Pods of the Job "+job.Name
	if job.Name == "" {
		cure, whose = "select a label of the Pod template", "the Pods of the Job"
	}
	pod := PodLabels(template, job)
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(service.Spec.Selector)) {
		value := service.Spec.Selector[key]
		switch {
		case pod.Has(key) && pod[key] == value:
		case job.Name == "" && IsJobNameLabel(key):
			errs = append(errs, field.Invalid(at.Key(key), value, "the Job has another name each time, and so has this label of its Pods; "+cure+" instead"))
		case pod.Has(key):
			errs = append(errs, field.Invalid(at.Key(key), value, fmt.Sprintf("%s have %s: %s; write that", whose, key, pod[key])))
		case key == batchv1.JobCompletionIndexAnnotation:
			errs = append(errs, field.Invalid(at.Key(key), value, fmt.Sprintf("%s do not have it; remove it", whose)))
		default:
			errs = append(errs, field.Invalid(at.Key(key), value, fmt.Sprintf("%s do not have this label; add it to the labels of the Pod template, or %s instead", whose, cure)))
		}
	}
	if len(service.Spec.Selector) == 0 {
		errs = append(errs, field.Required(at, "a Service without a selector has no Pods; "+cure))
	}
	return errs
}

// Indexed refuses a Job of several Pods whose peers have no indexes: their host names
// are random. usesIndex is whether the Pods speak of their indexes; if they don't, they
// may find each other in another way. It reads completionMode, completions and
// parallelism of the Job, whose spec stands at the path.
func Indexed(job *batchv1.Job, usesIndex bool, spec *field.Path) (field.ErrorList, []diag.Warning) {
	if IsIndexed(job) || podsOf(job) < 2 && !usesIndex {
		return nil, nil
	}
	at := spec.Child("completionMode")
	const why = "without Indexed, Pods have no index and DNS has no names for them; write completionMode: Indexed"
	if !usesIndex {
		return nil, []diag.Warning{diag.Warn(at, "%s", why)}
	}
	if job.Spec.CompletionMode == nil {
		return field.ErrorList{field.Required(at, why)}, nil
	}
	return field.ErrorList{field.Invalid(at, string(*job.Spec.CompletionMode), why)}, nil
}

// podsOf is how many Pods a Job runs in all, as far as it says.
func podsOf(job *batchv1.Job) int32 {
	pods := int32(1)
	for _, n := range []*int32{job.Spec.Completions, job.Spec.Parallelism} {
		if n != nil {
			pods = max(pods, *n)
		}
	}
	return pods
}

// Parallelism finds Jobs whose Pods do not all run at the same time: peers would wait
// for others that start only when a Pod ends. With one Pod at a time, or a Pod that
// counts on all of them (countsAll), that is an error. It reads completions and
// parallelism of the Job, whose spec stands at the path.
func Parallelism(job *batchv1.Job, countsAll bool, spec *field.Path) (field.ErrorList, []diag.Warning) {
	if job.Spec.Completions == nil || *job.Spec.Completions < 2 {
		return nil, nil
	}
	at, completions := spec.Child("parallelism"), *job.Spec.Completions
	switch parallelism := job.Spec.Parallelism; {
	case parallelism == nil:
		return field.ErrorList{field.Required(at, fmt.Sprintf("without it one Pod runs at a time, and no peer meets another; write %d", completions))}, nil
	case *parallelism >= completions || *parallelism == 0: // 0 pauses the Job
		return nil, nil
	case *parallelism == 1 || countsAll:
		return field.ErrorList{field.Invalid(at, *parallelism, fmt.Sprintf("must be completions, %d: a peer would wait for others that start only after it", completions))}, nil
	default:
		return nil, []diag.Warning{diag.Warn(at, "of %d peers only %d run at the same time, and a peer that waits for all waits forever; write %d", completions, *parallelism, completions)}
	}
}

// CountsAll reports whether a container counts on all Pods of the Job: it has their number
// ("--nnodes=4"), names the last of them, or waits for them in a loop. It reads
// spec.completions.
func CountsAll(template *corev1.PodTemplateSpec, job *batchv1.Job, network Network) bool {
	all, last := strconv.Itoa(int(lastIndex(job))+1), strconv.Itoa(int(lastIndex(job)))
	found := slices.ContainsFunc(RaceAtEnd(template, job, network, nil), func(w diag.Warning) bool { return strings.Contains(w.Excerpt, "$") })
	EachContainer(template, nil, func(container *corev1.Container, _ *field.Path) {
		for _, text := range Texts(container, nil) {
			found = found || slices.ContainsFunc(Addresses(text), func(a Address) bool { return network.IsOwn(a) && a.Index == last })
			found = found || countingVariables[text.Variable] == countsPeers && text.Value == all
			for _, match := range countingFlag.FindAllStringSubmatch(text.Value, -1) {
				found = found || match[3] == "" && (match[2] == all || match[2] == "" && text.Next == all)
			}
		}
	})
	return found
}

// IsElastic reports whether a container runs a program that starts with fewer peers than
// there are: "--nnodes=2:4".
func IsElastic(template *corev1.PodTemplateSpec) bool {
	found := false
	EachContainer(template, nil, func(container *corev1.Container, _ *field.Path) {
		for _, text := range Texts(container, nil) {
			found = found || elastic.MatchString(text.Value) || text.Previous == "--nnodes" && elasticRange.MatchString(text.Value) || text.Variable == "PET_NNODES" && elasticRange.MatchString(text.Value)
		}
	})
	return found
}

var (
	elastic      = lazyregexp.New(`--nnodes(?:=|\s+)["']?\d+:\d|--min[_-]n(?:odes|p)\b`)
	elasticRange = lazyregexp.New(`^\d+:\d+$`)
)

// indexVariable is the variable that the Job controller adds to every container, behind
// the container's own.
const indexVariable = "JOB_COMPLETION_INDEX"

// IndexVariables refuses "$(JOB_COMPLETION_INDEX)" in the value of a variable of an
// Indexed Job, unless the container sets that variable before: the Job controller adds
// it at the end, and a variable sees only those before it.
func IndexVariables(template *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		for i, variable := range container.Env {
			if variable.Name == indexVariable {
				return
			}
			if slices.Contains(Referenced(variable.Value), indexVariable) {
				errs = append(errs, field.Invalid(path.Child("env").Index(i).Child("value"), variable.Value, fmt.Sprintf(
					"stays as it is, because the Job controller adds %s behind all other variables; set %s before it, from the annotation %s",
					indexVariable, indexVariable, batchv1.JobCompletionIndexAnnotation)))
			}
		}
	})
	return errs
}

// UsesIndex reports whether a Pod template speaks of completion indexes.
func UsesIndex(template *corev1.PodTemplateSpec) bool {
	uses := func(text string) bool {
		return strings.Contains(text, indexVariable) || strings.Contains(text, batchv1.JobCompletionIndexAnnotation)
	}
	found := false
	EachContainer(template, nil, func(container *corev1.Container, _ *field.Path) {
		for _, text := range Texts(container, nil) {
			found = found || uses(text.Value)
		}
		for _, variable := range container.Env {
			found = found || variable.ValueFrom != nil && variable.ValueFrom.FieldRef != nil && uses(variable.ValueFrom.FieldRef.FieldPath)
		}
	})
	return found
}
