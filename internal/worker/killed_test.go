package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/worker"
)

// What a process of its own is to work on, and by which address.
const (
	deliveryVariable = "BACKFILL_TEST_DELIVERY"
	addressVariable  = "BACKFILL_TEST_DELIVERY_ADDRESS"
)

// TestMain is a worker where a test has asked for a process of its own.
func TestMain(m *testing.M) {
	body := os.Getenv(deliveryVariable)
	if body == "" {
		os.Exit(m.Run())
	}
	if err := deliver(os.Getenv(addressVariable), body); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func deliver(address, body string) error {
	var message chunk.Message
	if err := json.Unmarshal([]byte(body), &message); err != nil {
		return err
	}
	session := postgres.NewSession(credentials.Fixed(address), "test worker").Prepare()
	defer session.Drop()
	reads := postgres.NewSession(credentials.Fixed(address), "test worker reads").Prepare()
	defer reads.Drop()
	terms := ledger.Terms{Lease: 30 * time.Second, Heartbeat: time.Hour}
	return worker.New(session, ledger.New(session, terms), &checkpoints{}, terms.Lease).ReadAhead(reads).Work(context.Background(), message)
}

// moment is the message at which a process is killed: the nth batch before its commit, or when it is committed and nobody knows.
type moment struct {
	fromServer bool
	kind       byte
}

var (
	uncommitted = moment{false, pgtest.Sync}
	committed   = moment{true, pgtest.ReadyForQuery}
)

// kill has a process of its own work on the message, and ends it by SIGKILL at that moment of its nth batch.
func (b *bundle) kill(t *testing.T, message chunk.Message, at moment, nth int64) {
	t.Helper()
	body, err := json.Marshal(message)
	must(t, err)
	proxy, started := pgtest.NewProxy(t, b.db), make(chan struct{})
	process := exec.CommandContext(t.Context(), os.Args[0])
	process.Env = append(os.Environ(), deliveryVariable+"="+string(body), addressVariable+"="+proxy.URL)
	var seen atomic.Int64
	proxy.Watch(func(m pgtest.Message) pgtest.Verdict {
		if !m.Runs || m.FromServer != at.fromServer || m.Kind != at.kind || !strings.Contains(m.SQL, "backfill.advance(") || seen.Add(1) != nth {
			return pgtest.Pass
		}
		<-started
		if err := process.Process.Kill(); err != nil {
			t.Error(err)
		}
		return pgtest.Cut
	})
	must(t, process.Start())
	close(started)
	var ended *exec.ExitError
	if err := process.Wait(); !errors.As(err, &ended) || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the worker was not killed: %v", err)
	}
}

// killedTwice has two workers killed in the middle of the chunk, and a third finish it. The lease of a dead one ends.
func (b *bundle) killedTwice(t *testing.T, message chunk.Message, nth int64) {
	t.Helper()
	for _, at := range []moment{uncommitted, committed} {
		b.kill(t, message, at, nth)
		b.expectNumbers(t, "SELECT count(*) FROM backfill.ledger WHERE state = 'PROCESSING' AND seq > 0", 1)
		b.exec(t, "UPDATE backfill.ledger SET lease_until = clock_timestamp() - interval '1 ms'")
	}
	must(t, b.worker(t, b.db.URL).Work(t.Context(), message))
}

// TestAWorkerIsKilledInTheMiddleOfAChunk, by SIGKILL, and so is its successor, on the way there and on the way back: each row is changed
// once, and given back once.
func TestAWorkerIsKilledInTheMiddleOfAChunk(t *testing.T) {
	t.Parallel()
	for name, c := range everyKind() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nth := int64(2)
			if c.ChunkRows == striped {
				nth = 5 // the first batch, the list of keys, and some of the first pass
			}
			b := setup(t, pgtest.Newest(t), c)
			b.killedTwice(t, b.chunk.Message(1), nth)
			b.expectOnce(t)
			b.expectPasses(t, c.ChunkRows == striped)
			b.reverse(t)
			for _, message := range b.due(t) {
				b.killedTwice(t, message, nth)
			}
			b.expectAsBefore(t)
		})
	}
}

// everyKind has each kind of change, with undo, and in passes where they can pay.
func everyKind() map[string]change.Change {
	set := counters
	set.Undo, set.Set = true, []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "n + 1"}}
	all := map[string]change.Change{"set": set, "join": steppedBy, "delete": deleted, "archive": filed, "copy": copied, "move": moved, "transform": incremented}
	for name, c := range maps.Clone(all) {
		if c.Kind.Plain() == "" {
			c.ChunkRows = striped
			all[name+" in passes"] = c
		}
	}
	return all
}
