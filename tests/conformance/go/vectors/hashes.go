package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sort"
)

const (
	epochDepth    = 16
	subjectDepth  = 7
	mostOfAValue  = 65536
	mostOfAccount = 1 << subjectDepth
)

var fieldNames = []string{
	"event_sha256", "prev", "ledger_seq", "kind", "month", "demand_kind", "instrument", "basis",
	"country", "authority_class", "emergency", "nondisclosure", "nondisclosure_until", "categories", "accounts", "outcome",
	"narrowed", "quorum_mode", "witnessed", "approvals", "order_ref", "paper_sha256", "scope_sha256", "plan_sha256",
	"parcel_sha256", "notice", "subjects_root", "register_row", "reserved_1", "reserved_2", "reserved_3", "reserved_4",
}

var survivesErasure = []string{"event_sha256", "prev", "ledger_seq", "kind", "month"}

var forAll = []string{
	"prev", "kind", "month", "demand_kind", "instrument", "basis", "country", "authority_class", "emergency",
	"nondisclosure", "nondisclosure_until", "categories", "outcome", "narrowed", "quorum_mode", "witnessed",
}

var audiences = map[string][]string{
	"user":      append(append([]string{}, forAll...), "order_ref", "notice", "register_row", "subjects_root"),
	"requester": append(append([]string{}, forAll...), "order_ref", "paper_sha256", "scope_sha256", "parcel_sha256"),
	"auditor":   append(append([]string{}, forAll...), "notice", "register_row", "accounts", "approvals", "event_sha256", "ledger_seq"),
	"court": append(append([]string{}, forAll...), "order_ref", "paper_sha256", "scope_sha256", "parcel_sha256",
		"plan_sha256", "notice", "register_row", "subjects_root", "accounts", "approvals", "event_sha256"),
}

func sha(parts ...[]byte) []byte {
	digest := sha256.Sum256(bytes.Join(parts, nil))
	return digest[:]
}

func mac(key []byte, parts ...[]byte) []byte {
	keyed := hmac.New(sha256.New, key)
	keyed.Write(bytes.Join(parts, nil))
	return keyed.Sum(nil)
}

func u8(number int) []byte  { return []byte{byte(number)} }
func u16(number int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(number)) }
func u32(number int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(number)) }
func u64(number int64) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(number))
}

func lp(text string) []byte { return append(u16(len(text)), text...) }

// record holds the digests of 32 fields and the blind; with the secret also the salts.
type record struct {
	secret  []byte
	digests [][]byte
	blind   []byte
	values  map[string]any
}

func fieldSalt(secret []byte, j int) []byte {
	return mac(secret, []byte("dueprocess/salt/v1\n"), u8(j))
}

func fieldDigest(salt []byte, name string, value any) []byte {
	content := canonical(value)
	return sha([]byte("dueprocess/field/v1\n"), salt, u16(len(name)), u32(len(content)), []byte(name), content)
}

func newRecord(secret []byte, values map[string]any) *record {
	made := &record{secret: secret, blind: mac(secret, []byte("dueprocess/blind/v1\n")), values: values}
	for j, name := range fieldNames {
		made.digests = append(made.digests, fieldDigest(fieldSalt(secret, j), name, values[name]))
	}
	return made
}

func commitment(digests [][]byte, blind []byte) []byte {
	whole := sha([]byte("dueprocess/record/v1\n"), u8(32), bytes.Join(digests, nil))
	return mac(blind, []byte("dueprocess/slot/v1\n"), u8(1), whole)
}

func (r *record) commitment() []byte { return commitment(r.digests, r.blind) }

func (r *record) opening(names []string) map[string]any {
	digests, opened := []any{}, map[string]any{}
	for j, name := range fieldNames {
		digests = append(digests, b64(r.digests[j]))
		if contains(names, name) {
			opened[name] = map[string]any{"salt": b64(fieldSalt(r.secret, j)), "value": r.values[name]}
		}
	}
	return map[string]any{"v": int64(version), "digests": digests, "blind": b64(r.blind), "opened": opened}
}

// subjects

func subjectLeaf(salt []byte, account string) []byte {
	return sha([]byte("dueprocess/subject/v1\n"), salt, []byte(account))
}

func subjectSalt(secret []byte, i int) []byte {
	return mac(secret, []byte("dueprocess/subject-salt/v1\n"), u8(i))
}

func subjectLeaves(secret []byte, accounts []string) [][]byte {
	var leaves [][]byte
	for i := 0; i < mostOfAccount; i++ {
		if i < len(accounts) {
			leaves = append(leaves, subjectLeaf(subjectSalt(secret, i), accounts[i]))
		} else {
			leaves = append(leaves, mac(secret, []byte("dueprocess/subject-pad/v1\n"), u8(i)))
		}
	}
	sort.Slice(leaves, func(i, j int) bool { return bytes.Compare(leaves[i], leaves[j]) < 0 })
	return leaves
}

func subjectNode(left, right []byte) []byte { return sha(u8(5), left, right) }

// climb goes from a leaf to the root: bit k of the place is 1 where the hash on the way is the right child at step k.
func climb(leaf []byte, place int, path [][]byte, node func(left, right []byte) []byte) []byte {
	for k, sibling := range path {
		if place>>k&1 == 1 {
			leaf = node(sibling, leaf)
		} else {
			leaf = node(leaf, sibling)
		}
	}
	return leaf
}

// treeAndPath builds a full binary tree and gives its root and the path of the leaf at place.
func treeAndPath(leaves [][]byte, place int, node func(left, right []byte) []byte) ([]byte, [][]byte) {
	var path [][]byte
	for len(leaves) > 1 {
		path = append(path, leaves[place^1])
		var above [][]byte
		for i := 0; i < len(leaves); i += 2 {
			above = append(above, node(leaves[i], leaves[i+1]))
		}
		leaves, place = above, place>>1
	}
	return leaves[0], path
}

// epochTree computes the hash of every node it needs; it asks at each subtree whether a record is below.
type epochTree struct {
	epoch  int64
	seed   []byte
	placed map[int][]byte
}

func epochSeed(master []byte, epoch int64) []byte {
	return mac(master, []byte("dueprocess/epoch/v1\n"), u64(epoch))
}

func epochLeaf(epoch int64, place int, c []byte) []byte { return sha(u8(2), u64(epoch), u32(place), c) }

func epochNode(left, right []byte) []byte { return sha(u8(3), left, right) }

func (t *epochTree) at(depth, position int) []byte {
	if !t.used(depth, position) {
		return mac(t.seed, []byte("dueprocess/dummy/v1\n"), u8(depth), u32(position))
	}
	if depth == epochDepth {
		return epochLeaf(t.epoch, position, t.placed[position])
	}
	return epochNode(t.at(depth+1, 2*position), t.at(depth+1, 2*position+1))
}

func (t *epochTree) used(depth, position int) bool {
	for place := range t.placed {
		if place>>(epochDepth-depth) == position {
			return true
		}
	}
	return false
}

func (t *epochTree) path(place int) [][]byte {
	var path [][]byte
	for step := 0; step < epochDepth; step++ {
		path = append(path, t.at(epochDepth-step, place>>step^1))
	}
	return path
}

// the public log: RFC 6962, written from section 2.1

func leafHash(leaf []byte) []byte { return sha(u8(0), leaf) }

func largestPowerBelow(n int) int {
	k := 1
	for k*2 < n {
		k *= 2
	}
	return k
}

func logRoot(hashes [][]byte) []byte {
	switch len(hashes) {
	case 0:
		return sha()
	case 1:
		return hashes[0]
	}
	k := largestPowerBelow(len(hashes))
	return sha(u8(1), logRoot(hashes[:k]), logRoot(hashes[k:]))
}

func inclusionProof(m int, hashes [][]byte) [][]byte {
	if len(hashes) == 1 {
		return nil
	}
	k := largestPowerBelow(len(hashes))
	if m < k {
		return append(inclusionProof(m, hashes[:k]), logRoot(hashes[k:]))
	}
	return append(inclusionProof(m-k, hashes[k:]), logRoot(hashes[:k]))
}

func consistencyProof(m int, hashes [][]byte, whole bool) [][]byte {
	if m == len(hashes) {
		if whole {
			return nil
		}
		return [][]byte{logRoot(hashes)}
	}
	k := largestPowerBelow(len(hashes))
	if m <= k {
		return append(consistencyProof(m, hashes[:k], whole), logRoot(hashes[k:]))
	}
	return append(consistencyProof(m-k, hashes[k:], false), logRoot(hashes[:k]))
}

func tilePath(level string, number, count int) string {
	path := fmt.Sprintf("%03d", number%1000)
	for number >= 1000 {
		number /= 1000
		path = fmt.Sprintf("x%03d/%s", number%1000, path)
	}
	if count < 256 {
		path = fmt.Sprintf("%s.p/%d", path, count)
	}
	return "tile/" + level + "/" + path
}

func contains(list []string, text string) bool {
	for _, each := range list {
		if each == text {
			return true
		}
	}
	return false
}
