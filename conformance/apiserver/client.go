// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
)

// Answer is what the server said.
type Answer struct {
	// Code is the HTTP status.
	Code int
	// Message is the server's message; "" when it took the object.
	Message string
	// Causes are the single errors, where the server tells them apart.
	Causes []Cause
	// Object is what the server would have stored, as JSON.
	Object []byte
}

// Cause is one error, on a field of the object.
type Cause struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Accepted reports whether the server took the object.
func (a Answer) Accepted() bool { return a.Code == http.StatusCreated }

// Judged reports whether the answer is about the object: a server that was too
// busy, or broke, says nothing of it.
func (a Answer) Judged() bool {
	return a.Accepted() || a.Code >= 400 && a.Code < 500 && a.Code != http.StatusTooManyRequests && a.Code != http.StatusUnauthorized
}

// The resources that a PeerJob expands to.
const (
	Services   = "/api/v1/namespaces/%s/services"
	ConfigMaps = "/api/v1/namespaces/%s/configmaps"
	Jobs       = "/apis/batch/v1/namespaces/%s/jobs"
	Pods       = "/api/v1/namespaces/%s/pods"

	NetworkPolicies = "/apis/networking.k8s.io/v1/namespaces/%s/networkpolicies"
)

// Create asks whether the server would take an object, written as YAML or JSON,
// in a namespace, which is made when it is not there; "" is the default one. A
// namespace that the server refuses is an answer, too.
func (s *Server) Create(ctx context.Context, resource, namespace string, object []byte) (Answer, error) {
	if namespace == "" {
		namespace = "default"
	} else if answer, err := s.createNamespace(ctx, namespace); err != nil || !answer.Accepted() {
		return answer, err
	}
	path := fmt.Sprintf(resource, url.PathEscape(namespace)) + "?dryRun=All&fieldValidation=Strict"
	return s.client.do(ctx, http.MethodPost, path, object)
}

// createNamespace makes a namespace, once.
func (s *Server) createNamespace(ctx context.Context, name string) (Answer, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if answer, found := s.namespaces[name]; found {
		return answer, nil
	}
	object, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}})
	if err != nil {
		return Answer{}, err
	}
	answer, err := s.client.do(ctx, http.MethodPost, "/api/v1/namespaces", object)
	if err == nil && answer.Code == http.StatusConflict {
		answer = Answer{Code: http.StatusCreated}
	}
	// What the server says to the labels that it gives to a namespace itself is
	// the same again.
	answer.Causes = slices.DeleteFunc(answer.Causes, func(c Cause) bool { return c.Field != "metadata.name" })
	if err == nil {
		s.namespaces[name] = answer
	}
	return answer, err
}

// client speaks to the server.
type client struct {
	base, token string
	http        *http.Client
}

// trust makes the client take the server's own certificate, and no other.
func (c *client) trust(certificate []byte) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	c.http = &http.Client{Transport: &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 64,
	}}
}

func (c *client) do(ctx context.Context, method, path string, body []byte) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	contentType := "application/yaml"
	if json.Valid(body) {
		contentType = "application/json"
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Accept", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{}, err
	}
	return answer(response.StatusCode, content), nil
}

// answer reads a Status, which is what the server sends when it refuses.
func answer(code int, content []byte) Answer {
	if code < 300 {
		return Answer{Code: code, Object: content}
	}
	var status struct {
		Message string `json:"message"`
		Details struct {
			Causes []Cause `json:"causes"`
		} `json:"details"`
	}
	if json.Unmarshal(content, &status) != nil || status.Message == "" {
		status.Message = string(content)
	}
	return Answer{Code: code, Message: status.Message, Causes: status.Details.Causes}
}
