package faults

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"backfill/internal/faults/cluster"
	"backfill/internal/pgtest"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// onACluster runs the test on a server of its own of each version.
func onACluster(t *testing.T, test func(t *testing.T, c *cluster.Cluster)) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) { test(t, cluster.New(t, db)) })
}

// onTheNewest is for what does not depend on the version.
func onTheNewest(t *testing.T, test func(t *testing.T, c *cluster.Cluster)) {
	t.Parallel()
	test(t, cluster.New(t, pgtest.Newest(t)))
}

// inTheMiddle begins a run that takes some seconds, and waits until each worker may have committed a batch.
func (s *stack) inTheMiddle(t *testing.T, w work) *attempt {
	t.Helper()
	a := s.start(t, w)
	s.until(t, a, 2)
	return a
}

// until waits for so many batches.
func (s *stack) until(t *testing.T, a *attempt, batches int) {
	t.Helper()
	s.log.Await(t, patience, "page planned") // the schema is there
	pgtest.WaitUntil(t, s.db.Connect(t), fmt.Sprintf("SELECT coalesce(sum(seq), 0) >= %d FROM backfill.ledger WHERE run = '%s'", batches, a.id))
}

// slow is work of some seconds for two workers.
func slow(t *testing.T, db pgtest.Database) increment {
	t.Helper()
	return slowly.makeTable(t, db)
}

// slowly is it before it has a table.
var slowly = increment{rows: 12_000, chunkRows: 2000, slowly: 0.0005}

func TestPostgresCrashesInTheMiddle(t *testing.T) {
	onACluster(t, func(t *testing.T, c *cluster.Cluster) {
		w := slowly.byTurns(t, c.Database()).makeTable(t, c.Database())
		s := deploy(t, c.Database(), plan{workers: 2})
		a := s.start(t, w)
		s.until(t, a, w.nth(2))
		for _, batches := range []int{4, 8} {
			w.expectAmid(t, c.Database().Connect(t))
			c.Crash()
			c.Start(t)
			s.until(t, a, w.nth(batches))
		}
		a.completes(t)
	})
}

func TestPostgresIsReadOnlyForAWhile(t *testing.T) {
	onTheNewest(t, func(t *testing.T, c *cluster.Cluster) {
		w := slow(t, c.Database())
		s := deploy(t, c.Database(), plan{workers: 2})
		for _, d := range s.doors {
			d.Variables["LOOK_AHEAD"] = "64" // all of it is planned at the start: no planner is tried again in the governor's place
		}
		a := s.inTheMiddle(t, w)
		pgtest.WaitUntil(t, c.Database().Connect(t), "SELECT EXISTS (SELECT FROM backfill.runs WHERE state = 'RUNNING' AND beats > 0)")
		c.ReadOnly(t, true)
		s.log.Await(t, patience, "worker", "SQLSTATE 25006")
		s.log.Await(t, patience, "governor", "SQLSTATE 25006")
		c.ReadOnly(t, false)
		a.completes(t)
	})
}

// TestPostgresFailsOver: the name stays, the address behind it is another.
func TestPostgresFailsOver(t *testing.T) {
	onTheNewest(t, func(t *testing.T, c *cluster.Cluster) {
		w := slow(t, c.Database())
		s := deploy(t, c.Database(), plan{workers: 2})
		a := s.inTheMiddle(t, w)
		c.Crash()
		s.log.Await(t, patience, "worker", "Backfill.")
		c.Move(t)
		s.db = c.Database()
		for _, d := range s.doors {
			d.postgres.Lead(c.Address())
		}
		a.completes(t)
	})
}

// TestPostgresMovesToAnotherAddress: the secret in Secrets Manager says where it is, over TLS that is verified.
func TestPostgresMovesToAnotherAddress(t *testing.T) {
	onTheNewest(t, func(t *testing.T, c *cluster.Cluster) {
		authority := c.Encrypt(t)
		var address atomic.Pointer[string]
		reveal := func() { address.Store(aws.String(c.Address())) }
		reveal()
		s := deploy(t, c.Database(), plan{workers: 2, secret: func() string { return cluster.Secret(*address.Load()) }})
		for _, d := range s.doors {
			delete(d.Variables, "DATABASE_URL")
			d.Variables["DATABASE_SECRET_ARN"] = "arn:aws:secretsmanager:us-east-1:123456789012:secret:database"
			d.Variables["SSL_CERT_FILE"] = authority
		}
		w := slow(t, c.Database())
		a := s.inTheMiddle(t, w)
		c.Crash()
		s.log.Await(t, patience, "worker", "Backfill.")
		c.Move(t)
		s.db = c.Database()
		reveal()
		a.completes(t)
	})
}

// TestConnectionsAreCutInTheMiddleOfMessages: of each function's, both ways, and so often that it is tried again
// every time.
func TestConnectionsAreCutInTheMiddleOfMessages(t *testing.T) {
	const often = 6
	t.Parallel()
	db := pgtest.Newest(t)
	w := counters(t, db)
	s := deploy(t, db, plan{workers: 2})
	messages, cuts := map[string]int{}, map[string]int{}
	var mutex sync.Mutex
	s.watch(func(d *door, m pgtest.Message) pgtest.Verdict {
		mutex.Lock()
		defer mutex.Unlock()
		messages[d.function]++
		if messages[d.function]%37 != 0 || cuts[d.function] == often {
			return pgtest.Pass
		}
		cuts[d.function]++
		return pgtest.Halve
	})
	s.start(t, w).completes(t)
	if cuts[planner] < often || cuts[worker] < often || cuts[governor] == 0 {
		t.Fatalf("too few connections were cut: %v of messages %v", cuts, messages)
	}
}

// TestTheDiskIsFullForAWhile: the table's own disk; what a full disk of the write-ahead log does is a crash.
func TestTheDiskIsFullForAWhile(t *testing.T) {
	onTheNewest(t, func(t *testing.T, c *cluster.Cluster) {
		db := c.Database()
		space := c.SmallDisk(t, "16m")
		db.Exec(t, fmt.Sprintf("CREATE TABLESPACE small LOCATION '%s'", space))
		w := slow(t, db)
		db.Exec(t, fmt.Sprintf("ALTER TABLE %s SET TABLESPACE small", w.table))
		s := deploy(t, db, plan{workers: 2})
		a := s.inTheMiddle(t, w)
		free := cluster.Fill(t, space)
		s.log.Await(t, patience, "worker", "SQLSTATE 53100")
		free()
		a.completes(t)
	})
}
