package request_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/request"

	"github.com/google/go-cmp/cmp"
)

func TestGoodRequests(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]request.Request{
		`{"action":"start","backfill":"users"}`: {Action: "start", Backfill: "users", Run: "execution"},
		` {"action":"start","definition":"name: x\n"} ` + "\n": {
			Action: "start", Definition: "name: x\n", Run: "execution"},
		`{"action":"start","backfill":"users","run":"r_9-A","params":{}}`: {
			Action: "start", Backfill: "users", Run: "r_9-A", Params: map[string]any{}},
		`{"action":"start","backfill":"users","definition":"","params":null,"run":null}`: {
			Action: "start", Backfill: "users", Run: "execution"},
		`{"action":"verify","run":"r"}`:               {Action: "verify", Run: "r"},
		`{"action":"verify","run":"r","write":false}`: {Action: "verify", Run: "r", Write: new(bool)},
		`{"action":"start","backfill":"users","AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID":"arn:x"}`: {
			Action: "start", Backfill: "users", Run: "execution", StartedBy: "arn:x"},
		`{"action":"start","backfill":"users","params":{"since":"2024-01-01","all":true,"list":[1,null]}}`: {
			Action: "start", Backfill: "users", Run: "execution",
			Params: map[string]any{"since": "2024-01-01", "all": true, "list": []any{json.Number("1"), nil}}},
	} {
		got, err := request.Parse([]byte(text), "execution")
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Errorf("%s: %s", text, difference)
		}
	}
}

// TestNumbersStayExact: a float64 would make 9007199254740992 of the first, and lose the end of the second.
func TestNumbersStayExact(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"9007199254740993", "-9223372036854775808", "0.1000000000000000055511151231257827", "1e400", "1.10"} {
		asked, err := request.Parse([]byte(`{"action":"start","backfill":"b","params":{"n":`+number+`,"deep":[{"n":`+number+`}]}}`), "x")
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"n": json.Number(number), "deep": []any{map[string]any{"n": json.Number(number)}}}
		if difference := cmp.Diff(want, asked.Params); difference != "" {
			t.Error(difference)
		}
	}
}

// TestBadRequests: each problem is named, and all of them in one answer.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 81)
	for text, problems := range map[string][]string{
		`{"action":"start"}`: {`give either "backfill"`},
		`{"action":"start","backfill":"a","definition":"b"}`:      {`give either "backfill"`},
		`{"action":"stop","backfill":"a"}`:                        {`action "stop" is not known`},
		`{"backfill":"a"}`:                                        {`action "" is not known`},
		`{"action":"start","backfill":"a","run":"a b"}`:           {`run "a b" is not`},
		`{"action":"start","backfill":"a","run":"ä"}`:             {`run "ä" is not`},
		`{"action":"start","backfill":"a","run":"a\n"}`:           {`run "a\n" is not`},
		`{"action":"start","backfill":"a","run":"` + long + `"}`:  {"run \"" + long},
		`{"action":"start","backfill":"a","dryrun":true}`:         {`"dryrun" is not known`},
		`{"action":"start","backfill":"a","dry_run":"true"}`:      {`"dry_run" has to be true or false`},
		`{"action":"start","backfill":"a","dry_run":null}`:        {`"dry_run" has to be true or false`},
		`{"action":"resume","run":"a","dry_run":true}`:            {`"dry_run" belongs to a start`},
		`{"Action":"start","action":"start","backfill":"a"}`:      {`"Action" is not known`},
		`{"action":"start","backfill":7}`:                         {`"backfill" has to be a string`},
		`{"action":["start"],"backfill":"a"}`:                     {`"action" has to be a string`},
		`{"action":"start","backfill":"a","params":"since=2024"}`: {`"params" has to be an object`},
		`{"action":"go","params":[],"b":1,"a":2,"run":"?"}`: {`"a" is not known`, `"b" is not known`, `"params" has to be an object`,
			`action "go"`, `give either`, `run "?"`},
		`{"action":"start","backfill":7,"definition":"x"}`:               {"2 problems:\n", `"backfill" has to be a string`, `give either`},
		`{"action":"start","backfill":"a","run":7}`:                      {`"run" has to be a string`},
		`{"action":"verify"}`:                                            {`run "" is not`},
		`{"action":"verify","run":"a","write":"no"}`:                     {`"write" has to be true or false`},
		`{"action":"verify","run":"a","backfill":"b","chunks":"1"}`:      {`"verify" works with the definition`, `"chunks" and "force" belong`},
		`{"action":"retry","run":"a","write":false}`:                     {`"write" belongs to a verification`},
		`{"action":"rollback"}`:                                          {`run "" is not`},
		`{"action":"start","backfill":"a","canary":"60%"}`:               {`"60%" is not a share of 0.1% to 50%`},
		`{"action":"start","backfill":"a","canary":"0.01%"}`:             {`"0.01%" is not a share`},
		`{"action":"start","backfill":"a","canary":"1"}`:                 {`"1" is not a share`},
		`{"action":"start","backfill":"a","canary":1}`:                   {`"canary" has to be a string`},
		`{"action":"start","backfill":"a","canary":"1%","dry_run":true}`: {`"canary" belongs to a start, and not to a dry run`},
		`{"action":"resume","run":"a","canary":"1%"}`:                    {`"canary" belongs to a start`},
		`{"action":"resume","run":"a","backfill":"b","chunks":"1"}`:      {`"resume" works with the definition`, `"chunks" and "force" belong`},
		`{"action":"rollback","run":"a","chunks":"3,x"}`:                 {`"x" is neither a number`},
		`{"action":"rollback","run":"a","chunks":"9-7"}`:                 {`"9-7" is neither`},
		`{"action":"rollback","run":"a","chunks":"0"}`:                   {`"0" is neither`},
		`{"action":"rollback","run":"a","chunks":"1-99999999"}`:          {`more than 100,000 chunks`},
		`{"action":"rollback","run":"a","force":1}`:                      {`"force" has to be true or false`},
		`{"action":"start","backfill":"a","force":true}`:                 {`belong to a rollback`},
		`{}`:   {`action ""`, `give either`},
		`null`: {"a request looks like"},
		``:     {"a request looks like"},
		`[]`:   {"a request looks like"},
		`"{}"`: {"a request looks like"},
		`{"action":"start","backfill":"a"} {"action":"start"}`: {"a request looks like"},
		`{"action":"start","backfill":"a"`:                     {"a request looks like"},
	} {
		_, err := request.Parse([]byte(text), "execution")
		if !failure.Is(err, failure.Invalid) {
			t.Errorf("%s: %v (%s)", text, err, failure.Of(err))
			continue
		}
		if strings.Contains(err.Error(), "problems") != (len(problems) > 1) {
			t.Errorf("%s: %v, want %d of them", text, err, len(problems))
		}
		at := 0
		for _, problem := range problems {
			found := strings.Index(err.Error()[at:], problem)
			if found < 0 {
				t.Errorf("%s: %q is missing, or not in order, in: %v", text, problem, err)
				break
			}
			at += found + len(problem)
		}
	}
}

// TestAnExecutionWithoutNameIsNoRun: the planner's function is called by hand, too.
func TestAnExecutionWithoutNameIsNoRun(t *testing.T) {
	t.Parallel()
	if _, err := request.Parse([]byte(`{"action":"start","backfill":"a"}`), ""); !failure.Is(err, failure.Invalid) {
		t.Errorf("got %v", err)
	}
}

// FuzzParse: whatever is asked, the answer is a request that can be asked again, or a refusal of class Invalid.
func FuzzParse(f *testing.F) {
	f.Add(`{"action":"start","backfill":"users","params":{"n":9007199254740993}}`, "execution")
	f.Add(`{"action":"start","definition":"a: b","run":"r"}`, "")
	f.Add(`{"params":{"":1e999,"a":[{}]},"x":null}`, "ä")
	f.Fuzz(func(t *testing.T, text, name string) {
		asked, err := request.Parse([]byte(text), name)
		if err != nil {
			if !failure.Is(err, failure.Invalid) {
				t.Fatalf("%q: %v is %s", text, err, failure.Of(err))
			}
			return
		}
		if asked.Action != request.Start || (asked.Backfill == "") == (asked.Definition == "") || asked.Run == "" {
			t.Fatalf("%q became %+v", text, asked)
		}
		again, err := json.Marshal(asked)
		if err != nil {
			t.Fatal(err)
		}
		repeated, err := request.Parse(again, "another")
		if len(asked.Params) == 0 { // an empty object is not written
			asked.Params, repeated.Params = nil, nil
		}
		if difference := cmp.Diff(asked, repeated); difference != "" || err != nil {
			t.Fatalf("%q: %v, %s", text, err, difference)
		}
	})
}

func TestChunksAreNumbersAndRanges(t *testing.T) {
	chunks, err := request.ParseChunks(" 3, 7-9,12-12 ")
	if err != nil || !slices.Equal(chunks, []int64{3, 7, 8, 9, 12}) {
		t.Fatalf("%v, %v", chunks, err)
	}
	if all, err := request.ParseChunks(""); all != nil || err != nil {
		t.Fatalf("%v, %v", all, err)
	}
}

func TestShares(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "1%": 10_000, "0.1%": 1_000, "50%": 500_000, "0.25%": 2_500, "33.3333%": 333_333} {
		if got, err := request.ParseShare(text); got != want || err != nil {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"0%", "0.09%", "50.1%", "100%", "-1%", "1 %", "%", "1e1%", "1.00001%", "1%%"} {
		if got, err := request.ParseShare(text); err == nil {
			t.Errorf("%s: %d", text, got)
		}
	}
}
