// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	classifier "github.com/google/licenseclassifier/v2"
	"github.com/google/licenseclassifier/v2/assets"
)

// thirdPartyFile is the file of an archive that has the licences of others.
const thirdPartyFile = "THIRD_PARTY_LICENSES"

// allowed are the licences that what we ship may have. Each lets everyone ship it under
// Apache-2.0 with its text, which thirdPartyFile has. Another one fails, however well known:
// whether we can ship it is for people to decide.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}

// licenceName matches the files that may have a licence, or a notice that must go with it.
var licenceName = regexp.MustCompile(`(?i)^(licen[cs]es?|copying|notice|copyright|patents)([-._].*)?$`)

// noticeName matches those of them that need not have a licence.
var noticeName = regexp.MustCompile(`(?i)^(notice|copyright|patents)([-._].*)?$`)

// judged are files that people have read because the program could not decide, by their
// SHA-256. A new version of a text is read again.
var judged = map[string]judgement{
	// go.yaml.in/yaml/v3: the two texts, and which files each is for.
	"d18f6323b71b0b768bb5e9616e36da390fbd39369a81807cca352de4e4e6aa0b": {licences: []string{"Apache-2.0", "MIT"}},
	// sigs.k8s.io/yaml: the same, and the licences of its own code.
	"5dc79da695aea39a47245008a168e3f7d461b686da8bec299fd55fee0393cbcc": {licences: []string{"Apache-2.0", "BSD-3-Clause", "MIT"}},
	// github.com/opencontainers/go-digest, LICENSE.docs: Creative Commons, for its
	// documentation, of which we ship nothing.
	"a1d1adec3ba691ef6e377a78bbe9e9e2501f2f4a1723d08857da1ac6564e4fed": {unused: true},
}

// judgement says which licences a file has, or that it is about nothing that we ship.
type judgement struct {
	licences []string
	unused   bool
}

// module is a module, or a folder in one that has a licence of its own, and its licences.
type module struct {
	// path is that of the module; version is "" for the standard library.
	path, version string
	// licences are the SPDX identifiers, sorted.
	licences []string
	// files are the texts by their path in the module.
	files map[string][]byte
}

// listed is what "go list -json" says of a package.
type listed struct {
	ImportPath string
	Dir        string
	Standard   bool
	Module     *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// thirdParty returns the modules that a program has on any of the platforms, sorted, the
// standard library first. It looks at the packages that are linked, as a module may have
// folders with licences of their own. The error has every package without a licence and
// every file with a licence that is unknown or not allowed.
func thirdParty(ctx context.Context, s *source, p program, platforms []platform) ([]module, error) {
	found := map[string]*module{}
	var problems []error
	for _, on := range platforms {
		packages, err := s.packages(ctx, p, on)
		if err != nil {
			return nil, err
		}
		for _, one := range packages {
			root, path, version := "", "", ""
			switch {
			case one.Standard:
				if root, err = goRoot(ctx, s); err != nil {
					return nil, err
				}
				path = "Go standard library"
				one.Dir = root // the tree has one licence
			case one.Module == nil || one.Module.Main:
				continue
			default:
				root, path, version = one.Module.Dir, one.Module.Path, one.Module.Version
			}
			m := found[path]
			if m == nil {
				m = &module{path: path, version: version, files: map[string][]byte{}}
				found[path] = m
			}
			if err := m.add(root, one.Dir); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", one.ImportPath, err))
			}
		}
	}
	modules := slices.SortedFunc(maps.Values(found), func(a, b *module) int {
		return cmp.Or(cmp.Compare(min(len(a.version), 1), min(len(b.version), 1)), cmp.Compare(a.path, b.path))
	})
	var all []module
	for _, m := range modules {
		if err := m.classify(); err != nil {
			problems = append(problems, err)
		}
		all = append(all, *m)
	}
	return all, errors.Join(problems...)
}

// packages are those that a program has on a platform.
func (s *source) packages(ctx context.Context, p program, on platform) ([]listed, error) {
	command := exec.CommandContext(ctx, "go", "list", "-deps", "-json=ImportPath,Dir,Standard,Module", p.pkg)
	command.Dir, command.Env = s.root, s.environment(on)
	out, err := output(command)
	if err != nil {
		return nil, err
	}
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(out)); ; {
		var one listed
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, one)
	}
}

// goRoot is the folder of the Go that builds.
func goRoot(ctx context.Context, s *source) (string, error) {
	command := exec.CommandContext(ctx, "go", "env", "GOROOT")
	command.Dir = s.root
	out, err := output(command)
	return strings.TrimSpace(out), err
}

// add adds the licences that hold for a package: those of its folder and of every folder
// above it in the module.
func (m *module) add(root, dir string) error {
	licensed := false
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.IsDir() || !licenceName.MatchString(e.Name()) || filepath.Ext(e.Name()) == ".go" {
				continue
			}
			licensed = licensed || !noticeName.MatchString(e.Name())
			name, err := filepath.Rel(root, filepath.Join(dir, e.Name()))
			if err != nil {
				return err
			}
			if name = filepath.ToSlash(name); m.files[name] != nil {
				continue
			}
			if m.files[name], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
		if dir == root || len(dir) <= len(root) {
			break
		}
		dir = filepath.Dir(dir)
	}
	if !licensed {
		return errors.New("has no licence")
	}
	return nil
}

// classifiers makes the classifier once; it reads some 5 MB of licences.
var classifiers = sync.OnceValues(assets.DefaultClassifier)

// classify finds out which licences the files have.
func (m *module) classify() error {
	known, err := classifiers()
	if err != nil {
		return err
	}
	var problems []error
	licences := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		of, unknown := licencesOf(known, m.files[name])
		if j, ok := judged[sumOf(m.files[name])]; ok {
			if j.unused {
				delete(m.files, name)
				continue
			}
			of, unknown = j.licences, 0
		}
		for _, licence := range of {
			if !slices.Contains(allowed, licence) {
				problems = append(problems, fmt.Errorf("%s@%s: %s: Unsupported value: %q: must be one of %q", m.path, m.version, name, licence, allowed))
			}
			licences[licence] = true
		}
		if noticeName.MatchString(filepath.Base(name)) {
			continue
		}
		if len(of) == 0 {
			problems = append(problems, fmt.Errorf("%s@%s: %s: has no licence that is known", m.path, m.version, name))
		} else if unknown > 0 {
			problems = append(problems, fmt.Errorf("%s@%s: %s: has %d words in a row that are of no known licence", m.path, m.version, name, unknown))
		}
	}
	m.licences = slices.Sorted(maps.Keys(licences))
	return errors.Join(problems...)
}

// licencesOf returns the licences in a text, and the number of words of the longest part
// that belongs to none of them, if that is long enough for a licence or a condition.
func licencesOf(known *classifier.Classifier, text []byte) (licences []string, unknown int) {
	lines := bytes.Split(text, []byte("\n"))
	covered := make([]bool, len(lines)+1)
	for _, match := range known.Match(text).Matches {
		if match.MatchType == "Copyright" {
			continue
		}
		if !slices.Contains(licences, match.Name) {
			licences = append(licences, match.Name)
		}
		for line := match.StartLine; line <= min(match.EndLine, len(lines)); line++ {
			covered[line] = true
		}
	}
	words := 0
	for i, line := range lines {
		if covered[i+1] {
			words = 0
			continue
		}
		words += len(bytes.Fields(line))
		unknown = max(unknown, words)
	}
	if unknown <= longestRemark {
		unknown = 0
	}
	return licences, unknown
}

// longestRemark is how many words a licence file may have that are no licence, such as
// names of authors and of files.
const longestRemark = 60

// thirdPartyText is the file thirdPartyFile: a table, then each text once.
func thirdPartyText(p program, modules []module) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s contains the following software of others. Each text below holds for what is named above it.\n\n", p.name)
	type text struct {
		content []byte
		holders []string
	}
	var texts []*text
	byContent := map[string]*text{}
	for _, m := range modules {
		fmt.Fprintf(&b, "%s  %s\n", m.name(), strings.Join(m.licences, ", "))
		for _, name := range slices.Sorted(maps.Keys(m.files)) {
			content := bytes.TrimSpace(bytes.ReplaceAll(m.files[name], []byte("\r\n"), []byte("\n")))
			t := byContent[string(content)]
			if t == nil {
				t = &text{content: content}
				byContent[string(content)] = t
				texts = append(texts, t)
			}
			t.holders = append(t.holders, m.name()+": "+name)
		}
	}
	for _, t := range texts {
		fmt.Fprintf(&b, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), strings.Join(t.holders, "\n"), t.content)
	}
	return b.Bytes()
}

// name is the module with its version.
func (m module) name() string {
	if m.version == "" {
		return m.path
	}
	return m.path + "@" + m.version
}

// licenceFiles are the licences that go into an archive and an image: our own and those of
// others.
func licenceFiles(s *source, p program, modules []module) ([]entry, error) {
	own, err := os.ReadFile(filepath.Join(s.root, "LICENSE"))
	if err != nil {
		return nil, err
	}
	return []entry{
		{path: "LICENSE", content: own},
		{path: thirdPartyFile, content: thirdPartyText(p, modules)},
	}, nil
}
