package runtest

import (
	"net/http"
	"strings"
)

// Wire carries calls to DynamoDB, and lets a test do something between them. Before and After get the operation's
// name; set them while nothing calls.
type Wire struct {
	Before func(operation string)
	After  func(operation string)
}

// RoundTrip carries one call.
func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if w.Before != nil {
		w.Before(operation)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if w.After != nil {
		w.After(operation)
	}
	return answer, err
}
