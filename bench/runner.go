// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// sample is what one run cost.
type sample struct {
	wall time.Duration
	// peak is the peak memory in bytes.
	peak int64
}

// runner runs the programs of a comparison.
type runner struct {
	// measure is the program that runs the others.
	measure string
	// dir is for the outputs and is Helm's home.
	dir string
}

// slow is how long a run may take to be worth another one.
const slow = 20 * time.Second

// run measures a comparison, the contenders in turns, and begins each round
// with another one: none always follows the same. A first run that was slow
// counts, warm-up or not, and is the only one.
func (r *runner) run(c comparison) ([]row, error) {
	outputs := map[string][]byte{}
	samples := map[string][]sample{}
	for round := range c.warmups + c.runs {
		for turn := range c.contenders {
			contender := c.contenders[(round+turn)%len(c.contenders)]
			if taken := samples[contender.name]; len(taken) > 0 && taken[0].wall > slow {
				continue
			}
			measured, output, err := r.runOnce(contender)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", contender.name, err)
			}
			if first, found := outputs[contender.name]; found && !bytes.Equal(output, first) {
				return nil, fmt.Errorf("%s: wrote something else than before", contender.name)
			}
			outputs[contender.name] = output
			if round >= c.warmups || measured.wall > slow {
				samples[contender.name] = append(samples[contender.name], measured)
			}
		}
		if round > 0 {
			continue
		}
		if err := c.check(outputs); err != nil {
			return nil, err
		}
	}
	return newRows(c, samples), nil
}

// runOnce runs one program once.
func (r *runner) runOnce(c contender) (_ sample, _ []byte, err error) {
	result, err := os.Create(filepath.Join(r.dir, "result"))
	if err != nil {
		return sample{}, nil, err
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	stdout, err := os.Create(filepath.Join(r.dir, "stdout"))
	if err != nil {
		return sample{}, nil, err
	}
	defer func() { err = errors.Join(err, stdout.Close()) }()
	var stderr strings.Builder
	command := exec.Command(r.measure, c.argv...)
	command.Env = r.environment()
	command.Stdout, command.Stderr, command.ExtraFiles = stdout, &stderr, []*os.File{result}
	if c.stdin != "" {
		stdin, err := os.Open(c.stdin)
		if err != nil {
			return sample{}, nil, err
		}
		defer func() { err = errors.Join(err, stdin.Close()) }()
		command.Stdin = stdin
	}
	if err := command.Run(); err != nil {
		return sample{}, nil, withStderr(err, stderr.String())
	}
	measured, err := readSample(result.Name())
	if err != nil {
		return sample{}, nil, withStderr(err, stderr.String())
	}
	output, err := os.ReadFile(stdout.Name())
	return measured, output, err
}

// withStderr adds to an error what the program said about it.
func withStderr(err error, stderr string) error {
	if stderr == "" {
		return err
	}
	return fmt.Errorf("%w\n%s", err, strings.TrimSpace(stderr))
}

// environment is that of the programs: the user's own, without what Helm,
// kustomize or the Go runtime would take from it.
func (r *runner) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return strings.HasPrefix(name, "HELM_") || strings.HasPrefix(name, "KUSTOMIZE_") || slices.Contains([]string{"GOGC", "GOMEMLIMIT", "GODEBUG", "GOMAXPROCS", "PEERJOB_MAX_INPUT"}, name)
	})
	for _, kind := range []string{"CACHE", "CONFIG", "DATA"} {
		env = append(env, "HELM_"+kind+"_HOME="+filepath.Join(r.dir, "helm"))
	}
	return append(env, "KUBECONFIG="+os.DevNull)
}

// readSample reads what measure wrote.
func readSample(file string) (sample, error) {
	line, err := os.ReadFile(file)
	if err != nil {
		return sample{}, err
	}
	var s sample
	var exitCode int
	if _, err := fmt.Sscan(string(line), &s.wall, &s.peak, &exitCode); err != nil {
		return sample{}, fmt.Errorf("the result of measure: %w", err)
	}
	if exitCode != 0 {
		return sample{}, fmt.Errorf("exit code %d", exitCode)
	}
	return s, nil
}
