package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// TestAPlannerKilledBetweenItsCommitAndItsSend puts a proxy between the deployed planner and AWS, which ends the
// planner's process in place of passing on its first message. The page is committed; the outbox has it sent.
func TestAPlannerKilledBetweenItsCommitAndItsSend(t *testing.T) {
	table := unique("unsent")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 50_000))
	proxy := newKiller(t, *b.config.BaseEndpoint)
	b.reroute(t, "planner", "AWS_ENDPOINT_URL", proxy.url)
	id, execution := b.define(t, increment(table, 10_000))
	status := b.completes(t, id, execution, 3*time.Minute)
	b.expectOnce(t)
	if !proxy.killed.Load() || status.Chunks.Completed != 5 {
		t.Fatalf("killed %v, %d chunks completed", proxy.killed.Load(), status.Chunks.Completed)
	}
}

// killer passes requests on to AWS, but for the first SendMessageBatch: it ends the process that sent it.
type killer struct {
	url    string
	killed atomic.Bool
}

func newKiller(t *testing.T, endpoint string) *killer {
	t.Helper()
	target, err := url.Parse(endpoint)
	must(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	k := &killer{url: "http://" + listener.Addr().String()}
	forward := httputil.NewSingleHostReverseProxy(target)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".SendMessageBatch") && k.killed.CompareAndSwap(false, true) {
			_, port, _ := net.SplitHostPort(r.RemoteAddr)
			client, _ := strconv.Atoi(port)
			if !killOwner(t, client, listener.Addr().(*net.TCPAddr).Port) {
				t.Error("the planner's process was not found")
			}
			return
		}
		forward.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return k
}

// reroute changes a variable of a deployed function until the test ends.
func (b *bundle) reroute(t *testing.T, function, variable, value string) {
	t.Helper()
	name := os.Getenv("BACKFILL_STACK") + "-" + function
	current, err := b.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	must(t, err)
	changed := map[string]string{}
	for key, old := range current.Environment.Variables {
		changed[key] = old
	}
	changed[variable] = value
	b.configure(t, name, changed)
	t.Cleanup(func() { b.configure(t, name, current.Environment.Variables) })
}

func (b *bundle) configure(t *testing.T, name string, variables map[string]string) {
	t.Helper()
	_, err := b.lambda.UpdateFunctionConfiguration(context.Background(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: &name, Environment: &types.Environment{Variables: variables},
	})
	must(t, err)
	waitFor(t, time.Minute, name+" is updated", func() bool {
		now, err := b.lambda.GetFunctionConfiguration(context.Background(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(name)})
		must(t, err)
		return now.LastUpdateStatus == types.LastUpdateStatusSuccessful
	})
}
