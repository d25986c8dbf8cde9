package trace_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/trace"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-xray-sdk-go/v2/xray"
)

func environment(set map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { value, ok := set[name]; return value, ok }
}

func TestNothingIsTracedWithoutADaemonOrWhenDisabled(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]map[string]string{
		"no daemon": {},
		"disabled":  {"AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000", "AWS_XRAY_SDK_DISABLED": "TRUE"},
		"not AWS":   {"AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
	} {
		tracer, err := trace.New(environment(set))
		if err != nil {
			t.Fatal(err)
		}
		var config aws.Config
		tracer.Instrument(&config)
		if len(config.APIOptions) > 0 {
			t.Errorf("%s: calls to AWS are traced", name)
		}
		want := errors.New("kept")
		if _, err := trace.Around(tracer, "work", fail(want))(t.Context(), 1); !errors.Is(err, want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func fail(with error) func(context.Context, int) (int, error) {
	return func(_ context.Context, in int) (int, error) { return in, with }
}

func on(t *testing.T) trace.Tracer {
	t.Helper()
	tracer, err := trace.New(environment(map[string]string{"AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000"}))
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

func TestOutsideOfATraceNothingFails(t *testing.T) {
	t.Parallel()
	tracer := on(t)
	if out, err := trace.Around(tracer, "work", fail(nil))(t.Context(), 7); err != nil || out != 7 {
		t.Errorf("got %d, error %v", out, err)
	}
	var config aws.Config
	tracer.Instrument(&config)
	if len(config.APIOptions) == 0 {
		t.Error("calls to AWS are not traced")
	}
}

// quoting is an error whose text has a row in it.
type quoting struct{}

func (quoting) Error() string { return "duplicate key: ann@example.org" }
func (quoting) Safe() string  { return "SQLSTATE 23505" }

// TestErrorsAreTracedWithoutValues reads what the SDK sends to its daemon.
func TestErrorsAreTracedWithoutValues(t *testing.T) {
	t.Parallel()
	daemon, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = daemon.Close() }()
	tracer := on(t)
	emitter, err := xray.NewDefaultEmitter(daemon.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := xray.ContextWithConfig(t.Context(), xray.Config{Emitter: emitter})
	if err != nil {
		t.Fatal(err)
	}
	const header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	ctx = context.WithValue(ctx, xray.LambdaTraceHeaderKey, header) //nolint:staticcheck // the key that aws-lambda-go uses
	failed := failure.As(failure.Data, quoting{})
	if _, err := trace.Around(tracer, "apply", fail(failed))(ctx, 1); !errors.Is(err, failed) {
		t.Fatalf("got %v", err)
	}
	sent := read(t, daemon)
	if !strings.Contains(sent, `Backfill.Data: SQLSTATE 23505`) || !strings.Contains(sent, `"name":"apply"`) {
		t.Errorf("the segment lacks its name or its error: %s", sent)
	}
	if strings.Contains(sent, "ann@example.org") {
		t.Errorf("the segment shows a row: %s", sent)
	}
}

func read(t *testing.T, daemon *net.UDPConn) string {
	t.Helper()
	if err := daemon.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	packet := make([]byte, 64<<10)
	n, err := daemon.Read(packet)
	if err != nil {
		t.Fatal(err)
	}
	_, segment, _ := strings.Cut(string(packet[:n]), "\n")
	if !json.Valid([]byte(segment)) {
		t.Fatalf("not a segment: %s", packet[:n])
	}
	return segment
}
