package credentials

import (
	"context"
	"errors"
	"strings"
	"testing"

	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

type secrets struct {
	text string
	err  error
}

func (s secrets) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error,
) {
	return &secretsmanager.GetSecretValueOutput{SecretString: &s.text}, s.err
}

func TestTheSecretOfRDSBecomesAURL(t *testing.T) {
	for secret, want := range map[string]string{
		`{"host":"db.internal","port":5433,"dbname":"app","username":"back fill","password":"p@ss:/?#"}`: "postgres://back%20fill:p%40ss%3A%2F%3F%23@db.internal:5433/app?sslmode=verify-full",
		`{"host":"db.internal","port":"5433","username":"u","password":"p","engine":"postgres"}`:         "postgres://u:p@db.internal:5433/postgres?sslmode=verify-full",
		`{"host":"::1","username":"u","password":"p"}`:                                                   "postgres://u:p@[::1]:5432/postgres?sslmode=verify-full",
	} {
		got, err := FromSecret(secrets{text: secret}, "arn:secret", Place{})(t.Context())
		if err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", secret, got, err, want)
		}
	}
}

// TestASecretThatRDSKeepsHasNoPlace: what it says goes before what the stack says.
func TestASecretThatRDSKeepsHasNoPlace(t *testing.T) {
	place := Place{Host: "orders.x.eu-central-1.rds.amazonaws.com", Port: 5433, Name: "orders"}
	for secret, want := range map[string]string{
		`{"username":"u","password":"p"}`:                                        "postgres://u:p@orders.x.eu-central-1.rds.amazonaws.com:5433/orders?sslmode=verify-full",
		`{"username":"u","password":"p","host":"other","port":1,"dbname":"app"}`: "postgres://u:p@other:1/app?sslmode=verify-full",
	} {
		got, err := FromSecret(secrets{text: secret}, "arn:secret", place)(t.Context())
		if err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", secret, got, err, want)
		}
	}
}

// TestTheSecretOfANamedDatabaseSaysWhereItIs: without a name it would be the database postgres, silently.
func TestTheSecretOfANamedDatabaseSaysWhereItIs(t *testing.T) {
	t.Parallel()
	for secret, complete := range map[string]bool{
		`{"host":"db","dbname":"app","username":"u","password":"p"}`: true,
		`{"host":"db","username":"u","password":"p"}`:                false,
		`{"dbname":"app","username":"u","password":"p"}`:             false,
		`{"username":"u","password":"p"}`:                            false,
	} {
		url, err := FromSecret(secrets{text: secret}, "arn:secret", Place{Nowhere: true})(t.Context())
		if complete && (err != nil || !strings.Contains(url, "@db:5432/app?")) {
			t.Error(url, err)
		}
		if !complete && (!failure.Is(err, failure.Permanent) || !strings.Contains(err.Error(), `has no "host" or no "dbname"; add both`)) {
			t.Error(secret, err)
		}
	}
}

func TestAWrongSecretIsSaidWithoutItsContent(t *testing.T) {
	for secret, want := range map[string]string{
		`hunter2`: "is not the JSON of RDS",
		`{"host":"db","username":"u","passwort":"hunter2"}`:      `secret arn:secret has no "password"`,
		`{"username":"u","passwort":"hunter2","engine":"mysql"}`: `secret arn:secret has no "password", and is of the engine "mysql", not of postgres, and has no "host"; add it, or give DatabaseHost`,
	} {
		_, err := FromSecret(secrets{text: secret}, "arn:secret", Place{})(t.Context())
		if !failure.Is(err, failure.Permanent) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", secret, err)
		}
	}
}

func TestACallThatFailsIsTriedAgain(t *testing.T) {
	_, err := FromSecret(secrets{err: errors.New("throttled")}, "arn:secret", Place{})(t.Context())
	if !failure.Is(err, failure.Transient) {
		t.Fatalf("%v", err)
	}
}

// TestASecretThatMayNotBeReadIsNotTriedAgain: no time mends a right, an ARN or a key.
func TestASecretThatMayNotBeReadIsNotTriedAgain(t *testing.T) {
	for code, want := range map[string]string{"AccessDeniedException": "SecretKmsKeyArn", "ResourceNotFoundException": "account and region", "InvalidRequestException": "restore-secret"} {
		_, err := FromSecret(secrets{err: &smithy.GenericAPIError{Code: code}}, "arn:secret", Place{})(t.Context())
		if !failure.Is(err, failure.Permanent) || !strings.Contains(err.Error(), "read secret arn:secret: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", code, err)
		}
	}
	if remedy := Remedy("arn:secret"); !strings.Contains(remedy, "arn:secret") || !strings.Contains(remedy, "resume RUN") {
		t.Error(remedy)
	}
}
