// Command computed measures how fast a run is whose values a Go function computes, beside one that has the same change as SQL, and what it
// costs to verify the latter by value.
//
// Both are done by workers, chunk by chunk, on fresh copies of one table, by turns in one run: what else the machine does meets both.
// It works in a database of its own, which it makes and drops. The time of processors is that of the workers, and of their backends
// where the server is on this machine.
//
//	go run ./infra/bench/computed -url postgres://... -rows 300000 -rounds 5
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"backfill/internal/boundary"
	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/postgres"
	"backfill/internal/records"
	"backfill/internal/transform"
	"backfill/internal/worker"

	"github.com/jackc/pgx/v5"
)

var one = flag.Bool("one", false, "a worker has one connection: it reads between its batches")

func main() {
	server := flag.String("url", "", "`URL` of a server on which databases may be made")
	rows := flag.Int("rows", 300_000, "of the table")
	rounds := flag.Int("rounds", 5, "of each kind")
	workers := flag.Int("workers", 1, "at a time")
	undo := flag.Bool("undo", true, "keep what is overwritten")
	flag.Parse()
	slog.SetLogLoggerLevel(slog.LevelWarn)
	worker.CollectSeldom()
	transform.Register("upper", "1", transform.Each(upper))
	if err := beside(context.Background(), *server, func(own string) error {
		return measure(context.Background(), own, *rows, *rounds, *workers, *undo)
	}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// beside makes a database for the time of the work.
func beside(ctx context.Context, server string, work func(own string) error) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	own, err := url.Parse(server)
	if err != nil {
		return fmt.Errorf("read the URL: %w", err)
	}
	name := fmt.Sprintf("computed_%d", os.Getpid())
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return fmt.Errorf("make a database: %w", err)
	}
	own.Path = "/" + name
	err = work(own.String())
	if _, dropping := conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err == nil {
		err = dropping
	}
	return err
}

func upper(_ context.Context, row transform.Row) (transform.Change, error) {
	note, ok := row.Text("note")
	if !ok {
		return transform.Change{}, nil
	}
	return row.Change().Set("loud", transform.Text(strings.ToUpper(note))), nil
}

// ways are the two kinds of the same change.
func ways(undo bool) map[string]change.Change {
	text := func(name string) []change.Column { return []change.Column{{Name: name, Type: "text", Base: "text"}} }
	set := change.Change{Kind: change.Set, Table: change.Table{Schema: "public", Name: "computed"}, Key: []keyset.Column{{Name: "id", Type: "bigint"}},
		Set:  []change.Assignment{{Column: "loud", Type: "text", Base: "text", Expression: "upper(note)"}},
		Undo: undo, ChunkRows: 100_000, Verify: &change.Verify{Values: true}}
	computed := set
	computed.Kind, computed.Set, computed.Verify = change.Transform, nil, nil
	computed.Function = &change.Function{Name: "upper", Version: "1", Key: []change.Column{{Name: "id", Type: "bigint", Base: "bigint"}}, Reads: text("note"), Writes: text("loud")}
	return map[string]change.Change{"set": set, "transform": computed}
}

func measure(ctx context.Context, url string, rows, rounds, workers int, undo bool) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var shares, costs []float64
	speeds, burnt, paths, all := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, ways(undo)
	for round := range rounds {
		order := []string{"set", "transform"}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, way := range order {
			took, cpu, passes, err := once(ctx, conn, url, all[way], rows, workers)
			if err != nil {
				return fmt.Errorf("measure %s: %w", way, err)
			}
			speed := float64(rows) / took.Seconds()
			fmt.Printf("round %d %-9s %8.0f rows/s, %6.2f s of processors (%s), %d passes\n", round+1, way, speed, cpu.sum(), cpu, passes)
			speeds[way], burnt[way], paths[way] = append(speeds[way], speed), append(burnt[way], cpu.sum()), append(paths[way], cpu.batches)
			if all[way].Verify == nil {
				continue
			}
			looking, burning, err := verified(ctx, conn, url, rows, workers)
			if err != nil {
				return fmt.Errorf("measure the verification of %s: %w", way, err)
			}
			fmt.Printf("round %d its verification: %.2f of its time, %.2f of its processors\n", round+1, looking.Seconds()/took.Seconds(), burning/cpu.sum())
			shares, costs = append(shares, looking.Seconds()/took.Seconds()), append(costs, burning/cpu.sum())
		}
	}
	set, computed := median(speeds["set"]), median(speeds["transform"])
	fmt.Printf("medians: set %.0f, transform %.0f rows/s: ratio %.2f; per second of processors: ratio %.2f; of the backends of batches: ratio %.2f\n", set, computed, computed/set,
		median(burnt["set"])/median(burnt["transform"]), median(paths["set"])/median(paths["transform"]))
	fmt.Printf("medians: a verification takes %.2f of the time of its run, %.2f of its processors\n", median(shares), median(costs))
	return nil
}

// once makes the table anew and works through one run.
func once(ctx context.Context, conn *pgx.Conn, url string, c change.Change, rows, workers int) (took time.Duration, cpu burning, passes int64, err error) {
	ddl := fmt.Sprintf(`DROP SCHEMA IF EXISTS backfill CASCADE; DROP TABLE IF EXISTS computed;
		CREATE TABLE computed (id bigint PRIMARY KEY, note text, loud text, filler text);
		INSERT INTO computed SELECT g, 'user' || md5(g::text) || '@example.com', NULL, repeat('x', 180) FROM generate_series(1, %d) g;
		CREATE INDEX ON computed (note)`, rows)
	if _, err := conn.PgConn().Exec(ctx, ddl).ReadAll(); err != nil {
		return 0, cpu, 0, fmt.Errorf("make the table: %w", err)
	}
	for _, sql := range []string{"VACUUM (ANALYZE) computed", "CHECKPOINT"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return 0, cpu, 0, fmt.Errorf("settle the table: %w", err)
		}
	}
	messages, err := open(ctx, conn, url, c)
	if err != nil {
		return 0, cpu, 0, err
	}
	begun, own := time.Now(), burntHere()
	cpu, err = work(ctx, url, messages, workers)
	if err != nil {
		return 0, cpu, 0, err
	}
	took, cpu.workers = time.Since(begun), burntHere()-own
	var wrong, affected int64
	err = conn.QueryRow(ctx, "SELECT (SELECT count(*) FROM computed WHERE loud IS DISTINCT FROM upper(note)), sum(affected), max(passes) FROM backfill.ledger").Scan(&wrong, &affected, &passes)
	if err == nil && (wrong != 0 || affected != int64(rows)) {
		err = fmt.Errorf("%d rows are wrong, %d written", wrong, affected)
	}
	return took, cpu, passes, err
}

var terms = ledger.Terms{Lease: time.Minute, Heartbeat: time.Hour}

func open(ctx context.Context, conn *pgx.Conn, address string, c change.Change) ([]chunk.Message, error) {
	session := postgres.NewSession(credentials.Fixed(address), "bench")
	defer session.Drop()
	entries := ledger.New(session, terms)
	if err := entries.Migrate(ctx); err != nil {
		return nil, err
	}
	bound, err := boundary.Bound(ctx, conn, c, nil)
	if err != nil {
		return nil, err
	}
	if _, err := entries.Open(ctx, ledger.Run{Run: "bench", Backfill: "bench", Change: c, Bound: bound}); err != nil {
		return nil, err
	}
	cut, err := boundary.Cut(ctx, conn, c, nil, bound, 1000)
	if err != nil {
		return nil, err
	}
	messages := make([]chunk.Message, len(cut.Ranges))
	for i, r := range cut.Ranges {
		messages[i] = chunk.Chunk{Run: "bench", Number: int64(i) + 1, Range: r}.Message(1)
	}
	return messages, nil
}

// work has so many workers take the chunks.
func work(ctx context.Context, url string, messages []chunk.Message, workers int) (cpu burning, err error) {
	queue := make(chan chunk.Message, len(messages))
	for _, message := range messages {
		queue <- message
	}
	close(queue)
	errs, burnt := make([]error, workers), make([]burning, workers)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			session := postgres.NewSession(credentials.Fixed(url), "bench worker").Prepare()
			defer session.Drop()
			reads := postgres.NewSession(credentials.Fixed(url), "bench worker reads").Prepare()
			defer reads.Drop()
			w := worker.New(session, ledger.New(session, terms), nowhere{}, terms.Lease)
			if !*one {
				w.ReadAhead(reads)
			}
			for message := range queue {
				if err := w.Work(ctx, message); err != nil {
					errs[i] = err
				}
			}
			burnt[i] = burning{batches: burntIn(ctx, session), reads: burntIn(ctx, reads)}
		})
	}
	all.Wait()
	for i, err := range errs {
		cpu.batches += burnt[i].batches
		if cpu.reads += burnt[i].reads; err != nil {
			return cpu, err
		}
	}
	return cpu, nil
}

// nowhere takes no checkpoints.
type nowhere struct{}

func (nowhere) Checkpoint(context.Context, records.Checkpoint) error { return nil }

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
