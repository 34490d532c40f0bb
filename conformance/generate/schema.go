// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// add sets a field that the API has and the PeerJob has not, wherever in it.
func (g *generator) add(tree Object) {
	all := places(tree, reflect.TypeFor[v1alpha1.PeerJob]())
	for range 20 {
		place := one(g, all...)
		fields := fieldsOf(place.typ)
		name := one(g, slices.Sorted(maps.Keys(fields))...)
		if _, found := place.object[name]; found || isUnwanted(place.typ, name) {
			continue
		}
		value, ok := g.fill(name, fields[name], 0)
		if ok && g.chance(0.15) {
			// The server leaves out, or takes, a field that is set to nothing.
			value = empty(value)
		}
		if ok {
			place.object[name] = value
			return
		}
	}
}

// empty is the value of the same kind that says nothing.
func empty(value any) any {
	switch value.(type) {
	case string:
		return ""
	case int:
		return 0
	case bool:
		return false
	case Object:
		return Object{}
	case List:
		return List{}
	}
	return nil
}

// unwanted are the fields that peerjob refuses or leaves out, wherever they
// are set, so that nothing is learned from them. The version of the server is
// set by the caller. Templates and their values are gone before there is an
// object for the server: the verdicts are on what they render.
var unwanted = []string{
	"creationTimestamp", "deletionTimestamp", "finalizers", "generateName", "hostname", "hostnameOverride",
	"kubernetesVersion", "managedFields", "ownerReferences", "subdomain",
	"PeerJobSpec.snippets", "PeerJobSpec.templating", "PeerJobSpec.values", "PeerJobSpec.valuesFrom",
}

// isUnwanted reports whether a field of a type is in the list, by its name alone
// or with that of the type.
func isUnwanted(typ reflect.Type, name string) bool {
	return slices.Contains(unwanted, name) || slices.Contains(unwanted, typ.Name()+"."+name)
}

// place is an object of a tree that has fields, and its type in the API.
type place struct {
	object Object
	typ    reflect.Type
}

func places(tree any, typ reflect.Type) []place {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	var all []place
	switch tree := tree.(type) {
	case Object:
		if typ.Kind() != reflect.Struct {
			return nil
		}
		fields := fieldsOf(typ)
		if len(fields) > 0 {
			all = append(all, place{tree, typ})
		}
		for _, name := range slices.Sorted(maps.Keys(tree)) {
			if inner, found := fields[name]; found {
				all = append(all, places(tree[name], inner)...)
			}
		}
	case List:
		if typ.Kind() != reflect.Slice {
			return nil
		}
		for _, element := range tree {
			all = append(all, places(element, typ.Elem())...)
		}
	}
	return all
}

// fieldsOf returns the types of a struct's fields by their names in JSON.
func fieldsOf(typ reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for f := range typ.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "" && f.Type.Kind() == reflect.Struct:
			maps.Copy(fields, fieldsOf(f.Type))
		case name != "" && name != "-" && f.IsExported():
			fields[name] = f.Type
		}
	}
	return fields
}

// fill returns a value for a field of the type, and whether it knows one.
func (g *generator) fill(name string, typ reflect.Type, depth int) (any, bool) {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch typ {
	case reflect.TypeFor[resource.Quantity]():
		return g.value(quantity), true
	case reflect.TypeFor[intstr.IntOrString]():
		return g.value(anyPort), true
	}
	if reflect.PointerTo(typ).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return nil, false
	}
	switch typ.Kind() {
	case reflect.Struct:
		return g.fillObject(typ, depth), true
	case reflect.Slice:
		return g.fillList(name, typ.Elem(), depth), true
	case reflect.Map:
		if typ.Elem().Kind() == reflect.String {
			return g.labels(), true
		}
		return g.resourceList(), true
	case reflect.String:
		return g.word(name, typ.Name()), true
	case reflect.Bool:
		return g.value(yesOrNo), true
	case reflect.Int32, reflect.Int64:
		return one(g, 0, 1, 1, 2, 3, 42, 80, 600, 3600, -1, 65536), true
	}
	return nil, false
}

func (g *generator) fillObject(typ reflect.Type, depth int) Object {
	o := Object{}
	fields := fieldsOf(typ)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		// Few of the many fields of a large type, most of a small one's.
		if !g.chance(2.5/float64(len(fields)+depth)) || isUnwanted(typ, name) {
			continue
		}
		if value, ok := g.fill(name, fields[name], depth+1); ok {
			o[name] = value
		}
	}
	return o
}

func (g *generator) fillList(name string, elem reflect.Type, depth int) List {
	l := List{}
	for range one(g, 1, 1, 1, 2, 0) {
		if value, ok := g.fill(name, elem, depth+1); ok {
			l = append(l, value)
		}
	}
	return l
}

// word returns a string for a field: one of those that its type or its name
// asks for, or any.
func (g *generator) word(name, typ string) string {
	words, found := wordsOf[typ]
	if !found {
		words = wordsOf[name]
	}
	if len(words) == 0 || g.chance(0.1) {
		words = []string{"x", "a-b", "main", "/a", "a/b", "example.com/x", "1", "", "A_B", "x:y", "Enabled", "Always", "None"}
	}
	return one(g, words...)
}

// wordsOf are the strings that a type, or else a field of any type, takes.
var wordsOf = map[string][]string{
	"AppArmorProfileType":                     {"Unconfined", "RuntimeDefault", "Localhost"},
	"AzureDataDiskCachingMode":                {"None", "ReadOnly", "ReadWrite"},
	"AzureDataDiskKind":                       {"Shared", "Dedicated", "Managed"},
	"Capability":                              {"NET_ADMIN", "ALL", "CAP_SYS_ADMIN"},
	"ConditionStatus":                         {"True", "False", "Unknown"},
	"ContainerRestartPolicy":                  {"Always", "Never", "OnFailure"},
	"ContainerRestartRuleAction":              {"Restart", "RestartAllContainers"},
	"DNSPolicy":                               {"ClusterFirst", "ClusterFirstWithHostNet", "None", "Default"},
	"DisruptionAction":                        {"Restart", "Fail", "Continue"},
	"FailureAction":                           {"FailPeerJob", "RestartPeerJob"},
	"HostPathType":                            {"", "Directory", "FileOrCreate"},
	"IPFamily":                                {"IPv4", "IPv6"},
	"IPFamilyPolicy":                          {"SingleStack", "PreferDualStack", "RequireDualStack"},
	"LabelSelectorOperator":                   {"In", "NotIn", "Exists", "DoesNotExist"},
	"MountPropagationMode":                    {"None", "HostToContainer", "Bidirectional"},
	"NodeInclusionPolicy":                     {"Honor", "Ignore"},
	"NodeSelectorOperator":                    {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"},
	"OSName":                                  {"linux", "windows"},
	"PersistentVolumeAccessMode":              {"ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"},
	"PersistentVolumeMode":                    {"Block", "Filesystem"},
	"PodConditionType":                        {"DisruptionTarget", "Ready", "example.com/x"},
	"PodFSGroupChangePolicy":                  {"Always", "OnRootMismatch"},
	"PodFailurePolicyAction":                  {"FailJob", "Ignore", "Count", "FailIndex"},
	"PodReplacementPolicy":                    {"Failed", "TerminatingOrFailed"},
	"PodSELinuxChangePolicy":                  {"Recursive", "MountOption"},
	"PreemptionPolicy":                        {"Never", "PreemptLowerPriority"},
	"ProcMountType":                           {"Default", "Unmasked"},
	"Protocol":                                {"TCP", "UDP", "SCTP"},
	"PullPolicy":                              {"Always", "Never", "IfNotPresent"},
	"RecursiveReadOnlyMode":                   {"Disabled", "IfPossible", "Enabled"},
	"ResourceName":                            {"cpu", "memory"},
	"ResourceResizeRestartPolicy":             {"NotRequired", "RestartContainer"},
	"RestartPolicy":                           {"Never", "OnFailure", "Always"},
	"SeccompProfileType":                      {"Unconfined", "RuntimeDefault", "Localhost"},
	"Signal":                                  {"SIGTERM", "SIGKILL", "SIGUSR1"},
	"StorageMedium":                           {"", "Memory", "HugePages"},
	"SupplementalGroupsPolicy":                {"Merge", "Strict"},
	"TaintEffect":                             {"NoSchedule", "PreferNoSchedule", "NoExecute"},
	"TerminationMessagePolicy":                {"File", "FallbackToLogsOnError"},
	"Toggle":                                  {"Enabled", "Disabled"},
	"TolerationOperator":                      {"Exists", "Equal", "Lt", "Gt"},
	"URIScheme":                               {"HTTP", "HTTPS"},
	"UnsatisfiableConstraintAction":           {"DoNotSchedule", "ScheduleAnyway"},
	"PodFailurePolicyOnExitCodesOperator":     {"In", "NotIn"},
	"ContainerRestartRuleOnExitCodesOperator": {"In", "NotIn"},

	"apiVersion":  {"v1"},
	"devicePath":  {"/dev/x"},
	"fieldPath":   {"metadata.name", "metadata.labels['x']", "status.podIP"},
	"hostIP":      {"10.0.0.1", "::1"},
	"image":       {"busybox"},
	"ip":          {"10.0.0.1", "::1"},
	"mountPath":   {"/mnt/y"},
	"name":        {"data", "v", "main", "x", "http"},
	"namespace":   {"default", "ml"},
	"nameservers": {"10.0.0.1"},
	"resource":    {"limits.cpu", "requests.memory"},
	"searches":    {"example.com"},
	"topologyKey": {"kubernetes.io/hostname"},
}
