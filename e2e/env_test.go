// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/e2e/cluster"
)

// TestEnv holds the peers' variables, as init containers and containers see
// them, to what the documentation says, and each name to the right Pod.
func TestEnv(t *testing.T) {
	t.Parallel()
	const script = `env | grep -E '^(PEERJOB_|JOB_COMPLETION_INDEX)' | sort
for name in $PEERJOB_SELF $PEERJOB_LEADER; do
  until address=$(getent hosts "$name"); do sleep 0.5; done
  echo "$name is ${address%% *}"
done
`
	const n = 3
	initContainer := `template: {spec: {initContainers: [{name: first, image: "` + bashImage + `", command: [bash, -c, ` + quote(script) + `]}]}}`
	job := apply(t, peers(n, script+stay, initContainer, "service: {name: svc}").Layer)
	mustComplete(t, job, patience)
	pods, err := kubernetes.Pods(interrupted, job.Namespace, job.Name)
	if err != nil {
		t.Fatal(err)
	}
	address := map[string]string{}
	for _, pod := range pods {
		address[cluster.Index(&pod)] = pod.Status.PodIP
	}
	for _, pod := range pods {
		for _, container := range []string{"first", "peer"} {
			checkEnv(t, &pod, container, n, address)
		}
	}
}

func checkEnv(t *testing.T, pod *corev1.Pod, container string, n int, address map[string]string) {
	t.Helper()
	log, err := kubernetes.Logs(interrupted, pod, container)
	if err != nil {
		t.Error(err)
		return
	}
	index := cluster.Index(pod)
	want := []string{
		"JOB_COMPLETION_INDEX=" + index,
		"PEERJOB_LEADER=job-0.svc",
		"PEERJOB_NAME=job",
		"PEERJOB_NAMESPACE=" + pod.Namespace,
		"PEERJOB_SELF=job-" + index + ".svc",
		"PEERJOB_SERVICE=svc",
		"PEERJOB_SIZE=" + strconv.Itoa(n),
		"job-" + index + ".svc is " + address[index],
		"job-0.svc is " + address["0"],
	}
	if got := strings.TrimSpace(log); got != strings.Join(want, "\n") {
		t.Errorf("container %s of %s printed\n%s\nwant\n%s", container, pod.Name, got, strings.Join(want, "\n"))
	}
}
