// Command probe is a Lambda function that does what its event tells it: the subject of the tests of the local stack. It speaks the
// Runtime API by itself, so that no test depends on a library's manners.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

var runtime = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime"

type event struct {
	Do      string
	Size    int
	Records []record
}

type record struct {
	MessageID  string            `json:"messageId"`
	Body       string            `json:"body"`
	Attributes map[string]string `json:"attributes"`
}

func main() {
	initialize(os.Getenv("INIT"))
	for {
		id, payload := next()
		answer, err := handle(payload)
		if err != nil {
			post("/invocation/"+id+"/error", map[string]string{"errorType": "ProbeError", "errorMessage": err.Error()})
			continue
		}
		post("/invocation/"+id+"/response", answer)
	}
}

func initialize(how string) {
	switch how {
	case "error":
		post("/init/error", map[string]string{"errorType": "ProbeInit", "errorMessage": "cannot begin"})
		os.Exit(1)
	case "exit":
		os.Exit(4)
	case "notice-term":
		terms := make(chan os.Signal, 1)
		signal.Notify(terms, syscall.SIGTERM)
		go func() { <-terms; note("term", ""); os.Exit(0) }()
	}
}

func handle(payload []byte) (any, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	if e.Records != nil {
		return consume(e.Records), nil
	}
	return do(e)
}

func do(e event) (any, error) {
	switch e.Do {
	case "hold":
		hold()
	case "hang with a child":
		child := exec.Command("sleep", "600")
		if err := child.Start(); err != nil {
			return nil, err
		}
		note("child", fmt.Sprint(child.Process.Pid))
		select {}
	case "exit":
		os.Exit(3)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "fail":
		return nil, errors.New("as told")
	case "print":
		fmt.Println(strings.Repeat(strings.Repeat("x", 99)+"\n", e.Size/100))
	case "answer":
		return strings.Repeat("y", e.Size), nil
	}
	return map[string]any{"pid": os.Getpid(), "environment": os.Environ(), "temporary": os.TempDir()}, nil
}

// consume treats each message as its body says: "sleep:SECONDS", "hold" or "fail".
func consume(records []record) any {
	failures := []map[string]string{}
	for _, r := range records {
		note("begin", r.Body+" "+r.Attributes["ApproximateReceiveCount"])
		var seconds float64
		if _, err := fmt.Sscanf(r.Body, "sleep:%f", &seconds); err == nil {
			wait(seconds)
		}
		switch r.Body {
		case "hold":
			hold()
		case "fail":
			failures = append(failures, map[string]string{"itemIdentifier": r.MessageID})
		}
		note("end", r.Body)
	}
	return map[string]any{"batchItemFailures": failures}
}

// hold waits until the test lets it go on.
func hold() {
	note("held", "")
	for {
		if _, err := os.Stat(os.Getenv("JOURNAL") + ".released"); err == nil {
			return
		}
		wait(0.01)
	}
}

func wait(seconds float64) { time.Sleep(time.Duration(seconds * float64(time.Second))) }

// note appends a line to the test's journal, in one write since several processes share it.
func note(what, detail string) {
	file, err := os.OpenFile(os.Getenv("JOURNAL"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer file.Close()
	fmt.Fprintf(file, "%d %s %d %s\n", time.Now().UnixMilli(), what, os.Getpid(), detail)
}

func next() (string, []byte) {
	response, err := http.Get(runtime + "/invocation/next")
	if err != nil {
		os.Exit(1)
	}
	defer response.Body.Close()
	payload, err := io.ReadAll(response.Body)
	if err != nil {
		os.Exit(1)
	}
	return response.Header.Get("Lambda-Runtime-Aws-Request-Id"), payload
}

// post sends a body of unknown length: in chunks, as aws-lambda-go does.
func post(path string, answer any) {
	var body bytes.Buffer
	_ = json.NewEncoder(&body).Encode(answer)
	response, err := http.Post(runtime+path, "application/json", io.MultiReader(&body))
	if err != nil {
		os.Exit(1)
	}
	response.Body.Close()
}
