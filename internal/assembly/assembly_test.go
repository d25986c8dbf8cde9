package assembly

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/faults/cluster"
	"backfill/internal/faults/gateway"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/settings"
)

// TestTheWayIn: the settings of a function lead to the server, and to nobody who only says that it is the server.
func TestTheWayIn(t *testing.T) {
	server := cluster.New(t, pgtest.Newest(t))
	bundle := server.Encrypt(t)
	server.Demand(t, "by_token", "never", "password")
	secret := cluster.Secret(server.Address())
	for name, value := range map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hidden", "AWS_XRAY_SDK_DISABLED": "TRUE",
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": gateway.New("", "", func() string { return secret }).Door(t, nil),
	} {
		t.Setenv(name, value)
	}
	host, number, _ := net.SplitHostPort(server.Address())
	port, _ := strconv.Atoi(number)
	for name, c := range map[string]struct {
		database settings.Database
		says     string
	}{
		"by a URL":                {settings.Database{URL: server.Database().URL}, ""},
		"by a secret":             {settings.Database{SecretARN: "arn:aws:secret", Bundle: bundle}, ""},
		"of another authority":    {settings.Database{SecretARN: "arn:aws:secret", Bundle: cluster.Forge(t)}, "DatabaseCaLayerArn"},
		"of no authority at all":  {settings.Database{SecretARN: "arn:aws:secret"}, "DatabaseCaLayerArn"},
		"by a token, without use": {settings.Database{IAM: true, Host: host, Port: port, Name: "app", User: "by_token", Bundle: bundle}, `GRANT rds_iam TO "by_token"`},
	} {
		t.Run(name, func(t *testing.T) {
			stack, err := Open(t.Context(), "test", settings.Shared{Database: c.database, Table: "records", Lease: time.Minute, Heartbeat: time.Minute}, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer stack.Drop()
			base := stack.base("")
			short, cancel := context.WithTimeout(t.Context(), 10*time.Second) // a refused login is not waited for
			defer cancel()
			_, err = base.Session.Conn(short)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(failure.Safe(err), c.says)) {
				t.Errorf("want %q: %v", c.says, err)
			}
			if refused := postgres.Refused(err); refused != c.database.IAM {
				t.Errorf("refused: %t", refused)
			}
		})
	}
}

// TestABundleThatIsNotThere is told when the function begins, not at each connection.
func TestABundleThatIsNotThere(t *testing.T) {
	_, err := Open(t.Context(), "test", settings.Shared{Database: settings.Database{URL: "postgres://db/app", Bundle: "/nowhere/database-ca.pem"}}, 0)
	if !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), "DatabaseCaLayerArn") {
		t.Error(err)
	}
}
