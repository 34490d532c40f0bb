// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnswer(t *testing.T) {
	for _, test := range []struct {
		name             string
		code             int
		content          string
		want             Answer
		accepted, judged bool
	}{
		{"taken", 201, `{"kind": "Job"}`, Answer{Code: 201, Object: []byte(`{"kind": "Job"}`)}, true, true},
		{"refused", 422, `{"kind": "Status", "message": "m", "details": {"causes": [{"reason": "r", "field": "f", "message": "c"}]}}`,
			Answer{Code: 422, Message: "m", Causes: []Cause{{"f", "c"}}}, false, true},
		{"not a status", 400, "text", Answer{Code: 400, Message: "text"}, false, true},
		{"busy", 429, "later", Answer{Code: 429, Message: "later"}, false, false},
		{"broken", 500, "x", Answer{Code: 500, Message: "x"}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := answer(test.code, []byte(test.content))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Accepted() != test.accepted || got.Judged() != test.judged {
				t.Errorf("accepted %v, judged %v", got.Accepted(), got.Judged())
			}
		})
	}
}
