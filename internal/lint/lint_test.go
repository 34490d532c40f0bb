// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// right is a pair with which nothing is wrong.
const right = `apiVersion: v1
kind: Service
metadata:
  name: hub
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    job-name: train
---
apiVersion: batch/v1
kind: Job
metadata:
  name: train
spec:
  completions: 4
  parallelism: 4
  completionMode: Indexed
  template:
    spec:
      subdomain: hub
      restartPolicy: Never
      containers:
      - name: w
        image: example.com/w:1.0
        command: [w, --leader=train-0.hub]
`

// kueue is the beginning of a Pod template in a group of Kueue of three Pods.
const kueue = "  template:\n    metadata:\n      labels: {kueue.x-k8s.io/pod-group-name: gang}\n      annotations: {kueue.x-k8s.io/pod-group-total-count: '3'}\n"

// with returns the pair after some replacements, each an old and a new text.
func with(t *testing.T, changes ...string) string {
	t.Helper()
	text := right
	for i := 0; i < len(changes); i += 2 {
		if strings.Count(text, changes[i]) != 1 {
			t.Fatalf("%q is %d times in the pair", changes[i], strings.Count(text, changes[i]))
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	return text
}

// short are findings as "line:column severity id".
func short(findings []Finding) []string {
	var all []string
	for _, f := range findings {
		all = append(all, strings.TrimSuffix(f.where(), ": ")+" "+string(f.Severity)+" "+f.ID)
	}
	return all
}

// command replaces the command of the pair.
func command(words string) []string { return []string{"[w, --leader=train-0.hub]", words} }

// longValue is a command with a variable that has another one n times, which is "train".
func longValue(name string, n int) string {
	return "[w, --leader=train-0.hub]\n        env: [{name: " + name + `, valueFrom: {fieldRef: {fieldPath: "metadata.labels['job-name']"}}}, {name: ALL, value: "` +
		strings.Repeat("$("+name+")", n) + `"}]`
}

// script is a command of the pair that runs a script.
func shell(lines ...string) []string {
	text := "\n        - sh\n        - -c\n        - |\n"
	for _, line := range lines {
		text += "          " + line + "\n"
	}
	return []string{" [w, --leader=train-0.hub]\n", text}
}

func TestFiles(t *testing.T) {
	for name, test := range map[string]struct {
		changes []string
		want    []string
	}{
		"a pair that is right": {nil, nil},

		// What is no pair, or no business of lint.
		"no Service, no name, no subdomain": {append(command("[w]"), "      subdomain: hub\n", "", "    job-name: train", "    app: other"), nil},
		"one Pod without an index":          {append(command("[w]"), "  completions: 4\n  parallelism: 4\n  completionMode: Indexed\n", ""), nil},
		"names of a StatefulSet that the Job is called after": {
			[]string{"  completions: 4\n  parallelism: 4\n  completionMode: Indexed\n", "", "      subdomain: hub\n", "", "    job-name: train", "    app: train"}, nil,
		},
		"a paused Job":                {[]string{"parallelism: 4", "parallelism: 0"}, nil},
		"more parallelism than peers": {[]string{"parallelism: 4", "parallelism: 9"}, nil},
		"a file called like a peer":   {command("[w, --log=train-0.log, --leader=train-0.hub]"), nil},
		"a bucket called like a peer": {command("[w, --url=s3://train-0.models/x, --leader=train-0.hub]"), nil},
		"a folder called like a peer": {command("[w, --url=/data/train-9.hub]"), nil},
		"a comment":                   {shell("# such as train-9.hub", "exec w --leader=train-0.hub"), nil},
		"a peer by its host name, found by the search list": {
			append(command("[w, --leader=train-0]"), "      restartPolicy", "      dnsConfig: {searches: [hub.ml.svc.cluster.local]}\n      restartPolicy"), nil,
		},
		"its own host name in a message": {command("[echo, train-0]"), nil},
		"a template within a value":      {command(`[w, "--format={{ .Name }}", --leader=train-0.hub]`), nil},
		"a patch":                        {[]string{"      containers:\n      - name: w\n        image: example.com/w:1.0\n        command: [w, --leader=train-0.hub]\n", "      priorityClassName: low\n", "subdomain: hub", "subdomain: other"}, nil},
		"no peers":                       {append(command("[w]"), "completions: 4", "completions: 1", "parallelism: 4", "parallelism: 1", "  publishNotReadyAddresses: true\n", ""), nil},

		"a value that the variables make shorter": {command(longValue("PEERJOB_NAME_OF_THE_JOB", 10_000)), nil},
		"one that they make longer":               {command(longValue("A", 30_000)), []string{"f.yaml:27:112 error string-length"}},

		// Where things are shown.
		"a name in a list":                          {command("[w, --peers, 'train-0.hub,train-4.hub']"), []string{"f.yaml:26:44 error peer-index"}},
		"a name in a script":                        {shell("set -e", "exec w --leader=train-4.hub"), []string{"f.yaml:31:27 warning peer-index"}},
		"a loop that counts too far":                {shell("for i in $(seq 0 4); do nc train-${i}.hub 80; done", "exec w"), []string{"f.yaml:30:38 warning peer-index"}},
		"a loop over words":                         {shell("for i in 0 1 2 7; do nc train-$i.hub 80; done", "exec w"), []string{"f.yaml:30:35 warning peer-index"}},
		"a loop in the form of C":                   {shell("for ((i=0; i<5; i++)); do nc train-$i.hub 80; done", "exec w"), []string{"f.yaml:30:40 warning peer-index"}},
		"a list in braces":                          {shell("nc train-{0..4}.hub", "exec w"), []string{"f.yaml:30:14 warning peer-index"}},
		"loops that are right":                      {shell("for i in $(seq 0 3) ; do nc train-$i.hub 80; done", "for ((i=0; i<4; i++)); do nc train-$i.hub 80; done", "for j in {1..9}; do nc db-$j.db; done", "exec w --peers train-{0..3}.hub"), nil},
		"a loop that nobody can read":               {shell("for i in $(seq 0 $((SIZE-1))); do nc train-$i.hub 80; done", "exec w"), nil},
		"a name after wide text":                    {command("[w, 'é€𝄞 train-4.hub']"), []string{"f.yaml:26:27 error peer-index"}},
		"what is missing":                           {[]string{"  parallelism: 4\n", ""}, []string{"f.yaml:15:1 error parallelism"}},
		"a value":                                   {[]string{"parallelism: 4", "parallelism: 1"}, []string{"f.yaml:17:16 error parallelism"}},
		"a field that the API lacks":                {[]string{"completionMode: Indexed", "completionmode: Indexed"}, []string{"f.yaml:18:19 error unknown-field"}},
		"a value of another type":                   {[]string{"completions: 4", "completions: four"}, []string{"f.yaml:16:16 error wrong-type"}},
		"the page, two of four at a time":           {append(shell("for i in 0 1 2 3; do", "  until ping -c 1 train-$i.hub; do sleep 1; done", "done"), "parallelism: 4", "parallelism: 2"), []string{"f.yaml:17:16 error parallelism", "f.yaml:31:29 warning race-at-end"}},
		"a key that is there twice":                 {[]string{"  parallelism: 4\n", "  parallelism: 4\n  parallelism: 4\n"}, []string{"f.yaml:18:3 error duplicate-key"}},
		"a number in quotes":                        {[]string{"parallelism: 4", "parallelism: '4'", "publishNotReadyAddresses: true", "publishNotReadyAddresses: yes"}, []string{"f.yaml:7:29 error wrong-type", "f.yaml:17:16 error wrong-type"}},
		"an elastic program":                        {append(command("[torchrun, '--nnodes=2:4', --rdzv-endpoint=train-0.hub]"), "parallelism: 4", "parallelism: 2"), nil},
		"a number as a variable":                    {[]string{"        command", "        env: [{name: A, value: 1}]\n        command"}, []string{"f.yaml:26:32 error wrong-type"}},
		"fewer peers than none":                     {[]string{"completions: 4", "completions: -4"}, []string{"f.yaml:16:16 error api-server"}},
		"no peers at all":                           {[]string{"completions: 4", "completions: 0", "parallelism: 4", "parallelism: 0"}, nil},
		"a Service that is a name":                  {[]string{"clusterIP: None", "type: ExternalName\n  externalName: example.com"}, []string{"f.yaml:6:9 error service-not-headless"}},
		"a Service that is broken":                  {[]string{"clusterIP: None", "clusterIP: nowhere"}, []string{"f.yaml:6:14 error service-not-headless"}},
		"labels of the Job":                         {[]string{"    job-name: train", "    app: x", "  name: train\nspec", "  name: train\n  labels: {app: x}\nspec"}, []string{"f.yaml:9:10 error selector-mismatch"}},
		"two selectors, one is wrong":               {[]string{"    job-name: train", "    job-name: train\n    app: x"}, []string{"f.yaml:10:10 error selector-mismatch"}},
		"the wrong index":                           {[]string{"    job-name: train", "    job-name: train\n    batch.kubernetes.io/job-completion-index: '7'"}, []string{"f.yaml:10:47 error selector-mismatch"}},
		"a host name without a Service in a script": {shell("export MASTER_ADDR=train-0", "exec w"), []string{"f.yaml:30:30 warning peer-name"}},
		"the rank of a peer":                        {command("[w, --leader-addr, train-0]"), []string{"f.yaml:26:37 error peer-name"}},
		"a misspelled Service":                      {command("[w, train-0.hbu]"), []string{"f.yaml:26:22 error peer-name"}},
		"an earlier name":                           {append(command("[w, in-0.ub]"), "subdomain: hub", "subdomain: h-ub", "name: hub", "name: h-ub", "job-name: train", "job-name: tra-in", "name: train\nspec", "name: tra-in\nspec"), []string{"f.yaml:26:22 warning peer-name"}},

		"a group of Kueue with another number":   {[]string{"  template:\n", kueue}, []string{"f.yaml:22:59 warning gang-size"}},
		"a group of Kueue with another workload": {[]string{"  template:\n", kueue, "apiVersion: v1\nkind: Service", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {kueue.x-k8s.io/pod-group-name: gang}}\n---\napiVersion: v1\nkind: Service"}, nil},

		// Suppression.
		"what is ignored":        {[]string{"  parallelism: 4\n", "", "  name: train\nspec", "  name: train\n  annotations: {peerjob.dev/lint-ignore: 'count, parallelism'}\nspec"}, nil},
		"an id that is not ours": {[]string{"  name: train\nspec", "  name: train\n  annotations: {peerjob.dev/lint-ignore: 'paralelism'}\nspec"}, []string{"f.yaml:15:43 warning unknown-rule"}},
	} {
		t.Run(name, func(t *testing.T) {
			findings := Files([]File{{Name: "f.yaml", Content: []byte(with(t, test.changes...))}}, Options{})
			if diff := cmp.Diff(test.want, short(findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s%s", diff, said(findings))
			}
		})
	}
}

// TestFiles_forms lints the same broken pair in every form that an input can have.
func TestFiles_forms(t *testing.T) {
	broken := with(t, "parallelism: 4", "parallelism: 1")
	service, job, _ := strings.Cut(broken, "---\n")
	indented := func(text string) string {
		return "- " + strings.TrimSuffix(strings.ReplaceAll(text, "\n", "\n  "), "  ")
	}
	const (
		serviceJSON = `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hub"}, "spec": {"clusterIP": "None", "publishNotReadyAddresses": true, "selector": {"job-name": "train"}}}`
		jobJSON     = `{"apiVersion": "batch\/v1", "kind": "Job", "metadata": {"name": "train"}, "spec": {"completions": 4, "completionMode": "Indexed", "parallelism": 1, "template": {"spec": {"subdomain": "hub", "restartPolicy": "Never", "containers": [{"name": "w", "image": "x"}]}}}}`
	)
	one := func(place string) []string { return []string{place + " error parallelism"} }
	for name, test := range map[string]struct {
		files []File
		want  []string
	}{
		"a file":               {[]File{{Name: "f", Content: []byte(broken)}}, one("f:17:16")},
		"two files":            {[]File{{Name: "a/s", Content: []byte(service)}, {Name: "b/j", Content: []byte(job)}}, one("b/j:7:16")},
		"Windows":              {[]File{{Name: "f", Content: []byte(strings.ReplaceAll(broken, "\n", "\r\n"))}}, one("f:17:16")},
		"a mark of UTF-8":      {[]File{{Name: "f", Content: []byte("\ufeff" + broken)}}, one("f:17:16")},
		"a line above":         {[]File{{Name: "f", Content: []byte("# one\n--- # two\n" + broken)}}, one("f:19:16")},
		"a v1 List":            {[]File{{Name: "f", Content: []byte("apiVersion: v1\nkind: List\nitems:\n" + indented(service) + indented(job))}}, one("f:19:18")},
		"a List in braces":     {[]File{{Name: "f", Content: []byte("{apiVersion: v1, kind: List, items: [" + serviceJSON + ",\n " + strings.ReplaceAll(jobJSON, `\/`, "/") + "]}")}}, one("f:2:146")},
		"a JSON List":          {[]File{{Name: "f", Content: []byte(`{"items": [` + serviceJSON + ",\n " + strings.ReplaceAll(jobJSON, `\/`, "/") + `], "kind": "List", "apiVersion": "v1"}`)}}, one("f:2:146")},
		"JSON that is no YAML": {[]File{{Name: "f", Content: []byte(serviceJSON + "\n\t" + jobJSON)}}, one("f:2:1")},
		"a ResourceList":       {[]File{{Name: "f", Content: []byte("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nfunctionConfig: {}\nitems:\n" + indented(service) + indented(job))}}, one("f:20:18")},
		"a List in a List":     {[]File{{Name: "f", Content: []byte("{kind: List, items: [{kind: List, items: [" + serviceJSON + "]}, " + strings.ReplaceAll(jobJSON, `\/`, "/") + "]}")}}, one("f:1:359")},
		"anchors":              {[]File{{Name: "f", Content: []byte(strings.NewReplacer("name: train\nspec", "name: &n train\nspec", "parallelism: 1", "parallelism: &p 1\n  backoffLimit: *p").Replace(broken))}}, one("f:17:16")},
		"a merge":              {[]File{{Name: "f", Content: []byte(strings.Replace(job, "  completions: 4\n  parallelism: 1\n", "  <<: {completions: 4, parallelism: 1}\n", 1) + "---\n" + service)}}, one("f:6:37")},
	} {
		t.Run(name, func(t *testing.T) {
			findings := Files(test.files, Options{})
			if diff := cmp.Diff(test.want, short(findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s%s", diff, said(findings))
			}
		})
	}
}

// TestFiles_unreadable lints what can't be read.
func TestFiles_unreadable(t *testing.T) {
	for name, test := range map[string]struct {
		file File
		want string
	}{
		"broken YAML":              {File{Content: []byte(right + "---\na: b: c\n")}, "f:28:1: error: is not valid YAML: mapping values are not allowed in this context [invalid-yaml]\n"},
		"a broken Job":             {File{Content: []byte(strings.Replace(right, "  parallelism: 4", "\t parallelism: 4", 1))}, "f:16:1: error: is not valid YAML: found a tab character that violates indentation [invalid-yaml]\n"},
		"no text":                  {File{Content: []byte("a\x00")}, "f: error: is no text in UTF-8; write it in UTF-8 [unreadable]\n"},
		"no text, and not for us":  {File{Content: []byte("{\"a\": \"\xe9\"}"), Found: true}, "f: note: is no text in UTF-8; write it in UTF-8 [unreadable]\n"},
		"no text, and for lint":    {File{Content: []byte("kind: Job\n# \xe9\n"), Found: true}, "f: error: is no text in UTF-8; write it in UTF-8 [unreadable]\n"},
		"UTF-16 without a mark":    {File{Content: inUTF16(binary.LittleEndian, "kind: Job\n"), Found: true}, "f: error: is no text in UTF-8; write it in UTF-8 [unreadable]\n"},
		"UTF-16":                   {File{Content: inUTF16(binary.LittleEndian, "\ufeff"+strings.Replace(right, "parallelism: 4", "parallelism: 3", 1))}, "f:17:16: warning: Job train: spec.parallelism: of 4 peers only 3 run at the same time, and a peer that waits for all waits forever; write 4 [parallelism]\n"},
		"UTF-16, the other way":    {File{Content: inUTF16(binary.BigEndian, "\ufeff"+right)}, ""},
		"half of UTF-16":           {File{Content: []byte("\xff\xfea")}, "f: error: is no text in UTF-8; write it in UTF-8 [unreadable]\n"},
		"an anchor of itself":      {File{Content: []byte("kind: &a [*a]\n")}, "f:1:1: error: is not valid YAML: anchor 'a' value contains itself [invalid-yaml]\n"},
		"a Helm template":          {File{Content: []byte("kind: Job\nmetadata:\n  name: {{ .Values.name }}\n---\n" + right)}, "f:1:1: note: is a Helm template; render it, and lint what comes out: helm template CHART | peerjob lint - [skipped]\n"},
		"a Helm template, too":     {File{Content: []byte("\n{{- if .Values.x }}\nkind: Job\n{{- end }}\n")}, "f:2:1: note: is a Helm template; render it, and lint what comes out: helm template CHART | peerjob lint - [skipped]\n"},
		"a template of envsubst":   {File{Content: []byte(strings.Replace(right, "completions: 4", "completions: ${NODES}", 1))}, "f:11:1: note: has variables in the place of values; fill them in, and lint what comes out: envsubst < FILE | peerjob lint - [skipped]\n"},
		"a variable of a script":   {File{Content: []byte(strings.Replace(right, "--leader=train-0.hub", `"--leader=${LEADER:-train-0.hub} ${X}"`, 1))}, ""},
		"broken, and not for lint": {File{Content: []byte("a: b: c\n"), Found: true}, "f:1:1: note: is not valid YAML: mapping values are not allowed in this context [invalid-yaml]\n"},
		"broken, and for lint":     {File{Content: []byte("kind: Service\na: b: c\n"), Found: true}, "f:2:1: error: is not valid YAML: mapping values are not allowed in this context [invalid-yaml]\n"},
		"documents without ---":    {File{Content: []byte(strings.Replace(right, "---\n", "...\n", 1))}, "f:1:1: error: is not valid YAML: holds several documents that no line --- separates [invalid-yaml]\n"},
		"an end and a comment":     {File{Content: []byte(right + "...\n# end\n")}, ""},
		"a Service as a template":  {File{Content: []byte(strings.Replace(right, "  selector:", "  {{- with .Values.x }}\n  selector:", 1))}, "f:1:1: note: is a Helm template; render it, and lint what comes out: helm template CHART | peerjob lint - [skipped]\n"},
		"a Service of envsubst":    {File{Content: []byte(strings.Replace(right, "name: hub", "name: ${NAME}", 1))}, "f:1:1: note: has variables in the place of values; fill them in, and lint what comes out: envsubst < FILE | peerjob lint - [skipped]\n"},
		"a broken Service":         {File{Content: []byte(strings.Replace(right, "  selector:", "\tselector:", 1))}, "f:7:1: error: is not valid YAML: found a tab character that violates indentation [invalid-yaml]\n"},
		"a file with a problem":    {File{Problem: "can't be read: permission denied"}, "f: error: can't be read: permission denied [unreadable]\n"},
		"a file that is left":      {File{Problem: "is no regular file", Skipped: true}, "f: note: is no regular file [skipped]\n"},
		"other YAML":               {File{Content: []byte("- a\n- b\n---\njobs:\n  build: {}\n---\n...\n")}, ""},
		"control characters":       {File{Content: []byte(strings.Replace(right, "parallelism: 4", `parallelism: "\e[31m"`, 1))}, "f:17:16: error: Job train: spec.parallelism: Invalid value: \"\\x1b[31m\": must be an integer [wrong-type]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			test.file.Name = "f"
			got := said(Files([]File{test.file}, Options{}))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// inUTF16 returns a text in UTF-16.
func inUTF16(order binary.AppendByteOrder, text string) (content []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		content = order.AppendUint16(content, unit)
	}
	return content
}

// TestFix_utf16 leaves a file alone that is in another encoding.
func TestFix_utf16(t *testing.T) {
	wrong := File{Name: "f", Content: inUTF16(binary.LittleEndian, "\ufeff"+strings.Replace(right, "parallelism: 4", "parallelism: 3", 1))}
	mended, left := Fix([]File{wrong}, Options{})
	if len(mended) > 0 || len(left) != 1 || left[0].Fixable {
		t.Errorf("%d mended, left: %v", len(mended), left)
	}
}

// TestFiles_samples keeps apart what has nothing to do with each other in one folder, and
// notes its templates once.
func TestFiles_samples(t *testing.T) {
	job := strings.SplitN(right, "---\n", 2)[1]
	template := File{Name: "a/x.yaml", Content: []byte("kind: Job\nmetadata: {name: {{ .x }}}\n")}
	again := template
	again.Name = "a/y.yaml"
	findings := Files([]File{{Name: "a/pair.yaml", Content: []byte(right)}, {Name: "a/sample.yaml", Content: []byte(strings.ReplaceAll(job, "train", "sample"))}, template, again}, Options{})
	if diff := cmp.Diff([]string{"a/sample.yaml:11:18 error service-missing", "a/x.yaml:1:1 note skipped"}, short(findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s%s", diff, said(findings))
	}
	if got := findings[1].Message; !strings.HasSuffix(got, "(and 1 more in this folder)") {
		t.Error(got)
	}
}

// TestFiles_second says of a Service that has another Job already that it belongs to that one.
func TestFiles_second(t *testing.T) {
	_, job, _ := strings.Cut(right, "---\n")
	findings := Files([]File{{Name: "f", Content: []byte(right + "---\n" + strings.ReplaceAll(job, "train", "eval"))}}, Options{})
	if len(findings) != 1 || findings[0].Fixable || !strings.Contains(findings[0].Message, "the Service is that of the Job train, and has no Pods of the Job eval") {
		t.Error(said(findings))
	}
}

// TestFiles_live lints objects as "kubectl get -o yaml" writes them: with what the server
// and the controllers added, none of which is wrong.
func TestFiles_live(t *testing.T) {
	live := "apiVersion: v1\nitems:\n" +
		"- apiVersion: v1\n  kind: Service\n  metadata:\n    creationTimestamp: \"2026-01-01T00:00:00Z\"\n    name: hub\n    namespace: ml\n    resourceVersion: \"7\"\n    uid: 0b5ef7a6-2f0c-4d3e-9a57-0e1d6e1f0a11\n" +
		"    managedFields:\n    - apiVersion: v1\n      fieldsType: FieldsV1\n      fieldsV1: {f:spec: {f:clusterIP: {}}}\n      manager: kubectl\n      operation: Update\n      time: \"2026-01-01T00:00:00Z\"\n" +
		"  spec:\n    clusterIP: None\n    clusterIPs:\n    - None\n    internalTrafficPolicy: Cluster\n    ipFamilies:\n    - IPv4\n    ipFamilyPolicy: SingleStack\n    publishNotReadyAddresses: true\n    selector:\n      job-name: train\n    sessionAffinity: None\n    type: ClusterIP\n  status:\n    loadBalancer: {}\n" +
		"- apiVersion: batch/v1\n  kind: Job\n  metadata:\n    creationTimestamp: \"2026-01-01T00:00:00Z\"\n    generation: 1\n    labels:\n      job-name: train\n    name: train\n    namespace: ml\n    resourceVersion: \"9\"\n    uid: 7d2f3c1e-5b64-4f0e-8f58-6a2a4b1e9c22\n" +
		"  spec:\n    backoffLimit: 6\n    completionMode: Indexed\n    completions: 4\n    manualSelector: false\n    parallelism: 4\n    podReplacementPolicy: TerminatingOrFailed\n    selector:\n      matchLabels:\n        batch.kubernetes.io/controller-uid: 7d2f3c1e-5b64-4f0e-8f58-6a2a4b1e9c22\n    suspend: false\n" +
		"    template:\n      metadata:\n        creationTimestamp: null\n        labels:\n          batch.kubernetes.io/controller-uid: 7d2f3c1e-5b64-4f0e-8f58-6a2a4b1e9c22\n          batch.kubernetes.io/job-name: train\n          controller-uid: 7d2f3c1e-5b64-4f0e-8f58-6a2a4b1e9c22\n          job-name: train\n" +
		"      spec:\n        containers:\n        - command:\n          - w\n          - --leader=train-0.hub\n          image: x\n          imagePullPolicy: Always\n          name: w\n          resources: {}\n          terminationMessagePath: /dev/termination-log\n        dnsPolicy: ClusterFirst\n        restartPolicy: Never\n        schedulerName: default-scheduler\n        securityContext: {}\n        subdomain: hub\n        terminationGracePeriodSeconds: 30\n" +
		"  status:\n    active: 4\n    ready: 4\n    startTime: \"2026-01-01T00:00:00Z\"\n    uncountedTerminatedPods: {}\nkind: List\nmetadata:\n  resourceVersion: \"\"\n"
	if findings := Files([]File{{Name: "f", Content: []byte(live)}}, Options{}); len(findings) > 0 {
		t.Error(said(findings))
	}
	broken := strings.Replace(live, "parallelism: 4", "parallelism: 1", 1)
	if diff := cmp.Diff([]string{"f:49:18 error parallelism"}, short(Files([]File{{Name: "f", Content: []byte(broken)}}, Options{}))); diff != "" {
		t.Errorf("one at a time (-want +got):\n%s", diff)
	}
}

// TestFiles_folders keeps folders for several clusters apart, which have the same names.
func TestFiles_folders(t *testing.T) {
	other := strings.ReplaceAll(right, "completions: 4\n  parallelism: 4", "completions: 2\n  parallelism: 2")
	findings := Files([]File{{Name: "dev/pair.yaml", Content: []byte(right)}, {Name: "prod/pair.yaml", Content: []byte(other)}}, Options{})
	if len(findings) > 0 {
		t.Error(said(findings))
	}
}

// TestFiles_documentation lints the five forms of the page of the documentation: one
// warning for the race at the end, one for publishNotReadyAddresses, no error.
func TestFiles_documentation(t *testing.T) {
	for _, file := range allFiles(t) {
		if strings.HasPrefix(string(file.Content), "apiVersion: v1\nkind: Service\nmetadata:\n  name: headless-svc\n") {
			got := kindsOf(Files([]File{file}, Options{}))
			if diff := cmp.Diff([]string{"warning publish-not-ready", "warning race-at-end"}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file.Name, diff)
			}
		}
	}
}

// TestFiles_hostile lints inputs that stand for much or are deep: each ends, where a rule
// that is not linear would not before the test's own time limit.
func TestFiles_hostile(t *testing.T) {
	bomb := "x0: &x0 [a, a]\n"
	for i := range 40 {
		bomb += fmt.Sprintf("x%d: &x%d [*x%d, *x%d]\n", i+1, i+1, i, i)
	}
	job := func(spec string) string {
		return "apiVersion: batch/v1\nkind: Job\nmetadata: {name: train}\nspec:\n  completions: 4\n  completionMode: Indexed\n  template:\n    spec:\n      subdomain: hub\n" + spec
	}
	many := func(n int, text string) string { return strings.Repeat(text, n) }
	var names strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&names, "train-%d.hub,", i)
	}
	for name, text := range map[string]string{
		"aliases of aliases":     bomb + job("      containers: *x40\n"),
		"aliases of containers":  job("      containers:\n      - &c {name: w, image: x, env: [&e {name: A, value: b}" + many(200, ", *e") + "]}\n" + many(200, "      - *c\n")),
		"a long text many times": job("      containers: [{name: w, image: x, args: [&s " + many(1<<16, "a") + many(500, ", *s") + "]}]\n"),
		"deep lists":             job("      containers: " + many(100_000, "[")),
		"deep maps":              job("      containers: " + many(9000, "{a: ") + "1" + many(9000, "}") + "\n"),
		"deep JSON":              many(50_000, `{"items": [`),
		"lists in lists":         many(2000, `{"kind": "List", "items": [`) + many(2000, "]}"),
		"many names":             job("      containers: [{name: w, image: x, args: [\"" + names.String() + "\"]}]\n"),
		"many loops":             job("      containers: [{name: w, image: x, command: [sh, -c, \"" + many(5000, "while ping train-0.hub; do ") + "\"]}]\n"),
		"many flags":             job("      containers: [{name: w, image: x, args: [\"" + many(10_000, "--master-addr=") + "train-0\"]}]\n"),
		"many keys":              job("      containers: [{name: w, image: x}]\n      x: {" + many(5000, "a: b, ") + "}\n"),
		"many separators":        many(200_000, "---\n"),
		"many documents":         many(20_000, "---\nkind: Job\n"),
		"a map of itself":        "kind: Job\nspec: &s {template: *s}\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := File{Name: "f.yaml", Content: []byte(text)}
			Fix([]File{file}, Options{})
		})
	}
}
