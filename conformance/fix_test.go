// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/conformance/apiserver"
	"github.com/peerjob/peerjob/conformance/programs"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lint"
	peers "github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

var fixFolder = filepath.Join("..", "testdata", "lint", "fix")

// TestConformance_fix sends what "lint --fix" makes of broken pairs to the newest API
// server, with the last Pod of each Job, and holds what the server would store to
// internal/rules: the peers agree. Before, the same rules or the server refuse each pair.
func TestConformance_fix(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs an API server")
	}
	ctx, cancel := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	newest := newestServer(ctx, t)
	if *server != "" && *server != "all" && *server != newest.minor {
		t.Skipf("runs on the newest server, %s, and %s was asked for", newest.minor, *server)
	}
	files, err := filepath.Glob(filepath.Join(fixFolder, "*.*"))
	if err != nil || len(files) != 10 {
		t.Fatalf("%d files, want 10: %v", len(files), err)
	}
	running, _, err := newest.start(ctx, t)
	if errors.Is(err, programs.ErrNoModules) && os.Getenv("CI") != "true" {
		t.Skipf("kube-apiserver %s can't be built here: %v", newest.minor, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			broken, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if wrong := apply(ctx, t, running, broken); len(wrong) == 0 {
				t.Error("nothing is wrong with the pair before it is mended")
			}
			fixed, _ := lint.Fix([]lint.File{{Name: filepath.Base(name), Content: broken}}, lint.Options{})
			if len(fixed) != 1 {
				t.Fatal("lint mends nothing")
			}
			for _, wrong := range apply(ctx, t, running, fixed[0].Content) {
				t.Errorf("mended, and still: %s\n%s", wrong, fixed[0].Content)
			}
		})
	}
}

// apply sends the objects of a file to the server, and a Pod of the Job, and returns what
// the server and the rules say against them.
func apply(ctx context.Context, t *testing.T, running *apiserver.Server, content []byte) (wrong []string) {
	t.Helper()
	var service corev1.Service
	var job batchv1.Job
	var pod corev1.Pod
	for _, o := range objectsOf(t, content) {
		var stored []byte
		switch o.Kind {
		case "Service", "Job":
			var plain any
			if err := o.Node().Decode(&plain); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(plain)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := ask(ctx, running, resources[o.Kind], o.Namespace, text)
			if err != nil {
				t.Fatal(err)
			}
			if !answer.Accepted() {
				return append(wrong, o.Kind+": "+answer.Message)
			}
			stored = answer.Object
		default:
			t.Fatalf("a %s among the objects", o.Kind)
		}
		var into any = &service
		if o.Kind == "Job" {
			into = &job
			made, err := createPod(ctx, running, o.Namespace, stored)
			if err != nil {
				t.Fatal(err)
			}
			if !made.Accepted() {
				return append(wrong, "Pod: "+made.Message)
			}
			if err := json.Unmarshal(made.Object, &pod); err != nil {
				t.Fatal(err)
			}
		}
		if err := json.Unmarshal(stored, into); err != nil {
			t.Fatal(err)
		}
	}
	if service.Name == "" || job.Name == "" {
		t.Fatalf("no Service and Job in\n%s", content)
	}
	return disagreements(&service, &job, &pod)
}

// objectsOf are the objects of a file, with the items of lists.
func objectsOf(t *testing.T, content []byte) (objects []*krmlist.Object) {
	t.Helper()
	read, errs := krmlist.ReadFile("file", content)
	for _, o := range read {
		if errs[o] != nil {
			t.Fatal(errs[o])
		}
		items := yamlnode.Resolve(yamlnode.Get(o.Node(), "items"))
		if items == nil || items.Kind != yaml.SequenceNode {
			objects = append(objects, o)
			continue
		}
		for _, item := range items.Content {
			objects = append(objects, krmlist.NewParsed(yamlnode.Resolve(item)))
		}
	}
	return objects
}

// disagreements are what keeps the Pods of a Job from finding each other, in the objects
// as the server would store them.
func disagreements(service *corev1.Service, job *batchv1.Job, pod *corev1.Pod) (wrong []string) {
	template, spec := &job.Spec.Template, field.NewPath("spec")
	path := spec.Child("template")
	network := peers.Network{
		Job: job.Name, Namespace: job.Namespace, Service: service.Name, Peers: *job.Spec.Completions, Selected: job.Name,
		IsOther: func(string) bool { return false }, IsService: func(string) bool { return false },
	}
	indexed, _ := peers.Indexed(job, true, spec)
	together, _ := peers.Parallelism(job, true, spec)
	notReady, _ := peers.NotReady(service, template, network, spec)
	for _, err := range slices.Concat(
		peers.Headless(service, spec), peers.Selector(service, template, job, spec),
		peers.DNS(service, template, job, v1alpha1.DefaultClusterDomain, path), peers.DNSPolicy(template, job, v1alpha1.DefaultClusterDomain, false, path),
		indexed, together, notReady, peers.IndexVariables(template, path), peers.Hostnames(job, job.Name, field.NewPath("metadata", "name")),
	) {
		wrong = append(wrong, err.Error())
	}
	peers.EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		for _, text := range peers.Texts(container, path) {
			for _, address := range peers.Addresses(text) {
				if fault, message, _ := network.Judge(address); fault != peers.Fine {
					wrong = append(wrong, text.Path().String()+": "+message)
				}
			}
		}
	})
	// The Pod says the same without any rule of peerjob: it has a name in the domain of
	// this Service, and the Service selects it.
	switch {
	case pod.Namespace != service.Namespace:
		wrong = append(wrong, "the Pod is in "+pod.Namespace+", and the Service in "+service.Namespace)
	case pod.Spec.Subdomain != service.Name:
		wrong = append(wrong, "the subdomain of the Pod is "+pod.Spec.Subdomain+", and the Service is "+service.Name)
	case !strings.HasPrefix(pod.Spec.Hostname, job.Name+"-"):
		wrong = append(wrong, "the host name of the Pod is "+pod.Spec.Hostname)
	case !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(pod.Labels)):
		wrong = append(wrong, "the Service does not select the Pod")
	}
	return wrong
}
