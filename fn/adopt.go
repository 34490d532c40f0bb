// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"io"

	"github.com/peerjob/peerjob/internal/adopt"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lint"
	"github.com/peerjob/peerjob/internal/results"
)

// AdoptOptions are caller options of Adopt.
type AdoptOptions struct {
	// Diff writes to stdout how each PeerJob's expansion differs, instead of the PeerJobs.
	Diff bool
	// Exact keeps what peerjob has a better default for, so that nothing of the original
	// changes.
	Exact bool
	// Variables writes variables of the peers in the place of their host names.
	Variables bool
	// ClusterDomain is the DNS domain of the cluster. The default is "cluster.local".
	ClusterDomain string
	// RunnerImage is the default of spec.runner.image, as in Options.
	RunnerImage string
}

// Adopt writes the PeerJobs that stand for the Services and Jobs of files, and for
// PyTorchJobs, MPIJobs, JobSets and TrainJobs. All other objects are left out.
//
// To stderr it writes how the expansion of each differs from the original, field by
// field, and what a PeerJob can't say. The error is ErrFailed if there is nothing to
// adopt, or if a PeerJob has errors; it is written then, too.
func Adopt(files []LintFile, stdout, stderr io.Writer, options AdoptOptions) (err error) {
	report := &results.Report{}
	defer reportPanic(report, stderr, &err)
	result := adopt.Files(lintFiles(files), adopt.Options{Exact: options.Exact, Variables: options.Variables, ClusterDomain: options.ClusterDomain, RunnerImage: options.RunnerImage})
	for _, f := range result.Findings {
		about := &krmlist.Object{ShownFile: f.File, Kind: f.Kind, Namespace: f.Namespace, Name: f.Name}
		if f.Severity == lint.Error {
			report.Errorf(about, "%s", f.Message)
		} else {
			report.Warningf(about, "%s", f.Message)
		}
	}
	for _, refused := range result.Refused {
		about := &krmlist.Object{ShownFile: refused.File}
		if refused.IsError {
			report.Errorf(about, "%s is not adopted: %s", refused.Object, refused.Reason)
		} else {
			report.Infof(about, "%s is not adopted: %s", refused.Object, refused.Reason)
		}
	}
	var differences bytes.Buffer
	for i := range result.Proposals {
		p := &result.Proposals[i]
		about := &krmlist.Object{Kind: p.Object.Kind, Namespace: p.Object.Namespace, Name: p.Object.Name}
		report.AddErrors(about, p.Errors)
		report.AddWarnings(about, p.Warnings)
		p.WriteReport(&differences)
	}
	if len(result.Proposals) == 0 && !report.Failed() {
		report.Errorf(nil, "there is nothing to adopt: name files with a Job and its headless Service, or with a PyTorchJob, TFJob, MPIJob, JobSet or TrainJob")
	}
	adopt.WriteRetargets(&differences, result.Retargets)
	report.Write(stderr)
	text, err := adopt.Encode(result.Proposals)
	if err != nil {
		return err
	}
	if options.Diff {
		text = differences.Bytes()
	} else {
		_, _ = stderr.Write(differences.Bytes()) // without stderr the exit code has to do
	}
	if err := writeOut(stdout, text); err != nil {
		return err
	}
	if report.Failed() {
		return ErrFailed
	}
	return nil
}
