// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lint"
	"github.com/peerjob/peerjob/internal/manifest"
)

func read(t *testing.T, path ...string) lint.File {
	t.Helper()
	name := filepath.Join(append([]string{"..", "..", "testdata"}, path...)...)
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return lint.File{Name: filepath.Base(name), Content: content}
}

func glob(t *testing.T, pattern string, least int) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(pattern)))
	if err != nil || len(names) < least {
		t.Fatalf("%s: %d files, want at least %d: %v", pattern, len(names), least, err)
	}
	return names
}

// differing are the differences of a proposal that are no mere additions, as text.
func differing(p Proposal) []string {
	var all []string
	for _, d := range p.Differences {
		if !d.Adds {
			all = append(all, d.Object+" "+d.Field+": "+d.Was+" -> "+d.Is)
		}
	}
	return all
}

// The page of the documentation, in its five forms: what is adopted differs in the two
// defaults of peerjob, and with Exact in nothing.
func TestFiles_documentation(t *testing.T) {
	for _, name := range glob(t, "testdata/documentation/*.yaml", 5) {
		file := read(t, "documentation", filepath.Base(name))
		result := Files([]lint.File{file}, Options{})
		if len(result.Proposals) != 1 || len(result.Refused)+len(result.Findings) > 0 {
			t.Fatalf("%s: %+v", name, result)
		}
		want := []string{
			"Service headless-svc spec.publishNotReadyAddresses:  -> true",
			"Job example-job spec.template.spec.enableServiceLinks: true -> false",
		}
		if diff := cmp.Diff(want, differing(result.Proposals[0])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		exact := Files([]lint.File{file}, Options{Exact: true})
		if diff := cmp.Diff([]string(nil), differing(exact.Proposals[0])); diff != "" {
			t.Errorf("%s, exact (-want +got):\n%s", name, diff)
		}
	}
}

// mendedNames are host names of the field that lead nowhere.
var mendedNames = map[string][]string{
	"world-size-of-processes.yaml": {"Job moe-training spec.template.spec.containers[main].env[MASTER_ADDR].value: training-master-0.training -> moe-training-0.training"},
}

// What a PeerJob expands to is adopted to one that expands to the same: over the PeerJobs
// of the field and the examples.
func TestFiles_roundTrip(t *testing.T) {
	names := append(glob(t, "testdata/public/*.yaml", 70), glob(t, "examples/frameworks/*/peerjob.yaml", 10)...)
	tried, presets := 0, map[string]bool{}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		objects, _ := krmlist.ReadFile(name, content)
		for _, o := range objects {
			if o.Kind != v1alpha1.Kind {
				continue
			}
			x := expand(o.Node(), Options{ClusterDomain: v1alpha1.DefaultClusterDomain})
			if len(x.errs) > 0 {
				continue
			}
			tried++
			var pairText bytes.Buffer
			delete(x.service.Annotations, v1alpha1.OwnerAnnotation)
			delete(x.job.Annotations, v1alpha1.OwnerAnnotation)
			for _, object := range []any{x.service, x.job} {
				node, err := manifest.Encode(object)
				if err != nil {
					t.Fatal(err)
				}
				document, err := manifest.Bytes(node)
				if err != nil {
					t.Fatal(err)
				}
				pairText.WriteString("---\n")
				pairText.Write(document)
			}
			result := Files([]lint.File{{Name: name, Content: pairText.Bytes()}}, Options{})
			if len(result.Proposals) != 1 {
				t.Errorf("%s: %d proposals: %+v", name, len(result.Proposals), result.Refused)
				continue
			}
			p := result.Proposals[0]
			if len(p.Errors) > 0 {
				t.Errorf("%s: %v", name, p.Errors)
			}
			if mended := mendedNames[filepath.Base(name)]; mended != nil {
				if diff := cmp.Diff(mended, differing(p)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
				continue
			}
			if diff := cmp.Diff([]string(nil), differing(p)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			// What was written can be read again.
			written, err := p.Text()
			if err != nil {
				t.Fatal(err)
			}
			again, errs := krmlist.ReadFile("again.yaml", written)
			if len(again) != 1 || len(errs) > 0 {
				t.Fatalf("%s: %v\n%s", name, errs, written)
			}
			y := expand(again[0].Node(), Options{ClusterDomain: v1alpha1.DefaultClusterDomain})
			delete(y.service.Annotations, v1alpha1.OwnerAnnotation)
			delete(y.job.Annotations, v1alpha1.OwnerAnnotation)
			if own := x.group.PeerJob.Spec.Framework; own != nil && own.Leader == nil && own.Elastic == nil && own.Type != "DeepSpeed" {
				presets[own.Type] = true
				if got := text(get(p.Object.Node(), "spec", "framework", "type")); got != own.Type {
					t.Errorf("%s: the framework %s was taken for %q\n%s", name, own.Type, got, written)
				}
			}
			if len(p.Same) > 0 {
				continue // a preset says it in other words
			}
			template := &x.job.Spec.Template
			if diff := cmp.Diff(withDefaults(x.service, template), withDefaults(y.service, template)) + cmp.Diff(cleanJob(x.job), cleanJob(y.job)); diff != "" {
				t.Errorf("%s (-expanded +adopted and expanded):\n%s\n%s", name, diff, written)
			}
		}
	}
	// DeepSpeed brings a hostfile, and others a leader: that is more than variables.
	if len(presets) < 6 {
		t.Errorf("the presets of %v were tried, want at least 6", presets)
	}
	if tried < 60 {
		t.Errorf("%d PeerJobs were tried, want at least 60", tried)
	}
}

// Everything that people wrote by hand is adopted, or refused with a reason; and what is
// adopted differs only in what was wrong, or in a default of peerjob.
func TestFiles_field(t *testing.T) {
	var got []string
	for _, folder := range []string{"working", "apart", "fix"} {
		for _, name := range glob(t, "testdata/lint/"+folder+"/*.*", 9) {
			if filepath.Ext(name) == ".md" {
				continue
			}
			result := Files([]lint.File{read(t, "lint", folder, filepath.Base(name))}, Options{})
			line := folder + "/" + filepath.Base(name)
			for _, p := range result.Proposals {
				got = append(got, line+": "+p.Source)
				for _, text := range p.Same {
					got = append(got, "  the same: "+text)
				}
				for _, text := range p.Notes {
					got = append(got, "  not said: "+text)
				}
				for _, err := range p.Errors {
					got = append(got, "  error: "+err.Error())
				}
				for _, difference := range differing(p) {
					if !strings.Contains(difference, "publishNotReadyAddresses") && !strings.Contains(difference, "enableServiceLinks") {
						got = append(got, "  differs: "+difference)
					}
				}
			}
			for _, refused := range result.Refused {
				got = append(got, line+": "+refused.Object+" is refused: "+refused.Reason)
			}
		}
	}
	golden(t, "field.txt", strings.Join(got, "\n")+"\n")
}

// golden compares a text with a file. UPDATE=1 writes the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func proposals(t *testing.T, name string, options Options) []Proposal {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	result := Files([]lint.File{{Name: name, Content: content}}, options)
	if len(result.Refused)+len(result.Findings) > 0 {
		t.Errorf("%s: %+v %+v", name, result.Refused, result.Findings)
	}
	for _, p := range result.Proposals {
		if len(p.Errors) > 0 {
			t.Errorf("%s: %s: %v", name, p.Source, p.Errors)
		}
	}
	return result.Proposals
}

// written is what is printed, with the report behind it.
func written(t *testing.T, all []Proposal) string {
	t.Helper()
	text, err := Encode(all)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.NewBuffer(text)
	out.WriteString("# ---\n")
	var report bytes.Buffer
	for i := range all {
		all[i].WriteReport(&report)
	}
	for line := range strings.Lines(report.String()) {
		out.WriteString("# " + line)
	}
	return out.String()
}

// What the API server adds to a live object is taken out, and nothing else.
func TestFiles_live(t *testing.T) {
	golden(t, "live.peerjob.yaml", written(t, proposals(t, "live.yaml", Options{})))
}

func TestFiles_foreign(t *testing.T) {
	golden(t, "foreign.peerjob.yaml", written(t, proposals(t, "foreign.yaml", Options{RunnerImage: "example.com/runner:v1"})))
}

// The kinds of Pods of a job of Kubeflow become roles, unless all run one template.
func TestFiles_kubeflow(t *testing.T) {
	golden(t, "kubeflow.peerjob.yaml", written(t, proposals(t, "kubeflow.yaml", Options{RunnerImage: "example.com/runner:v1"})))
}

// TestFiles_kubeflowRefused has jobs of Kubeflow for which there is no PeerJob.
func TestFiles_kubeflowRefused(t *testing.T) {
	const template = "{template: {spec: {containers: [{name: a, image: x, command: [c]}]}}}"
	for job, want := range map[string]string{
		"kind: MPIJob, metadata: {name: s}, spec: {mpiReplicaSpecs: {Launcher: " + template + "}}":                                                                  "it needs a Launcher and a Worker with Pods under spec.mpiReplicaSpecs",
		"kind: MPIJob, metadata: {name: s}, spec: {mpiReplicaSpecs: {Launcher: " + template + ", Worker: {}}}":                                                      "its Worker has no template",
		"kind: MPIJob, metadata: {name: s}, spec: {mpiImplementation: JAX, mpiReplicaSpecs: {Launcher: " + template + ", Worker: " + template + "}}":                "its mpiImplementation is JAX, and spec.framework knows OpenMPI, IntelMPI and MPICH",
		"kind: MPIJob, metadata: {name: s}, spec: {mpiReplicaSpecs: {Launcher: {template: {spec: {containers: [{name: a, image: x}]}}}, Worker: " + template + "}}": "its Launcher has no command, and peerjob does not know that of the image; write it",
		"kind: PyTorchJob, metadata: {name: s}, spec: {pytorchReplicaSpecs: {Master: " + template + ", Workr: " + template + "}}":                                   `unknown replica type "Workr"; did you mean "Worker"?`,
		"kind: MPIJob, metadata: {name: s}, spec: {mpiReplicaSpecs: {launcher: " + template + ", Worker: " + template + "}}":                                        `unknown replica type "launcher"; did you mean "Launcher"?`,
		"kind: TFJob, metadata: {name: s}, spec: {tfReplicaSpecs: {Driver: " + template + "}}":                                                                      `unknown replica type "Driver"; write Chief, Master, Worker, PS or Evaluator`,
		"kind: MPIJob, metadata: {name: s}, spec: {mpiReplicaSpecs: {Launcher: " + template + ", Worker: {replicas: 0, template: {}}}}":                             "it needs a Launcher and a Worker with Pods under spec.mpiReplicaSpecs",
		"kind: PyTorchJob, metadata: {name: s}, spec: {pytorchReplicaSpecs: {Master: {replicas: 0, template: {}}}}":                                                 "it has neither a Master nor a Worker with Pods under spec.pytorchReplicaSpecs",
		"kind: PyTorchJob, metadata: {name: s}, spec: {pytorchReplicaSpecs: {}}":                                                                                    "it has neither a Master nor a Worker with Pods under spec.pytorchReplicaSpecs",
		"kind: PyTorchJob, metadata: {name: s}, spec: {pytorchReplicaSpecs: {Master: " + template + ", Worker: {replicas: 2}}}":                                     "its Worker has no template",
		"kind: TFJob, metadata: {name: s}, spec: {}":                                                                    "it has no Chief, Worker, PS or Evaluator with Pods under spec.tfReplicaSpecs",
		"kind: TFJob, metadata: {name: s}, spec: {tfReplicaSpecs: {PS: {}}}":                                            "its PS has no template",
		"kind: TFJob, metadata: {name: s}, spec: {tfReplicaSpecs: {Chief: " + template + ", Master: " + template + "}}": "it has a Chief and a Master, and a cluster of TensorFlow has one chief; leave one of them out",
	} {
		result := Files([]lint.File{{Name: "s.yaml", Content: []byte("{apiVersion: kubeflow.org/v1, " + job + "}\n")}}, Options{})
		if len(result.Refused) != 1 || len(result.Proposals) > 0 || result.Refused[0].Reason != want {
			t.Errorf("%s: %+v, want %s", job, result.Refused, want)
		}
	}
}

// TestFiles_kubeflowReport has what is said of a job of Kubeflow, line by line: a field that has
// become another one differs, and only what is lost is not said.
func TestFiles_kubeflowReport(t *testing.T) {
	const template = "template: {spec: {containers: [{name: a, image: x, command: [c]}]}}"
	const other = "template: {spec: {containers: [{name: a, image: x, command: [d]}]}}"
	const several = "template: {spec: {containers: [{name: tensorflow, image: x, command: [c]}, {name: b, image: x}]}}"
	port := func(name, number string) string {
		return "template: {spec: {containers: [{name: a, image: x, command: [c" + number + "], ports: [{name: " + name + ", containerPort: " + number + "}]}]}}"
	}
	const pytorch, mpi, tf = "kind: PyTorchJob, metadata: {name: s}, spec: ", "kind: MPIJob, metadata: {name: s}, spec: ", "kind: TFJob, metadata: {name: s}, spec: "
	launcher := func(args string) string {
		return mpi + "{mpiReplicaSpecs: {Launcher: {template: {spec: {containers: [{name: a, image: x, args: [" + args + "]}]}}}, Worker: {" + template + "}}}"
	}
	for name, test := range map[string]struct {
		job string
		// want are lines, or parts of the PeerJob, and not are those that must not be there.
		want, not []string
	}{
		"cleanPodPolicy without a TTL": {mpi + "{runPolicy: {cleanPodPolicy: All}, mpiReplicaSpecs: {Launcher: {" + template + "}, Worker: {" + template + "}}}",
			[]string{"  not said: runPolicy.cleanPodPolicy is All; the Pods of a Job stay until the Job is deleted: set spec.ttlSecondsAfterFinished\n"}, nil},
		"cleanPodPolicy with a TTL": {mpi + "{runPolicy: {cleanPodPolicy: All, ttlSecondsAfterFinished: 60}, mpiReplicaSpecs: {Launcher: {" + template + "}, Worker: {" + template + "}}}",
			[]string{"  not said: runPolicy.cleanPodPolicy is All; the Pods of a Job stay until the Job is deleted: spec.ttlSecondsAfterFinished does that\n"}, nil},
		"args that begin with mpirun": {launcher("mpirun, -n, '2', x"),
			[]string{"command:\n          - mpirun\n          args:\n          - -n\n          - \"2\"\n          - x\n", "  differs: the Launcher had args and no command: mpirun is the command, and the entrypoint of its image does not run\n"}, []string{"put in front"}},
		"args with a path of mpiexec":  {launcher("/opt/bin/mpiexec.hydra, x"), []string{"command:\n          - /opt/bin/mpiexec.hydra\n          args:\n          - x\n"}, []string{"- mpirun"}},
		"args that begin with orterun": {launcher("orterun, x"), []string{"command:\n          - orterun\n"}, []string{"- mpirun"}},
		"args that are mpiexec alone":  {launcher("mpiexec"), []string{"command:\n          - mpiexec\n"}, []string{"args:\n"}},
		"args of a program":            {launcher("x"), []string{"command:\n          - mpirun\n          args:\n          - x\n", "  not said: the Launcher has args and no command: "}, nil},
		"retries and roles": {pytorch + "{runPolicy: {backoffLimit: 3}, pytorchReplicaSpecs: {Master: {" + template + "}, Worker: {restartPolicy: OnFailure, " + other + "}}}",
			[]string{"  differs: runPolicy.backoffLimit: 3 retries of Pods became 3 restarts of all commands in their Pods (failurePolicy.maxRestarts)\n",
				"  differs: its Master and its Worker run different Pod templates (spec.containers[a].command[0]), so they are roles",
				"  differs: restartPolicy of worker was OnFailure: the operator started the container again; with RestartPeerJob, any failure starts all commands again\n"},
			[]string{"not said: runPolicy", "not said: its Master", "not said: restartPolicy"}},
		"no limit": {pytorch + "{pytorchReplicaSpecs: {Master: {restartPolicy: OnFailure, " + template + "}, Worker: {restartPolicy: ExitCode, " + other + "}}}",
			[]string{"  differs: restartPolicy of master was OnFailure: the operator started the container again; with FailPeerJob, the first failure fails all; to try again, write spec.failurePolicy: {action: RestartPeerJob, maxRestarts: 3}\n",
				"  differs: restartPolicy of worker was ExitCode: the operator replaced a Pod that exited with a code above 127; with FailPeerJob, "}, nil},
		"no retries": {pytorch + "{runPolicy: {backoffLimit: 0}, pytorchReplicaSpecs: {Master: {" + template + "}, Worker: {restartPolicy: OnFailure, " + other + "}}}",
			[]string{"  the same: restartPolicy of worker was OnFailure, with runPolicy.backoffLimit 0: the first failure fails all\n"}, []string{"to try again"}},
		"no limit of an MPIJob": {mpi + "{mpiReplicaSpecs: {Launcher: {restartPolicy: OnFailure, " + template + "}, Worker: {" + template + "}}}",
			[]string{"restartPolicy of launcher was OnFailure: ", "  differs: runPolicy.backoffLimit was not set, and the operator tried the Launcher again 6 times; with FailPeerJob, "}, []string{"maxRestarts: 3"}},
		"several containers": {tf + "{tfReplicaSpecs: {Chief: {" + several + "}, Worker: {restartPolicy: OnFailure, " + several + "}}}",
			[]string{"  not said: spec.failurePolicy takes Pods with one container, so a failure stays in its role",
				"  differs: restartPolicy of worker was OnFailure, is Never: the Job replaces the Pod, at most 6 times\n"}, []string{"a failure is one of the group", "  failurePolicy:"}},
		"several containers with a limit": {tf + "{runPolicy: {backoffLimit: 1}, tfReplicaSpecs: {Chief: {" + several + "}, Worker: {restartPolicy: OnFailure, " + several + "}}}",
			[]string{"is Never: the Job replaces the Pod, at most 1 time\n", "    backoffLimit: 1\n"}, nil},
		"Always in one group": {tf + "{tfReplicaSpecs: {Worker: {restartPolicy: Always, " + template + "}}}",
			[]string{"  differs: restartPolicy was Always, is OnFailure: "}, []string{"not said: restartPolicy"}},
		"host names of a Master and Workers": {pytorch + "{pytorchReplicaSpecs: {Master: {" + template + "}, Worker: {replicas: 2, " + template + "}}}",
			[]string{"  differs: the host names were s-master-0 and s-worker-N, are s-0 to s-2; peers reach them as s-N.s, and the Pods are named s-N-<random>\n"}, nil},
		"host names of Workers alone": {pytorch + "{pytorchReplicaSpecs: {Worker: {replicas: 2, " + template + "}}}",
			[]string{"  differs: the host names were s-worker-N, are s-0 to s-1; "}, []string{"s-master"}},
		"host names of one peer": {pytorch + "{pytorchReplicaSpecs: {Master: {" + template + "}}}",
			[]string{"  differs: the host names were s-master-0, are s-0; peers reach them as s-0.s, and the Pods are named s-0-<random>\n"}, nil},
		"host names of roles": {pytorch + "{pytorchReplicaSpecs: {Master: {" + template + "}, Worker: {replicas: 2, " + other + "}}}",
			[]string{"  differs: the host names stay s-master-0 and s-worker-N; peers reach them as s-master-0.s and s-worker-N.s, and the Pods are named s-master-0-<random> and s-worker-N-<random>\n"}, nil},
		"host names of a TFJob with a Master": {tf + "{tfReplicaSpecs: {Master: {" + template + "}, PS: {replicas: 2, " + template + "}}}",
			[]string{"  differs: the host names were s-master-0 and s-ps-N, are s-chief-0 and s-ps-N; "}, nil},
		"host names of an MPIJob": {mpi + "{mpiReplicaSpecs: {Launcher: {" + template + "}, Worker: {replicas: 2, " + template + "}}}",
			[]string{"  differs: the host names were s-launcher-<random> and s-worker-N, are s-launcher-0 and s-worker-N; "}, nil},
		"no Workers of a TFJob": {tf + "{tfReplicaSpecs: {Chief: {" + template + "}, PS: {replicas: 2, " + template + "}, Worker: {replicas: 0, " + template + "}}}",
			[]string{"  not said: its Worker has 0 replicas, so there are no such Pods, and it is left out; a role has at least 1 peer\n", "  - name: chief\n", "  - name: ps\n", "s-chief-0 and s-ps-N"}, []string{"name: worker"}},
		"no Workers of a PyTorchJob": {pytorch + "{pytorchReplicaSpecs: {Master: {" + template + "}, Worker: {replicas: 0, " + other + "}}}",
			[]string{"  not said: its Worker has 0 replicas, ", "  peers: 1\n"}, []string{"roles:"}},
		"a kind without Pods and without a template": {pytorch + "{pytorchReplicaSpecs: {Master: {replicas: 0}, Worker: {replicas: 2, " + template + "}}}",
			[]string{"  not said: its Master has 0 replicas, ", "  peers: 2\n"}, []string{"s-master"}},
		"the port of a TFJob": {tf + "{tfReplicaSpecs: {Worker: {" + port("tfjob-port", "2222") + "}}}",
			[]string{"  the same: port 2222 (tfjob-port): spec.framework opens it\n"}, []string{"ports:"}},
		"the port of a PyTorchJob": {pytorch + "{pytorchReplicaSpecs: {Master: {" + port("pytorchjob-port", "7000") + "}}}",
			[]string{"  the same: port 7000 (pytorchjob-port): spec.framework opens it\n", "    port: 7000\n"}, []string{"ports:"}},
		"two ports of a PyTorchJob": {pytorch + "{pytorchReplicaSpecs: {Master: {" + port("pytorchjob-port", "7000") + "}, Worker: {" + port("pytorchjob-port", "7001") + "}}}",
			[]string{"    port: 7000\n", "  differs: port of container a was 7001 (pytorchjob-port), is 7000: spec.framework has one port\n"}, []string{"ports:"}},
	} {
		t.Run(name, func(t *testing.T) {
			result := Files([]lint.File{{Name: "s.yaml", Content: []byte("{apiVersion: kubeflow.org/v1, " + test.job + "}\n")}}, Options{RunnerImage: "r"})
			if len(result.Proposals) != 1 {
				t.Fatalf("%+v", result)
			}
			if errs := result.Proposals[0].Errors; len(errs) > 0 {
				t.Errorf("%v", errs)
			}
			got := strings.ReplaceAll(written(t, result.Proposals), "# ", "")
			for _, line := range test.want {
				if !strings.Contains(got, line) {
					t.Errorf("%q is not in\n%s", line, got)
				}
			}
			for _, line := range test.not {
				if strings.Contains(got, line) {
					t.Errorf("%q is in\n%s", line, got)
				}
			}
		})
	}
}

// The groups of Pods of a JobSet become roles, and what a PeerJob can't say is said.
func TestFiles_jobSet(t *testing.T) {
	golden(t, "jobset.peerjob.yaml", written(t, proposals(t, "jobset.yaml", Options{RunnerImage: "example.com/runner:v1"})))
	exact := written(t, proposals(t, "jobset.yaml", Options{RunnerImage: "example.com/runner:v1", Exact: true}))
	for _, want := range []string{"name: launcher-0\n", "{name: worker-0, status: Started}", "successRoles: [launcher-0]", "--launcher=train-launcher-0-0.hub:7000"} {
		if !strings.Contains(exact, want) {
			t.Errorf("with Exact, there is no %q in\n%s", want, exact)
		}
	}
}

// TestFiles_jobSetRefused has JobSets for which there is no PeerJob.
func TestFiles_jobSetRefused(t *testing.T) {
	for jobs, want := range map[string]string{
		"": "it has no replicatedJobs",
		"{name: a, replicas: 2, template: {spec: {template: {}}}}, {name: b, template: {spec: {template: {}}}}": "its replicatedJob a has 2 replicas, and a role of a PeerJob is one Job; write a replicatedJob for each, or one with all Pods as peers",
		"{name: a, replicas: 0, template: {spec: {template: {}}}}, {name: b, template: {spec: {template: {}}}}": "its replicatedJob a has 0 replicas, so there are no such Pods; leave it out",
		"{name: a, template: {spec: {template: {}}}}, {name: b, template: {spec: {}}}":                          "its replicatedJob b has no template",
		strings.Repeat("{name: a, template: {spec: {template: {}}}}, ", 17):                                     "it has 17 replicatedJobs, and a PeerJob has no more than 16 roles",
	} {
		result := Files([]lint.File{{Name: "s.yaml", Content: []byte("{apiVersion: jobset.x-k8s.io/v1alpha2, kind: JobSet, metadata: {name: s}, spec: {replicatedJobs: [" + jobs + "]}}\n")}}, Options{})
		if len(result.Refused) != 1 || len(result.Proposals) > 0 || result.Refused[0].Reason != want {
			t.Errorf("%s: %+v, want %s", jobs, result.Refused, want)
		}
	}
}

func TestWithoutNumber(t *testing.T) {
	for text, want := range map[string]string{
		"train-a-0-1.hub":                    "train-a-1.hub",
		"x train-a-0-$i.hub,train-a-0-2.hub": "x train-a-$i.hub,train-a-2.hub",
		"train-a-0-{0..3}.hub":               "train-a-{0..3}.hub",
		"my-train-a-0-1.hub":                 "my-train-a-0-1.hub",
		"train-a-0-x":                        "train-a-0-x",
		"train-a-0-":                         "train-a-0-",
		"train-a-0.hub":                      "train-a-0.hub",
		"":                                   "",
	} {
		if got := withoutNumber(text, "train-a-0-", "train-a-"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// pair is a Service and a Job with a container.
func pair(container string) []lint.File {
	return []lint.File{{Name: "pair.yaml", Content: []byte(`apiVersion: v1
kind: Service
metadata: {name: hub}
spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {job-name: train}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: train}
spec:
  completions: 4
  parallelism: 4
  completionMode: Indexed
  template:
    spec:
      subdomain: hub
      enableServiceLinks: false
      restartPolicy: Never
      containers:
      - {name: w, image: "example.com/w:1.0", ` + container + `}
`)}}
}

// A preset is written only if it sets what the container had.
func TestFiles_preset(t *testing.T) {
	const rank = `{name: RANK, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['batch.kubernetes.io/job-completion-index']"}}}`
	for name, test := range map[string]struct{ container, want string }{
		"PyTorch": {`command: [python, t.py], env: [` + rank + `, {name: MASTER_ADDR, value: train-0.hub}, {name: MASTER_PORT, value: "29500"}, {name: WORLD_SIZE, value: "4"}]`,
			"{type: PyTorch}"},
		"another port": {`command: [python, t.py], env: [` + rank + `, {name: MASTER_ADDR, value: train-0.hub}, {name: MASTER_PORT, value: "1234"}, {name: WORLD_SIZE, value: "4"}]`,
			"{type: PyTorch, port: 1234}"},
		"another number":   {`command: [python, t.py], env: [` + rank + `, {name: MASTER_ADDR, value: train-0.hub}, {name: WORLD_SIZE, value: "8"}]`, ""},
		"another leader":   {`command: [python, t.py], env: [` + rank + `, {name: MASTER_ADDR, value: train-1.hub}, {name: WORLD_SIZE, value: "4"}]`, ""},
		"a full name":      {`command: [python, t.py], env: [` + rank + `, {name: MASTER_ADDR, value: train-0.hub.ml.svc.cluster.local}, {name: WORLD_SIZE, value: "4"}]`, ""},
		"no rank":          {`command: [python, t.py], env: [{name: MASTER_ADDR, value: train-0.hub}, {name: WORLD_SIZE, value: "4"}]`, ""},
		"an address alone": {`command: [python, t.py], env: [{name: MASTER_ADDR, value: train-0.hub}]`, ""},
		"JAX": {`command: [python, t.py], env: [{name: JAX_COORDINATOR_ADDRESS, value: "train-0.hub:1234"}, {name: JAX_NUM_PROCESSES, value: "4"}, {name: JOB_COMPLETION_INDEX, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['batch.kubernetes.io/job-completion-index']"}}}, {name: JAX_PROCESS_ID, value: $(JOB_COMPLETION_INDEX)}]`,
			"{type: JAX, port: 1234}"},
		"an index that is not set yet": {`command: [python, t.py], env: [{name: JAX_COORDINATOR_ADDRESS, value: "train-0.hub:1234"}, {name: JAX_NUM_PROCESSES, value: "4"}, {name: JAX_PROCESS_ID, value: $(JOB_COMPLETION_INDEX)}]`, ""},
		"torchrun": {`command: [torchrun, --nnodes=4, --nproc_per_node, gpu, --node-rank=$(JOB_COMPLETION_INDEX), --master_addr=train-0.hub, t.py, --lr=1]`,
			"{type: Torchrun, processesPerPeer: gpu}"},
		"torchrun as a module": {`command: [python3, -m, torch.distributed.run], args: [--nnodes=4, --node-rank=$(JOB_COMPLETION_INDEX), --master_addr=train-0.hub, --master_port=7000, -m, t]`,
			"{type: Torchrun, port: 7000}"},
		"torchrun that meets in another way": {`command: [torchrun, --nnodes=4, --rdzv_backend=c10d, "--rdzv_endpoint=train-0.hub:29500", t.py]`, ""},
		"torchrun in a script":               {`command: [sh, -c, "torchrun --nnodes=4 --node_rank=$JOB_COMPLETION_INDEX --master_addr=train-0.hub t.py"]`, ""},
		"torchrun of other peers":            {`command: [torchrun, --nnodes=2, --node-rank=$(JOB_COMPLETION_INDEX), --master_addr=train-0.hub, t.py]`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			result := Files(pair(test.container), Options{})
			if len(result.Proposals) != 1 || len(result.Proposals[0].Errors) > 0 {
				t.Fatalf("%+v", result)
			}
			got := ""
			if own := get(result.Proposals[0].Object.Node(), "spec", "framework"); own != nil {
				var parts []string
				for i := 0; i+1 < len(own.Content); i += 2 {
					parts = append(parts, own.Content[i].Value+": "+own.Content[i+1].Value)
				}
				got = "{" + strings.Join(parts, ", ") + "}"
			}
			if got != test.want {
				t.Errorf("spec.framework is %q, want %q", got, test.want)
			}
			if diff := cmp.Diff([]string(nil), differing(result.Proposals[0])); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// With Variables, host names become variables of the peers.
func TestFiles_variables(t *testing.T) {
	result := Files(pair(`command: [sh, -c, "ping train-0.hub train-$i.hub train-3.hub.ml.svc other-1.hub train-0.log"], env: [{name: A, value: "tcp://train-0.hub:80"}]`), Options{Variables: true})
	node := result.Proposals[0].Object.Node()
	got := []string{at(node, "spec.template.spec.containers[0].command[2]").Value, at(node, "spec.template.spec.containers[0].env[0].value").Value}
	want := []string{"ping $(PEERJOB_LEADER) $(PEERJOB_NAME)-$i.$(PEERJOB_SERVICE) $(PEERJOB_NAME)-3.$(PEERJOB_SERVICE).ml.svc other-1.hub train-0.log", "tcp://$(PEERJOB_LEADER):80"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever has taken the place of a part of an object, adopt does not panic.
func TestFiles_oddInput(t *testing.T) {
	var texts []string
	for _, file := range pair(`command: [torchrun, --nnodes=4, t.py], env: [{name: RANK, value: "1"}]`) {
		texts = append(texts, string(file.Content))
	}
	for _, name := range []string{"live.yaml", "foreign.yaml", "kubeflow.yaml", "jobset.yaml"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, strings.Split(string(content), "---\n")...)
	}
	for _, text := range texts {
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			key, _, found := strings.Cut(line, ":")
			if !found || len(lines) > 60 && i%4 > 0 { // a live object takes its time
				continue
			}
			rest := i + 1
			for rest < len(lines) && indent(lines[rest]) > indent(line) {
				rest++
			}
			for _, odd := range []string{" null", " []", " {}", " text", " [{}]"} {
				changed := strings.Join(append(append(append([]string{}, lines[:i]...), key+":"+odd), lines[rest:]...), "\n")
				Files([]lint.File{{Name: "odd.yaml", Content: []byte(changed)}}, Options{})
			}
		}
	}
}

// indent is the column of the first key of a line; a list stands below its key.
func indent(line string) int {
	column := len(line) - len(strings.TrimLeft(line, " "))
	if strings.HasPrefix(line[column:], "- ") {
		column++
	}
	return column
}
