// SPDX-License-Identifier: Apache-2.0

// Package kinds answers: which kinds of objects does peerjob make, and what is
// true of each kind?
//
// # Rules
//
//   - One table. The order of the objects, who made an object, which fields are
//     immutable and which field names an object are read from it.
//   - A kind that is not in the table is an internal error. It is never admitted
//     unchecked, and an object of it is never taken for the user's own.
//   - internal/admission has a check for every kind of the table, and a test
//     compares the two. The checks are not in the table because only
//     internal/admission may import k8s.io/kubernetes.
//
// # Adding a kind
//
// Add a row here, a check to internal/admission, and the function that makes the
// object to internal/expand.
//
// # Never
//
// It never makes, checks or writes an object.
package kinds

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// Object is a typed object of the Kubernetes API.
type Object interface {
	metav1.Object
	runtime.Object
}

// Kind is a kind of object that peerjob makes.
type Kind struct {
	schema.GroupVersionKind
	// NameField is the path of the optional PeerJob field that names the object.
	// It is "" when the name always follows from metadata.name.
	NameField string
	// Immutable are the paths of the fields that the API server refuses to change
	// in an existing object, among those that peerjob writes.
	Immutable []string

	// name is the value of NameField.
	name func(*v1alpha1.PeerJobSpec) string
}

// table has the kinds in the order in which their objects are written and applied:
// the Service first, because a DNS lookup before it exists is cached as a failure
// for up to 30 seconds, and the Job last, because its Pods need all the others.
var table = []Kind{
	{
		GroupVersionKind: schema.GroupVersionKind{Version: "v1", Kind: "Service"},
		NameField:        "spec.service.name",
		name:             func(spec *v1alpha1.PeerJobSpec) string { return spec.Service.Name },
	},
	{
		// Its data is immutable, but its name is a hash of the data.
		GroupVersionKind: schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"},
	},
	{
		// Before the Pods that it is for.
		GroupVersionKind: schema.GroupVersionKind{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"},
	},
	{
		GroupVersionKind: schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"},
		// See ValidateJobSpecUpdate in k8s.io/kubernetes/pkg/apis/batch/validation.
		Immutable: []string{"spec.completionMode", "spec.backoffLimitPerIndex", "spec.podFailurePolicy", "spec.successPolicy", "spec.managedBy", "spec.scheduling", "spec.template"},
	},
}

// All returns the kinds in the order in which their objects are written.
func All() []Kind { return slices.Clone(table) }

// Of returns the kind of an object, in any version of its API group. It reports
// false for a kind that peerjob does not make.
func Of(apiVersion, kind string) (Kind, bool) {
	if i := index(apiVersion, kind); i >= 0 {
		return table[i], true
	}
	return Kind{}, false
}

// index is the place of a kind in the table, -1 for any other kind. It is called
// for every object of a list.
func index(apiVersion, kind string) int {
	for i := range table {
		if table[i].Kind != kind {
			continue
		}
		group, version, found := strings.Cut(apiVersion, "/")
		if !found {
			group, version = "", apiVersion
		}
		if group == table[i].Group && version != "" {
			return i
		}
	}
	return -1
}

// IsOwned reports whether peerjob made an object: it has a kind of the table and
// the owner annotation.
func IsOwned(apiVersion, kind string, annotations map[string]string) bool {
	return annotations[v1alpha1.OwnerAnnotation] != "" && index(apiVersion, kind) >= 0
}

// InOrder returns the objects in the order in which they are written. An object
// whose kind is not in the table is an error of peerjob.
func InOrder[T Object](objects []T) ([]T, error) {
	for _, o := range objects {
		if apiVersion, kind := o.GetObjectKind().GroupVersionKind().ToAPIVersionAndKind(); index(apiVersion, kind) < 0 {
			return nil, fmt.Errorf("peerjob made a %s of %q, which has no row in the table of kinds", kind, apiVersion)
		}
	}
	return slices.SortedStableFunc(slices.Values(objects), func(a, b T) int { return cmp.Compare(place(a), place(b)) }), nil
}

func place(o Object) int {
	return index(o.GetObjectKind().GroupVersionKind().ToAPIVersionAndKind())
}

// NamePath is the path of the PeerJob field to change when the name of an object
// of this kind is wrong.
func (k Kind) NamePath(pj *v1alpha1.PeerJob) string {
	if k.name != nil && k.name(&pj.Spec) != "" {
		return k.NameField
	}
	return "metadata.name"
}
