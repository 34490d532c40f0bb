// SPDX-License-Identifier: Apache-2.0

// Package doctor answers: do the peers find each other, as one of them sees it?
//
//	self.go     who this peer is: from its host name, /etc/hosts, its variables, resolv.conf
//	resolv.go   what /etc/resolv.conf says
//	judge.go    what is wrong, from answers of DNS and connections
//	write.go    the report for people
//	report.go   the report for "peerjob doctor", which reads several together
//
// # Rules
//
//   - It needs no variables: a container of "kubectl debug" has none.
//   - Every finding says what is so, and what to do.
//   - A report of many peers is short: all problems are counted, and the first are named.
//
// # Never
//
// It never sends anything: the command asks DNS and the peers, and hands the answers in.
package doctor
