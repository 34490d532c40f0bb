// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/peerjob/peerjob/e2e/node"
)

// TestNotReady has peers that never get ready: they find each other all the
// same, because the Service publishes them.
func TestNotReady(t *testing.T) {
	t.Parallel()
	probe := `template: {spec: {containers: [{name: peer, image: "` + bashImage + `",
  command: [bash, -c, ` + quote(meet+stay) + `], readinessProbe: {exec: {command: ["false"]}}}]}}`
	job := apply(t, peers(3, "", probe).Layer)
	pods, err := kubernetes.WaitForPods(within(t, patience), job.Namespace, job.Name, allRunning(3))
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods {
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				t.Errorf("%s is ready", pod.Name)
			}
		}
	}
	checkMet(t, mustComplete(t, job, patience), 3)
}

// TestDNSPolicyNone gives the peers a resolver by hand, with the search domain
// that their names need.
func TestDNSPolicyNone(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t, nil)
	config := fmt.Sprintf(`template: {spec: {dnsPolicy: None, dnsConfig: {nameservers: [%q], searches: [%s.svc.cluster.local], options: [{name: ndots, value: "2"}]}}}`, dnsServer(t), ns)
	manifest := build(t, ns, peers(3, "cat /etc/resolv.conf\n"+meet+stay, config).Layer)
	if err := kubernetes.Apply(interrupted, ns, manifest); err != nil {
		t.Fatal(err)
	}
	logs := mustComplete(t, jobOf(t, manifest), patience)
	checkMet(t, logs, 3)
	if !strings.Contains(logs["0"], "ndots:2") {
		t.Errorf("not the resolver's options:\n%s", logs["0"])
	}
}

// TestHostnameAsFQDN has the peers call themselves by their whole name.
func TestHostnameAsFQDN(t *testing.T) {
	t.Parallel()
	job := apply(t, peers(2, "hostname\n"+meet+stay, "template: {spec: {setHostnameAsFQDN: true}}").Layer)
	logs := mustComplete(t, job, patience)
	checkMet(t, logs, 2)
	for index, log := range logs {
		if want := "job-" + index + ".job." + job.Namespace + ".svc.cluster.local"; !containsLine(log, want) {
			t.Errorf("peer %s: hostname is not %s:\n%s", index, want, log)
		}
	}
}

// TestIPv6 publishes the peers with IPv6 addresses alone.
func TestIPv6(t *testing.T) {
	t.Parallel()
	requireIPv6(t)
	const script = `for ((i = 0; i < PEERJOB_SIZE; i++)); do
  peer=$PEERJOB_NAME-$i.$PEERJOB_SERVICE
  until ping -6 -c 1 -W 1 "$peer" > /dev/null 2>&1; do sleep 0.5; done
  echo "reached $i"
  getent ahosts "$peer"
done
`
	job := apply(t, peers(3, script+stay, "service: {ipFamilyPolicy: SingleStack, ipFamilies: [IPv6]}").Layer)
	logs := mustComplete(t, job, patience)
	checkMet(t, logs, 3)
	for index, log := range logs {
		for line := range strings.Lines(log) {
			if strings.Contains(line, "STREAM") && !strings.Contains(line, ":") {
				t.Errorf("peer %s sees an IPv4 address: %s", index, line)
			}
		}
	}
}

// requireIPv6 skips where the cluster gives no IPv6 addresses.
func requireIPv6(t *testing.T) {
	t.Helper()
	ns := newNamespace(t, nil)
	_, err := kubernetes.CoreV1().Services(ns).Create(interrupted, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "try"},
		Spec:       corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Selector: map[string]string{"a": "b"}, IPFamilies: []corev1.IPFamily{corev1.IPv6Protocol}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Skipf("the cluster has no IPv6: %v", err)
	}
}

// dnsServer is the address of the cluster's DNS: a Service on most clusters.
func dnsServer(t *testing.T) string {
	t.Helper()
	if os.Getenv(kubeconfigVariable) == "" {
		return node.DNS
	}
	service, err := kubernetes.CoreV1().Services("kube-system").Get(interrupted, "kube-dns", metav1.GetOptions{})
	if err != nil {
		t.Skipf("the address of the cluster's DNS is not known: %v", err)
	}
	return service.Spec.ClusterIP
}

// TestManyPeers runs fifty peers, which take a busy machine minutes to start.
func TestManyPeers(t *testing.T) {
	const n = 50
	job := apply(t, peers(n, meet, "barrier: {start: Enabled, end: Enabled, endTimeoutSeconds: 300}").Layer)
	checkMet(t, mustComplete(t, job, 2*patience), n)
}

func allRunning(n int) func([]corev1.Pod) bool {
	return func(pods []corev1.Pod) bool {
		running := 0
		for _, pod := range pods {
			if pod.Status.Phase == corev1.PodRunning {
				running++
			}
		}
		return running == n
	}
}
