package invocation

import (
	"context"
	"encoding/json"
	"log/slog"
)

// subject is what an invocation is about, as far as its input says.
type subject struct {
	Run   string `json:"run"`
	Chunk int64  `json:"chunk"`
}

type subjectKey struct{}

// subjectOf reads it: the input itself, the request or the event in it, the message of a queue, or the execution's name, which is the run's
// where nothing else is.
func subjectOf(payload json.RawMessage) (s subject) {
	var input struct {
		subject
		Name    string          `json:"name"`
		Request json.RawMessage `json:"request"`
		Detail  struct {
			Name  string `json:"name"`
			Input string `json:"input"`
		} `json:"detail"`
		Records []struct {
			Body string `json:"body"`
		} `json:"Records"`
	}
	_ = json.Unmarshal(payload, &input) // what cannot be read is told by the function
	inner := [][]byte{input.Request, []byte(input.Detail.Input)}
	if len(input.Records) == 1 {
		inner = append(inner, []byte(input.Records[0].Body))
	}
	for _, text := range inner {
		if input.Run == "" {
			_ = json.Unmarshal(text, &input.subject)
		}
	}
	for _, name := range []string{input.Name, input.Detail.Name} {
		if input.Run == "" {
			input.Run = name
		}
	}
	return input.subject
}

// about puts the subject of the invocation into each line of the log that does not name it itself.
type about struct {
	slog.Handler
	named bool
}

func (h about) Handle(ctx context.Context, record slog.Record) error {
	s, _ := ctx.Value(subjectKey{}).(subject)
	named := h.named
	record.Attrs(func(a slog.Attr) bool {
		named = named || a.Key == "run"
		return !named
	})
	if !named && s.Run != "" {
		record.AddAttrs(slog.String("run", s.Run))
		if s.Chunk > 0 {
			record.AddAttrs(slog.Int64("chunk", s.Chunk))
		}
	}
	return h.Handler.Handle(ctx, record)
}

func (h about) WithAttrs(attrs []slog.Attr) slog.Handler {
	named := h.named
	for _, a := range attrs {
		named = named || a.Key == "run"
	}
	return about{h.Handler.WithAttrs(attrs), named}
}

func (h about) WithGroup(name string) slog.Handler { return about{h.Handler.WithGroup(name), h.named} }
