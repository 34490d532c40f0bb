// SPDX-License-Identifier: Apache-2.0

package merge

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/results"
)

// typed are the Go types of the children that tests write as YAML.
var typed = map[string]func() kinds.Object{
	"Service":   func() kinds.Object { return &corev1.Service{} },
	"ConfigMap": func() kinds.Object { return &corev1.ConfigMap{} },
	"Job":       func() kinds.Object { return &batchv1.Job{} },
}

// childOf returns a child of a PeerJob from YAML.
func childOf(t *testing.T, source *krmlist.Object, text string) *krmlist.Object {
	t.Helper()
	var head struct{ Kind string }
	if err := yaml.Unmarshal([]byte(text), &head); err != nil {
		t.Fatal(err)
	}
	object := typed[head.Kind]()
	if err := yaml.UnmarshalStrict([]byte(text), object); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return krmlist.NewMade(object, source.Package)
}

// mergeOf merges children into a list. The list is a stream of YAML documents, and the
// children stand by the name of their PeerJob in it.
func mergeOf(t *testing.T, list string, children map[string][]string, prune bool) (merged, said string) {
	t.Helper()
	objects, errs := krmlist.ReadFile("", []byte(list))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	// These have a position of their own, like those of a ResourceList.
	for _, o := range objects {
		parsed := krmlist.NewParsed(o.Node())
		o.File, o.Index, o.Package = parsed.File, parsed.Index, parsed.Package
	}
	krmlist.Locate(objects)
	var expansions []*expansion.Expansion
	for _, o := range objects {
		if o.Kind != "PeerJob" {
			continue
		}
		e := &expansion.Expansion{Source: o, InList: true}
		for _, child := range children[o.Name] {
			e.Children = append(e.Children, childOf(t, o, child))
		}
		expansions = append(expansions, e)
	}
	var report results.Report
	out := Merge(objects, expansions, prune, &report)
	var text bytes.Buffer
	if err := krmlist.WriteYAML(&text, out); err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	report.Write(&lines)
	return text.String(), strings.ReplaceAll(lines.String(), "peerjob: ", "")
}

const (
	peerJob = "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata:\n  name: a\n"
	// marked is peerJob as Merge leaves it.
	marked  = peerJob + "  annotations:\n    config.kubernetes.io/local-config: \"true\"\n"
	other   = "kind: Other # as it was written\nmetadata: {name: o}\n"
	service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  annotations:\n    peerjob.dev/owner: a\nspec:\n  clusterIP: None\n"
	job     = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: a\n  annotations:\n    peerjob.dev/owner: a\nspec:\n  completions: 2\n  template:\n    spec:\n      containers:\n      - name: w\n        image: x\n"
)

// inPackage is an object of peerjob in a package of kpt.
func inPackage(object, path string) string {
	const owner = "    peerjob.dev/owner: a\n"
	return strings.Replace(object, owner, owner+"    internal.config.kubernetes.io/package-path: "+path+"\n", 1)
}

// stream is documents as they are written.
func stream(documents ...string) string { return strings.Join(documents, "---\n") }

func TestMerge(t *testing.T) {
	for name, test := range map[string]struct {
		list     string
		children map[string][]string
		prune    bool
		want     string
		said     string
	}{
		"new objects follow their PeerJob": {
			list: stream(peerJob, other), children: map[string][]string{"a": {service, job}},
			want: stream(marked, service, job, other),
		},
		"new objects follow the one before them": {
			list: stream(service, other, peerJob), children: map[string][]string{"a": {service, job}},
			want: stream(service, job, other, marked),
		},
		"nothing changed, however it is written": {
			list:     stream(marked, "# mine\napiVersion: \"v1\"\nkind: Service\nmetadata: {annotations: {peerjob.dev/owner: a}, name: a} # here\nspec: {clusterIP: None}\n"),
			children: map[string][]string{"a": {service}},
			want:     stream(marked, "# mine\napiVersion: \"v1\"\nkind: Service\nmetadata: {annotations: {peerjob.dev/owner: a}, name: a} # here\nspec: {clusterIP: None}\n"),
		},
		"a change keeps the comments and the place": {
			list:     stream(strings.Replace(service, "clusterIP: None\n", "# why\n  clusterIP: None # headless\n  type: ClusterIP\n", 1), other, marked),
			children: map[string][]string{"a": {service + "  selector:\n    job-name: a\n"}},
			want:     stream(strings.Replace(service, "clusterIP: None\n", "# why\n  clusterIP: None # headless\n", 1)+"  selector:\n    job-name: a\n", other, marked),
		},
		"a comment follows the element of its name": {
			list:     stream(marked, strings.Replace(job, "- name: w\n", "- name: w # the work\n", 1)),
			children: map[string][]string{"a": {strings.Replace(job, "      - name: w\n", "      - name: first\n        image: z\n      - name: w\n", 1)}},
			want:     stream(marked, strings.Replace(job, "      - name: w\n", "      - name: first\n        image: z\n      - name: w # the work\n", 1)),
			said: "warning: Job a: these can't be changed in a Job that exists: spec.template.spec.containers[0].name, spec.template.spec.containers[0].image, spec.template.spec.containers[1]; " +
				"delete the Job in the cluster before you apply this one, or set spec.nameSuffixHash of the PeerJob to Enabled, so that each change is a new Job\n",
		},
		"another key with the same value": {
			list: stream(marked, strings.Replace(service, "clusterIP", "type", 1)), children: map[string][]string{"a": {service}},
			want: stream(marked, service),
		},
		"text in the place of a map": {
			list: stream(marked, strings.Replace(service, "spec:\n  clusterIP: None\n", "spec: None\n", 1)), children: map[string][]string{"a": {service}},
			want: stream(marked, service),
		},
		"an object of the user's own stays": {
			list: stream(marked, "apiVersion: v1\nkind: Service\nmetadata: {name: mine}\n"), children: map[string][]string{"a": nil},
			want: stream(marked, "apiVersion: v1\nkind: Service\nmetadata: {name: mine}\n"),
		},
		"another kind with the mark is the user's own": {
			list: stream(marked, "kind: Other\nmetadata: {name: o, annotations: {peerjob.dev/owner: a}}\n"), children: map[string][]string{"a": nil},
			want: stream(marked, "kind: Other\nmetadata: {name: o, annotations: {peerjob.dev/owner: a}}\n"),
		},
		"stale": {
			list: stream(marked, service, job), children: map[string][]string{"a": {job}},
			want: stream(marked, job), said: "info: Service a: removed: PeerJob a no longer makes it\n",
		},
		"twice": {
			list: stream(marked, service, service), children: map[string][]string{"a": {service}},
			want: stream(marked, service), said: "info: Service a: removed: duplicate object; the first one stays\n",
		},
		"an orphan": {
			list: service, want: service,
			said: `warning: Service a: kept, but PeerJob a, which made it, is not in the list; delete it, or set prune: "true" in the function's ConfigMap` + "\n",
		},
		"an orphan, with prune": {
			list: stream(service, other), prune: true, want: other,
			said: "info: Service a: removed: PeerJob a, which made it, is gone, and prune is set\n",
		},
		"an orphan of another namespace": {
			list: stream(marked, strings.Replace(service, "  name: a\n", "  name: a\n  namespace: n\n", 1)), children: map[string][]string{"a": nil},
			want: stream(marked, strings.Replace(service, "  name: a\n", "  name: a\n  namespace: n\n", 1)),
			said: `warning: Service n/a: kept, but PeerJob a, which made it, is not in the list; delete it, or set prune: "true" in the function's ConfigMap` + "\n",
		},
		"an orphan of another package": {
			list: stream(marked, inPackage(service, "other")), children: map[string][]string{"a": nil},
			want: stream(marked, inPackage(service, "other")),
			said: `warning: Service a: kept, but PeerJob a, which made it, is not in its package; delete it, or set prune: "true" in the function's ConfigMap` + "\n",
		},
		"another PeerJob makes it now": {
			list:     stream(strings.Replace(service, "owner: a", "owner: b", 1), marked),
			children: map[string][]string{"a": {service}},
			want:     stream(service, marked),
			said:     "warning: Service a: overwritten: PeerJob b made it, and PeerJob a makes it now; if both are meant, give one another name\n",
		},
		"a PeerJob that kustomize renamed": {
			list:     stream("apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata:\n  name: dev-a\n  annotations:\n    config.kubernetes.io/local-config: \"true\"\n    internal.config.kubernetes.io/previousNames: a\n", service),
			children: map[string][]string{"dev-a": nil},
			want:     "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata:\n  name: dev-a\n  annotations:\n    config.kubernetes.io/local-config: \"true\"\n    internal.config.kubernetes.io/previousNames: a\n",
			said:     "info: Service a: removed: PeerJob dev-a no longer makes it\n",
		},
		"any mark of local configuration counts but false": {
			list: stream(peerJob+"  annotations:\n    config.kubernetes.io/local-config: \"yes\"\n", strings.Replace(peerJob, "name: a", "name: b", 1)+"  annotations:\n    config.kubernetes.io/local-config: \"false\" # here\n"),
			want: stream(peerJob+"  annotations:\n    config.kubernetes.io/local-config: \"yes\"\n", strings.Replace(peerJob, "name: a", "name: b", 1)+"  annotations:\n    config.kubernetes.io/local-config: \"true\" # here\n"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			merged, said := mergeOf(t, test.list, test.children, test.prune)
			if diff := cmp.Diff(test.want, merged); diff != "" {
				t.Errorf("list (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.said, said); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
			// Once more changes nothing, and removes nothing.
			again, said := mergeOf(t, merged, test.children, test.prune)
			if again != merged || strings.Contains(said, "removed") || strings.Contains(said, "overwritten") {
				t.Errorf("once more: %s\n%s", said, cmp.Diff(merged, again))
			}
		})
	}
}

// TestMerge_notInList merges a PeerJob that is the functionConfig and no item.
func TestMerge_notInList(t *testing.T) {
	objects, _ := krmlist.ReadFile("", []byte(other))
	source := &krmlist.Object{Kind: "PeerJob", Name: "a"}
	e := &expansion.Expansion{Source: source, Children: []*krmlist.Object{childOf(t, source, service), childOf(t, source, job)}}
	var report results.Report
	var text bytes.Buffer
	if err := krmlist.WriteYAML(&text, Merge(objects, []*expansion.Expansion{e}, false, &report)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(stream(other, service, job), text.String()); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

// TestMerge_plainFiles has objects of files that no orchestrator writes: what is new has no
// annotations of a position.
func TestMerge_plainFiles(t *testing.T) {
	objects, _ := krmlist.ReadFile("jobs/train.yaml", []byte(marked))
	e := &expansion.Expansion{Source: objects[0], InList: true, Children: []*krmlist.Object{childOf(t, objects[0], service)}}
	var text bytes.Buffer
	if err := krmlist.WriteYAML(&text, Merge(objects, []*expansion.Expansion{e}, false, &results.Report{})); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(stream(marked, service), text.String()); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

// inFile is an object in a file of a kpt package.
func inFile(object, file string, index int) string {
	return strings.Replace(object, "  name: a\n", fmt.Sprintf("  name: a\n  annotations:\n    config.kubernetes.io/local-config: \"true\"\n    internal.config.kubernetes.io/path: %s\n    internal.config.kubernetes.io/index: '%d'\n", file, index), 1)
}

// TestMerge_files has where new objects go on disk: beside their PeerJob, behind what is
// in the file already.
func TestMerge_files(t *testing.T) {
	const taken = "kind: Other\nmetadata:\n  name: o\n  annotations:\n    internal.config.kubernetes.io/path: jobs/a.peerjob.yaml\n    internal.config.kubernetes.io/index: '%d'\n"
	for name, test := range map[string]struct {
		list string
		want []string
	}{
		"a file of their own":              {inFile(peerJob, "jobs/train.yaml", 3), []string{"Service jobs/a.peerjob.yaml 0", "Job jobs/a.peerjob.yaml 1"}},
		"beside others in it":              {stream(inFile(peerJob, "jobs/train.yaml", 0), fmt.Sprintf(taken, 0)), []string{"Service jobs/a.peerjob.yaml 1", "Job jobs/a.peerjob.yaml 2"}},
		"in the gaps between them":         {stream(inFile(peerJob, "jobs/train.yaml", 0), fmt.Sprintf(taken, 1)), []string{"Service jobs/a.peerjob.yaml 0", "Job jobs/a.peerjob.yaml 2"}},
		"a PeerJob in no file has no file": {peerJob, []string{"Service  0", "Job  0"}},
		"in the folder of the package":     {inFile(peerJob, "train.yaml", 0), []string{"Service a.peerjob.yaml 0", "Job a.peerjob.yaml 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			merged, _ := mergeOf(t, test.list, map[string][]string{"a": {service, job}}, false)
			objects, _ := krmlist.ReadFile("", []byte(merged))
			var got []string
			for _, o := range objects {
				if o.Kind != "PeerJob" && o.Kind != "Other" {
					at := krmlist.NewParsed(o.Node())
					got = append(got, fmt.Sprintf("%s %s %d", at.Kind, at.File, at.Index))
					// kustomize and kpt want both forms.
					if at.Annotations[krmlist.PathAnnotation] != at.Annotations[krmlist.LegacyPathAnnotation] || at.Annotations[krmlist.IndexAnnotation] != at.Annotations[krmlist.LegacyIndexAnnotation] {
						t.Errorf("the annotations do not agree: %v", at.Annotations)
					}
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMerge_immutable has the warnings of changes that the server refuses in a Job that
// exists. See ValidateJobSpecUpdate of Kubernetes for the fields.
func TestMerge_immutable(t *testing.T) {
	const start = "warning: Job a: these can't be changed in a Job that exists: "
	suspended := strings.Replace(job, "  template:", "  suspend: true\n  template:", 1)
	for name, test := range map[string]struct {
		list string
		edit func(job string) string
		want string
	}{
		"nothing":         {job, func(j string) string { return j }, ""},
		"another size":    {job, func(j string) string { return strings.Replace(j, "completions: 2", "completions: 3", 1) }, ""},
		"another image":   {job, func(j string) string { return strings.Replace(j, "image: x", "image: z", 1) }, start + "spec.template.spec.containers[0].image;"},
		"another element": {job, func(j string) string { return j + "        args: [a]\n" }, start + "spec.template.spec.containers[0].args;"},
		"one less":        {job + "        args: [a, b]\n", func(string) string { return job + "        args: [a]\n" }, start + "spec.template.spec.containers[0].args[1];"},
		"a field that is gone": {
			strings.Replace(job, "  template:", "  completionMode: Indexed\n  template:", 1), func(string) string { return job },
			start + "spec.completionMode;",
		},
		"another type of value": {
			job + "      volumes:\n      - name: v\n        emptyDir: {}\n", func(j string) string {
				return j + "      volumes:\n      - name: v\n        emptyDir:\n          medium: Memory\n"
			},
			start + "spec.template.spec.volumes[0].emptyDir.medium;",
		},
		"more than are named": {
			job, func(j string) string {
				return strings.Replace(j, "image: x", "image: z\n        command: [a]\n        args: [b]\n        stdin: true\n        tty: true\n        workingDir: /", 1)
			}, " and 2 more; delete the Job in the cluster before you apply this one, or set spec.nameSuffixHash of the PeerJob to Enabled, so that each change is a new Job\n",
		},
		"of a suspended Job": {
			suspended, func(string) string {
				return suspended + "        resources: {limits: {cpu: 1}}\n      nodeSelector: {a: b}\n"
			},
			"warning: Job a: these can be changed only in a Job that is suspended and has never started (resources from Kubernetes 1.35 on): spec.template.spec.nodeSelector, spec.template.spec.containers[0].resources; if this one has started,",
		},
		"of a suspended Job, and an image": {
			suspended, func(string) string {
				return strings.Replace(suspended, "image: x", "image: z", 1) + "      nodeSelector: {a: b}\n"
			},
			start + "spec.template.spec.containers[0].image;",
		},
		"in a kustomize build, nobody has applied it": {
			strings.Replace(job, "    peerjob.dev/owner: a\n", "    peerjob.dev/owner: a\n    kustomize.config.k8s.io/id: \"1\"\n", 1),
			func(j string) string { return strings.Replace(j, "image: x", "image: z", 1) }, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, said := mergeOf(t, stream(marked, test.list), map[string][]string{"a": {test.edit(job)}}, false)
			if test.want == "" && said != "" || !strings.Contains(said, test.want) {
				t.Errorf("want %q, got %q", test.want, said)
			}
		})
	}
}

// TestMerge_foreignAnnotations keeps what an orchestrator put on an object.
func TestMerge_foreignAnnotations(t *testing.T) {
	const foreign = "    config.kubernetes.io/depends-on: /namespaces/n/Service/b\n    internal.config.kubernetes.io/seqindent: compact\n"
	there := strings.Replace(service, "    peerjob.dev/owner: a\n", "    peerjob.dev/owner: a\n"+foreign+"    mine: gone\n", 1)
	merged, _ := mergeOf(t, stream(marked, there), map[string][]string{"a": {service}}, false)
	if diff := cmp.Diff(stream(marked, strings.Replace(service, "    peerjob.dev/owner: a\n", "    peerjob.dev/owner: a\n"+foreign, 1)), merged); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWarnOfEdits(t *testing.T) {
	const said = "warning: Job a: differs from what PeerJob a expands to: "
	for name, tt := range map[string]struct {
		edit func(job string) string
		want string
	}{
		"as it was made": {func(job string) string { return job }, ""},
		"with defaults": {func(job string) string {
			return strings.Replace(job, "completions: 2", "completions: 2\n  suspend: false", 1)
		}, ""},
		"a number": {func(job string) string { return strings.Replace(job, "completions: 2", "completions: 3", 1) }, said + "spec.completions; change the PeerJob instead"},
		"an image": {func(job string) string { return strings.Replace(job, "image: x", "image: y", 1) }, said + "spec.template.spec.containers[0].image; change"},
		"a reference": {func(job string) string {
			return strings.Replace(job, "    spec:\n", "    spec:\n      subdomain: x-a\n", 1)
		}, ""},
		"a label": {func(job string) string {
			return strings.Replace(job, "  name: a\n", "  name: a\n  labels: {x: y}\n", 1)
		}, ""},
		"of nobody": {func(job string) string {
			return strings.Replace(strings.Replace(job, "completions: 2", "completions: 3", 1), "peerjob.dev/owner", "x", 1)
		}, ""},
		"of another object": {func(job string) string {
			return strings.Replace(strings.Replace(job, "completions: 2", "completions: 3", 1), "name: a\n", "name: b\n", 1)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			objects, errs := krmlist.ReadFile("", []byte(peerJob+"---\n"+tt.edit(job)))
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			krmlist.Locate(objects)
			e := &expansion.Expansion{Source: objects[0], InList: true, Children: []*krmlist.Object{childOf(t, objects[0], job)}}
			var report results.Report
			WarnOfEdits(objects, []*expansion.Expansion{e}, &report)
			var lines strings.Builder
			report.Write(&lines)
			if got := strings.TrimPrefix(lines.String(), "peerjob: "); !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}
