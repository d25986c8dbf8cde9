package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// counters is a table that shows at once whether a row saw n = n + 1 twice.
const counters = `CREATE TABLE %[1]s (id bigint PRIMARY KEY, n bigint NOT NULL);
	INSERT INTO %[1]s SELECT g, g FROM generate_series(1, %[2]d) g; ANALYZE %[1]s`

func increment(table string, chunkRows int) string {
	return fmt.Sprintf("name: increment\ntable: %s\nset: {n: n + 1}\nchunk_rows: %d\n", table, chunkRows)
}

// expectOnce demands that every row is exactly one higher.
func (b *bundle) expectOnce(t *testing.T) {
	t.Helper()
	if wrong := b.number(t, "SELECT count(*) FROM "+quoted(b.table)+" WHERE n <> id + 1"); wrong != 0 {
		t.Fatalf("%d rows are not exactly one higher", wrong)
	}
}

// passes tells how many chunks of a run were gone over in passes, and how many in the order of the keys.
func (b *bundle) passes(t *testing.T, id string) (passed, plain int64) {
	t.Helper()
	const chunks = "SELECT count(*) FROM backfill.ledger WHERE run = $1 AND "
	return b.number(t, chunks+"passes > 1", id), b.number(t, chunks+"passes = 1", id)
}

func TestTablesOfEverySize(t *testing.T) {
	for _, rows := range []int{0, 1, 100_001} {
		t.Run(fmt.Sprint(rows), func(t *testing.T) {
			t.Parallel()
			table := unique("sizes")
			b := setup(t, table, fmt.Sprintf(counters, quoted(table), rows))
			id, execution := b.define(t, increment(table, 20_000))
			status := b.completes(t, id, execution, 2*time.Minute)
			b.expectOnce(t)
			chunks := int64(rows+19_999) / 20_000
			if status.Rows.Affected != int64(rows) || status.Chunks.Completed != chunks || status.Chunks.Total != chunks {
				t.Fatalf("%d rows in %d of %d chunks, want %d in %d", status.Rows.Affected, status.Chunks.Completed,
					status.Chunks.Total, rows, chunks)
			}
			if passed, _ := b.passes(t, id); rows > 20_000 && passed == 0 {
				t.Fatal("no chunk was gone over in passes")
			}
		})
	}
}

func TestKeysOfEveryKind(t *testing.T) {
	for name, c := range map[string]struct{ ddl, key string }{
		"composite": {`CREATE TABLE %[1]s (tenant_id uuid, created_at timestamptz, id bigint, n bigint, was bigint, PRIMARY KEY (tenant_id, created_at, id));
			INSERT INTO %[1]s SELECT md5((g %% 7)::text)::uuid, '2024-01-01'::timestamptz + (g %% 500) * interval '1 hour', g, g, g FROM generate_series(1, 20000) g`, ""},
		"icu text": {`CREATE COLLATION IF NOT EXISTS e2e_natural (provider = icu, locale = 'en-u-kn-true');
			CREATE TABLE %[1]s (id text COLLATE e2e_natural PRIMARY KEY, n bigint, was bigint);
			INSERT INTO %[1]s SELECT (ARRAY['a','B','ä','é'])[1 + g %% 4] || g, g, g FROM generate_series(1, 20000) g`, ""},
		"huge bigint": {`CREATE TABLE %[1]s (id bigint PRIMARY KEY, n bigint, was bigint);
			INSERT INTO %[1]s SELECT CASE g %% 3 WHEN 0 THEN -g WHEN 1 THEN 9007199254740993 + g ELSE g END, g, g FROM generate_series(1, 20000) g`, ""},
		"quoted names": {`CREATE TABLE %[1]s ("The Id" int, "Part ""A""" numeric, n bigint, was bigint, UNIQUE ("Part ""A""", "The Id"));
			ALTER TABLE %[1]s ALTER "The Id" SET NOT NULL, ALTER "Part ""A""" SET NOT NULL;
			INSERT INTO %[1]s SELECT g, (g %% 10) * 1.10, g, g FROM generate_series(1, 20000) g`, `key: ['Part "A"', The Id]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := unique(`Key "kinds" of`)
			b := setup(t, table, fmt.Sprintf(c.ddl, quoted(table)))
			id, execution := b.define(t, fmt.Sprintf("name: keys\ntable: public.\"%s\"\nset: {n: n + 1}\nchunk_rows: 3000\n%s\n",
				strings.ReplaceAll(table, `"`, `""`), c.key))
			status := b.completes(t, id, execution, 2*time.Minute)
			if wrong := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n <> was + 1"); wrong != 0 || status.Rows.Affected != 20_000 {
				t.Fatalf("%d rows are wrong, %d counted", wrong, status.Rows.Affected)
			}
			if passed, plain := b.passes(t, id); passed != 0 || plain == 0 {
				t.Fatalf("%d chunks were gone over in passes, %d in the order of the keys", passed, plain)
			}
		})
	}
}

// TestTheConsolesStart pastes events/start.json into StartExecution, as a person does in the console.
func TestTheConsolesStart(t *testing.T) {
	input, err := os.ReadFile(filepath.Join("..", "..", "events", "start.json"))
	must(t, err)
	ddl, err := os.ReadFile(filepath.Join("..", "..", "infra", "demo", "users.sql"))
	must(t, err)
	b := setup(t, "users", strings.ReplaceAll(string(ddl), ":rows", "5000"))
	var request map[string]any
	must(t, json.Unmarshal(input, &request))
	id, execution := b.start(t, request)
	status := b.completes(t, id, execution, 2*time.Minute)
	wrong := b.number(t, "SELECT count(*) FROM public.users WHERE email_normalized IS DISTINCT FROM lower(trim(both ' ' from email))")
	if wrong != 0 || status.Backfill != "users-email-normalized" || status.Rows.Affected != 4900 {
		t.Fatalf("%d rows are wrong, %d counted, backfill %s", wrong, status.Rows.Affected, status.Backfill)
	}
}

func TestARefusedDefinitionFailsTheExecutionWithItsCause(t *testing.T) {
	t.Parallel()
	table := unique("refused")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 10))
	id, execution := b.define(t, fmt.Sprintf("name: refused\ntable: %s\nset: {n: n +, nothing: 1}\n", table))
	described := b.ended(t, execution, time.Minute)
	if described.Status != sfntypes.ExecutionStatusFailed || *described.Error != "Backfill.Invalid" {
		t.Fatalf("execution %s, error %v", described.Status, described.Error)
	}
	for _, part := range []string{"nothing", table} {
		if !strings.Contains(*described.Cause, part) {
			t.Errorf("the cause does not name %q: %s", part, *described.Cause)
		}
	}
	status, err := b.status(t, id)
	must(t, err)
	if status.State != "FAILED" || !strings.Contains(status.Reason, "nothing") {
		t.Fatalf("run is %s: %s", status.State, status.Reason)
	}
}
