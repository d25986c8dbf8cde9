package checkup

import (
	"fmt"
	"strings"
	"testing"

	"backfill/internal/privilege"

	"github.com/google/go-cmp/cmp"
)

var app = privilege.Role{Name: "app", Database: "shop", Schema: true, Tables: true, Usable: true, Stats: true}

// good is a database on which nothing is wrong.
var good = facts{Version: 180001, Release: "18.1", Database: "shop", Encoding: "UTF8", Strings: true, WAL: "replica", Autovacuum: true, LZ4: true,
	Places: 97, Taken: 20, Own: -1, Process: 7}

const allGood = `connection ok way
version ok Postgres 18.1
signals ok the role sees sessions, standbys and autovacuum
timeouts ok none of the role is shorter than a minute
prepared ok no prepared transaction waits
slots ok each replication slot is read
transactions ok none is open for long, as far as the role may see
wal ok wal_level is replica
extensions ok none is needed; undo is compressed by lz4
ledger ok schema backfill has version 16
connections ok 20 of 97 are taken, 4 workers need one each, for a transform two, and 3 functions beside them
`

func TestNothingIsWrong(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(allGood, judged(good, app, 16)); diff != "" {
		t.Error(diff)
	}
}

// TestEachFact alone changes its own line, or adds one.
func TestEachFact(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(f *facts, role *privilege.Role, version *int){
		"version fail Postgres 12.9 is too old; move to":                 func(f *facts, _ *privilege.Role, _ *int) { f.Version, f.Release = 129999, "12.9" },
		"version ok Postgres 13.0":                                       func(f *facts, _ *privilege.Role, _ *int) { f.Version, f.Release = 130000, "13.0" },
		"version warn Postgres 19 is newer than what was tested; try it": func(f *facts, _ *privilege.Role, _ *int) { f.Version, f.Release = 190000, "19" },
		"writable fail the server is a standby; give the secret":         func(f *facts, _ *privilege.Role, _ *int) { f.Standby = true },
		"transactions warn a transaction is open for 300 s":              func(f *facts, _ *privilege.Role, _ *int) { f.Oldest = 300 },
		"transactions ok": func(f *facts, _ *privilege.Role, _ *int) { f.Oldest = 299 },
		"prepared warn transactions are prepared for longer than a minute, and keep locks and dead rows: 'a', 'b'; COMMIT PREPARED": func(f *facts, _ *privilege.Role, _ *int) { f.Prepared = []string{"'a'", "'b'"} },
		"extensions ok none is needed; undo is compressed by pglz":                                                                  func(f *facts, _ *privilege.Role, _ *int) { f.LZ4 = false },
		"connections ok 90 of 97":                                                 func(f *facts, _ *privilege.Role, _ *int) { f.Taken = 90 },
		"connections warn 91 of 97":                                               func(f *facts, _ *privilege.Role, _ *int) { f.Taken = 91 },
		"connection ok way, through a pooler":                                     func(f *facts, _ *privilege.Role, _ *int) { f.Process = 8 },
		"connection warn way, through a pooler":                                   func(f *facts, _ *privilege.Role, _ *int) { f.Process, f.Version = 8, 169999 },
		"ledger ok the first start makes the schema backfill":                     func(_ *facts, _ *privilege.Role, version *int) { *version = 0 },
		"ledger ok schema backfill has version 15; the next run renews it to 16":  func(_ *facts, _ *privilege.Role, version *int) { *version = 15 },
		"ledger warn schema backfill has version 17, and this stack knows 16":     func(_ *facts, _ *privilege.Role, version *int) { *version = 17 },
		"ledger fail role app may not use the schema backfill, or make things in": func(_ *facts, role *privilege.Role, _ *int) { role.Usable = false },
	} {
		f, role, version := good, app, 16
		change(&f, &role, &version)
		got := judged(f, role, version)
		other := 0
		for _, line := range strings.Split(got, "\n") {
			if !strings.Contains(allGood, line) {
				other++
			}
		}
		if !strings.Contains("\n"+got, "\n"+want) || other > 2 {
			t.Errorf("want %s in\n%s", want, got)
		}
	}
}

func judged(f facts, role privilege.Role, version int) string {
	var r Report
	r.connection(f, "way", 7)
	r.judge(f, role)
	r.ledger(role, version, 16)
	r.connections(f, 4)
	var text strings.Builder
	for _, c := range r.Checks {
		fmt.Fprintf(&text, "%s %s %s", c.Name, c.State, c.Text)
		if c.Remedy != "" {
			text.WriteString("; " + c.Remedy)
		}
		text.WriteString("\n")
	}
	return text.String()
}
