// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const root = "../.."

// tested has what the tests build. Both platforms of the images are in it; all six take
// several minutes each the first time.
var tested = flag.String("platforms", "linux/amd64,linux/arm64", "the platforms that the tests build for")

var ci = os.Getenv("CI") == "true"

// shared is the release that most tests look at.
var shared = struct {
	sync.Once
	source *source
	dist   string
	err    error
}{}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if shared.dist != "" {
		if err := os.RemoveAll(filepath.Dir(shared.dist)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// testRelease makes a release once, with the version that the file VERSION names: as the
// workflow does from the tag.
func testRelease(t *testing.T) (*source, string) {
	t.Helper()
	shared.Do(func() { shared.source, shared.dist, shared.err = makeRelease() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.source, shared.dist
}

func makeRelease() (*source, string, error) {
	version, err := os.ReadFile(filepath.Join(root, "VERSION"))
	if err != nil {
		return nil, "", err
	}
	s, err := openSource(context.Background(), root, strings.TrimSpace(string(version)))
	if err != nil {
		return nil, "", err
	}
	platforms, err := parsePlatforms(*tested)
	if err != nil {
		return nil, "", err
	}
	dir, err := os.MkdirTemp("", "peerjob-release-test-")
	if err != nil {
		return nil, "", err
	}
	dist := filepath.Join(dir, "dist")
	return s, dist, write(context.Background(), s, platforms, dist, os.Stdout)
}

func testedPlatforms(t *testing.T) []platform {
	t.Helper()
	platforms, err := parsePlatforms(*tested)
	if err != nil {
		t.Fatal(err)
	}
	return platforms
}

// needsDocker skips a test without docker, and fails it in CI.
func needsDocker(t *testing.T) {
	t.Helper()
	if _, err := dockerPlatform(t.Context()); err != nil {
		if ci {
			t.Fatal(err)
		}
		t.Skipf("docker can't be used: %v", err)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// command runs a program and returns its stdout.
func command(t *testing.T, stdin []byte, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := output(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// copyOfSource copies what git would commit to another folder. It has no history, and all
// its files are new.
func copyOfSource(t *testing.T, to string) {
	t.Helper()
	for name := range strings.SplitSeq(strings.TrimSuffix(command(t, nil, "git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00"), "\x00") {
		from := filepath.Join(root, name)
		info, err := os.Stat(from)
		if errors.Is(err, os.ErrNotExist) {
			continue // removed and not committed
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), read(t, from), info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReproducible makes the release again: from a copy in a folder of another depth, at
// another time, in another time zone, with Go flags and variables that must not matter. Every
// byte must be equal.
func TestReproducible(t *testing.T) {
	first, dist := testRelease(t)
	copied := filepath.Join(t.TempDir(), "in", "another folder")
	copyOfSource(t, copied)
	t.Setenv("TZ", "Pacific/Chatham")
	t.Setenv("GOFLAGS", "-trimpath=false -tags=other")
	t.Setenv("GOAMD64", "v3")
	t.Setenv("CGO_ENABLED", "1")
	t.Setenv("SOURCE_DATE_EPOCH", fmt.Sprint(first.time.Unix()))
	second, err := openSource(t.Context(), copied, first.version)
	if err != nil {
		t.Fatal(err)
	}
	if !second.time.Equal(first.time) || second.revision != "" {
		t.Fatalf("a copy without history is of %v and has the revision %q, want %v and none", second.time, second.revision, first.time)
	}
	second.revision = first.revision
	again := filepath.Join(t.TempDir(), "dist")
	if err := write(t.Context(), second, testedPlatforms(t), again, t.Output()); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, dist, again)
}

func sameFiles(t *testing.T, one, other string) {
	t.Helper()
	if diff := cmp.Diff(string(read(t, filepath.Join(one, sumsFile))), string(read(t, filepath.Join(other, sumsFile)))); diff != "" {
		t.Errorf("two builds differ:\n%s", diff)
	}
	for _, dir := range []string{one, other} {
		if _, err := checkSums(dir); err != nil {
			t.Error(err)
		}
	}
}

// TestReproducible_cold compiles both programs for linux/amd64 with an empty cache. Go's cache
// would show that two links are equal, and of the compiler nothing.
func TestReproducible_cold(t *testing.T) {
	if !ci {
		t.Skip("compiles Kubernetes' packages again, for minutes: set CI=true")
	}
	s, dist := testRelease(t)
	copied := filepath.Join(t.TempDir(), "copy")
	copyOfSource(t, copied)
	t.Setenv("GOCACHE", filepath.Join(t.TempDir(), "cache"))
	on := platform{"linux", "amd64"}
	for _, p := range programs {
		built := filepath.Join(t.TempDir(), p.name)
		copy := *s
		copy.root = copied
		if err := copy.build(t.Context(), p, on, built); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(read(t, built), unpack(t, filepath.Join(dist, s.base(p, on)+".tar.gz"))[p.name].content) {
			t.Errorf("%s differs if every package is compiled again", p.name)
		}
	}
}

// unpacked is a file of an archive.
type unpacked struct {
	content []byte
	mode    os.FileMode
	time    time.Time
}

// unpack reads an archive with the standard library alone.
func unpack(t *testing.T, file string) map[string]unpacked {
	t.Helper()
	files := map[string]unpacked{}
	content := read(t, file)
	if strings.HasSuffix(file, ".zip") {
		r, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.File {
			opened, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(opened)
			if err != nil {
				t.Fatal(err)
			}
			files[f.Name] = unpacked{data, f.Mode(), f.Modified.UTC()}
		}
		return files
	}
	var from io.Reader = bytes.NewReader(content)
	if strings.HasSuffix(file, ".gz") {
		unzipped, err := gzip.NewReader(from)
		if err != nil {
			t.Fatal(err)
		}
		from = unzipped
	}
	for r := tar.NewReader(from); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			files[header.Name] = unpacked{data, header.FileInfo().Mode(), header.ModTime.UTC()}
		}
	}
}

// TestArchives looks into every archive.
func TestArchives(t *testing.T) {
	s, dist := testRelease(t)
	for _, p := range programs {
		for _, on := range p.platforms(testedPlatforms(t)) {
			file := filepath.Join(dist, s.base(p, on)+".tar.gz")
			if on.os == "windows" {
				file = filepath.Join(dist, s.base(p, on)+".zip")
			}
			t.Run(filepath.Base(file), func(t *testing.T) {
				files := unpack(t, file)
				want := []string{"LICENSE", thirdPartyFile, p.file(on)}
				if p.completion {
					want = append(want, "completions/_peerjob", "completions/peerjob.bash", "completions/peerjob.fish", "completions/peerjob.ps1")
				}
				slices.Sort(want)
				var got []string
				for name, f := range files {
					got = append(got, name)
					wantMode := os.FileMode(0o644)
					if name == p.file(on) {
						wantMode = 0o755
					}
					if f.mode != wantMode || !f.time.Equal(s.time) || len(f.content) == 0 {
						t.Errorf("%s: has the mode %v, the time %v and %d bytes, want %v, %v and some", name, f.mode, f.time, len(f.content), wantMode, s.time)
					}
				}
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				info, err := buildinfo.Read(bytes.NewReader(files[p.file(on)].content))
				if err != nil {
					t.Fatal(err)
				}
				settings := map[string]string{}
				for _, setting := range info.Settings {
					settings[setting.Key] = setting.Value
				}
				if settings["GOOS"] != on.os || settings["GOARCH"] != on.arch || settings["CGO_ENABLED"] != "0" || settings["-trimpath"] != "true" {
					t.Errorf("is built with %v", settings)
				}
				if on.os == runtime.GOOS && on.arch == runtime.GOARCH {
					program := filepath.Join(t.TempDir(), p.name)
					if err := os.WriteFile(program, files[p.name].content, 0o755); err != nil {
						t.Fatal(err)
					}
					want := fmt.Sprintf("%s %s %s %v\n", p.name, s.version, info.GoVersion, on)
					if got := command(t, nil, program, "version"); got != want {
						t.Errorf("prints the version %q, want %q", got, want)
					}
				}
			})
		}
	}
}

// TestBoms holds every bill of materials to the modules that Go has noted in the binary.
func TestBoms(t *testing.T) {
	s, dist := testRelease(t)
	for _, p := range programs {
		for _, on := range p.platforms(testedPlatforms(t)) {
			if on.os == "windows" {
				continue // the archive is a zip; the bill is made in the same way
			}
			t.Run(s.base(p, on), func(t *testing.T) {
				info, err := buildinfo.Read(bytes.NewReader(unpack(t, filepath.Join(dist, s.base(p, on)+".tar.gz"))[p.name].content))
				if err != nil {
					t.Fatal(err)
				}
				want := []string{"std " + strings.TrimPrefix(info.GoVersion, "go")}
				for _, module := range info.Deps {
					want = append(want, module.Path+" "+module.Version)
				}
				var bom struct {
					SerialNumber string
					Metadata     struct {
						Timestamp string
						Component struct{ Name, Version string }
					}
					Components []struct {
						Name, Version, PURL string
						Licenses            []struct {
							Expression string
							License    struct{ ID string }
						}
					}
				}
				if err := json.Unmarshal(read(t, filepath.Join(dist, s.base(p, on)+".cdx.json")), &bom); err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, c := range bom.Components {
					got = append(got, c.Name+" "+strings.TrimPrefix(c.Version, "go"))
					if len(c.Licenses) == 0 || c.Licenses[0].Expression+c.Licenses[0].License.ID == "" {
						t.Errorf("%s has no licence", c.Name)
					}
					if !strings.HasPrefix(c.PURL, "pkg:golang/") {
						t.Errorf("%s has the package URL %q", c.Name, c.PURL)
					}
				}
				slices.Sort(want)
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				if c := bom.Metadata.Component; c.Name != "github.com/peerjob/peerjob" || c.Version != s.version {
					t.Errorf("is about %s %s", c.Name, c.Version)
				}
				if bom.Metadata.Timestamp != s.time.Format(time.RFC3339) || !strings.HasPrefix(bom.SerialNumber, "urn:uuid:") {
					t.Errorf("is of %s and has the number %q", bom.Metadata.Timestamp, bom.SerialNumber)
				}
			})
		}
	}
}

// TestLicences_complete holds the list of licences to the modules in the binary, and to the
// list for all platforms, of which the tests build two: a file doesn't depend on what else
// is built, so "make image" makes what a release has.
func TestLicences_complete(t *testing.T) {
	s, dist := testRelease(t)
	for _, p := range programs {
		files := unpack(t, filepath.Join(dist, s.base(p, platform{"linux", "amd64"})+".tar.gz"))
		info, err := buildinfo.Read(bytes.NewReader(files[p.name].content))
		if err != nil {
			t.Fatal(err)
		}
		table, _, _ := strings.Cut(string(files[thirdPartyFile].content), "\n====")
		for _, module := range info.Deps {
			if !strings.Contains(table, "\n"+module.Path+"@"+module.Version+"  ") {
				t.Errorf("%s: the licences don't have %s@%s", p.name, module.Path, module.Version)
			}
		}
		modules, err := thirdParty(t.Context(), s, p, p.platforms(allPlatforms))
		if err != nil {
			t.Fatal(err)
		}
		if string(files[thirdPartyFile].content) != string(thirdPartyText(p, modules)) {
			t.Errorf("%s: the licences are not those of a release for all platforms", p.name)
		}
		if !strings.Contains(table, "\nGo standard library  BSD-3-Clause\n") {
			t.Errorf("%s: the licences don't have the standard library:\n%s", p.name, table)
		}
	}
}

// TestSums compares SHA256SUMS with what sha256sum says, and damages a release.
func TestSums(t *testing.T) {
	_, dist := testRelease(t)
	if _, err := exec.LookPath("sha256sum"); err != nil {
		t.Log("sha256sum is not on this machine")
	} else {
		cmd := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "--quiet", sumsFile)
		cmd.Dir = dist
		if _, err := output(cmd); err != nil {
			t.Error(err)
		}
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"same":    "1",
		"changed": "2",
		"more":    "3",
		sumsFile: sumOf([]byte("1")) + "  same\n" +
			sumOf([]byte("1")) + "  changed\n" +
			sumOf([]byte("1")) + "  missing\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := checkSums(dir)
	if err == nil {
		t.Fatal("a damaged release is whole")
	}
	for _, want := range []string{"changed: has the checksum d4735e", "missing: no such file", "more: is not in SHA256SUMS"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in the error:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "same") {
		t.Error(err)
	}
	// Somebody who downloads all files of a release has the signature, too.
	downloaded := t.TempDir()
	for name, content := range map[string]string{
		"same":        "1",
		sumsFile:      sumOf([]byte("1")) + "  same\n",
		signatureFile: "{}",
	} {
		if err := os.WriteFile(filepath.Join(downloaded, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := checkSums(downloaded); err != nil || n != 1 {
		t.Errorf("a release with its signature: %d files, %v", n, err)
	}
	for _, line := range []string{"nothing", "1  ../outside"} {
		if err := os.WriteFile(filepath.Join(dir, sumsFile), []byte(line+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := checkSums(dir); err == nil {
			t.Errorf("the line %q is read", line)
		}
	}
}

// TestEmpties doesn't remove what is no release.
func TestEmpties(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "mine")
	if err := os.WriteFile(mine, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := empties(dir); err == nil || !strings.Contains(err.Error(), "is no release") {
		t.Errorf("a folder of other files: %v", err)
	}
	read(t, mine)
	if err := os.WriteFile(filepath.Join(dir, sumsFile), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := empties(dir); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left of an earlier release, %v", left, err)
	}
}

// TestVex compares the statement with that of the repository, which "make vuln" checks.
func TestVex(t *testing.T) {
	_, dist := testRelease(t)
	if !bytes.Equal(read(t, filepath.Join(dist, "peerjob.openvex.json")), read(t, filepath.Join(root, "vex.openvex.json"))) {
		t.Error("the release has another VEX document than the repository")
	}
}
