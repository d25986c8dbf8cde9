// Package trace puts X-Ray behind one name, so that its successor (OpenTelemetry; the X-Ray SDK is in maintenance) can
// take its place here.
//
// It owns whether traces are made at all, and what is in them. It leaves the trace of the invocation itself to
// Lambda. Invariants: without a daemon or a trace of the invocation (local runs, tests) nothing is made and nothing
// fails; a trace holds names, classes and codes, never arguments of statements or values of rows.
package trace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"backfill/internal/chunk"
	"backfill/internal/failure"
	"backfill/internal/turn"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-xray-sdk-go/v2/header"
	"github.com/aws/aws-xray-sdk-go/v2/instrumentation/awsv2"
	"github.com/aws/aws-xray-sdk-go/v2/strategy/ctxmissing"
	"github.com/aws/aws-xray-sdk-go/v2/xray"
	"github.com/aws/aws-xray-sdk-go/v2/xraylog"
)

// Tracer makes traces, or does not.
type Tracer struct{ on bool }

// New decides by the environment. Lambda always names the daemon; elsewhere there is none, though the local stack,
// where an endpoint stands in for AWS, names one.
func New(lookup func(name string) (string, bool)) (Tracer, error) {
	daemon, _ := lookup("AWS_XRAY_DAEMON_ADDRESS")
	endpoint, _ := lookup("AWS_ENDPOINT_URL")
	disabled, _ := lookup("AWS_XRAY_SDK_DISABLED")
	if daemon == "" || endpoint != "" || strings.EqualFold(disabled, "true") {
		return Tracer{}, nil
	}
	// The default logs an error for each call outside of a trace.
	silent := xray.Config{ContextMissingStrategy: ctxmissing.NewDefaultIgnoreErrorStrategy()}
	quiet.Do(func() { xray.SetLogger(logged{}) })
	if err := xray.Configure(silent); err != nil {
		return Tracer{}, failure.New(failure.Permanent, "configure X-Ray: %w", err)
	}
	return Tracer{on: true}, nil
}

// Instrument makes each call to AWS by a client of this configuration a part of the invocation's trace.
func (t Tracer) Instrument(config *aws.Config) {
	if t.on {
		awsv2.AWSV2Instrumentor(&config.APIOptions)
	}
}

// Around makes what a handler does a part of the trace. Its error is kept by class and safe text.
func Around[In, Out any](t Tracer, name string, handle func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	if !t.on {
		return handle
	}
	return func(ctx context.Context, in In) (Out, error) {
		inner, segment := xray.BeginSubsegment(ctx, name)
		if segment == nil { // no trace goes on
			return handle(ctx, in)
		}
		count := &counted{}
		out, err := handle(context.WithValue(inner, countedKey{}, count), in)
		note(inner, "run", runOf(in, out))
		note(inner, "statements", int(count.sent.Load()))
		segment.Close(shown(err))
		return out, err
	}
}

// runOf is the run that an invocation was for; "": its input and answer do not say.
func runOf(in, out any) string {
	for _, one := range []any{out, in} {
		switch one := one.(type) {
		case turn.Turn:
			if one.Run != "" {
				return one.Run
			}
		case json.RawMessage:
			var asked struct {
				Run string `json:"run"`
			}
			if json.Unmarshal(one, &asked) == nil && asked.Run != "" {
				return asked.Run
			}
		}
	}
	return ""
}

// note puts something into the trace by which it can be searched. What is not there is left out.
func note(ctx context.Context, key string, value any) {
	if segment := xray.GetSegment(ctx); segment != nil && value != "" && value != 0 {
		_ = segment.AddAnnotation(key, value) // it refuses int64, and what is no text, number or truth
	}
}

// OfChunk notes which chunk the invocation is for, and the trace in which its message was sent: Lambda links the two, and who has lost the link
// can search for it.
func (t Tracer) OfChunk(ctx context.Context, message chunk.Message, sent string) {
	if !t.on {
		return
	}
	note(ctx, "run", message.Run)
	note(ctx, "chunk", int(message.Chunk))
	note(ctx, "sent_in", header.FromString(sent).TraceID)
}

// Header is what makes a message a part of the trace: whoever receives it goes on with that. "": there is no trace.
func (t Tracer) Header(ctx context.Context) string {
	segment := xray.GetSegment(ctx)
	if !t.on || segment == nil || segment.ParentSegment == nil {
		return ""
	}
	return segment.DownstreamHeader().String()
}

// quiet is for the SDK's logger, which is one for all.
var quiet sync.Once

// logged has what the SDK says of itself in the functions' log, where somebody asked for it: a trace that is lost does no harm.
type logged struct{}

func (logged) Log(level xraylog.LogLevel, message fmt.Stringer) {
	if level >= xraylog.LogLevelWarn {
		slog.Debug("X-Ray", "level", level.String(), "message", message.String())
	}
}

// shown is what a trace tells of an error.
func shown(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(string(failure.Of(err)) + ": " + failure.Safe(err))
}
