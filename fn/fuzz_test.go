// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/kyaml/kio"

	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/krmlist/scan"
	"github.com/peerjob/peerjob/internal/pipeline"
	"github.com/peerjob/peerjob/internal/results"
)

// FuzzRun holds the function to its manners on any bytes: no panic, one
// ResourceList with items on stdout, an error on stderr exactly when it fails,
// the items unchanged then, and twice the same as once otherwise.
func FuzzRun(f *testing.F) {
	f.Add("")
	f.Add(list("apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: a, namespace: b}\nspec: {templating: Enabled, networkPolicy: {ingress: PeersOnly}, roles: [{name: c, peers: 1, template: {spec: {containers: [{name: w, image: x}]}}}, "+
		"{name: d, peers: '{{ 2 }}', template: {spec: {containers: [{name: w, image: '{{ range .Roles }}{{ .Name }}{{ end }}'}]}}}]}", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a-c, namespace: b, annotations: {peerjob.dev/owner: a}}"))
	f.Add(list(peerJob("train", "peers: 2")))
	f.Add(list(peerJob("train", "peers: 0"), "# c\nkind: A\nb: [1, 2]"))
	f.Add(list(inFile("a/b.yaml", "/p", peerJob("a", "peers: 2\nservice: {name: hub}")), "apiVersion: v1\nkind: Service\nmetadata: {name: a, annotations: {peerjob.dev/owner: a}}") + settingsPrune)
	f.Add(list("kind: A # one\na: |\n  - b\n\n", peerJob("a", "peers: 2"), "{kind: B}") + "results: []\n")
	f.Add(strings.ReplaceAll(list(peerJob("a", "peers: 2"), "kind: A\na: \"b\n  c\""), "\n", "\r\n"))
	f.Add("kind: ResourceList\nitems: [&a {kind: A}, *a]\n---\n")
	f.Add("kind: ResourceList\nitems:\n# one\n- a: 1\n# two\n\n- b: |\n    x\n  # three\nfunctionConfig: {apiVersion: peerjob.dev/v1alpha1, kind: PeerJob, metadata: {name: x}}\n")
	f.Fuzz(func(t *testing.T, input string) {
		stdout, stderr, failed := run(t, input)
		if strings.Contains(stderr, "internal error") {
			t.Fatalf("panic: %s", stderr)
		}
		if _, err := krmlist.ReadParsed([]byte(stdout)); err != nil {
			t.Fatalf("stdout is no ResourceList: %v\n%s", err, stdout)
		}
		if !strings.Contains(stdout, "\nitems:") {
			t.Errorf("no items:\n%s", stdout)
		}
		if hasErrors := strings.Contains("\n"+strings.ReplaceAll(strings.ReplaceAll(stderr, "\npeerjob: warning: ", ""), "\npeerjob: info: ", ""), "peerjob: "); failed && !hasErrors {
			t.Errorf("failed without a word")
		}
		in, err := krmlist.ReadParsed([]byte(input))
		if err != nil {
			if !failed {
				t.Error("the input is broken and was taken")
			}
			return
		}
		if failed {
			want := encodedItems(t, in)
			if l, err := scan.Read([]byte(input), func(string) bool { return true }); err == nil && len(l.Items) > 0 {
				want = textItems(l)
			}
			if !strings.Contains(stdout, want) {
				t.Errorf("items were changed:\n%s", cmp.Diff(want, stdout))
			}
			return
		}
		// Results add up; all else must stay.
		again, _, failedAgain := run(t, stdout)
		if failedAgain {
			t.Errorf("refuses its own output:\n%s", stdout)
		}
		// Comments wander when YAML is written twice, also in kyaml.
		if diff := cmp.Diff(withoutResults(stdout), withoutResults(again)); diff != "" && !strings.Contains(input, "#") {
			t.Errorf("second run (-once +twice):\n%s", diff)
		}
		// Parsing the whole list must come to the same, but for comments.
		slow, slowErrs := runParsed(t, input)
		if diff := cmp.Diff(slowErrs, stderr); diff != "" && !strings.Contains(stderr, "line ") {
			t.Errorf("stderr (-parsed +read):\n%s", diff)
		}
		if diff := cmp.Diff(asWritten(t, slow), asWritten(t, stdout)); diff != "" && !strings.Contains(input, "#") {
			t.Errorf("stdout (-parsed +read):\n%s", diff)
		}
		// kyaml drops empty annotations; nothing else may differ.
		if want, ok := kyamlItems(input); ok && !strings.Contains(input, "peerjob.dev") && !strings.Contains(input, "metadata") {
			if !strings.Contains(slow, "\nitems:"+want) {
				t.Errorf("differs from kyaml's own (-kyaml +peerjob):\n%s", cmp.Diff(want, slow))
			}
		}
	})
}

// runParsed runs the function on a list that is parsed as a whole.
func runParsed(t testing.TB, input string) (stdout, stderr string) {
	t.Helper()
	report := &results.Report{}
	var out, errs bytes.Buffer
	if err := write(pipeline.Run([]byte(input), krmlist.ReadParsed, pipeline.Options{}, report), &out, &errs, report); err != nil && err != ErrFailed {
		t.Fatal(err)
	}
	return out.String(), errs.String()
}

// asWritten is a list as it looks when it was parsed and written.
func asWritten(t testing.TB, text string) string {
	t.Helper()
	l, err := krmlist.ReadParsed([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return encoded(t, l)
}

// encoded is a list as it is written without a change.
func encoded(t testing.TB, l krmlist.List) string {
	t.Helper()
	var out bytes.Buffer
	write, err := l.Encode(l.Objects(), nil)
	if err == nil {
		err = write(&out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// textItems are the items of a list as they stand in its text.
func textItems(l *scan.List) string {
	var out strings.Builder
	for _, item := range l.Items {
		out.Write(item.Text)
	}
	return out.String()
}

// encodedItems are the items of a list as they are written without a change.
func encodedItems(t testing.TB, l krmlist.List) string {
	t.Helper()
	_, items, _ := strings.Cut(encoded(t, l), "\nitems:")
	items, _, _ = strings.Cut(items, "\nfunctionConfig:")
	items, _, _ = strings.Cut(items, "\nresults:\n")
	return "items:" + items
}

// kyamlItems are the items as kyaml writes them, where kyaml does not give up.
func kyamlItems(input string) (items string, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	var out bytes.Buffer
	rw := &kio.ByteReadWriter{Reader: strings.NewReader(input), Writer: &out, OmitReaderAnnotations: true, KeepReaderAnnotations: true}
	if (kio.Pipeline{Inputs: []kio.Reader{rw}, Outputs: []kio.Writer{rw}, ContinueOnEmptyResult: true}).Execute() != nil {
		return "", false
	}
	// Nothing else is comparable: kyaml unwraps only some lists, and keeps one in
	// brackets in them.
	_, items, ok = strings.Cut(out.String(), "\nkind: ResourceList\nitems:\n- ")
	items, _, _ = strings.Cut(items, "\nfunctionConfig:")
	items, _, _ = strings.Cut(items, "\nresults:")
	return "\n- " + items, ok
}
