// SPDX-License-Identifier: Apache-2.0

package diag_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/diag"
)

func decoded(t *testing.T, text string) (*v1alpha1.PeerJob, field.ErrorList) {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return decode.PeerJob(document.Content[0], nil)
}

func TestSortErrors(t *testing.T) {
	pj, errs := decoded(t, `
spec:
  template: {spec: {containers: [{env: 1}, {x10: 1, name: 2}, {}, {}, {}, {}, {}, {}, {}, {}, {image: 1}], volumes: 1}}
  peers: x
metadata: {labels: {b: 1, a: 1}, name: 1}
kind: 1
`)
	if pj == nil {
		t.Fatal("no PeerJob")
	}
	var got []string
	for _, err := range diag.SortErrors(append(errs, errs...)) {
		got = append(got, err.Field)
	}
	want := []string{
		"kind", "metadata.name", "metadata.labels[a]", "metadata.labels[b]", "spec.peers", "spec.template.spec.volumes",
		"spec.template.spec.containers[0].env", "spec.template.spec.containers[1].name", "spec.template.spec.containers[1].x10",
		"spec.template.spec.containers[10].image",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestAppend(t *testing.T) {
	_, earlier := decoded(t, "spec: {peers: x, template: {spec: {contaners: []}}}")
	_, later := decoded(t, "spec: {peers: y, backoffLimit: x, template: {spec: {containers: [{name: 1}], containersX: 1}}}")
	var got []string
	for _, err := range diag.Append(earlier, later) {
		got = append(got, err.Field)
	}
	want := []string{"spec.peers", "spec.template.spec.contaners", "spec.backoffLimit", "spec.template.spec.containersX"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAppend_follows has errors of the server that only follow from what could not be read, and
// others that do not.
func TestAppend_follows(t *testing.T) {
	const pod = "spec.template.spec."
	required := func(path string) *field.Error { return field.Required(field.NewPath(pod+path), "") }
	empty := func(path string) *field.Error { return field.Invalid(field.NewPath(pod+path), "", "must be a name") }
	missing := func(path, name string) *field.Error { return field.NotFound(field.NewPath(pod+path), name) }
	const mount, claim = "containers[0].volumeMounts[0].name", "initContainers[1].resources.claims[0].name"
	for name, tt := range map[string]struct {
		give  string // the spec of the Pod
		later field.ErrorList
		want  []string
	}{
		"a volume of an unknown kind":           {"volumes: [{name: v, tmpfs: {}}]", field.ErrorList{required("volumes[0]")}, nil},
		"beside an unknown field":               {"containers: [{name: w, container: x}]", field.ErrorList{required("containers[0].image")}, nil},
		"a number beside one":                   {"topologySpreadConstraints: [{skew: 1}]", field.ErrorList{field.Invalid(field.NewPath(pod+"topologySpreadConstraints[0].maxSkew"), int32(0), "")}, nil},
		"a word beside one":                     {"hostAliases: [{i: a}]", field.ErrorList{empty("hostAliases[0].ip")}, nil},
		"a value beside one":                    {"hostAliases: [{i: a, ip: b}]", field.ErrorList{field.Invalid(field.NewPath(pod+"hostAliases[0].ip"), "b", "")}, []string{"hostAliases[0].ip"}},
		"of another object":                     {"containers: [{name: w, container: x}, {}]", field.ErrorList{required("containers[1].image")}, []string{"containers[1].image"}},
		"of an object in it":                    {"containers: [{name: w, container: x, env: [{}]}]", field.ErrorList{required("containers[0].env[0].name")}, []string{"containers[0].env[0].name"}},
		"another field than the misspelt one":   {"containers: [{name: w, imag: x}]", field.ErrorList{required("containers[0].image"), required("containers[0].command")}, []string{"containers[0].command"}},
		"the mount of a volume without a name":  {"volumes: [{nam: v}]", field.ErrorList{missing(mount, "v")}, nil},
		"the mount of a volume of unclear name": {"volumes: [{called: v}]", field.ErrorList{required("volumes[0].name"), missing(mount, "v")}, nil},
		"the mount of a volume in no list":      {"volumes: {v: {}}", field.ErrorList{missing(mount, "v")}, nil},
		"the mount of a volume of another kind": {"volumes: [{name: v, tmpfs: {}}]", field.ErrorList{required("volumes[0]"), missing(mount, "u")}, []string{mount}},
		"the mount of no volume":                {"containers: [{imag: x}]", field.ErrorList{missing(mount, "v")}, []string{mount}},
		"a claim of unclear name":               {"resourceClaims: [{called: c}]", field.ErrorList{required("resourceClaims[0].name"), missing(claim, "c"), missing(mount, "v")}, []string{mount}},
	} {
		t.Run(name, func(t *testing.T) {
			_, earlier := decoded(t, "spec: {template: {spec: {"+tt.give+"}}}")
			if len(earlier) == 0 {
				t.Fatal("no errors")
			}
			var got []string
			for _, err := range diag.Append(earlier, tt.later)[len(earlier):] {
				got = append(got, strings.TrimPrefix(err.Field, pod))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	_, own := decoded(t, "spec: {colour: red}")
	if all := diag.Append(own, field.ErrorList{field.Required(field.NewPath("spec", "peers"), "")}); len(all) != 2 {
		t.Errorf("an unknown field of the PeerJob hides spec.peers: %v", all)
	}
}

// TestSuggest has values that are nearly one of those that are supported.
func TestSuggest(t *testing.T) {
	path := field.NewPath("spec", "x")
	type action string
	for _, tt := range []struct {
		err  *field.Error
		want string
	}{
		{field.NotSupported(path, action("Restart"), []action{"FailPeerJob", "RestartPeerJob"}), `spec.x: Unsupported value: "Restart": supported values: "FailPeerJob", "RestartPeerJob"; did you mean "RestartPeerJob"?`},
		{field.NotSupported(path, "enabled", []string{"Enabled", "Disabled"}), `spec.x: Unsupported value: "enabled": supported values: "Enabled", "Disabled"; did you mean "Enabled"?`},
		{field.NotSupported(path, "on", []string{"Enabled", "Disabled"}), `spec.x: Unsupported value: "on": supported values: "Enabled", "Disabled"`},
		{&field.Error{Type: field.ErrorTypeNotSupported, Field: "spec.x", BadValue: "a", Detail: `supported values: "b"; did you mean "b"?`}, `spec.x: Unsupported value: "a": supported values: "b"; did you mean "b"?`},
		{diag.NotSupported(path, "wrker", []string{"launcher", "worker", "", "worker"}), `spec.x: Unsupported value: "wrker": supported values: "launcher", "worker"; did you mean "worker"?`},
		{field.NotSupported(path, 3, []string{"Enabled"}), `spec.x: Unsupported value: 3: supported values: "Enabled"`},
		{field.Invalid(path, "b", `must be "a"`), `spec.x: Invalid value: "b": must be "a"`},
	} {
		diag.Suggest(field.ErrorList{tt.err})
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "there are 0 peers", 1: "there is 1 peer", 4: "there are 4 peers"} {
		if got := diag.There(n, "peer"); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestListed(t *testing.T) {
	for want, words := range map[string][]string{
		"":          nil,
		"a":         {"a"},
		"a or b":    {"a", "b"},
		"a, b or c": {"a", "b", "c"},
	} {
		if got := diag.Listed(words, "or"); got != want {
			t.Errorf("Listed(%q) is %q, want %q", words, got, want)
		}
	}
}
