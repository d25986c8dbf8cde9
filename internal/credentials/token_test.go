package credentials

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/aws"
)

var orders = Place{Host: "orders.cluster-x.eu-central-1.rds.amazonaws.com", Port: 5433, Name: "orders"}

// TestATokenIsOfOneRoleAtOneServer: what IAM and RDS read of it, each part.
func TestATokenIsOfOneRoleAtOneServer(t *testing.T) {
	role := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "hidden", SessionToken: "session/+="}, nil
	})
	address, err := FromIAM(role, "eu-central-1", orders, "app_role")(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	login, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if got := login.Host + login.Path + "?" + login.RawQuery; got != orders.Host+":5433/orders?sslmode=verify-full" || login.User.Username() != "app_role" {
		t.Errorf("%s as %s", got, login.User.Username())
	}
	password, _ := login.User.Password()
	token, err := url.Parse("https://" + password)
	if err != nil || token.Host != orders.Host+":5433" || token.Path != "" && token.Path != "/" {
		t.Fatalf("the token is for %s%s: %v", token.Host, token.Path, err)
	}
	said := token.Query()
	for name, want := range map[string]string{
		"Action": "connect", "DBUser": "app_role", "X-Amz-Expires": "900", "X-Amz-Security-Token": "session/+=", "X-Amz-SignedHeaders": "host",
	} {
		if said.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, said.Get(name), want)
		}
	}
	scope := said.Get("X-Amz-Credential")
	if !strings.HasPrefix(scope, "AKIDEXAMPLE/") || !strings.HasSuffix(scope, "/eu-central-1/rds-db/aws4_request") || len(said.Get("X-Amz-Signature")) != 64 {
		t.Errorf("signed as %s by %s", scope, said.Get("X-Amz-Signature"))
	}
	if strings.Contains(address, "hidden") {
		t.Error("it has the secret key")
	}
}

// TestARoleThatHasNoKeysYet is asked again: the metadata of Lambda may be late.
func TestARoleThatHasNoKeysYet(t *testing.T) {
	none := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("late") })
	_, err := FromIAM(none, "eu-central-1", orders, "app_role")(t.Context())
	if !failure.Is(err, failure.Transient) || !strings.Contains(err.Error(), "app_role") {
		t.Error(err)
	}
}
