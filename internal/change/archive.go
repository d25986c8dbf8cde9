package change

// Archive is the table that rows are put into when they are deleted.
type Archive struct {
	Table Table `json:"table"`
	// Row are the columns that are copied, as the archive has them; it may have more.
	Row []Column `json:"row"`
}

// Deletes tells whether rows are gone after a change of the kind.
func (k Kind) Deletes() bool { return k == Delete || k == Archived }
