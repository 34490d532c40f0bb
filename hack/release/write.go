// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"text/template"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// shells are those that peerjob completes, with the file that each reads.
var shells = []struct{ name, file string }{
	{"bash", "completions/peerjob.bash"},
	{"zsh", "completions/_peerjob"},
	{"fish", "completions/peerjob.fish"},
	{"powershell", "completions/peerjob.ps1"},
}

// write makes a release:
//
//	peerjob_VERSION_OS_ARCH.tar.gz          the program, completions for four shells, licences
//	peerjob_VERSION_windows_ARCH.zip
//	peerjob-runner_VERSION_linux_ARCH.tar.gz
//	*.cdx.json                              the bill of materials of each program
//	peerjob-image_VERSION.tar               an OCI image layout for all platforms of Linux
//	peerjob-runner-image_VERSION.tar
//	peerjob.yaml                            the manifest for krew
//	peerjob.rb                              the formula for Homebrew
//	peerjob-NUMBER.tgz                      the plugins for Helm
//	peerjob-expand-NUMBER.tgz
//	peerjob.openvex.json                    why known vulnerabilities are none of peerjob
//	SHA256SUMS                              the checksums of all other files
//
// The files of an earlier release in the folder are removed.
func write(ctx context.Context, s *source, platforms []platform, out string, log io.Writer) error {
	if err := empties(out); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "peerjob-release-")
	if err != nil {
		return err
	}
	files, err := makeFiles(ctx, s, platforms, work, log)
	if err := errors.Join(err, os.RemoveAll(work)); err != nil {
		return err
	}
	files = append(files, entry{path: sumsFile, content: sums(files)})
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(out, f.path), f.content, 0o644); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(log, "%s: %d files of %s, %s has the digest sha256:%s\n", out, len(files), s.version, sumsFile, sumOf(files[len(files)-1].content))
	return err
}

// empties makes an empty folder. A folder with anything that is no release is not touched.
func empties(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return nil
	}
	if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == sumsFile }) {
		return fmt.Errorf("%s: has files and no %s, so it is no release; remove it or name another folder", dir, sumsFile)
	}
	for _, e := range entries {
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// makeFiles makes all files but the checksums.
func makeFiles(ctx context.Context, s *source, platforms []platform, work string, log io.Writer) ([]entry, error) {
	var files []entry
	var downloads []download
	for _, p := range programs {
		on := p.platforms(platforms)
		// One list for every platform, also for those that are not built: so each file is
		// that of the whole release.
		modules, err := thirdParty(ctx, s, p, p.platforms(allPlatforms))
		if err != nil {
			return nil, err
		}
		licences, err := licenceFiles(s, p, modules)
		if err != nil {
			return nil, err
		}
		shipped := slices.Clone(licences)
		if p.completion {
			completions, err := s.completions(ctx, p, work)
			if err != nil {
				return nil, err
			}
			shipped = append(shipped, completions...)
		}
		images := map[platform]v1.Image{}
		for _, to := range on {
			start := time.Now()
			built := filepath.Join(work, p.name+"_"+to.os+"_"+to.arch, p.file(to))
			if err := s.build(ctx, p, to, built); err != nil {
				return nil, err
			}
			binary, err := os.ReadFile(built)
			if err != nil {
				return nil, err
			}
			archive, err := s.archive(p, to, append(slices.Clone(shipped), entry{path: p.file(to), program: true, content: binary}))
			if err != nil {
				return nil, err
			}
			bom, err := bomOf(s, modules, built, binary)
			if err != nil {
				return nil, err
			}
			files = append(files, archive, entry{path: s.base(p, to) + ".cdx.json", content: bom})
			if p.completion { // the program for people
				downloads = append(downloads, download{to.os, to.arch, p.file(to), published(s, archive.path), sumOf(archive.content)})
			}
			if to.os == "linux" {
				if images[to], err = makeImage(s, p, to, binary, licences); err != nil {
					return nil, err
				}
			}
			if _, err := fmt.Fprintf(log, "%s %v: %d bytes, %v\n", p.name, to, len(binary), time.Since(start).Round(time.Second)); err != nil {
				return nil, err
			}
		}
		if len(images) > 0 {
			layout, err := writeLayout(s, p, linuxOf(on), images)
			if err != nil {
				return nil, err
			}
			files = append(files, entry{path: s.imageArchive(p), content: layout})
		}
	}
	for name, t := range map[string]*template.Template{"peerjob.yaml": krewManifest, "peerjob.rb": formula} {
		content, err := dataFor(s, downloads).render(t)
		if err != nil {
			return nil, err
		}
		files = append(files, entry{path: name, content: content})
	}
	plugins, err := helmPlugins(s)
	if err != nil {
		return nil, err
	}
	files = append(files, plugins...)
	vex, err := os.ReadFile(filepath.Join(s.root, "vex.openvex.json"))
	return append(files, entry{path: "peerjob.openvex.json", content: vex}), err
}

// base is the beginning of the files of a program for a platform.
func (s *source) base(p program, on platform) string {
	return fmt.Sprintf("%s_%s_%s_%s", p.name, s.version, on.os, on.arch)
}

// archive packs what a user of a platform gets.
func (s *source) archive(p program, on platform, entries []entry) (entry, error) {
	if on.os == "windows" {
		content, err := zipped(entries, s.time)
		return entry{path: s.base(p, on) + ".zip", content: content}, err
	}
	content, err := tarGzip(entries, s.time)
	return entry{path: s.base(p, on) + ".tar.gz", content: content}, err
}

// completions are what the program prints on this machine; they are the same everywhere.
func (s *source) completions(ctx context.Context, p program, work string) ([]entry, error) {
	here := platform{runtime.GOOS, runtime.GOARCH}
	built := filepath.Join(work, "host", p.file(here))
	if err := s.build(ctx, p, here, built); err != nil {
		return nil, err
	}
	var files []entry
	for _, shell := range shells {
		out, err := output(exec.CommandContext(ctx, built, "completion", shell.name))
		if err != nil {
			return nil, err
		}
		files = append(files, entry{path: shell.file, content: []byte(out)})
	}
	return files, nil
}
