// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"io"

	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lint"
	"github.com/peerjob/peerjob/internal/pipeline"
	"github.com/peerjob/peerjob/internal/results"
)

// CheckFormat is how Check writes findings.
type CheckFormat string

const (
	// CheckText writes one line for each finding, as Expand does.
	CheckText CheckFormat = "text"
	// CheckGitHub writes workflow commands of GitHub Actions, which shows them beside the
	// lines.
	CheckGitHub CheckFormat = "github"
)

// CheckFormats returns the formats that Check can write.
func CheckFormats() []CheckFormat { return []CheckFormat{CheckText, CheckGitHub} }

// CheckOptions are caller options of Check.
type CheckOptions struct {
	Options
	// Format is how findings are written. The default is CheckText.
	Format CheckFormat
	// Values and Assignments are as in ExpandOptions.
	Values      []ValuesFile
	Assignments []Assignment
}

// Check expands every PeerJob of the files and writes what is wrong to stdout, and no
// object. All other documents are left out. The error is ErrFailed if there are errors.
func Check(files []File, stdout, stderr io.Writer, options CheckOptions) (err error) {
	report := &results.Report{}
	defer reportPanic(report, stderr, &err)
	objects := readFiles(files, report)
	if !report.Failed() {
		pipeline.Expand(objects, pipeline.Options{RunnerImage: options.RunnerImage, Values: options.Values, Assignments: options.Assignments}, report)
	}
	if options.Format == CheckGitHub {
		err = lint.WriteGitHub(stdout, located(objects, report))
	} else {
		err = report.Lines(stdout)
	}
	if err == nil && report.Failed() {
		err = ErrFailed
	}
	return err
}

// located returns the findings of a report with the lines that they are about.
func located(objects []*krmlist.Object, report *results.Report) []lint.Finding {
	var all []lint.Finding
	for _, result := range report.Results() {
		finding := lint.Finding{Severity: lint.Severity(result.Severity), Message: result.Message}
		if finding.Severity != lint.Error && finding.Severity != lint.Warning {
			finding.Severity = lint.Note
		}
		if ref := result.ResourceRef; ref != nil {
			finding.Kind, finding.Namespace, finding.Name = ref.Kind, ref.Namespace, ref.Name
		}
		if result.Field != nil {
			finding.Field = result.Field.Path
		}
		if result.File != nil {
			finding.File = result.File.Path
			for _, o := range objects {
				if o.File == result.File.Path && o.Index == result.File.Index {
					finding.Line, finding.Column = lint.Locate(o.Node(), o.Line, finding.Field)
				}
			}
		}
		all = append(all, finding)
	}
	return all
}
