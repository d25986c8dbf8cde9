package transform

// Printed is a value's text.
func Printed(v Value) string { return v.text }
