// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"github.com/peerjob/peerjob/barrier/protocol"
)

// maxAddresses is how many addresses of one name are tried: an index has two
// for as long as its old Pod and its new one overlap.
const maxAddresses = 4

// client calls other peers.
type client struct {
	http    *http.Client
	network network
	port    uint16
	name    func(int32) string

	mu sync.Mutex
	// leader is where index 0 was last reached; the zero address for nowhere.
	leader netip.Addr
}

func newClient(options Options, network network) *client {
	transport := newTransport(network)
	transport.MaxResponseHeaderBytes = protocol.MaxMessage
	return &client{
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		network: network, port: options.Port, name: options.Config.Name,
	}
}

// report sends a report to index 0, where it was last reached, or else where
// its name leads to now.
func (c *client) report(ctx context.Context, report protocol.Report) (protocol.Reply, error) {
	body, err := json.Marshal(report)
	if err != nil {
		return protocol.Reply{}, err
	}
	c.mu.Lock()
	addresses := []netip.Addr{c.leader}
	c.mu.Unlock()
	if !addresses[0].IsValid() {
		if addresses, err = c.addresses(ctx, c.name(0)); err != nil {
			return protocol.Reply{}, err
		}
	}
	var failure error
	for _, address := range addresses {
		reply, err := exchange(ctx, c, http.MethodPost, address, "/report", body, protocol.ReadReply)
		if err == nil && reply.Job == report.Job {
			c.reached(address)
			return reply, nil
		}
		failure = err
		if err == nil {
			failure = errors.New("someone of another Job answers")
		}
	}
	c.reached(netip.Addr{})
	return protocol.Reply{}, failure
}

func (c *client) reached(leader netip.Addr) {
	c.mu.Lock()
	c.leader = leader
	c.mu.Unlock()
}

// call asks whoever answers under a peer's name who it is; of several, the
// youngest.
func (c *client) call(ctx context.Context, index int32) (protocol.Identity, protocol.Problem) {
	addresses, err := c.addresses(ctx, c.name(index))
	if err != nil {
		return protocol.Identity{}, protocol.NoName
	}
	var youngest protocol.Identity
	problem := protocol.NoAnswer
	for _, address := range addresses {
		identity, err := exchange(ctx, c, http.MethodGet, address, "/peer", nil, protocol.ReadIdentity)
		if err == nil && (problem != 0 || identity.Born > youngest.Born) {
			youngest, problem = identity, 0
		}
	}
	return youngest, problem
}

func (c *client) addresses(ctx context.Context, name string) ([]netip.Addr, error) {
	addresses, err := c.network.Lookup(ctx, name)
	if err == nil && len(addresses) == 0 {
		err = fmt.Errorf("lookup %s: no address", name)
	}
	return addresses[:min(len(addresses), maxAddresses)], err
}

// exchange sends a request and reads the answer.
func exchange[T any](ctx context.Context, c *client, method string, address netip.Addr, path string, body []byte, read func(io.Reader) (T, error)) (T, error) {
	var none T
	url := "http://" + netip.AddrPortFrom(address.Unmap(), c.port).String() + path
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return none, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return none, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 200))
		return none, fmt.Errorf("%s: %s: %s", url, response.Status, protocol.Printable(strings.TrimSpace(string(text)), 200))
	}
	return read(response.Body)
}
