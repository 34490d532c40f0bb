// SPDX-License-Identifier: Apache-2.0

// Package process runs a program in the background, for a test: its output goes
// to a file, its end is noticed, and it never outlives the test that started it.
package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Process is a running program and the file that its output goes to.
type Process struct {
	name, log string
	os        *os.Process
	done      chan struct{}
	err       error
}

// Start runs a program with a directory as its own. Its output goes to
// "<name>.log" there.
func Start(dir, file string, args ...string) (*Process, error) {
	name := filepath.Base(file)
	p := &Process{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
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
		err := cmd.Start()
		p.os = cmd.Process
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
		p.err = errors.Join(p.err, log.Close())
		close(p.done)
	}()
	return p, <-started
}

// Stop ends the process at once: for one that has nothing worth to be saved.
func (p *Process) Stop() {
	if p == nil || p.os == nil {
		return
	}
	_ = p.os.Kill()
	<-p.done
}

// Interrupt asks the process to end, and ends it when it has not after a while.
func (p *Process) Interrupt(patience time.Duration) {
	if p == nil || p.os == nil {
		return
	}
	_ = p.os.Signal(os.Interrupt)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.Stop()
	}
}

// Ended returns an error, with the end of the log, when the process is over.
func (p *Process) Ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended: %v\n%s", p.name, p.err, p.LastLines())
	default:
		return nil
	}
}

// LastLines is the end of the log.
func (p *Process) LastLines() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// Name is the name of the program.
func (p *Process) Name() string { return p.name }
