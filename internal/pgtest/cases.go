package pgtest

import "flag"

// FewCases has each property tried on fewer cases than rapid has by itself (100), where the command line does not say how many: on a server a
// case is some hundred statements, and there are two servers. `make chaos` has 500. TestMain calls it, before the command line is read.
func FewCases() {
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err) // the package has no property
	}
}
