package trace_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/queue"
	"backfill/internal/trace"
	"backfill/internal/turn"

	"github.com/aws/aws-sdk-go-v2/aws"
	static "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-xray-sdk-go/v2/xray"
	"github.com/jackc/pgx/v5"
)

const (
	execution = "1-5759e988-bd862e3fe1be46a994272793" // the trace that Step Functions has begun
	delivery  = "1-5759e989-aaaaaaaaaaaaaaaaaaaaaaaa" // that of the worker's invocation, which Lambda begins
)

// segment is a part of a trace, as the daemon gets it.
type segment struct {
	Name        string         `json:"name"`
	TraceID     string         `json:"trace_id"`
	Parent      string         `json:"parent_id"`
	ID          string         `json:"id"`
	Namespace   string         `json:"namespace"`
	Annotations map[string]any `json:"annotations"`
	Fault       bool           `json:"fault"`
	Error       bool           `json:"error"`
	Subsegments []segment      `json:"subsegments"`
}

// names are those of what is directly below.
func (s segment) names() []string {
	names := make([]string, len(s.Subsegments))
	for i, one := range s.Subsegments {
		names[i] = one.Name
	}
	return names
}

// traced is a daemon, and an invocation under a trace.
type traced struct {
	daemon *net.UDPConn
	tracer trace.Tracer
}

func listen(t *testing.T) *traced {
	t.Helper()
	daemon, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	t.Cleanup(func() { _ = daemon.Close() })
	return &traced{daemon: daemon, tracer: on(t)}
}

// invocation is a context as Lambda gives it.
func (d *traced) invocation(t *testing.T, id string) context.Context {
	t.Helper()
	emitter, err := xray.NewDefaultEmitter(d.daemon.LocalAddr().(*net.UDPAddr))
	must(t, err)
	ctx, err := xray.ContextWithConfig(t.Context(), xray.Config{Emitter: emitter})
	must(t, err)
	header := "Root=" + id + ";Parent=53995c3f42cd8ad8;Sampled=1"
	return context.WithValue(ctx, xray.LambdaTraceHeaderKey, header) //nolint:staticcheck // the key that aws-lambda-go uses
}

func (d *traced) read(t *testing.T) (segment, string) {
	t.Helper()
	text := read(t, d.daemon)
	var got segment
	must(t, json.Unmarshal([]byte(text), &got))
	return got, text
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wire stands in for SQS: it takes all, and keeps what was sent.
type wire struct{ sent []byte }

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.sent, _ = io.ReadAll(r.Body)
	body := io.NopCloser(strings.NewReader(`{"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":""}]}`))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Request: r, Body: body}, nil
}

// header is what the message carries.
func (w *wire) header(t *testing.T) string {
	t.Helper()
	var batch struct {
		Entries []struct {
			MessageSystemAttributes map[string]struct{ StringValue string }
		}
	}
	must(t, json.Unmarshal(w.sent, &batch))
	return batch.Entries[0].MessageSystemAttributes["AWSTraceHeader"].StringValue
}

// session is a connection whose statements are traced.
func (d *traced) session(t *testing.T) *postgres.Session {
	t.Helper()
	session := postgres.NewSession(credentials.Fixed(pgtest.Newest(t).URL), "trace").Trace(d.tracer.Statements())
	t.Cleanup(session.Drop)
	return session
}

// TestATraceGoesFromTheExecutionToTheCommit: a planner plans and sends, under the trace of Step Functions; the message carries the trace; the worker that gets
// it shows its statements, and which trace it was sent in.
func TestATraceGoesFromTheExecutionToTheCommit(t *testing.T) {
	t.Parallel()
	d, w := listen(t), &wire{}
	message := chunk.Message{Run: "email-1", Chunk: 7, Hi: keyset.Point{"9"}, Send: 1}
	plan := trace.Around(d.tracer, "plan", func(ctx context.Context, in turn.Turn) (turn.Turn, error) {
		conn, err := d.session(t).Conn(ctx)
		must(t, err)
		_, err = conn.Exec(ctx, "SELECT $1::text", "ann@example.org")
		must(t, err)
		must(t, d.send(ctx, w, message))
		return turn.Turn{Run: message.Run}, nil
	})
	_, err := plan(d.invocation(t, execution), turn.Turn{})
	must(t, err)
	planned, text := d.read(t)
	if want := []string{"connect", "SELECT", "SQS"}; planned.TraceID != execution || !slices.Equal(planned.names(), want) {
		t.Errorf("%s has %v, want %v: %s", planned.TraceID, planned.names(), want, text)
	}
	if planned.Annotations["run"] != "email-1" || planned.Annotations["statements"] != 2.0 || planned.Subsegments[2].Namespace != "aws" {
		t.Errorf("%s", text)
	}
	header := w.header(t)
	if want := "Root=" + execution + ";Parent=" + planned.ID + ";Sampled=1"; header != want {
		t.Errorf("the message carries %q, want %q", header, want)
	}

	apply := trace.Around(d.tracer, "apply", func(ctx context.Context, _ string) (string, error) {
		d.tracer.OfChunk(ctx, message, header)
		conn, err := d.session(t).Conn(ctx)
		must(t, err)
		batch := &pgx.Batch{}
		batch.Queue("SELECT 1 AS \"backfill.advance\"")
		batch.Queue("WITH x AS (SELECT 'ann@example.org' AS who) SELECT who FROM x WHERE who <> $1", "bob@example.org")
		return "", conn.SendBatch(ctx, batch).Close()
	})
	_, err = apply(d.invocation(t, delivery), "")
	must(t, err)
	applied, written := d.read(t)
	if want := []string{"connect", "SELECT backfill.advance + WITH"}; applied.TraceID != delivery || !slices.Equal(applied.names(), want) {
		t.Errorf("%s has %v, want %v: %s", applied.TraceID, applied.names(), want, written)
	}
	if applied.Annotations["run"] != "email-1" || applied.Annotations["chunk"] != 7.0 || applied.Annotations["sent_in"] != execution {
		t.Errorf("%v", applied.Annotations)
	}
	if strings.Contains(text+written, "example.org") {
		t.Errorf("a trace shows a value: %s %s", text, written)
	}
}

func (d *traced) send(ctx context.Context, w *wire, message chunk.Message) error {
	config := aws.Config{Region: "eu-central-1", Credentials: static.NewStaticCredentialsProvider("a", "b", ""), HTTPClient: &http.Client{Transport: w}}
	d.tracer.Instrument(&config)
	client := sqs.NewFromConfig(config, func(o *sqs.Options) { o.DisableMessageChecksumValidation = true })
	_, err := queue.New(client, "https://sqs.eu-central-1.amazonaws.com/1/chunks").Carrying(d.tracer.Header).Send(ctx, []chunk.Message{message})
	return err
}

// TestAStatementThatFailsIsShownByItsCode: Postgres' text quotes the row.
func TestAStatementThatFailsIsShownByItsCode(t *testing.T) {
	t.Parallel()
	d := listen(t)
	ask := trace.Around(d.tracer, "answer", func(ctx context.Context, in json.RawMessage) (any, error) {
		conn, err := d.session(t).Conn(ctx)
		must(t, err)
		_, err = conn.Exec(ctx, "SELECT 'ann@example.org'::text::int")
		return nil, postgres.Classify(err)
	})
	if _, err := ask(d.invocation(t, execution), json.RawMessage(`{"action":"status","run":"email-1"}`)); err == nil {
		t.Fatal("nothing failed")
	}
	got, text := d.read(t)
	if failed := got.Subsegments[1]; !failed.Fault || !strings.Contains(text, "SQLSTATE 22P02") || strings.Contains(text, "example.org") {
		t.Errorf("%+v: %s", failed, text)
	}
	if got.Annotations["run"] != "email-1" {
		t.Errorf("%v", got.Annotations)
	}
}

// TestTracesAreBounded: a chunk of thousands of batches, each like the other, would not fit into a trace.
func TestTracesAreBounded(t *testing.T) {
	t.Parallel()
	d := listen(t)
	apply := trace.Around(d.tracer, "apply", func(ctx context.Context, _ string) (string, error) {
		conn, err := d.session(t).Conn(ctx)
		must(t, err)
		for range 300 {
			_, err := conn.Exec(ctx, "SELECT 1")
			must(t, err)
		}
		return "", nil
	})
	_, err := apply(d.invocation(t, execution), "")
	must(t, err)
	shown := 0
	for {
		got, _ := d.read(t) // the SDK sends finished parts before the whole
		if got.Name != "apply" {
			shown++
			continue
		}
		if shown += len(got.Subsegments); shown != 50 || got.Annotations["statements"] != 301.0 {
			t.Errorf("%d statements are shown, %v were sent", shown, got.Annotations["statements"])
		}
		return
	}
}

// TestWithoutATraceNothingIsSaid: no header, no statement, and not a line in the log.
func TestWithoutATraceNothingIsSaid(t *testing.T) {
	off, err := trace.New(environment(nil))
	must(t, err)
	if off.Statements() != nil || off.Header(t.Context()) != "" {
		t.Error("it traces")
	}
	off.OfChunk(t.Context(), chunk.Message{Run: "r"}, "")
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	defer slog.SetDefault(before)
	d := &traced{tracer: on(t)}
	conn, err := d.session(t).Conn(t.Context()) // of a test, so outside of any trace
	must(t, err)
	_, err = conn.Exec(t.Context(), "SELECT 1")
	must(t, err)
	if d.tracer.Header(t.Context()) != "" || log.Len() > 0 {
		t.Errorf("it says %s", log.String())
	}
}
