package change

// Verify is how a run of the change is verified after its end.
type Verify struct {
	// Query is the invariant of the definition, in parentheses; "": it has none. It gives one boolean, or one number of rows that
	// break it.
	Query  string `json:"query,omitempty"`
	Counts bool   `json:"counts,omitempty"` // it gives a number
	// Values: what a row should hold can be worked out again from the row, so rows are verified by value.
	Values bool   `json:"values,omitempty"`
	Unfit  string `json:"unfit,omitempty"` // why they are not
	// Left: which rows a deletion takes does not depend on the moment, so none of them may be left.
	Left bool `json:"left,omitempty"`
}

// Verifies tells whether rows are verified by value, and if not why.
func (c Change) Verifies() (values bool, why string) {
	if c.Verify == nil {
		return false, "the run began under a version that did not note whether its rows can be"
	}
	return c.Verify.Values, c.Verify.Unfit
}
