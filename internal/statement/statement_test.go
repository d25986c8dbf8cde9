package statement_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/statement"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// tables are what the golden statements are prepared on.
const tables = `
CREATE TABLE public.users (id bigint PRIMARY KEY, email text, email_normalized text, plan varchar(20), seen timestamptz, shout text GENERATED ALWAYS AS (upper(email)) STORED);
CREATE SCHEMA "Sales Dept";
CREATE TABLE "Sales Dept"."Order ""Items""" ("tenant Id" uuid, created_at timestamptz, "ID" bigint, n int, note jsonb, email text, seen timestamptz,
	PRIMARY KEY ("tenant Id", created_at, "ID"));
CREATE TABLE "Sales Dept".filed (id numeric, email text, email_normalized text, plan text, seen timestamptz, shout text, at timestamptz DEFAULT now());
CREATE TABLE "Sales Dept"."Filed Items" (LIKE "Sales Dept"."Order ""Items""");
CREATE TABLE public.bare (id bigint PRIMARY KEY);
CREATE SCHEMA archive;
CREATE TABLE archive.users (id bigint PRIMARY KEY, email text, plan varchar(20), source text, made uuid DEFAULT gen_random_uuid());
CREATE TABLE archive."Old ""Items""" ("No" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "tenant Id" uuid NOT NULL, "ID" bigint NOT NULL, note jsonb, UNIQUE ("tenant Id", "ID"));`

var simple = change.Change{
	Kind: change.Set, Table: change.Table{Schema: "public", Name: "users"},
	Key:   []keyset.Column{{Name: "id", Type: "bigint"}},
	Set:   []change.Assignment{{Column: "email_normalized", Type: "text", Base: "text", Expression: "lower(btrim(email))"}},
	Where: "email IS NOT NULL", ChunkRows: 1000,
}

var parameters = change.Change{
	Kind: change.Set, Table: simple.Table, Key: simple.Key,
	Set: []change.Assignment{
		{Column: "plan", Type: "character varying(20)", Base: "character varying", Expression: "CASE WHEN seen < @since THEN @plan ELSE plan END"},
		{Column: "email", Type: "text", Base: "text", Expression: "'@since' || email"},
	},
	Where:  "seen >= @since - interval '1 day'",
	Params: []change.Param{{Name: "since", Type: "timestamptz", Value: "2024-01-01"}, {Name: "plan", Type: "text", Value: "old"}},
}

var volatile = change.Change{
	Kind: change.Set, Table: simple.Table, Key: simple.Key, Volatile: true,
	Set: []change.Assignment{{Column: "email", Type: "text", Base: "text", Expression: "gen_random_uuid()::text"}},
}

var composite = change.Change{
	Kind: change.Set, Table: change.Table{Schema: "Sales Dept", Name: `Order "Items"`},
	Key: []keyset.Column{
		{Name: "tenant Id", Type: "uuid"}, {Name: "created_at", Type: "timestamp with time zone"}, {Name: "ID", Type: "bigint"},
	},
	Set: []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: "n + 1"}}, ChunkRows: 1000,
}

var (
	purge = change.Change{
		Kind: change.Delete, Table: simple.Table, Key: simple.Key, Where: "seen < now() - @age",
		Params: []change.Param{{Name: "age", Type: "interval", Value: "90 days"}},
		Row: []change.Column{{Name: "email", Type: "text", Base: "text"}, {Name: "email_normalized", Type: "text", Base: "text"},
			{Name: "plan", Type: "character varying(20)", Base: "character varying"}, {Name: "seen", Type: "timestamp with time zone", Base: "timestamp with time zone"}},
	}
	purgeItems = change.Change{
		Kind: change.Delete, Table: composite.Table, Key: composite.Key, Where: "n < 0", Deferrable: true,
		Row: []change.Column{{Name: "n", Type: "integer", Base: "integer"}, {Name: "note", Type: "jsonb", Base: "jsonb"}},
	}
	// hashed and hashedItems have their values from a Go function.
	hashed = change.Change{
		Kind: change.Transform, Table: simple.Table, Key: simple.Key, Where: "seen >= @since", Params: parameters.Params[:1], Undo: true,
		Function: &change.Function{Name: "hash", Version: "1", Key: []change.Column{{Name: "id", Type: "bigint", Base: "bigint"}},
			Reads: []change.Column{{Name: "email", Type: "text", Base: "text"}, {Name: "seen", Type: "timestamp with time zone", Base: "timestamp with time zone"}},
			Writes: []change.Column{{Name: "email_normalized", Type: "text", Base: "text"},
				{Name: "plan", Type: "character varying(20)", Base: "character varying"}}},
	}
	hashedItems = change.Change{
		Kind: change.Transform, Table: composite.Table, Key: composite.Key, Undo: true,
		Function: &change.Function{Name: "number", Version: "1", Writes: []change.Column{{Name: "n", Type: "integer", Base: "integer"},
			{Name: "note", Type: "jsonb", Base: "jsonb"}}},
	}
	// named is written from another table, whose columns have the same names.
	named = change.Change{
		Kind: change.Joined, Table: simple.Table, Key: simple.Key, Where: "users.email <> c.email AND c.seen > @since", Undo: true,
		Join: &change.Join{From: []change.Source{{Alias: "c", Table: composite.Table}}, On: `c."ID" = users.id`},
		Set: []change.Assignment{{Column: "email", Type: "text", Base: "text", Expression: "c.email || @since::text"},
			{Column: "plan", Type: "character varying(20)", Base: "character varying", Expression: "'joined'"}},
		Params: parameters.Params[:1],
	}
	// namedItems is of a table with a composite key and partitions, and looks into two others.
	namedItems = change.Change{
		Kind: change.Joined, Table: composite.Table, Key: composite.Key, Partitioned: true,
		Join: &change.Join{From: []change.Source{{Alias: "u", Table: simple.Table}, {Alias: "b", Table: change.Table{Schema: "public", Name: "bare"}}},
			On: `u.id = n AND b.id = u.id`, Unmatched: true},
		Set: []change.Assignment{{Column: "n", Type: "integer", Base: "integer", Expression: `length(u.email) + b.id::int`}},
	}
	// filed is archived: a column of another type, one that Postgres generates, one more.
	filed = change.Change{
		Kind: change.Archived, Table: simple.Table, Key: simple.Key, Where: purge.Where, Params: purge.Params, Row: purge.Row, Undo: true,
		Archive: &change.Archive{Table: change.Table{Schema: "Sales Dept", Name: "filed"}, Row: []change.Column{{Name: "email", Type: "text", Base: "text"},
			{Name: "id", Type: "numeric", Base: "numeric"}, {Name: "email_normalized", Type: "text", Base: "text"}, {Name: "plan", Type: "text", Base: "text"},
			{Name: "shout", Type: "text", Base: "text"}, {Name: "seen", Type: "timestamp with time zone", Base: "timestamp with time zone"}}},
	}
	filedItems = change.Change{
		Kind: change.Archived, Table: composite.Table, Key: composite.Key, Where: "n < 0", Deferrable: true, Row: purgeItems.Row,
		Archive: &change.Archive{Table: change.Table{Schema: "Sales Dept", Name: "Filed Items"}, Row: []change.Column{{Name: "n", Type: "integer", Base: "integer"}, {Name: "note", Type: "jsonb", Base: "jsonb"},
			{Name: "tenant Id", Type: "uuid", Base: "uuid"}, {Name: "ID", Type: "bigint", Base: "bigint"}, {Name: "created_at", Type: "timestamp with time zone", Base: "timestamp with time zone"}}},
	}
	// bare is of a table that has no column beside its key.
	bare = change.Change{Kind: change.Delete, Table: change.Table{Schema: "public", Name: "bare"}, Key: simple.Key, Where: "id > 7"}
)

func column(name, sqlType string) change.Column {
	return change.Column{Name: name, Type: sqlType, Base: sqlType}
}

func given(name, sqlType, expression string) change.Assignment {
	return change.Assignment{Column: name, Type: sqlType, Base: sqlType, Expression: expression}
}

// archived copies users, in each way to deal with a conflict.
func archived(way change.OnConflict) change.Change {
	return change.Change{Kind: change.Copy, Table: simple.Table, Key: simple.Key, Where: "seen < @since", Params: parameters.Params[:1],
		Copy: &change.Copying{Into: change.Table{Schema: "archive", Name: "users"}, OnConflict: way, Key: simple.Key, Collations: []string{""},
			Columns: []change.Assignment{given("id", "bigint", "id"), given("email", "text", "lower(email)"), given("plan", "character varying(20)", "plan"), given("source", "text", "'users'")},
			Row:     []change.Column{column("id", "bigint"), column("email", "text"), column("plan", "character varying(20)"), column("source", "text"), column("made", "uuid")}}}
}

// archivedItems numbers what it inserts itself, or is known by a composite key.
func archivedItems(way change.OnConflict) change.Change {
	c := change.Change{Kind: change.Copy, Table: composite.Table, Key: composite.Key,
		Copy: &change.Copying{Into: change.Table{Schema: "archive", Name: `Old "Items"`}, OnConflict: way, Key: []keyset.Column{{Name: "No", Type: "integer"}},
			Columns: []change.Assignment{given("tenant Id", "uuid", `"tenant Id"`), given("ID", "bigint", `"ID" * @times`), given("note", "jsonb", "note")},
			Row:     []change.Column{column("No", "integer"), column("tenant Id", "uuid"), column("ID", "bigint"), column("note", "jsonb")}},
		Params: []change.Param{{Name: "times", Type: "integer", Value: "10"}}}
	if way == change.Update {
		c.Copy.Key, c.Copy.Collations = []keyset.Column{{Name: "tenant Id", Type: "uuid"}, {Name: "ID", Type: "bigint"}}, []string{"", ""}
	}
	return c
}

// moved moves users, and keeps the whole of each.
func moved(way change.OnConflict) change.Change {
	c := archived(way)
	c.Kind, c.Row = change.Move, append([]change.Column{column("id", "bigint")}, purge.Row...)
	return c
}

// numbered keeps the numbers of an identity.
func numbered() change.Change {
	c := archivedItems(change.Nothing)
	c.Copy.Overriding = true
	c.Copy.Columns = append(c.Copy.Columns, given("No", "integer", "n"))
	return c
}

const tenant, other = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"

func span(lo, hi keyset.Point, common int) statement.Span {
	return statement.Span{Range: keyset.Range{Lo: lo, Hi: hi}, Common: common}
}

var piece = statement.Piece{Place: statement.Place{Run: "run-1", Chunk: 7, Seq: 3, Part: 1}, Rows: 10, Done: 2, Take: 5}

var (
	window = statement.Window{Keys: 100_000, Passes: 16, Batches: 4}
	stripe = statement.Stripe{Run: "run-1", Chunk: 7, Part: 3, Rows: 10, Done: 2, Take: 5}
)

// stripeFrom is a stripe of a window that begins there.
func stripeFrom(lo string) statement.Stripe {
	s := stripe
	if s.Within.Hi = (keyset.Point{"20"}); lo != "" {
		s.Within.Lo = keyset.Point{lo}
	}
	return s
}

// partitioned is a change of a table that has partitions.
func partitioned(c change.Change) change.Change {
	c.Partitioned = true
	return c
}

// spread is the same where a range of keys lies in many of them.
func spread(c change.Change) change.Change {
	c.Partitioned, c.Spread = true, true
	return c
}

// inserted is a piece of rows that a copy inserted, beside those that it updated.
var inserted = statement.Piece{Place: statement.Place{Run: "run-1", Chunk: 7, Seq: 3, Part: 2}, Rows: 10, Done: 2, Take: 5}

// downwards is a change whose chunks go down.
func downwards(c change.Change) change.Change {
	c.Order = keyset.Descending
	return c
}

// forgetful is a change without undo.
func forgetful(c change.Change) change.Change {
	c.Copy.Row = nil
	return c
}

// scoped is the composite change with a where.
func scoped() change.Change {
	c := composite
	c.Where = "n < 0 AND note IS NULL"
	return c
}

// keep is an update that keeps what it overwrites.
func keep(c change.Change, span statement.Span, form statement.Form) []statement.Query {
	updates := statement.Apply(c, span, form)
	for i := range updates {
		updates[i] = statement.Keep(c, span.Range, updates[i], statement.Place{Run: "run-1", Chunk: 7, Seq: 3, Part: i})
	}
	return updates
}

// written is what a function gave for two rows.
func written(c change.Change, form statement.Form, keys ...keyset.Point) []statement.Query {
	return computedRows(c, form, false, keys)
}

// held is written where the rows are locked before.
func held(c change.Change, form statement.Form, keys ...keyset.Point) []statement.Query {
	return computedRows(c, form, true, keys)
}

func computedRows(c change.Change, form statement.Form, held bool, keys []keyset.Point) []statement.Query {
	text := "a"
	row := make([]*string, 2)
	row[0] = &text
	computed := statement.Computed{Keys: keys, Versions: []string{"731", "732"}, Places: []string{"(0,1)", "(0,2)"}, Writes: [][]*string{row, row}, Held: held}
	update := statement.Write(c, computed, form)
	for i, arg := range update.Args {
		if texts, ok := arg.([]*string); ok { // as people can read it
			update.Args[i] = []string{fmt.Sprint(texts[0] != nil), fmt.Sprint(texts[1] != nil)}
		}
	}
	if form == statement.Forget {
		return []statement.Query{update}
	}
	return []statement.Query{statement.Keep(c, keyset.Range{Hi: keys[len(keys)-1]}, update, statement.Place{Run: "run-1", Chunk: 7, Seq: 3})}
}

func goldens() map[string][]statement.Query {
	one := func(q statement.Query) []statement.Query { return []statement.Query{q} }
	lo, hi := keyset.Point{tenant, "2024-01-01 00:00:00+00", "5"}, keyset.Point{other, "2024-02-01 00:00:00+00", "7"}
	return map[string][]statement.Query{
		"update_first":            statement.Plain(simple, span(nil, keyset.Point{"10"}, 0)),
		"update_between":          statement.Plain(simple, span(keyset.Point{"10"}, keyset.Point{"20"}, 0)),
		"update_parameters":       statement.Plain(parameters, span(keyset.Point{"10"}, keyset.Point{"20"}, 0)),
		"update_volatile":         statement.Plain(volatile, span(keyset.Point{"10"}, keyset.Point{"20"}, 0)),
		"update_composite_first":  statement.Plain(composite, span(nil, hi, 0)),
		"update_composite_apart":  statement.Plain(composite, span(lo, hi, 0)),
		"update_composite_tenant": statement.Plain(composite, span(lo, keyset.Point{tenant, hi[1], "7"}, 1)),
		"update_composite_time":   statement.Plain(composite, span(lo, keyset.Point{tenant, lo[1], "7"}, 2)),
		"tally":                   statement.Tally(simple, span(keyset.Point{"10"}, keyset.Point{"20"}, 0)),
		"tally_parameters":        statement.Tally(parameters, span(nil, keyset.Point{"20"}, 0)),
		"tally_volatile":          statement.Tally(volatile, span(nil, keyset.Point{"20"}, 0)),
		"tally_composite":         statement.Tally(scoped(), span(lo, keyset.Point{tenant, hi[1], "7"}, 1)),
		"tally_delete":            statement.Tally(purge, span(nil, keyset.Point{"20"}, 0)),
		"tally_copy":              statement.Tally(archived(change.Nothing), span(nil, keyset.Point{"20"}, 0)),
		"sample":                  statement.Sample(simple, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), 1),
		"sample_parameters":       statement.Sample(parameters, span(nil, keyset.Point{"20"}, 0), 1),
		"sample_composite":        statement.Sample(scoped(), span(lo, keyset.Point{tenant, hi[1], "7"}, 1), 4),
		"sample_delete":           statement.Sample(purge, span(nil, keyset.Point{"20"}, 0), 1),
		"sample_bare":             statement.Sample(bare, span(nil, keyset.Point{"20"}, 0), 1),
		"scattered":               one(statement.Scattered(simple, 0.5, 10)),
		"scattered_composite":     one(statement.Scattered(composite, 0.5, 10)),
		"forget":                  statement.Apply(simple, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Forget),
		"keep_returning":          keep(simple, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Returning),
		"keep_compared":           keep(parameters, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Compared),
		"keep_locked":             keep(composite, span(lo, keyset.Point{tenant, lo[1], "7"}, 2), statement.Locked),
		"keep_first":              keep(simple, span(nil, keyset.Point{"10"}, 0), statement.Compared),
		"restore":                 one(statement.Restore(parameters, piece)),
		"restore_composite":       one(statement.Restore(composite, piece)),
		"one_returning":           one(statement.One(simple, keyset.Point{"10"}, statement.Returning)),
		"one_composite":           one(statement.One(composite, lo, statement.Compared)),
		"held":                    one(statement.Held(parameters, piece)),
		"held_composite":          one(statement.Held(composite, piece)),
		"consume_whole":           one(statement.Consume(statement.Piece{Place: piece.Place, Rows: 10, Done: 5, Take: 5})),
		"consume_part":            one(statement.Consume(statement.Piece{Place: piece.Place, Rows: 10, Done: 5, Take: 4})),
		"peek":                    one(statement.Peek("run-1", 7)),
		"open":                    one(statement.Open(simple, "run-1", 7, keyset.Range{Lo: keyset.Point{"10"}, Hi: keyset.Point{"20"}}, window)),
		"open_composite":          one(statement.Open(composite, "run-1", 7, keyset.Range{Hi: hi}, window)),
		"stripe_returning":        one(statement.Striped(simple, stripe, statement.Returning)),
		"stripe_compared":         one(statement.Striped(parameters, stripe, statement.Compared)),
		"stripe_locked":           one(statement.Striped(composite, stripe, statement.Locked)),
		"stripe_partitions":       one(statement.Striped(partitioned(parameters), stripeFrom("10"), statement.Locked)),
		"stripe_partitions_first": one(statement.Striped(partitioned(simple), stripeFrom(""), statement.Forget)),
		"stripe_partitions_items": one(statement.Striped(partitioned(composite), stripeFrom("10"), statement.Forget)),
		"stripe_spread":           one(statement.Striped(spread(simple), stripeFrom("10"), statement.Forget)),
		"stripe_spread_join":      one(statement.Striped(spread(named), stripeFrom("10"), statement.Compared)),
		"neighbours":              one(statement.Neighbours(simple, keyset.Point{"10"}, 500)),
		"neighbours_composite":    one(statement.Neighbours(composite, lo, 500)),
		"neighbours_first":        one(statement.Neighbours(composite, nil, 500)),
		"stripe_peek":             one(statement.PeekStripe("run-1", 7)),
		"stripe_consume_whole":    one(statement.ConsumeStripe(statement.Stripe{Run: "run-1", Chunk: 7, Part: 3, Rows: 10, Done: 5, Take: 5})),
		"stripe_consume_part":     one(statement.ConsumeStripe(stripe)),
		"stripe_key":              one(statement.StripeKey(simple.Key, stripe)),
		"stripe_key_composite":    one(statement.StripeKey(composite.Key, stripe)),
		"stripe_window_end":       one(statement.WindowEnd("run-1", 7)),
		"piece_key":               one(statement.PieceKey(simple.Key, piece)),
		"piece_key_composite":     one(statement.PieceKey(composite.Key, piece)),
		"next_first":              one(statement.Next(simple, nil, keyset.Point{"20"}, 500)),
		"next_between":            one(statement.Next(simple, keyset.Point{"10"}, keyset.Point{"20"}, 500)),
		"next_composite":          one(statement.Next(composite, lo, hi, 500)),
		"matching_first": one(statement.Matching(simple, span(nil, keyset.Point{"20"}, 0),
			[]keyset.Range{{Hi: keyset.Point{"10"}}, {Lo: keyset.Point{"10"}, Hi: keyset.Point{"20"}}}, 500)),
		"matching_parameters": one(statement.Matching(parameters, span(keyset.Point{"10"}, keyset.Point{"20"}, 0),
			[]keyset.Range{{Lo: keyset.Point{"10"}, Hi: keyset.Point{"20"}}}, 500)),
		"matching_composite":         one(statement.Matching(scoped(), span(lo, hi, 0), []keyset.Range{{Lo: lo, Hi: hi}}, 500)),
		"shared":                     one(statement.Shared(composite, keyset.Range{Lo: lo, Hi: hi})),
		"last":                       one(statement.Last(simple, nil)),
		"last_composite":             one(statement.Last(composite, nil)),
		"last_behind":                one(statement.Last(composite, keyset.Point{tenant, "2024-01-01 00:00:00+00", "5"})),
		"delete_plain":               statement.Plain(purge, span(keyset.Point{"10"}, keyset.Point{"20"}, 0)),
		"delete_forget":              statement.Apply(purge, span(nil, keyset.Point{"20"}, 0), statement.Forget),
		"delete_keep":                keep(purge, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Returning),
		"delete_keep_composite":      keep(purgeItems, span(lo, keyset.Point{tenant, hi[1], "7"}, 1), statement.Returning),
		"delete_keep_bare":           keep(bare, span(nil, keyset.Point{"20"}, 0), statement.Returning),
		"delete_one":                 one(statement.One(purge, keyset.Point{"10"}, statement.Returning)),
		"delete_restore":             one(statement.Restore(purge, piece)),
		"delete_restore_composite":   one(statement.Restore(purgeItems, piece)),
		"delete_restore_bare":        one(statement.Restore(bare, piece)),
		"delete_leave":               one(statement.Leave(purge, piece, "a foreign key")),
		"delete_held_bare":           one(statement.Held(bare, piece)),
		"transform_plain":            statement.Plain(hashed, span(keyset.Point{"10"}, keyset.Point{"20"}, 0)),
		"transform_read_first":       one(statement.Read(hashed, nil, keyset.Point{"20"}, 500)),
		"transform_read_composite":   one(statement.Read(hashedItems, lo, hi, 500)),
		"transform_read_listed":      one(statement.ReadListed(hashedItems, []keyset.Point{lo, hi})),
		"transform_read_stripe":      one(statement.ReadStripe(hashed, stripe)),
		"transform_read_stripe_keys": one(statement.ReadStripe(hashedItems, stripe)),
		"transform_forget":           written(hashed, statement.Forget, keyset.Point{"10"}, keyset.Point{"20"}),
		"transform_returning":        written(hashed, statement.Returning, keyset.Point{"10"}, keyset.Point{"20"}),
		"transform_compared":         written(hashed, statement.Compared, keyset.Point{"10"}, keyset.Point{"20"}),
		"transform_locked":           written(hashedItems, statement.Locked, lo, hi),
		"transform_hold":             one(statement.Hold(hashed, []keyset.Point{{"10"}, {"20"}})),
		"transform_hold_composite":   one(statement.Hold(hashedItems, []keyset.Point{lo, hi})),
		"transform_held_returning":   held(hashed, statement.Returning, keyset.Point{"10"}, keyset.Point{"20"}),
		"transform_held_locked":      held(hashedItems, statement.Locked, lo, hi),
		"transform_restore":          one(statement.Restore(hashed, piece)),
		"stripes":                    one(statement.Stripes("run-1", 7)),
		"cursor_first":               one(statement.Cursor(simple, "walk", nil, keyset.Point{"20"})),
		"cursor_down":                one(statement.Cursor(downwards(simple), "walk", nil, keyset.Point{"20"})),
		"cursor_down_composite":      one(statement.Cursor(downwards(composite), "walk", lo, hi)),
		"cursor_composite":           one(statement.Cursor(composite, "walk", lo, hi)),
		"copy_plain":                 statement.Plain(archived(change.Fail), span(keyset.Point{"10"}, keyset.Point{"20"}, 0)),
		"copy_forget":                statement.Apply(archived(change.Nothing), span(nil, keyset.Point{"20"}, 0), statement.Forget),
		"copy_forget_update":         statement.Apply(forgetful(archived(change.Update)), span(nil, keyset.Point{"20"}, 0), statement.Forget),
		"copy_keep":                  keep(archived(change.Fail), span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Locked),
		"copy_keep_update":           keep(archived(change.Update), span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Locked),
		"copy_keep_composite":        keep(archivedItems(change.Update), span(lo, keyset.Point{tenant, hi[1], "7"}, 1), statement.Locked),
		"copy_keep_numbering":        keep(archivedItems(change.Fail), span(lo, keyset.Point{tenant, lo[1], "7"}, 2), statement.Locked),
		"copy_keep_numbered":         keep(numbered(), span(lo, keyset.Point{tenant, lo[1], "7"}, 2), statement.Locked),
		"copy_one":                   one(statement.One(archived(change.Fail), keyset.Point{"10"}, statement.Locked)),
		"copy_restore":               one(statement.Restore(archived(change.Fail), piece)),
		"copy_restore_inserted":      one(statement.Restore(archivedItems(change.Update), inserted)),
		"copy_restore_updated":       one(statement.Restore(archivedItems(change.Update), piece)),
		"copy_leave":                 one(statement.Leave(archived(change.Fail), piece, "a foreign key")),
		"copy_held":                  one(statement.Held(archivedItems(change.Update), piece)),
		"move_plain":                 statement.Plain(moved(change.Fail), span(keyset.Point{"10"}, keyset.Point{"20"}, 0)),
		"move_forget":                statement.Apply(forgetful(moved(change.Fail)), span(nil, keyset.Point{"20"}, 0), statement.Forget),
		"move_forget_update":         statement.Apply(forgetful(moved(change.Update)), span(nil, keyset.Point{"20"}, 0), statement.Forget),
		"move_keep":                  keep(moved(change.Fail), span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Locked),
		"move_restore":               one(statement.Restore(moved(change.Fail), piece)),
		"move_leave":                 one(statement.Leave(moved(change.Fail), piece, "a foreign key")),
		"move_held":                  one(statement.Held(moved(change.Fail), piece)),
		"join_plain":                 statement.Plain(named, span(keyset.Point{"10"}, keyset.Point{"20"}, 0)),
		"join_keep":                  keep(named, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Compared),
		"join_lock":                  statement.Lock(named, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Locked),
		"join_composite":             statement.Apply(namedItems, span(lo, keyset.Point{tenant, hi[1], "7"}, 1), statement.Compared),
		"join_lock_composite":        statement.Lock(namedItems, span(lo, keyset.Point{tenant, hi[1], "7"}, 1), statement.Locked),
		"join_stripe":                one(statement.Striped(named, stripe, statement.Compared)),
		"join_stripe_composite":      one(statement.Striped(namedItems, stripe, statement.Compared)),
		"join_stripe_lock":           statement.LockStripe(namedItems, stripe, statement.Locked),
		"join_one":                   one(statement.One(namedItems, lo, statement.Compared)),
		"archive_keep":               keep(filed, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), statement.Returning),
		"archive_composite":          statement.Apply(filedItems, span(lo, keyset.Point{tenant, hi[1], "7"}, 1), statement.Forget),
		"archive_one":                one(statement.One(filed, keyset.Point{"10"}, statement.Returning)),
		"archive_restore":            one(statement.Restore(filed, piece)),
		"archive_restore_composite":  one(statement.Restore(filedItems, piece)),
		"archive_leave":              one(statement.Leave(filed, piece, "a foreign key")),
		"provable":                   one(statement.Provable(composite, hi, "n")),
		"left":                       one(statement.Left(purge, keyset.Point{"20"})),
		"look":                       statement.Look(simple, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), false, statement.Forget),
		"look_mend_returning":        statement.Look(simple, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), true, statement.Returning),
		"look_mend_compared":         statement.Look(parameters, span(keyset.Point{"10"}, keyset.Point{"20"}, 0), true, statement.Compared),
		"look_mend_composite":        statement.Look(composite, span(lo, keyset.Point{tenant, hi[1], "7"}, 1), true, statement.Locked),
	}
}

func TestStatementsAreAsRecorded(t *testing.T) {
	for name, queries := range goldens() {
		recorded(t, name, render(queries))
	}
}

// recorded compares a text with its golden file, or writes that anew.
func recorded(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".sql")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-recorded +built; `go test ./internal/statement -update` records anew):\n%s", path, diff)
	}
}

func TestStatementsArePreparedByPostgres(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		schema, err := ledger.Schema(0)
		if err != nil {
			t.Fatal(err)
		}
		db.Exec(t, tables+schema)
		conn := db.Connect(t)
		for name, queries := range goldens() {
			for i, query := range queries {
				if strings.HasSuffix(name, "_returning") && db.Major < "18" {
					continue
				}
				if strings.HasPrefix(query.SQL, "backfill_") {
					query.SQL = "WITH " + query.SQL + " SELECT 1"
				}
				if _, selected, declared := strings.Cut(query.SQL, " CURSOR FOR "); declared {
					query.SQL = selected
				}
				prepared, err := conn.Prepare(context.Background(), fmt.Sprint(name, i), query.SQL)
				if err != nil {
					t.Errorf("%s: %v\n%s", name, err, query.SQL)
				} else if len(prepared.ParamOIDs) != len(query.Args) {
					t.Errorf("%s: %d placeholders, %d arguments", name, len(prepared.ParamOIDs), len(query.Args))
				}
			}
		}
	})
}

func FuzzNamesAreQuoted(f *testing.F) {
	f.Add(`x"; DROP TABLE users; --`)
	f.Add("Ünïcode 😀")
	f.Fuzz(func(t *testing.T, name string) {
		quoted := statement.Quote(name)
		inner := strings.ReplaceAll(quoted[1:len(quoted)-1], `""`, "")
		if strings.Contains(inner, `"`) || strings.Contains(quoted, "\x00") {
			t.Fatalf("%q became %s", name, quoted)
		}
	})
}

func render(queries []statement.Query) string {
	var text strings.Builder
	for _, query := range queries {
		fmt.Fprintf(&text, "%s;\n-- %q\n", query.SQL, query.Args)
	}
	return text.String()
}
