package planner_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/planner"
)

// TestWhatANewerRunOfAnotherKindDidStandsInTheWay of a rollback: rows that it deleted are not there to be given back, and
// rows that come back lack what it wrote. Of two deletions neither touched the rows of the other,
// nor did two copies into one table. What a copy only reads is all the same to it.
func TestWhatANewerRunOfAnotherKindDidStandsInTheWay(t *testing.T) {
	t.Parallel()
	const fill = "name: fill\ntable: old\ncopy: {into: counters}\nchunk_rows: 100\n"
	const renew = "name: renew\ntable: old\ncopy: {into: counters, on_conflict: update}\nchunk_rows: 100\n"
	const out = "name: out\ntable: counters\ncopy: {into: old}\nchunk_rows: 100\n"
	const away = "name: away\ntable: counters\ncopy: {into: old, move: true}\nchunk_rows: 100\n"
	const home = "name: home\ntable: old\ncopy: {into: counters, move: true}\nchunk_rows: 100\n"
	const purge = "name: purge\ntable: counters\ndelete: true\nwhere: n > 5\nchunk_rows: 100\n"
	for name, c := range map[string]struct{ older, newer, want string }{
		"set, set":         {increment, increment, "wrote 7 rows of column n as well: roll it back first, or force this rollback (--force); rows that hold what newer wrote are then left alone and reported"},
		"set, delete":      {increment, purge, "deleted 7 rows: roll it back first, or force this rollback (--force); rows that are gone are then left alone and reported"},
		"delete, set":      {purge, increment, "wrote 7 rows: roll it back first, or force this rollback (--force); rows then come back as they were, without what newer wrote"},
		"delete, delete":   {purge, purge, ""},
		"copy, set":        {fill, increment, "wrote 7 rows of table public.counters: roll it back first, or force this rollback (--force); rows that hold what newer wrote are then left alone and reported"},
		"copy, delete":     {fill, purge, "deleted 7 rows: roll it back first, or force this rollback (--force); rows that are gone are then left alone and reported"},
		"copy, copy":       {fill, fill, ""},
		"copy, update":     {fill, renew, "wrote 7 rows of table public.counters"},
		"update, set":      {renew, increment, "wrote 7 rows of column n as well"},
		"update, copy":     {renew, fill, ""},
		"set, copy":        {increment, fill, ""},
		"set, update":      {increment, renew, "wrote 7 rows of column n as well"},
		"delete, copy":     {purge, fill, "wrote 7 rows: roll it back first, or force this rollback (--force); rows then come back as they were, without what newer wrote"},
		"set, move away":   {increment, away, "deleted 7 rows"},
		"move away, set":   {away, increment, "wrote 7 rows: roll it back first"},
		"move home, set":   {home, increment, "wrote 7 rows of table public.counters: roll it back first, or force this rollback (--force); rows that hold what newer wrote are then left alone and reported"},
		"and away again":   {home, away, "deleted 7 rows"},
		"move away, purge": {away, purge, ""},
		"set, read":        {increment, out, ""},
		"read, set":        {out, increment, ""},
		"read, delete":     {out, purge, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 200, 6)
			b.DB.Exec(t, "CREATE TABLE old (LIKE counters INCLUDING ALL); ANALYZE old")
			for _, id := range []string{"older", "newer"} {
				definition := c.older
				if id == "newer" {
					definition = c.newer
				}
				_, err := b.planner.Handle(t.Context(), startOf(id, definition))
				must(t, err)
				b.DB.Exec(t, fmt.Sprintf(`UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp() WHERE run = '%[1]s';
					INSERT INTO backfill.ledger (run, chunk, hi, state, affected) VALUES ('%[1]s', 1, ARRAY['2000'], 'COMPLETED', 7)`, id))
			}
			for _, force := range []bool{false, true} {
				request, err := json.Marshal(map[string]any{"action": "rollback", "run": "older", "force": force})
				must(t, err)
				_, err = b.planner.Handle(t.Context(), planner.Call{Step: "begin", Request: request, Execution: "arn:back", Name: "back"})
				refused := c.want != "" && !force
				if refused != failure.Is(err, failure.Invalid) || refused && !strings.Contains(err.Error(), "run newer is newer and "+c.want) || !refused && err != nil {
					t.Fatalf("force %v: %v", force, err)
				}
			}
		})
	}
}
