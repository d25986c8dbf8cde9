package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"backfill/internal/authority"
	"backfill/internal/credentials"
	"backfill/internal/failure"
	"backfill/internal/faults/cluster"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// signer has other keys each time, as a role has from hour to hour: two tokens of the same second are two.
type signer struct{ asked int }

func (s *signer) Retrieve(context.Context) (aws.Credentials, error) {
	s.asked++
	return aws.Credentials{AccessKeyID: fmt.Sprintf("AKID%d", s.asked), SecretAccessKey: "hidden", SessionToken: strings.Repeat("session", 200)}, nil
}

// TestATokenIsThePassword: over TLS that is verified, as clear text, which is how RDS asks for one. Postgres stands in for RDS: the role's
// password is set to each token before it is used, so it is let in by exactly that. A token is for one connection; none is in a text.
func TestATokenIsThePassword(t *testing.T) {
	var log bytes.Buffer
	previous := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	defer slog.SetDefault(previous)

	const role = "token_role"
	server := cluster.New(t, pgtest.Newest(t))
	authorities, err := authority.Open(server.Encrypt(t))
	must(t, err)
	server.Demand(t, role, "none", "password")
	host, port, _ := net.SplitHostPort(server.Address())
	number, _ := strconv.Atoi(port)
	keys := &signer{}
	made := credentials.FromIAM(keys, "eu-central-1", credentials.Place{Host: host, Port: number, Name: "app"}, role)
	var tokens []string
	accepted := true
	source := func(ctx context.Context) (string, error) {
		address, err := made(ctx)
		must(t, err)
		parsed, err := url.Parse(address)
		must(t, err)
		token, _ := parsed.User.Password()
		tokens = append(tokens, token)
		if accepted {
			server.Database().Exec(t, fmt.Sprintf("ALTER ROLE %s PASSWORD '%s'", role, token))
		}
		return address, nil
	}
	session := postgres.NewSession(source, "test").Trusting(authorities.Roots).Renewing(credentials.TokenRemedy(role))
	defer session.Drop()
	for connection := range 2 {
		conn, err := session.Conn(t.Context())
		must(t, err)
		must(t, conn.Ping(t.Context()))
		if conn.Config().User != role || len(tokens) != connection+1 || keys.asked != connection+1 {
			t.Fatalf("%d tokens by %d keys for %d connections", len(tokens), keys.asked, connection+1)
		}
		session.Drop()
	}

	accepted = false
	short, cancel := context.WithTimeout(t.Context(), 12*time.Second) // one try anew
	defer cancel()
	_, err = session.Conn(short)
	if !postgres.Refused(err) || !strings.Contains(failure.Safe(err), `GRANT rds_iam TO "token_role"`) {
		t.Error(err)
	}
	if len(tokens) < 4 || tokens[0] == tokens[1] || tokens[2] == tokens[3] {
		t.Errorf("%d tokens", len(tokens))
	}
	for _, token := range tokens {
		_, signature, _ := strings.Cut(token, "X-Amz-Signature=")
		if said := err.Error() + failure.Safe(err) + log.String(); strings.Contains(said, signature) || strings.Contains(said, "X-Amz") {
			t.Errorf("a token is in a text: %s", said)
		}
	}
	if !strings.Contains(log.String(), "login refused") {
		t.Error("nothing was logged, so nothing was looked at")
	}
}
