package chunk

// million is what a share is of.
const million = 1_000_000

// Chosen tells whether a chunk is of a canary by its number: of all as many as the share says, in millionths, evenly, the first among them. The function of
// that name in the database says the same.
func Chosen(number, share int64) bool { return share <= 0 || (number-1)*share%million < share }
