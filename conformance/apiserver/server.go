// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/peerjob/peerjob/conformance/process"
	"github.com/peerjob/peerjob/conformance/programs"
)

// startTime is how long the server may take to be ready.
const startTime = 2 * time.Minute

// Binaries are the two programs, built.
type Binaries struct {
	// Version is the version of Kubernetes, such as "v1.36.3".
	Version      string
	server, etcd string
}

// Build builds an API server and etcd, each from the module in a directory,
// unless the user's cache has them already. The first time it takes minutes.
func Build(ctx context.Context, kubernetes, etcd string) (Binaries, error) {
	version, err := programs.Version(ctx, kubernetes)
	if err != nil {
		return Binaries{}, err
	}
	server := programs.Kubernetes("kube-apiserver", version)
	serverDir, err := programs.Build(ctx, kubernetes, server)
	if err != nil {
		return Binaries{}, err
	}
	etcdDir, err := programs.Build(ctx, etcd, programs.Etcd)
	return Binaries{Version: version, server: filepath.Join(serverDir, server.Name), etcd: filepath.Join(etcdDir, programs.Etcd.Name)}, err
}

// Server is a running API server with its etcd.
type Server struct {
	dir          string
	etcd, server *process.Process
	client       *client

	// namespaces holds an Answer for each namespace that was asked for.
	mutex      sync.Mutex
	namespaces map[string]Answer
}

// Start runs a server. Whoever calls it calls [Server.Stop], which removes
// everything.
func Start(ctx context.Context, built Binaries) (*Server, error) {
	dir, err := os.MkdirTemp("", "peerjob-conformance-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, namespaces: map[string]Answer{}}
	if err := s.start(ctx, built); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// Stop ends the server and removes its files.
func (s *Server) Stop() {
	if s.client != nil {
		s.client.http.CloseIdleConnections()
	}
	s.server.Stop()
	s.etcd.Stop()
	_ = os.RemoveAll(s.dir)
}

// Access returns the address of the server, and a token that may do everything, for
// another client.
func (s *Server) Access() (address, token string) { return s.client.base, s.client.token }

func (s *Server) start(ctx context.Context, built Binaries) error {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	token := rand.Text()
	if err := s.writeSecrets(token); err != nil {
		return err
	}
	store, peers := "http://"+ports[0], "http://"+ports[1]
	s.etcd, err = process.Start(s.dir, built.etcd, "--data-dir=etcd", "--unsafe-no-fsync", "--log-level=error",
		"--listen-client-urls="+store, "--advertise-client-urls="+store,
		"--listen-peer-urls="+peers, "--initial-advertise-peer-urls="+peers, "--initial-cluster=default="+peers)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(ports[2])
	if err != nil {
		return err
	}
	s.server, err = process.Start(s.dir, built.server, "--etcd-servers="+store,
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port="+port, "--endpoint-reconciler-type=none",
		"--cert-dir=certificates", "--token-auth-file="+tokenFile, "--authorization-mode=AlwaysAllow",
		"--service-account-issuer=https://peerjob.invalid", "--service-account-key-file="+keyFile, "--service-account-signing-key-file="+keyFile,
		"--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112",
		"--allow-privileged=true",
		// These plugins judge a Pod by objects that the cluster has or has not.
		"--disable-admission-plugins=ServiceAccount,Priority",
		// The harness alone asks, as fast as it can.
		"--enable-priority-and-fairness=false", "--max-requests-inflight=0", "--max-mutating-requests-inflight=0")
	if err != nil {
		return err
	}
	s.client = &client{base: "https://" + ports[2], token: token}
	return s.waitUntilReady(ctx)
}

const (
	tokenFile = "tokens.csv"
	keyFile   = "key.pem"
)

// writeSecrets writes the client's token, and the key for service accounts
// without which no server starts.
func (s *Server) writeSecrets(token string) error {
	if err := os.WriteFile(filepath.Join(s.dir, tokenFile), []byte(token+",conformance,conformance\n"), 0o600); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	return os.WriteFile(filepath.Join(s.dir, keyFile), text, 0o600)
}

// waitUntilReady returns when the server has made its certificate, says that
// it is ready and has made the namespace "default".
func (s *Server) waitUntilReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		for _, p := range []*process.Process{s.etcd, s.server} {
			if err := p.Ended(); err != nil {
				return err
			}
		}
		notReady := s.ready(ctx)
		if notReady == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server did not get ready: %w\n%s", notReady, s.server.LastLines())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *Server) ready(ctx context.Context) error {
	if s.client.http == nil {
		certificate, err := os.ReadFile(filepath.Join(s.dir, "certificates", "apiserver.crt"))
		if err != nil {
			return err
		}
		s.client.trust(certificate)
	}
	for _, path := range []string{"/readyz", "/api/v1/namespaces/default"} {
		if answer, err := s.client.do(ctx, http.MethodGet, path, nil); err != nil {
			return err
		} else if answer.Code != http.StatusOK {
			return fmt.Errorf("%s: %s", path, answer.Message)
		}
	}
	return nil
}

// freePorts returns addresses on loopback that nothing listens on.
func freePorts(n int) (addresses []string, err error) {
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		// All of them are open at the same time, so that they differ.
		defer func() { err = errors.Join(err, listener.Close()) }()
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}
