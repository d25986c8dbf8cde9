// Package trace puts X-Ray behind one name, so that its successor (OpenTelemetry; the X-Ray SDK is in maintenance) can
// take its place here.
//
// It owns whether traces are made at all, and what is in them. It leaves the trace of the invocation itself to
// Lambda. Invariants: without a daemon or a trace of the invocation (local runs, tests) nothing is made and nothing
// fails; a trace holds names, classes and codes, never arguments of statements or values of rows.
package trace

import (
	"context"
	"errors"
	"strings"

	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-xray-sdk-go/v2/instrumentation/awsv2"
	"github.com/aws/aws-xray-sdk-go/v2/strategy/ctxmissing"
	"github.com/aws/aws-xray-sdk-go/v2/xray"
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
		out, err := handle(inner, in)
		segment.Close(shown(err))
		return out, err
	}
}

// shown is what a trace tells of an error.
func shown(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(string(failure.Of(err)) + ": " + failure.Safe(err))
}
