// SPDX-License-Identifier: Apache-2.0

// Package node runs a whole Kubernetes cluster of one node: etcd, the API
// server, the controllers and the scheduler, the kubelet with containerd and
// runc, and CoreDNS.
//
// # Rules
//
//   - The programs are Kubernetes', containerd's and CoreDNS' own, built from their
//     Go modules once and kept in the user's cache; runc, the network plugins and
//     ip are Debian's.
//   - It runs inside a sandbox (package sandbox) and would disturb the machine
//     outside of one.
//   - The cluster is as most are: the API server's default admission and feature
//     gates, a bridge network, DNS as kubeadm sets it up. What differs, because
//     the machine is a small one, is said where it is set.
//
// There is no kube-proxy: a headless Service needs none.
package node
