package assembly

// Several has what a function makes for a database, once for each of the stack, when it is first asked for: an environment that only ever works in
// one of them has one connection.
type Several[T any] struct {
	stack *Stack
	build func(Base) T
	built map[string]T
}

// Build has it made by build.
func Build[T any](stack *Stack, build func(Base) T) *Several[T] {
	return &Several[T]{stack: stack, build: build, built: map[string]T{}}
}

// For is that of a database; "": the stack's own. One that the stack does not have (any more) is an error of class failure.Permanent.
func (s *Several[T]) For(database string) (T, error) {
	if built, ok := s.built[database]; ok {
		return built, nil
	}
	if err := s.stack.Databases().Kept(database); err != nil {
		var none T
		return none, err
	}
	s.built[database] = s.build(s.stack.base(database))
	return s.built[database], nil
}
