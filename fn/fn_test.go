// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/kyaml/kio"

	"github.com/peerjob/peerjob/internal/krmlist"
)

// run runs the function on a ResourceList.
func run(t testing.TB, input string) (stdout, stderr string, failed bool) {
	t.Helper()
	var out, errs bytes.Buffer
	err := Run(strings.NewReader(input), &out, &errs, Options{})
	if err != nil && err != ErrFailed {
		t.Fatal(err)
	}
	return out.String(), errs.String(), err != nil
}

// list is a ResourceList of these items, each the YAML of an object.
func list(items ...string) string {
	var out strings.Builder
	out.WriteString("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n")
	for _, item := range items {
		lines := strings.Split(strings.Trim(item, "\n"), "\n")
		out.WriteString("- " + strings.Join(lines, "\n  ") + "\n")
	}
	return out.String()
}

// kyamlNoOp is the oracle for what must not change: kyaml's own reader and
// writer with nothing in between.
func kyamlNoOp(t testing.TB, input string) string {
	t.Helper()
	var out bytes.Buffer
	rw := &kio.ByteReadWriter{Reader: strings.NewReader(input), Writer: &out, OmitReaderAnnotations: true, KeepReaderAnnotations: true}
	if err := (kio.Pipeline{Inputs: []kio.Reader{rw}, Outputs: []kio.Writer{rw}, ContinueOnEmptyResult: true}).Execute(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// withoutResults is a ResourceList as text without its results.
func withoutResults(text string) string {
	before, _, found := strings.Cut(text, "\nresults:\n")
	if found {
		before += "\n"
	}
	return before
}

// job is a PeerJob with this spec, whose Pod template is the smallest one.
func peerJob(name, spec string) string {
	text := "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata:\n  name: " + name + "\nspec:\n"
	if spec != "" {
		text += "  " + strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  ") + "\n"
	}
	return text + "  template: {spec: {containers: [{name: w, image: x}]}}\n"
}

// objects lists the items of a ResourceList as "Kind namespace/name".
func names(t testing.TB, stdout string) []string {
	t.Helper()
	l, err := krmlist.ReadParsed([]byte(stdout))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range l.Objects() {
		names = append(names, o.String())
	}
	return names
}

func TestRun_passesThrough(t *testing.T) {
	const odd = `apiVersion: v1
kind: ConfigMap
# a comment above metadata
metadata:
    name: odd   # beside it
    annotations: {a: 'b', "c": d}
data:
    "n": 'on'
    list: |
        - x
          # no comment
    folded: >-
        a
        b

    tab: "a\tb"
    empty: ""
# the last words`
	tests := map[string][]string{
		"a foreign object":             {odd},
		"between others":               {"apiVersion: v1\nkind: Secret\nmetadata: {name: a}", odd, "apiVersion: v1\nkind: Secret\nmetadata: {name: b}"},
		"a Kptfile":                    {"apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: x"},
		"a kustomization without kind": {"resources:\n- a.yaml\nmetadata:\n  annotations:\n    config.kubernetes.io/path: 'kustomization.yaml'"},
		"no metadata":                  {"apiVersion: v1\nkind: Service"},
		"anchors":                      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: &a x, b: *a}"},
		"a v1 List":                    {"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: x}"},
	}
	for name, items := range tests {
		t.Run(name, func(t *testing.T) {
			input := list(items...)
			stdout, stderr, failed := run(t, input)
			if failed || stderr != "" {
				t.Fatalf("failed: %v, stderr: %s", failed, stderr)
			}
			if diff := cmp.Diff(input, stdout); diff != "" {
				t.Errorf("output (-input +output):\n%s", diff)
			}
			// And when the list is parsed as a whole, as kyaml would write it.
			if parsed, _ := runParsed(t, input); parsed != kyamlNoOp(t, input) {
				t.Errorf("differs from kyaml's own (-kyaml +peerjob):\n%s", cmp.Diff(kyamlNoOp(t, input), parsed))
			}
			// With a PeerJob beside them too.
			input = list(append(items, peerJob("train", "peers: 2"))...)
			stdout, stderr, failed = run(t, input)
			if failed || stderr != "" {
				t.Fatalf("failed: %v, stderr: %s", failed, stderr)
			}
			want, _, _ := strings.Cut(input, "- apiVersion: peerjob.dev/v1alpha1\n")
			if !strings.HasPrefix(stdout, want) {
				t.Errorf("with a PeerJob beside it (-input +output):\n%s", cmp.Diff(want, stdout))
			}
		})
	}
}

// TestRun_passesOddItems has items on which kyaml itself gives up. They are
// written as kyaml writes, so the output must be the input.
func TestRun_passesOddItems(t *testing.T) {
	for name, item := range map[string]string{
		"a scalar":                    "just text",
		"null":                        "null",
		"a list":                      "- 1\n- 2",
		"metadata of a wrong type":    "apiVersion: v1\nkind: Service\nmetadata: text",
		"annotations of a wrong type": "apiVersion: v1\nkind: Service\nmetadata: {name: x, annotations: [a]}",
	} {
		t.Run(name, func(t *testing.T) {
			input := list(item)
			stdout, stderr, failed := run(t, input)
			if failed || stderr != "" {
				t.Fatalf("failed: %v, stderr: %s", failed, stderr)
			}
			if diff := cmp.Diff(input, stdout); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRun_expands(t *testing.T) {
	stdout, stderr, failed := run(t, list("kind: ConfigMap\nmetadata: {name: a}", peerJob("train", "peers: 2"), "kind: ConfigMap\nmetadata: {name: b}"))
	if failed || stderr != "" {
		t.Fatalf("failed: %v, stderr: %s", failed, stderr)
	}
	want := []string{"ConfigMap a", "PeerJob train", "Service train", "Job train", "ConfigMap b"}
	if diff := cmp.Diff(want, names(t, stdout)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if !strings.Contains(stdout, "config.kubernetes.io/local-config: \"true\"") {
		t.Errorf("the PeerJob is not marked as local configuration:\n%s", stdout)
	}
}

func TestRun_twiceIsOnce(t *testing.T) {
	inputs := map[string]string{
		"two PeerJobs":  list(peerJob("a", "peers: 2"), peerJob("b", "peers: 3\nservice: {name: hub}")),
		"in a package":  list(inFile("jobs/a.yaml", "/p", peerJob("a", "peers: 2"))),
		"already local": list(strings.Replace(peerJob("a", "peers: 2"), "metadata:", "metadata:\n  annotations: {config.kubernetes.io/local-config: ''}", 1)),
	}
	for name, input := range inputs {
		t.Run(name, func(t *testing.T) {
			once, _, failed := run(t, input)
			if failed {
				t.Fatal(once)
			}
			twice, stderr, _ := run(t, once)
			if diff := cmp.Diff(once, twice); diff != "" || stderr != "" {
				t.Errorf("second run (-once +twice):\n%s\n%s", diff, stderr)
			}
		})
	}
}

// inFile gives an object the annotations of kpt for this file of this package.
func inFile(file, pkg, object string) string {
	annotations := "    config.kubernetes.io/index: '0'\n    internal.config.kubernetes.io/index: '0'\n" +
		"    config.kubernetes.io/path: '" + file + "'\n    internal.config.kubernetes.io/path: '" + file + "'\n"
	if pkg != "" {
		annotations += "    internal.config.kubernetes.io/package-path: '" + pkg + "'\n"
	}
	return strings.Replace(object, "\nspec:", "\n  annotations:\n"+annotations+"spec:", 1)
}

func TestRun_functionConfig(t *testing.T) {
	train := peerJob("train", "peers: 2")
	indent := func(object string) string {
		return "  " + strings.ReplaceAll(strings.TrimSpace(object), "\n", "\n  ") + "\n"
	}
	tests := map[string]struct {
		items  []string
		config string
		want   []string
		stderr string
	}{
		"absent":                         {items: []string{train}, want: []string{"PeerJob train", "Service train", "Job train"}},
		"empty function-input":           {items: []string{train}, config: "functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: function-input}\n  data: {}\n", want: []string{"PeerJob train", "Service train", "Job train"}},
		"a PeerJob that is no item":      {config: "functionConfig:\n" + indent(train), want: []string{"Service train", "Job train"}},
		"a PeerJob that is an item, too": {items: []string{train}, config: "functionConfig:\n" + indent(train), want: []string{"PeerJob train", "Service train", "Job train"}},
		"the same with annotations of an orchestrator": {
			items:  []string{strings.Replace(train, "\nspec:", "\n  annotations: {config.kubernetes.io/index: '0', config.kubernetes.io/local-config: 'true'}\nspec:", 1)},
			config: "functionConfig:\n" + indent(strings.Replace(train, "\nspec:", "\n  annotations: {config.kubernetes.io/function: 'exec: {path: peerjob}'}\nspec:", 1)),
			want:   []string{"PeerJob train", "Service train", "Job train"},
		},
		"another PeerJob than the items'": {
			items: []string{train}, config: "functionConfig:\n" + indent(peerJob("other", "peers: 2")),
			want: []string{"PeerJob train", "Service train", "Job train", "Service other", "Job other"},
		},
		"a different PeerJob of the same name": {
			items: []string{train}, config: "functionConfig:\n" + indent(peerJob("train", "peers: 3")), want: []string{"PeerJob train"},
			stderr: "peerjob: PeerJob train: differs from the PeerJob of the same name in the list; keep one of them, or give them different names\n",
		},
		"mode Validate": {items: []string{train}, config: "functionConfig: {apiVersion: v1, kind: ConfigMap, data: {mode: Validate}}\n", want: []string{"PeerJob train"}},
		"mode KustomizeValidator, outside kustomize": {
			items: []string{train}, config: "functionConfig: {apiVersion: v1, kind: ConfigMap, data: {mode: KustomizeValidator}}\n", want: []string{"PeerJob train"},
			stderr: "peerjob: mode KustomizeValidator is for the validators: of kustomize alone, because it writes no objects; set mode to Validate\n",
		},
		"unknown settings": {
			items: []string{train}, config: "functionConfig: {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {pruned: 'true', mode: validate, mode: Expand, prune: 'yes', clusterDomain: a_b}, binaryData: {}}\n", want: []string{"PeerJob train"},
			stderr: `peerjob: ConfigMap c: binaryData: Forbidden: unknown field; put settings under data
peerjob: ConfigMap c: data[pruned]: Unsupported value: "pruned": supported values: "clusterDomain", "kubernetesVersion", "mode", "prune", "runnerImage"
peerjob: ConfigMap c: data.mode: Unsupported value: "validate": supported values: "Expand", "Validate", "KustomizeValidator", "Lint"
peerjob: ConfigMap c: data.mode: Duplicate value: "mode": duplicate key; keep one
peerjob: ConfigMap c: data.prune: Unsupported value: "yes": supported values: "false", "true"
peerjob: ConfigMap c: data.clusterDomain: Invalid value: "a_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
`,
		},
		"of another kind": {
			items: []string{train}, config: "functionConfig: {apiVersion: fn.kpt.dev/v1alpha1, kind: SetLabels, metadata: {name: x}}\n", want: []string{"PeerJob train"},
			stderr: "peerjob: SetLabels x: kind: Invalid value: \"fn.kpt.dev/v1alpha1/SetLabels\": the functionConfig must be a peerjob.dev/v1alpha1/PeerJob, or a v1/ConfigMap with the settings clusterDomain, kubernetesVersion, mode, prune, runnerImage in its data\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			input := list(tt.items...)
			if len(tt.items) == 0 {
				input = strings.Replace(input, "items:\n", "items: []\n", 1)
			}
			stdout, stderr, failed := run(t, input+tt.config)
			if failed != (tt.stderr != "") {
				t.Errorf("failed: %v", failed)
			}
			if diff := cmp.Diff(tt.want, names(t, stdout)); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.stderr, stderr); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRun_clusterDomain(t *testing.T) {
	const config = "functionConfig: {apiVersion: v1, kind: ConfigMap, data: {clusterDomain: example.org}}\n"
	// 64 characters fit with cluster.local and do not with another domain.
	job := "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: " + strings.Repeat("a", 20) + ", namespace: " + strings.Repeat("n", 4) + "}\nspec:\n  peers: 1\n" +
		"  clusterDomain: \"\"\n  template: {spec: {setHostnameAsFQDN: true, containers: [{name: w, image: x}]}}\n"
	// aaaaaaaaaaaaaaaaaaaa-0.aaaaaaaaaaaaaaaaaaaa.nnnn.svc.example.org is 64.
	if _, stderr, failed := run(t, list(job)+config); failed {
		t.Error(stderr)
	}
	if _, stderr, failed := run(t, list(job)); !failed || !strings.Contains(stderr, "has 66 characters") {
		t.Error("cluster.local is longer, and was taken:", stderr)
	}
}

// TestRun_generator has settings under generators of kustomize, which passes a generator
// its own configuration as the only item.
func TestRun_generator(t *testing.T) {
	const settings = "{apiVersion: v1, kind: ConfigMap, metadata: {name: peerjob}}"
	for name, test := range map[string]struct {
		items []string
		warns bool
	}{
		"its own settings": {[]string{settings}, true},
		"nothing":          {nil, false},
		"another object":   {[]string{"{apiVersion: v1, kind: ConfigMap, metadata: {name: other}}"}, false},
		"a PeerJob":        {[]string{settings, peerJob("train", "peers: 2")}, false},
	} {
		_, stderr, failed := run(t, list(test.items...)+"functionConfig: "+settings+"\n")
		if failed || strings.Contains(stderr, "no object reached peerjob but its own settings") != test.warns {
			t.Errorf("%s: failed: %v, stderr: %s", name, failed, stderr)
		}
	}
}
