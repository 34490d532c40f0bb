// SPDX-License-Identifier: Apache-2.0

// Package adopt answers: which PeerJob stands for a Service and a Job that people wrote by
// hand, or for an object of another controller?
//
//	adopt.go      the way of an input: pairs and foreign objects in, proposals out
//	server.go     takes out what the API server added to a live object
//	pair.go       writes the PeerJob of a Service and a Job
//	framework.go  recognizes the contract of a framework, and writes its preset
//	compare.go    what a PeerJob expands to, field by field beside the original
//	foreign.go    kinds of other controllers: TrainJob, JobSet with one group (jobset.go: several)
//	kubeflow.go   PyTorchJob, TFJob and MPIJob
//	jobset.go     a JobSet with several groups of Pods, as roles
//	node.go       YAML
//
// # Rules
//
//   - A proposal is expanded before it is shown. What differs from the original is said,
//     field by field, with the reason and with what to write to keep it.
//   - A shorter form (no ports, a preset of a framework) is written only if what comes out
//     is the same.
//   - What a PeerJob can't say is a note in plain words, and never lost silently.
//
// # Never
//
// It never reads a file or writes one, and never asks a cluster.
package adopt

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lint"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// Options are caller options.
type Options struct {
	// Exact keeps what peerjob has a better default for: Pods without the variables of the
	// peers, service links, and a Service that publishes only Pods that are ready.
	Exact bool
	// Variables writes variables of the peers instead of host names.
	Variables bool
	// ClusterDomain is the DNS domain of the cluster. The default is "cluster.local".
	ClusterDomain string
	// RunnerImage is the default of spec.runner.image, "" for none.
	RunnerImage string
}

// Proposal is the PeerJob that stands for something.
type Proposal struct {
	// Source is what it stands for, such as "Job train and Service hub", and File the file.
	Source, File string
	// Object is the PeerJob.
	Object *krmlist.Object
	// Differences are how its expansion differs from the original. There is no original
	// of another kind than a Service and a Job.
	Differences []Difference
	Compared    bool
	// Errors and Warnings are those of its expansion.
	Errors   field.ErrorList
	Warnings []diag.Warning
	// Same is what the PeerJob says in other words, Added what it says besides, Differs what it
	// says with another value where there is no original to compare with, and Notes what a
	// PeerJob can't say.
	Same, Added, Differs, Notes []string
}

// Text returns the PeerJob as YAML.
func (p *Proposal) Text() ([]byte, error) { return encode(p.Object.Node()) }

// Result is what becomes of an input.
type Result struct {
	Proposals []Proposal
	// Refused are what was not adopted, with the reason.
	Refused []Refusal
	// Findings are what could not be read.
	Findings []lint.Finding
	// Retargets are the places in kustomizations to change.
	Retargets []lint.Retarget
}

// Refusal is an object that was not adopted.
type Refusal struct {
	File, Object, Reason string
	// IsError is whether the object was meant to be adopted.
	IsError bool
}

// Files returns the PeerJobs that stand for what is in files.
func Files(files []lint.File, options Options) Result {
	options.ClusterDomain = cmp.Or(options.ClusterDomain, v1alpha1.DefaultClusterDomain)
	checks := lint.Options{ClusterDomain: options.ClusterDomain}
	original := lint.Pairs(files, checks)
	result := Result{Findings: original.Findings, Retargets: original.Retargets()}
	mended := original
	if !options.Exact {
		// A host name that leads nowhere becomes the one that was meant.
		mended = lint.Pairs(mend(files, checks), checks)
	}
	for i, pair := range original.Pairs {
		if reason := refuse(pair); reason != "" {
			result.Refused = append(result.Refused, Refusal{pair.JobFile, "Job " + pair.Job.Name, reason, pair.Job.Annotations[v1alpha1.OwnerAnnotation] == ""})
			continue
		}
		source := pair
		if i < len(mended.Pairs) && mended.Pairs[i].Job.Name == pair.Job.Name {
			source = mended.Pairs[i]
		}
		result.Proposals = append(result.Proposals, adoptPair(pair, source, options))
	}
	for _, pair := range original.Repeated {
		result.Refused = append(result.Refused, Refusal{pair.JobFile, "CronJob " + pair.Job.Name,
			"a PeerJob is one Job that keeps its name, and each Job of a CronJob has another one; keep the CronJob and its Service, which lint checks, or let the CronJob or a workflow apply what a PeerJob expands to", true})
	}
	for _, title := range original.Single {
		result.Refused = append(result.Refused, Refusal{Object: title, Reason: "its Pods do not look for each other: they have no names in a headless Service"})
	}
	for _, file := range files {
		proposals, refused := foreign(file, options)
		result.Proposals = append(result.Proposals, proposals...)
		result.Refused = append(result.Refused, refused...)
	}
	return result
}

// mend returns the files with what lint can mend for certain.
func mend(files []lint.File, options lint.Options) []lint.File {
	changed, _ := lint.Fix(files, options)
	all := slices.Clone(files)
	for i := range all {
		for _, file := range changed {
			if file.Name == all[i].Name {
				all[i].Content = file.Content
			}
		}
	}
	return all
}

// refuse says why a pair is not adopted, "" if it is.
func refuse(pair lint.Pair) string {
	if owner := pair.Job.Annotations[v1alpha1.OwnerAnnotation]; owner != "" {
		return fmt.Sprintf("peerjob made it of the PeerJob %s already", owner)
	}
	if len(pair.Shared) > 0 {
		return fmt.Sprintf("it has the Service %s together with the Job %s, and a PeerJob has a Service of its own; write both as roles of one PeerJob (docs/roles.md), or give each Job its own Service first, and mind the host names", pair.Service.Name, strings.Join(pair.Shared, ", "))
	}
	if pair.Leader != "" && pair.Leader == pair.Job.Spec.Template.Spec.Subdomain && pair.Service == nil {
		return fmt.Sprintf("its Service %s selects one of the Pods, and the Service of a PeerJob selects all; give the Pods a Service of their own first", pair.Leader)
	}
	return ""
}

// expanded is what a PeerJob expands to.
type expanded struct {
	group    *peerjob.Group
	service  *corev1.Service
	job      *batchv1.Job
	others   []string
	errs     field.ErrorList
	warnings []diag.Warning
}

// expand expands a PeerJob.
func expand(node *yaml.Node, options Options) expanded {
	e := &expansion.Expansion{Source: krmlist.NewParsed(node)}
	var x expanded
	x.errs, x.warnings = e.Expand(v1alpha1.Settings{ClusterDomain: options.ClusterDomain, RunnerImage: options.RunnerImage}, expansion.NewSources(nil, nil, nil))
	x.group = e.Group()
	for _, o := range e.Objects() {
		switch typed := o.Object.(type) {
		case *corev1.Service:
			x.service = typed
		case *batchv1.Job:
			x.job = typed
		default:
			x.others = append(x.others, o.GetObjectKind().GroupVersionKind().Kind+" "+o.GetName())
		}
	}
	return x
}

// typed reads an object leniently: what is wrong with it is said of the PeerJob.
func typed[T any](node *yaml.Node) *T {
	if node == nil {
		return new(T)
	}
	object, _ := decode.Object[T](node)
	return object
}

// isJSON reports whether a file is JSON.
func isJSON(node *yaml.Node) bool { return node != nil && node.Style&yaml.FlowStyle != 0 }

// Encode writes proposals as YAML documents.
func Encode(proposals []Proposal) ([]byte, error) {
	var out bytes.Buffer
	for i := range proposals {
		if i > 0 {
			out.WriteString("---\n")
		}
		text, err := proposals[i].Text()
		if err != nil {
			return nil, err
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}
