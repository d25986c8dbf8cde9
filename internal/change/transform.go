package change

// Function is the Go function of a transform, with the columns that it works on. A worker whose build has another version of it must not go on with the run.
type Function struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Key     []Column `json:"key"`    // as in Change.Key, with their types
	Reads   []Column `json:"reads"`  // given to it beside the key
	Writes  []Column `json:"writes"` // taken from it
}
