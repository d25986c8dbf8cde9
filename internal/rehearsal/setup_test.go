package rehearsal_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"backfill/internal/credentials"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/prospect"
	"backfill/internal/rehearsal"
	"backfill/internal/review"

	"github.com/jackc/pgx/v5"
)

// users has a marker in each row, gaps in its keys, and a row in ten without a country.
const users = `CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, country text, short varchar(12), n int);
INSERT INTO users SELECT 3 * g, 'MARKER' || g || '@Example.org', CASE WHEN g % 10 > 0 THEN 'de' END, 'x', g FROM generate_series(1, 20000) g; ANALYZE users;`

const lower = "name: lower\ntable: users\nset: {email: lower(email)}\nwhere: country IS NOT NULL\nchunk_rows: 1000\n"

// bundle is a database, and a rehearser over it.
type bundle struct {
	rehearsal.Rehearser
	db   pgtest.Database
	conn *pgx.Conn // beside the rehearser's
	book *ledger.Ledger
}

func setup(t *testing.T, db pgtest.Database, sql string) *bundle {
	t.Helper()
	db.Exec(t, sql)
	session := postgres.NewSession(credentials.Fixed(db.URL), "rehearsal")
	t.Cleanup(session.Drop)
	book := ledger.New(session, ledger.Terms{Lease: time.Minute, Heartbeat: time.Minute})
	return &bundle{db: db, conn: db.Connect(t), book: book, Rehearser: rehearsal.Rehearser{
		Session: session, Ledger: book, Reviewer: review.Reviewer{Session: session, Inline: true}}}
}

func (b *bundle) rehearse(t *testing.T, definition string, rows int) prospect.Prospect {
	t.Helper()
	found, err := b.Rehearse(t.Context(), review.Subject{Definition: definition}, rows)
	must(t, err)
	return found
}

// number reads one number.
func (b *bundle) number(t *testing.T, sql string) (n int64) {
	t.Helper()
	must(t, b.conn.QueryRow(t.Context(), sql).Scan(&n))
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	encoded, err := json.MarshalIndent(value, "", " ")
	must(t, err)
	return string(encoded)
}

func tells(list []string, what string) bool { return strings.Contains(strings.Join(list, "\n"), what) }
