package worker_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/jackc/pgx/v5"
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
	journal []write
}

// newUser owns every id that leaves its number when divided by count.
func newUser(conn *pgx.Conn, seed uint64, number, count, rows int64) *user {
	u := &user{conn: conn, random: rand.New(rand.NewPCG(seed, uint64(number))), serial: 1_000_000_000 * (number + 1)}
	for id := int64(1); id <= rows; id++ {
		if id%count == number {
			u.ids = append(u.ids, id)
		}
	}
	return u
}

// write makes one write: the written column, another column, a deletion or an insertion.
func (u *user) write(t *testing.T) error {
	id := u.ids[u.random.IntN(len(u.ids))]
	return pgx.BeginFunc(t.Context(), u.conn, func(tx pgx.Tx) error {
		before, err := u.lock(t, tx, id)
		if err != nil {
			return err
		}
		u.serial += 10
		after := value{n: u.serial}
		switch kind := u.random.IntN(10); {
		case before.gone:
			_, err = tx.Exec(t.Context(), "INSERT INTO counters (id, n, note) VALUES ($1::bigint, $2::bigint, $1::bigint::text)", id, after.n)
		case kind == 0:
			after = value{gone: true}
			_, err = tx.Exec(t.Context(), "DELETE FROM counters WHERE id = $1", id)
		case kind < 4:
			after = before
			_, err = tx.Exec(t.Context(), "UPDATE counters SET note = $2 WHERE id = $1", id, fmt.Sprint(id, "/", u.serial))
		default:
			_, err = tx.Exec(t.Context(), "UPDATE counters SET n = $2 WHERE id = $1", id, after.n)
		}
		if err == nil && before != after {
			u.journal = append(u.journal, write{id: id, before: before, after: after})
		}
		return err
	})
}

func (u *user) lock(t *testing.T, tx pgx.Tx, id int64) (value, error) {
	rows, err := tx.Query(t.Context(), "SELECT n FROM counters WHERE id = $1 FOR UPDATE", id)
	if err != nil {
		return value{}, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(found) == 0 {
		return value{gone: true}, err
	}
	return value{n: found[0]}, nil
}

// history is one row, as its journal and the products' two effects explain it.
type history struct {
	now      value
	written  value // what the run made of it, where it did
	was      value // and what it held before
	applied  bool
	restored bool
	touched  bool // a user wrote it
	absent   bool // it was gone for a time
}

// sees says how a row can hold a value next: as it was left, or with one of the product's two effects.
func (h *history) sees(next value) error {
	switch {
	case next == h.now:
		return nil
	case !h.applied && !h.now.gone && next == (value{n: h.now.n + 1}):
		h.applied, h.was, h.written = true, h.now, next
	case h.applied && !h.restored && h.now == h.written && next == h.was:
		h.restored = true
	default:
		return fmt.Errorf("held %+v and then %+v (applied %v, restored %v)", h.now, next, h.applied, h.restored)
	}
	h.now = next
	return nil
}
