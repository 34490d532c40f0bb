// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/peerjob/peerjob/frameworks/pod"
)

// containerOrder is what a container's first process is told.
type containerOrder struct {
	Container pod.Container
	Hostname  string
	Hosts     string
	Volumes   []pod.Volume
}

// runContainer is the first process of a container: it lays the container's own
// files over the machine's, and becomes the program.
func runContainer() (int, error) {
	runtime.LockOSThread()
	var order containerOrder
	if err := json.NewDecoder(os.Stdin).Decode(&order); err != nil {
		return 0, err
	}
	c := order.Container
	root, err := makeRoot(order)
	if err != nil {
		return 0, err
	}
	if err := syscall.Chroot(root); err != nil {
		return 0, err
	}
	dir := c.Dir
	if dir == "" {
		dir = "/"
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	if err := os.Chdir(dir); err != nil {
		return 0, err
	}
	null, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	if err := syscall.Dup2(null, 0); err != nil {
		return 0, err
	}
	program, err := find(c)
	if err != nil {
		return 0, err
	}
	if err := become(c); err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("%s: %w", program, syscall.Exec(program, c.Argv, c.Env))
}

// makeRoot makes the container's root folder and returns its path.
func makeRoot(order containerOrder) (string, error) {
	const upper, work, root = "/tmp/container/upper", "/tmp/container/work", "/tmp/container/root"
	if err := makeDir("/tmp/container", 0o755); err != nil {
		return "", err
	}
	if err := mount("tmpfs", "/tmp/container", "tmpfs", 0, "mode=0755"); err != nil {
		return "", err
	}
	for _, dir := range []string{upper, work, root} {
		if err := makeDir(dir, 0o755); err != nil {
			return "", err
		}
	}
	if err := mount("overlay", root, "overlay", 0, "lowerdir=/,upperdir="+upper+",workdir="+work); err != nil {
		return "", err
	}
	for _, m := range []struct {
		source, target, kind string
		flags                uintptr
		data                 string
	}{
		{"proc", "/proc", "proc", 0, ""},
		{"/sys", "/sys", "", syscall.MS_BIND | syscall.MS_REC, ""},
		{"/dev", "/dev", "", syscall.MS_BIND | syscall.MS_REC, ""},
		{"tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777,size=64m"},
		{"tmpfs", "/tmp", "tmpfs", 0, "mode=1777"},
		{"tmpfs", "/run", "tmpfs", 0, "mode=0755"},
		// Nobody's own files: a login shell would read them.
		{"tmpfs", "/root", "tmpfs", 0, "mode=0700"},
		{"tmpfs", "/home", "tmpfs", 0, "mode=0755"},
	} {
		if err := mount(m.source, root+m.target, m.kind, m.flags, m.data); err != nil {
			return "", err
		}
	}
	files := append([]pod.File{
		{Path: "/etc/hosts", Data: []byte(order.Hosts), Mode: 0o644},
		{Path: "/etc/hostname", Data: []byte(order.Hostname + "\n"), Mode: 0o644},
		{Path: "/etc/resolv.conf", Mode: 0o644},
		{Path: "/etc/nsswitch.conf", Data: []byte("passwd: files\ngroup: files\nshadow: files\nhosts: files\n"), Mode: 0o644},
	}, order.Container.Files...)
	for _, file := range files {
		if err := makeFile(root, file); err != nil {
			return "", err
		}
	}
	for _, m := range order.Container.Mounts {
		if err := mountVolume(root, m, order.Volumes); err != nil {
			return "", fmt.Errorf("mount %s: %w", m.Path, err)
		}
	}
	return root, nil
}

func mountVolume(root string, m pod.Mount, all []pod.Volume) error {
	source, target := filepath.Join(volumes, m.Volume, m.SubPath), filepath.Join(root, m.Path)
	source, err := filepath.EvalSymlinks(source)
	if err != nil {
		return err
	}
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if info.IsDir() {
		err = os.MkdirAll(target, 0o755)
	} else if _, missing := os.Stat(target); missing != nil {
		err = makeFile(root, pod.File{Path: m.Path, Mode: 0o644})
	}
	if err != nil {
		return err
	}
	if err := mount(source, target, "", syscall.MS_BIND, ""); err != nil {
		return err
	}
	readOnly := m.ReadOnly
	for _, volume := range all {
		readOnly = readOnly || volume.Name == m.Volume && volume.Projected
	}
	if !readOnly {
		return nil
	}
	return mount("", target, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
}

// find is the path of the container's program, by its own PATH.
func find(c pod.Container) (string, error) {
	name := c.Argv[0]
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, variable := range c.Env {
		if list, found := strings.CutPrefix(variable, "PATH="); found {
			for _, dir := range filepath.SplitList(list) {
				path := filepath.Join(dir, name)
				if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
					return path, nil
				}
			}
		}
	}
	return "", fmt.Errorf("%s: not in the container's PATH", name)
}

// become takes on the container's user and groups. A change of them makes the
// kernel forget that this process dies with the one that started it, and so
// does exec from another thread: it is told again.
func become(c pod.Container) error {
	if err := syscall.Setgroups(c.Groups); err != nil {
		return err
	}
	if err := syscall.Setgid(c.Group); err != nil {
		return err
	}
	if err := syscall.Setuid(c.User); err != nil {
		return err
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0); errno != 0 {
		return errno
	}
	return nil
}
