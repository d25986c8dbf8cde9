package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Encrypt makes the server speak TLS with a certificate of its address, and gives the file of the authority that a
// client has to trust. Connections without TLS stay possible, for the test's own.
func (c *Cluster) Encrypt(t testing.TB) (authority string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c.store(t, "server.key", "PRIVATE KEY", private)
	authority = c.store(t, "server.crt", "CERTIFICATE", certificate)
	c.set(t, "ssl", "on")
	return authority
}

// store writes a file that the server reads; beside the data, so that it stays where it is when the data moves.
func (c *Cluster) store(t testing.TB, name, kind string, content []byte) string {
	t.Helper()
	path := filepath.Join(c.home, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
		t.Fatal(err)
	}
	c.own(t, path)
	setting := map[string]string{"server.key": "ssl_key_file", "server.crt": "ssl_cert_file"}[name]
	c.set(t, setting, "'"+path+"'")
	return path
}

// Secret is what Secrets Manager holds for a server at an address, in the format of RDS.
func Secret(address string) string {
	host, port, _ := net.SplitHostPort(address)
	secret, _ := json.Marshal(map[string]string{"host": host, "port": port, "dbname": role, "username": role, "password": "trusted"})
	return string(secret)
}
