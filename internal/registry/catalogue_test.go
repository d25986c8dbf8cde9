package registry_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"backfill/internal/dynamotest"
	"backfill/internal/failure"
	"backfill/internal/records"
	"backfill/internal/registry"
)

// wire counts the requests that tell a name.
type wire struct {
	name string
	told atomic.Int64
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(body), w.name) {
		w.told.Add(1)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return http.DefaultTransport.RoundTrip(r)
}

// TestANameThatIsNoKey is told to be nobody's, and DynamoDB is not asked for it: it takes no key of more than 2 KiB (the local one does), and its refusal would say nothing to
// a person. One that could be a key is asked for.
func TestANameThatIsNoKey(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]bool{strings.Repeat("x", 2049): false, "No Name": false, "nobody": true} {
		w := &wire{name: name}
		client, table := dynamotest.Table(t, w)
		r := registry.Registry{Store: records.New(client, table, time.Hour, time.Now)}
		for what, ask := range map[string]func() error{
			"show":          func() error { _, err := r.Show(t.Context(), name, 0); return err },
			"show, version": func() error { _, err := r.Show(t.Context(), name, 3); return err },
			"find":          func() error { _, err := r.Find(t.Context(), name); return err },
			"find, version": func() error { _, err := r.Find(t.Context(), name+"@3"); return err },
		} {
			w.told.Store(0)
			err := ask()
			if !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "there is no backfill") || len(err.Error()) > 300 {
				t.Errorf("%s, %.20s: %.400v", what, name, err)
			}
			if asked := w.told.Load() > 0; asked != key {
				t.Errorf("%s, %.20s: DynamoDB was asked: %t", what, name, asked)
			}
		}
	}
}
