package authority

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backfill/internal/failure"
)

func embedded(t *testing.T) (certificates []*x509.Certificate) {
	t.Helper()
	for rest := rds; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return certificates
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		certificates = append(certificates, certificate)
	}
}

// TestTheRootsOfRDS hold for ten years to come, sign themselves, and are of all kinds that an instance can have.
func TestTheRootsOfRDS(t *testing.T) {
	regions := map[string]int{}
	for _, c := range embedded(t) {
		name := c.Subject.CommonName
		if !c.IsCA || c.CheckSignatureFrom(c) != nil || c.NotAfter.Before(time.Now().AddDate(10, 0, 0)) {
			t.Errorf("%s is no root, or ends on %s", name, c.NotAfter)
		}
		if !strings.HasPrefix(name, "Amazon RDS ") || strings.Contains(name, "Beta") || strings.Contains(name, "Preview") || c.Subject.OrganizationalUnit[0] != "Amazon RDS" {
			t.Errorf("%s is none of RDS", name)
		}
		regions[strings.Fields(name)[2]]++
	}
	for _, region := range []string{"us-east-1", "us-west-2", "eu-central-1", "eu-west-1", "ap-southeast-2", "sa-east-1"} {
		if regions[region] != 3 {
			t.Errorf("%s has %d roots, want RSA 2048, RSA 4096 and ECC 384", region, regions[region])
		}
	}
	if len(regions) != 27 {
		t.Errorf("%d regions", len(regions))
	}
}

// TestTheRootsOfRDSAreForItsNamesAlone: whoever could sign by one of them may not be any other server.
func TestTheRootsOfRDSAreForItsNamesAlone(t *testing.T) {
	authorities, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	root := embedded(t)[0]
	for host, believed := range map[string]bool{
		"orders.cluster-x.eu-central-1.rds.amazonaws.com": true, "Orders.cluster-x.eu-central-1.RDS.amazonaws.com.": true,
		"orders.x.rds.cn-north-1.amazonaws.com.cn": false, "orders.rds.amazonaws.com.cn": false,
		"db.example.com": false, "rds.amazonaws.com.example.com": false, "evilrds.amazonaws.com": false, "127.0.0.1": false,
	} {
		pool := authorities.Roots(host)
		if pool == nil {
			if believed {
				t.Errorf("%s has the system's roots alone", host)
			}
			continue
		}
		if _, err := root.Verify(x509.VerifyOptions{Roots: pool}); !believed || err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestABundleIsBelievedAlone(t *testing.T) {
	path, roots := filepath.Join(t.TempDir(), "ca.pem"), embedded(t)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: roots[0].Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	authorities, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"db.example.com", "orders.x.eu-central-1.rds.amazonaws.com"} {
		pool := authorities.Roots(host)
		if _, err := roots[0].Verify(x509.VerifyOptions{Roots: pool}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		if _, err := roots[1].Verify(x509.VerifyOptions{Roots: pool}); err == nil {
			t.Errorf("%s: another is believed too", host)
		}
	}
}

func TestABundleThatIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.pem")
	if _, err := Open(path); !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "DatabaseCaLayerArn") {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "has to be PEM") {
		t.Error(err)
	}
}
