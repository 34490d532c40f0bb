// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	goyaml "go.yaml.in/yaml/v3"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/conformance/generate"
	"github.com/peerjob/peerjob/fn"
	"github.com/peerjob/peerjob/schema"
)

var (
	tries   = flag.Int("tries", 2000, "how many PeerJobs to grow")
	without = flag.Int("without", 10, "how many things to leave out of each of them, one at a time")
)

// compiled returns the schema.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema.JSON()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("peerjob.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("peerjob.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain returns a tree as JSON has it.
func plain(t *testing.T, tree any) any {
	t.Helper()
	data, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// takes reports whether peerjob takes a PeerJob, and what it says.
func takes(text []byte) (bool, string) {
	var said bytes.Buffer
	err := fn.Expand([]fn.File{{Name: "peerjob.yaml", Content: text}}, io.Discard, &said, fn.ExpandOptions{
		Options: fn.Options{RunnerImage: "example.com/runner:1.0"},
	})
	// What is of another kind or version passes through.
	return err == nil && !strings.Contains(said.String(), "no PeerJob is among the objects"), said.String()
}

// modeline is how a file tells an editor its schema.
var modeline = regexp.MustCompile(`(?m)^# yaml-language-server: \$schema=(.*)$`)

// TestExamples holds every PeerJob of the examples to the schema, and every file that has
// only PeerJobs to the line that tells editors so.
func TestExamples(t *testing.T) {
	s := compiled(t)
	var head struct {
		ID string `json:"$id"`
	}
	if err := json.Unmarshal(schema.JSON(), &head); err != nil {
		t.Fatal(err)
	}
	seen := 0
	examples := filepath.Join("..", "..", "examples")
	err := filepath.WalkDir(examples, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == "templates" {
			return filepath.SkipDir // of a chart: no YAML before Helm has rendered it
		}
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" || entry.Name() == "expected.yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		peerJobs, others := 0, 0
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			var value map[string]any
			if err := yaml.Unmarshal([]byte(document), &value); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if value["kind"] != "PeerJob" {
				others++
				continue
			}
			peerJobs++
			if err := s.Validate(plain(t, value)); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		seen += peerJobs
		if line := modeline.FindSubmatch(text); peerJobs > 0 && others == 0 && (line == nil || string(line[1]) != head.ID) {
			t.Errorf("%s has no line %q", path, "# yaml-language-server: $schema="+head.ID)
		} else if line != nil && others > 0 {
			t.Errorf("%s tells editors the schema of PeerJobs, and has other documents", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 25 {
		t.Errorf("only %d PeerJobs are in %s", seen, examples)
	}
}

// shown is the figure that docs/editors.md has.
var shown = regexp.MustCompile(`catches (\d+) of\s+100`)

// TestGenerated grows PeerJobs. The schema may refuse none that peerjob takes, and is to
// catch as many of those that peerjob refuses as the documentation says.
func TestGenerated(t *testing.T) {
	s := compiled(t)
	taken, refused, caught, unseen := 0, 0, 0, map[string]int{}
	for seed := range uint64(*tries) {
		tree := generate.PeerJob(seed, "", false)
		text, err := generate.Text(tree)
		if err != nil {
			t.Fatal(err)
		}
		ok, said := takes(text)
		verdict := s.Validate(plain(t, tree))
		switch {
		case ok:
			taken++
			if verdict != nil {
				t.Errorf("seed %d: peerjob takes it, and the schema does not: %#v", seed, verdict)
			}
		case verdict != nil:
			refused++
			caught++
		default:
			refused++
			unseen[kindOf(said)]++
		}
	}
	share := 100 * caught / max(refused, 1)
	t.Logf("of %d PeerJobs peerjob takes %d and refuses %d; the schema catches %d of those (%d of 100); it can't see: %v", *tries, taken, refused, caught, share, unseen)
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "editors.md"))
	if err != nil {
		t.Fatal(err)
	}
	match := shown.FindSubmatch(page)
	if match == nil {
		t.Fatal("docs/editors.md does not say how many of 100 the schema catches")
	}
	if documented, _ := strconv.Atoi(string(match[1])); share < documented-5 || share > documented+5 {
		t.Errorf("docs/editors.md says that the schema catches %d of 100, and it catches %d", documented, share)
	}
	if taken < *tries/4 || refused < *tries/10 {
		t.Errorf("%d taken and %d refused of %d say little", taken, refused, *tries)
	}
}

// TestWithout leaves one thing out of each PeerJob, so that the schema requires nothing
// that peerjob does not.
func TestWithout(t *testing.T) {
	s := compiled(t)
	taken := 0
	for seed := range uint64(*tries / 10) {
		tree := generate.PeerJob(seed, "", false)
		r := rand.New(rand.NewPCG(seed, 2))
		size := 0
		for {
			if _, found := generate.Without(tree, size); !found {
				break
			}
			size++
		}
		for range *without {
			smaller, _ := generate.Without(tree, r.IntN(size))
			verdict := s.Validate(plain(t, smaller))
			if verdict == nil {
				continue // whatever peerjob says
			}
			text, err := generate.Text(smaller)
			if err != nil {
				t.Fatal(err)
			}
			if ok, _ := takes(text); ok {
				t.Errorf("seed %d: peerjob takes it, and the schema does not: %#v", seed, verdict)
			}
			taken++
		}
	}
	if taken == 0 {
		t.Error("the schema requires nothing")
	}
}

// kindOf is the kind of the first error.
func kindOf(said string) string {
	for _, kind := range []string{"Required value", "Invalid value", "Unsupported value", "Forbidden", "Duplicate value", "Not found", "Too long", "Too many"} {
		if strings.Contains(said, kind) {
			return kind
		}
	}
	return "other"
}

// TestTemplates replaces values of PeerJobs by templates that render to them. The schema
// must take the templates that peerjob renders.
func TestTemplates(t *testing.T) {
	s := compiled(t)
	taken := 0
	for seed := range uint64(*tries / 4) {
		tree := generate.PeerJob(seed, "", false)
		spec, ok := tree["spec"].(generate.Object)
		if !ok {
			continue
		}
		values := generate.Object{}
		r := rand.New(rand.NewPCG(seed, 1))
		for name, value := range spec {
			// What the templates need is not rendered, and templates of templates are none.
			if slices.Contains([]string{"nameSuffixHash", "clusterDomain", "kubernetesVersion", "peers", "service"}, name) {
				continue
			}
			spec[name] = templated(r, value, values)
		}
		spec["templating"], spec["values"] = "Enabled", values
		text, err := generate.Text(tree)
		if err != nil {
			t.Fatal(err)
		}
		if ok, _ := takes(text); !ok {
			continue
		}
		taken++
		if err := s.Validate(plain(t, tree)); err != nil {
			t.Errorf("seed %d: peerjob takes it, and the schema does not: %#v\n%s", seed, err, text)
		}
	}
	t.Logf("peerjob takes %d with templates", taken)
	if taken < *tries/20 {
		t.Errorf("peerjob takes only %d of %d with templates", taken, *tries/4)
	}
}

// templated returns a value with one of ten values in it, or the whole, replaced by a
// template that reads it from the values.
func templated(r *rand.Rand, value any, values generate.Object) any {
	key := fmt.Sprintf("v%d", len(values))
	isText := false
	switch value := value.(type) {
	case string:
		isText = true
		if strings.Contains(value, "{{") {
			return value
		}
	case nil:
		return nil
	}
	if r.IntN(10) == 0 {
		values[key] = value
		_, isMap := value.(generate.Object)
		_, isList := value.(generate.List)
		if isMap || isList {
			return "{{ toYaml .Values." + key + " }}"
		}
		return "{{ .Values." + key + " }}"
	}
	if isText {
		return value
	}
	switch value := value.(type) {
	case generate.Object:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			value[name] = templated(r, value[name], values)
		}
	case generate.List:
		for i := range value {
			value[i] = templated(r, value[i], values)
		}
	}
	return value
}

// TestCatches has mistakes that a schema is there for.
func TestCatches(t *testing.T) {
	s := compiled(t)
	const good = `{apiVersion: peerjob.dev/v1alpha1, kind: PeerJob, metadata: {name: train}, spec: {peers: 2, barrier: {start: Enabled}, template: {spec: {containers: [{name: w, image: x, command: [c]}]}}}}`
	for _, edit := range []struct{ from, to string }{
		{"peers: 2", "peers: 0"},
		{"peers: 2", "peers: 100001"},
		{"peers: 2", `peers: "2"`},
		{"peers: 2, ", ""},
		{"peers: 2", "peer: 2"},
		{"start: Enabled", "start: enabled"},
		{"start: Enabled", "start: true"},
		{"start: Enabled", "startTimeoutSeconds: -1"},
		{"barrier: {start: Enabled}", "barrier: Enabled"},
		{"barrier: {start: Enabled}", "framework: {type: torchrun}"},
		{"barrier: {start: Enabled}", "kubernetesVersion: 1.30"},
		{"barrier: {start: Enabled}", `nameSuffixHash: "{{ .Values.hash }}"`},
		{"name: train", "name: Train"},
		{"name: train", `name: "{{ .Values.name }}"`},
		{"kind: PeerJob", "kind: Peerjob"},
		{"v1alpha1", "v1"},
		{"image: x", "img: x"},
		{"image: x", "image: x, env: [A=b]"},
		{"image: x", "image: x, env: {A: b}"},
		{"image: x", "image: x, resources: {limits: {memory: 1 GB}}"},
		{"command: [c]", "command: python"},
		{"name: w, ", ""},
		{"containers:", "restartPolicy: Sometimes, containers:"},
	} {
		text := strings.Replace(good, edit.from, edit.to, 1)
		var value any
		if err := goyaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if s.Validate(plain(t, value)) == nil {
			t.Errorf("%s instead of %s: the schema takes it", edit.to, edit.from)
		}
		if ok, _ := takes([]byte(text)); ok {
			t.Errorf("%s instead of %s: peerjob takes it", edit.to, edit.from)
		}
	}
	if ok, said := takes([]byte(good)); !ok {
		t.Errorf("peerjob refuses what is right: %s", said)
	}
}

// TestDefinition holds the form of a CustomResourceDefinition to the rules of the server,
// which must refuse it for one reason: no version is stored.
func TestDefinition(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "schema", "crd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &definition); err != nil {
		t.Fatal(err)
	}
	apiextensionsv1.SetDefaults_CustomResourceDefinition(&definition)
	apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&definition.Spec)
	var internal apiextensions.CustomResourceDefinition
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&definition, &internal, nil); err != nil {
		t.Fatal(err)
	}
	errs := validation.ValidateCustomResourceDefinition(context.Background(), &internal)
	stored := 0
	for _, err := range errs {
		if strings.Contains(err.Error(), "stor") {
			stored++
			continue
		}
		t.Error(err)
	}
	if stored == 0 {
		t.Error("a server would take the CustomResourceDefinition")
	}
	if !bytes.HasPrefix(text, []byte("# Written")) || !bytes.Contains(text[:400], []byte("NEVER APPLY THIS FILE")) {
		t.Error("schema/crd.yaml does not say that it must not be applied")
	}
}

// TestKubeconform runs kubeconform over the examples, without the network.
func TestKubeconform(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	kubeconform := filepath.Join(root, "bin", "tools", "kubeconform")
	run(t, root, "go", "build", "-modfile=tools/kubeconform/go.mod", "-o", kubeconform, "github.com/yannh/kubeconform/cmd/kubeconform")
	// No other kind is known without the network, so all of them are skipped.
	said := run(t, root, kubeconform, "-strict", "-summary", "-output", "json",
		"-schema-location", filepath.Join("schema", "{{ .ResourceKind }}.json"), "-ignore-missing-schemas",
		"-ignore-filename-pattern", "/values.yaml|/Chart.yaml|/templates/", "examples")
	var report struct {
		Summary struct{ Valid, Invalid, Errors, Skipped int }
	}
	if err := json.Unmarshal([]byte(said), &report); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	t.Logf("kubeconform: %+v", report.Summary)
	if report.Summary.Valid < 25 || report.Summary.Invalid > 0 || report.Summary.Errors > 0 {
		t.Errorf("kubeconform: %s", said)
	}
	wrong := filepath.Join(t.TempDir(), "peerjob.yaml")
	if err := os.WriteFile(wrong, []byte("apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: x}\nspec: {peers: 0}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := command(t, root, io.Discard, kubeconform, "-schema-location", filepath.Join("schema", "{{ .ResourceKind }}.json"), wrong).Run(); err == nil {
		t.Error("kubeconform takes a PeerJob without peers and template")
	}
}
