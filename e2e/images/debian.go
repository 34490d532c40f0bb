// SPDX-License-Identifier: Apache-2.0

package images

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Programs returns this machine's programs of these names with all that they
// need to run: the shared libraries, the loader, and how names are looked up.
func Programs(names ...string) ([]File, error) {
	files := skeleton()
	for _, name := range names {
		file, err := exec.LookPath(name)
		if err != nil {
			return nil, err
		}
		libraries, err := libraries(file)
		if err != nil {
			return nil, err
		}
		for _, f := range append(libraries, file) {
			copied, err := copyOf(f)
			if err != nil {
				return nil, err
			}
			files = append(files, copied)
		}
	}
	return files, nil
}

// skeleton is what stands around the programs, as on a Debian system: /bin and
// its kin are links into /usr.
func skeleton() []File {
	files := []File{
		{Path: "/tmp", Mode: os.ModeDir | os.ModeSticky | 0o777},
		{Path: "/root", Mode: os.ModeDir | 0o700},
		{Path: "/etc/nsswitch.conf", Content: "passwd: files\ngroup: files\nhosts: files dns\n"},
		{Path: "/etc/passwd", Content: "root:x:0:0:root:/root:/bin/bash\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
		{Path: "/etc/group", Content: "root:x:0:\nnogroup:x:65534:\n"},
	}
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		if target, err := os.Readlink("/" + dir); err == nil {
			files = append(files, File{Path: "/" + dir, Link: target})
		}
	}
	return files
}

// copyOf is a file of this machine under its own path, the directories' links
// followed.
func copyOf(file string) (File, error) {
	dir, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		return File{}, err
	}
	return File{Path: filepath.Join(dir, filepath.Base(file)), Source: file}, nil
}

// libraries returns the shared libraries and the loader that a program needs, as
// the loader says; none for a static program.
func libraries(file string) ([]string, error) {
	out, err := exec.Command("ldd", file).CombinedOutput()
	if strings.Contains(string(out), "not a dynamic executable") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ldd %s: %w: %s", file, err, out)
	}
	var files []string
	for line := range strings.Lines(string(out)) {
		// "libc.so.6 => /lib/…/libc.so.6 (0x…)", or "/lib64/ld-linux…so.2 (0x…)".
		if _, path, found := strings.Cut(line, "=> "); found {
			line = path
		}
		if fields := strings.Fields(line); len(fields) > 0 && strings.HasPrefix(fields[0], "/") {
			files = append(files, fields[0])
		}
	}
	return files, nil
}
