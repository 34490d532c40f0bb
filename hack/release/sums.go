// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sumsFile has the checksums of all other files, as sha256sum writes them.
const sumsFile = "SHA256SUMS"

// signatureFile is what the release workflow adds to a release: the signature of sumsFile,
// which can't be in it.
const signatureFile = sumsFile + ".sigstore.json"

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// sums returns the content of sumsFile.
func sums(files []entry) []byte {
	var b bytes.Buffer
	for _, f := range sorted(files) {
		fmt.Fprintf(&b, "%s  %s\n", sumOf(f.content), f.path)
	}
	return b.Bytes()
}

// checkSums compares a folder with its sumsFile and returns the number of files. The error
// has every file that is missing, different or not listed. The folder may have the
// signature of a release that was downloaded; cosign checks it.
func checkSums(dir string) (int, error) {
	list, err := os.ReadFile(filepath.Join(dir, sumsFile))
	if err != nil {
		return 0, err
	}
	var problems []error
	names := []string{sumsFile, signatureFile}
	for line := range strings.Lines(string(list)) {
		want, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || name != filepath.Base(name) {
			return 0, fmt.Errorf("%s: Invalid value: %q: must be a checksum, two spaces and a file", sumsFile, line)
		}
		names = append(names, name)
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			problems = append(problems, err)
		} else if got := sumOf(content); got != want {
			problems = append(problems, fmt.Errorf("%s: has the checksum %s, and %s says %s", name, got, sumsFile, want))
		}
	}
	found, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, f := range found {
		if !slices.Contains(names, f.Name()) {
			problems = append(problems, fmt.Errorf("%s: is not in %s", f.Name(), sumsFile))
		}
	}
	return len(names) - 2, errors.Join(problems...)
}
