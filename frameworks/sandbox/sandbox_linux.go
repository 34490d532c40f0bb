// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"github.com/peerjob/peerjob/frameworks/pod"
)

// Exit is the end of a Pod.
type Exit struct {
	// Index is the Pod's place in the list.
	Index int
	// Code is 0 when all its containers succeeded, and otherwise the exit code of
	// the one that did not, or 128 and the number of its signal.
	Code int
}

// Sandbox are Pods that run.
type Sandbox struct {
	exits   chan Exit
	pods    []*exec.Cmd
	running sync.WaitGroup
	end     chan struct{}
}

// Missing says why no sandbox can be made on this machine, "" when one can.
func Missing() string {
	if os.Geteuid() != 0 {
		return "not root: network namespaces can't be made"
	}
	if _, err := exec.LookPath("ip"); err != nil {
		return "ip (package iproute2) is not on this machine"
	}
	// Root in a container is often not allowed to.
	probe := exec.Command("ip", "link", "set", "lo", "up")
	probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespacesOfPod}
	if said, err := probe.CombinedOutput(); err != nil {
		return fmt.Sprintf("namespaces can't be made: %v %s", err, said)
	}
	return ""
}

// namespacesOfPod are those that a Pod has for itself.
const namespacesOfPod = syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC

// Address is the address of the Pod at this place in the list, at most 250.
func Address(index int) string { return fmt.Sprintf("10.244.0.%d", index+1) }

// gateway is the bridge's address: where a Pod's packets go that are for
// nobody here.
const gateway = "10.244.0.254"

// Start starts Pods whose addresses are those of [Address]. What the containers
// of each write goes to the writer of its index, which must take it from
// several goroutines.
func Start(pods []*pod.Pod, output func(index int) io.Writer) (*Sandbox, error) {
	s := &Sandbox{exits: make(chan Exit, len(pods)), end: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The thread is the node: the bridge is in its network namespace, and the
		// Pods are its children. It is never unlocked, so it ends with this
		// function, and the kernel kills what is left of the Pods.
		runtime.LockOSThread()
		started <- s.start(pods, output)
		<-s.end
	}()
	if err := <-started; err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Sandbox) start(pods []*pod.Pod, output func(index int) io.Writer) error {
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		return fmt.Errorf("a network namespace: %w", err)
	}
	if err := ip("link", "add", "bridge", "type", "bridge"); err != nil {
		return err
	}
	if err := ip("address", "add", gateway+"/24", "dev", "bridge"); err != nil {
		return err
	}
	if err := ip("link", "set", "bridge", "up"); err != nil {
		return err
	}
	for i, p := range pods {
		if err := s.startPod(i, p, output(i)); err != nil {
			return fmt.Errorf("%s: %w", p.Hostname, err)
		}
	}
	return nil
}

func (s *Sandbox) startPod(index int, p *pod.Pod, output io.Writer) error {
	cmd := stage(stagePod, namespacesOfPod)
	cmd.Stdout, cmd.Stderr = output, output
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.pods = append(s.pods, cmd)
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		s.exits <- Exit{Index: index, Code: exitCode(cmd.Wait())}
	}()
	// The Pod waits for what to run until its cable is in.
	outer := fmt.Sprintf("pod%d", index)
	inner := []string{"link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", fmt.Sprint(cmd.Process.Pid)}
	if err := ip(inner...); err != nil {
		return err
	}
	if err := ip("link", "set", outer, "master", "bridge", "up"); err != nil {
		return err
	}
	if err := json.NewEncoder(stdin).Encode(p); err != nil {
		return err
	}
	return stdin.Close()
}

// Exits are the ends of the Pods, in the order in which they come.
func (s *Sandbox) Exits() <-chan Exit { return s.exits }

// Terminate asks a Pod to end, as the kubelet does: with SIGTERM to the first
// process of each container, which ignores it unless it handles it.
func (s *Sandbox) Terminate(index int) { sendSignal(s.pods[index].Process, syscall.SIGTERM) }

// Close ends every Pod at once and returns when nothing is left of them.
func (s *Sandbox) Close() {
	for _, cmd := range s.pods {
		sendSignal(cmd.Process, syscall.SIGKILL)
	}
	s.running.Wait()
	close(s.end)
}

// sendSignal sends a signal to a process of our own: it is there, or is at its end
// already.
func sendSignal(process *os.Process, what os.Signal) {
	if err := process.Signal(what); err != nil && !errors.Is(err, os.ErrProcessDone) {
		panic(fmt.Sprintf("%v to %d: %v", what, process.Pid, err))
	}
}

// exitCode is the exit code of a program, as a shell has it.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		return 255
	}
	if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

// ip runs iproute2's ip in the network namespace of this thread.
func ip(args ...string) error {
	if said, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %v: %w: %s", args, err, said)
	}
	return nil
}
