package main

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// group counts its members; a witness is a group of one with a key.
type group struct {
	key     *vkey
	members []string
	need    int
}

type policy struct {
	logs   []*vkey
	groups map[string]*group
	order  []string
	quorum string
}

func parsePolicy(content []byte) (*policy, error) {
	for _, each := range content {
		if each < 0x20 && each != '\n' && each != '\t' || each == 0x7f {
			return nil, fmt.Errorf("a policy with control characters")
		}
	}
	if !bytes.HasSuffix(content, []byte("\n")) {
		return nil, fmt.Errorf("a policy that is cut off")
	}
	made := &policy{groups: map[string]*group{}}
	for _, line := range strings.Split(string(content), "\n") {
		words := strings.FieldsFunc(line, func(char rune) bool { return char == ' ' || char == '\t' })
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := made.add(words); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
	}
	if made.quorum == "" {
		return nil, fmt.Errorf("a policy without quorum")
	}
	return made, nil
}

func (p *policy) add(words []string) error {
	switch {
	case words[0] == "log" && (len(words) == 2 || len(words) == 3):
		return p.addLog(words[1])
	case words[0] == "witness" && (len(words) == 3 || len(words) == 4):
		key, err := parseVkey(words[2])
		if err != nil {
			return err
		}
		if key.algorithm == plain {
			return fmt.Errorf("a witness with a key of type %#x", key.algorithm)
		}
		if p.lists(key) {
			return fmt.Errorf("a key named twice")
		}
		return p.define(words[1], &group{key: key})
	case words[0] == "group" && len(words) >= 4:
		return p.addGroup(words[1], words[2], words[3:])
	case words[0] == "quorum" && len(words) == 2:
		if p.quorum != "" || words[1] != "none" && p.groups[words[1]] == nil {
			return fmt.Errorf("a second or unknown quorum")
		}
		p.quorum = words[1]
		return nil
	}
	return fmt.Errorf("not a line of a policy")
}

func (p *policy) addLog(text string) error {
	key, err := parseVkey(text)
	if err != nil {
		return err
	}
	if key.algorithm == cosignature {
		return fmt.Errorf("a log with a key of type %#x", key.algorithm)
	}
	if p.lists(key) {
		return fmt.Errorf("a key named twice")
	}
	p.logs = append(p.logs, key)
	return nil
}

// lists says whether a log or a witness has this public key already.
func (p *policy) lists(key *vkey) bool {
	for _, each := range p.logs {
		if bytes.Equal(each.public, key.public) {
			return true
		}
	}
	for _, each := range p.groups {
		if each.key != nil && bytes.Equal(each.key.public, key.public) {
			return true
		}
	}
	return false
}

func (p *policy) addGroup(name, need string, members []string) error {
	made := &group{members: members}
	switch number, err := strconv.Atoi(need); {
	case need == "all":
		made.need = len(members)
	case need == "any":
		made.need = 1
	case err == nil && number >= 1 && number <= len(members) && need[0] != '+':
		made.need = number
	default:
		return fmt.Errorf("%q of %d", need, len(members))
	}
	taken := map[string]bool{}
	for _, each := range p.groups {
		for _, member := range each.members {
			taken[member] = true
		}
	}
	for _, member := range members {
		if p.groups[member] == nil || taken[member] {
			return fmt.Errorf("the member %q is unknown or already in a group", member)
		}
		taken[member] = true
	}
	return p.define(name, made)
}

func (p *policy) define(name string, made *group) error {
	if name == "none" || p.groups[name] != nil {
		return fmt.Errorf("the name %q is taken", name)
	}
	p.groups[name] = made
	p.order = append(p.order, name)
	return nil
}

// met says whether the witnesses that cosigned are enough.
func (p *policy) met(cosigned map[string]int64, name string) bool {
	if name == "none" {
		return true
	}
	asked := p.groups[name]
	if asked.key != nil {
		_, found := cosigned[name]
		return found
	}
	count := 0
	for _, member := range asked.members {
		if p.met(cosigned, member) {
			count++
		}
	}
	return count >= asked.need
}

var (
	errUnknownLog = errors.New("unknown-log")
	errTooFew     = errors.New("quorum-not-met")
)

type openedCheckpoint struct {
	head
	text      string
	logs      []*vkey
	cosigned  map[string]int64 // by the witness's name in the policy
	unchecked []unchecked
}

// open reads a checkpoint and demands what the policy demands. ML-DSA-44 signatures count as good here:
// the caller hands them out to be checked elsewhere.
func (p *policy) open(content []byte) (*openedCheckpoint, error) {
	text, signatures, err := splitNote(content)
	if err != nil {
		return nil, err
	}
	parsed, err := parseHead(text)
	if err != nil {
		return nil, err
	}
	opened := &openedCheckpoint{head: *parsed, text: text, cosigned: map[string]int64{}}
	for _, key := range p.logs {
		_, found, err := opened.by(key, signatures)
		if err != nil {
			return nil, err
		}
		if found && key.name == opened.origin {
			opened.logs = append(opened.logs, key)
		}
	}
	for _, name := range p.order {
		if p.groups[name].key == nil {
			continue
		}
		at, found, err := opened.by(p.groups[name].key, signatures)
		if err != nil {
			return nil, err
		}
		if found && (at < 1 || at > lastSecond) {
			return nil, fmt.Errorf("a witness at the time %d", at)
		}
		if found {
			opened.cosigned[name] = at
		}
	}
	if opened.extended() && !opened.signedByEd25519() {
		return nil, fmt.Errorf("extension lines that no Ed25519 key of the log signed")
	}
	if len(opened.logs) == 0 {
		return nil, errUnknownLog
	}
	if !p.met(opened.cosigned, p.quorum) {
		return nil, errTooFew
	}
	return opened, nil
}

func (o *openedCheckpoint) extended() bool { return strings.Count(o.text, "\n") > 3 }

func (o *openedCheckpoint) signedByEd25519() bool {
	for _, key := range o.logs {
		if key.algorithm == plain {
			return true
		}
	}
	return false
}

func (o *openedCheckpoint) by(key *vkey, signatures []signature) (int64, bool, error) {
	found, at := false, int64(0)
	for _, each := range signatures {
		if each.name != key.name || each.id != key.id {
			continue
		}
		if found {
			return 0, false, fmt.Errorf("two signatures by %s", key.name)
		}
		stamp, open, err := key.verify(o.text, each.raw)
		if err != nil {
			return 0, false, err
		}
		if open != nil {
			o.unchecked = append(o.unchecked, *open)
		}
		found, at = true, stamp
	}
	return at, found, nil
}

// witnessedAt is the latest instant T such that the witnesses with times from T on still meet the quorum.
func (p *policy) witnessedAt(cosigned map[string]int64) (int64, bool) {
	if p.quorum == "none" || !p.met(cosigned, p.quorum) {
		return 0, false
	}
	var times []int64
	for _, at := range cosigned {
		times = append(times, at)
	}
	sort.Slice(times, func(i, j int) bool { return times[i] > times[j] })
	for _, at := range times {
		left := map[string]int64{}
		for name, each := range cosigned {
			if each >= at {
				left[name] = each
			}
		}
		if p.met(left, p.quorum) {
			return at, true
		}
	}
	return 0, false
}

// witnessed says whether a quorum is demanded and met.
func (p *policy) witnessed(cosigned map[string]int64) bool {
	return p.quorum != "none" && p.met(cosigned, p.quorum)
}

// smallest leaves out each line of an ML-DSA-44 key of the policy without which the policy accepts the note.
func (p *policy) smallest(content []byte) ([]byte, error) {
	text, signatures, err := splitNote(content)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(signatures); i++ {
		if !p.knowsMLDSA(signatures[i]) {
			continue
		}
		left := append(append([]signature{}, signatures[:i]...), signatures[i+1:]...)
		if _, err := p.open(joinNote(text, left)); err == nil {
			signatures = left
			i--
		}
	}
	return joinNote(text, signatures), nil
}

func (p *policy) knowsMLDSA(found signature) bool {
	for _, key := range append(append([]*vkey{}, p.logs...), p.witnesses()...) {
		if key.algorithm == mlDSA44 && key.name == found.name && key.id == found.id {
			return true
		}
	}
	return false
}

func (p *policy) witnesses() []*vkey {
	var keys []*vkey
	for _, name := range p.order {
		if key := p.groups[name].key; key != nil {
			keys = append(keys, key)
		}
	}
	return keys
}

func joinNote(text string, signatures []signature) []byte {
	content := text + "\n"
	for _, each := range signatures {
		content += fmt.Sprintf("— %s %s\n", each.name, b64(append(u32(int(each.id)), each.raw...)))
	}
	return []byte(content)
}
