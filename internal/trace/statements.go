package trace

import (
	"context"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-xray-sdk-go/v2/xray"
	"github.com/jackc/pgx/v5"
)

// mostStatements of one invocation are shown. A chunk may have thousands, and X-Ray takes 500 KB for a whole trace, which here is that of an
// execution with all of its workers. The first are the claim and the first batches: the others are alike.
const mostStatements = 50

// counted counts the statements of an invocation.
type counted struct{ sent atomic.Int64 }

type (
	countedKey struct{}
	shownKey   struct{}
)

// Statements makes each round trip to Postgres a part of the invocation's trace, by the names of its statements; nil: nothing is traced.
func (t Tracer) Statements() pgx.QueryTracer {
	if !t.on {
		return nil
	}
	return statements{}
}

type statements struct{}

var (
	_ pgx.BatchTracer   = statements{}
	_ pgx.ConnectTracer = statements{}
)

// begin begins a subsegment, unless enough of them are shown.
func begin(ctx context.Context, name string) context.Context {
	count, _ := ctx.Value(countedKey{}).(*counted)
	if count == nil || count.sent.Add(1) > mostStatements {
		return context.WithValue(ctx, shownKey{}, (*xray.Segment)(nil))
	}
	inner, segment := xray.BeginSubsegment(ctx, name)
	return context.WithValue(inner, shownKey{}, segment)
}

// end ends what begin began.
func end(ctx context.Context, err error) {
	if segment, _ := ctx.Value(shownKey{}).(*xray.Segment); segment != nil {
		segment.Close(shown(err))
	}
}

func (statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return begin(ctx, named(data.SQL))
}

func (statements) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	end(ctx, data.Err)
}

func (statements) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	return begin(ctx, "connect")
}

func (statements) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	end(ctx, data.Err)
}

// TraceBatchStart begins a pipeline: its end is that of its transaction, so the commit.
func (statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	names := make([]string, len(data.Batch.QueuedQueries))
	for i, query := range data.Batch.QueuedQueries {
		names[i] = named(query.SQL)
	}
	return begin(ctx, strings.Join(names, " + "))
}

func (statements) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (statements) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	end(ctx, data.Err)
}

var (
	verb = regexp.MustCompile(`^\s*([A-Za-z]+)`)
	own  = regexp.MustCompile(`\bbackfill\.(\w+)`)
)

// named is what a trace tells of a statement: its first word, and the first thing of the schema backfill in it. The rest may hold what a
// definition's author wrote, be it a literal.
func named(sql string) string {
	name := "statement"
	if match := verb.FindStringSubmatch(sql); match != nil {
		name = strings.ToUpper(match[1])
	}
	if match := own.FindString(sql); match != "" {
		name += " " + match
	}
	return name
}
