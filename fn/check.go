// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/lint"
	"github.com/peerjob/peerjob/internal/pipeline"
	"github.com/peerjob/peerjob/internal/results"
)

// CheckFormat is how Check writes findings.
type CheckFormat string

const (
	// CheckText writes one line for each finding, with its place, as Lint does.
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
	// Strict makes warnings as bad as errors.
	Strict bool
	// Values and Assignments are as in ExpandOptions.
	Values      []ValuesFile
	Assignments []Assignment
}

// Check expands every PeerJob of the files and writes what is wrong to stdout, and no
// object. How many PeerJobs there are goes to stderr. All other documents are left out. The
// files of each folder are for one cluster; two folders may have the same names.
//
// Templates of Helm charts and patches of kustomizations are no PeerJobs yet: a note says
// how to check what becomes of them.
//
// The error is ErrFailed if there are errors, or with Strict warnings.
func Check(files []File, stdout, stderr io.Writer, options CheckOptions) (err error) {
	if err := checkFormat(options.Format, CheckFormats()...); err != nil {
		return err
	}
	report := &results.Report{}
	defer reportPanic(report, stderr, &err)
	objects := checkable(files, report)
	peerJobs := pipeline.Check(objects, pipeline.Options{RunnerImage: options.RunnerImage, Values: options.Values, Assignments: options.Assignments}, report)
	noteKustomizations(files, objects, peerJobs, report)
	findings := located(objects, files, report)
	write := lint.WriteText
	if options.Format == CheckGitHub {
		write = lint.WriteGitHub
	}
	if err := write(stdout, findings); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	switch {
	case peerJobs == 0 && !report.Failed() && len(findings) > 0:
		_, _ = fmt.Fprintln(stderr, "peerjob: note: no PeerJob was checked; the notes above say why")
	case peerJobs == 0 && !report.Failed():
		_, _ = fmt.Fprintln(stderr, "peerjob: note: no PeerJob is among the objects, so nothing was checked; peerjob lint checks Services and Jobs")
	default:
		_, _ = fmt.Fprintf(stderr, "peerjob: %s: %s\n", diag.Count(peerJobs, "PeerJob"), lint.Summary(findings))
	}
	return verdict(findings, options.Strict)
}

// checkable reads the objects of files, but for what is no PeerJob yet. Objects of one
// folder are of one package.
func checkable(files []File, report *results.Report) []*krmlist.Object {
	word := []byte(v1alpha1.Kind)
	wanted := map[string]bool{}
	for _, file := range files {
		wanted[folderOf(file.Name)] = wanted[folderOf(file.Name)] || !file.Found || bytes.Contains(file.Content, word)
	}
	generates := map[string]bool{}
	for _, file := range files {
		if bytes.Contains(file.Content, []byte("configMapGenerator:")) {
			generates[folderOf(file.Name)] = true
		}
	}
	patches := lint.Patches(lintInput(files))
	var objects []*krmlist.Object
	broken := map[string]bool{}
	for _, file := range files {
		folder, mentions := folderOf(file.Name), bytes.Contains(file.Content, word)
		about := &krmlist.Object{ShownFile: file.Name}
		switch {
		case !wanted[folder]:
			continue
		case file.Problem != "":
			report.Errorf(about, "%s", file.Problem)
			continue
		case file.isChartTemplate():
			if mentions {
				report.Infof(about, "%s", file.renderFirst("check"))
			}
			continue
		case patches[file.Name]:
			if mentions {
				report.Infof(about, "is a patch of a kustomization and no whole PeerJob, so it was not checked; check what kustomize builds: kustomize build DIRECTORY | peerjob check -")
			}
			continue
		case file.Found && mentions && generates[folder] && bytes.Contains(file.Content, []byte("valuesFrom:")):
			report.Infof(about, "takes its values from a ConfigMap that kustomize makes, so it was not checked; check what kustomize builds: kustomize build DIRECTORY | peerjob check -")
			continue
		}
		documents, errs := readFile(file)
		for _, o := range documents {
			o.Package = folder
			switch err := errs[o]; {
			case err == nil:
				objects = append(objects, o)
			case !file.Found || mentions:
				broken[folder] = true
				report.Errorf(&krmlist.Object{ShownFile: file.Name, Index: o.Index, Line: o.Line}, "%v", err)
			}
		}
	}
	return krmlist.Filter(objects, func(o *krmlist.Object) bool { return !broken[o.Package] || isJudgeable(o) })
}

// noteKustomizations says of kustomizations that check does not read them: an error, as
// from Expand, if they are all that could have been meant.
func noteKustomizations(files []File, objects []*krmlist.Object, peerJobs int, report *results.Report) {
	named := map[string]bool{}
	for _, file := range files {
		named[file.Name] = !file.Found
	}
	isOnly := peerJobs == 0 && len(report.Results()) == 0
	for _, o := range objects {
		about := &krmlist.Object{ShownFile: o.File, Index: o.Index}
		switch {
		case !isKustomization(o):
		case isOnly && named[o.File]:
			report.Errorf(about, "%s", forKustomize(o, "check"))
		case slices.ContainsFunc(objects, func(other *krmlist.Object) bool { return other.Kind == v1alpha1.Kind && other.Package == o.Package }):
			report.Infof(about, "%s", forKustomize(o, "check"))
		}
	}
}

// folderOf is the folder of a file.
func folderOf(name string) string { return path.Dir(strings.ReplaceAll(name, `\`, "/")) }

func lintInput(files []File) []lint.File {
	input := make([]lint.File, len(files))
	for i, file := range files {
		input[i] = lint.File{Name: file.Name, Content: file.Content, Found: file.Found}
	}
	return input
}

// yamlLine matches the line in an error of the YAML parser.
var yamlLine = lazyregexp.New(`^yaml: line (\d+): `)

// located returns the findings of a report with the lines that they are about. A file that
// is not there, such as a template of what Helm prints, has none.
func located(objects []*krmlist.Object, files []File, report *results.Report) []lint.Finding {
	real := map[string]bool{}
	for _, file := range files {
		real[path.Clean(file.Name)] = true
	}
	type place struct {
		file  string
		index int
	}
	known := map[place]*krmlist.Object{}
	for _, o := range objects {
		known[place{o.ShownFile, o.Index}] = o
	}
	var all []lint.Finding
	for _, result := range report.Results() {
		finding := lint.Finding{Severity: lint.Severity(result.Severity), Message: strings.Join(strings.Fields(result.Message), " ")}
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
			o := known[place{result.File.Path, result.File.Index}]
			isReal := real[path.Clean(finding.File)]
			if isReal && o != nil {
				finding.Line, finding.Column = lint.Locate(o.Node(), o.Line, finding.Field)
			}
			if match := yamlLine.FindStringSubmatch(finding.Message); match != nil && isReal && o == nil {
				if n, err := strconv.Atoi(match[1]); err == nil {
					finding.Line, finding.Column = n, 1
				}
			}
			finding.IsVirtual = !isReal
			finding.File = path.Clean(finding.File)
		}
		all = append(all, finding)
	}
	return all
}
