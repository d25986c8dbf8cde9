package report

import (
	"fmt"
	"math"

	"backfill/infra/bench/contender"
)

// measure is one column.
type measure struct {
	name string // in JSON
	head string // in Markdown
	base string // the leg that a ratio is over; the figure itself where compare does not use it
	// compare gives the value of one round.
	compare func(f, base Figure) (float64, bool)
	text    func(Spread) string
}

// costs are the columns of a section.
var costs = []measure{
	{"speed", "x one UPDATE", contender.Single, speed, ranged},
	{"seconds", "s", "", func(f, _ Figure) (float64, bool) { return f.Seconds, true }, decimals(1)},
	{"rows_per_second", "rows/s", "", func(f, _ Figure) (float64, bool) { return ratio(float64(f.Rows), f.Seconds) }, thousands},
	{"cpu", "CPU x", contender.Single, cpu, ranged},
	{"cpu_us_per_row", "CPU us/row", "", func(f, _ Figure) (float64, bool) { return f.CPU * 1e6 / float64(f.Rows), f.CPU > 0 }, decimals(1)},
	{"wal", "WAL x", contender.Single, func(f, base Figure) (float64, bool) { return ratio(float64(f.WAL), float64(base.WAL)) }, decimals(2)},
	{"wal_bytes_per_row", "WAL B/row", "", perRow(func(f Figure) int64 { return f.WAL }), decimals(0)},
	{"table", "table x", contender.Single, func(f, base Figure) (float64, bool) { return ratio(float64(f.Table), float64(base.Table)) }, decimals(2)},
	{"table_bytes_per_row", "table B/row", "", perRow(func(f Figure) int64 { return f.Table }), decimals(0)},
	{"index_bytes_per_row", "index B/row", "", perRow(func(f Figure) int64 { return f.Index }), decimals(0)},
	{"hot", "HOT", "", func(f, _ Figure) (float64, bool) { return ratio(float64(f.HOT), float64(f.Updates)) }, percent},
	{"undo_bytes_per_row", "undo B/row", "", func(f, _ Figure) (float64, bool) { return float64(f.Undo) / float64(f.Rows), f.Undo > 0 }, decimals(1)},
}

// seen are the columns of a section beside users.
var seen = []measure{
	{"update_p50_ms", "update p50 ms", "", func(f, _ Figure) (float64, bool) { return f.Users.Updates.P50, true }, decimals(1)},
	{"update_p99_ms", "update p99 ms", "", func(f, _ Figure) (float64, bool) { return f.Users.Updates.P99, true }, decimals(1)},
	{"update_p99", "update p99 x idle", contender.Idle, func(f, base Figure) (float64, bool) { return ratio(f.Users.Updates.P99, base.Users.Updates.P99) }, ranged},
	{"updates", "updates", "", func(f, _ Figure) (float64, bool) { return float64(f.Users.Updates.Requests), true }, thousands},
	{"read_p50_ms", "read p50 ms", "", func(f, _ Figure) (float64, bool) { return f.Users.Reads.P50, true }, decimals(1)},
	{"read_p99_ms", "read p99 ms", "", func(f, _ Figure) (float64, bool) { return f.Users.Reads.P99, true }, decimals(1)},
	{"speed", "x one UPDATE", contender.Single, speed, ranged},
	{"seconds", "s", "", func(f, _ Figure) (float64, bool) { return f.Seconds, true }, decimals(1)},
}

// planned are the columns of a section in which nothing is written.
var planned = []measure{
	{"planning_speed", "keys/s x bare walk (>= 0.8)", contender.Walk, speed, ranged},
	{"milliseconds", "ms", "", func(f, _ Figure) (float64, bool) { return f.Seconds * 1e3, true }, decimals(0)},
	{"rows_per_second", "keys/s", "", func(f, _ Figure) (float64, bool) { return ratio(float64(f.Rows), f.Seconds) }, thousands},
	{"cpu_us_per_row", "CPU us/key", "", func(f, _ Figure) (float64, bool) { return f.CPU * 1e6 / float64(f.Rows), f.CPU > 0 }, decimals(2)},
	{"first_chunk_ms", "first chunk ms (< 1,000)", "", func(f, _ Figure) (float64, bool) { return f.First * 1e3, f.First > 0 }, func(s Spread) string { return between(s, 0) }},
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
