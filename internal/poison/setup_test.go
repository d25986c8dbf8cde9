// Package poison has rows that do not allow their change, among very many that do, in runs from the start to the end: with the
// real planner, workers and governor, on a real Postgres and DynamoDB. Only the queue is a channel.
//
// It owns no product code. The sizes are those of `make test`; BACKFILL_POISON_ROWS asks for more, as `make chaos` does.
package poison_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"backfill/internal/pgtest"
	"backfill/internal/runtest"
	"backfill/internal/signal"
)

// rowsVariable asks for a table of another size.
const rowsVariable = "BACKFILL_POISON_ROWS"

const (
	fewRows = 20_000
	// poisoned is how many rows do not allow the change.
	poisoned = 37
)

// kinds are why a row does not allow the change, as its note says, and the SQLSTATE that Postgres has for it.
var kinds = []struct{ note, sqlstate string }{
	{"check", "23514"}, {"null", "23502"}, {"twin", "23505"}, {"cast", "22P02"}, {"over", "22003"},
}

// expression is a change that a row of each kind does not allow. That n is id + 1 afterwards shows that a row saw it once.
const expression = `CASE split_part(note, ' ', 1) WHEN 'null' THEN NULL WHEN 'twin' THEN -5 WHEN 'cast' THEN note::integer
    WHEN 'over' THEN n + 2147483647 ELSE n + 1 END`

// table is what kinds rest on.
const table = `CREATE TABLE readings (id bigint PRIMARY KEY, n int NOT NULL, note text NOT NULL,
		CONSTRAINT still CHECK (note NOT LIKE 'check %' OR n = id)) WITH (autovacuum_enabled = off);`

// unique has two ways to raise a unique violation. An index on the column that is written keeps chunks from being gone over
// in passes; a second table does not.
var unique = map[string]string{
	"plain": `CREATE UNIQUE INDEX twins ON readings ((CASE WHEN n < 0 THEN n END))`,
	"striped": `CREATE TABLE twins (n int PRIMARY KEY); INSERT INTO twins VALUES (-5);
		CREATE FUNCTION taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO twins VALUES (NEW.n); RETURN NEW; END $$;
		CREATE TRIGGER taken BEFORE UPDATE ON readings FOR EACH ROW WHEN (NEW.n < 0) EXECUTE FUNCTION taken()`,
}

// bundle is a table without poison, and what a run over it is made of.
type bundle struct {
	*runtest.Bench
	rows      int64
	chunkRows int64
	line      *runtest.Line
}

func setup(t *testing.T, way string) *bundle {
	t.Helper()
	b := &bundle{Bench: runtest.On(t, pgtest.Newest(t)), rows: fewRows}
	if text := os.Getenv(rowsVariable); text != "" {
		var err error
		b.rows, err = strconv.ParseInt(text, 10, 64)
		must(t, err)
	}
	b.chunkRows = max(b.rows/10, 6_500) // fewer keys are not gone over in passes
	b.DB.Exec(t, table+unique[way])
	b.fill(t)
	b.line = b.Line(t)
	return b
}

// fill has every row as it is before any run, in the order of the keys. One that no run is about is the twin.
func (b *bundle) fill(t *testing.T) {
	t.Helper()
	b.Exec(t, "TRUNCATE readings")
	b.Exec(t, "INSERT INTO readings SELECT g, g, 'fine' FROM generate_series(1, $1::bigint) g", b.rows)
	b.Exec(t, "INSERT INTO readings VALUES (-1, -5, 'the twin')")
	b.Exec(t, "VACUUM ANALYZE readings")
}

// poison has rows that do not allow the change: the first and the last of the table, both sides of the end of a chunk, and the
// others spread over it, of each kind in turn.
func (b *bundle) poison(t *testing.T) {
	t.Helper()
	b.Exec(t, `WITH places AS (SELECT unnest(ARRAY[1, 2, $1, $1 + 1, $2 - 1, $2]) AS id UNION ALL SELECT 7 + g * ($2 / $3) FROM generate_series(1, $3 - 6) g),
		numbered AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM places)
		UPDATE readings r SET note = ($4::text[])[1 + place % cardinality($4::text[])] || ' ' || r.id FROM numbered p WHERE p.id = r.id`,
		b.chunkRows, b.rows, int64(poisoned), notes())
	if n := b.Number(t, "SELECT count(*) FROM readings WHERE note LIKE '% %' AND id > 0"); n != poisoned {
		t.Fatalf("%d rows do not allow the change", n)
	}
}

func notes() (all []string) {
	for _, kind := range kinds {
		all = append(all, kind.note)
	}
	return all
}

// mend has every row allow the change.
func (b *bundle) mend(t *testing.T) {
	t.Helper()
	b.Exec(t, "UPDATE readings SET note = 'mended' WHERE note LIKE '% %' AND id > 0")
}

// start is the request of a run under an error budget. What else happens on the server does not slow it.
func (b *bundle) start(t *testing.T, id string, budget int, onFailure string) json.RawMessage {
	t.Helper()
	off := make([]string, 0, len(signal.Names()))
	for _, name := range signal.Names() {
		off = append(off, string(name)+": off")
	}
	definition := fmt.Sprintf("name: readings\ntable: readings\nset:\n  n: >-\n    %s\nwhere: id > 0\nchunk_rows: %d\nerror_budget: %d\non_failure: %s\nthrottle: {%s}\n",
		expression, b.chunkRows, budget, onFailure, strings.Join(off, ", "))
	return encode(t, map[string]any{"action": "start", "run": id, "definition": definition})
}

func encode(t *testing.T, request map[string]any) json.RawMessage {
	t.Helper()
	encoded, err := json.Marshal(request)
	must(t, err)
	return encoded
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
