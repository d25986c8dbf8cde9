package batch

import (
	"context"
	"fmt"

	"backfill/internal/failure"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pace"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// printing are the settings under which values are read: they are printed so that they read back as the same (see ledger's advance),
// rows are found by the key, and nothing is written. They hold in the transaction of the read alone.
const printing = `SELECT pg_catalog.set_config(name, value, true) FROM (VALUES ('statement_timeout', $1::text), ('lock_timeout', '5s'),
	('datestyle', 'ISO, MDY'), ('intervalstyle', 'postgres'), ('timezone', 'UTC'), ('extra_float_digits', '1'), ('bytea_output', 'hex'),
	('transaction_read_only', 'on'), ('enable_seqscan', 'off'), ('jit', 'off'), ('max_parallel_workers_per_gather', '0'), ('plan_cache_mode', 'force_custom_plan')) AS settings (name, value)`

// mostRead bounds what is read at once: the other half of what a batch may have is for what the function gives.
const mostRead = pace.MostBytes / 2

// entries reads rows, without locking any: no more bytes than that, and one row. False: there were more.
func (r Runner) entries(ctx context.Context, conn *pgx.Conn, query statement.Query) (entries []entry, all bool, err error) {
	pipeline := &pgx.Batch{}
	pipeline.Queue(printing, fmt.Sprint(r.Timeout.Milliseconds()))
	pipeline.Queue(query.SQL, query.Args...)
	err = postgres.Read(conn.SendBatch(ctx, pipeline), func(results pgx.BatchResults) error {
		if _, err := results.Exec(); err != nil {
			return err
		}
		entries, all, err = r.scan(results)
		return err
	})
	if postgres.Raised(err, readOnly) {
		return nil, false, failure.New(failure.Permanent, "`where` calls something that writes, which a read may not: %s", failure.Safe(postgres.Classify(err)))
	}
	if err != nil {
		return nil, false, postgres.Classify(err)
	}
	return entries, all, nil
}

// readOnly is raised by what would write in such a transaction. Elsewhere it says that a failover is under way.
const readOnly = "25006"

// scan takes what a read gives.
func (r Runner) scan(results pgx.BatchResults) (entries []entry, all bool, err error) {
	rows, err := results.Query()
	if err != nil {
		return nil, false, err
	}
	defer rows.Close() // what is too much is passed over, not kept
	p := printer{keys: len(r.Change.Key)}
	for bytes := int64(0); rows.Next(); {
		if bytes > mostRead {
			return entries, false, nil
		}
		e := p.entry(rows.RawValues())
		bytes += e.size()
		entries = append(entries, e)
	}
	return entries, true, rows.Err()
}

// printer copies rows: key, whether it is in scope, its version and place, values. There are very many, so memory is taken for some at a time.
type printer struct {
	keys     int
	columns  [][]byte
	text     []byte
	texts    []string
	pointers []*string
}

const atATime = 256

func (p *printer) entry(raw [][]byte) entry {
	width, version, place := len(raw)-3, len(raw[p.keys+1]), len(raw[p.keys+2])
	if len(p.texts) < width {
		p.texts, p.pointers = make([]string, atATime*width), make([]*string, atATime*width)
	}
	texts, row := p.texts[:width:width], p.pointers[:width:width]
	p.texts, p.pointers = p.texts[width:], p.pointers[width:]
	p.columns, p.text = append(append(p.columns[:0], raw[:p.keys]...), raw[p.keys+3:]...), append(append(p.text[:0], raw[p.keys+1]...), raw[p.keys+2]...)
	for _, value := range p.columns {
		p.text = append(p.text, value...)
	}
	whole := string(p.text)
	all := whole[version+place:]
	for i, value := range p.columns {
		if texts[i], all = all[:len(value)], all[len(value):]; value != nil {
			row[i] = &texts[i]
		}
	}
	return entry{key: texts[:p.keys:p.keys], in: string(raw[p.keys]) == "true", version: whole[:version], place: whole[version : version+place], row: row}
}

// InOrder goes over a chunk in the order of its keys.
type InOrder struct {
	from keyset.Point // nil: where the claim stands
	end  bool         // the chunk was read to its end
}

func (o *InOrder) reset() { *o = InOrder{} }

func (o *InOrder) ahead() bool { return !o.end }

func (o *InOrder) read(ctx context.Context, conn *pgx.Conn, r Runner, claim *ledger.Claim, rows int64) (stretch, error) {
	from, hi := o.from, claim.Message.Hi
	if from == nil {
		from = claim.From()
	}
	entries, all, err := r.entries(ctx, conn, statement.Read(r.Change, from, hi, rows))
	if err != nil {
		entries, err = r.unread(err, rows, func() (string, keyset.Point, error) { return r.within(ctx, conn, from, hi, rows) })
	}
	if err != nil {
		return stretch{}, fmt.Errorf("read rows of chunk %d of run %s: %w", claim.Message.Chunk, claim.Message.Run, err)
	}
	if all && int64(len(entries)) < rows || len(entries) > 0 && entries[len(entries)-1].key.Same(hi) {
		o.end = true
		return stretch{entries: entries, end: hi, done: true}, nil
	}
	o.from = entries[len(entries)-1].key
	return stretch{entries: entries, end: o.from}, nil
}

// refresh reads those entries again, and has the function work anew on what users have changed of the first of them. It tells how many are not as they
// were, if only in their place.
func (t *Transformed) refresh(ctx context.Context, conn *pgx.Conn, claim *ledger.Claim, entries []entry, first int) (others int, err error) {
	if len(entries) == 0 {
		return 0, nil
	}
	now, _, err := t.entries(ctx, conn, statement.ReadListed(t.Change, keysOf(entries)))
	if err != nil {
		return 0, fmt.Errorf("read changed rows of chunk %d of run %s: %w", claim.Message.Chunk, claim.Message.Run,
			failed(err, int64(len(entries)), func() (string, keyset.Point, error) {
				return stretch{entries: entries}.within(t.Change.Key, claim.Message.Range(), claim.From()), entries[0].key, nil
			}))
	}
	var changed []entry
	var at []int
	for i, e := range now {
		same := e.in == entries[i].in && e.version == entries[i].version
		switch {
		case same && e.place == entries[i].place:
			continue
		case same: // VACUUM FULL and CLUSTER move a row, and keep its version
			entries[i].place = e.place
		case i < first:
			changed, at = append(changed, e), append(at, i)
		}
		others++
	}
	if err := t.compute(ctx, changed); err != nil {
		return 0, fmt.Errorf("compute changed rows of chunk %d of run %s: %w", claim.Message.Chunk, claim.Message.Run,
			stretch{entries: changed}.broken(func(s stretch) string { return s.within(t.Change.Key, claim.Message.Range(), claim.From()) }, err))
	}
	for i, e := range changed {
		entries[at[i]] = e
	}
	return others, nil
}

func keysOf(entries []entry) []keyset.Point {
	keys := make([]keyset.Point, len(entries))
	for i, e := range entries {
		keys[i] = e.key
	}
	return keys
}

// one computes the row of a key. Nothing is to be written where it is gone, or out of scope.
func (t *Transformed) one(ctx context.Context, conn *pgx.Conn, claim ledger.Claim, row keyset.Point) (statement.Computed, error) {
	entries, _, err := t.entries(ctx, conn, statement.ReadListed(t.Change, []keyset.Point{row}))
	if err != nil {
		return statement.Computed{}, failed(err, 1, func() (string, keyset.Point, error) { return statement.At(t.Change.Key, row), row, nil })
	}
	s := stretch{entries: entries}
	if err := t.compute(ctx, entries); err != nil {
		return statement.Computed{}, s.broken(func(s stretch) string { return s.within(t.Change.Key, claim.Message.Range(), nil) }, err)
	}
	if failed := s.refused(t.Change.Key); failed != nil {
		return statement.Computed{}, failed
	}
	return s.computed(), nil
}
