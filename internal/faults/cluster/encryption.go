package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Encrypt makes the server speak TLS with a certificate of its address, and gives the file of the authority that has signed it, which a
// client has to trust. Connections without TLS stay possible, for the test's own.
func (c *Cluster) Encrypt(t testing.TB) (authority string) {
	t.Helper()
	root := root()
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: root.NotBefore, NotAfter: root.NotAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	signer, _ := signed(t, root, root, nil)
	key, certificate := signed(t, leaf, root, signer)
	_, of := signed(t, root, root, signer)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c.set(t, "ssl_key_file", "'"+c.store(t, "server.key", "PRIVATE KEY", private)+"'")
	c.set(t, "ssl_cert_file", "'"+c.store(t, "server.crt", "CERTIFICATE", certificate)+"'")
	c.set(t, "ssl", "on")
	return c.store(t, "root.crt", "CERTIFICATE", of)
}

// Forge gives the file of an authority of the same name that has signed nothing.
func Forge(t testing.TB) (authority string) {
	t.Helper()
	root := root()
	_, certificate := signed(t, root, root, nil)
	authority = filepath.Join(t.TempDir(), "forged.crt")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600); err != nil {
		t.Fatal(err)
	}
	return authority
}

func root() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Root CA"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
}

// signed makes a certificate. Without a signer it is signed by the key that is made for it; a root keeps the signer's.
func signed(t testing.TB, of, by *x509.Certificate, signer *ecdsa.PrivateKey) (key *ecdsa.PrivateKey, certificate []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if signer == nil {
		signer = key
	}
	if of == by {
		key = signer
	}
	if certificate, err = x509.CreateCertificate(rand.Reader, of, by, &key.PublicKey, signer); err != nil {
		t.Fatal(err)
	}
	return key, certificate
}

// store writes a file beside the data, so that it stays where it is when the data moves.
func (c *Cluster) store(t testing.TB, name, kind string, content []byte) string {
	t.Helper()
	path := filepath.Join(c.home, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
		t.Fatal(err)
	}
	c.own(t, path)
	return path
}

// Secret is what Secrets Manager holds for a server at an address, in the format of RDS.
func Secret(address string) string { return SecretOf(address, role, "trusted") }

// SecretOf is the same of another role, as Demand makes one.
func SecretOf(address, username, password string) string {
	host, port, _ := net.SplitHostPort(address)
	secret, _ := json.Marshal(map[string]string{"host": host, "port": port, "dbname": role, "username": username, "password": password})
	return string(secret)
}

// Demand makes a role that the server asks for a password, by a method of pg_hba.conf; all others it trusts.
func (c *Cluster) Demand(t testing.TB, name, password, method string) {
	t.Helper()
	c.database("postgres").Exec(t, fmt.Sprintf("CREATE ROLE %s SUPERUSER LOGIN PASSWORD '%s'", name, password))
	path := filepath.Join(c.data, "pg_hba.conf")
	trusted, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append([]byte("hostssl all "+name+" all "+method+"\nhost all "+name+" all reject\n"), trusted...), 0o600); err != nil {
		t.Fatal(err)
	}
	c.set(t, "password_encryption", "'scram-sha-256'") // it reads the file anew
}
