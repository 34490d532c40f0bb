// SPDX-License-Identifier: Apache-2.0

package framework_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/examples/frameworks"
	"github.com/peerjob/peerjob/internal/expand"
	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// TestTable_complete makes sure that an entry comes with its sources, its
// example, the golden file of it and its part of the documentation, and that
// there is no example without an entry.
func TestTable_complete(t *testing.T) {
	docs, err := os.ReadFile(filepath.Join("..", "..", "docs", "frameworks.md"))
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join("..", "..", "examples", "frameworks")
	var folders []string
	for _, entry := range framework.Entries() {
		folder := frameworks.Folder(entry.Type)
		folders = append(folders, folder)
		g := parse(t, example(t, folder))
		if g.PeerJob.Spec.Framework == nil || g.PeerJob.Spec.Framework.Type != entry.Type {
			t.Errorf("the example of %s is of another framework", entry.Type)
		}
		if errs := append(peerjob.Validate(g, framework.Brings), framework.Validate(g)...); len(errs) > 0 {
			t.Errorf("the example of %s: %v", entry.Type, errs)
		}
		golden, err := os.ReadFile(filepath.Join(root, folder, "expected.yaml"))
		if err != nil {
			t.Error(err)
		}
		for _, object := range expand.Group(g) {
			if kind := "kind: " + object.GetObjectKind().GroupVersionKind().Kind + "\n"; !strings.Contains(string(golden), kind) {
				t.Errorf("%s/expected.yaml has no %s", folder, kind)
			}
		}
		readme, err := os.ReadFile(filepath.Join(root, folder, "README.md"))
		if want := "docs/frameworks.md#" + folder; err != nil || !strings.Contains(string(readme), want) {
			t.Errorf("%s/README.md: %v, or no link to %s", folder, err, want)
		}
		_, part, _ := strings.Cut(string(docs), "\n## "+entry.Type+"\n")
		part, _, _ = strings.Cut(part, "\n## ")
		for _, want := range append(append(slices.Clone(entry.Sources), entry.Notes...), "With roles: "+entry.WithRoles()) {
			if !strings.Contains(part, want) {
				t.Errorf("docs/frameworks.md does not say of %s: %s", entry.Type, want)
			}
		}
		for _, row := range entry.Contract() {
			if !strings.Contains(part, "| `"+row.Name+"` | `"+row.Value+"` |") {
				t.Errorf("docs/frameworks.md does not show %s of %s", row.Name, entry.Type)
			}
			if row.Meaning == "" || len(validation.IsEnvVarName(row.Name)) > 0 {
				t.Errorf("%s: variable %q, %q", entry.Type, row.Name, row.Meaning)
			}
		}
		if len(entry.Sources) == 0 || len(entry.Variables) == 0 || entry.About == "" {
			t.Errorf("%s says too little", entry.Type)
		}
		for _, port := range entry.Ports {
			// A container may name its port so, too.
			if !strings.HasPrefix(port.Name, "tcp-") || len(validation.IsValidPortName(port.Name)) > 0 || port.Meaning == "" {
				t.Errorf("%s: port %+v", entry.Type, port)
			}
		}
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() && !slices.Contains(folders, entry.Name()) {
			t.Errorf("examples/frameworks/%s is of no framework", entry.Name())
		}
	}
}

// TestValidate_fits: as many peers as a message says fit, and one more does
// not.
func TestValidate_fits(t *testing.T) {
	fits := regexp.MustCompile(`with these names (\d+) peers fit`)
	for name, give := range map[string]string{
		"TF_CONFIG": "framework: {type: TensorFlow}",
		"hostfile":  "framework: {type: OpenMPI, sshSecretName: keys, leader: {command: [a]}}",
	} {
		t.Run(name, func(t *testing.T) {
			errs := func(peers string) string {
				g := parse(t, "metadata: {name: a-long-name-for-a-job}\nspec: {peers: "+peers+", service: {name: hub}, nameSuffixHash: Enabled, "+give+", template: {spec: {containers: [{name: w, image: x}]}}}")
				return fmt.Sprint(framework.Validate(g))
			}
			match := fits.FindStringSubmatch(errs("100000"))
			if match == nil {
				t.Fatal(errs("100000"))
			}
			fit, err := strconv.Atoi(match[1])
			if err != nil {
				t.Fatal(err)
			}
			if got := errs(match[1]); fit < 1000 || got != "[]" {
				t.Errorf("%d peers: %s", fit, got)
			}
			if got := errs(fmt.Sprint(fit + 1)); !strings.Contains(got, name) {
				t.Errorf("%d peers: %s", fit+1, got)
			}
			if name != "TF_CONFIG" {
				return
			}
			// What the kubelet makes of it is as long as was said.
			g := parse(t, "metadata: {name: job}\nspec: {peers: 1000, framework: {type: TensorFlow}, template: {spec: {containers: [{name: w, image: x}]}}}")
			pod := podOf(t, g, 999)
			want := strings.ReplaceAll(pod.env["TF_CONFIG"], "prod-", "")
			if !strings.Contains(want, `"job-999.job:2222"]},"task":{"type":"worker","index":999}`) {
				t.Errorf("the end is %q", want[len(want)-80:])
			}
		})
	}
}

// TestApply_yields has a default of the framework's in the place of which the
// user's own value stands, once.
func TestApply_yields(t *testing.T) {
	g := parse(t, "metadata: {name: a}\nspec: {peers: 2, framework: {type: MPICH, sshSecretName: keys, leader: {command: [a]}}, template: {spec: {containers: [{name: w, image: x, env: [{name: HYDRA_IFACE, value: ib0}]}]}}}")
	if errs := framework.Validate(g); len(errs) > 0 {
		t.Error(errs)
	}
	p := podOf(t, g, 0)
	if got := strings.Count(strings.Join(p.order, " "), "HYDRA_IFACE"); got != 1 || p.env["HYDRA_IFACE"] != "ib0" {
		t.Errorf("HYDRA_IFACE stands there %d times, and is %q", got, p.env["HYDRA_IFACE"])
	}
}

// TestApply_others: containers that do not run the framework stay as they are,
// but for the peers' variables, and variables may use the framework's.
func TestApply_others(t *testing.T) {
	const text = "metadata: {name: a}\nspec: {peers: 2, FRAMEWORK template: {spec: {initContainers: [{name: i, image: x}], containers: [{name: log, image: x, command: [tail]}, {name: w, image: x, env: [{name: URL, value: $(MASTER_ADDR)}]}]}}}"
	with := podOf(t, parse(t, strings.Replace(text, "FRAMEWORK", "framework: {type: PyTorch, containers: [w]},", 1)), 1)
	spec := with.job.Spec.Template.Spec
	plain := parse(t, strings.Replace(strings.Replace(text, "FRAMEWORK", "", 1), ", env: [{name: URL, value: $(MASTER_ADDR)}]", "", 1))
	without := podOf(t, plain, 1).job.Spec.Template.Spec
	if diff := cmp.Diff(without.Containers[0], spec.Containers[0]) + cmp.Diff(without.InitContainers, spec.InitContainers); diff != "" {
		t.Errorf("the others have changed:\n%s", diff)
	}
	var names []string
	for _, v := range spec.Containers[1].Env {
		names = append(names, v.Name)
	}
	if got := strings.Join(names[7:], " "); got != "MASTER_ADDR MASTER_PORT WORLD_SIZE RANK LOCAL_RANK LOCAL_WORLD_SIZE URL" {
		t.Errorf("variables behind the peers': %s", got)
	}
}

// TestApply_anyNumber: expansion is total, and no number that is refused makes
// it large.
func TestApply_anyNumber(t *testing.T) {
	for _, peers := range []string{"-1", "0", "2147483647"} {
		for _, typ := range []string{"Torchrun", "TPU", "OpenMPI", "DeepSpeed"} {
			g := parse(t, "metadata: {name: a}\nspec: {peers: "+peers+", framework: {type: "+typ+"}, template: {spec: {containers: [{name: w, image: x}]}}}")
			if len(peerjob.Validate(g, framework.Brings)) == 0 {
				t.Errorf("%s peers are not refused", peers)
			}
			framework.Validate(g)
			for _, object := range expand.Group(g) {
				if size := object.Object.(interface{ Size() int }).Size(); size > 100*v1alpha1.MaxPeers {
					t.Errorf("%s, %s peers: %s has %d bytes", typ, peers, object.GetObjectKind().GroupVersionKind().Kind, size)
				}
			}
		}
	}
}

// TestPorts has the framework's port once, under the name that the user gave it
// where the user may.
func TestPorts(t *testing.T) {
	for give, want := range map[string]string{
		"containers: [{name: w, image: x}]":                                                 "tcp-rendezvous:29500",
		"containers: [{name: w, image: x, ports: [{containerPort: 29500}]}]":                "tcp-29500:29500",
		"containers: [{name: w, image: x, ports: [{containerPort: 80}]}]":                   "tcp-80:80 tcp-rendezvous:29500",
		"containers: [{name: w, image: x, ports: [{containerPort: 29500, protocol: UDP}]}]": "udp-29500:29500 tcp-rendezvous:29500",
	} {
		objects := expand.Group(parse(t, "metadata: {name: a}\nspec: {peers: 2, framework: {type: PyTorch}, template: {spec: {"+give+"}}}"))
		var got []string
		for _, port := range objects[0].Object.(*corev1.Service).Spec.Ports {
			got = append(got, fmt.Sprintf("%s:%d", port.Name, port.Port))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", give, got, want)
		}
	}
}

// BenchmarkConfigMap is the file of 1,000 peers.
func BenchmarkConfigMap(b *testing.B) {
	g := parse(b, "metadata: {name: train}\nspec: {peers: 1000, framework: {type: OpenMPI, sshSecretName: keys, leader: {command: [a]}}, template: {spec: {containers: [{name: w, image: x}]}}}")
	for b.Loop() {
		if framework.ConfigMap(g) == nil {
			b.Fatal("no ConfigMap")
		}
	}
}
