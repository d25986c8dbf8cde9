package batch

import (
	"time"

	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/pace"
	"backfill/internal/statement"
	"backfill/internal/transform"
)

// entry is a key of a stretch, with what was read of its row and what the function made of it.
type entry struct {
	key     keyset.Point
	in      bool      // there is a row, and it is in scope
	version string    // of the row; "" where there is none
	place   string    // where that lay
	row     []*string // the key, then the columns that the function reads
	result  transform.Result
}

// size is about the memory that its values take.
func (e entry) size() (bytes int64) {
	for _, values := range [][]*string{e.row, e.result.Values} {
		for _, value := range values {
			if value != nil {
				bytes += int64(len(*value))
			}
		}
	}
	return bytes
}

// stretch is what was read at once of a chunk, as far as it is not written yet.
type stretch struct {
	entries []entry
	end     keyset.Point     // where the ledger's position moves with the last of it; nil: nowhere
	done    bool             // nothing of the chunk is left then
	stripe  statement.Stripe // that it is of: Done is where it begins; none where the chunk is not striped
	call    time.Duration    // how long the function took
	keys    int              // of it when it was computed
	since   time.Time        // when that was
}

// take cuts off what one batch writes: at most so many keys, no more bytes than a batch may have, and nothing from the first row on that
// the function refused. It is none where that is the first.
func (s stretch) take(rows int64) (piece, rest stretch) {
	count, bytes := 0, int64(0)
	for _, e := range s.entries {
		bytes += e.size()
		if int64(count) == rows || e.result.Refused != nil || count > 0 && bytes > pace.MostBytes {
			break
		}
		count++
	}
	return s.cut(count)
}

// cut cuts off so many entries.
func (s stretch) cut(count int) (piece, rest stretch) {
	piece, rest = s, s
	piece.entries, rest.entries = s.entries[:count], s.entries[count:]
	rest.stripe.Done += int64(count)
	piece.stripe.Take = int64(count)
	if len(rest.entries) == 0 {
		return piece, stretch{}
	}
	piece.done, piece.end = false, nil
	if !s.striped() && count > 0 {
		piece.end = s.entries[count-1].key
	}
	return piece, rest
}

// striped tells whether it is of a stripe.
func (s stretch) striped() bool { return s.stripe.Run != "" }

// left tells whether something of it is to be written, if only the end of the chunk.
func (s stretch) left() bool { return len(s.entries) > 0 || s.done }

// refused is the first row, which the function refused; nil where it did not.
func (s stretch) refused(key []keyset.Column) *Failed {
	if len(s.entries) == 0 || s.entries[0].result.Refused == nil {
		return nil
	}
	first := s.entries[0]
	return &Failed{Keys: 1, Within: statement.At(key, first.key), row: first.key, err: first.result.Refused}
}

// computed is what of it is given to Postgres.
func (s stretch) computed() (c statement.Computed) {
	for _, e := range s.entries {
		if e.result.Changed {
			c.Keys, c.Versions, c.Places = append(c.Keys, e.key), append(c.Versions, e.version), append(c.Places, e.place)
			c.Writes = append(c.Writes, e.result.Values)
		}
	}
	return c
}

func (s stretch) bytes() (sum int64) {
	for _, e := range s.entries {
		sum += e.size()
	}
	return sum
}

// paced is how long a batch counts as, beside the time in which it holds locks: a call of a second is as long as one may get.
func (s stretch) paced() time.Duration {
	if s.keys == 0 {
		return 0
	}
	return time.Duration(float64(s.call) * float64(len(s.entries)) / float64(s.keys) * pace.Target.Seconds())
}

// within says which rows it has, of those that are behind a key. Those of a stripe are spread over the chunk.
func (s stretch) within(key []keyset.Column, chunk keyset.Range, from keyset.Point) string {
	switch {
	case len(s.entries) == 1:
		return statement.At(key, s.entries[0].key)
	case s.striped():
		return statement.Within(key, chunk)
	}
	return statement.Within(key, keyset.Range{Lo: from, Hi: s.entries[len(s.entries)-1].key})
}

// broken says for which rows a call failed.
func (s stretch) broken(within func(s stretch) string, err error) error {
	if class := failure.Of(err); class == failure.Transient || len(s.entries) == 0 {
		return err
	}
	return &Failed{Keys: int64(len(s.entries)), Within: within(s), err: err}
}
