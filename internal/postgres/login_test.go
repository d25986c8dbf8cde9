package postgres

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// rotating is a session of a role whose password is in a secret.
type rotating struct {
	*Session
	admin   *pgx.Conn
	role    string
	secret  string   // what the source gives
	next    []string // what it gives after that, one each time
	sources int      // times that it was asked
}

const remedy = "look at the secret"

func rotate(t *testing.T, db pgtest.Database) *rotating {
	t.Helper()
	address, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := &rotating{admin: db.Connect(t), role: "role_" + strings.TrimPrefix(address.Path, "/"), secret: "first"}
	r.exec(t, "CREATE ROLE "+r.role+" LOGIN")
	t.Cleanup(func() { _, _ = r.admin.Exec(context.Background(), "DROP ROLE "+r.role) })
	r.change(t, "first")
	r.Session = NewSession(func(context.Context) (string, error) {
		address.User = url.UserPassword(r.role, r.secret)
		if r.sources++; len(r.next) > 0 {
			r.secret, r.next = r.next[0], r.next[1:]
		}
		return address.String(), nil
	}, "session").Renewing(remedy)
	r.rests = []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}
	t.Cleanup(r.Drop)
	return r
}

func (r *rotating) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := r.admin.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func (r *rotating) change(t *testing.T, password string) {
	t.Helper()
	r.exec(t, fmt.Sprintf("ALTER ROLE %s PASSWORD '%s'", r.role, password))
}

func (r *rotating) process(t *testing.T) uint32 {
	t.Helper()
	conn, err := r.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	return conn.PgConn().PID()
}

// TestAPasswordThatIsRotated: the server has the new one before the secret has it. What is open stays open.
func TestAPasswordThatIsRotated(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		r := rotate(t, db)
		first := r.process(t)
		r.change(t, "second")
		if r.process(t) != first || r.sources != 1 {
			t.Fatalf("the open connection was given up; the secret was read %d times", r.sources)
		}
		r.Drop()
		r.next = []string{"first", "second"}
		if r.process(t) == first || r.sources != 4 {
			t.Fatalf("the secret was read %d times, want 4", r.sources)
		}
	})
}

// TestAPasswordThatIsWrong is told once the secret was read some times, with what to do. It is a mistake where it never was right.
func TestAPasswordThatIsWrong(t *testing.T) {
	t.Parallel()
	r := rotate(t, pgtest.Newest(t))
	r.secret = "wrong"
	r.expectRefused(t, t.Context(), failure.Permanent, 4)
	r.secret = "first"
	r.process(t)
	r.Drop()
	r.secret = "wrong"
	r.expectRefused(t, t.Context(), failure.Transient, 4)
	r.exec(t, "ALTER ROLE "+r.role+" NOLOGIN")
	r.secret = "first"
	r.expectRefused(t, t.Context(), failure.Transient, 4)

	r.rests[1] = 10 * time.Second // and a connection may take as long: more than there is
	short, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	r.expectRefused(t, short, failure.Transient, 2)
}

// TestALoginThatCannotChange is not tried again.
func TestALoginThatCannotChange(t *testing.T) {
	t.Parallel()
	r := rotate(t, pgtest.Newest(t))
	r.remedy, r.rests, r.secret = "", nil, "wrong"
	_, err := r.Conn(t.Context())
	if !failure.Is(err, failure.Permanent) || !Refused(err) || r.sources != 1 {
		t.Errorf("asked %d times: %v", r.sources, err)
	}
}

func (r *rotating) expectRefused(t *testing.T, ctx context.Context, class failure.Class, sources int) {
	t.Helper()
	r.sources = 0
	_, err := r.Conn(ctx)
	safe := failure.Safe(err)
	if !failure.Is(err, class) || !Refused(err) || r.sources != sources {
		t.Errorf("the secret was read %d times, %s: %v", r.sources, failure.Of(err), err)
	}
	if !strings.HasPrefix(safe, "connect to database ") || strings.Count(safe, "SQLSTATE 28") != 1 || !strings.HasSuffix(safe, "; "+remedy) || strings.Contains(safe, "wrong") {
		t.Errorf("safe text %q", safe)
	}
}
