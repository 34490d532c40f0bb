// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

func TestPeerJob_sameSeed(t *testing.T) {
	for seed := range uint64(50) {
		if diff := cmp.Diff(PeerJob(seed, "1.30", true), PeerJob(seed, "1.30", true)); diff != "" {
			t.Fatalf("seed %d grows two PeerJobs:\n%s", seed, diff)
		}
	}
}

// TestPeerJob_everyField holds the generator to the whole API: a field that is
// never set is never compared.
func TestPeerJob_everyField(t *testing.T) {
	unset := map[string]bool{}
	collect(reflect.TypeFor[v1alpha1.PeerJob](), unset)
	for seed := uint64(0); seed < 100000 && len(unset) > 0; seed++ {
		for _, place := range places(PeerJob(seed, "", false), reflect.TypeFor[v1alpha1.PeerJob]()) {
			for name := range place.object {
				delete(unset, place.typ.Name()+"."+name)
			}
		}
	}
	if len(unset) > 0 {
		t.Errorf("never set: %v", slices.Sorted(maps.Keys(unset)))
	}
}

// collect names every field that can be reached from a type.
func collect(typ reflect.Type, fields map[string]bool) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return
	}
	for name, inner := range fieldsOf(typ) {
		// A Job's template takes no ephemeral container, whatever is in it.
		if isUnwanted(typ, name) || typ == reflect.TypeFor[corev1.EphemeralContainer]() {
			continue
		}
		if full := typ.Name() + "." + name; !fields[full] {
			fields[full] = true
			collect(inner, fields)
		}
	}
}

// TestPlaces_noFields has an object that nothing can be added to, such as a choice
// that is made by its presence.
func TestPlaces_noFields(t *testing.T) {
	type choice struct {
		Basic struct{} `json:"basic"`
	}
	got := places(Object{"basic": Object{}}, reflect.TypeFor[choice]())
	if len(got) != 1 || got[0].typ != reflect.TypeFor[choice]() {
		t.Errorf("got %v", got)
	}
}

func TestWithout(t *testing.T) {
	tree := Object{"a": 1, "b": List{Object{"c": 2}, 3}}
	var got []Object
	for n := 0; ; n++ {
		smaller, found := Without(tree, n)
		if !found {
			break
		}
		got = append(got, smaller)
	}
	want := []Object{
		{"b": List{Object{"c": 2}, 3}},
		{"a": 1},
		{"a": 1, "b": List{3}},
		{"a": 1, "b": List{Object{}, 3}},
		{"a": 1, "b": List{Object{"c": 2}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Object{"a": 1, "b": List{Object{"c": 2}, 3}}, tree); diff != "" {
		t.Errorf("the tree was changed (-before +after):\n%s", diff)
	}
}
