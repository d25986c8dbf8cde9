package queue_test

import (
	"slices"
	"testing"

	"backfill/internal/queue"
	"backfill/internal/queuetest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	diff "github.com/google/go-cmp/cmp"
)

// TestLettersAreReceivedUntilTheyAreDeleted, ten at a time; one that is no chunk's says so.
func TestLettersAreReceivedUntilTheyAreDeleted(t *testing.T) {
	t.Parallel()
	behind := queuetest.New(t, nil)
	sent := messages(slices.Repeat([]int{3}, 11)...)
	unsent, err := queue.New(behind.Client, behind.URL).Send(t.Context(), sent)
	must(t, err)
	if len(unsent) > 0 {
		t.Fatalf("unsent: %v", unsent)
	}
	for _, body := range []string{"hello", `{"run":"run-1"}`} {
		_, err = behind.Client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &behind.URL, MessageBody: aws.String(body)})
		must(t, err)
	}
	letters := queue.NewLetters(behind.Client, behind.URL)
	var all []queue.Letter
	for {
		some, err := letters.Receive(t.Context())
		must(t, err)
		if len(some) == 0 {
			break
		}
		if len(some) > 10 {
			t.Fatalf("%d at once", len(some))
		}
		all = append(all, some...)
		must(t, letters.Delete(t.Context(), some))
	}
	unreadable := 0
	got := messages()
	for _, letter := range all {
		if letter.Message == nil {
			unreadable++
		} else {
			got = append(got, *letter.Message)
		}
	}
	if difference := diff.Diff(sent, sorted(got)); difference != "" || unreadable != 2 {
		t.Fatalf("%d are no chunk's; %s", unreadable, difference)
	}
	if left := behind.Drain(t, 0); len(left) > 0 {
		t.Errorf("not deleted: %v", left)
	}
	must(t, letters.Delete(t.Context(), nil))
}
