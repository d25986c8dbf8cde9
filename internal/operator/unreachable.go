package operator

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
)

// codes say what to do about what AWS answers.
var codes = map[string]string{
	"ExpiredToken":                "log in again, as by aws sso login",
	"ExpiredTokenException":       "log in again, as by aws sso login",
	"InvalidClientTokenId":        "check the credentials: --profile, AWS_PROFILE, AWS_ACCESS_KEY_ID",
	"UnrecognizedClientException": "check the credentials: --profile, AWS_PROFILE, AWS_ACCESS_KEY_ID",
	"AccessDenied":                "ask for the right, or give another --profile",
	"AccessDeniedException":       "ask for the right, or give another --profile",
	"ResourceNotFoundException":   "the stack is not complete: deploy it again",
	"StateMachineDoesNotExist":    "the stack is not complete: deploy it again",
	"ValidationError":             "give the stack by --stack or BACKFILL_STACK, and its region by --region",
}

// unreachable is an error of the way to the stack. What the SDK tells of its own steps is left out.
func unreachable(err error) *Fault {
	var (
		api     smithy.APIError
		profile config.SharedConfigProfileNotExistError
		request *url.Error
		network net.Error
	)
	switch {
	case errors.As(err, &profile):
		return &Fault{Exit: exitUnreachable, Message: fmt.Sprintf("the AWS configuration has no profile %q", profile.Profile),
			Next: "give another --profile; aws configure list-profiles shows them"}
	case errors.As(err, &api):
		return &Fault{Exit: exitUnreachable, Message: fmt.Sprintf("%s%s: %s", purpose(err), api.ErrorCode(), api.ErrorMessage()),
			Next: codes[api.ErrorCode()]}
	case strings.Contains(err.Error(), "failed to refresh cached credentials"), strings.Contains(err.Error(), "get credentials:"):
		return &Fault{Exit: exitUnreachable, Message: purpose(err) + "no AWS credentials were found",
			Next: "give --profile, log in (aws sso login), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"}
	case errors.As(err, &request):
		return &Fault{Exit: exitUnreachable, Message: fmt.Sprintf("%scannot reach %s: %s", purpose(err), host(request.URL), request.Err),
			Next: "check the network, --region and AWS_ENDPOINT_URL; the local stack is started by make up"}
	case errors.As(err, &network):
		return &Fault{Exit: exitUnreachable, Message: err.Error(), Next: "check the network"}
	}
	return &Fault{Exit: exitUnreachable, Message: err.Error()}
}

// purpose is what was tried, as our own wrapping says it in front of the SDK's text.
func purpose(err error) string {
	before, _, found := strings.Cut(err.Error(), "operation error ")
	if !found {
		return ""
	}
	return before
}

func host(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return address
	}
	return parsed.Scheme + "://" + parsed.Host
}
