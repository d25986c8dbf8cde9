package pgtest

import (
	"bytes"
	"encoding/binary"
	"io"
)

const (
	query   = 'Q' // from the client: a statement of the simple protocol
	execute = 'E' // from the client: has a statement executed
)

// read gives one message with its head.
func read(from io.Reader, typed bool) ([]byte, error) {
	head := make([]byte, 4, 5)
	if typed {
		head = head[:5]
	}
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint32(head[len(head)-4:]))
	body := make([]byte, length-4)
	_, err := io.ReadFull(from, body)
	return append(head, body...), err
}

// message tells what a rule sees, and follows the pipeline.
func (c *connection) message(raw []byte, fromServer bool) Message {
	m := Message{FromServer: fromServer, Kind: raw[0], Body: raw[5:]}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !fromServer {
		if c.ended {
			c.sql, c.runs = "", false
		}
		m.Statement = c.statement(m)
		c.sql += m.Statement
		c.runs = c.runs || m.Kind == query || m.Kind == execute
		c.ended = m.Kind == Sync || m.Kind == query
	}
	m.SQL, m.Runs = c.sql, c.runs
	return m
}

// statement is the SQL of a message that has some, or names a statement that was prepared before. Parse: name, statement;
// Bind: portal, name; each ended by a zero byte.
func (c *connection) statement(m Message) string {
	first, rest, _ := bytes.Cut(m.Body, []byte{0})
	second, _, _ := bytes.Cut(rest, []byte{0})
	switch m.Kind {
	case query:
		return string(first) + "\n"
	case Parse:
		sql := string(second) + "\n"
		if name := string(first); name != "" {
			c.prepared[name] = sql
		}
		return sql
	case Bind:
		return c.prepared[string(second)]
	default:
		return ""
	}
}
