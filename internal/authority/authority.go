// Package authority says whose signature on the certificate of a database server is believed.
//
// It owns the roots of RDS, which no system has among its own, and the reading of a bundle of somebody else's. It leaves TLS to postgres.
// Invariants: a bundle that is given is believed alone; the roots of RDS are believed for names of RDS alone, beside the system's, one of
// which RDS Proxy has.
package authority

import (
	"crypto/x509"
	_ "embed"
	"fmt"
	"os"
	"strings"
	"sync"

	"backfill/internal/failure"
)

//go:embed rds.pem
var rds []byte

// domain is of all servers of RDS but those in China, whose roots are others.
const domain = ".rds.amazonaws.com"

// Authorities gives the roots for a server.
type Authorities struct {
	bundle *x509.CertPool
	rds    func() *x509.CertPool // made where it is needed: it takes its time at a cold start
}

// Open reads a bundle, a file of PEM; "" is none.
func Open(path string) (Authorities, error) {
	if path == "" {
		return Authorities{rds: sync.OnceValue(func() *x509.CertPool { return beside(rds) })}, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Authorities{}, failure.New(failure.Invalid, "read the authorities of the database: %w; the layer DatabaseCaLayerArn has to have them in this file", err)
	}
	bundle := x509.NewCertPool()
	if !bundle.AppendCertsFromPEM(text) {
		return Authorities{}, failure.New(failure.Invalid, "%s has no certificate; it has to be PEM, from -----BEGIN CERTIFICATE----- on", path)
	}
	return Authorities{bundle: bundle}, nil
}

// beside is the system's roots and more.
func beside(more []byte) *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil { // a system without any: then only those
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(more) {
		panic(fmt.Sprintf("rds.pem has no certificate in %d bytes", len(more)))
	}
	return pool
}

// Roots are believed for a server of that name; nil: the system's.
func (a Authorities) Roots(host string) *x509.CertPool {
	if a.bundle != nil {
		return a.bundle
	}
	if strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), domain) {
		return a.rds()
	}
	return nil
}
