package definition

import (
	"fmt"
	"slices"
	"strings"
)

// maxListed keeps an answer readable: a table can have 1,600 columns.
const maxListed = 20

// DidYouMean helps with a name that does not exist: the nearest name, or all the names that do exist.
func DidYouMean(name string, known []string) string {
	if nearest := Nearest(name, known); nearest != "" {
		return fmt.Sprintf("did you mean %s?", nearest)
	}
	if len(known) == 0 {
		return "there is none"
	}
	list := slices.Sorted(slices.Values(known))
	if len(list) > maxListed {
		return fmt.Sprintf("known are %s and %d more", strings.Join(list[:maxListed], ", "), len(list)-maxListed)
	}
	return "known are " + strings.Join(list, ", ")
}

// Nearest gives the known name that a person most likely meant, or "". Case and the separators - _ and space do
// not count as a difference.
func Nearest(name string, known []string) string {
	best, least := "", max(1, len([]rune(name))/3)+1
	for _, candidate := range known {
		if d := distance(plain(name), plain(candidate)); d < least {
			best, least = candidate, d
		}
	}
	return best
}

func plain(name string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "", `"`, "").Replace(strings.ToLower(name))
}

// distance counts inserted, removed, changed and swapped characters (optimal string alignment).
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	rows := make([][]int, len(from)+1)
	for i := range rows {
		rows[i] = make([]int, len(to)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(from); i++ {
		for j := 1; j <= len(to); j++ {
			rows[i][j] = step(rows, from, to, i, j)
		}
	}
	return rows[len(from)][len(to)]
}

func step(rows [][]int, from, to []rune, i, j int) int {
	cost := 1
	if from[i-1] == to[j-1] {
		cost = 0
	}
	least := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
	if i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
		least = min(least, rows[i-2][j-2]+1)
	}
	return least
}
