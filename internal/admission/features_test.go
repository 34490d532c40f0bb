// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/admission"
	"github.com/peerjob/peerjob/internal/expand"
	"github.com/peerjob/peerjob/internal/framework"
)

func version(t *testing.T, text string) (refused, warned []string) {
	t.Helper()
	g := read(t, text)
	errs, warnings := admission.CheckVersion(g, expand.Group(g))
	for _, err := range errs {
		refused = append(refused, err.Error())
	}
	for _, w := range warnings {
		warned = append(warned, w.Field+": "+w.Message)
	}
	return refused, warned
}

// TestCheckVersion has features with the minor version that the Kubernetes
// documentation gives for each: it must be taken there, and refused one before.
func TestCheckVersion(t *testing.T) {
	tests := map[string]struct {
		minor int
		spec  string
		path  string
	}{
		"podFailurePolicy":       {26, "podFailurePolicy: {rules: [{action: Ignore}]}", "spec.podFailurePolicy"},
		"backoffLimitPerIndex":   {29, "backoffLimitPerIndex: 1", "spec.backoffLimitPerIndex"},
		"maxFailedIndexes":       {29, "maxFailedIndexes: 1", "spec.maxFailedIndexes"},
		"podReplacementPolicy":   {29, "podReplacementPolicy: Failed", "spec.podReplacementPolicy"},
		"failurePolicy":          {29, "failurePolicy: {action: FailPeerJob}", "spec.failurePolicy"},
		"successPolicy":          {31, "successPolicy: {rules: [{succeededIndexes: '0'}]}", "spec.successPolicy"},
		"managedBy":              {32, "managedBy: example.com/x", "spec.managedBy"},
		"FailIndex":              {29, "podFailurePolicy: {rules: [{action: FailIndex}]}", "spec.podFailurePolicy.rules[0].action"},
		"native sidecar":         {29, "template: {spec: {initContainers: [{name: a}, {name: b, restartPolicy: Always}]}}", "spec.template.spec.initContainers[1].restartPolicy"},
		"restartPolicyRules":     {35, "template: {spec: {containers: [{name: a, restartPolicyRules: [{action: Restart}]}]}}", "spec.template.spec.containers[0].restartPolicyRules"},
		"container restart":      {35, "template: {spec: {containers: [{name: a, restartPolicy: Never}]}}", "spec.template.spec.containers[0].restartPolicy"},
		"RestartAllContainers":   {36, "template: {spec: {containers: [{name: a, restartPolicyRules: [{action: RestartAllContainers}]}]}}", "spec.template.spec.containers[0].restartPolicyRules[0].action"},
		"grpc probe":             {24, "template: {spec: {containers: [{name: a, livenessProbe: {grpc: {port: 1}}}]}}", "spec.template.spec.containers[0].livenessProbe.grpc"},
		"schedulingGates":        {27, "template: {spec: {schedulingGates: [{name: a}]}}", "spec.template.spec.schedulingGates"},
		"image volume":           {35, "template: {spec: {volumes: [{name: a, image: {reference: x}}]}}", "spec.template.spec.volumes[0].image"},
		"sleep":                  {30, "template: {spec: {containers: [{name: a, lifecycle: {preStop: {sleep: {seconds: 1}}}}]}}", "spec.template.spec.containers[0].lifecycle.preStop.sleep"},
		"resource claims":        {34, "template: {spec: {resourceClaims: [{name: a}]}}", "spec.template.spec.resourceClaims"},
		"pod-level resources":    {34, "template: {spec: {resources: {limits: {cpu: 1}}}}", "spec.template.spec.resources"},
		"user namespaces":        {33, "template: {spec: {hostUsers: false}}", "spec.template.spec.hostUsers"},
		"appArmorProfile":        {30, "template: {spec: {securityContext: {appArmorProfile: {type: Unconfined}}}}", "spec.template.spec.securityContext.appArmorProfile"},
		"procMount":              {33, "template: {spec: {containers: [{name: a, securityContext: {procMount: Unmasked}}]}}", "spec.template.spec.containers[0].securityContext.procMount"},
		"a digit first":          {36, "service: {name: 3d}", "spec.service.name"},
		"host IPs":               {29, "template: {spec: {containers: [{name: a, env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.hostIPs}}}]}]}}", "spec.template.spec.containers[0].env[0].valueFrom.fieldRef.fieldPath"},
		"the zone":               {35, "template: {spec: {containers: [{name: a, env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['topology.kubernetes.io/zone']\"}}}]}]}}", "spec.template.spec.containers[0].env[0].valueFrom.fieldRef.fieldPath"},
		"the region in a volume": {35, "template: {spec: {volumes: [{name: a, downwardAPI: {items: [{path: a, fieldRef: {fieldPath: \"metadata.labels['topology.kubernetes.io/region']\"}}]}}]}}", "spec.template.spec.volumes[0].downwardAPI.items[0].fieldRef.fieldPath"},
		"host IPs in a volume":   {29, "template: {spec: {volumes: [{name: a, downwardAPI: {items: [{path: a, fieldRef: {fieldPath: status.hostIPs}}]}}]}}", "spec.template.spec.volumes[0].downwardAPI.items[0].fieldRef.fieldPath"},
		"no sleep":               {33, "template: {spec: {containers: [{name: a, lifecycle: {preStop: {sleep: {seconds: 0}}}}]}}", "spec.template.spec.containers[0].lifecycle.preStop.sleep"},
		"seven searches":         {26, "template: {spec: {dnsConfig: {searches: [a, b, c, d, e, f, g]}}}", "spec.template.spec.dnsConfig.searches"},
		"a long search":          {26, "template: {spec: {dnsConfig: {searches: [" + strings.Repeat("abcdefghi.", 26) + "a]}}}", "spec.template.spec.dnsConfig.searches"},
		"a search of a dot":      {33, "template: {spec: {dnsConfig: {searches: [a, .]}}}", "spec.template.spec.dnsConfig.searches[1]"},
		"an underscore":          {33, "template: {spec: {dnsConfig: {searches: [a_b.c]}}}", "spec.template.spec.dnsConfig.searches[0]"},
		"ReadWriteOncePod":       {27, "template: {spec: {volumes: [{name: a, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteMany, ReadWriteOncePod]}}}}]}}", "spec.template.spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes[1]"},
		"an index label":         {28, "peerEnv: Disabled, template: {spec: {containers: [{name: a, env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['batch.kubernetes.io/job-completion-index']\"}}}]}]}}", "spec.template.spec.containers[0].env[0].valueFrom.fieldRef.fieldPath"},
		"a name label":           {27, "template: {spec: {volumes: [{name: a, downwardAPI: {items: [{path: a, fieldRef: {fieldPath: \"metadata.labels['batch.kubernetes.io/job-name']\"}}]}}]}}", "spec.template.spec.volumes[0].downwardAPI.items[0].fieldRef.fieldPath"},
		"a label of a selector":  {27, "template: {spec: {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: z, labelSelector: {matchLabels: {batch.kubernetes.io/job-name: train}}}]}}}}", "spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchLabels"},
		"a selector's key":       {27, "template: {spec: {topologySpreadConstraints: [{topologyKey: z, labelSelector: {matchExpressions: [{key: batch.kubernetes.io/controller-uid, operator: Exists}]}}]}}", "spec.template.spec.topologySpreadConstraints[0].labelSelector.matchExpressions[0].key"},
		"a sysctl with slashes":  {23, "template: {spec: {securityContext: {sysctls: [{name: net/core/somaxconn, value: '1'}]}}}", "spec.template.spec.securityContext.sysctls[0].name"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			at := func(minor int) string {
				return fmt.Sprintf("metadata: {name: a}\nspec: {peers: 1, kubernetesVersion: '1.%d', %s}", minor, tt.spec)
			}
			if got, _ := version(t, at(tt.minor)); slices.ContainsFunc(got, func(err string) bool { return strings.HasPrefix(err, tt.path+":") }) {
				t.Errorf("refused by 1.%d: %v", tt.minor, got)
			}
			got, _ := version(t, at(tt.minor-1))
			want := fmt.Sprintf("needs Kubernetes 1.%d", tt.minor)
			if !slices.ContainsFunc(got, func(err string) bool { return strings.HasPrefix(err, tt.path+":") && strings.Contains(err, want) }) {
				t.Errorf("1.%d says %v, want %s on %s", tt.minor-1, got, want, tt.path)
			}
			// Without a version only what no server takes is refused.
			if got, _ := version(t, "metadata: {name: a}\nspec: {peers: 1, "+tt.spec+"}"); len(got) > 0 {
				t.Errorf("refused without a version: %v", got)
			}
		})
	}
}

// TestCheckVersion_keptOrEmpty has what a server takes although the gate is off:
// a field that it keeps in the Job, and a value that asks for nothing.
func TestCheckVersion_keptOrEmpty(t *testing.T) {
	const claim = "spec.template.spec.volumes[0].ephemeral.volumeClaimTemplate.spec."
	tests := map[string]struct{ spec, refused, warned string }{
		"procMount as it is without the gate": {
			"kubernetesVersion: '1.30', template: {spec: {containers: [{name: a, securityContext: {procMount: Default}}]}}", "", "",
		},
		"a data source of another namespace": {
			"kubernetesVersion: '1.36', template: {spec: {volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {dataSourceRef: {kind: A, name: b, namespace: c}}}}}]}}",
			"", claim + "dataSourceRef.namespace: needs the feature gate CrossNamespaceVolumeDataSource, which is off by default: a server without it keeps the field in the Job and drops it from the claim that it makes",
		},
		"the same without a version": {
			"template: {spec: {volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {dataSourceRef: {kind: A, name: b, namespace: c}}}}}]}}",
			"", claim + "dataSourceRef.namespace: needs the feature gate CrossNamespaceVolumeDataSource, which is off by default: a server without it keeps the field in the Job and drops it from the claim that it makes",
		},
		"a class of volume attributes": {
			"kubernetesVersion: '1.31', template: {spec: {volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {volumeAttributesClassName: a}}}}]}}",
			"", claim + "volumeAttributesClassName: needs Kubernetes 1.34: an older server keeps the field in the Job and drops it from the claim that it makes",
		},
		"a class for a server without the field": {
			"kubernetesVersion: '1.28', template: {spec: {volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {volumeAttributesClassName: a}}}}]}}",
			claim + `volumeAttributesClassName: Forbidden: needs Kubernetes 1.29, and spec.kubernetesVersion is "1.28"`, "",
		},
		"no stop signal": {
			"kubernetesVersion: '1.36', template: {spec: {containers: [{name: w, lifecycle: {stopSignal: ''}}]}}", "", "",
		},
		"no stop signal for a server without the field": {
			"kubernetesVersion: '1.32', template: {spec: {containers: [{name: w, lifecycle: {stopSignal: ''}}]}}",
			`spec.template.spec.containers[0].lifecycle.stopSignal: Forbidden: needs Kubernetes 1.33, and spec.kubernetesVersion is "1.32"`, "",
		},
		"a stop signal": {
			"kubernetesVersion: '1.37', template: {spec: {containers: [{name: w, lifecycle: {stopSignal: SIGUSR1}}]}}",
			"spec.template.spec.containers[0].lifecycle.stopSignal: Forbidden: needs the feature gate ContainerStopSignals, which is off by default in every version up to 1.37", "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			refused, warned := version(t, "metadata: {name: a}\nspec: {peers: 1, "+tt.spec+"}")
			if got := strings.Join(refused, "\n"); got != tt.refused {
				t.Errorf("refused %s, want %s", got, tt.refused)
			}
			if got := strings.Join(warned, "\n"); got != tt.warned {
				t.Errorf("warned %s, want %s", got, tt.warned)
			}
		})
	}
}

func TestCheckVersion_offByDefault(t *testing.T) {
	const spec = "template: {spec: {tolerations: [{key: a, operator: Gt, value: '1'}]}}"
	refused, _ := version(t, "metadata: {name: a}\nspec: {peers: 1, kubernetesVersion: '1.37', "+spec+"}")
	if len(refused) != 1 || refused[0] != "spec.template.spec.tolerations[0].operator: Forbidden: needs the feature gate TaintTolerationComparisonOperators, which is off by default in every version up to 1.37" {
		t.Error(refused)
	}
	refused, warned := version(t, "metadata: {name: a}\nspec: {peers: 1, "+spec+"}")
	if len(refused) != 0 || len(warned) != 1 || !strings.Contains(warned[0], "off by default") {
		t.Error(refused, warned)
	}
}

// TestCheckVersion_runner has an image volume that is in the Pod, and one that no barrier
// asks for, which no server sees.
func TestCheckVersion_runner(t *testing.T) {
	for barrier, want := range map[string]int{"barrier: {start: Enabled}, ": 1, "": 0} {
		refused, _ := version(t, "metadata: {name: a}\nspec: {peers: 1, kubernetesVersion: '1.30', "+barrier+"runner: {delivery: ImageVolume, image: x}, template: {spec: {containers: [{name: w, image: x, command: [a]}]}}}")
		if len(refused) != want {
			t.Errorf("%q: %v", barrier, refused)
		}
	}
}

// TestFeatures_exist makes sure that every entry of the table names a field,
// and tells from which version on it is there.
func TestFeatures_exist(t *testing.T) {
	for _, f := range admission.Features {
		found := false
		for field := range f.Type.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			found = found || name == f.Field
		}
		if !found {
			t.Errorf("%v has no field %s", f.Type, f.Field)
		}
		if (f.Gate == "") == (f.Since == 0) || (f.Since != 0) != (f.Source != "") {
			t.Errorf("%v.%s: wants a gate, or a version with its source", f.Type, f.Field)
		}
		if first, ever := f.First(); ever && (first <= v1alpha1.OldestMinor || first > v1alpha1.NewestMinor) {
			t.Errorf("%v.%s: first in 1.%d", f.Type, f.Field, first)
		}
	}
}

// TestFeatures_complete holds the table to Kubernetes' own markers: every
// field of the API below a Pod template that is marked with a feature gate
// must stand in it.
func TestFeatures_complete(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/api").Output()
	if err != nil {
		t.Skipf("the source of k8s.io/api can't be found: %v", err)
	}
	marked := markedFields(t, filepath.Join(strings.TrimSpace(string(out)), "core", "v1", "types.go"))
	if len(marked) < 15 {
		t.Fatalf("only %d marked fields were found: %v", len(marked), marked)
	}
	listed := map[string]bool{}
	for _, f := range admission.Features {
		listed[f.Type.Name()+"."+f.Field] = true
	}
	for _, name := range typesBelow(reflect.TypeFor[corev1.PodTemplateSpec](), map[reflect.Type]bool{}) {
		for _, field := range marked[name] {
			if !listed[name+"."+field] && name+"."+field != "EphemeralContainerCommon."+field {
				t.Errorf("%s.%s is marked with a feature gate and stands not in the table", name, field)
			}
		}
	}
}

var jsonName = regexp.MustCompile(`json:"([^,"]+)`)

// markedFields are the fields with a "+featureGate" marker, by struct.
func markedFields(t *testing.T, path string) map[string][]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	marked := map[string][]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				if f.Doc == nil || f.Tag == nil {
					continue
				}
				for _, comment := range f.Doc.List {
					if strings.Contains(comment.Text, "+featureGate=") {
						marked[spec.Name.Name] = append(marked[spec.Name.Name], jsonName.FindStringSubmatch(f.Tag.Value)[1])
					}
				}
			}
		}
		return true
	})
	return marked
}

// typesBelow are the names of the struct types that a type is made of.
func typesBelow(typ reflect.Type, seen map[reflect.Type]bool) []string {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || seen[typ] {
		return nil
	}
	seen[typ] = true
	names := []string{typ.Name()}
	for f := range typ.Fields() {
		names = append(names, typesBelow(f.Type, seen)...)
	}
	return names
}

// TestSuccessPolicyMinor holds what package framework says of success policies
// to the table.
func TestSuccessPolicyMinor(t *testing.T) {
	first, found := 0, false
	for _, f := range admission.Features {
		if f.Field == "successPolicy" {
			first, found = f.First()
		}
	}
	if !found || first != framework.SuccessPolicyMinor {
		t.Errorf("on by default from 1.%d, and package framework says 1.%d", first, framework.SuccessPolicyMinor)
	}
}

// TestCheckVersion_scheduling has the gang of the Job, which servers drop unless
// they have the gate.
func TestCheckVersion_scheduling(t *testing.T) {
	const spec = "scheduling: {schedulingPolicy: {gang: {minCount: 2}}}, template: {spec: {containers: [{name: w, image: x}]}}"
	refused, warned := version(t, "metadata: {name: a}\nspec: {peers: 2, "+spec+"}")
	if len(refused) != 0 || len(warned) != 1 || !strings.HasPrefix(warned[0], "spec.scheduling: needs the feature gate WorkloadWithJob") {
		t.Errorf("refused %v, warned %v", refused, warned)
	}
	refused, _ = version(t, "metadata: {name: a}\nspec: {peers: 2, kubernetesVersion: '1.37', "+spec+"}")
	if len(refused) != 1 || !strings.HasPrefix(refused[0], "spec.scheduling: Forbidden: needs the feature gate WorkloadWithJob") {
		t.Errorf("refused %v", refused)
	}
}
