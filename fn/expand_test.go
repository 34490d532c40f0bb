// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

const (
	namespaceFile = "# the namespace\napiVersion: v1\nkind: Namespace\nmetadata: {name:   ml} # as written\n"
	trainFile     = "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: train}\nspec: {peers: 2, template: {spec: {containers: [{name: w, image: x}]}}}\n"
	renderedFile  = "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: train}\nspec: {peers: 2, templating: Enabled, values: {tag: v1}, template: {spec: {containers: [{name: w, image: 'x:{{ .Values.tag }}'}]}}}\n"
)

// expandFiles runs Expand on files named 0.yaml, 1.yaml and so on.
func expandFiles(t *testing.T, options ExpandOptions, contents ...string) (stdout, stderr string, err error) {
	t.Helper()
	var files []File
	for i, content := range contents {
		files = append(files, File{Name: string(rune('0'+i)) + ".yaml", Content: []byte(content)})
	}
	var out, said bytes.Buffer
	err = Expand(files, &out, &said, options)
	return out.String(), said.String(), err
}

// object is what is said of an object, however it is written.
type object struct {
	Kind     string
	Metadata struct{ Name string }
}

func (o object) String() string { return o.Kind + "/" + o.Metadata.Name }

var expanded = []string{"Namespace/ml", "Service/train", "Job/train"}

func TestExpand_yaml(t *testing.T) {
	stdout, stderr, err := expandFiles(t, ExpandOptions{}, namespaceFile, trainFile)
	if err != nil || stderr != "" {
		t.Fatalf("%v: %s", err, stderr)
	}
	if !strings.HasPrefix(stdout, namespaceFile) {
		t.Errorf("the Namespace does not keep its bytes:\n%s", stdout)
	}
	var got []string
	for decoder := yaml.NewDecoder(strings.NewReader(stdout)); ; {
		var o object
		if err := decoder.Decode(&o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.String())
	}
	if diff := cmp.Diff(expanded, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExpand_json(t *testing.T) {
	stdout, stderr, err := expandFiles(t, ExpandOptions{Format: JSON}, namespaceFile, trainFile)
	if err != nil || stderr != "" {
		t.Fatalf("%v: %s", err, stderr)
	}
	var list struct {
		APIVersion, Kind string
		Items            []object
	}
	if err := json.Unmarshal([]byte(stdout), &list); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range list.Items {
		got = append(got, o.String())
	}
	if diff := cmp.Diff(expanded, got); diff != "" || list.APIVersion != "v1" || list.Kind != "List" {
		t.Errorf("%s %s (-want +got):\n%s", list.APIVersion, list.Kind, diff)
	}
}

// TestExpand_values overrides a value of the PeerJob, and shows the values.
func TestExpand_values(t *testing.T) {
	options := ExpandOptions{Values: []ValuesFile{{Name: "prod.yaml", Values: map[string]any{"tag": "v2"}}}}
	stdout, stderr, err := expandFiles(t, options, renderedFile)
	if err != nil || !strings.Contains(stdout, "image: x:v2\n") {
		t.Errorf("%v: %s\n%s", err, stderr, stdout)
	}
	options.ShowValues = true
	stdout, stderr, err = expandFiles(t, options, renderedFile)
	if err != nil || strings.Contains(stdout, "kind: Job") || !strings.Contains(stdout, "tag: v2\n") || !strings.Contains(stdout, "x:v2") {
		t.Errorf("%v: %s\n%s", err, stderr, stdout)
	}
}

// TestExpand_conflicts has files that can't be in one cluster. The error names the
// other file, and Expand writes nothing.
func TestExpand_conflicts(t *testing.T) {
	for name, tt := range map[string]struct {
		files []string
		want  string
	}{
		"twice the same": {
			[]string{trainFile, trainFile},
			"peerjob: 1.yaml: PeerJob train: metadata.name: Duplicate value: \"train\": 0.yaml has a PeerJob of this name too; rename one of them\n",
		},
		"an object of another's": {
			[]string{trainFile, "apiVersion: v1\nkind: Service\nmetadata: {name: train}\nspec: {}\n"},
			"peerjob: 0.yaml: PeerJob train: metadata.name: Duplicate value: \"train\": 1.yaml has a Service of this name that peerjob did not make, and peerjob never overwrites it; remove it, or rename the PeerJob or set spec.service.name\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := expandFiles(t, ExpandOptions{}, tt.files...)
			if !errors.Is(err, ErrFailed) || stdout != "" {
				t.Errorf("%v, and on stdout %q", err, stdout)
			}
			if diff := cmp.Diff(tt.want, stderr); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestReadAll reads input of every size around the sizes of its pieces, and refuses
// what is larger than the limit.
func TestReadAll(t *testing.T) {
	for _, size := range []int{0, 1, 1<<14 - 1, 1 << 14, 1<<14 + 1, 1 << 16, 1<<23 + 1} {
		want := bytes.Repeat([]byte("a"), size)
		for _, limit := range []int64{0, int64(size), int64(size) + 1} {
			got, err := ReadAll(bytes.NewReader(want), Options{MaxInput: limit})
			if err != nil || !bytes.Equal(want, got) {
				t.Errorf("%d bytes, limit %d: %d bytes, %v", size, limit, len(got), err)
			}
		}
	}
	_, err := ReadAll(strings.NewReader("abc"), Options{MaxInput: 2})
	if want := "is larger than 2; if that is meant, set --max-input or the variable PEERJOB_MAX_INPUT"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestExpand_namespaces has two PeerJobs that are one where kubectl's namespace is
// default.
func TestExpand_namespaces(t *testing.T) {
	inDefault := strings.Replace(trainFile, "name: train", "name: train, namespace: default", 1)
	other := strings.Replace(trainFile, "name: train", "name: train, namespace: ml", 1)
	const want = "peerjob: warning: 0.yaml: PeerJob train: metadata.namespace: PeerJob default/train has this name too, and without a namespace kubectl may apply both to default, where the second replaces the first; write the namespace\n"
	if stdout, stderr, err := expandFiles(t, ExpandOptions{}, trainFile, inDefault); err != nil || stderr != want || strings.Count(stdout, "kind: Job") != 2 {
		t.Errorf("%v: %s\nwant %s", err, stderr, want)
	}
	if _, stderr, err := expandFiles(t, ExpandOptions{}, trainFile, other); err != nil || stderr != "" {
		t.Errorf("another namespace: %v: %s", err, stderr)
	}
}

// TestExpand_namespacesOfChildren has objects of the user's with the name of the Service,
// with and without the namespace default.
func TestExpand_namespacesOfChildren(t *testing.T) {
	in := func(file, namespace string) string {
		return strings.Replace(file, "name: train", "name: train, namespace: "+namespace, 1)
	}
	const service = "apiVersion: v1\nkind: Service\nmetadata: {name: train}\nspec: {selector: {app: x}}\n"
	hub := func(name, namespace string) string {
		file := strings.Replace(in(trainFile, namespace), "name: train", "name: "+name, 1)
		return strings.Replace(file, "peers:", "service: {name: hub}, peers:", 1)
	}
	const (
		conflict = "has a Service of this name that peerjob did not make"
		same     = " is the same object where kubectl's namespace is default: the second replaces the first; write the namespace of both, or rename one of them\n"
	)
	for name, tt := range map[string]struct {
		files  []string
		failed bool
		want   string
	}{
		"in default":                   {[]string{trainFile, in(service, "default")}, false, "PeerJob train: metadata.namespace: becomes the Service train, and Service default/train in 1.yaml" + same},
		"without a namespace":          {[]string{in(trainFile, "default"), service}, false, "PeerJob default/train: metadata.namespace: becomes the Service default/train, and Service train in 1.yaml" + same},
		"twice":                        {[]string{trainFile, in(service, "default"), service}, true, conflict},
		"twice, the other first":       {[]string{trainFile, service, in(service, "default")}, true, conflict},
		"twice, of one in default":     {[]string{in(trainFile, "default"), service, in(service, "default")}, true, conflict},
		"in another namespace":         {[]string{trainFile, in(service, "ml")}, false, ""},
		"of a PeerJob of another":      {[]string{in(trainFile, "ml"), service, in(service, "default")}, false, ""},
		"of another PeerJob":           {[]string{hub("a", "default"), strings.Replace(hub("b", "x"), ", namespace: x", "", 1)}, false, "PeerJob default/a: metadata.namespace: becomes the Service default/hub, and Service hub" + same},
		"of another PeerJob elsewhere": {[]string{hub("a", "default"), hub("b", "ml")}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, err := expandFiles(t, ExpandOptions{}, tt.files...)
			if (err != nil) != tt.failed || !strings.Contains(stderr, tt.want) || tt.want == "" && stderr != "" {
				t.Errorf("%v: %s\nwant %s", err, stderr, tt.want)
			}
		})
	}
}
