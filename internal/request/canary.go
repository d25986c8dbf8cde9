package request

import (
	"fmt"
	"regexp"
	"strconv"
)

// shares is how a share is written.
var shares = regexp.MustCompile(`^([0-9]{1,2}(?:\.[0-9]{1,4})?)%$`)

// The bounds of a share, in millionths.
const (
	leastShare = 1_000
	mostShare  = 500_000
)

// ParseShare reads the share of a canary, in millionths of the chunks; "" is none.
func ParseShare(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	wrong := fmt.Errorf("%q is not a share of 0.1%% to 50%%, written as 1%% or 0.5%%", text)
	parts := shares.FindStringSubmatch(text)
	if parts == nil {
		return 0, wrong
	}
	percent, err := strconv.ParseFloat(parts[1], 64)
	share := int64(percent*10_000 + 0.5)
	if err != nil || share < leastShare || share > mostShare {
		return 0, wrong
	}
	return share, nil
}
