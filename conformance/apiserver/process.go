// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// process is a running program and the file that its output goes to.
type process struct {
	name, log string
	os        *os.Process
	done      chan struct{}
	err       error
}

// start runs a program in the background.
func start(dir, file string, args ...string) (*process, error) {
	name := filepath.Base(file)
	p := &process{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(file, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = dir, log, log, attributes()
	started := make(chan error)
	go func() {
		// The kernel ends the process when the thread that started it ends
		// (attributes_linux.go), so that thread has to stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		err := cmd.Start()
		p.os = cmd.Process
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
		close(p.done)
	}()
	return p, <-started
}

// stop ends the process. It has nothing that is worth to be saved.
func (p *process) stop() {
	if p == nil || p.os == nil {
		return
	}
	_ = p.os.Kill()
	<-p.done
}

// ended returns an error, with the end of the log, when the process is over.
func (p *process) ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended: %v\n%s", p.name, p.err, p.lastLines())
	default:
		return nil
	}
}

// lastLines is the end of the log.
func (p *process) lastLines() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
