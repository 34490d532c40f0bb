// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommandError runs commands that can't be run, in a folder with a file of each kind.
func TestCommandError(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, mode := range map[string]os.FileMode{"bin/plain": 0o644, "bin/noexec": 0o755, "bin/interpreter": 0o755, "here": 0o755, "bin/good": 0o755, "late/plain": 0o755} {
		content := map[string]string{
			"bin/noexec": "echo no first line\n", "bin/interpreter": "#!/nonexistent\n",
			"bin/good": "#!/bin/sh\necho good $0 $*\n", "here": "#!/bin/sh\necho here\n", "late/plain": "#!/bin/sh\necho late\n",
		}[name]
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "bin", "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	const platform = "can't be run: it is no program for this platform, and a script needs a first line such as #!/bin/sh"
	tests := []struct {
		path, command string
		code          int
		output        string // a part of it; FOLDER stands for the folder
	}{
		{"FOLDER/bin", "good", 0, "good FOLDER/bin/good argument"},
		{"/nonexistent:FOLDER/bin", "good", 0, "good"},
		{"", "bin/good", 0, "good bin/good argument"},
		{"", "./here", 0, "here"},
		{"FOLDER/bin:FOLDER/late", "plain", 0, "late"},
		{"FOLDER/bin:", "here", CodeNotFound, `command "here" not found in PATH "FOLDER/bin:"`},
		{".", "here", CodeNotFound, `command "here" not found in PATH "."`},
		{"", "here", CodeNotFound, `command "here" not found in PATH ""`},
		{"FOLDER/here", "here", CodeNotFound, `not found`},
		{"FOLDER/bin", "", CodeNotFound, `command "" not found in PATH`},
		{"", "/nonexistent/x", CodeNotFound, `command "/nonexistent/x" not found`},
		{"", "here/x", CodeNotFound, `command "here/x" not found`},
		{"FOLDER/bin", "folder", CodeCannotRun, `command "FOLDER/bin/folder" can't be run: it is a directory`},
		{"", "bin/", CodeCannotRun, `command "bin/" can't be run: it is a directory`},
		{"FOLDER/bin", "plain", CodeCannotRun, `command "FOLDER/bin/plain" can't be run: permission denied`},
		{"FOLDER/bin", "noexec", CodeCannotRun, platform},
		{"FOLDER/bin", "interpreter", CodeCannotRun, `command "FOLDER/bin/interpreter" can't be run: its interpreter or its dynamic loader is not in the image`},
		{"", "/dev/null", CodeCannotRun, `command "/dev/null" can't be run: permission denied`},
	}
	for _, test := range tests {
		t.Run(test.path+" "+test.command, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, nil, "supervise", test.command, "argument")
			cmd.Dir = folder
			cmd.Env = append(cmd.Env, "PATH="+strings.ReplaceAll(test.path, "FOLDER", folder))
			output, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit code %d, want %d: %v", code, test.code, err)
			}
			if got := strings.ReplaceAll(string(output), folder, "FOLDER"); !strings.Contains(got, test.output) {
				t.Errorf("output %q, want %q", got, test.output)
			}
		})
	}
}
