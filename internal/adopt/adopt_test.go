// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lint"
	"github.com/peerjob/peerjob/internal/manifest"
)

func read(t *testing.T, path ...string) lint.File {
	t.Helper()
	name := filepath.Join(append([]string{"..", "..", "testdata"}, path...)...)
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return lint.File{Name: filepath.Base(name), Content: content}
}

func glob(t *testing.T, pattern string, least int) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(pattern)))
	if err != nil || len(names) < least {
		t.Fatalf("%s: %d files, want at least %d: %v", pattern, len(names), least, err)
	}
	return names
}

// differing are the differences of a proposal that are no mere additions, as text.
func differing(p Proposal) []string {
	var all []string
	for _, d := range p.Differences {
		if !d.Adds {
			all = append(all, d.Object+" "+d.Field+": "+d.Was+" -> "+d.Is)
		}
	}
	return all
}

// The page of the documentation, in its five forms: what is adopted differs in the two
// defaults of peerjob, and with Exact in nothing.
func TestFiles_documentation(t *testing.T) {
	for _, name := range glob(t, "testdata/documentation/*.yaml", 5) {
		file := read(t, "documentation", filepath.Base(name))
		result := Files([]lint.File{file}, Options{})
		if len(result.Proposals) != 1 || len(result.Refused)+len(result.Findings) > 0 {
			t.Fatalf("%s: %+v", name, result)
		}
		want := []string{
			"Service headless-svc spec.publishNotReadyAddresses:  -> true",
			"Job example-job spec.template.spec.enableServiceLinks: true -> false",
		}
		if diff := cmp.Diff(want, differing(result.Proposals[0])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		exact := Files([]lint.File{file}, Options{Exact: true})
		if diff := cmp.Diff([]string(nil), differing(exact.Proposals[0])); diff != "" {
			t.Errorf("%s, exact (-want +got):\n%s", name, diff)
		}
	}
}

// What a PeerJob expands to is adopted to one that expands to the same: over the PeerJobs
// of the field and the examples.
func TestFiles_roundTrip(t *testing.T) {
	names := append(glob(t, "testdata/public/*.yaml", 70), glob(t, "examples/frameworks/*/peerjob.yaml", 10)...)
	tried := 0
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		objects, _ := krmlist.ReadFile(name, content)
		for _, o := range objects {
			if o.Kind != v1alpha1.Kind {
				continue
			}
			x := expand(o.Node(), Options{ClusterDomain: v1alpha1.DefaultClusterDomain})
			if len(x.errs) > 0 {
				continue
			}
			tried++
			var text bytes.Buffer
			delete(x.service.Annotations, v1alpha1.OwnerAnnotation)
			delete(x.job.Annotations, v1alpha1.OwnerAnnotation)
			for _, object := range []any{x.service, x.job} {
				node, err := manifest.Encode(object)
				if err != nil {
					t.Fatal(err)
				}
				document, err := manifest.Bytes(node)
				if err != nil {
					t.Fatal(err)
				}
				text.WriteString("---\n")
				text.Write(document)
			}
			result := Files([]lint.File{{Name: name, Content: text.Bytes()}}, Options{})
			if len(result.Proposals) != 1 {
				t.Errorf("%s: %d proposals: %+v", name, len(result.Proposals), result.Refused)
				continue
			}
			p := result.Proposals[0]
			if len(p.Errors) > 0 {
				t.Errorf("%s: %v", name, p.Errors)
			}
			if diff := cmp.Diff([]string(nil), differing(p)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			// What was written can be read again.
			written, err := p.Text()
			if err != nil {
				t.Fatal(err)
			}
			again, errs := krmlist.ReadFile("again.yaml", written)
			if len(again) != 1 || len(errs) > 0 {
				t.Fatalf("%s: %v\n%s", name, errs, written)
			}
			y := expand(again[0].Node(), Options{ClusterDomain: v1alpha1.DefaultClusterDomain})
			delete(y.service.Annotations, v1alpha1.OwnerAnnotation)
			delete(y.job.Annotations, v1alpha1.OwnerAnnotation)
			if len(p.Same) > 0 {
				continue // a preset says it in other words
			}
			template := &x.job.Spec.Template
			if diff := cmp.Diff(withDefaults(x.service, template), withDefaults(y.service, template)) + cmp.Diff(cleanJob(x.job), cleanJob(y.job)); diff != "" {
				t.Errorf("%s (-expanded +adopted and expanded):\n%s\n%s", name, diff, written)
			}
		}
	}
	if tried < 60 {
		t.Errorf("%d PeerJobs were tried, want at least 60", tried)
	}
}
