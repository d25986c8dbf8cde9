package completion_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"backfill/internal/chunk"
	"backfill/internal/closing"
	"backfill/internal/run"
	"backfill/internal/runtest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// TestTheLedgerIsFirst kills a completion before and after each of its calls. Wherever it dies, a record that says
// COMPLETED has a ledger that says so, and this one has its checkpoints; and the next one brings it to its end.
func TestTheLedgerIsFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const lives = 100
	for n := int64(1); n < lives; n++ {
		died := b.dies(t, n)
		b.expectOrder(t, n)
		if !died {
			if n < 10 {
				t.Fatalf("a completion has only %d moments", n)
			}
			return
		}
		b.again(t)
	}
	t.Fatalf("after %d deaths there is no end", lives)
}

// again makes what the next beat makes, and then brings everything back to where it was before.
func (b *bundle) again(t *testing.T) {
	t.Helper()
	if complete, err := b.completer.Complete(t.Context(), runtest.ID, 3); err != nil {
		t.Fatal(err)
	} else if !complete {
		_, err = closing.New(b.Ledger, b.Records).Finish(t.Context(), runtest.ID)
		must(t, err)
	}
	b.Expect(t, run.Completed, "")
	b.Exec(t, "UPDATE backfill.runs SET state = 'RUNNING', ended_at = NULL")
	b.edit(t, "RUN#"+runtest.ID, "RUN", string(run.Running))
	for n := range 3 {
		b.edit(t, fmt.Sprintf("RUN#%s#%02d", runtest.ID, n+1), fmt.Sprintf("CHUNK#%012d", n+1), string(chunk.Pending))
	}
}

// edit gives an item another state, and takes its end away.
func (b *bundle) edit(t *testing.T, pk, sk, state string) {
	t.Helper()
	_, err := b.Client.ExecuteStatement(t.Context(), &dynamodb.ExecuteStatementInput{Statement: aws.String(fmt.Sprintf(
		`UPDATE "%s" SET state = '%s' REMOVE expires REMOVE ended_at WHERE PK = '%s' AND SK = '%s'`, b.Table, state, pk, sk))})
	must(t, err)
}

// dies completes the run and is killed at its n-th moment. False: it came through.
func (b *bundle) dies(t *testing.T, n int64) bool {
	t.Helper()
	life, kill := context.WithCancel(t.Context())
	defer kill()
	var moments atomic.Int64
	moment := func(string) {
		if moments.Add(1) == n {
			kill()
		}
	}
	b.Wire.Before, b.Wire.After = moment, moment
	_, err := b.completer.Complete(life, runtest.ID, 3)
	b.Wire.Before, b.Wire.After = nil, nil
	if moments.Load() < n {
		must(t, err)
	}
	return moments.Load() >= n
}

func (b *bundle) expectOrder(t *testing.T, n int64) {
	t.Helper()
	stored, err := b.Ledger.Run(t.Context(), runtest.ID)
	must(t, err)
	if recorded := b.Record(t).Status.State; recorded == run.Completed && stored.State != run.Completed {
		t.Errorf("moment %d: the record says COMPLETED, the ledger %s", n, stored.State)
	}
	for _, c := range b.checkpoints(t) {
		if stored.State == run.Completed && c.State != chunk.Completed {
			t.Errorf("moment %d: the ledger says COMPLETED, checkpoint %d %s", n, c.Chunk, c.State)
		}
	}
}
