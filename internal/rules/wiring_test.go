// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
)

const indexLabel = "batch.kubernetes.io/job-completion-index"

// newWired returns a pair whose objects say everything that the rules read.
func newWired(change func(p *pair)) *pair {
	return newPair(func(p *pair) {
		p.service.Spec = corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Selector: map[string]string{"job-name": "train"}}
		p.job.Spec.Parallelism = new(int32(4))
		p.job.Spec.CompletionMode = new(batchv1.IndexedCompletion)
		p.job.Spec.Template.Labels = map[string]string{"app": "a"}
		if change != nil {
			change(p)
		}
	})
}

// wiring runs the rules on the pair as lint does.
func (p *pair) wiring(usesIndex, countsAll bool) []string {
	spec, template := field.NewPath("spec"), &p.job.Spec.Template
	var said []string
	add := func(errs field.ErrorList, warnings []diag.Warning) {
		for _, err := range errs {
			said = append(said, err.Field+" "+strings.SplitN(err.ErrorBody(), ":", 2)[0])
		}
		for _, w := range warnings {
			said = append(said, "warning "+w.Field)
		}
	}
	add(Headless(&p.service, spec), nil)
	add(Selector(&p.service, template, &p.job, spec), nil)
	add(Indexed(&p.job, usesIndex, spec))
	add(Parallelism(&p.job, countsAll, spec))
	add(IndexVariables(template, spec.Child("template")), nil)
	add(DNSPolicy(template, &p.job, "cluster.local", false, spec.Child("template")), nil)
	return said
}

func TestWiring(t *testing.T) {
	selector := func(pairs ...string) func(p *pair) {
		return func(p *pair) {
			p.service.Spec.Selector = map[string]string{}
			for i := 0; i < len(pairs); i += 2 {
				p.service.Spec.Selector[pairs[i]] = pairs[i+1]
			}
		}
	}
	variables := func(env ...corev1.EnvVar) func(p *pair) {
		return func(p *pair) { p.job.Spec.Template.Spec.Containers[0].Env = env }
	}
	for name, test := range map[string]struct {
		change               func(p *pair)
		usesIndex, countsAll bool
		want                 []string
	}{
		"a pair that agrees":              {nil, true, true, nil},
		"an address":                      {func(p *pair) { p.service.Spec.ClusterIP = "10.0.0.1" }, true, true, []string{"spec.clusterIP Invalid value"}},
		"an address that the server sets": {func(p *pair) { p.service.Spec.ClusterIP = "" }, true, true, []string{"spec.clusterIP Required value"}},

		"the newer label":            {selector("batch.kubernetes.io/job-name", "train"), true, true, nil},
		"a label of the template":    {selector("app", "a", "job-name", "train"), true, true, nil},
		"one index":                  {selector("job-name", "train", indexLabel, "3"), true, true, nil},
		"an index that is not there": {selector("job-name", "train", indexLabel, "4"), true, true, []string{"spec.selector[" + indexLabel + "] Invalid value"}},
		"no selector":                {selector(), true, true, []string{"spec.selector Required value"}},
		"another Job":                {selector("job-name", "other"), true, true, []string{"spec.selector[job-name] Invalid value"}},
		"another value":              {selector("app", "b", "job-name", "train"), true, true, []string{"spec.selector[app] Invalid value"}},
		"no such label":              {selector("tier", ""), true, true, []string{"spec.selector[tier] Invalid value"}},

		"no index":                     {func(p *pair) { p.job.Spec.CompletionMode = nil }, true, true, []string{"spec.completionMode Required value"}},
		"NonIndexed":                   {func(p *pair) { p.job.Spec.CompletionMode = new(batchv1.NonIndexedCompletion) }, true, true, []string{"spec.completionMode Invalid value"}},
		"no index, and nobody uses it": {func(p *pair) { p.job.Spec.CompletionMode = nil }, false, true, []string{"warning spec.completionMode"}},
		"one Pod": {func(p *pair) {
			p.job.Spec.CompletionMode, p.job.Spec.Completions, p.job.Spec.Parallelism = nil, nil, nil
		}, false, true, nil},

		"no parallelism":          {func(p *pair) { p.job.Spec.Parallelism = nil }, true, false, []string{"spec.parallelism Required value"}},
		"one at a time":           {func(p *pair) { p.job.Spec.Parallelism = new(int32(1)) }, true, false, []string{"spec.parallelism Invalid value"}},
		"some at a time":          {func(p *pair) { p.job.Spec.Parallelism = new(int32(3)) }, true, false, []string{"warning spec.parallelism"}},
		"some, and all are meant": {func(p *pair) { p.job.Spec.Parallelism = new(int32(3)) }, true, true, []string{"spec.parallelism Invalid value"}},
		"paused":                  {func(p *pair) { p.job.Spec.Parallelism = new(int32(0)) }, true, true, nil},
		"no completions":          {func(p *pair) { p.job.Spec.Completions = nil }, true, true, nil},

		"the index in a variable": {variables(corev1.EnvVar{Name: "RANK", Value: "$(JOB_COMPLETION_INDEX)"}), true, true, []string{"spec.template.spec.containers[0].env[0].value Invalid value"}},
		"the index, set before":   {variables(corev1.EnvVar{Name: "JOB_COMPLETION_INDEX", Value: "x"}, corev1.EnvVar{Name: "RANK", Value: "$(JOB_COMPLETION_INDEX)"}), true, true, nil},
		"the index, escaped":      {variables(corev1.EnvVar{Name: "RANK", Value: "$$(JOB_COMPLETION_INDEX)"}), true, true, nil},

		"the host network": {func(p *pair) { p.job.Spec.Template.Spec.HostNetwork = true }, true, true, []string{"spec.template.spec.dnsPolicy Required value"}},
		"the host network, and its own DNS": {func(p *pair) {
			p.job.Spec.Template.Spec.HostNetwork, p.job.Spec.Template.Spec.DNSPolicy = true, corev1.DNSDefault
		}, true, true, []string{"spec.template.spec.dnsPolicy Invalid value"}},
		"the host network with cluster DNS": {func(p *pair) {
			p.job.Spec.Template.Spec.HostNetwork, p.job.Spec.Template.Spec.DNSPolicy = true, corev1.DNSClusterFirstWithHostNet
		}, true, true, nil},
		"the host network, and ClusterFirst": {func(p *pair) {
			p.job.Spec.Template.Spec.HostNetwork, p.job.Spec.Template.Spec.DNSPolicy = true, corev1.DNSClusterFirst
		}, true, true, []string{"spec.template.spec.dnsPolicy Invalid value"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newWired(test.change).wiring(test.usesIndex, test.countsAll)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSelects(t *testing.T) {
	for want, change := range map[Selection]func(p *pair){
		SelectsAll:  nil,
		SelectsOne:  func(p *pair) { p.service.Spec.Selector[indexLabel] = "0" },
		SelectsNone: func(p *pair) { p.service.Spec.Selector[indexLabel], p.job.Spec.CompletionMode = "0", nil },
	} {
		p := newWired(change)
		if got := Selects(&p.service, &p.job.Spec.Template, &p.job); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

// TestNetwork_Judge_shared leaves names under a Service alone that other Jobs may have,
// too: those of a JobSet.
func TestNetwork_Judge_shared(t *testing.T) {
	n := network
	n.Job, n.Selected = "set-workers-1", ""
	for text, want := range map[string]Misaddressed{"set-workers-0-0.hub": Fine, "set-workers-1-4.hub": BeyondLast} {
		if got, _, _ := n.Judge(Addresses(Text{Value: text, Variable: "MASTER_ADDR"})[0]); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestCountsAll(t *testing.T) {
	for args, want := range map[string]bool{"--nnodes=4": true, "--nnodes 4": true, "--nnodes=2": false, "--nnodes=1:4": false, "--nnodes": false, "": false, "train-0.hub train-3.hub": true, "train-2.hub": false} {
		p := newWired(func(p *pair) { p.job.Spec.Template.Spec.Containers[0].Args = []string{args} })
		if got := CountsAll(&p.job.Spec.Template, &p.job, network); got != want {
			t.Errorf("%q: %v", args, got)
		}
	}
	p := newWired(func(p *pair) {
		p.job.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "NNODES", Value: "4"}}
	})
	if !CountsAll(&p.job.Spec.Template, &p.job, network) {
		t.Error("NNODES=4 does not count all")
	}
}

var network = Network{
	Job: "train", Service: "hub", Namespace: "ml", Peers: 4, Selected: "train",
	IsOther: func(name string) bool { return name == "kafka" }, IsService: func(name string) bool { return name == "train-9" },
}

func TestNetwork_Judge(t *testing.T) {
	for _, test := range []struct {
		text Text
		want []string // what is wrong, and what to write
	}{
		{Text{Value: "train-0.hub"}, nil},
		{Text{Value: "train-0.hub:80,train-3.hub:80"}, nil},
		{Text{Value: "train-$(I).hub train-${I}.hub train-$I.hub train-{0..3}.hub"}, nil},
		{Text{Value: "train-{0..9}.hub"}, []string{"beyond "}},
		{Text{Value: "tcp://train-0.hub.ml.svc.cluster.local:80/x"}, nil},
		{Text{Value: "train-4.hub"}, []string{"beyond "}},
		{Text{Value: "train-99999999999999999999.hub"}, nil},
		{Text{Value: "train-0.hub.other", Variable: "LEADER"}, []string{"elsewhere train-0.hub"}},
		{Text{Value: "train-0.hub.pt train-9.hub.log"}, nil},
		{Text{Value: "train-0.hbu"}, []string{"elsewhere train-0.hub"}},
		{Text{Value: "train-0.log"}, nil},
		{Text{Value: "train-0.log:80"}, []string{"elsewhere train-0.hub"}},
		{Text{Value: "http://train-0.log/"}, []string{"elsewhere train-0.hub"}},
		{Text{Value: "s3://train-0.log/"}, nil},
		{Text{Value: "train-0.other.svc"}, []string{"elsewhere train-0.hub"}},
		{Text{Value: "trainer-0.hub"}, []string{"elsewhere train-0.hub"}},
		{Text{Value: "kafka-0.hub kafka-0.kafka:9092"}, nil},
		{Text{Value: "/data/train-9.hub"}, nil},
		{Text{Value: "x-train-9.hub train-9.hub-2"}, []string{"elsewhere train-9.hub", "elsewhere train-9.hub"}},
		{Text{Value: "train-9.hub_2 train-9.hubX"}, nil},
		{Text{Value: "https://x/train-9.hub"}, nil},
		{Text{Value: "train-0"}, nil},
		{Text{Value: "train-0", Variable: "MASTER_ADDR"}, []string{"elsewhere train-0.hub"}},
		{Text{Value: "train-0,train-1:80", Variable: "PEERS"}, []string{"elsewhere train-1.hub"}},
		{Text{Value: "train-0,train-1", Variable: "TPU_WORKER_HOSTNAMES"}, []string{"elsewhere train-0.hub", "elsewhere train-1.hub"}},
		{Text{Value: "train-0", Previous: "--peer"}, nil}, // the name of a member
		{Text{Value: "${RUN}train-0.hub2:80 %strain-0.hub2:80"}, nil},
		{Text{Value: "train-0", Variable: "RUN_NAME"}, nil},
		{Text{Value: "train-9", Variable: "MASTER_ADDR"}, nil}, // a Service
		{Text{Value: "train-0", Previous: "--master_addr"}, []string{"elsewhere train-0.hub"}},
		{Text{Value: "train-0", Previous: "--run-name"}, nil},
		{Text{Value: "--rdzv-endpoint=train-0:29400"}, []string{"elsewhere train-0.hub"}},
		{Text{Value: "export MASTER_ADDR=train-0", Script: true}, []string{"elsewhere train-0.hub"}},
		{Text{Value: "echo the leader train-0 is up", Script: true}, nil},
		{Text{Value: "x # train-9.hub", Script: true}, nil},
		{Text{Value: "ping -c 1 train-${i}.headless > /dev/null", Script: true}, []string{"elsewhere train-${i}.hub"}},
		{Text{Value: "until getent hosts train-0.headless.other; do", Script: true}, []string{"elsewhere train-0.hub"}},
		{Text{Value: "echo train-${i}.headless", Script: true}, nil},
		{Text{Value: "train-$I.hub-svc"}, []string{"elsewhere train-$I.hub"}},
	} {
		var got []string
		for _, a := range Addresses(test.text) {
			switch wrong, message, right := network.Judge(a); wrong {
			case Fine:
			case BeyondLast:
				got = append(got, "beyond "+right)
			default:
				got = append(got, "elsewhere "+right)
				if !strings.Contains(message, a.Text) {
					t.Errorf("%+v: %s", test.text, message)
				}
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestNetwork_Judge_earlier(t *testing.T) {
	n := network
	n.Job, n.Service, n.Selected = "dev-train", "dev-hub", "dev-train"
	for text, want := range map[string]Misaddressed{"train-0.hub": Earlier, "other-0.hub": Fine, "train-0.other": Fine, "dev-train-0.hub": Elsewhere, "train-0.dev-hub": Elsewhere} {
		if got, _, _ := n.Judge(Addresses(Text{Value: text, Variable: "LEADER"})[0]); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// script returns a Job of four whose one container runs a script, after an init container
// that runs another one.
func scripts(init, main string) *pair {
	return newWired(func(p *pair) {
		pod := &p.job.Spec.Template.Spec
		pod.Containers[0].Command = []string{"sh", "-c", main}
		if init != "" {
			pod.InitContainers = []corev1.Container{{Name: "i", Command: []string{"sh", "-c", init}}}
		}
	})
}

func TestRaceAtEnd(t *testing.T) {
	const ping = "until ping -c 1 train-$i.hub; do sleep 1; done"
	for script, want := range map[string]bool{
		"for i in 0 1 2 3; do\n" + ping + "\ndone":                                          true,
		"for i in 0 1 2 3; do\n" + ping + "\ndone\necho done\nexit 0":                       true,
		"for i in 0 1; do while ! nslookup train-$i.hub >/dev/null; do sleep 1; done; done": true,
		"until getent hosts train-0.hub; do sleep 1; done":                                  true,
		"while true\ndo\n  if nc -z train-0.hub 80; then break; fi\ndone":                   true,
		"for i in 0 1 2 3; do\n" + ping + "\ndone\nexec train":                              false,
		"for i in 0 1 2 3; do\n" + ping + "\ndone\nsleep 60":                                false,
		"until ping redis; do sleep 1; done":                                                false,
		"ping -c 1 train-0.hub":                                                             false,
		"for i in 0 1 2 3; do ping -c 1 train-$i.hub; done":                                 false,
		"# until ping train-0.hub\ntrue":                                                    false,
		"until [ -f /done ]; do echo train-0.hub; sleep 1; done":                            false,
	} {
		p := scripts("", script)
		got := RaceAtEnd(&p.job.Spec.Template, &p.job, network, templatePath)
		if (len(got) == 1) != want {
			t.Errorf("%q: %v", script, got)
		}
	}
	p := scripts("", ping)
	p.job.Spec.Completions = new(int32(1))
	if got := RaceAtEnd(&p.job.Spec.Template, &p.job, network, templatePath); len(got) > 0 {
		t.Errorf("of one peer: %v", got)
	}
}

func TestNotReady(t *testing.T) {
	for init, want := range map[string]string{
		"": "warning",
		"until nslookup train-0.hub; do sleep 1; done":                                  "error",
		"until getent hosts train-0.hub.ml.svc.cluster.local; do sleep 1; done":         "warning",
		"[ $JOB_COMPLETION_INDEX = 0 ] || until nslookup train-0.hub; do sleep 1; done": "warning",
		"until nslookup kafka-0.kafka; do sleep 1; done":                                "warning",
	} {
		p := scripts(init, "train")
		errs, warnings := NotReady(&p.service, &p.job.Spec.Template, network, field.NewPath("spec"))
		got := strings.Repeat("error", len(errs)) + strings.Repeat("warning", len(warnings))
		if got != want {
			t.Errorf("%q: %s, want %s", init, got, want)
		}
	}
	p := scripts("until nslookup train-0.hub; do sleep 1; done", "train")
	p.job.Spec.Template.Spec.InitContainers[0].RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
	if errs, _ := NotReady(&p.service, &p.job.Spec.Template, network, field.NewPath("spec")); len(errs) > 0 {
		t.Errorf("a sidecar: %v", errs)
	}
	p.service.Spec.PublishNotReadyAddresses = true
	if errs, warnings := NotReady(&p.service, &p.job.Spec.Template, network, field.NewPath("spec")); len(errs)+len(warnings) > 0 {
		t.Errorf("published: %v %v", errs, warnings)
	}
}

func TestServiceLinks(t *testing.T) {
	for name, test := range map[string]struct {
		change func(p *pair)
		want   int
	}{
		"a Service that takes the place": {nil, 1},
		"without service links":          {func(p *pair) { p.job.Spec.Template.Spec.EnableServiceLinks = new(false) }, 0},
		"a headless one":                 {func(p *pair) { p.service.Spec.ClusterIP = corev1.ClusterIPNone }, 0},
		"one without ports":              {func(p *pair) { p.service.Spec.Ports = nil }, 0},
		"another name":                   {func(p *pair) { p.service.Name = "web" }, 0},
		"a variable of the container's own": {func(p *pair) {
			p.job.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "MASTER_PORT", Value: "1"}}
		}, 0},
		"a program that does not read it": {func(p *pair) { p.job.Spec.Template.Spec.Containers[0].Command = []string{"train"} }, 0},
	} {
		p := scripts("", "torchrun --master-port=${MASTER_PORT:-29500} t.py")
		p.service.Name, p.service.Spec.ClusterIP, p.service.Spec.Ports = "master", "", []corev1.ServicePort{{Port: 80}}
		p.job.Spec.Template.Spec.EnableServiceLinks = nil
		if test.change != nil {
			test.change(p)
		}
		if got := ServiceLinks([]*corev1.Service{&p.service}, &p.job.Spec.Template, templatePath); len(got) != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
