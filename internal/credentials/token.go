package credentials

import (
	"context"
	"fmt"

	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"
)

// FromIAM makes a token for each connection: a request to connect as the user, signed by the function's role, which RDS takes in place of
// a password for 15 minutes. It is made here, without a call.
func FromIAM(role aws.CredentialsProvider, region string, place Place, user string) Source {
	return func(ctx context.Context) (string, error) {
		token, err := auth.BuildAuthToken(ctx, place.address(), region, user, role)
		if err != nil {
			return "", fmt.Errorf("make a token of IAM for %s at %s: %w", user, place.Host, failure.As(failure.Transient, err))
		}
		return place.url(user, token), nil
	}
}

// TokenRemedy says what to do where the server refuses a token.
func TokenRemedy(user string) string {
	return fmt.Sprintf("it is a token of IAM: GRANT rds_iam TO %q in the database; IAM authentication has to be on at the instance, cluster or proxy, and DatabaseResourceId"+
		" and DatabaseUser have to be its resource id and this role, as written; then `backfill resume RUN`", user)
}
