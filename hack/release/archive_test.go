// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestArchives_order packs the same files in two orders and unpacks them.
func TestArchives_order(t *testing.T) {
	at := time.Unix(1_800_000_000, 0).UTC()
	files := []entry{
		{path: "a/b/c", content: []byte("one")},
		{path: "peerjob.exe", program: true, content: bytes.Repeat([]byte("two"), 100_000)},
		{path: "empty"},
	}
	reversed := []entry{files[2], files[1], files[0]}
	want := map[string]unpacked{
		"a/b/c":       {files[0].content, 0o644, at},
		"peerjob.exe": {files[1].content, 0o755, at},
		"empty":       {[]byte{}, 0o644, at},
	}
	for name, pack := range map[string]func([]entry, time.Time) ([]byte, error){"x.tar.gz": tarGzip, "x.zip": zipped} {
		one, err := pack(files, at)
		if err != nil {
			t.Fatal(err)
		}
		other, err := pack(reversed, at.In(time.FixedZone("elsewhere", 3600)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one, other) {
			t.Errorf("%s: the order or the time zone is to be seen", name)
		}
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, one, 0o644); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, unpack(t, file), cmp.AllowUnexported(unpacked{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestUntar_outside refuses an archive that leaves its folder.
func TestUntar_outside(t *testing.T) {
	var archive bytes.Buffer
	if err := writeTar(&archive, []entry{{path: "../outside", content: []byte("x")}}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "x.tar")
	if err := os.WriteFile(file, archive.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := untar(file, filepath.Join(dir, "in")); err == nil {
		t.Error("is extracted")
	}
	if _, err := os.Stat(filepath.Join(dir, "outside")); err == nil {
		t.Error("has left its folder")
	}
}
