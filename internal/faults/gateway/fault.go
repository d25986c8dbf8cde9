package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Fault is what happens to a call.
type Fault func(*exchange)

func pass(e *exchange) { e.answer(e.forward()) }

// KillBefore ends the caller before its call has any effect.
func KillBefore(e *exchange) {
	e.call.Caller.Kill()
	e.drop()
}

// KillAfter ends the caller when its call has had its effect.
func KillAfter(e *exchange) {
	e.forward()
	e.call.Caller.Kill()
	e.drop()
}

// Late ends the caller before its call has any effect; the effect comes after some time, when a successor may be at
// work.
func Late(by time.Duration) Fault {
	return func(e *exchange) {
		e.call.Caller.Kill()
		e.drop()
		timer := time.NewTimer(by)
		defer timer.Stop()
		<-timer.C
		e.forward()
	}
}

// Held ends the caller before its call has any effect; the effect comes when it is released, and landed tells of it.
func Held(release <-chan struct{}, landed chan<- struct{}) Fault {
	return func(e *exchange) {
		e.call.Caller.Kill()
		e.drop()
		<-release
		e.forward()
		close(landed)
	}
}

// Lose lets the call have its effect, and loses the answer.
func Lose(e *exchange) {
	e.forward()
	e.drop()
}

// Refuse cuts the connection before the call has any effect.
func Refuse(e *exchange) { e.drop() }

// Delay holds the call back.
func Delay(by time.Duration) Fault {
	return func(e *exchange) {
		timer := time.NewTimer(by)
		defer timer.Stop()
		select {
		case <-timer.C:
			pass(e)
		case <-e.request.Context().Done():
			e.drop()
		}
	}
}

// Triple has the effect three times at once.
func Triple(e *exchange) {
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { e.forward() })
	}
	first := e.forward()
	all.Wait()
	e.answer(first)
}

// Throttle refuses the call as the services do.
func Throttle(e *exchange) {
	if e.call.Service == "AmazonSQS" {
		throttled := failed(http.StatusBadRequest, "com.amazonaws.sqs#RequestThrottled", "Request is throttled.")
		throttled.header.Set("X-Amzn-Query-Error", "RequestThrottled;Sender")
		e.answer(throttled)
		return
	}
	e.answer(failed(http.StatusBadRequest, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
		"The level of configured provisioned throughput for the table was exceeded."))
}

// Partly has SQS take all but the first message of a batch.
func Partly(e *exchange) {
	var batch map[string]json.RawMessage
	var entries []struct {
		ID          string `json:"Id"`
		MessageBody string
	}
	if err := errors.Join(json.Unmarshal(e.body, &batch), json.Unmarshal(batch["Entries"], &entries)); err != nil {
		e.answer(failed(http.StatusBadRequest, "BadRequest", err.Error()))
		return
	}
	refused := fmt.Appendf(nil, `[{"Id":%q,"Code":"InternalError","SenderFault":false}]`, entries[0].ID)
	answer := map[string]json.RawMessage{"Successful": []byte("[]"), "Failed": refused}
	taken := response{status: http.StatusOK, header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}}
	if len(entries) > 1 {
		batch["Entries"], _ = json.Marshal(entries[1:])
		e.body, _ = json.Marshal(batch)
		taken = e.forward()
		_ = json.Unmarshal(taken.body, &answer)
		answer["Failed"] = refused
	}
	taken.body, _ = json.Marshal(answer)
	taken.header.Del("X-Amz-Crc32")
	e.answer(taken)
}

// Break answers 500.
func Break(e *exchange) {
	e.answer(failed(http.StatusInternalServerError, "InternalServerError", "The request processing has failed."))
}

func failed(status int, kind, message string) response {
	header := http.Header{}
	header.Set("Content-Type", "application/x-amz-json-1.0")
	return response{status: status, header: header, body: fmt.Appendf(nil, `{"__type":%q,"message":%q}`, kind, message)}
}
