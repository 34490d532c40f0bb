// SPDX-License-Identifier: Apache-2.0

package lint

import "slices"

// Severity is how bad a finding is.
type Severity string

const (
	// Error is what never works.
	Error Severity = "error"
	// Warning is what probably does not work, or works by chance.
	Warning Severity = "warning"
	// Note is what lint did not do.
	Note Severity = "note"
)

// The ids of findings. They are stable: people write them into annotations.
const (
	serviceMissing     = "service-missing"
	serviceNamespace   = "service-namespace"
	serviceNotHeadless = "service-not-headless"
	selectorMismatch   = "selector-mismatch"
	subdomainMissing   = "subdomain-missing"
	subdomainMismatch  = "subdomain-mismatch"
	publishNotReady    = "publish-not-ready"
	sharedService      = "shared-service"
	staleAnnotation    = "stale-annotation"
	completionMode     = "completion-mode"
	parallelism        = "parallelism"
	peerName           = "peer-name"
	peerIndex          = "peer-index"
	indexVariable      = "index-variable"
	variableReference  = "variable-reference"
	raceAtEnd          = "race-at-end"
	count              = "count"
	gpuProcesses       = "gpu-processes"
	gangSize           = "gang-size"
	networkPolicy      = "network-policy"
	resourceLimits     = "resource-limits"
	partialAdmission   = "partial-admission"
	dnsPolicy          = "dns-policy"
	podHostname        = "pod-hostname"
	fqdnLength         = "fqdn-length"
	nameLength         = "name-length"
	stringLength       = "string-length"
	imageName          = "image-name"
	nodeValue          = "node-value"
	controllerLabel    = "controller-label"
	hostNetwork        = "host-network"
	targetPort         = "target-port"
	serviceLinks       = "service-links"
	apiServer          = "api-server"
	kubernetesVersion  = "kubernetes-version"
	unknownField       = "unknown-field"
	duplicateKey       = "duplicate-key"
	wrongType          = "wrong-type"
	componentMissing   = "component-missing"
	patchTarget        = "patch-target"
	changedByKustomize = "kustomize-number"
	namePrefix         = "name-prefix"
	unknownRule        = "unknown-rule"
	invalidYAML        = "invalid-yaml"
	unreadable         = "unreadable"
	skipped            = "skipped"
)

// Rule is a kind of finding.
type Rule struct {
	// ID is its stable name.
	ID string
	// About says in one sentence what is wrong.
	About string
	// Fixes is whether lint --fix mends it, if there is one right value.
	Fixes bool
}

// Catalog returns every kind of finding, in the order of the page docs/lint.md.
func Catalog() []Rule { return slices.Clone(catalog) }

var catalog = []Rule{
	{serviceMissing, "The subdomain of the Pods names a Service that is not there.", false},
	{serviceNamespace, "The Service is in another namespace than the Job.", false},
	{serviceNotHeadless, "The Service has an address of its own, so DNS has no names of Pods.", true},
	{selectorMismatch, "The Service does not select the Pods of the Job.", true},
	{subdomainMissing, "The Pods have no subdomain, so DNS has no names for them.", true},
	{subdomainMismatch, "The subdomain is not the name of the Service that selects the Pods.", true},
	{publishNotReady, "DNS has no names of Pods that are not ready, and peers look each other up while they start.", true},
	{sharedService, "Two Jobs that have nothing to do with each other are behind one Service.", false},
	{staleAnnotation, "An annotation of the Pod template that variables of the peers read has an earlier name of the Service or of a Job.", true},
	{completionMode, "The Pods have no completion index, so DNS has no names for them.", true},
	{parallelism, "Not all peers run at the same time.", true},
	{peerName, "A host name leads to no peer: another Job, Service or namespace, or no Service at all.", true},
	{peerIndex, "A host name has an index beyond the last peer.", false},
	{indexVariable, "A variable refers to JOB_COMPLETION_INDEX, which is not set yet at that place.", true},
	{variableReference, "A reference $(NAME) to a variable that is not set stays as it is.", false},
	{raceAtEnd, "A script waits until it has reached every peer, and then ends: slower peers wait forever.", false},
	{count, "A number of peers or processes contradicts the Job.", false},
	{gpuProcesses, "torchrun starts another number of processes than there are GPUs.", false},
	{gangSize, "A scheduler waits for more Pods than the Job has.", false},
	{networkPolicy, "NetworkPolicies of the input keep the peers apart, or from DNS.", false},
	{resourceLimits, "A LimitRange or a ResourceQuota of the input keeps Pods from being made.", false},
	{partialAdmission, "Kueue may start fewer peers than the Job has.", false},
	{dnsPolicy, "Names of peers do not resolve with the DNS policy of the Pods.", true},
	{podHostname, "The Pod template has a host name, which the Job controller sets.", true},
	{fqdnLength, "A full host name is too long for setHostnameAsFQDN.", false},
	{nameLength, "The name of the Job leaves no room for the index in the host names.", false},
	{stringLength, "A program can't be started: a string is too long or has a NUL byte, or the program and its arguments are one word.", false},
	{imageName, "The name of an image has an empty part, or one that no registry takes, and the kubelet can't pull it.", false},
	{nodeValue, "A value that the API server takes, and the kubelet or Linux does not know.", false},
	{controllerLabel, "The Pod template sets a label that the Job controller sets.", false},
	{hostNetwork, "Two peers on one node would use the same ports.", false},
	{targetPort, "A headless Service forwards no port.", false},
	{serviceLinks, "The variables of another Service take the place of those that a program reads.", false},
	{apiServer, "The API server refuses the object, or warns of it.", true},
	{kubernetesVersion, "The oldest server that the objects are for does not have this.", false},
	{unknownField, "The API does not have this field.", true},
	{duplicateKey, "A key is in the same map twice.", false},
	{wrongType, "A value has a type that the API does not take.", false},
	{componentMissing, "A layer changes PeerJobs, and kustomize does not know their fields.", false},
	{patchTarget, "A patch for Jobs reaches none, because a PeerJob stands for the Job.", false},
	{changedByKustomize, "kustomize writes a number in the values of a PeerJob in another form.", false},
	{namePrefix, "A kustomization renames a Service and a Job, and not the subdomain and the selector, or a PodGroup, a ResourceClaimTemplate or the like, and not its name in the Pods.", false},
	{unknownRule, "The annotation peerjob.dev/lint-ignore has an id that lint does not have.", false},
	{invalidYAML, "The file is not valid YAML.", false},
	{unreadable, "The file can't be read, is too large, or is no text.", false},
	{skipped, "lint did not look at this: a template, or no regular file.", false},
}

// ruleIDs are the ids of the catalog.
func ruleIDs() []string {
	ids := make([]string, len(catalog))
	for i, rule := range catalog {
		ids[i] = rule.ID
	}
	return ids
}
