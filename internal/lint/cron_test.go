// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cron is a CronJob whose peers find each other, and their Service.
const cron = `apiVersion: v1
kind: Service
metadata:
  name: hub
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    app: nightly
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: nightly
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      completions: 4
      parallelism: 4
      completionMode: Indexed
      template:
        metadata:
          labels:
            app: nightly
        spec:
          subdomain: hub
          restartPolicy: Never
          containers:
          - name: w
            image: example.com/w:1.0
            command: [sh, -c, "exec w --leader=${HOSTNAME%-*}-0.hub"]
`

// TestFiles_cronJob looks into the template of a CronJob. Its Jobs have another name each
// time, so neither a selector nor a host name can have it.
func TestFiles_cronJob(t *testing.T) {
	exec := "sh, -c, \"exec w --leader=${HOSTNAME%-*}-0.hub\""
	for name, test := range map[string]struct {
		old, new string
		want     []string
	}{
		"right":                        {"", "", nil},
		"a selector of its name":       {"  selector:\n    app: nightly", "  selector:\n    job-name: nightly", []string{"f.yaml:9:15 error selector-mismatch"}},
		"another selector":             {"  selector:\n    app: nightly", "  selector:\n    app: daily", []string{"f.yaml:9:10 error selector-mismatch"}},
		"a host name":                  {exec, "w, --leader=nightly-0.hub", []string{"f.yaml:32:35 error peer-name"}},
		"a full host name":             {exec, "w, --leader=nightly-0.hub.ml.svc.cluster.local", []string{"f.yaml:32:35 error peer-name"}},
		"a bare host name":             {exec, "w, --master-addr, nightly-0", []string{"f.yaml:32:41 error peer-name"}},
		"that of somebody else":        {exec, "w, --leader=db-0.db", nil},
		"parallelism":                  {"      parallelism: 4\n", "      parallelism: 1\n", []string{"f.yaml:20:20 error parallelism"}},
		"no mode":                      {"      completionMode: Indexed\n", "", []string{"f.yaml:18:5 warning completion-mode"}},
		"another subdomain":            {"subdomain: hub", "subdomain: hup", []string{"f.yaml:27:22 error subdomain-mismatch"}},
		"no subdomain":                 {"          subdomain: hub\n", "          hostname: x\n", nil},
		"a policy":                     {"subdomain: hub", "subdomain: hub\n          dnsPolicy: Default", []string{"f.yaml:28:22 error dns-policy"}},
		"the API server, above":        {"0 3 * * *", "at three", []string{"f.yaml:16:13 error api-server"}},
		"the API server, below":        {"restartPolicy: Never", "restartPolicy: Always", []string{"f.yaml:28:26 error api-server"}},
		"an unknown field":             {"      parallelism: 4\n", "      parallelism: 4\n      paralelism: 4\n", []string{"f.yaml:21:19 error unknown-field"}},
		"a long name":                  {"  name: nightly", "  name: nightly-" + strings.Repeat("x", 46), []string{"f.yaml:14:9 error name-length"}},
		"one run as wide as it can be": {"  name: nightly", "  name: nightly-" + strings.Repeat("x", 44), nil},
		"a patch":                      {"          containers:\n          - name: w\n            image: example.com/w:1.0\n            command: [" + exec + "]\n", "", nil},
		"nothing":                      {"    spec:\n      completions", "    null:\n      completions", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Count(cron, test.old) != 1 && test.old != "" {
				t.Fatalf("%q is %d times in the pair", test.old, strings.Count(cron, test.old))
			}
			findings := Files([]File{{Name: "f.yaml", Content: []byte(strings.Replace(cron, test.old, test.new, 1))}}, Options{})
			if diff := cmp.Diff(test.want, short(findings)); diff != "" {
				t.Errorf("(-want +got):\n%s%s", diff, said(findings))
			}
		})
	}
}

// TestFix_cronJob mends the template of a CronJob where it is.
func TestFix_cronJob(t *testing.T) {
	broken := strings.NewReplacer("      parallelism: 4\n", "", "subdomain: hub", "subdomain: hup", "  publishNotReadyAddresses: true\n", "").Replace(cron)
	changed, left := Fix([]File{{Name: "f", Content: []byte(broken)}}, Options{})
	if len(changed) != 1 || len(left) > 0 {
		t.Fatalf("%d files changed, left:\n%s", len(changed), said(left))
	}
	if diff := cmp.Diff(cron, string(changed[0].Content)); diff != "" {
		t.Error(diff)
	}
}

// TestFiles_generateName knows no name of a Job that the server names.
func TestFiles_generateName(t *testing.T) {
	text := with(t, "metadata:\n  name: train", "metadata:\n  generateName: train-", "    job-name: train", "    app: x", "    spec:\n      subdomain", "    metadata: {labels: {app: x}}\n    spec:\n      subdomain")
	want := []string{"f.yaml:27:31 error peer-name"}
	if diff := cmp.Diff(want, short(Files([]File{{Name: "f.yaml", Content: []byte(text)}}, Options{}))); diff != "" {
		t.Error(diff)
	}
}
