package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

func (f *file) subjects() {
	secret, accounts := f.hash("subjects", "secret"), f.texts("subjects", "subjects")
	if len(accounts) > mostOfAccount {
		panic("too many subjects")
	}
	none, _ := treeAndPath(subjectLeaves(secret, nil), 0, subjectNode)
	f.is(hex.EncodeToString(none), "subjects", "root_of_none")
	root, _ := treeAndPath(subjectLeaves(secret, accounts), 0, subjectNode)
	f.is(hex.EncodeToString(root), "subjects", "root")
	f.is(f.subjectProof(secret, accounts, 0), "subjects", "proof")
	f.holds(checkSubject(f.at("subjects", "proof"), hex.EncodeToString(root)), "subjects", "proof")
}

func (f *file) subjectProof(secret []byte, accounts []string, subject int) map[string]any {
	leaves, salt := subjectLeaves(secret, accounts), subjectSalt(secret, subject)
	leaf := subjectLeaf(salt, accounts[subject])
	for place := range leaves {
		if bytes.Equal(leaves[place], leaf) {
			_, path := treeAndPath(leaves, place, subjectNode)
			return map[string]any{"account": accounts[subject], "salt": b64(salt), "place": place, "path": b64s(path)}
		}
	}
	panic("the subject is not in its tree")
}

func (f *file) record() {
	secret := f.hash("record", "secret")
	values := f.input("record", "values").(map[string]any)
	f.is(fieldNames, "record", "fields")
	made := newRecord(secret, values)
	f.is(hex.EncodeToString(fieldSalt(secret, 0)), "record", "salt_0")
	f.is(hex.EncodeToString(fieldSalt(secret, 31)), "record", "salt_31")
	f.is(hexes(made.digests), "record", "digests")
	f.is(hex.EncodeToString(made.blind), "record", "blind")
	f.is(hex.EncodeToString(made.commitment()), "record", "commitment")
	f.is(made.opening(audiences["user"]), "record", "opening_user")
	f.is(made.opening(survivesErasure), "record", "opening_erased")
	for _, name := range []string{"opening_user", "opening_erased"} {
		c, _, err := checkOpening(f.at("record", name))
		if err == nil && !bytes.Equal(c, made.commitment()) {
			err = fmt.Errorf("another commitment")
		}
		f.holds(err, "record", name)
	}
	f.is(f.at("subjects", "root"), "record", "values", "subjects_root")
}

func (f *file) epoch() {
	master, epoch := f.hash("epoch", "master"), f.integer("epoch", "epoch")
	tree := &epochTree{epoch: epoch, seed: epochSeed(master, epoch)}
	f.is(hex.EncodeToString(tree.seed), "epoch", "seed")
	f.is(hex.EncodeToString(tree.at(0, 0)), "epoch", "root_when_empty")
	tree.placed = map[int][]byte{}
	for _, name := range f.names("epoch", "placed") {
		place := must(strconv.Atoi(name))
		if place < 0 || place >= 1<<epochDepth || strconv.Itoa(place) != name {
			panic("a place outside of the epoch")
		}
		tree.placed[place] = f.hash("epoch", "placed", name)
	}
	f.is(f.at("record", "commitment"), "epoch", "placed", "4242")
	root := tree.at(0, 0)
	f.is(hex.EncodeToString(root), "epoch", "root")
	f.is(hexes(tree.path(4242)), "epoch", "path_of_4242")
	policyLeaf := must(parseLeaf([]byte(f.texts("log", "leaves")[0])))
	until := time.Unix((epoch+1)*policyLeaf["epoch_s"].(int64), 0).UTC()
	f.is(until.Format("2006-01-02T15:04:05Z"), "epoch", "until")
}

func (f *file) log() {
	var hashes [][]byte
	var bundle []byte
	leaves := f.texts("log", "leaves")
	for i, leaf := range leaves {
		f.holds(f.leaf(leaf), "log", "leaves", strconv.Itoa(i))
		hashes = append(hashes, leafHash([]byte(leaf)))
		bundle = append(bundle, lp(leaf)...)
	}
	f.is(hexes(hashes), "log", "leaf_hashes")
	roots := [][]byte{}
	for size := range leaves {
		roots = append(roots, logRoot(hashes[:size]))
	}
	root := logRoot(hashes)
	f.is(hexes(append(roots, root)), "log", "roots")
	size := int64(len(leaves))
	for _, name := range f.names("log", "inclusion") {
		index := must(strconv.Atoi(name))
		proof := inclusionProof(index, hashes)
		f.is(hexes(proof), "log", "inclusion", name)
		f.holds(tlog.CheckRecord(xHashes(proof), size, xHash(root), int64(index), xHash(hashes[index])), "log", "inclusion", name)
	}
	for _, name := range f.names("log", "consistency") {
		old := must(strconv.Atoi(name))
		proof := consistencyProof(old, hashes, true)
		f.is(hexes(proof), "log", "consistency", name)
		f.holds(tlog.CheckTree(tlog.TreeProof(xHashes(proof)), size, xHash(root), int64(old), xHash(roots[old])), "log", "consistency", name)
	}
	f.is(map[string]any{
		tilePath("0", 0, len(leaves)):       base64.StdEncoding.EncodeToString(bytes.Join(hashes, nil)),
		tilePath("entries", 0, len(leaves)): base64.StdEncoding.EncodeToString(bundle),
	}, "log", "tiles")
}

// leaf computes what a public leaf says about the other vectors, and checks its signatures.
func (f *file) leaf(text string) error {
	leaf, err := parseLeaf([]byte(text))
	if err != nil {
		return err
	}
	switch leaf["t"] {
	case "attest":
		return checkAttest(leaf)
	case "key":
		return checkKey(leaf, must(parseVkey(f.text("keys", "log", "vkey"))))
	case "policy":
		if leaf["intake"] != f.text("keys", "intake", "vkey") {
			return fmt.Errorf("the intake key is another one")
		}
	case "epoch":
		computed := canonical(map[string]any{
			"e": fmt.Sprintf("%010d", f.integer("epoch", "epoch")), "r": b64(f.hash("epoch", "root")),
			"t": "epoch", "ts": f.text("epoch", "until"), "v": version,
		})
		if text != string(computed) || len(text) != 115 {
			return fmt.Errorf("computed %s", computed)
		}
	}
	return nil
}
