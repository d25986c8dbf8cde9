package pgtest

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
)

// Message types of the protocol that tests cut at.
const (
	Sync          = 'S' // from the client: the end of a pipeline, where an implicit transaction commits
	ReadyForQuery = 'Z' // from the server: the answer to it
)

// Cut decides about a message that passes a proxy: true cuts the connection in place of passing it on.
type Cut func(fromServer bool, kind byte) bool

// Proxy stands between a client and a real server, and cuts connections when it is told to.
type Proxy struct {
	URL    string
	server string
	cut    atomic.Pointer[Cut]
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
	p := &Proxy{server: address.Host}
	address.Host, address.RawQuery = listener.Addr().String(), "sslmode=disable"
	p.URL = address.String()
	p.CutWhen(func(bool, byte) bool { return false })
	go p.accept(listener)
	return p
}

// CutWhen sets the rule. It sees every message of every connection, from several goroutines.
func (p *Proxy) CutWhen(cut Cut) { p.cut.Store(&cut) }

func (p *Proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		go p.pass(client, server, false)
		go p.pass(server, client, true)
	}
}

// pass copies message by message; the client's first one has no type byte.
func (p *Proxy) pass(from, to net.Conn, fromServer bool) {
	defer func() { _ = from.Close(); _ = to.Close() }()
	for typed := fromServer; ; typed = true {
		message, err := read(from, typed)
		if err != nil || typed && (*p.cut.Load())(fromServer, message[0]) {
			return
		}
		if _, err := to.Write(message); err != nil {
			return
		}
	}
}

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
