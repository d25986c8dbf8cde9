package report

import (
	"fmt"
	"math"

	"backfill/infra/bench/contender"
	"backfill/infra/bench/users"
)

// measure is one column.
type measure struct {
	name string // in JSON
	head string // in Markdown
	base string // the leg that a ratio is over; the figure itself where compare does not use it
	// compare gives the value of one round.
	compare func(f, base Figure) (float64, bool)
	text    func(Spread) string
	pooled  bool // over the requests of all rounds, so it is one value
}

// costs are the columns of a section.
var costs = []measure{
	workers,
	{name: "speed", head: "x one UPDATE", base: contender.Single, compare: speed, text: ranged},
	{name: "seconds", head: "s", compare: func(f, _ Figure) (float64, bool) { return f.Seconds, true }, text: decimals(1)},
	{name: "rows_per_second", head: "rows/s", compare: func(f, _ Figure) (float64, bool) { return ratio(float64(f.Rows), f.Seconds) }, text: thousands},
	{name: "cpu", head: "CPU x", base: contender.Single, compare: cpu, text: ranged},
	{name: "cpu_us_per_row", head: "CPU us/row", compare: func(f, _ Figure) (float64, bool) { return f.CPU * 1e6 / float64(f.Rows), f.CPU > 0 }, text: decimals(1)},
	{name: "wal", head: "WAL x", base: contender.Single, compare: func(f, base Figure) (float64, bool) { return ratio(float64(f.WAL), float64(base.WAL)) }, text: decimals(2)},
	{name: "wal_bytes_per_row", head: "WAL B/row", compare: perRow(func(f Figure) int64 { return f.WAL }), text: decimals(0)},
	{name: "table", head: "table x", base: contender.Single, compare: func(f, base Figure) (float64, bool) { return ratio(float64(f.Table), float64(base.Table)) }, text: decimals(2)},
	{name: "table_bytes_per_row", head: "table B/row", compare: perRow(func(f Figure) int64 { return f.Table }), text: decimals(0)},
	{name: "index_bytes_per_row", head: "index B/row", compare: perRow(func(f Figure) int64 { return f.Index }), text: decimals(0)},
	{name: "hot", head: "HOT", compare: hot, text: percent},
	batchP50, batchP95,
	{name: "undo_bytes_per_row", head: "undo B/row", compare: func(f, _ Figure) (float64, bool) { return float64(f.Undo) / float64(f.Rows), f.Undo > 0 }, text: decimals(1)},
}

// seen are the columns of a section beside users.
var seen = []measure{
	workers,
	requests("update_p50_ms", "update p50 ms", "", func(s, _ users.Seen) (float64, bool) { return s.Updates.P50, true }, decimals(1)),
	requests("update_p99_ms", "update p99 ms", "", func(s, _ users.Seen) (float64, bool) { return s.Updates.P99, true }, decimals(1)),
	requests("update_p99", "p99 x idle (<= 3)", contender.Idle, func(s, idle users.Seen) (float64, bool) { return ratio(s.Updates.P99, idle.Updates.P99) }, decimals(2)),
	{name: "update_p99_rounds", head: "in rounds", base: contender.Idle, text: ranged,
		compare: func(f, base Figure) (float64, bool) { return ratio(f.Users.Updates.P99, base.Users.Updates.P99) }},
	requests("updates", "updates", "", func(s, _ users.Seen) (float64, bool) { return float64(s.Updates.Requests), true }, thousands),
	requests("read_p50_ms", "read p50 ms", "", func(s, _ users.Seen) (float64, bool) { return s.Reads.P50, true }, decimals(1)),
	requests("read_p99_ms", "read p99 ms", "", func(s, _ users.Seen) (float64, bool) { return s.Reads.P99, true }, decimals(1)),
	requests("reads", "reads", "", func(s, _ users.Seen) (float64, bool) { return float64(s.Reads.Requests), true }, thousands),
	{name: "speed", head: "x one UPDATE", base: contender.Single, compare: speed, text: ranged},
	{name: "seconds", head: "s", compare: func(f, _ Figure) (float64, bool) { return f.Seconds, true }, text: decimals(1)},
	{name: "hot", head: "HOT", compare: hot, text: percent},
	batchP50, batchP95,
}

// requests is a column about users' requests of all rounds.
func requests(name, head, base string, compare func(s, base users.Seen) (float64, bool), text func(Spread) string) measure {
	return measure{name: name, head: head, base: base, text: text, pooled: true,
		compare: func(f, base Figure) (float64, bool) { return compare(*f.Users, *base.Users) }}
}

// planned are the columns of a section in which nothing is written.
var planned = []measure{
	{name: "planning_speed", head: "keys/s x bare walk (>= 0.8)", base: contender.Walk, compare: speed, text: ranged},
	{name: "milliseconds", head: "ms", compare: func(f, _ Figure) (float64, bool) { return f.Seconds * 1e3, true }, text: decimals(0)},
	{name: "rows_per_second", head: "keys/s", compare: func(f, _ Figure) (float64, bool) { return ratio(float64(f.Rows), f.Seconds) }, text: thousands},
	{name: "cpu_us_per_row", head: "CPU us/key", compare: func(f, _ Figure) (float64, bool) { return f.CPU * 1e6 / float64(f.Rows), f.CPU > 0 }, text: decimals(2)},
	{name: "first_chunk_ms", head: "first chunk ms (< 1,000)", compare: func(f, _ Figure) (float64, bool) { return f.First * 1e3, f.First > 0 }, text: func(s Spread) string { return between(s, 0) }},
}

// tables of a section, each with its columns.
func (s Section) tables() [][]measure {
	switch {
	case s.Beside:
		return [][]measure{seen}
	case s.Planning:
		return [][]measure{planned}
	}
	return [][]measure{costs, plane}
}

// speed is none where nothing was done.
func speed(f, base Figure) (float64, bool) {
	if f.Leg == contender.Idle {
		return 0, false
	}
	return ratio(base.Seconds, f.Seconds)
}

func hot(f, _ Figure) (float64, bool) { return ratio(float64(f.HOT), float64(f.Updates)) }

func cpu(f, base Figure) (float64, bool) { return ratio(f.CPU, base.CPU) }

func perRow(of func(Figure) int64) func(f, _ Figure) (float64, bool) {
	return func(f, _ Figure) (float64, bool) { return float64(of(f)) / float64(f.Rows), true }
}

// ranged writes a ratio with the lowest and the highest round, where these read differently.
func ranged(s Spread) string { return between(s, 2) }

func between(s Spread, digits int) string {
	text := func(value float64) string { return fmt.Sprintf("%.*f", digits, value) }
	median, low, high := text(s.Median), text(s.Min), text(s.Max)
	if low == median && high == median {
		return median
	}
	return fmt.Sprintf("%s (%s..%s)", median, low, high)
}

func decimals(count int) func(Spread) string {
	return func(s Spread) string {
		if math.Abs(s.Median) < 0.5*math.Pow10(-count) {
			return "0"
		}
		return fmt.Sprintf("%.*f", count, s.Median)
	}
}

func tenths(s Spread) string { return fmt.Sprintf("%.1f %%", 100*s.Median) }

func percent(s Spread) string { return fmt.Sprintf("%.0f %%", 100*s.Median) }

func thousands(s Spread) string { return grouped(int64(math.Round(s.Median))) }

// grouped writes 1234567 as 1,234,567.
func grouped(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}
