package following_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"backfill/internal/following"
	"backfill/internal/pgtest"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"
)

// table has a row for each of 1 to 1000 but for 500. A run of which the newest row is a part finds new ones behind it, as many times as
// rounds says: the row that was written last brings them, in the old form or in the new.
const table = `CREATE TABLE jobs (id bigint PRIMARY KEY, n int NOT NULL, doubled int);
	INSERT INTO jobs SELECT g, g FROM generate_series(1, 1000) g WHERE g <> 500;
	CREATE TABLE inserts (rounds int, form text); INSERT INTO inserts VALUES (0, 'old');
	CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$
	DECLARE i inserts%ROWTYPE;
	BEGIN
		UPDATE inserts SET rounds = rounds - 1 WHERE rounds > 0 AND NOT EXISTS (SELECT FROM jobs WHERE id > NEW.id) RETURNING * INTO i;
		INSERT INTO jobs SELECT NEW.id + g, g, CASE i.form WHEN 'new' THEN g * 2 END FROM generate_series(1, 150) g WHERE i.form IS NOT NULL;
		RETURN NULL;
	END $$;
	CREATE TRIGGER more AFTER UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION more();`

type shop struct {
	*runtest.Bench
	line *runtest.Line
}

func open(t *testing.T, db pgtest.Database, rounds int, form string) shop {
	t.Helper()
	db.Exec(t, table)
	b := runtest.On(t, db)
	b.Exec(t, "UPDATE inserts SET rounds = $1, form = $2", rounds, form)
	return shop{b, b.Line(t)}
}

func request(t *testing.T, rows string) json.RawMessage {
	t.Helper()
	encoded, err := json.Marshal(map[string]any{"action": "start", "run": "doubling", "definition": "name: doubling\ntable: jobs\nset: {doubled: n * 2}\nchunk_rows: 100\nrows: " + rows + "\n"})
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func (s shop) start(t *testing.T, rows string) {
	t.Helper()
	if got := s.line.Run(t, request(t, rows), runtest.Execution); got.Next != turn.End || got.State != run.Completed {
		t.Fatalf("%+v", got)
	}
}

func (s shop) expect(t *testing.T, old, rounds int64) {
	t.Helper()
	if n := s.Number(t, "SELECT count(*) FROM jobs WHERE doubled IS DISTINCT FROM n * 2"); n != old {
		t.Errorf("%d rows are in the old form, want %d", n, old)
	}
	if n := s.Number(t, "SELECT round FROM backfill.runs"); n != rounds {
		t.Errorf("%d rounds, want %d", n, rounds)
	}
}

func TestARunFollowsWhatCameBehindIt(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		s := open(t, db, 3, "old")
		s.start(t, "follow")
		// three rounds of rows, and one in which nobody brought any
		s.expect(t, 0, 4)
		status, err := s.Records.Status(t.Context(), "doubling")
		if err != nil {
			t.Fatal(err)
		}
		if status.Rows.Affected != 999+3*150 || status.Chunks.Total != 10+3*2 {
			t.Errorf("%+v, %+v", status.Rows, status.Chunks)
		}
		if s.Number(t, "SELECT count(*) FROM backfill.changes WHERE detail LIKE '%round 3; the one before wrote 150 rows'") != 1 {
			t.Error("the log of the run does not tell of round 3")
		}
	})
}

func TestARunThatIsFixedLeavesThem(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.Newest(t), 3, "old")
	s.start(t, "fixed")
	s.expect(t, 150, 0)
}

func TestRowsInTheNewFormEndIt(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.Newest(t), 3, "new")
	s.start(t, "follow")
	s.expect(t, 0, 1) // what it found was as it should be
}

// TestATransactionThatIsNotOverIsAwaited: its row has a key in the middle, and is not visible when the run begins.
func TestATransactionThatIsNotOverIsAwaited(t *testing.T) {
	t.Parallel()
	for rows, left := range map[string]int64{"follow": 0, "fixed": 1} {
		t.Run(rows, func(t *testing.T) {
			t.Parallel()
			s := open(t, pgtest.Newest(t), 0, "old")
			late, err := s.DB.Connect(t).Begin(t.Context())
			must(t, err)
			_, err = late.Exec(t.Context(), "INSERT INTO jobs VALUES (500, 500)")
			must(t, err)
			done := make(chan struct{})
			go func() {
				defer close(done)
				if rows == "follow" {
					beside := s.DB.Connect(t)
					pgtest.WaitUntil(t, beside, "SELECT EXISTS (SELECT FROM backfill.runs WHERE beats > 3)")
					if status, err := s.Records.Status(t.Context(), "doubling"); err != nil || status.Chunks.Total > 0 ||
						!strings.HasPrefix(status.Throttle.Reason, "waits for the end of 1 transaction in which") {
						t.Errorf("%+v, %v", status.Throttle, err)
					}
					must(t, late.Commit(t.Context()))
				}
			}()
			s.start(t, rows)
			<-done
			if rows == "fixed" {
				must(t, late.Commit(t.Context()))
			}
			s.expect(t, left, map[string]int64{"follow": 1}[rows])
		})
	}
}

func TestAnEmptyTableIsFollowed(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.Newest(t), 0, "old")
	s.Exec(t, "TRUNCATE jobs")
	s.start(t, "follow")
	s.expect(t, 0, 1) // in which nobody brought a row
}

// TestARunThatChasesSaysSo: each of twelve rounds brings rows in the old form. From the tenth on it slows down and says why, and it ends when
// they stop.
func TestARunThatChasesSaysSo(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.Newest(t), 12, "old")
	ended, quicker := make(chan struct{}), make(chan struct{})
	go func() { // the pace is not waited for
		defer close(quicker)
		beside := s.DB.Connect(t)
		for {
			select {
			case <-ended:
				return
			default:
				_, err := beside.Exec(t.Context(), "UPDATE backfill.runs SET round_at = round_at - interval '1 hour' WHERE round >= 10 AND round_at > clock_timestamp() - interval '1 hour'")
				must(t, err)
			}
		}
	}()
	s.start(t, "follow")
	close(ended)
	<-quicker
	s.expect(t, 0, 13) // the last brought none
	const why = "%%round %d;%%they still come without the change%%have who inserts them write the new form, or cancel the run"
	for round, says := range map[int]int64{10: 0, 11: 1, 12: 1} {
		if n := s.Number(t, "SELECT count(*) FROM backfill.changes WHERE detail LIKE $1", fmt.Sprintf(why, round)); n != says {
			t.Errorf("at round %d the log of the run says %d times why it goes on", round, n)
		}
	}
}

// TestTheBoundHasMovedAndThePlanHasNot: a governor has died between the two.
func TestTheBoundHasMovedAndThePlanHasNot(t *testing.T) {
	t.Parallel()
	b := runtest.New(t)
	b.Begin(t, 2)
	b.Plan(t, 2)
	b.Exec(t, "UPDATE backfill.runs SET change = jsonb_set(change::jsonb, '{follow}', 'true'), bound = '{450}', round = 1")
	f := following.Follower{Session: b.Session, Ledger: b.Ledger, Records: b.Records}
	for range 2 {
		next, err := f.Follow(t.Context(), runtest.ID, b.Record(t).Plan)
		if err != nil || next != following.Plan {
			t.Fatalf("%v, %v", next, err)
		}
		if plan := b.Record(t).Plan; plan.Closed || plan.Planned != 2 {
			t.Fatalf("%+v", plan)
		}
	}
	if round := b.Number(t, "SELECT round FROM backfill.runs"); round != 1 {
		t.Errorf("round %d", round)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
