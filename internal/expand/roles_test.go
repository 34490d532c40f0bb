// SPDX-License-Identifier: Apache-2.0

package expand

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/rules"
)

const roles = `
metadata: {name: train, namespace: ml, labels: {team: t}}
spec:
  service: {name: hub}
  networkPolicy: {ingress: PeersOnly}
  barrier: {start: Enabled, end: Enabled}
  runner: {image: x}
  successRoles: [launcher]
  suspend: true
  ttlSecondsAfterFinished: 60
  job: {labels: {queue: a, tier: b}}
  files: [{path: /etc/list, content: text}]
  roles:
  - name: launcher
    peers: 1
    template: {spec: {containers: [{name: main, image: x, command: [run], ports: [{name: api, containerPort: 80}]}]}}
  - name: data-loader
    peers: 2
    backoffLimit: 3
    ttlSecondsAfterFinished: 30
    job: {labels: {queue: c}}
    dependsOn: [{name: launcher, status: Started}]
    template: {metadata: {labels: {own: d}}, spec: {containers: [{name: load, image: x, command: [load], ports: [{name: api, containerPort: 81}, {containerPort: 80}]}]}}
`

// roleAgreements returns what the objects of a PeerJob with roles do not agree in.
func roleAgreements(g *peerjob.Group, objects []origin.Object) []string {
	var broken []string
	wrong := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	service := objects[0].Object.(*corev1.Service)
	var jobs []*batchv1.Job
	for _, o := range objects {
		if job, ok := o.Object.(*batchv1.Job); ok {
			jobs = append(jobs, job)
		}
	}
	if len(jobs) != len(g.All()) {
		return []string{fmt.Sprintf("%d Jobs of %d roles", len(jobs), len(g.All()))}
	}
	for i, job := range jobs {
		role, template := g.All()[i], &job.Spec.Template
		if job.Name != g.PeerJob.Name+"-"+role.RoleName() || *job.Spec.Completions != role.Peers() || *job.Spec.Parallelism != role.Peers() {
			wrong("the Job %s with %d peers is not that of the role %s", job.Name, *job.Spec.Completions, role.RoleName())
		}
		if template.Spec.Subdomain != service.Name {
			wrong("%s: the subdomain is %s", job.Name, template.Spec.Subdomain)
		}
		if rules.Selects(service, template, job) != rules.SelectsAll {
			wrong("%s: the Service does not select its Pods", job.Name)
		}
		for _, container := range template.Spec.Containers {
			values := rules.Resolve(container.Env, rules.PodFields(template, job.Name, "ml", "0"))
			named := map[string]string{}
			for j, variable := range container.Env {
				named[variable.Name] = values.List[j]
			}
			if named["PEERJOB_ROLE"] == "" {
				continue // without the peers' environment
			}
			leader := jobs[0].Name + "-0." + service.Name
			if named["PEERJOB_LEADER"] != leader || named["PEERJOB_ROLE"] != role.RoleName() || named["PEERJOB_SELF"] != job.Name+"-0."+service.Name {
				wrong("%s: %v", job.Name, named)
			}
			for k, other := range jobs {
				prefix := "PEERJOB_" + strings.ReplaceAll(strings.ToUpper(g.All()[k].RoleName()), "-", "_")
				if named[prefix+"_NAME"] != other.Name || named[prefix+"_LEADER"] != other.Name+"-0."+service.Name || named[prefix+"_SIZE"] != strconv.Itoa(int(*other.Spec.Completions)) {
					wrong("%s: the variables %s are %v", job.Name, prefix, named)
				}
			}
		}
	}
	return broken
}

func TestGroup_roles(t *testing.T) {
	pj, before := read(t, roles), read(t, roles)
	group := peerjob.NewGroup(pj, "")
	objects := Group(group)
	if broken := roleAgreements(group, objects); len(broken) > 0 {
		t.Error(strings.Join(broken, "\n"))
	}
	if diff := cmp.Diff(before, pj); diff != "" {
		t.Errorf("the PeerJob was changed (-before +after):\n%s", diff)
	}
	var kinds, ports []string
	for _, o := range objects {
		kinds = append(kinds, o.GetObjectKind().GroupVersionKind().Kind+" "+o.GetName())
	}
	want := []string{"Service hub", "ConfigMap " + group.FilesConfigMapName(), "NetworkPolicy train", "Job train-launcher", "Job train-data-loader"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	service := objects[0].Object.(*corev1.Service)
	for _, port := range service.Spec.Ports {
		ports = append(ports, fmt.Sprintf("%s %d", port.Name, port.Port))
	}
	if diff := cmp.Diff([]string{"api 80", "tcp-81 81", "peerjob-runner 7450"}, ports); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
	launcher, loader := objects[3].Object.(*batchv1.Job), objects[4].Object.(*batchv1.Job)
	if diff := cmp.Diff(map[string]string{"team": "t", "queue": "a", "tier": "b"}, launcher.Labels); diff != "" {
		t.Errorf("labels of the launcher (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"team": "t", "queue": "c", "tier": "b"}, loader.Labels); diff != "" {
		t.Errorf("labels of the loader (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"own": "d", "peerjob.dev/group": "hub"}, loader.Spec.Template.Labels); diff != "" {
		t.Errorf("labels of the Pods (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"peerjob.dev/service": "hub", "peerjob.dev/job-0": "train-launcher", "peerjob.dev/job-1": "train-data-loader"}, loader.Spec.Template.Annotations); diff != "" {
		t.Errorf("annotations of the Pods (-want +got):\n%s", diff)
	}
	if *launcher.Spec.TTLSecondsAfterFinished != 60 || *loader.Spec.TTLSecondsAfterFinished != 30 || !*loader.Spec.Suspend || launcher.Spec.BackoffLimit != nil || *loader.Spec.BackoffLimit != 3 {
		t.Errorf("the Jobs are %+v and %+v", launcher.Spec, loader.Spec)
	}
	command := loader.Spec.Template.Spec.Containers[0].Command
	if diff := cmp.Diff([]string{
		"/peerjob/peerjob-runner", "run", "--port=7450", "--start-timeout=600s", "--end-timeout=30s",
		"--role=launcher:1", "--role=data-loader:2", "--depends-on=launcher:Started", "--success-role=launcher", "--", "load",
	}, command); diff != "" {
		t.Errorf("command (-want +got):\n%s", diff)
	}
	policy := objects[2].Object.(*networkingv1.NetworkPolicy)
	peers := map[string]string{"peerjob.dev/group": "hub"}
	if from := policy.Spec.Ingress[0].From; !maps.Equal(policy.Spec.PodSelector.MatchLabels, peers) || len(from) != 1 || !maps.Equal(from[0].PodSelector.MatchLabels, peers) ||
		len(policy.Spec.Ingress) != 1 || policy.Spec.Ingress[0].Ports != nil || !cmp.Equal(policy.Spec.PolicyTypes, []networkingv1.PolicyType{"Ingress"}) || policy.Spec.Egress != nil {
		t.Errorf("the NetworkPolicy is %+v", policy.Spec)
	}
}

// TestGroup_rolesOrigins has the fields of a PeerJob that the fields of a role's Job came
// from.
func TestGroup_rolesOrigins(t *testing.T) {
	objects := Group(peerjob.NewGroup(read(t, roles), ""))
	for _, tt := range []struct {
		object   int
		path     string
		badValue any
		want     string
	}{
		{3, "spec.completions", nil, "spec.roles[0].peers"},
		{4, "spec.template.spec.containers[0].image", nil, "spec.roles[1].template.spec.containers[0].image"},
		{4, "spec.backoffLimit", nil, "spec.roles[1].backoffLimit"},
		{4, "spec.ttlSecondsAfterFinished", nil, "spec.roles[1].ttlSecondsAfterFinished"},
		{3, "spec.ttlSecondsAfterFinished", nil, "spec.ttlSecondsAfterFinished"},
		{4, "metadata.labels", "c", "spec.roles[1].job.labels"},
		{4, "metadata.labels", "b", "spec.job.labels"},
		{4, "metadata.labels", "t", "metadata.labels"},
		{4, "metadata.name", nil, "metadata.name"},
		{4, "spec.template.metadata.labels", "hub", "spec.service.name"},
		{0, "spec.ports[1].port", nil, "spec.roles[1].template.spec.containers[0].ports[0].containerPort"},
		{2, "spec.ingress[0].from[0]", nil, "spec.networkPolicy"},
		{2, "spec.podSelector.matchLabels", "hub", "spec.service.name"},
		{2, "metadata.name", nil, "metadata.name"},
	} {
		if got := objects[tt.object].Origins.Of(tt.path, tt.badValue); got != tt.want {
			t.Errorf("%s of object %d (%v) came from %s, want %s", tt.path, tt.object, tt.badValue, got, tt.want)
		}
	}
}

// TestHash_roles has one hash for the Jobs of all roles, which each of them changes.
func TestHash_roles(t *testing.T) {
	first := hash(t, roles)
	for _, change := range [][2]string{{"[run]", "[walk]"}, {"[load]", "[store]"}, {"peers: 2", "peers: 3"}, {"name: launcher\n", "name: first\n"}} {
		if changed := hash(t, strings.Replace(roles, change[0], change[1], 1)); changed == first {
			t.Errorf("%v changes no hash", change)
		}
	}
	objects := Group(peerjob.NewGroup(read(t, roles), "0123456789"))
	for i, want := range []string{"hub-0123456789", "", "train-0123456789", "train-launcher-0123456789", "train-data-loader-0123456789"} {
		if got := objects[i].GetName(); want != "" && got != want {
			t.Errorf("object %d is %s, want %s", i, got, want)
		}
	}
	if got := objects[0].Object.(*corev1.Service).Spec.Selector["peerjob.dev/group"]; got != "hub-0123456789" {
		t.Errorf("the Service selects the group %s", got)
	}
}

// TestGroup_filesOfRoles has the volume of the files in the Pods that have one of them.
func TestGroup_filesOfRoles(t *testing.T) {
	source := strings.Replace(roles, "content: text}", "content: text, containers: [load]}", 1)
	i := 0
	for _, o := range Group(peerjob.NewGroup(read(t, source), "")) {
		job, isJob := o.Object.(*batchv1.Job)
		if !isJob {
			continue
		}
		var volumes []string
		for _, volume := range job.Spec.Template.Spec.Volumes {
			volumes = append(volumes, volume.Name)
		}
		want := [][]string{{"peerjob-runner"}, {"peerjob-files", "peerjob-runner"}}[i]
		if diff := cmp.Diff(want, volumes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", job.Name, diff)
		}
		i++
	}
	if i != 2 {
		t.Errorf("%d Jobs", i)
	}
}
