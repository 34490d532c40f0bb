// SPDX-License-Identifier: Apache-2.0

package barrier

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// network is the network that a Pod sees. The tests have one in memory.
type network interface {
	// Listen listens on a port of every address of the Pod.
	Listen(port uint16) (net.Listener, error)
	// Dial connects to an address of the form "IP:PORT".
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	// Lookup finds the addresses of a name.
	Lookup(ctx context.Context, name string) ([]netip.Addr, error)
	// Addresses are those of the Pod.
	Addresses() ([]netip.Addr, error)
}

// podNetwork is the real network of this Pod.
type podNetwork struct{}

func (podNetwork) Listen(port uint16) (net.Listener, error) {
	return net.Listen("tcp", fmt.Sprintf(":%d", port))
}

func (podNetwork) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

func (podNetwork) Lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
}

func (podNetwork) Addresses() ([]netip.Addr, error) {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var addresses []netip.Addr
	for _, a := range found {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			addresses = append(addresses, plain(prefix.Addr()))
		}
	}
	return addresses, nil
}

// plain is an address without its zone, and as one of IPv4 if it is one.
func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }
