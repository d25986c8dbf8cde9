package postgres_test

import (
	"strings"
	"testing"

	"backfill/internal/authority"
	"backfill/internal/credentials"
	"backfill/internal/failure"
	"backfill/internal/faults/cluster"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
)

// TestTheServerShowsWhoItIs: by a certificate of a trusted authority, for the name that was asked for. Whoever cannot is not tried again.
func TestTheServerShowsWhoItIs(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		server := cluster.New(t, db)
		own, others := server.Encrypt(t), cluster.Forge(t)
		full := strings.Replace(server.Database().URL, "sslmode=disable", "sslmode=verify-full", 1)
		for name, c := range map[string]struct {
			url, bundle, says string
		}{
			"the right one":                      {full, own, ""},
			"the right one, by the URL":          {full + "&sslrootcert=" + own, others, ""},
			"the second of two":                  {strings.Replace(full, "@127", "@localhost:1,127", 1), own, ""},
			"of another authority":               {full, others, `is signed by "CN=Test Root CA", which is not trusted; give the stack a layer`},
			"of another authority, by verify-ca": {strings.Replace(full, "verify-full", "verify-ca", 1), others, "DatabaseCaLayerArn"},
			"without a bundle":                   {full, "", `is signed by "CN=Test Root CA", which is not trusted`},
			"of another name":                    {strings.Replace(full, "127.0.0.1", "localhost", 1), own, "let the host be a name that the certificate has"},
			"without TLS":                        {strings.Replace(db.URL, "sslmode=disable", "sslmode=verify-full", 1), own, "it speaks none; set ssl = on there"},
		} {
			t.Run(name, func(t *testing.T) {
				authorities, err := authority.Open(c.bundle)
				must(t, err)
				session := postgres.NewSession(credentials.Fixed(c.url), "test").Trusting(authorities.Roots)
				defer session.Drop()
				conn, err := session.Conn(t.Context())
				if c.says != "" {
					if !failure.Is(err, failure.Permanent) || !strings.Contains(failure.Safe(err), c.says) {
						t.Fatalf("%s: %v", failure.Of(err), err)
					}
					return
				}
				must(t, err)
				var encrypted bool
				must(t, conn.QueryRow(t.Context(), "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&encrypted))
				if !encrypted {
					t.Error("it is not encrypted")
				}
			})
		}
	})
}
