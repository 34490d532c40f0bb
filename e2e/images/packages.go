// SPDX-License-Identifier: Apache-2.0

package images

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Packages returns the files of this machine's Debian packages of these names
// and of all that they depend on.
func Packages(names ...string) ([]File, error) {
	out, err := exec.Command("dpkg-query", "--show", "--showformat", "${Package}\t${db:Status-Status}\t${Provides}\t${Pre-Depends}, ${Depends}\n").Output()
	if err != nil {
		return nil, fmt.Errorf("dpkg-query: %w", err)
	}
	needed, err := dependencies(string(out), names)
	if err != nil {
		return nil, err
	}
	list, err := exec.Command("dpkg-query", append([]string{"--listfiles"}, needed...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("dpkg-query: %w", err)
	}
	files := skeleton()
	for line := range strings.Lines(string(list)) {
		f, err := asIs(strings.TrimSpace(line))
		if err != nil {
			return nil, err
		}
		if f.Path != "" {
			files = append(files, f)
		}
	}
	return append(files, alternatives()...), nil
}

// asIs is a file of this machine as an image has it; nothing for what is no file
// or link, such as a directory or a message of dpkg's.
func asIs(file string) (File, error) {
	info, err := os.Lstat(file)
	if err != nil || !strings.HasPrefix(file, "/") || strings.HasPrefix(file, "/usr/share/doc/") || strings.HasPrefix(file, "/usr/share/man/") {
		return File{}, nil
	}
	placed, err := copyOf(file)
	if err != nil {
		return File{}, err
	}
	switch {
	case info.Mode()&os.ModeSymlink != 0:
		link, err := os.Readlink(file)
		return File{Path: placed.Path, Link: link}, err
	case info.Mode().IsRegular():
		return placed, nil
	}
	return File{}, nil
}

// alternatives are the links that packages make when they are installed, and
// the loader's list of libraries.
func alternatives() []File {
	files := []File{{Path: "/etc/ld.so.cache", Source: "/etc/ld.so.cache"}}
	for _, pattern := range []string{"/etc/alternatives/*", "/usr/bin/*", "/usr/sbin/*", "/usr/lib/*-linux-gnu/*"} {
		// The pattern is a constant and well formed.
		matches, _ := filepath.Glob(pattern)
		for _, file := range matches {
			link, err := os.Readlink(file)
			if err == nil && (strings.HasPrefix(pattern, "/etc/") || strings.HasPrefix(link, "/etc/alternatives/")) {
				files = append(files, File{Path: file, Link: link})
			}
		}
	}
	return files
}

// version matches what a dependency says of versions and architectures.
var version = regexp.MustCompile(`\s*\([^)]*\)|:\w+`)

// dependencies returns the packages of these names and all that they depend on,
// given dpkg's list of what is there: name, status, what it provides, what it
// depends on.
func dependencies(installed string, names []string) ([]string, error) {
	dependsOn, providedBy := map[string][]string{}, map[string]string{}
	for line := range strings.Lines(installed) {
		fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(fields) != 4 || fields[1] != "installed" {
			continue
		}
		for _, dependency := range strings.FieldsFunc(version.ReplaceAllString(fields[3], ""), func(r rune) bool { return r == ',' || r == '|' }) {
			dependsOn[fields[0]] = append(dependsOn[fields[0]], strings.TrimSpace(dependency))
		}
		for provided := range strings.SplitSeq(version.ReplaceAllString(fields[2], ""), ",") {
			providedBy[strings.TrimSpace(provided)] = fields[0]
		}
		providedBy[fields[0]] = fields[0]
	}
	for _, name := range names {
		if providedBy[name] == "" {
			return nil, fmt.Errorf("the package %s is not installed", name)
		}
	}
	var needed []string
	seen := map[string]bool{}
	for queue := slices.Clone(names); len(queue) > 0; queue = queue[1:] {
		name, found := providedBy[queue[0]]
		// An alternative that is not there is not the one that was chosen.
		if !found || seen[name] {
			continue
		}
		seen[name] = true
		needed = append(needed, name)
		queue = append(queue, dependsOn[name]...)
	}
	return needed, nil
}
