package checkup

import (
	"fmt"
	"strings"

	"backfill/internal/privilege"
)

const (
	oldest = 130000 // the statements need it
	newest = 190000 // and were tried below it
	// bounded is the version from which on a batch of a lost worker ends by itself, whatever a pooler sees.
	bounded = 170000
	// long is the age of a transaction, in seconds, from which on passes find no room.
	long = 300
	// spare is how many connections planner, governor and control have.
	spare = 3
)

func (r *Report) add(name, state, text, remedy string) {
	r.Checks = append(r.Checks, Check{Name: name, State: state, Text: text, Remedy: remedy})
}

func (r *Report) ok(name, text string)           { r.add(name, OK, text, "") }
func (r *Report) warn(name, text, remedy string) { r.add(name, Warn, text, remedy) }
func (r *Report) fail(name, text, remedy string) { r.add(name, Fail, text, remedy) }

// judge judges settings, and what else the server is busy with.
func (r *Report) judge(f facts, role privilege.Role) {
	r.server(f, role)
	if lack, remedy := role.Sight(); lack != "" {
		r.warn("signals", lack, remedy)
	} else {
		r.ok("signals", "the role sees sessions, standbys and autovacuum")
	}
	list := func(name, good, bad string, found []string, remedy string) {
		if len(found) > 0 {
			r.warn(name, bad+": "+strings.Join(found, ", "), remedy)
			return
		}
		r.ok(name, good)
	}
	list("timeouts", "none of the role is shorter than a minute", "the role's own are shorter than a minute, and may end a planner or a batch", f.Timeouts,
		"ALTER ROLE "+role.Name+" SET statement_timeout = 0, and so on; the stack has limits of its own")
	list("prepared", "no prepared transaction waits", "transactions are prepared for longer than a minute, and keep locks and dead rows", f.Prepared,
		"COMMIT PREPARED or ROLLBACK PREPARED each")
	list("slots", "each replication slot is read", "nobody reads these replication slots, and the run's WAL stays on disk", f.Slots,
		"start their reader, or SELECT pg_drop_replication_slot(name)")
	if f.Oldest >= long {
		r.warn("transactions", fmt.Sprintf("a transaction is open for %d s and keeps dead rows: the table grows as long as it is", f.Oldest),
			"end it: SELECT pid, state, query FROM pg_stat_activity ORDER BY xact_start")
	} else {
		r.ok("transactions", "none is open for long, as far as the role may see")
	}
	if !f.Autovacuum {
		r.warn("autovacuum", "it is off: nothing makes room again", "set autovacuum = on")
	}
	r.ok("wal", wal(f))
	r.ok("extensions", extensions(f))
}

// server is what no run works without.
func (r *Report) server(f facts, role privilege.Role) {
	switch release := "Postgres " + f.Release; {
	case f.Version < oldest:
		r.fail("version", release+" is too old", "move to Postgres 13 or later; 15 and 18 are tested")
	case f.Version >= newest:
		r.warn("version", release+" is newer than what was tested", "try it on a copy first")
	default:
		r.ok("version", release)
	}
	if f.Standby {
		r.fail("writable", "the server is a standby", "give the secret the host of the primary: for Aurora the cluster endpoint, not the reader's")
	}
	if f.ReadOnly {
		r.fail("writable", "transactions are read only by default", "ALTER ROLE "+role.Name+" SET default_transaction_read_only = off")
	}
	if f.Encoding == "SQL_ASCII" {
		r.fail("encoding", "the database has SQL_ASCII: text would not survive JSON", "dump it, and restore it into one with UTF8")
	}
	if !f.Strings {
		r.fail("strings", "standard_conforming_strings is off, so a backslash would hide quotes", "ALTER ROLE "+role.Name+" SET standard_conforming_strings = on")
	}
}

// ledger is the schema of the product.
func (r *Report) ledger(role privilege.Role, version, needed int) {
	lack, remedy := role.Ledger()
	switch {
	case lack != "":
		r.fail("ledger", lack, remedy)
	case version == 0:
		r.ok("ledger", "the first start makes the schema backfill")
	case version > needed:
		r.warn("ledger", fmt.Sprintf("schema backfill has version %d, and this stack knows %d: a newer stack works here, too", version, needed), "deploy the newer version of this stack")
	case version < needed:
		r.ok("ledger", fmt.Sprintf("schema backfill has version %d; the next run renews it to %d", version, needed))
	default:
		r.ok("ledger", fmt.Sprintf("schema backfill has version %d", version))
	}
}

// connection is the way to the database. A pooler greets by itself, with a process of its own.
func (r *Report) connection(f facts, text string, greeted int64) {
	switch {
	case greeted == f.Process:
		r.ok("connection", text)
	case f.Version >= bounded:
		r.ok("connection", text+", through a pooler: workers prepare nothing")
	default:
		r.warn("connection", text+", through a pooler: workers prepare nothing, and half a batch of a lost one ends when the pooler notices",
			"set its tcp_keepidle to 10, tcp_keepintvl to 5, tcp_keepcnt to 3")
	}
}

// connections are those that workers need, and that are left.
func (r *Report) connections(f facts, workers int64) {
	if f.Own >= 0 && f.Own < workers+spare {
		r.warn("connections", fmt.Sprintf("the role may have %d, %d workers need one each, for a transform two, and %d functions beside them", f.Own, workers, spare),
			"ALTER ROLE .. CONNECTION LIMIT -1")
		return
	}
	text := fmt.Sprintf("%d of %d are taken, %d workers need one each, for a transform two, and %d functions beside them", f.Taken, f.Places, workers, spare)
	if f.Taken+workers+spare > f.Places {
		r.warn("connections", text, "lower WorkerConcurrency, raise max_connections, or put a pooler between")
		return
	}
	r.ok("connections", text)
}

func wal(f facts) string {
	if f.Subscribers > 0 {
		return fmt.Sprintf("wal_level is %s; %d logical slots of this database decode each row that is written", f.WAL, f.Subscribers)
	}
	return "wal_level is " + f.WAL
}

func extensions(f facts) string {
	if f.LZ4 {
		return "none is needed; undo is compressed by lz4"
	}
	return "none is needed; undo is compressed by pglz, since the server has no lz4"
}
