// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/peerjob/peerjob/frameworks/pod"
)

// A program that uses this package is started again, by this package, as the
// first process of each Pod and of each container. Its first argument says so.
const (
	stagePod       = "peerjob-sandbox-pod"
	stageContainer = "peerjob-sandbox-container"
)

// Main does not return in a process that this package started. A program that
// calls [Start] calls it before anything else.
func Main() {
	if len(os.Args) != 2 {
		return
	}
	var run func() (int, error)
	switch os.Args[1] {
	case stagePod:
		run = runPod
	case stageContainer:
		run = runContainer
	default:
		return
	}
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		code = 255
	}
	os.Exit(code)
}

// stage is this program, to be started again in new namespaces. It is killed
// when the thread that starts it ends.
func stage(name string, namespaces uintptr) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", name)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// volumes is where a Pod keeps its volumes, on a file system in memory that
// only the Pod sees.
const volumes = "/tmp/volumes"

// runPod is the first process of a Pod: it joins the network, makes the volumes
// and runs the containers, one after the other, until one fails.
func runPod() (int, error) {
	runtime.LockOSThread()
	var p pod.Pod
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		return 0, err
	}
	var container atomic.Pointer[os.Process]
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	go func() {
		for range terminated {
			if process := container.Load(); process != nil {
				sendSignal(process, syscall.SIGTERM)
			}
		}
	}()
	if err := joinNetwork(&p); err != nil {
		return 0, err
	}
	if err := syscall.Sethostname([]byte(p.Hostname)); err != nil {
		return 0, err
	}
	if err := mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return 0, err
	}
	folders, err := openFolders(p.Volumes)
	if err != nil {
		return 0, err
	}
	if err := mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777"); err != nil {
		return 0, err
	}
	for _, volume := range p.Volumes {
		dir := filepath.Join(volumes, volume.Name)
		if err := makeVolume(dir, volume); err != nil {
			return 0, fmt.Errorf("volume %s: %w", volume.Name, err)
		}
		if folder := folders[volume.Name]; folder != nil {
			if err := mount(fmt.Sprintf("/proc/self/fd/%d", folder.Fd()), dir, "", syscall.MS_BIND, ""); err != nil {
				return 0, err
			}
			if err := folder.Close(); err != nil {
				return 0, err
			}
		}
	}
	for _, c := range p.Containers {
		order, err := json.Marshal(containerOrder{Container: c, Hosts: p.Hosts, Hostname: p.Hostname, Volumes: p.Volumes})
		if err != nil {
			return 0, err
		}
		cmd := stage(stageContainer, syscall.CLONE_NEWNS|syscall.CLONE_NEWPID)
		cmd.Stdin = strings.NewReader(string(order))
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		container.Store(cmd.Process)
		if code := exitCode(cmd.Wait()); code != 0 {
			return code, nil
		}
	}
	return 0, nil
}

// openFolders opens the folders of volumes, by their names. The Pod's own /tmp hides those
// that are there.
func openFolders(volumes []pod.Volume) (map[string]*os.File, error) {
	folders := map[string]*os.File{}
	for _, volume := range volumes {
		if volume.Folder == "" {
			continue
		}
		folder, err := os.Open(volume.Folder)
		if err != nil {
			return nil, err
		}
		folders[volume.Name] = folder
	}
	return folders, nil
}

func joinNetwork(p *pod.Pod) error {
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"address", "add", p.Address + "/24", "dev", "eth0"},
		{"link", "set", "eth0", "up"},
		{"route", "add", "default", "via", gateway},
	} {
		if err := ip(args...); err != nil {
			return err
		}
	}
	return nil
}

// makeVolume writes a volume as the kubelet does: the files are in a folder
// that a link names, and each name in the volume is a link into it.
// See k8s.io/kubernetes/pkg/volume/util/atomic_writer.go.
func makeVolume(dir string, volume pod.Volume) error {
	const now, data = "..2026_01_01_00_00_00.0000000001", "..data"
	if err := makeDir(dir, volume.Mode); err != nil {
		return err
	}
	if err := os.Chown(dir, 0, volume.Group); err != nil {
		return err
	}
	if !volume.Projected {
		return nil
	}
	if err := makeDir(filepath.Join(dir, now), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(now, filepath.Join(dir, data)); err != nil {
		return err
	}
	for _, file := range volume.Files {
		file.Path = filepath.Join(dir, now, file.Path)
		if err := makeFile("/", file); err != nil {
			return err
		}
		if err := os.Chown(file.Path, 0, volume.Group); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, now))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.Symlink(filepath.Join(data, entry.Name()), filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// makeFile makes a file at its path under a root, with the folders above it.
func makeFile(root string, file pod.File) error {
	path := filepath.Join(root, file.Path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if file.Link != "" {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		return os.Symlink(file.Link, path)
	}
	if err := os.WriteFile(path, file.Data, 0o600); err != nil {
		return err
	}
	return chmod(path, file.Mode)
}

func makeDir(path string, mode uint32) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return chmod(path, mode)
}

// chmod sets permission bits as Unix counts them, the sticky bit among them.
func chmod(path string, mode uint32) error {
	if err := syscall.Chmod(path, mode); err != nil {
		return &os.PathError{Op: "chmod", Path: path, Err: err}
	}
	return nil
}

func mount(source, target, kind string, flags uintptr, data string) error {
	if err := syscall.Mount(source, target, kind, flags, data); err != nil {
		return &os.PathError{Op: "mount", Path: target, Err: err}
	}
	return nil
}
