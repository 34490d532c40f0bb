// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

const (
	testPeerJob = `- {apiVersion: peerjob.dev/v1alpha1, kind: PeerJob, metadata: {name: train-0}}
`
	testService = `- apiVersion: v1
  kind: Service
  metadata: {name: train-0}
  spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {job-name: train-0}}
`
	testJob = `- apiVersion: batch/v1
  kind: Job
  metadata: {name: train-0}
  spec:
    completions: 8
    parallelism: 8
    completionMode: Indexed
    template:
      metadata: {annotations: {peerjob.dev/service: train-0}}
      spec:
        subdomain: train-0
        containers:
        - env: [{name: JOB_COMPLETION_INDEX}, {name: PEERJOB_NAME}, {name: PEERJOB_NAMESPACE}, {name: PEERJOB_SERVICE},
            {name: PEERJOB_SIZE}, {name: PEERJOB_LEADER}, {name: PEERJOB_SELF}]
`
)

func testList(items ...string) string {
	return "kind: ResourceList\nitems:\n" + strings.Join(items, "")
}

// testDocuments are the items as Helm writes them: each a document of its own.
func testDocuments(items ...string) string {
	var text strings.Builder
	for _, item := range items {
		text.WriteString("---\n" + strings.Replace(item, "- ", "  ", 1))
	}
	return text.String()
}

// TestCheckExpansion spoils the output of one program at a time: a check that
// no output fails says nothing.
func TestCheckExpansion(t *testing.T) {
	list := testList(testPeerJob, testService, testJob)
	chart := testDocuments(testService, testJob)
	noop := testList(strings.Replace(testPeerJob, "train-0}", "train-0, annotations: {config.kubernetes.io/index: '0'}}", 1))
	tests := map[string]struct {
		program, old, new string
		want              string
	}{
		"good":                       {},
		"peerjob made no Service":    {peerjobName, testService, "", "peerjob: holds map[Job:1], want map[Job:1 Service:1]"},
		"peerjob lost the PeerJob":   {peerjobName, testPeerJob, "", "peerjob: 1 of 1 items are missing"},
		"peerjob changed it":         {peerjobName, "PeerJob, metadata: {name: train-0}", "PeerJob, metadata: {name: train-0}, x: 1", "peerjob: PeerJob/train-0 was changed"},
		"Helm made no Job":           {helmName, "kind: Job", "kind: CronJob", "helm template: holds map[CronJob:1 Service:1]"},
		"not headless":               {helmName, "clusterIP: None", "clusterIP: 10.0.0.1", "helm template: train-0: [spec clusterIP] is 10.0.0.1, want None"},
		"another subdomain":          {helmName, "subdomain: train-0", "subdomain: x", "subdomain] is x, want train-0"},
		"a variable is missing":      {helmName, "{name: PEERJOB_SIZE}, ", "", "variable 4 is PEERJOB_LEADER, want PEERJOB_SIZE"},
		"not the object of peerjob":  {helmName, "completionMode: Indexed", "completionMode: Indexed\n    suspend: true", "helm template: Job/train-0 is not the one that peerjob made"},
		"the no-op made something":   {noopName, "items:\n", "items:\n" + testService, "kyaml no-op: added 1 items, want none"},
		"the no-op wrote no list":    {noopName, "ResourceList", "List", `kyaml no-op: kind is "List", want ResourceList`},
		"peerjob wrote nothing":      {peerjobName, list, "", `peerjob: kind is "", want ResourceList`},
		"Helm wrote something wrong": {helmName, chart, "a: b: c", "helm template: error converting YAML to JSON"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			outputs := map[string]string{peerjobName: list, helmName: chart, noopName: noop}
			if tt.program != "" && !strings.Contains(outputs[tt.program], tt.old) {
				t.Fatalf("the output of %s does not hold %q", tt.program, tt.old)
			}
			given := map[string][]byte{}
			for program, output := range outputs {
				if program == tt.program {
					output = strings.Replace(output, tt.old, tt.new, 1)
				}
				given[program] = []byte(output)
			}
			err := checkExpansion(1, []byte(testList(testPeerJob)), given)
			checkError(t, err, tt.want)
		})
	}
}

func TestCheckForeign(t *testing.T) {
	deployment := "- apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: train-0}\n"
	good, empty := testList(deployment), "kind: ResourceList\nitems: []\n"
	tests := map[string]struct {
		input, peerjob, noop, cat string
		want                      string
	}{
		"good":                   {good, good, good, good, ""},
		"the input is another":   {empty, empty, empty, empty, "the input: holds map[], want map[Deployment:1]"},
		"peerjob lost an object": {good, empty, good, good, "peerjob: wrote something else than it read"},
		"the no-op lost it":      {good, good, empty, good, "kyaml no-op: 1 of 1 items are missing"},
		"cat wrote other bytes":  {good, good, good, good + "\n", "cat: wrote something else than it read"},
		"peerjob made a Service": {good, good + testService, good, good, "peerjob: wrote something else than it read"},
		"peerjob changed a byte": {good, strings.Replace(good, "{name: train-0}", "{name:  train-0}", 1), good, good, "peerjob: wrote something else than it read"},
		"the no-op made a Job":   {good, good, good + testJob, good, "kyaml no-op: added 1 items, want none"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := checkForeign(1, []byte(tt.input), map[string][]byte{
				peerjobName: []byte(tt.peerjob), noopName: []byte(tt.noop), catName: []byte(tt.cat)})
			checkError(t, err, tt.want)
		})
	}
}

func TestCheckBoth(t *testing.T) {
	deployments := testList("- apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: train-0}\n")
	good := deployments + testPeerJob + testService + testJob
	for name, tt := range map[string]struct{ peerjob, want string }{
		"good":              {good, ""},
		"a byte is another": {strings.Replace(good, "train-0}", "train-0 }", 1), "peerjob: changed what it does not own"},
		"no Job":            {strings.Replace(good, testJob, "", 1), "peerjob: holds map[Service:1]"},
	} {
		t.Run(name, func(t *testing.T) {
			checkError(t, checkBoth([]byte(deployments), testPeerJob, map[string][]byte{peerjobName: []byte(tt.peerjob), catName: []byte(deployments + testPeerJob)}), tt.want)
		})
	}
}

func TestCheckPeers(t *testing.T) {
	checkError(t, checkPeers(map[string][]byte{"10 peers": []byte("a:\n    completions: 10\n")}), "")
	checkError(t, checkPeers(map[string][]byte{"10 peers": []byte("a:\n    completions: 8\n")}), "made no Job of this size")
}

func TestGrowthOf(t *testing.T) {
	rows := []row{
		{comparison: "1 PeerJob", program: "a", median: 10}, {comparison: "10 PeerJobs", program: "a", median: 100}, {comparison: "100 PeerJobs", program: "a", median: 10000},
		{comparison: "1 PeerJob", program: "b", median: 10}, {comparison: "kustomize, 10 PeerJobs", program: "b", median: 100}, {comparison: "10 Deployments, 1 PeerJob", program: "a", median: 5},
	}
	got := growthOf(rows)
	if len(got) != 1 || got[0].program != "a" || got[0].from != 10 || got[0].to != 100 || got[0].exponent < 1.99 || got[0].exponent > 2.01 {
		t.Errorf("got %+v, want one of exponent 2 from 10 to 100", got)
	}
}

func TestCheckKustomize(t *testing.T) {
	input := testList(testPeerJob)
	made, plain := testDocuments(testService, testJob), testDocuments(testPeerJob)
	tests := map[string]struct {
		program, old, new string
		want              string
	}{
		"good":                             {},
		"the transformer made no Service":  {transformerName, testDocuments(testService), "", "peerjob, transformer: holds map[Job:1], want map[Job:1 Service:1]"},
		"the transformer kept the PeerJob": {transformerName, made, made + plain, "peerjob, transformer: holds map[Job:1 PeerJob:1 Service:1]"},
		"the generator made nothing":       {generatorName, made, "", "peerjob, generator: holds map[]"},
		"the generator is not wired":       {generatorName, "job-name: train-0", "job-name: x", "peerjob, generator: train-0: [spec selector job-name] is x"},
		"a container made another Job":     {containerTransformerName, "completionMode: Indexed", "completionMode: Indexed\n    suspend: true", "container, transformer: Job/train-0 is not the one"},
		"a container kept the annotation":  {containerGeneratorName, "metadata: {name: train-0}", "metadata: {name: train-0, annotations: {a: b}}", "container, generator: Service/train-0 is not the one"},
		"cat lost the PeerJob":             {catTransformerName, plain, "", "cat, transformer: 1 of 1 items are missing"},
		"cat changed it":                   {catTransformerName, "v1alpha1", "v1", "cat, transformer: PeerJob/train-0 was changed"},
		"without a function a Job is made": {noFunctionName, plain, plain + testDocuments(testJob), "no function: added 1 items, want none"},
		"the page has no Service":          {pageName, testDocuments(testService), "", "documentation's YAML: holds map[Job:1]"},
		"the replacements wire nothing":    {replacementsName, "subdomain: train-0", "subdomain: x", "replacements: train-0: [spec template spec subdomain] is x"},
		"no YAML":                          {noFunctionName, plain, "a: b: c", "no function: error converting YAML to JSON"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			outputs := map[string][]byte{}
			for _, program := range []string{transformerName, generatorName, containerTransformerName, containerGeneratorName, replacementsName, pageName} {
				outputs[program] = []byte(made)
			}
			for _, program := range []string{catTransformerName, noFunctionName} {
				outputs[program] = []byte(plain)
			}
			if tt.program != "" {
				spoilt := strings.Replace(string(outputs[tt.program]), tt.old, tt.new, 1)
				if spoilt == string(outputs[tt.program]) {
					t.Fatalf("the output of %s does not hold %q", tt.program, tt.old)
				}
				outputs[tt.program] = []byte(spoilt)
			}
			checkError(t, checkKustomize(1, []byte(input), outputs), tt.want)
		})
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("got %v, want none", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("got %v, want %q in it", err, want)
	}
}
