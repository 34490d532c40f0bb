// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// retryGate is how long the gate waits before it asks the sidecar again.
const retryGate = 50 * time.Millisecond

// ErrTimedOut is a barrier at the start which did not open in time.
var ErrTimedOut = errors.New("timed out")

// Wait is the gate: it returns nil when the sidecar of the same Pod says that
// the Pod's containers may start. An error wraps [ErrTimedOut] and names those
// who are missing, or is the context's when it ends before.
func Wait(ctx context.Context, port uint16, timeout time.Duration, log *slog.Logger) error {
	return wait(ctx, podNetwork{}, port, timeout, log)
}

// loopback is where the containers of a Pod reach each other.
const loopback = "127.0.0.1"

func wait(ctx context.Context, network network, port uint16, timeout time.Duration, log *slog.Logger) error {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	waiting, said := "", time.Time{}
	for {
		// The answer to a question that is cut short is the one before it.
		code, text, err := ask(limited, network, port, "/start")
		switch {
		case err == nil && code == http.StatusOK:
			log.Info("every peer is there", "waited", time.Since(began).Round(time.Millisecond))
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("start: the Pod was stopped while it waited for %s: %w", orUnknown(waiting), ctx.Err())
		case limited.Err() != nil:
			// Ask once more what is missing, as of now.
			if text := lastWord(ctx, network, port); text != "" {
				waiting = text
			}
			return fmt.Errorf("start: %w after %s; waited for %s", ErrTimedOut, timeout, orUnknown(waiting))
		case err != nil:
			waiting = fmt.Sprintf("the sidecar of this Pod: %v", err)
		case text != "":
			waiting = text
		}
		if now := time.Now(); now.Sub(began) > logInterval && now.Sub(said) > logInterval {
			log.Info("waiting", "for", orUnknown(waiting))
			said = now
		}
		sleep(limited, retryGate)
	}
}

func orUnknown(waiting string) string {
	if waiting == "" {
		return "the other peers"
	}
	return waiting
}

// lastWord is for whom the sidecar waits, "" when it does not say.
func lastWord(ctx context.Context, network network, port uint16) string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, text, err := ask(ctx, network, port, "/status")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(text) {
		if waiting, found := strings.CutPrefix(line, "waits for"); found {
			return strings.TrimSpace(waiting)
		}
	}
	return ""
}

// Status is the page which the sidecar of the same Pod has about itself.
func Status(ctx context.Context, port uint16) (string, error) {
	code, text, err := ask(ctx, podNetwork{}, port, "/status")
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("status %d", code)
	}
	return text, err
}

// ask asks the sidecar of the same Pod.
func ask(ctx context.Context, network network, port uint16, path string) (code int, text string, err error) {
	url := "http://" + net.JoinHostPort(loopback, fmt.Sprint(port)) + path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	client := &http.Client{Transport: newTransport(network)}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, protocol.MaxMessage))
	if path == "/status" {
		return response.StatusCode, string(data), err
	}
	return response.StatusCode, protocol.Printable(strings.TrimSpace(string(data)), protocol.MaxMessage), err
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
