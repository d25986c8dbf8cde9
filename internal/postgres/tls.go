package postgres

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"

	"backfill/internal/failure"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// trust sets the roots for each server of a URL that has none of its own.
func trust(config *pgx.ConnConfig, roots func(host string) *x509.CertPool) {
	if roots == nil {
		return
	}
	set := func(host string, of *tls.Config) {
		if of != nil && of.RootCAs == nil {
			of.RootCAs = roots(host)
		}
	}
	set(config.Host, config.TLSConfig)
	for _, other := range config.Fallbacks {
		set(other.Host, other.TLSConfig)
	}
}

// untrusted says what to do about a server that could not show who it is. Time does not help, as it may where one cannot be reached.
func untrusted(err error) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var server *pgconn.PgError
	switch {
	case errors.As(err, &server): // it got so far as to speak, if only on the way that a fallback allows
		return Classify(err)
	case errors.As(err, &unknown) && unknown.Cert != nil:
		return failure.New(failure.Permanent, "%w: it is signed by %q, which is not trusted; give the stack a layer that has this authority (DatabaseCaLayerArn, docs/deploy.md),"+
			" or, where nobody should stand between, find out who answers there", err, unknown.Cert.Issuer.String())
	case errors.As(err, &name):
		return failure.New(failure.Permanent, "%w; let the host be a name that the certificate has: of RDS the endpoint that its console shows, not an address or a name of your own", err)
	case errors.As(err, &invalid):
		return failure.New(failure.Permanent, "%w; renew the server's certificate: on RDS modify the instance to another certificate authority", err)
	case strings.Contains(err.Error(), "server refused TLS connection"): // the driver has no name for it
		return failure.New(failure.Permanent, "%w: it speaks none; set ssl = on there, or, for a trial alone, give DatabaseUrl with ?sslmode=disable", err)
	default:
		return Classify(err)
	}
}
