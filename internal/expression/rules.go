package expression

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// checker walks the tokens with the brackets that are open.
type checker struct {
	text     string
	tokens   []token
	open     []token
	clause   bool // another clause has begun: what follows is no news
	lost     bool // a bracket closed the wrong one: depths mean nothing from there
	problems []Problem
}

func check(text string, tokens []token) []Problem {
	c := &checker{text: text, tokens: tokens}
	switch {
	case strings.TrimSpace(text) == "":
		c.refuse(0, "the expression is empty", "write an SQL expression; NULL is one")
	case strings.IndexByte(text, 0) >= 0:
		c.refuse(strings.IndexByte(text, 0), "there is a NUL character", "remove it; Postgres does not take it")
	case !utf8.ValidString(text):
		c.refuse(0, "the text is not UTF-8", "save the file as UTF-8")
	}
	for i, t := range tokens {
		c.token(i, t)
	}
	for _, t := range c.open {
		c.refuse(t.start, c.of(t)+" is never closed", "add "+closing(c.of(t)))
	}
	return c.problems
}

// maxDepth is far below what Postgres' parser has room for, and far above what anybody writes.
const maxDepth = 200

func (c *checker) token(i int, t token) {
	switch t.kind {
	case positional:
		c.refuse(t.start, c.of(t)+" is not a parameter here", "declare it under params and write @name")
	case word:
		c.word(i, t)
	case mark:
		if !c.lost {
			c.mark(t)
		}
	default: // the rest is Postgres' matter
	}
}

func (c *checker) mark(t token) {
	switch c.of(t) {
	case "(", "[":
		if c.open = append(c.open, t); len(c.open) == maxDepth+1 {
			c.refuse(t.start, fmt.Sprintf("parentheses are open more than %d deep", maxDepth), "close those that were left open, or take a function for what is so deep")
		}
	case ")", "]":
		c.close(t)
	case ";":
		c.refuse(t.start, "; ends a statement", "remove it; this is one expression")
	case ",":
		if len(c.open) == 0 {
			c.refuse(t.start, "a comma outside of parentheses would begin a second expression",
				"write each column of set on its own, and lists in parentheses")
		}
	}
}

func (c *checker) close(t token) {
	last := len(c.open) - 1
	switch {
	case last < 0:
		c.lost = true
		c.refuse(t.start, c.of(t)+" closes nothing", "remove it, or open it before")
	case closing(c.of(c.open[last])) != c.of(t):
		c.lost = true
		c.refuse(t.start, c.of(t)+" comes while "+c.of(c.open[last])+" is open", "close them in order")
		c.open = nil
	default:
		c.open = c.open[:last]
	}
}

// clauses are the words that, outside of parentheses, would end the expression and begin another clause.
const clauses = " AS DELETE EXCEPT FETCH FOR FROM GROUP HAVING INSERT INTERSECT INTO JOIN LIMIT OFFSET ON ORDER " +
	"RETURNING SELECT SET UNION UPDATE USING VALUES WHERE WINDOW "

// openers begin a query when they are the first word; elsewhere they are harmless (timestamp with time zone).
const openers = " MERGE TABLE WITH "

// word refuses the first word that begins another clause.
func (c *checker) word(i int, t token) {
	name := strings.ToUpper(c.of(t))
	if c.changes(i, name) {
		c.refuse(t.start, name+" changes data, and an expression only reads", "leave it out; what another table becomes is a definition of its own")
		return
	}
	found := strings.Contains(clauses, " "+name+" ") || i == 0 && strings.Contains(openers, " "+name+" ")
	if !found || len(c.open) > 0 || c.clause || c.harmless(i, name) {
		return
	}
	c.clause = true
	c.refuse(t.start, name+" begins another clause, and this is one expression",
		"put a subselect in parentheses, and a column of that name in double quotes")
}

// changes tells whether a statement that changes data begins behind a parenthesis. The same words can be names of columns.
func (c *checker) changes(i int, name string) bool {
	if i == 0 || c.of(c.tokens[i-1]) != "(" {
		return false
	}
	next := func(distance int) string {
		if i+distance < len(c.tokens) {
			return strings.ToUpper(c.of(c.tokens[i+distance]))
		}
		return ""
	}
	switch name {
	case "DELETE":
		return next(1) == "FROM"
	case "INSERT", "MERGE":
		return next(1) == "INTO"
	case "UPDATE":
		return c.updates(i)
	}
	return false
}

// updates tells whether UPDATE is followed by a name, which may have a schema and an alias, and SET.
func (c *checker) updates(i int) bool {
	for j := i + 1; j < len(c.tokens); j++ {
		switch t := c.tokens[j]; {
		case t.kind == word && strings.EqualFold(c.of(t), "SET"):
			return j > i+1
		case t.kind != word && t.kind != quoted && c.of(t) != ".":
			return false
		}
	}
	return false
}

// harmless knows the phrases in which such a word is part of an expression.
func (c *checker) harmless(i int, name string) bool {
	if i == 0 {
		return false
	}
	switch before := strings.ToUpper(c.of(c.tokens[i-1])); name {
	case "FROM":
		return before == "DISTINCT" || before == "."
	case "GROUP":
		return before == "WITHIN" || before == "."
	default:
		return before == "."
	}
}

func (c *checker) of(t token) string { return c.text[t.start:t.end] }

func (c *checker) refuse(offset int, message, remedy string) {
	c.problems = append(c.problems, Problem{Offset: offset, Message: message, Remedy: remedy})
}

func closing(open string) string {
	if open == "[" {
		return "]"
	}
	return ")"
}
