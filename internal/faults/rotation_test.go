package faults

import (
	"sync/atomic"
	"testing"

	"backfill/internal/faults/cluster"
	"backfill/internal/pgtest"
)

// rotated is the functions' login, whose password changes.
const rotated = "rotated"

// login is the password as the server has it, and as Secrets Manager does a while later.
type login struct {
	db       pgtest.Database
	password atomic.Pointer[string]
}

// rotate changes the server's, and cuts every connection that was opened by the old one. The secret still has that.
func (l *login) rotate(t *testing.T, password string) (reveal func()) {
	t.Helper()
	l.db.Exec(t, "ALTER ROLE "+rotated+" PASSWORD '"+password+"'")
	l.db.Exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+rotated+"'")
	return func() { l.password.Store(&password) }
}

// TestThePasswordIsRotatedUnderEachFunction as Secrets Manager does it: the server has the new one first. A planner that has planned before finds it when the next run
// begins, governor and workers in the middle of that; each is refused, reads the secret until it is right, and goes on.
func TestThePasswordIsRotatedUnderEachFunction(t *testing.T) {
	onTheNewest(t, func(t *testing.T, c *cluster.Cluster) {
		authority := c.Encrypt(t)
		c.Demand(t, rotated, "first", "scram-sha-256")
		l, first := &login{db: c.Database()}, "first"
		l.password.Store(&first)
		s := deploy(t, c.Database(), plan{workers: 2, secret: func() string { return cluster.SecretOf(c.Address(), rotated, *l.password.Load()) }})
		for _, d := range s.doors {
			delete(d.Variables, "DATABASE_URL")
			d.Variables["DATABASE_SECRET_ARN"] = "arn:aws:secretsmanager:us-east-1:123456789012:secret:database"
			d.Variables["SSL_CERT_FILE"] = authority
			d.Variables["LOOK_AHEAD"] = "64" // all of it is planned at the start: no planner is tried again in the governor's place
		}
		s.start(t, increment{rows: 100, chunkRows: 100}.makeTable(t, c.Database())).completes(t)

		reveal := l.rotate(t, "second")
		w := increment{rows: 12_000, chunkRows: 500, slowly: 0.0005}.makeTable(t, c.Database())
		a := s.start(t, w)
		s.log.Await(t, patience, planner, "login refused, read anew")
		reveal()

		let := w.holdLast(t, c.Database())                 // no run ends before each login was refused
		s.log.Await(t, patience, governor, `"beat"`, a.id) // a planner in the middle of its step would be tried again, in place of a beat
		s.until(t, a, 2)
		reveal = l.rotate(t, "third")
		s.log.Await(t, patience, worker, "login refused, read anew")
		s.log.Await(t, patience, governor, "login refused, read anew")
		reveal()
		let()
		a.completes(t)
	})
}
