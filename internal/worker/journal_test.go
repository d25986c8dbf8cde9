package worker_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"backfill/internal/change"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// write is one committed write of a user: what the row held before it, and after it. A row that is not there is gone.
type write struct {
	id            int64
	before, after value
}

// value is what a row holds in the column that the run writes.
type value struct {
	n    int64
	gone bool
}

// user writes the rows that are its own, in transactions of its own, and keeps a journal of what was committed.
type user struct {
	conn    *pgx.Conn
	random  *rand.Rand
	ids     []int64 // its own rows, there or gone
	serial  int64   // no value is ever written twice
	late    []int64 // rows that a rollback has put back before the user's insertion
	journal []write
}

// newUser owns every id that leaves its number when divided by count.
func newUser(conn *pgx.Conn, seed uint64, number, count, rows int64) *user {
	u := &user{conn: conn, random: rand.New(rand.NewPCG(seed, uint64(number))), serial: 1_000_000_000_000 * (number + 1)}
	for id := int64(1); id <= rows; id++ {
		if id%count == number {
			u.ids = append(u.ids, id)
		}
	}
	return u
}

// mostRows of a transaction of a user. With many more users hold so many locks that the product hardly gets through, which takes minutes and shows nothing more.
const mostRows = 8

// transact writes one row, or several, in one transaction, and tells how many. The journal has them when it is committed.
func (u *user) transact(ctx context.Context) (int, error) {
	ids := u.choose()
	held, err := u.lock(ctx, ids)
	if err != nil {
		return 0, err
	}
	pipeline, journal := &pgx.Batch{}, []write(nil)
	for _, id := range ids {
		before := value{gone: true}
		if n, there := held[id]; there {
			before = value{n: n}
		}
		if after := u.write(pipeline, id, before); after != before {
			journal = append(journal, write{id: id, before: before, after: after})
		}
	}
	pipeline.Queue("COMMIT")
	u.late = nil
	if err := u.conn.SendBatch(ctx, pipeline).Close(); err != nil {
		return 0, err
	}
	u.journal = append(u.journal, slices.DeleteFunc(journal, func(w write) bool { return slices.Contains(u.late, w.id) })...)
	return len(ids), nil
}

// skew: half of the writes hit a sixteenth of the rows, so that some rows are written all the time, and some never.
const skew = 4

// choose takes rows of its own, in the order of their keys: every other time one alone.
func (u *user) choose() []int64 {
	count := 1
	if u.random.IntN(2) == 0 {
		count += u.random.IntN(mostRows)
	}
	ids := make([]int64, count)
	for i := range ids {
		ids[i] = u.ids[int(math.Pow(u.random.Float64(), skew)*float64(len(u.ids)))]
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// lock begins a transaction, and reads what the rows hold that are there.
func (u *user) lock(ctx context.Context, ids []int64) (map[int64]int64, error) {
	pipeline, held := &pgx.Batch{}, map[int64]int64{}
	pipeline.Queue("BEGIN")
	pipeline.Queue("SELECT id, n FROM counters WHERE id = ANY($1) ORDER BY id FOR UPDATE", ids).Query(func(rows pgx.Rows) error {
		var id, n int64
		_, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error { held[id] = n; return nil })
		return err
	})
	return held, u.conn.SendBatch(ctx, pipeline).Close()
}

// write makes one write, and gives what the row holds then: in the written column, in another column, a deletion or an
// insertion.
func (u *user) write(pipeline *pgx.Batch, id int64, before value) (after value) {
	u.serial += 10
	after = value{n: u.serial}
	switch kind := u.random.IntN(10); {
	case before.gone:
		pipeline.Queue("INSERT INTO counters (id, n, note) VALUES ($1::bigint, $2::bigint, $1::bigint::text) ON CONFLICT DO NOTHING", id, after.n).
			Exec(func(tag pgconn.CommandTag) error {
				if tag.RowsAffected() == 0 {
					u.late = append(u.late, id)
				}
				return nil
			})
	case kind == 0:
		after = value{gone: true}
		pipeline.Queue("DELETE FROM counters WHERE id = $1", id)
	case kind < 4:
		after = before
		pipeline.Queue("UPDATE counters SET note = $2 WHERE id = $1", id, fmt.Sprint(id, "/", u.serial))
	default:
		pipeline.Queue("UPDATE counters SET n = $2 WHERE id = $1", id, after.n)
	}
	return after
}

// history is one row, as its journal and the product's two effects explain it.
type history struct {
	kind     change.Kind
	now      value
	absent   bool  // it was gone for a time, before the rollback
	applied  bool  // the run wrote it:
	was      value // what it held before
	written  value // and what the run made of it
	restored bool
}

// sees says how a row can hold a value next: as it was left, or with the effect of a run, or with that of its rollback.
func (h *history) sees(next value, back bool) error {
	switch {
	case next == h.now:
		return nil
	case !back && !h.applied && !h.now.gone && next == h.effect():
		h.applied, h.was, h.written = true, h.now, next
	case back && h.applied && !h.restored && h.now == h.written && next == h.was:
		h.restored = true
	default:
		return fmt.Errorf("held %+v and then %+v (rollback %v, applied %v, restored %v)", h.now, next, back, h.applied, h.restored)
	}
	h.now = next
	return nil
}

// effect is what a run makes of the row.
func (h *history) effect() value {
	if h.kind.Deletes() {
		return value{gone: true}
	}
	return value{n: h.now.n + 1}
}
