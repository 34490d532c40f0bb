// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/internal/admission"
)

func jobOf(t *testing.T, pod string) *batchv1.Job {
	t.Helper()
	job := &batchv1.Job{}
	if err := yaml.UnmarshalStrict([]byte("apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {template: {spec: "+pod+"}}"), job); err != nil {
		t.Fatalf("%v\n%s", err, pod)
	}
	return job
}

// TestDefaulted has Pods that are the same to a server, and those that are not.
func TestDefaulted(t *testing.T) {
	const pod = `{containers: [{name: w, image: "x:1", ports: [{containerPort: 80}], readinessProbe: {httpGet: {port: 80}}}], serviceAccountName: a, volumes: [{name: v, configMap: {name: c}}]}`
	for name, tt := range map[string]struct {
		pod  string
		same bool
	}{
		"the same": {pod, true},
		"every default": {`{dnsPolicy: ClusterFirst, schedulerName: default-scheduler, securityContext: {}, terminationGracePeriodSeconds: 30, serviceAccountName: a, tolerations: [], volumes: [{name: v, configMap: {name: c, defaultMode: 420}}],
			containers: [{name: w, image: "x:1", imagePullPolicy: IfNotPresent, terminationMessagePath: /dev/termination-log, terminationMessagePolicy: File, ports: [{containerPort: 80, protocol: TCP}],
			readinessProbe: {httpGet: {port: 80, path: /, scheme: HTTP}, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3}}]}`, true},
		"the old name of a field": {`{containers: [{name: w, image: "x:1", ports: [{containerPort: 80}], readinessProbe: {httpGet: {port: 80}}}], serviceAccount: a, serviceAccountName: a, volumes: [{name: v, configMap: {name: c}}]}`, true},
		"another pull policy":     {`{containers: [{name: w, image: "x:1", imagePullPolicy: Always, ports: [{containerPort: 80}], readinessProbe: {httpGet: {port: 80}}}], serviceAccountName: a, volumes: [{name: v, configMap: {name: c}}]}`, false},
		"another grace period":    {`{terminationGracePeriodSeconds: 31, containers: [{name: w, image: "x:1", ports: [{containerPort: 80}], readinessProbe: {httpGet: {port: 80}}}], serviceAccountName: a, volumes: [{name: v, configMap: {name: c}}]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			first, other := jobOf(t, pod), jobOf(t, tt.pod)
			before := other.DeepCopy()
			if same := cmp.Equal(admission.Defaulted(first), admission.Defaulted(other)); same != tt.same {
				t.Errorf("the same: %t", same)
			}
			if diff := cmp.Diff(before, other); diff != "" {
				t.Errorf("the Job was changed:\n%s", diff)
			}
		})
	}
}
