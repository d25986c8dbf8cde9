package pgtest

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// Message types of the protocol that tests cut at.
const (
	Parse         = 'P' // from the client: a statement
	Bind          = 'B' // from the client: a statement's values
	Sync          = 'S' // from the client: the end of a pipeline, where an implicit transaction commits
	ReadyForQuery = 'Z' // from the server: the answer to it
)

// Message is one that passes a proxy.
type Message struct {
	FromServer bool
	Kind       byte
	Body       []byte
	SQL        string // of the pipeline that it belongs to: the statements so far, one a line
	Statement  string // its own, or the one that it names
	Runs       bool   // they are executed, not only described
}

// Verdict is what becomes of a message.
type Verdict int

// The verdicts. A rule that does not return holds the message, and what comes after it.
const (
	Pass  Verdict = iota
	Cut           // the connection is cut in place of passing it on
	Halve         // half of it is passed on, then the connection is cut
)

// Rule decides about each message of each connection, from several goroutines.
type Rule func(Message) Verdict

// Proxy stands between a client and a real server, and cuts connections when it is told to.
type Proxy struct {
	URL    string
	server atomic.Pointer[string]
	rule   atomic.Pointer[Rule]
}

// NewProxy listens in front of the database until the test ends.
func NewProxy(t testing.TB, db Database) *Proxy {
	t.Helper()
	address, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	p := &Proxy{}
	p.Lead(address.Host)
	address.Host, address.RawQuery = listener.Addr().String(), "sslmode=disable"
	p.URL = address.String()
	p.Watch(func(Message) Verdict { return Pass })
	go p.accept(listener)
	return p
}

// Watch sets the rule.
func (p *Proxy) Watch(rule Rule) { p.rule.Store(&rule) }

// CutWhen sets a rule that only cuts, and only looks at the kind of a message.
func (p *Proxy) CutWhen(cut func(fromServer bool, kind byte) bool) {
	p.Watch(func(m Message) Verdict {
		if cut(m.FromServer, m.Kind) {
			return Cut
		}
		return Pass
	})
}

// Lead leads new connections to another server, HOST:PORT; those that are open stay where they are.
func (p *Proxy) Lead(server string) { p.server.Store(&server) }

func (p *Proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", *p.server.Load())
		if err != nil {
			_ = client.Close()
			continue
		}
		both := &connection{proxy: p, prepared: map[string]string{}}
		go both.pass(client, server, false)
		go both.pass(server, client, true)
	}
}

// connection is both directions of one connection.
type connection struct {
	proxy    *Proxy
	mutex    sync.Mutex
	prepared map[string]string // the SQL of statements that have a name
	sql      string
	runs     bool
	ended    bool // the client has ended the pipeline; its next message begins another
}

// pass copies message by message; the client's first one has no type byte.
func (c *connection) pass(from, to net.Conn, fromServer bool) {
	defer func() { _ = from.Close(); _ = to.Close() }()
	for typed := fromServer; ; typed = true {
		bytes, err := read(from, typed)
		if err != nil {
			return
		}
		verdict := Pass
		if typed {
			verdict = (*c.proxy.rule.Load())(c.message(bytes, fromServer))
		}
		if verdict == Cut {
			return
		}
		if verdict == Halve {
			_, _ = to.Write(bytes[:(len(bytes)+1)/2])
			return
		}
		if _, err := to.Write(bytes); err != nil {
			return
		}
	}
}
