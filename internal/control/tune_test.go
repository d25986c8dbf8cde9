package control_test

import (
	"strings"
	"testing"
)

func TestTuneChangesOneRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct{ input, want string }{
		{`{"action":"tune","run":"run-1","rate":5000,"by":"ann"}`, `{"run":"run-1","rate":5000,"weight":1,"by":"ann","database":null}`},
		{`{"action":"tune","database":true,"rate":9000,"by":"bob"}`, `{"rate":null,"weight":1,"database":9000,"database_by":"bob"}`},
		{`{"action":"tune","run":"run-1","weight":3}`, `{"run":"run-1","rate":5000,"weight":3,"database":9000,"database_by":"bob"}`},
		{`{"action":"tune","run":"run-1","workers":2}`, `{"run":"run-1","rate":5000,"weight":3,"database":9000,"database_by":"bob","workers":2}`},
		{`{"action":"tune","run":"run-1","workers":0}`, `{"run":"run-1","rate":5000,"weight":3,"database":9000,"database_by":"bob"}`},
		{`{"action":"tune","database":true,"workers":5,"by":"eve"}`, `{"rate":null,"weight":1,"database":9000,"database_by":"eve","database_workers":5}`},
		{`{"action":"tune","database":true,"workers":0,"by":"bob"}`, `{"rate":null,"weight":1,"database":9000,"database_by":"bob"}`},
		{`{"action":"tune","run":"run-1","limits":{"lock_waiters":4,"io_waits":"off"},"error_budget":7}`,
			`{"run":"run-1","rate":5000,"weight":3,"database":9000,"database_by":"bob","signals":{"io_waits":-1,"lock_waiters":4},"error_budget":7}`},
		{`{"action":"tune","run":"run-1","limits":{"lock_waiters":"default","io_waits":"default"},"error_budget":-1}`,
			`{"run":"run-1","rate":5000,"weight":3,"database":9000,"database_by":"bob"}`},
		{`{"action":"tune","database":true,"wal":20000000,"by":"bob"}`, `{"rate":null,"weight":1,"database":9000,"database_by":"bob","database_wal":20000000}`},
		{`{"action":"tune","database":true,"wal":0,"by":"bob"}`, `{"rate":null,"weight":1,"database":9000,"database_by":"bob"}`},
		{`{"action":"tune","run":"run-1","rate":0}`, `{"run":"run-1","rate":null,"weight":3,"database":9000,"database_by":"bob"}`},
		{`{"action":"tune","database":true,"rate":0}`, `{"rate":null,"weight":1,"database":null}`},
	} {
		if got := b.answer(t, c.input); got != c.want {
			t.Errorf("%s: %s", c.input, got)
		}
	}
}

// TestTuneOfARunThatHasEnded is taken, for what may come of the run, and says that it has ended.
func TestTuneOfARunThatHasEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = now() WHERE run = 'run-1'")
	if got := b.answer(t, `{"action":"tune","run":"run-1","rate":5000}`); got != `{"run":"run-1","state":"COMPLETED","rate":5000,"weight":1,"database":null}` {
		t.Error(got)
	}
}

func TestTuneSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for input, want := range map[string]string{
		`{"action":"tune","rate":5}`:                               `either "run"`,
		`{"action":"tune","run":"run-1","database":true,"rate":5}`: `either "run"`,
		`{"action":"tune","run":"run-1"}`:                          "nothing is to be changed",
		`{"action":"tune","database":true}`:                        "nothing is to be changed",
		`{"action":"tune","run":"run-1","workers":5}`:              "workers 5 is not within 0 (no limit) to 4",
		`{"action":"tune","run":"run-1","workers":-1}`:             "workers -1 is not within",
		`{"action":"tune","run":"run-1","limits":{"lock_waiter":4,"io_waits":-2,"commit_milliseconds":true}}`: `commit_milliseconds: "true" is no limit: a number from 0, off where the ` +
			`signal is only to be shown, or default for what the definition says; io_waits: "-2" is no limit: a number from 0, off where the signal is only to be shown, or default ` +
			`for what the definition says; the signal "lock_waiter" is not known: did you mean lock_waiters?`,
		`{"action":"tune","run":"run-1","error_budget":100001}`:    "error_budget 100001 is not within 0 to 100000 rows",
		`{"action":"tune","run":"run-1","error_budget":-2}`:        "error_budget -2 is not within",
		`{"action":"tune","database":true,"error_budget":2}`:       `"error_budget" belong to a run`,
		`{"action":"tune","run":"run-1","wal":20000000}`:           `"wal" belongs to the database`,
		`{"action":"tune","database":true,"wal":5}`:                "wal 5 is not within 10000 to 1000000000000 bytes/s",
		`{"action":"tune","database":true,"workers":1001}`:         "workers 1001 is not within 0 (no limit) to 1000",
		`{"action":"tune","database":true,"rate":1,"weight":2}`:    `belong to a run`,
		`{"action":"tune","run":"run-1","rate":-1}`:                "rate -1 is not within",
		`{"action":"tune","run":"run-1","weight":0}`:               "weight 0 is not within",
		`{"action":"tune","run":"run-1","rate":1,"concurrency":2}`: "unknown field",
		`{"action":"tune","run":"nobody","rate":1}`:                "no such run",
	} {
		if got := b.refused(t, "", input); !strings.Contains(got, want) {
			t.Errorf("%s: %s", input, got)
		}
	}
	if got := b.refused(t, "read", `{"action":"tune","run":"run-1","rate":5}`); !strings.Contains(got, `"read"`) {
		t.Error(got)
	}
}
