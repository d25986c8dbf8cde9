package keyset

// Order is the way that the chunks of a run take through the key space. Zero is Ascending.
type Order string

// The ways. A range is (Lo, Hi] in both, and within a chunk the keys ascend in both.
const (
	Ascending  Order = "ascending"  // from the first key up to the bound
	Descending Order = "descending" // from the bound down to the first key
)

// Orders lists every way.
func Orders() []Order { return []Order{Ascending, Descending} }

// Left is what is left of the key space up to bound where the walk has come to at (nil: it has not begun).
func (o Order) Left(at, bound Point) Range {
	switch {
	case o != Descending:
		return Range{Lo: at, Hi: bound}
	case at == nil:
		return Range{Hi: bound}
	default:
		return Range{Hi: at}
	}
}

// Behind is where the walk stands when it has passed over a range: what comes next begins there.
func (o Order) Behind(r Range) Point {
	if o == Descending {
		return r.Lo
	}
	return r.Hi
}

// Ends tells whether nothing is left of the key space up to bound behind a range.
func (o Order) Ends(r Range, bound Point) bool {
	if o == Descending {
		return r.Lo == nil
	}
	return r.Hi.Same(bound)
}
