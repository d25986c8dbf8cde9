package poison_test

import (
	"context"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"sync"
	"testing"
)

// search is the way from a batch that failed to the row that does not allow the change.
type search struct {
	keys       int64 // of the batch
	statements int64 // after it, until the row has failed alone: those that failed, and those that were committed
	from       int64 // the number of the last batch that failed
}

// watched are all searches, by run. The log tells of each step: what is counted is what workers did, in whatever order.
var watched = &searches{open: map[string]map[int64]*search{}, done: map[string][]search{}}

type searches struct {
	mutex sync.Mutex
	open  map[string]map[int64]*search // by run and chunk
	done  map[string][]search
}

// TestMain keeps the log to what nobody expects: each step of a search is a warning.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(watcher{slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})}))
	os.Exit(m.Run())
}

// watcher is a log that is read.
type watcher struct{ slog.Handler }

func (watcher) Enabled(context.Context, slog.Level) bool { return true }

func (w watcher) WithAttrs(attrs []slog.Attr) slog.Handler {
	return watcher{w.Handler.WithAttrs(attrs)}
}

func (w watcher) Handle(ctx context.Context, r slog.Record) error {
	line := map[string]slog.Value{}
	r.Attrs(func(a slog.Attr) bool { line[a.Key] = a.Value; return true })
	switch r.Message {
	case "batch failed":
		if keys := ofRows.FindStringSubmatch(line["error"].String()); keys != nil && line["class"].String() == "Backfill.Data" {
			watched.failed(line["run"].String(), line["chunk"].Int64(), line["seq"].Int64(), keys[1])
		}
	case "row passed over":
		watched.found(line["run"].String(), line["chunk"].Int64())
	}
	if !w.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return w.Handler.Handle(ctx, r)
}

// ofRows is how an error of a batch says how many keys it covered.
var ofRows = regexp.MustCompile(`(\d+) rows? within`)

// failed counts a batch that failed, and what was committed since the last one that did.
func (s *searches) failed(run string, chunk, seq int64, keys string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.open[run] == nil {
		s.open[run] = map[int64]*search{}
	}
	now := s.open[run][chunk]
	if now == nil {
		now = &search{from: seq}
		now.keys, _ = strconv.ParseInt(keys, 10, 64)
		s.open[run][chunk] = now
		return
	}
	now.statements += 1 + seq - now.from
	now.from = seq
}

// found ends a search.
func (s *searches) found(run string, chunk int64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.done[run] = append(s.done[run], *s.open[run][chunk])
	delete(s.open[run], chunk)
}

// forget makes room for another run of that name: a test may be repeated.
func (s *searches) forget(run string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.open, run)
	delete(s.done, run)
}

// of are the searches of a run that have ended.
func (s *searches) of(run string) []search {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.done[run]
}
