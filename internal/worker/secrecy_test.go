package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/gauge"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/trace"
	"backfill/internal/worker"

	"github.com/aws/aws-xray-sdk-go/v2/xray"
)

// marker is in values of rows, and secret in the URL of the database.
const (
	marker = "ann.marker@example.org"
	secret = "marker-of-a-password"
)

// sights is all that leaves a worker but for its messages and checkpoints: the log, the figures, the trace.
type sights struct {
	log, figures bytes.Buffer
	daemon       *net.UDPConn
	tracer       trace.Tracer
}

// watch takes the log for a test, which so runs while no other does.
func watch(t *testing.T) *sights {
	t.Helper()
	s := &sights{}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	var err error
	s.daemon, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	t.Cleanup(func() { _ = s.daemon.Close() })
	s.tracer, err = trace.New(func(name string) (string, bool) {
		return map[string]string{"AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000"}[name], true
	})
	must(t, err)
	return s
}

// deliver has a worker that shows everything work on the message, as its function has it.
func (s *sights) deliver(t *testing.T, b *bundle, url string) error {
	t.Helper()
	session := postgres.NewSession(credentials.Fixed(url), "test worker").Prepare().Trace(s.tracer.Statements())
	t.Cleanup(session.Drop)
	gauges := gauge.New(&s.figures, "stack", "", session.Database, time.Now)
	w := worker.New(session, ledger.New(session, b.terms), b.checkpoints, b.terms.Lease).Tell(gauges)
	emitter, err := xray.NewDefaultEmitter(s.daemon.LocalAddr().(*net.UDPAddr))
	must(t, err)
	ctx, err := xray.ContextWithConfig(t.Context(), xray.Config{Emitter: emitter})
	must(t, err)
	ctx = context.WithValue(ctx, xray.LambdaTraceHeaderKey, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1") //nolint:staticcheck // the key that aws-lambda-go uses
	_, err = trace.Around(s.tracer, "apply", func(ctx context.Context, message chunk.Message) (bool, error) {
		err := w.Work(ctx, message)
		if err != nil {
			w.Lost(ctx, message, "m-1", err)
		}
		return true, err
	})(ctx, b.chunk.Message(1))
	return err
}

// trace is what the daemon has been sent, to the end of the invocation.
func (s *sights) trace(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	packet := make([]byte, 64<<10)
	for !strings.Contains(all.String(), `"name":"apply"`) {
		must(t, s.daemon.SetReadDeadline(time.Now().Add(10*time.Second)))
		n, err := s.daemon.Read(packet)
		must(t, err)
		all.Write(packet[:n])
	}
	return all.String()
}

// TestNoValueIsSeen of a row in the log, the figures or the trace, though Postgres quotes it: not of rows that are written, nor of rows that
// do not allow the change, in each way.
func TestNoValueIsSeen(t *testing.T) {
	s := watch(t)
	b := setup(t, pgtest.Newest(t), counters)
	b.exec(t, fmt.Sprintf("UPDATE counters SET note = (ARRAY['check ', 'null ', 'twin ', 'cast ', 'over ', ''])[1 + least(id %% 400, 5)] || '%s ' || id", marker))
	b.exec(t, poison)
	b.exec(t, `CREATE FUNCTION quotes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF NEW.id = 555 THEN RAISE EXCEPTION 'row of %', NEW.note USING ERRCODE = '22000'; END IF; RETURN NEW; END $$;
		CREATE TRIGGER quotes BEFORE UPDATE ON counters FOR EACH ROW EXECUTE FUNCTION quotes()`)
	b.budgeted(t, counters, poisoned, 50)
	must(t, s.deliver(t, b, b.db.URL))
	var kept int64
	must(t, b.conn.QueryRow(t.Context(), "SELECT count(*) FROM backfill.rejects WHERE message LIKE '%' || $1 || '%'", marker).Scan(&kept))
	if kept == 0 {
		t.Fatal("Postgres quotes no row: nothing is tried")
	}
	if s.figures.Len() == 0 || !strings.Contains(s.log.String(), "row passed over") {
		t.Fatalf("nothing is seen: %s %s", s.log.String(), s.figures.String())
	}
	s.expectNone(t, b, marker)
}

// TestNoSecretIsSeen where the database does not let a worker in, or cannot be reached.
func TestNoSecretIsSeen(t *testing.T) {
	s := watch(t)
	b := setup(t, pgtest.Newest(t), counters)
	before, _, _ := strings.Cut(b.db.URL, "?")
	_, host, _ := strings.Cut(before, "@")
	for _, url := range []string{"postgres://nobody:" + secret + "@" + host, "postgres://nobody:" + secret + "@bad host/x", "host=1 password=" + secret + " port=none"} {
		if err := s.deliver(t, b, url); err == nil {
			t.Fatalf("%s lets a worker in", url)
		}
		if !strings.Contains(s.log.String(), "message not consumed") {
			t.Fatal("nothing is seen")
		}
		s.expectNone(t, b, secret)
	}
}

func (s *sights) expectNone(t *testing.T, b *bundle, what string) {
	t.Helper()
	checkpoints, err := json.Marshal(b.checkpoints.reasons)
	must(t, err)
	for name, text := range map[string]string{"the log": s.log.String(), "the figures": s.figures.String(), "the trace": s.trace(t), "a checkpoint": string(checkpoints)} {
		if at := strings.Index(text, what); at >= 0 {
			t.Errorf("%s shows it: %s", name, text[max(at-200, 0):min(at+100, len(text))])
		}
	}
}

// TestAChunkIsOneLineOfTheLog where all is well, with its run and its number.
func TestAChunkIsOneLineOfTheLog(t *testing.T) {
	s := watch(t)
	b := setup(t, pgtest.Newest(t), counters)
	must(t, s.deliver(t, b, b.db.URL))
	var line map[string]any
	if strings.Count(s.log.String(), "\n") != 1 || json.Unmarshal(s.log.Bytes(), &line) != nil {
		t.Fatalf("%s", s.log.String())
	}
	if line["level"] != "INFO" || line["run"] != theRun || line["chunk"] != 1.0 || line["state"] != "COMPLETED" {
		t.Errorf("%v", line)
	}
}
