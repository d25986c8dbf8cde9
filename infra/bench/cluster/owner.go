package cluster

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// owner is the account under which the servers run: Postgres refuses to be root. Its zero value is ours.
type owner struct {
	other    bool
	uid, gid int
}

// account is ours, and where that is root one that is not.
func account() (owner, error) {
	if os.Geteuid() != 0 {
		return owner{}, nil
	}
	var found *user.User
	err := error(nil)
	for _, candidate := range []string{"postgres", "nobody"} {
		if found, err = user.Lookup(candidate); err == nil {
			break
		}
	}
	if err != nil {
		return owner{}, fmt.Errorf("find an account for Postgres: %w", err)
	}
	uid, err := strconv.Atoi(found.Uid)
	if err != nil {
		return owner{}, fmt.Errorf("find an account for Postgres: %w", err)
	}
	gid, err := strconv.Atoi(found.Gid)
	if err != nil {
		return owner{}, fmt.Errorf("find an account for Postgres: %w", err)
	}
	return owner{other: true, uid: uid, gid: gid}, nil
}

func (o owner) give(file string) error {
	if !o.other {
		return nil
	}
	if err := os.Chown(file, o.uid, o.gid); err != nil {
		return fmt.Errorf("give a file to Postgres: %w", err)
	}
	return nil
}

// attributes of a process: its own group, so that a terminal's interrupt reaches us alone, and we end it in order.
func (o owner) attributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if o.other {
		attributes.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}
	}
	return attributes
}
