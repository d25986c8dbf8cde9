package operator

import "testing"

var rebuildTranscripts = map[string]transcript{
	"rebuild":         {[]string{"rebuild", "email-1"}, answers("rebuild", madeAgain(10, 0, true))},
	"rebuild-gaps":    {[]string{"rebuild", "email-1"}, answers("rebuild", madeAgain(1, 2, false))},
	"rebuild-json":    {[]string{"rebuild", "email-1", "-o", "json"}, answers("rebuild", madeAgain(10, 0, true))},
	"rebuild-unknown": {[]string{"rebuild", "email-1"}, answers("rebuild", unknownRun())},
}

func TestRebuildTranscripts(t *testing.T) { transcribe(t, rebuildTranscripts) }

func madeAgain(chunks, gaps int64, closed bool) rebuilt {
	return rebuilt{Run: "email-1", Chunks: chunks, Gaps: gaps, Planned: chunks + gaps, Closed: closed}
}
