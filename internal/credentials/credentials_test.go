package credentials

import (
	"context"
	"errors"
	"strings"
	"testing"

	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
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
		got, err := FromSecret(secrets{text: secret}, "arn:secret")(t.Context())
		if err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", secret, got, err, want)
		}
	}
}

func TestAWrongSecretIsSaidWithoutItsContent(t *testing.T) {
	for secret, want := range map[string]string{
		`hunter2`: "is not the JSON of RDS",
		`{"host":"db","username":"u","passwort":"hunter2"}`: `has no "password"`,
	} {
		_, err := FromSecret(secrets{text: secret}, "arn:secret")(t.Context())
		if !failure.Is(err, failure.Permanent) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", secret, err)
		}
	}
}

func TestACallThatFailsIsTriedAgain(t *testing.T) {
	_, err := FromSecret(secrets{err: errors.New("throttled")}, "arn:secret")(t.Context())
	if !failure.Is(err, failure.Transient) {
		t.Fatalf("%v", err)
	}
}
