// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/decode"
)

// valid is a PeerJob on which each case changes one thing.
const valid = `
metadata: {name: train, namespace: ml}
spec:
  peers: 3
  template:
    spec:
      containers: [{name: w, image: x}]
`

func decodeValid(t *testing.T, change func(string) string) *Group {
	t.Helper()
	text := valid
	if change != nil {
		if text = change(text); text == valid {
			t.Fatal("the change changed nothing")
		}
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	pj, errs := decode.PeerJob(document.Content[0], nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	v1alpha1.Default(pj, v1alpha1.Settings{})
	return NewGroup(pj, "")
}

func swap(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

// pod puts fields into the Pod's spec.
func pod(fields string) func(string) string {
	return swap("    spec:\n      containers", "    spec:\n      "+fields+"\n      containers")
}

func TestValidate(t *testing.T) {
	tests := map[string]struct {
		change func(string) string
		// want are the type and the field of each error, and a part of its text.
		want []string
	}{
		"valid":            {nil, nil},
		"a bad namespace":  {swap("ml", "M_L"), []string{"metadata.namespace: Invalid value: \"M_L\""}},
		"the longest name": {swap("name: train", "name: "+strings.Repeat("a", 61)), nil},
		"one more letter":  {swap("name: train", "name: "+strings.Repeat("a", 62)), []string{"no more than 61 characters for 3 peers"}},
		"the longest name for 100000 peers": {func(s string) string {
			return swap("train", strings.Repeat("a", 57))(swap("peers: 3", "peers: 100000")(s))
		}, nil},
		"one more letter for 100000 peers": {func(s string) string {
			return swap("train", strings.Repeat("a", 58))(swap("peers: 3", "peers: 100000")(s))
		}, []string{"no more than 57 characters for 100000 peers"}},
		"a name that starts with a digit, with a Service name": {func(s string) string {
			return swap("name: train", "name: 3d")(swap("peers: 3", "peers: 3\n  service: {name: hub}")(s))
		}, nil},
		"an upper case name":                      {swap("name: train", "name: Train"), []string{"metadata.name: Invalid value: \"Train\""}},
		"a long Service name":                     {swap("peers: 3", "peers: 3\n  service: {name: "+strings.Repeat("s", 63)+"}"), nil},
		"too long a Service name":                 {swap("peers: 3", "peers: 3\n  service: {name: "+strings.Repeat("s", 64)+"}"), []string{"spec.service.name: Invalid value"}},
		"depends-on on the Service":               {swap("peers: 3", "peers: 3\n  service: {annotations: {config.kubernetes.io/depends-on: x}}"), nil},
		"a reserved annotation on the Service":    {swap("peers: 3", "peers: 3\n  service: {annotations: {config.kubernetes.io/local-config: x}}"), []string{"spec.service.annotations[config.kubernetes.io/local-config]: Forbidden"}},
		"a reserved label on the Service":         {swap("peers: 3", "peers: 3\n  service: {labels: {peerjob.dev/x: x}}"), []string{"spec.service.labels[peerjob.dev/x]: Forbidden"}},
		"finalizers":                              {swap("namespace: ml", "finalizers: [a/b], ownerReferences: [{name: x}]"), []string{"metadata.ownerReferences: Forbidden", "metadata.finalizers: Forbidden"}},
		"peerEnv of a third kind":                 {swap("peers: 3", "peers: 3\n  peerEnv: enabled"), []string{"spec.peerEnv: Unsupported value: \"enabled\": supported values: \"Enabled\", \"Disabled\""}},
		"peerEnv, as a boolean":                   {swap("peers: 3", "peers: 3\n  peerEnv: 'off'"), []string{"spec.peerEnv: Unsupported value: \"off\": supported values: \"Enabled\", \"Disabled\"; did you mean \"Disabled\"?"}},
		"a bad cluster domain":                    {swap("peers: 3", "peers: 3\n  clusterDomain: -x"), []string{"spec.clusterDomain: Invalid value: \"-x\""}},
		"peerjob's own annotation by hand":        {swap("template:", "template:\n    metadata: {annotations: {peerjob.dev/service: x}}"), []string{"spec.template.metadata.annotations[peerjob.dev/service]: Forbidden: is set by peerjob"}},
		"the controller's labels by hand":         {swap("template:", "template:\n    metadata: {labels: {job-name: other, batch.kubernetes.io/controller-uid: x, peerjob.dev/a: b, mine: c}}"), []string{"spec.template.metadata.labels[batch.kubernetes.io/controller-uid]: Forbidden: is set by the Job controller", "spec.template.metadata.labels[job-name]: Forbidden: is set by the Job controller", "spec.template.metadata.labels[peerjob.dev/a]: Forbidden: is set by peerjob"}},
		"peerjob's variable":                      {swap("image: x", "image: x, env: [{name: A}, {name: PEERJOB_LEADER}]"), []string{"spec.template.spec.containers[0].env[1].name: Invalid value: \"PEERJOB_LEADER\""}},
		"peerjob's variable in an init container": {pod("initContainers: [{name: i, env: [{name: JOB_COMPLETION_INDEX}]}]"), []string{"spec.template.spec.initContainers[0].env[0].name: Invalid value"}},
		"peerjob's variable without peerEnv": {func(s string) string {
			return swap("image: x", "image: x, env: [{name: PEERJOB_LEADER}]")(swap("peers: 3", "peers: 3\n  peerEnv: Disabled")(s))
		}, nil},
		"subdomain":                             {pod("subdomain: other"), []string{"spec.template.spec.subdomain: Invalid value: \"other\": must be the name of the Service, \"train\""}},
		"the right subdomain":                   {pod("subdomain: train"), nil},
		"hostname":                              {pod("hostname: x"), []string{"spec.template.spec.hostname: Invalid value: \"x\": must not be set"}},
		"hostnameOverride":                      {pod("hostnameOverride: x"), []string{"spec.template.spec.hostnameOverride: Invalid value: \"x\": must not be set"}},
		"dnsPolicy Default":                     {pod("dnsPolicy: Default"), []string{"spec.template.spec.dnsPolicy: Invalid value: \"Default\""}},
		"dnsPolicy ClusterFirst":                {pod("dnsPolicy: ClusterFirst"), nil},
		"hostNetwork":                           {pod("hostNetwork: true"), nil},
		"hostNetwork with ClusterFirst":         {pod("hostNetwork: true\n      dnsPolicy: ClusterFirst"), []string{"set ClusterFirstWithHostNet"}},
		"hostNetwork with the right policy":     {pod("hostNetwork: true\n      dnsPolicy: ClusterFirstWithHostNet"), nil},
		"dnsPolicy None":                        {pod("dnsPolicy: None"), []string{"spec.template.spec.dnsConfig.nameservers: Required value", "spec.template.spec.dnsConfig.searches: Required value: with dnsPolicy None: \"ml.svc.cluster.local\""}},
		"dnsPolicy None with what it needs":     {pod("dnsPolicy: None\n      dnsConfig: {nameservers: [10.0.0.10], searches: [ml.svc.cluster.local.]}"), nil},
		"dnsPolicy None with another namespace": {pod("dnsPolicy: None\n      dnsConfig: {nameservers: [10.0.0.10], searches: [x.svc.cluster.local]}"), []string{"spec.template.spec.dnsConfig.searches: Required value"}},
		"dnsPolicy None without a namespace": {func(s string) string {
			return swap(", namespace: ml", "")(pod("dnsPolicy: None\n      dnsConfig: {nameservers: [10.0.0.10], searches: [x.svc.cluster.local]}")(s))
		}, nil},
		"dnsPolicy None with a foreign domain": {func(s string) string {
			return swap(", namespace: ml", "")(pod("dnsPolicy: None\n      dnsConfig: {nameservers: [10.0.0.10], searches: [example.com]}")(s))
		}, []string{"\"<namespace>.svc.cluster.local\""}},
		"a host name as FQDN": {pod("setHostnameAsFQDN: true"), nil},
		"a host name as FQDN, turned off": {func(s string) string {
			return swap("name: train", "name: "+strings.Repeat("a", 40))(pod("setHostnameAsFQDN: false")(s))
		}, nil},
		// <20>-2.<20>.ml.svc.cluster.local: 20+2+1+20+1+2+18 = 64.
		"a host name as FQDN of 64": {func(s string) string {
			return swap("name: train", "name: "+strings.Repeat("a", 20))(pod("setHostnameAsFQDN: true")(s))
		}, nil},
		"a host name as FQDN of 66": {func(s string) string {
			return swap("name: train", "name: "+strings.Repeat("a", 21))(pod("setHostnameAsFQDN: true")(s))
		}, []string{"has 66 characters"}},
		"a host name as FQDN, anywhere": {func(s string) string {
			return swap("name: train, namespace: ml", "name: "+strings.Repeat("a", 21))(pod("setHostnameAsFQDN: true")(s))
		}, []string{"has at least 65 characters"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			errs := Validate(decodeValid(t, tt.change), nil)
			if len(errs) != len(tt.want) {
				t.Fatalf("%d errors, want %d: %v", len(errs), len(tt.want), errs)
			}
			for i, err := range errs {
				if !strings.Contains(err.Error(), tt.want[i]) {
					t.Errorf("error %d is %q, want %q in it", i, err, tt.want[i])
				}
			}
		})
	}
}

func TestDerivedPorts(t *testing.T) {
	tests := map[string]struct {
		pod  string
		want []string
	}{
		"none":                   {"containers: [{name: w}]", nil},
		"named":                  {"containers: [{name: w, ports: [{name: web, containerPort: 80}]}]", []string{"web 80 TCP spec.template.spec.containers[0].ports[0]"}},
		"unnamed":                {"containers: [{name: w, ports: [{containerPort: 80}, {containerPort: 53, protocol: UDP}]}]", []string{"tcp-80 80 TCP spec.template.spec.containers[0].ports[0]", "udp-53 53 UDP spec.template.spec.containers[0].ports[1]"}},
		"one port of two":        {"containers: [{name: w, ports: [{containerPort: 80}]}, {name: v, ports: [{name: web, containerPort: 80, protocol: TCP}]}]", []string{"tcp-80 80 TCP spec.template.spec.containers[0].ports[0]"}},
		"one number, two sorts":  {"containers: [{name: w, ports: [{containerPort: 53}, {containerPort: 53, protocol: UDP}]}]", []string{"tcp-53 53 TCP spec.template.spec.containers[0].ports[0]", "udp-53 53 UDP spec.template.spec.containers[0].ports[1]"}},
		"one name of two":        {"containers: [{name: w, ports: [{name: web, containerPort: 80}]}, {name: v, ports: [{name: web, containerPort: 81}]}]", []string{"web 80 TCP spec.template.spec.containers[0].ports[0]", "tcp-81 81 TCP spec.template.spec.containers[1].ports[0]"}},
		"a name that looks made": {"containers: [{name: w, ports: [{containerPort: 80}, {name: tcp-80, containerPort: 81}]}]", []string{"tcp-80-2 80 TCP spec.template.spec.containers[0].ports[0]", "tcp-80 81 TCP spec.template.spec.containers[0].ports[1]"}},
		"of a native sidecar":    {"initContainers: [{name: i, ports: [{containerPort: 1}]}, {name: s, restartPolicy: Always, ports: [{containerPort: 2}]}]\n      containers: [{name: w, ports: [{containerPort: 3}]}]", []string{"tcp-3 3 TCP spec.template.spec.containers[0].ports[0]", "tcp-2 2 TCP spec.template.spec.initContainers[1].ports[0]"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := decodeValid(t, swap("containers: [{name: w, image: x}]", tt.pod))
			var got []string
			for _, p := range g.DerivedPorts() {
				got = append(got, strings.Join([]string{p.Name, strconv.Itoa(int(p.Port)), string(p.Protocol), p.Path.String()}, " "))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestValidate_peerEnvOfFramework has a variable of the peers in a PeerJob whose framework
// needs them all: what is advised must not be refused next.
func TestValidate_peerEnvOfFramework(t *testing.T) {
	for spec, want := range map[string]string{
		"":                                "spec.template.spec.containers[0].env[0].name: Invalid value: \"PEERJOB_LEADER\": is set by peerjob; remove it, or set spec.peerEnv to Disabled",
		"\n  framework: {type: Torchrun}": "spec.template.spec.containers[0].env[0].name: Invalid value: \"PEERJOB_LEADER\": is set by peerjob; remove it",
	} {
		g := decodeValid(t, func(s string) string {
			return swap("image: x", "image: x, env: [{name: PEERJOB_LEADER}]")(swap("peers: 3", "peers: 3"+spec)(s))
		})
		if got := findings(g, nil); !slices.Contains(got, want) {
			t.Errorf("%q: %q lack %q", spec, got, want)
		}
	}
}
