// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFiles_cronJob looks at the template of a CronJob of which no Job runs, and says of a
// Job that it is to be changed in its CronJob.
func TestFiles_cronJob(t *testing.T) {
	cron := func(spec string) string {
		return `{apiVersion: batch/v1, kind: CronJob, metadata: {name: nightly, namespace: ml, uid: c}, spec: {schedule: "0 3 * * *", ` + spec + `jobTemplate: {spec: {completions: 2, parallelism: 2, completionMode: Indexed,
  template: {metadata: {labels: {app: x}}, spec: {subdomain: hub, restartPolicy: Never, containers: [{name: w, image: i}]}}}}}}`
	}
	service := func(selector string) string {
		return strings.Replace(goodService, "job-name: train", selector, 1)
	}
	run := func(name, dnsPolicy string) string {
		return fmt.Sprintf(`{apiVersion: batch/v1, kind: Job, metadata: {name: %s, namespace: ml, uid: %[1]s, ownerReferences: [{apiVersion: batch/v1, kind: CronJob, name: nightly, uid: c, controller: true}]},
  spec: {completions: 2, parallelism: 2, completionMode: Indexed, template: {metadata: {labels: {app: x}}, spec: {subdomain: hub, dnsPolicy: %s, restartPolicy: Never, containers: [{name: w, image: i}]}}}, status: {}}`,
			name, dnsPolicy)
	}
	for name, test := range map[string]struct {
		objects []string
		want    []string
	}{
		"waits":        {[]string{service("app: x"), cron("")}, []string{"no-job: to have one now: kubectl create job --from=cronjob/nightly NAME"}},
		"is suspended": {[]string{service("app: x"), cron("suspend: true, ")}, []string{"no-job: set spec.suspend to false"}},
		"a wrong Service": {[]string{service("job-name: nightly"), cron("")}, []string{
			"selector-mismatch: select a label of the Pod template instead", "no-job: to have one now: kubectl create job --from=cronjob/nightly NAME",
		}},
		"two runs": {[]string{service("app: x"), cron(""), run("nightly-1", "ClusterFirst"), run("nightly-2", "ClusterFirst")}, nil},
		"a wrong run": {[]string{service("app: x"), cron(""), run("nightly-1", "Default")}, []string{
			"dns-policy: leave it out, or set ClusterFirst; this can't be changed in a Job that exists: change spec.jobTemplate of the CronJob nightly, and its next Job has it",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range Files([]File{{Name: "x", Content: []byte(strings.Join(test.objects, "\n---\n"))}}, Options{}).Findings {
				if f.ID != podsMissing { // there are none here
					got = append(got, f.ID+": "+f.Do)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
