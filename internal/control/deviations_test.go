package control_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"backfill/internal/control"
	"backfill/internal/pgtest"
	"backfill/internal/runtest"
)

// verifying is a run that has ended, and the line on which it is verified.
type verifying struct {
	*bundle
	line   *runtest.Line
	number int
}

func verifiable(t *testing.T, db pgtest.Database, ddl, definition string) *verifying {
	t.Helper()
	db.Exec(t, ddl)
	b := runtest.On(t, db)
	v := &verifying{bundle: &bundle{Bench: b, control: controlOver(b, &stops{})}, line: b.Line(t)}
	v.carry(t, map[string]any{"action": "start", "definition": definition})
	return v
}

// carry has a request carried out by an execution of its own.
func (v *verifying) carry(t *testing.T, request map[string]any) {
	t.Helper()
	v.number++
	request["run"] = runtest.ID
	input, err := json.Marshal(request)
	must(t, err)
	v.line.Run(t, input, fmt.Sprint(runtest.Execution, v.number))
}

func (v *verifying) deviations(t *testing.T, more string) (found control.Deviations) {
	t.Helper()
	answer, err := v.ask(t, "read", `{"action":"deviations","run":"run-1"`+more+`}`)
	must(t, err)
	must(t, json.Unmarshal([]byte(answer), &found))
	return found
}

const shares = `CREATE FUNCTION share(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1000 / n'; CREATE TABLE shares (id bigint PRIMARY KEY, n int, share int);
	INSERT INTO shares SELECT g, g, NULL FROM generate_series(1, 500) g; ANALYZE shares`

const shared = "name: shares\ntable: shares\nset: {share: share(n)}\nchunk_rows: 100\nerror_budget: 150\n"

// TestDeviationsAreListedByWhoAsks: the scripts of an answer list what was changed, chunk by chunk, and each row that they leave out is rejected.
func TestDeviationsAreListedByWhoAsks(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		v := verifiable(t, db, shares, shared)
		if told := v.refused(t, "read", `{"action":"deviations","run":"run-1"}`); !strings.Contains(told, "backfill verify run-1 --no-write") {
			t.Error(told)
		}
		v.Exec(t, "UPDATE shares SET share = -1 WHERE id IN (100, 101, 250, 251, 500); UPDATE shares SET n = 0 WHERE id IN (252, 260)")
		v.carry(t, map[string]any{"action": "verify", "write": false})
		found := v.deviations(t, "")
		if found.Deviating != 7 || found.Looked != 5 || len(found.Chunks) != 4 || found.Unfit != "" {
			t.Fatalf("%+v", found)
		}
		want := map[int64][]string{1: {"100"}, 2: {"101"}, 3: {"250", "251"}, 5: {"500"}}
		for _, chunk := range found.Chunks {
			if got := pgtest.List(t, v.Conn, chunk.SQL); !slices.Equal(got, want[chunk.Chunk]) || chunk.Deviating != int64(len(got)+chunk.Rejected) || chunk.Crowded {
				t.Errorf("%+v: %q", chunk, got)
			}
		}
		if third := found.Chunks[2]; third.Rejected != 2 || third.Keys != `"id" > 200 AND "id" <= 300` {
			t.Errorf("%+v", third)
		}
		if page := v.deviations(t, `,"limit":2`); len(page.Chunks) != 2 || page.Next != 2 {
			t.Errorf("%+v", page)
		}
		if page := v.deviations(t, `,"limit":2,"after":2`); len(page.Chunks) != 2 || page.Chunks[0].Chunk != 3 || page.Next != 0 {
			t.Errorf("%+v", page)
		}
		v.Exec(t, "UPDATE shares SET n = 0 WHERE id = 50; UPDATE shares SET n = id WHERE id IN (252, 260)")
		v.Exec(t, "INSERT INTO backfill.rejects (run, chunk, key, sqlstate, message) SELECT 'run-1', 1, ARRAY[g::text], '22012', '' FROM generate_series(-99, 0) g")
		v.carry(t, map[string]any{"action": "verify", "write": true})
		if found = v.deviations(t, ""); len(found.Chunks) != 1 || !found.Chunks[0].Crowded || found.Chunks[0].Rejected != 0 || found.Mended != 5 {
			t.Errorf("what was written again deviates no more: %+v", found)
		}
	})
}

// TestNoChunkIsListedThatWasRolledBack: its rows are not what the run would leave.
func TestNoChunkIsListedThatWasRolledBack(t *testing.T) {
	t.Parallel()
	v := verifiable(t, pgtest.Newest(t), shares, shared)
	v.Exec(t, "UPDATE shares SET share = -1 WHERE id IN (100, 101)")
	v.carry(t, map[string]any{"action": "verify", "write": false})
	v.carry(t, map[string]any{"action": "rollback", "chunks": "2"})
	if found := v.deviations(t, ""); len(found.Chunks) != 1 || found.Chunks[0].Chunk != 1 {
		t.Errorf("%+v", found)
	}
	v.carry(t, map[string]any{"action": "rollback"})
	if told := v.refused(t, "read", `{"action":"deviations","run":"run-1"}`); !strings.Contains(told, "is rolled back") {
		t.Error(told)
	}
}

// TestOfARunThatHasNotEndedNothingIsListed: a canary keeps no figure of a chunk.
func TestOfARunThatHasNotEndedNothingIsListed(t *testing.T) {
	t.Parallel()
	db := pgtest.Newest(t)
	db.Exec(t, shares)
	b := runtest.On(t, db)
	v := &verifying{bundle: &bundle{Bench: b, control: controlOver(b, &stops{})}, line: b.Line(t)}
	v.carry(t, map[string]any{"action": "start", "definition": shared, "canary": "50%"})
	if told := v.refused(t, "read", `{"action":"deviations","run":"run-1"}`); !strings.Contains(told, "it is PAUSED, and only a run that is COMPLETED") {
		t.Error(told)
	}
}

// TestKindsThatCannotBeCompared say why, and of a deletion what it has left is listed.
func TestKindsThatCannotBeCompared(t *testing.T) {
	t.Parallel()
	for definition, want := range map[string]struct{ why, left string }{
		"delete: true\nwhere: n <= 250":                                                                {"its rows are gone", "7"},
		"delete: true\narchive: old\nwhere: n <= 250":                                                  {"its rows are gone", "7"},
		"copy: {into: old, move: true}\nwhere: n <= 250":                                               {"its rows are gone", "7"},
		"copy: {into: old}\nwhere: n <= 250":                                                           {"its rows are in another table", ""},
		"from: {o: public.shares2}\njoin: o.id = shares.id\nset: {share: o.n}\nwhere: shares.n <= 250": {"what a row should hold stands in other tables", ""},
		"set: {n: n + 1}": {"uses column n", ""},
	} {
		v := verifiable(t, pgtest.Newest(t), shares+"; CREATE TABLE old (LIKE shares INCLUDING ALL); CREATE TABLE shares2 (LIKE shares INCLUDING ALL)", "name: other\ntable: shares\nchunk_rows: 100\n"+definition+"\n")
		v.Exec(t, "INSERT INTO shares VALUES (7, 7, NULL) ON CONFLICT DO NOTHING; INSERT INTO shares VALUES (501, 8, NULL)")
		found := v.deviations(t, "")
		if !strings.Contains(found.Unfit, want.why) || found.Keys != `"id" <= 500` || len(found.Chunks) > 0 || (found.Left != "") != (want.left != "") {
			t.Errorf("%s: %+v", definition, found)
		}
		if found.Left != "" {
			if left := pgtest.List(t, v.Conn, found.Left); !slices.Equal(left, []string{want.left}) {
				t.Errorf("%s: left is %q", definition, left)
			}
			v.carry(t, map[string]any{"action": "rollback", "chunks": "2"})
			if found = v.deviations(t, ""); found.Left != "" {
				t.Errorf("%s: rows that were put back are no rows that were left: %+v", definition, found)
			}
		}
	}
}

// TestDeviationsOfAPageAreBounded: each chunk has a whole script, and Lambda answers with 6 MB at most.
func TestDeviationsOfAPageAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `DELETE FROM backfill.ledger`)
	b.Exec(t, `UPDATE backfill.runs SET change = (change::jsonb || '{"verify": {"values": true}, "set": [{"column": "n", "type": "integer", "base": "integer", "expression": "1"}]}')::json`)
	b.Exec(t, `INSERT INTO backfill.ledger (run, chunk, lo, hi, state, deviating, digest) SELECT 'run-1', n, ARRAY[repeat('x', 2000)], ARRAY[repeat('x', 2001)], 'COMPLETED', 1, 0 FROM generate_series(1, 1000) n`)
	seen := 0
	for next := int64(-1); next != 0; {
		answer := b.answer(t, fmt.Sprintf(`{"action":"deviations","run":"run-1","limit":1000,"after":%d}`, max(next, 0)))
		var found control.Deviations
		must(t, json.Unmarshal([]byte(answer), &found))
		if len(answer) > 6<<20 || found.Chunks[0].Chunk != int64(seen)+1 {
			t.Fatalf("%d bytes, %d chunks from %d on, after %d", len(answer), len(found.Chunks), found.Chunks[0].Chunk, seen)
		}
		seen, next = seen+len(found.Chunks), found.Next
	}
	if seen != 1000 {
		t.Errorf("%d chunks", seen)
	}
}
