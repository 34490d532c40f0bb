// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/peerjob/peerjob/e2e/cluster"
	"github.com/peerjob/peerjob/e2e/node"
	"github.com/peerjob/peerjob/e2e/render"
	"github.com/peerjob/peerjob/e2e/sandbox"
)

const repository = ".."

// The variables that tell the program inside the sandbox where things are, and
// the user's own kubeconfig.
const (
	dirVariable        = "PEERJOB_E2E_DIR"
	kubeconfigVariable = "E2E_KUBECONFIG"
)

var (
	imagesTo = flag.String("images", "", "write the images that the tests need into this folder, as archives, and end")
	hold     = flag.Bool("hold", false, "run no tests, but keep the node until interrupted, for work by hand")
)

// What every test uses.
var (
	interrupted context.Context
	kubernetes  *cluster.Cluster
	kustomize   render.Kustomize
)

func TestMain(m *testing.M) {
	inside, over, code := sandbox.Enter()
	if !over {
		var err error
		if code, err = run(m, inside); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// run is what the program does, and its exit code.
func run(m *testing.M, inside bool) (int, error) {
	flag.Parse()
	if extra := flag.Args(); len(extra) > 0 {
		return 2, fmt.Errorf("unknown arguments: %s", strings.Join(extra, " "))
	}
	var stop context.CancelFunc
	interrupted, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	own := os.Getenv(kubeconfigVariable)
	switch {
	case *imagesTo != "":
		return 0, writeImages(interrupted, *imagesTo)
	case own != "":
		return onOwnCluster(m, own)
	case inside:
		return onNode(m, os.Getenv(dirVariable))
	default:
		return inSandbox()
	}
}

// inSandbox prepares all that needs the network, then runs this program again
// where there is none.
func inSandbox() (int, error) {
	if reason := impossible(); reason != "" {
		// CI is where it must not be missing.
		if os.Getenv("CI") == "true" {
			return 1, fmt.Errorf("no node: %s", reason)
		}
		fmt.Printf("SKIP: no node: %s; %s=FILE runs the tests on a cluster of your own\n", reason, kubeconfigVariable)
		return 0, nil
	}
	dir, err := os.MkdirTemp("", "peerjob-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	began := time.Now()
	if err := prepare(interrupted, dir); err != nil {
		return 1, err
	}
	fmt.Printf("programs and images are there after %v\n", time.Since(began).Round(time.Second))
	if err := os.Setenv(dirVariable, dir); err != nil {
		return 1, err
	}
	return sandbox.Run(interrupted, func(command string) {
		if *hold {
			fmt.Printf("%s kubectl --kubeconfig=%s get pods -A\n", command, node.Kubeconfig(filesIn(dir)))
		}
	})
}

// impossible is why no node can run here, or "".
func impossible() string {
	if err := sandbox.Possible(); err != nil {
		return err.Error()
	}
	if missing := node.Missing(); len(missing) > 0 {
		return "these Debian packages are missing: " + strings.Join(missing, " ")
	}
	return ""
}

// prepare builds the programs and the images into a directory.
func prepare(ctx context.Context, dir string) error {
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	if err := node.Programs(ctx, repository, bin); err != nil {
		return err
	}
	if err := ownPrograms(ctx, bin); err != nil {
		return err
	}
	return writeImages(ctx, filepath.Join(dir, "images"))
}

// filesIn is where the node's own files are.
func filesIn(dir string) string { return filepath.Join(dir, "node") }

func onNode(m *testing.M, dir string) (int, error) {
	archives, err := filepath.Glob(filepath.Join(dir, "images", "*.tar"))
	if err != nil {
		return 1, err
	}
	files := filesIn(dir)
	if err := os.Mkdir(files, 0o755); err != nil {
		return 1, err
	}
	began := time.Now()
	n, err := node.Start(interrupted, filepath.Join(dir, "bin"), files, archives)
	if err != nil {
		return 1, err
	}
	defer n.Stop()
	kustomize.Bin = filepath.Join(dir, "bin")
	if kubernetes, err = cluster.Connect(n.Kubeconfig()); err != nil {
		return 1, err
	}
	if err := kubernetes.WaitForNode(interrupted); err != nil {
		return 1, err
	}
	fmt.Printf("the node is ready after %v\n", time.Since(began).Round(100*time.Millisecond))
	if *hold {
		<-interrupted.Done()
		return 0, nil
	}
	return m.Run(), nil
}

func onOwnCluster(m *testing.M, kubeconfig string) (int, error) {
	bin, err := os.MkdirTemp("", "peerjob-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(bin)
	if err := ownPrograms(interrupted, bin); err != nil {
		return 1, err
	}
	kustomize.Bin = bin
	if kubernetes, err = cluster.Connect(kubeconfig); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
