package change

// Join is how a row finds the rows of other tables that it is written from.
type Join struct {
	From []Source `json:"from"`
	On   string   `json:"on"`
	// Unmatched: a row that finds none is written all the same, with their columns NULL; else it is left alone.
	Unmatched bool `json:"unmatched,omitempty"`
}

// Source is a table that is read, and what expressions call it.
type Source struct {
	Alias string `json:"alias"`
	Table Table  `json:"table"`
}
