package timeline_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"backfill/internal/faults/timeline"
)

const packet = `{"format": "json", "version": 1}
{"name":"plan","trace_id":"1-5759e988-bd862e3fe1be46a994272793","type":"subsegment","start_time":100.25,"end_time":100.75,"annotations":{"run":"email-1"},
"subsegments":[{"name":"SELECT backfill.runs","start_time":100.3,"end_time":100.304},
{"name":"BEGIN","start_time":100.305,"end_time":100.306},{"name":"COMMIT","start_time":100.306,"end_time":100.3065},
{"name":"SQS","namespace":"aws","aws":{"operation":"SendMessageBatch"},"start_time":100.5,"end_time":100.6}]}`

func TestAPacketIsReadAndDrawn(t *testing.T) {
	t.Parallel()
	segment, err := timeline.Read([]byte(packet))
	if err != nil || segment.Name != "plan" || segment.Annotations["run"] != "email-1" || len(segment.Subsegments) != 4 {
		t.Fatalf("%+v, error %v", segment, err)
	}
	picture := string(timeline.Draw("one <run>", 2, []timeline.Part{{Function: "planner", Segment: segment}}))
	for _, want := range []string{"one &lt;run&gt;", ">planner: plan<", ">500 ms<", ">SELECT backfill.runs<", ">4.0 ms<", ">SQS SendMessageBatch<", ">and 2 shorter than 2.0 ms, together 1.5 ms<",
		`x="380.0" y="62" width="530.0"`,  // the whole time
		`x="645.0" y="104" width="106.0"`, // from its middle, a fifth of it
	} {
		if !strings.Contains(picture, want) {
			t.Errorf("the picture lacks %s:\n%s", want, picture)
		}
	}
	for decoder := xml.NewDecoder(strings.NewReader(picture)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
	}
}

// TestPartsThatCameByThemselves: the SDK sends parts of a segment with many of them before it.
func TestPartsThatCameByThemselves(t *testing.T) {
	t.Parallel()
	sent := []timeline.Segment{{Name: "third", Parent: "a", Start: 3}, {Name: "of another", Parent: "b", Start: 1}, {Name: "first", Parent: "a", Start: 1}}
	whole := timeline.Segment{ID: "a", Subsegments: []timeline.Segment{{Name: "second", Start: 2}}}.Whole(sent)
	var names []string
	for _, one := range whole.Subsegments {
		names = append(names, one.Name)
	}
	if got := strings.Join(names, ", "); got != "first, second, third" {
		t.Errorf("the parts are %s", got)
	}
}

func TestALongNameIsCut(t *testing.T) {
	t.Parallel()
	name := "SELECT " + strings.Repeat("é", 100)
	picture := string(timeline.Draw("long", 0, []timeline.Part{{Function: "worker", Segment: timeline.Segment{Name: "apply", Start: 1, End: 2,
		Subsegments: []timeline.Segment{{Name: name, Start: 1, End: 1.5}}}}}))
	if !strings.Contains(picture, ">SELECT "+strings.Repeat("é", 46)+"…<") || !strings.Contains(picture, "<title>"+name) {
		t.Error(picture)
	}
}

func TestAPacketThatIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{}", "{}\n{"} {
		if _, err := timeline.Read([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
