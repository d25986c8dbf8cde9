package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"backfill/internal/authority"
	"backfill/internal/chunk"
	"backfill/internal/credentials"
	"backfill/internal/faults/cluster"
	"backfill/internal/faults/gateway"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/worker"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

const rotatedRole = "rotated"

// vault is Secrets Manager with one secret, for the server of a bundle.
type vault struct {
	address  *url.URL
	password atomic.Pointer[string]
	read     atomic.Int64
}

func newVault(t *testing.T, db pgtest.Database, password string) *vault {
	t.Helper()
	address, err := url.Parse(db.URL)
	must(t, err)
	v := &vault{address: address}
	v.password.Store(&password)
	return v
}

func (v *vault) secret() string {
	v.read.Add(1)
	host, port, _ := net.SplitHostPort(v.address.Host)
	secret, _ := json.Marshal(map[string]string{"engine": "postgres", "host": host, "port": port, "dbname": strings.TrimPrefix(v.address.Path, "/"),
		"username": rotatedRole, "password": *v.password.Load()})
	return string(secret)
}

// session reads the login from the vault, as the function does, over TLS that is verified.
func (v *vault) session(t *testing.T, bundle string) *postgres.Session {
	t.Helper()
	endpoint := gateway.New("", "", v.secret).Door(t, nil)
	client := secretsmanager.New(secretsmanager.Options{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: aws.AnonymousCredentials{}})
	authorities, err := authority.Open(bundle)
	must(t, err)
	session := postgres.NewSession(credentials.FromSecret(client, "arn", credentials.Place{}), "test worker").Prepare().Trusting(authorities.Roots).Renewing(credentials.Remedy("arn"))
	t.Cleanup(session.Drop)
	return session
}

const ofWorker = "FROM pg_stat_activity WHERE usename = '" + rotatedRole + "'"

// TestTheSecretIsRotated in the middle of a run, as Secrets Manager does it: the server has the new password, and after a while the secret has it.
// The connection that is open goes on; one that is cut in between finds that it is refused, and reads the secret until it is right. Each row is
// changed once.
func TestTheSecretIsRotated(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		server := cluster.New(t, db)
		bundle := server.Encrypt(t)
		server.Demand(t, rotatedRole, "first", "scram-sha-256")
		b, kept := setup(t, server.Database(), counters), keeping(rows/8)
		b.anew(t, kept)
		v := newVault(t, b.db, "first")
		session := v.session(t, bundle)
		w := messenger{worker.New(session, ledger.New(session, b.terms), b.checkpoints, b.terms.Lease)}
		fourth, seventh := b.lock(t, 3*rows/8+9), b.lock(t, 6*rows/8+9)
		worked := w.begin(b.chunks(t, kept))
		fourth(func() { b.exec(t, "ALTER ROLE "+rotatedRole+" PASSWORD 'second'") })
		seventh(func() {
			if n := v.read.Load(); n != 1 {
				t.Errorf("the secret was read %d times while the connection was open", n)
			}
			b.exec(t, "SELECT pg_terminate_backend(pid) "+ofWorker)
			for v.read.Load() < 3 { // twice, after the cut: it has the old password still
				if len(worked) > 0 {
					t.Fatal(<-worked)
				}
			}
			v.password.Store(aws.String("second"))
		})
		must(t, <-worked)
		b.expectRows(t, 1, chunk.Completed)
		if n := v.read.Load(); n < 3 || n > 6 { // the third may have found the new one already
			t.Errorf("the secret was read %d times", n)
		}
	})
}

// messenger gives a worker one message after the other.
type messenger struct{ *worker.Worker }

func (m messenger) begin(messages []chunk.Message) (worked chan error) {
	worked = make(chan error, 1)
	go func() {
		for _, message := range messages {
			if err := m.Work(context.Background(), message); err != nil {
				worked <- err
				return
			}
		}
		worked <- nil
	}()
	return worked
}

// lock locks a row. What it gives waits until the worker waits for it, and lets go when something has happened meanwhile.
func (b *bundle) lock(t *testing.T, id int) func(meanwhile func()) {
	t.Helper()
	conn := b.db.Connect(t)
	tx, err := conn.Begin(t.Context())
	must(t, err)
	_, err = tx.Exec(t.Context(), "SELECT FROM counters WHERE id = $1 FOR UPDATE", id)
	must(t, err)
	return func(meanwhile func()) {
		pgtest.WaitUntil(t, b.conn, fmt.Sprintf("SELECT EXISTS (SELECT %s AND %d = ANY (pg_blocking_pids(pid)))", ofWorker, conn.PgConn().PID()))
		meanwhile()
		must(t, tx.Rollback(t.Context()))
	}
}
