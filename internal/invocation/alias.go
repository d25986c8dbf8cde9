package invocation

import (
	"context"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Alias tells by which alias or version the function was invoked, "" for none. IAM grants an alias like a function
// of its own, so it tells what the caller may do.
func Alias(ctx context.Context) string {
	invoked, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return ""
	}
	// arn:aws:lambda:region:account:function:name[:alias]
	parts := strings.Split(invoked.InvokedFunctionArn, ":")
	if len(parts) < 8 {
		return ""
	}
	return parts[7]
}
