package statement

import (
	"fmt"
	"slices"
	"strings"

	"backfill/internal/change"
	"backfill/internal/keyset"
)

// Stripe is what is left of a row of backfill.stripes, and how much of it a batch takes.
type Stripe struct {
	Run     string
	Chunk   int64
	Part    int
	Rows    int64        // keys of it
	Done    int64        // of them consumed before
	Take    int64        // of them consumed by the batch
	Reached keyset.Point // the last part of its window: the window's last key
	Within  keyset.Range // of the keys of the window
}

// Rest is the number of keys of it that are not consumed yet.
func (s Stripe) Rest() int64 { return s.Rows - s.Done }

// Window is how a stretch of a chunk is gone over: in passes, each of which takes every Passes-th key, in so many batches.
type Window struct {
	Keys    int64 // at most
	Passes  int
	Batches int // of a pass
}

// Open lists the keys of the window above from, up to and including hi, as the rows of backfill.stripes. The window
// reaches up to hi where it holds fewer keys than it may.
func Open(c change.Change, run string, chunk int64, within keyset.Range, w Window) Query {
	bind := &binder{}
	names, last := quoted(c.Key), textsOf("k", len(c.Key))
	list, where := strings.Join(names, ", "), ""
	if within.Lo != nil {
		where = fmt.Sprintf(" WHERE %s > %s", row(names), row(bind.point(c.Key, within.Lo)))
	}
	limit, passes := bind.value(w.Keys, "bigint"), bind.value(w.Passes, "bigint")
	walk := fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s", named("k", names), Table(c.Table), where, list)
	ids, keys := "NULL::bigint[]", gathered(last)
	if integer(c.Key) {
		ids, keys = "array_agg(k1::bigint)", "NULL::text[]"
	}
	sql := fmt.Sprintf(`INSERT INTO backfill.stripes (run, chunk, part, rows, ids, keys, reached)
SELECT %s, %s, part, count(*), %s, %s, CASE WHEN part = max(part) OVER () THEN
  CASE WHEN sum(count(*)) OVER () < %s THEN %s ELSE (SELECT ARRAY[%s] FROM (%s OFFSET %s - 1 LIMIT 1) AS backfill_last) END END
FROM (SELECT *, n %% %s * %s + n * %s / %s AS part FROM (SELECT *, row_number() OVER (ORDER BY %s) - 1 AS n
  FROM (%s LIMIT %s) AS backfill_walked WHERE %s <= %s) AS numbered) AS placed
GROUP BY part`,
		bind.value(run, "text"), bind.value(chunk, "bigint"), ids, keys, limit, bind.value(within.Hi, "text[]"),
		strings.Join(last, ", "), walk, limit,
		passes, bind.value(w.Batches, "bigint"), bind.value(w.Batches, "bigint"), limit, strings.Join(numbered("k", len(c.Key)), ", "),
		walk, limit, row(numbered("k", len(c.Key))), row(bind.point(c.Key, within.Hi)))
	return Query{SQL: sql, Args: bind.args}
}

// Neighbours counts the keys that come next above from, up to a limit, and the pages on which their rows lie.
func Neighbours(c change.Change, from keyset.Point, limit int64) Query {
	bind := &binder{}
	names, above := quoted(c.Key), ""
	if from != nil {
		above = fmt.Sprintf(" WHERE %s > %s", row(names), row(bind.point(c.Key, from)))
	}
	return Query{SQL: fmt.Sprintf("SELECT count(*), count(DISTINCT (backfill_part, (backfill_place::text::point)[0]))\n"+
		"FROM (SELECT tableoid AS backfill_part, ctid AS backfill_place FROM %s%s ORDER BY %s LIMIT %s) AS backfill_near",
		Table(c.Table), above, strings.Join(names, ", "), bind.value(limit, "bigint")), Args: bind.args}
}

// integer tells whether keys are kept as numbers. Any other type is kept as text.
func integer(key []keyset.Column) bool {
	return len(key) == 1 && slices.Contains([]string{"smallint", "integer", "bigint"}, key[0].Type)
}

// gathered makes one list, column after column. All aggregates of a query see the rows in the same order.
func gathered(texts []string) string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = "array_agg(" + text + ")"
	}
	return strings.Join(all, " || ")
}

func textsOf(prefix string, count int) []string {
	all := numbered(prefix, count)
	for i := range all {
		all[i] += "::text"
	}
	return all
}

// PeekStripe finds the stripes of a chunk that come next, at most two, each with part, rows, done, reached and the end of the window; one alone
// is the last of its window.
func PeekStripe(run string, chunk int64) Query {
	return Query{SQL: stripes + " LIMIT 2", Args: []any{run, chunk}}
}

// Stripes lists what is left of the window of a chunk, as PeekStripe does.
func Stripes(run string, chunk int64) Query {
	return Query{SQL: stripes, Args: []any{run, chunk}}
}

const stripes = `SELECT part, rows, done, reached, (SELECT reached FROM backfill.stripes WHERE run = $1 AND chunk = $2 ORDER BY part DESC LIMIT 1)
FROM backfill.stripes WHERE run = $1 AND chunk = $2 ORDER BY part`

// Striped changes the rows of a stripe.
func Striped(c change.Change, s Stripe, form Form) Query {
	bind := binding(c)
	return Query{SQL: of(c).apply(bind, c, bind.listed(c, s), form), Args: bind.args}
}

// listed is the condition for the keys that a batch takes of a stripe.
func (b *binder) listed(c change.Change, s Stripe) string {
	key, alone := c.Key, len(c.Key) == 1 && !probed(c)
	from, to := b.value(s.Done, "bigint"), b.value(s.Done+s.Take, "bigint")
	stripe := fmt.Sprintf("backfill.stripes AS s WHERE s.run = %s AND s.chunk = %s AND s.part = %s",
		b.value(s.Run, "text"), b.value(s.Chunk, "bigint"), b.value(s.Part, "integer"))
	if alone && integer(key) {
		return fmt.Sprintf("%s%s = ANY ((SELECT s.ids[%s + 1:%s] FROM %s)::%s[])", b.target, Quote(key[0].Name), from, to, stripe, key[0].Type) + b.window(c, s)
	}
	casts, lists := make([]string, len(key)), make([]string, len(key))
	for i, column := range key {
		casts[i] = fmt.Sprintf("k%d::%s", i+1, column.Type)
		lists[i] = fmt.Sprintf("s.keys[%d * s.rows + 1 + %s:%d * s.rows + %s]", i, from, i, to)
	}
	if integer(key) {
		lists[0] = fmt.Sprintf("s.ids[%s + 1:%s]", from, to)
	}
	list := fmt.Sprintf("SELECT %s FROM (SELECT s.* FROM %s) AS s, unnest(%s) AS e (%s)", strings.Join(casts, ", "), stripe,
		strings.Join(lists, ", "), strings.Join(numbered("k", len(key)), ", "))
	if alone {
		return fmt.Sprintf("%s%s = ANY (ARRAY(%s))", b.target, Quote(key[0].Name), list) + b.window(c, s)
	}
	return fmt.Sprintf("%s IN (%s)", row(prefixed(b.target, quoted(key))), list)
}

// probed tells whether keys are looked up one by one, each in its own partition, as a composite key always is: it takes longer to start, and is of use
// where a range of keys lies in many partitions. Beside a join Postgres would choose by what it guesses of both.
func probed(c change.Change) bool { return c.Spread && c.Join == nil }

// window is a condition on a single column by which Postgres leaves out partitions that have no key of the window when the statement starts:
// = ANY of a list that it does not know yet is asked of each of them. Beside IN it would be misleading: Postgres reads the whole range then.
func (b *binder) window(c change.Change, s Stripe) string {
	if !c.Partitioned || s.Within.Hi == nil {
		return ""
	}
	above := ""
	if s.Within.Lo != nil {
		above = " AND " + b.compare(c.Key[0], ">", s.Within.Lo[0])
	}
	return above + " AND " + b.compare(c.Key[0], "<=", s.Within.Hi[0])
}

// ConsumeStripe takes off the stripe what a batch has applied; the row goes when nothing of it is left.
func ConsumeStripe(s Stripe) Query {
	where := "run = $1 AND chunk = $2 AND part = $3"
	args := []any{s.Run, s.Chunk, s.Part}
	if s.Take >= s.Rest() {
		return Query{SQL: "DELETE FROM backfill.stripes WHERE " + where, Args: args}
	}
	return Query{SQL: "UPDATE backfill.stripes SET done = done + $4 WHERE " + where, Args: append(args, s.Take)}
}
