// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/component-base/featuregate"
	"k8s.io/kubernetes/pkg/features"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/apitype"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// Feature is something that not every server of those that peerjob knows has.
type Feature struct {
	// Type and Field are the API type and the JSON name of the field.
	Type  reflect.Type
	Field string
	// Value is the value of the field, or of an element of the list, which is
	// new; "" for any. Where Is tells which values are new, it describes them.
	Value string
	// Is tells whether a value, or an element of a list, is new.
	Is func(reflect.Value) bool
	// Kept says that the server stores the field in a Job even where the gate is
	// off: what is made of it later does not have the field.
	Kept bool
	// In is a part of the path that the field must have, where the same type
	// stands in two places; "" for any.
	In string
	// Gate is the feature gate of Kubernetes that the field stands behind.
	// From which minor version on it is on by default is read from Kubernetes'
	// own versioned gates.
	Gate featuregate.Feature
	// empty marks a value that asks for nothing, an empty text: a server that
	// knows the field takes it, whether the gate is on or not.
	empty bool
	// Since is the first minor version of Kubernetes 1 with the field, for a
	// feature whose gate is gone from Kubernetes.
	Since int
	// Source is where Since can be looked up.
	Source string
	// Instead says what works on older servers, "" for nothing.
	Instead string
}

const (
	gateHistory = "https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates-removed/"
)

func of[T any](name string, f Feature) Feature {
	f.Type, f.Field = reflect.TypeFor[T](), name
	return f
}

// Features are the fields of a PeerJob that are newer than the oldest server,
// or that no server has on by default. A test holds the table to the markers
// "+featureGate" in the types of Kubernetes.
var Features = slices.Concat([]Feature{
	// The Job gets a podReplacementPolicy, and maybe a backoffLimitPerIndex.
	of[v1alpha1.PeerJobSpec]("failurePolicy", Feature{Since: 29, Source: gateHistory + " (JobPodReplacementPolicy, JobBackoffLimitPerIndex)"}),
	of[batchv1.PodFailurePolicyRule]("action", Feature{Value: string(batchv1.PodFailurePolicyActionFailIndex), Since: 29, Source: gateHistory + " (JobBackoffLimitPerIndex)"}),

	of[v1alpha1.PeerRunner]("delivery", Feature{Value: string(v1alpha1.ImageVolumeDelivery), Gate: features.ImageVolume}),

	// The Pod.
	of[corev1.PodSpec]("os", Feature{Since: 24, Source: gateHistory + " (IdentifyPodOS)"}),
	of[corev1.PodSpec]("hostUsers", Feature{Gate: features.UserNamespacesSupport}),
	of[corev1.PodSpec]("schedulingGates", Feature{Gate: features.PodSchedulingReadiness}),
	of[corev1.PodSpec]("resourceClaims", Feature{Gate: features.DynamicResourceAllocation}),
	of[corev1.PodSpec]("resources", Feature{Gate: features.PodLevelResources}),
	of[corev1.PodSpec]("hostnameOverride", Feature{Gate: features.HostnameOverride}),
	of[corev1.PodSpec]("schedulingGroup", Feature{Gate: features.GenericWorkload}),
	of[corev1.PodSpec]("evictionResponders", Feature{Gate: features.EvictionRequestAPI}),
	of[corev1.PodSecurityContext]("appArmorProfile", Feature{Since: 30, Source: gateHistory + " (AppArmorFields)"}),
	of[corev1.PodSecurityContext]("supplementalGroupsPolicy", Feature{Gate: features.SupplementalGroupsPolicy}),
	of[corev1.PodSecurityContext]("seLinuxChangePolicy", Feature{Gate: features.SELinuxChangePolicy}),
	of[corev1.PodAffinityTerm]("matchLabelKeys", Feature{Gate: features.MatchLabelKeysInPodAffinity}),
	of[corev1.PodAffinityTerm]("mismatchLabelKeys", Feature{Gate: features.MatchLabelKeysInPodAffinity}),
	of[corev1.TopologySpreadConstraint]("minDomains", Feature{Since: 27, Source: gateHistory + " (MinDomainsInPodTopologySpread)"}),
	of[corev1.TopologySpreadConstraint]("nodeAffinityPolicy", Feature{Gate: features.NodeInclusionPolicyInPodTopologySpread}),
	of[corev1.TopologySpreadConstraint]("nodeTaintsPolicy", Feature{Gate: features.NodeInclusionPolicyInPodTopologySpread}),
	of[corev1.TopologySpreadConstraint]("matchLabelKeys", Feature{Gate: features.MatchLabelKeysInPodTopologySpread}),
	of[corev1.Toleration]("operator", Feature{Value: string(corev1.TolerationOpLt), Gate: features.TaintTolerationComparisonOperators}),
	of[corev1.Toleration]("operator", Feature{Value: string(corev1.TolerationOpGt), Gate: features.TaintTolerationComparisonOperators}),

	// Containers.
	of[corev1.Container]("restartPolicy", Feature{In: "initContainers", Value: string(corev1.ContainerRestartPolicyAlways), Since: 29, Source: gateHistory + " (SidecarContainers)"}),
	of[corev1.Container]("restartPolicy", Feature{In: "initContainers", Value: string(corev1.ContainerRestartPolicyOnFailure), Gate: features.ContainerRestartRules}),
	of[corev1.Container]("restartPolicy", Feature{In: "initContainers", Value: string(corev1.ContainerRestartPolicyNever), Gate: features.ContainerRestartRules}),
	of[corev1.Container]("restartPolicy", Feature{In: ".containers", Gate: features.ContainerRestartRules}),
	of[corev1.Container]("restartPolicyRules", Feature{Gate: features.ContainerRestartRules}),
	of[corev1.ContainerRestartRule]("action", Feature{Value: string(corev1.ContainerRestartRuleActionRestartAllContainers), Gate: features.RestartAllContainersOnContainerExits}),
	of[corev1.Container]("resizePolicy", Feature{Gate: features.InPlacePodVerticalScaling}),
	of[corev1.ResourceRequirements]("claims", Feature{Gate: features.DynamicResourceAllocation}),
	of[corev1.EnvVarSource]("fileKeyRef", Feature{Gate: features.EnvFiles}),
	of[corev1.VolumeMount]("recursiveReadOnly", Feature{Gate: features.RecursiveReadOnlyMounts}),
	of[corev1.VolumeMount]("bindMountOptions", Feature{Gate: features.VolumeBindMountOptions}),
	of[corev1.ProbeHandler]("grpc", Feature{Since: 24, Source: gateHistory + " (GRPCContainerProbe)"}),
	of[corev1.GRPCAction]("mode", Feature{Gate: features.GRPCContainerProbeTLS}),
	of[corev1.HTTPGetAction]("protocol", Feature{Gate: features.H2CContainerProbe}),
	of[corev1.Probe]("terminationGracePeriodSeconds", Feature{Since: 25, Source: gateHistory + " (ProbeTerminationGracePeriod)"}),
	of[corev1.Lifecycle]("stopSignal", Feature{Gate: features.ContainerStopSignals}),
	of[corev1.LifecycleHandler]("sleep", Feature{Since: 30, Source: gateHistory + " (PodLifecycleSleepAction)"}),
	of[corev1.SecurityContext]("appArmorProfile", Feature{Since: 30, Source: gateHistory + " (AppArmorFields)"}),
	of[corev1.SecurityContext]("procMount", Feature{Value: string(corev1.UnmaskedProcMount), Gate: features.ProcMountType}),
	of[corev1.WindowsSecurityContextOptions]("hostProcess", Feature{Since: 23, Source: gateHistory + " (WindowsHostProcessContainers)"}),

	// Volumes.
	of[corev1.VolumeSource]("image", Feature{Gate: features.ImageVolume}),
	of[corev1.VolumeProjection]("clusterTrustBundle", Feature{Gate: features.ClusterTrustBundleProjection}),
	of[corev1.VolumeProjection]("podCertificate", Feature{Gate: features.PodCertificateRequest}),
	of[corev1.EmptyDirVolumeSource]("mode", Feature{Gate: features.EmptyDirVolumeMode}),
	of[corev1.SecretVolumeSource]("defaultUser", Feature{Gate: features.AtomicWriteVolumeUserFields}),
	of[corev1.ConfigMapVolumeSource]("defaultUser", Feature{Gate: features.AtomicWriteVolumeUserFields}),
	of[corev1.DownwardAPIVolumeSource]("defaultUser", Feature{Gate: features.AtomicWriteVolumeUserFields}),
	of[corev1.ProjectedVolumeSource]("defaultUser", Feature{Gate: features.AtomicWriteVolumeUserFields}),
	of[corev1.KeyToPath]("user", Feature{Gate: features.AtomicWriteVolumeUserFields}),
	of[corev1.DownwardAPIVolumeFile]("user", Feature{Gate: features.AtomicWriteVolumeUserFields}),
	of[corev1.ServiceAccountTokenProjection]("user", Feature{Gate: features.AtomicWriteVolumeUserFields}),
	of[corev1.ClusterTrustBundleProjection]("user", Feature{Gate: features.AtomicWriteVolumeUserFields}),
	of[corev1.PodCertificateProjection]("user", Feature{Gate: features.AtomicWriteVolumeUserFields}),
	of[corev1.PersistentVolumeClaimSpec]("dataSourceRef", Feature{Since: 24, Source: gateHistory + " (AnyVolumeDataSource)"}),
	of[corev1.PersistentVolumeClaimSpec]("volumeAttributesClassName", Feature{Gate: features.VolumeAttributesClass, Kept: true}),
	of[corev1.TypedObjectReference]("namespace", Feature{Gate: features.CrossNamespaceVolumeDataSource, Kept: true}),

	// Values that older servers refuse, and for which Kubernetes no longer has a
	// gate. Those with a gate are found by validation itself (older.go).
	of[corev1.ObjectFieldSelector]("fieldPath", Feature{Value: "status.hostIPs", Since: 29, Source: gateHistory + " (PodHostIPs)"}),
	of[corev1.ObjectFieldSelector]("fieldPath", Feature{Value: "metadata.labels['" + corev1.LabelTopologyZone + "']", Gate: features.PodTopologyLabelsAdmission}),
	of[corev1.ObjectFieldSelector]("fieldPath", Feature{Value: "metadata.labels['" + corev1.LabelTopologyRegion + "']", Gate: features.PodTopologyLabelsAdmission}),
	of[corev1.LifecycleHandler]("sleep", Feature{Value: "a sleep of 0 seconds", Is: isZeroSleep, Since: 33, Source: gateHistory + " (PodLifecycleSleepActionAllowZero)"}),
	of[corev1.PodDNSConfig]("searches", Feature{Value: "a list of more than 6 domains or 256 characters", Is: isLongSearchList, Since: 26, Source: gateHistory + " (ExpandedDNSConfig)"}),
	of[corev1.PodDNSConfig]("searches", Feature{Value: "a dot alone or a name with an underscore", Is: text(isRelaxedSearch), Since: 33, Source: gateHistory + " (RelaxedDNSSearchValidation)"}),
	of[corev1.PersistentVolumeClaimSpec]("accessModes", Feature{Value: string(corev1.ReadWriteOncePod), Since: 27, Source: gateHistory + " (ReadWriteOncePod)"}),
	of[corev1.Sysctl]("name", Feature{Value: "a name with slashes", Is: text(hasSlash), Since: 23, Source: "https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/"}),
}, jobFields[v1alpha1.PeerJobSpec](), jobFields[v1alpha1.PeerRole](), podLabels())

// jobFields are the fields of a Job, in a type of a PeerJob that has them.
func jobFields[T any]() []Feature {
	return []Feature{
		of[T]("podFailurePolicy", Feature{Since: 26, Source: gateHistory + " (JobPodFailurePolicy)"}),
		of[T]("backoffLimitPerIndex", Feature{Since: 29, Source: gateHistory + " (JobBackoffLimitPerIndex)"}),
		of[T]("maxFailedIndexes", Feature{Since: 29, Source: gateHistory + " (JobBackoffLimitPerIndex)"}),
		of[T]("podReplacementPolicy", Feature{Since: 29, Source: gateHistory + " (JobPodReplacementPolicy)"}),
		of[T]("successPolicy", Feature{Since: 31, Source: gateHistory + " (JobSuccessPolicy)"}),
		of[T]("managedBy", Feature{Gate: features.JobManagedBy}),
		of[T]("scheduling", Feature{Gate: features.WorkloadWithJob}),
	}
}

// podLabels are the labels of a Job's Pods that older servers do not give them: a
// variable of such a label is empty, and a selector with it matches no Pod.
func podLabels() []Feature {
	var all []Feature
	for _, label := range []struct{ key, instead, source string }{
		{batchv1.JobNameLabel, "job-name", "k8s.io/kubernetes v1.27.0, pkg/apis/batch/types.go"},
		{batchv1.ControllerUidLabel, "controller-uid", "k8s.io/kubernetes v1.27.0, pkg/apis/batch/types.go"},
		{batchv1.JobCompletionIndexAnnotation, "", gateHistory + " (PodIndexLabel)"},
	} {
		ref := func(kind, key string) string { return "metadata." + kind + "['" + key + "']" }
		since, instead, inField := 27, "; write "+label.instead, "; write "+ref("labels", label.instead)
		if label.instead == "" {
			since, instead, inField = 28, "", "; write "+ref("annotations", label.key)
		}
		value := Feature{Value: label.key, Since: since, Source: label.source, Instead: instead}
		isIn := podLabelIn(label.key, since, instead)
		isIn.Source = label.source
		all = append(all,
			of[corev1.ObjectFieldSelector]("fieldPath", Feature{Value: ref("labels", label.key), Since: since, Source: label.source, Instead: inField}),
			// The matchLabelKeys of an affinity are newer than any of the labels.
			of[corev1.TopologySpreadConstraint]("matchLabelKeys", value),
			of[metav1.LabelSelectorRequirement]("key", value),
			of[metav1.LabelSelector]("matchLabels", isIn),
		)
	}
	return all
}

// writtenFeatures are those of objects that people write by hand and a PeerJob does not
// have.
var writtenFeatures = []Feature{
	of[batchv1.CronJobSpec]("timeZone", Feature{Since: 25, Source: gateHistory + " (CronJobTimeZone)"}),
	of[corev1.ServiceSpec]("selector", podLabelIn(batchv1.JobNameLabel, 27, "; write job-name")),
	of[corev1.ServiceSpec]("selector", podLabelIn(batchv1.JobCompletionIndexAnnotation, 28, "")),
}

// podLabelIn is a label of a Job's Pods in a map of labels.
func podLabelIn(key string, since int, instead string) Feature {
	return Feature{Value: "the label " + key, Since: since, Instead: instead, Is: func(value reflect.Value) bool {
		labels, ok := value.Interface().(map[string]string)
		_, found := labels[key]
		return ok && found
	}}
}

// First is the first minor version of Kubernetes 1 that has the feature, or
// false when it is off by default in every version that is known here.
func (f Feature) First() (minor int, ok bool) {
	if f.Since > 0 {
		return f.Since, true
	}
	first, found := firstByGate()[f.Gate]
	return first, found
}

// known is the first minor version whose servers know the field, be it behind
// a gate that is off.
func (f Feature) known() int {
	if f.Since > 0 {
		return f.Since
	}
	known := v1alpha1.NewestMinor
	for _, spec := range utilfeature.DefaultMutableFeatureGate.GetAllVersioned()[f.Gate] {
		known = min(known, int(spec.Version.Minor()))
	}
	return known
}

// firstByGate is, for each feature gate of Kubernetes, the first minor version
// in which it is on by default.
var firstByGate = sync.OnceValue(func() map[featuregate.Feature]int {
	first := map[featuregate.Feature]int{}
	for gate, specs := range utilfeature.DefaultMutableFeatureGate.GetAllVersioned() {
		for _, spec := range specs {
			minor := int(spec.Version.Minor())
			if known, found := first[gate]; spec.Default && minor <= v1alpha1.NewestMinor && (!found || minor < known) {
				first[gate] = minor
			}
		}
	}
	return first
})

var featuresByType = sync.OnceValue(func() map[reflect.Type]map[string][]Feature {
	byType := map[reflect.Type]map[string][]Feature{}
	add := func(f Feature) {
		if byType[f.Type] == nil {
			byType[f.Type] = map[string][]Feature{}
		}
		byType[f.Type][f.Field] = append(byType[f.Type][f.Field], f)
	}
	for _, f := range Features {
		add(f)
		// A PeerJob has the fields of a Job under the same names.
		job := reflect.TypeFor[batchv1.JobSpec]()
		if _, found := apitype.Of(job).Place(f.Field); found && f.Type == reflect.TypeFor[v1alpha1.PeerJobSpec]() {
			f.Type = job
			add(f)
		}
	}
	for _, f := range writtenFeatures {
		add(f)
	}
	return byType
})

// CheckVersion refuses what a server of spec.kubernetesVersion does not have,
// and the values that it does not take in the objects of a PeerJob.
// When no version is asked for, it warns of what every server drops, because
// it stands behind a feature gate that is off by default.
func CheckVersion(g *peerjob.Group, objects []origin.Object) (field.ErrorList, []diag.Warning) {
	pj := g.PeerJob
	minor, asked := peerjob.Minor(pj.Spec.KubernetesVersion)
	var errs field.ErrorList
	var warnings []diag.Warning
	unwritten := unwrittenPaths(g)
	// Of two features of one field, the later one is said.
	said := map[string]refusal{}
	visitFeatures(reflect.ValueOf(pj).Elem(), "", func(f Feature, path string) {
		first, ever := f.First()
		switch {
		case isBelowAny(path, unwritten):
		case (f.empty || f.Kept) && asked && minor < f.known():
			errs = append(errs, forbidden(path, fmt.Sprintf("needs Kubernetes 1.%d, and spec.kubernetesVersion is %q", f.known(), pj.Spec.KubernetesVersion)))
		case f.empty:
		case f.Kept && (!ever || asked && minor < first):
			warnings = append(warnings, diag.Warning{Field: path, Message: f.keptMessage(first, ever)})
		case !ever && asked:
			errs = append(errs, forbidden(path, fmt.Sprintf("needs the feature gate %s, which is off by default in every version up to 1.%d", f.Gate, v1alpha1.NewestMinor)))
		case !ever:
			warnings = append(warnings, diag.Warning{Field: path, Message: fmt.Sprintf(
				"needs the feature gate %s, which is off by default: a server without it drops the field", f.Gate)})
		case asked && minor < first && said[path].first >= first:
		case asked && minor < first && said[path].first > 0:
			said[path] = refusal{first, said[path].at}
			errs[said[path].at] = f.tooNew(path, first, pj)
		case asked && minor < first:
			said[path] = refusal{first, len(errs)}
			errs = append(errs, f.tooNew(path, first, pj))
		}
	})
	nameErrs := checkServiceName(g, minor)
	if asked {
		errs = append(errs, nameErrs...)
	} else {
		for _, err := range nameErrs {
			warnings = append(warnings, diag.Warning{Field: err.Field, Message: err.Detail})
		}
	}
	return append(errs, refusedByOlder(pj.Spec.KubernetesVersion, fmt.Sprintf("spec.kubernetesVersion is %q", pj.Spec.KubernetesVersion), errs, objects)...), warnings
}

// refusal is the first version with a feature that is refused, and the place of its
// error.
type refusal struct{ first, at int }

func (f Feature) tooNew(path string, first int, pj *v1alpha1.PeerJob) *field.Error {
	return forbidden(path, fmt.Sprintf("%sneeds Kubernetes 1.%d, and spec.kubernetesVersion is %q%s", f.what(), first, pj.Spec.KubernetesVersion, f.Instead))
}

// nameGates says in the errors about values that no server takes by default which
// feature gate they need: the server lists such a value as one that it supports.
func nameGates(g *peerjob.Group, errs field.ErrorList) {
	if !slices.ContainsFunc(errs, func(err *field.Error) bool { return err.Type == field.ErrorTypeNotSupported }) {
		return
	}
	visitFeatures(reflect.ValueOf(g.PeerJob).Elem(), "", func(f Feature, path string) {
		if _, ever := f.First(); ever || f.Value == "" {
			return
		}
		for i, err := range errs {
			if err.Field == path && err.Type == field.ErrorTypeNotSupported {
				errs[i] = forbidden(path, fmt.Sprintf("%sneeds the feature gate %s, which is off by default in every version up to 1.%d", f.what(), f.Gate, v1alpha1.NewestMinor))
			}
		}
	})
}

// unwrittenPaths are the fields of the user's that no server gets as they are: variables
// that peerjob writes in its own way, and a runner that nothing asks for.
func unwrittenPaths(g *peerjob.Group) []string {
	var paths []string
	if !g.HasRunner() {
		paths = append(paths, "spec.runner")
	}
	for _, role := range g.All() {
		role.EachContainer(func(container *corev1.Container, path *field.Path) {
			for i, variable := range container.Env {
				if role.IsPeerVariable(container, variable) {
					paths = append(paths, path.Child("env").Index(i).String())
				}
			}
		})
	}
	return paths
}

func isBelowAny(path string, above []string) bool {
	return slices.ContainsFunc(above, func(above string) bool { return below(path, above) })
}

func forbidden(path, detail string) *field.Error {
	return &field.Error{Type: field.ErrorTypeForbidden, Field: path, Detail: detail}
}

// checkServiceName holds the name of the Service to the stricter rule of older
// servers. A minor version of 0 is none that was asked for.
func checkServiceName(g *peerjob.Group, minor int) field.ErrorList {
	name := g.ServiceName()
	if len(validation.IsDNS1123Label(name)) > 0 || len(validation.IsDNS1035Label(name)) == 0 {
		return nil
	}
	first := firstByGate()[features.RelaxedServiceNameValidation]
	if minor >= first {
		return nil
	}
	detail := fmt.Sprintf("the name of the Service begins with a digit, which needs Kubernetes 1.%d", first)
	if minor > 0 {
		detail += fmt.Sprintf(", and spec.kubernetesVersion is %q", g.PeerJob.Spec.KubernetesVersion)
	}
	if g.PeerJob.Spec.Service.Name == "" {
		detail += "; choose another name, or set spec.service.name"
	}
	return field.ErrorList{{Type: field.ErrorTypeInvalid, Field: g.ServiceNamePath().String(), BadValue: name, Detail: detail}}
}

// visitFeatures calls found for every field below value that is set and
// stands in the table.
func visitFeatures(value reflect.Value, path string, found func(f Feature, path string)) {
	switch value.Kind() {
	case reflect.Pointer:
		if !value.IsNil() {
			visitFeatures(value.Elem(), path, found)
		}
	case reflect.Slice:
		if !mayHaveFields(value.Type().Elem().Kind()) {
			return
		}
		for i := range value.Len() {
			visitFeatures(value.Index(i), path+"["+strconv.Itoa(i)+"]", found)
		}
	case reflect.Struct:
		byType := featuresByType()
		fields := apitype.Of(value.Type()).Fields
		for i := range fields {
			f := &fields[i]
			content := value.FieldByIndex(f.Index)
			if content.IsZero() || f.OmitEmpty && isEmpty(content) {
				continue
			}
			ofField := byType[f.Owner][f.Name]
			if len(ofField) == 0 && !mayHaveFields(content.Kind()) {
				continue
			}
			inner := strings.TrimPrefix(path+"."+f.Name, ".")
			for _, feature := range ofField {
				feature.visit(content, inner, found)
			}
			visitFeatures(content, inner, found)
		}
	}
}

// mayHaveFields reports whether a value of a kind may have fields of its own, or hold
// values that have.
func mayHaveFields(kind reflect.Kind) bool {
	return kind == reflect.Pointer || kind == reflect.Slice || kind == reflect.Struct
}
