// Verify checks a log directory in the layout of C2SP tlog-tiles with other people's code:
// golang.org/x/mod/sumdb/note opens the checkpoints, golang.org/x/mod/sumdb/tlog computes the tree,
// the inclusion proofs and the consistency proofs. Only the paths of the tiles are read here, because
// x/mod lays them out in another way (tile/8/0/x001/234 for tile/0/x001/234).
//
//	verify LOGDIR VKEY [-proofs FILE] [OLD-CHECKPOINT ...]
//
// Prints one JSON object, or an error and exit code 1.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const width = 256

type head struct {
	origin string
	size   int64
	root   tlog.Hash
}

type verdict struct {
	Origin      string `json:"origin"`
	Size        int64  `json:"size"`
	Root        string `json:"root"`
	Tiles       int    `json:"tiles"`
	Inclusion   int    `json:"inclusion"`
	Consistency int    `json:"consistency"`
	Old         int    `json:"old"`
	Given       int    `json:"given"`
}

type givenProofs struct {
	Inclusion []struct {
		Index, Size int64
		Leaf, Root  string
		Hashes      []string
	}
	Consistency []struct {
		Old, New         int64
		OldRoot, NewRoot string
		Hashes           []string
	}
}

// stored holds the hashes of complete subtrees in the order of tlog.StoredHashIndex.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("no stored hash %d", index)
		}
		found[i] = s[index]
	}
	return found, nil
}

func main() {
	result, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(result)
}

func run(args []string) (*verdict, error) {
	if len(args) < 2 {
		return nil, fmt.Errorf("usage: verify LOGDIR VKEY [-proofs FILE] [OLD-CHECKPOINT ...]")
	}
	dir, vkey, rest := args[0], args[1], args[2:]
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("vkey: %w", err)
	}
	now, err := open(filepath.Join(dir, "checkpoint"), verifier)
	if err != nil {
		return nil, err
	}
	result := &verdict{Origin: now.origin, Size: now.size, Root: now.root.String()}
	tree, err := build(dir, now, result)
	if err != nil {
		return nil, err
	}
	if len(rest) > 1 && rest[0] == "-proofs" {
		if err := checkGiven(rest[1], result); err != nil {
			return nil, err
		}
		rest = rest[2:]
	}
	if err := checkInclusion(tree, now, result); err != nil {
		return nil, err
	}
	if err := checkConsistency(tree, now, result); err != nil {
		return nil, err
	}
	for _, path := range rest {
		if err := checkOld(path, verifier, tree, now, result); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// open reads a checkpoint whose signature verifies under the key.
func open(path string, verifier note.Verifier) (*head, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	opened, err := note.Open(content, note.VerifierList(verifier))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		return nil, fmt.Errorf("%s: not a checkpoint of this log", path)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return nil, fmt.Errorf("%s: bad size %q", path, lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return nil, fmt.Errorf("%s: bad root: %w", path, err)
	}
	return &head{lines[0], size, root}, nil
}

// build hashes every entry into a tree, compares every tile with it, and the root with the checkpoint.
func build(dir string, now *head, result *verdict) (stored, error) {
	var tree stored
	for number := int64(0); number*width < now.size; number++ {
		count := min(width, now.size-number*width)
		entries, err := readBundle(dir, number, count)
		if err != nil {
			return nil, err
		}
		for at, entry := range entries {
			hashes, err := tlog.StoredHashesForRecordHash(number*width+int64(at), tlog.RecordHash(entry), tree)
			if err != nil {
				return nil, err
			}
			tree = append(tree, hashes...)
		}
	}
	for level := 0; now.size>>(8*level) > 0; level++ {
		hashes := now.size >> (8 * level)
		for number := int64(0); number*width < hashes; number++ {
			if err := checkTile(dir, level, number, min(width, hashes-number*width), tree); err != nil {
				return nil, err
			}
			result.Tiles++
		}
	}
	root, err := tlog.TreeHash(now.size, tree)
	if err != nil {
		return nil, err
	}
	if root != now.root {
		return nil, fmt.Errorf("the tiles have the root %v, the checkpoint says %v", root, now.root)
	}
	return tree, nil
}

func readBundle(dir string, number, count int64) ([][]byte, error) {
	path := tilePath(dir, "entries", number, count)
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(content) >= 2 {
		length := int(content[0])<<8 | int(content[1])
		if len(content) < 2+length {
			break
		}
		entries, content = append(entries, content[2:2+length]), content[2+length:]
	}
	if len(content) != 0 || int64(len(entries)) != count {
		return nil, fmt.Errorf("%s: not a bundle of %d entries", path, count)
	}
	return entries, nil
}

func checkTile(dir string, level int, number, count int64, tree stored) error {
	path := tilePath(dir, strconv.Itoa(level), number, count)
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if int64(len(content)) != count*tlog.HashSize {
		return fmt.Errorf("%s: %d bytes are not %d hashes", path, len(content), count)
	}
	for at := int64(0); at < count; at++ {
		var found tlog.Hash
		copy(found[:], content[at*tlog.HashSize:])
		if found != tree[tlog.StoredHashIndex(8*level, number*width+at)] {
			return fmt.Errorf("%s: hash %d is not that of the entries below it", path, at)
		}
	}
	return nil
}

func tilePath(dir, level string, number, count int64) string {
	path := fmt.Sprintf("%03d", number%1000)
	for number >= 1000 {
		number /= 1000
		path = fmt.Sprintf("x%03d/%s", number%1000, path)
	}
	if count < width {
		path = fmt.Sprintf("%s.p/%d", path, count)
	}
	return filepath.Join(dir, "tile", level, filepath.FromSlash(path))
}

// checkInclusion proves and checks every leaf, or 5,000 of them spread over a larger log.
func checkInclusion(tree stored, now *head, result *verdict) error {
	step := now.size/5000 + 1
	for index := int64(0); index < now.size; index += step {
		proof, err := tlog.ProveRecord(now.size, index, tree)
		if err != nil {
			return err
		}
		leaf := tree[tlog.StoredHashIndex(0, index)]
		if err := tlog.CheckRecord(proof, now.size, now.root, index, leaf); err != nil {
			return fmt.Errorf("leaf %d: %w", index, err)
		}
		result.Inclusion++
	}
	return nil
}

// checkConsistency proves and checks that the tree extends each of its older selves, or 100 of them spread.
func checkConsistency(tree stored, now *head, result *verdict) error {
	step := now.size/100 + 1
	for size := int64(1); size <= now.size; size += step {
		root, err := tlog.TreeHash(size, tree)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveTree(now.size, size, tree)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, now.size, now.root, size, root); err != nil {
			return fmt.Errorf("from %d leaves: %w", size, err)
		}
		result.Consistency++
	}
	return nil
}

func checkOld(path string, verifier note.Verifier, tree stored, now *head, result *verdict) error {
	old, err := open(path, verifier)
	if err != nil {
		return err
	}
	if old.size > now.size {
		return fmt.Errorf("%s: %d leaves then, only %d now", path, old.size, now.size)
	}
	if old.size == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(now.size, old.size, tree)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, now.size, now.root, old.size, old.root); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	result.Old++
	return nil
}

// checkGiven checks proofs that the other implementation made.
func checkGiven(path string, result *verdict) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var given givenProofs
	if err := json.Unmarshal(content, &given); err != nil {
		return err
	}
	for _, each := range given.Inclusion {
		hashes, err := parseHashes(append(each.Hashes, each.Leaf, each.Root))
		if err != nil {
			return err
		}
		last := len(hashes) - 2
		if err := tlog.CheckRecord(hashes[:last], each.Size, hashes[last+1], each.Index, hashes[last]); err != nil {
			return fmt.Errorf("given proof of leaf %d in %d: %w", each.Index, each.Size, err)
		}
		result.Given++
	}
	for _, each := range given.Consistency {
		hashes, err := parseHashes(append(each.Hashes, each.OldRoot, each.NewRoot))
		if err != nil {
			return err
		}
		last := len(hashes) - 2
		if err := tlog.CheckTree(hashes[:last], each.New, hashes[last+1], each.Old, hashes[last]); err != nil {
			return fmt.Errorf("given proof from %d to %d: %w", each.Old, each.New, err)
		}
		result.Given++
	}
	return nil
}

func parseHashes(texts []string) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(texts))
	for i, text := range texts {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(raw) != tlog.HashSize {
			return nil, fmt.Errorf("bad hash %q", text)
		}
		copy(hashes[i][:], raw)
	}
	return hashes, nil
}

func min(one, two int64) int64 {
	if one < two {
		return one
	}
	return two
}
