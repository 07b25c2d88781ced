package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	witnessedNote = "These facts were recorded in the operator's log, and as many independent witnesses as its policy " +
		"demands have seen the log. A receipt proves what was recorded, not that nothing happened outside the log."
	unwitnessedNote = "These facts were recorded in the operator's log. Not enough independent witnesses vouch for the " +
		"log, or none: for the time, and for there being one log only, the operator alone vouches. A receipt proves " +
		"what was recorded, not that nothing happened outside the log."
	mostRecords = 1000
)

type inclusion struct {
	extra      []byte
	hasExtra   bool
	index      int64
	hashes     [][]byte
	checkpoint []byte
}

func parseProof(content string) (*inclusion, error) {
	rest, ok := cut(content, "c2sp.org/tlog-proof@v1\n")
	if !ok {
		return nil, fmt.Errorf("not a tlog-proof")
	}
	before, checkpoint, ok := strings.Cut(rest, "\n\n")
	if !ok {
		return nil, fmt.Errorf("a proof without checkpoint")
	}
	found := &inclusion{checkpoint: []byte(checkpoint)}
	lines := strings.Split(before, "\n")
	if text, given := cut(lines[0], "extra "); given {
		extra, err := unb64(text)
		if err != nil {
			return nil, err
		}
		found.extra, found.hasExtra, lines = extra, true, lines[1:]
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("a proof without index")
	}
	number, ok := cut(lines[0], "index ")
	if !ok {
		return nil, fmt.Errorf("a proof without index")
	}
	var err error
	if found.index, err = parseDecimal(number); err != nil {
		return nil, err
	}
	for _, line := range lines[1:] {
		hash, err := hash64(line)
		if err != nil {
			return nil, err
		}
		found.hashes = append(found.hashes, hash)
	}
	return found, nil
}

func formatProof(index int, hashes [][]byte, checkpoint string) string {
	text := fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", index)
	for _, hash := range hashes {
		text += b64(hash) + "\n"
	}
	return text + "\n" + checkpoint
}

func cut(text, prefix string) (string, bool) {
	return strings.TrimPrefix(text, prefix), strings.HasPrefix(text, prefix)
}

// xHash gives a hash to golang.org/x/mod/sumdb/tlog, whose checks of proofs are used throughout.
func xHash(content []byte) tlog.Hash {
	var hash tlog.Hash
	copy(hash[:], content)
	return hash
}

func xHashes(contents [][]byte) []tlog.Hash {
	hashes := make([]tlog.Hash, len(contents))
	for i, content := range contents {
		hashes[i] = xHash(content)
	}
	return hashes
}

// members gives the values of an object that has exactly these members.
func members(value any, names ...string) (map[string]any, error) {
	object, ok := value.(map[string]any)
	if !ok || len(object) != len(names) {
		return nil, fmt.Errorf("not an object with the members %v", names)
	}
	for _, name := range names {
		if _, found := object[name]; !found {
			return nil, fmt.Errorf("no member %s", name)
		}
	}
	return object, nil
}

func listOfHashes(value any, length int) ([][]byte, error) {
	list, ok := value.([]any)
	if !ok || len(list) != length {
		return nil, fmt.Errorf("not a list of %d hashes", length)
	}
	var hashes [][]byte
	for _, each := range list {
		hash, err := textHash(each)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

func textHash(value any) ([]byte, error) {
	text, ok := value.(string)
	if !ok {
		return nil, fmt.Errorf("%v is no text", value)
	}
	return hash64(text)
}

// checkOpening gives the commitment and the opened values.
func checkOpening(value any) ([]byte, map[string]any, error) {
	object, err := members(value, "v", "digests", "blind", "opened")
	if err != nil {
		return nil, nil, err
	}
	digests, err := listOfHashes(object["digests"], len(fieldNames))
	if err != nil {
		return nil, nil, err
	}
	blind, err := textHash(object["blind"])
	if err != nil {
		return nil, nil, err
	}
	opened, ok := object["opened"].(map[string]any)
	if !ok || object["v"] != int64(version) {
		return nil, nil, fmt.Errorf("an opening of another version, or without opened")
	}
	values := map[string]any{}
	for j, name := range fieldNames {
		field, given := opened[name]
		if !given {
			continue
		}
		if values[name], err = checkField(field, name, digests[j]); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(values) != len(opened) {
		return nil, nil, fmt.Errorf("an opened field that does not exist")
	}
	return commitment(digests, blind), values, nil
}

func checkField(value any, name string, digest []byte) (any, error) {
	object, err := members(value, "salt", "value")
	if err != nil {
		return nil, err
	}
	salt, err := textHash(object["salt"])
	if err != nil {
		return nil, err
	}
	if len(canonical(object["value"])) > mostOfAValue {
		return nil, fmt.Errorf("a value that is too long")
	}
	if strings.HasPrefix(name, "reserved_") && object["value"] != nil {
		return nil, fmt.Errorf("a value where null is reserved")
	}
	if !bytes.Equal(fieldDigest(salt, name, object["value"]), digest) {
		return nil, fmt.Errorf("the value does not fit its digest")
	}
	return object["value"], nil
}

func checkSubject(value any, root string) error {
	object, err := members(value, "account", "salt", "place", "path")
	if err != nil {
		return err
	}
	account, isText := object["account"].(string)
	place, isNumber := object["place"].(int64)
	if !isText || !isNumber || place < 0 || place >= mostOfAccount {
		return fmt.Errorf("a subject without account or place")
	}
	salt, err := textHash(object["salt"])
	if err != nil {
		return err
	}
	path, err := listOfHashes(object["path"], subjectDepth)
	if err != nil {
		return err
	}
	if hex.EncodeToString(climb(subjectLeaf(salt, account), int(place), path, subjectNode)) != root {
		return fmt.Errorf("the subject is not under subjects_root")
	}
	return nil
}

type receiptVerdict struct {
	starts, unbroken bool
	unwitnessed      bool
	unchecked        []unchecked
}

// checkReceipt does the five steps of "Receipt" for each record; the policy is all it needs.
func checkReceipt(content []byte, p *policy) (*receiptVerdict, error) {
	value, err := parseCanonical(content)
	if err != nil {
		return nil, err
	}
	receipt, err := members(value, "v", "origin", "audience", "case", "records", "unwitnessed", "note", "sha256")
	if err != nil {
		return nil, err
	}
	if err := checkEnvelope(receipt); err != nil {
		return nil, err
	}
	records := receipt["records"].([]any)
	verdict := &receiptVerdict{unbroken: true}
	epoch, before, shown := int64(0), "", map[string]bool{}
	for i, each := range records {
		found, err := checkRecord(each, receipt, p)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", i, err)
		}
		if found.epoch < epoch {
			return nil, fmt.Errorf("record %d is older than the one before", i)
		}
		if shown[found.commitment] {
			return nil, fmt.Errorf("record %d is shown twice", i)
		}
		shown[found.commitment] = true
		if i == 0 {
			verdict.starts = found.values["prev"] == nil
		} else if found.values["prev"] != before {
			verdict.unbroken = false
		}
		epoch, before = found.epoch, found.commitment
		verdict.unwitnessed = verdict.unwitnessed || !found.witnessed
		verdict.unchecked = append(verdict.unchecked, found.unchecked...)
	}
	if receipt["unwitnessed"] != verdict.unwitnessed {
		return nil, fmt.Errorf("unwitnessed is not what the checkpoints show")
	}
	return verdict, nil
}

func checkEnvelope(receipt map[string]any) error {
	records, isList := receipt["records"].([]any)
	audience, _ := receipt["audience"].(string)
	switch {
	case receipt["v"] != int64(version):
		return fmt.Errorf("version %v", receipt["v"])
	case audiences[audience] == nil:
		return fmt.Errorf("an audience that does not exist")
	case !isList || len(records) < 1 || len(records) > mostRecords:
		return fmt.Errorf("a receipt without records, or with too many")
	case receipt["case"] != nil && !isHex(receipt["case"]):
		return fmt.Errorf("a case that is not hexadecimal")
	}
	if _, isBool := receipt["unwitnessed"].(bool); !isBool {
		return fmt.Errorf("unwitnessed is neither true nor false")
	}
	if receipt["note"] != noteFor(receipt["unwitnessed"].(bool)) {
		return fmt.Errorf("another note")
	}
	without := map[string]any{}
	for name, value := range receipt {
		if name != "sha256" {
			without[name] = value
		}
	}
	if receipt["sha256"] != hex.EncodeToString(sha(canonical(without))) {
		return fmt.Errorf("the receipt is damaged")
	}
	return nil
}

func isHex(value any) bool { return matches(`[0-9a-f]{1,128}`)(value) }

func noteFor(unwitnessed bool) string {
	if unwitnessed {
		return unwitnessedNote
	}
	return witnessedNote
}

type foundRecord struct {
	epoch      int64
	commitment string
	values     map[string]any
	witnessed  bool
	unchecked  []unchecked
}

func checkRecord(value any, receipt map[string]any, p *policy) (*foundRecord, error) {
	object, err := members(value, "epoch", "place", "path", "opening", "subject", "leaf", "proof")
	if err != nil {
		return nil, err
	}
	c, values, err := checkOpening(object["opening"])
	if err != nil {
		return nil, err
	}
	audience := receipt["audience"].(string)
	if err := checkAudience(values, audience); err != nil {
		return nil, err
	}
	if subject := object["subject"]; subject != nil {
		root, _ := values["subjects_root"].(string)
		if audience != "user" {
			return nil, fmt.Errorf("a subject for another audience")
		}
		if err := checkSubject(subject, root); err != nil {
			return nil, err
		}
	}
	found := &foundRecord{commitment: hex.EncodeToString(c), values: values}
	if err := found.checkPath(object, c); err != nil {
		return nil, err
	}
	return found, found.checkProof(object, receipt["origin"], p)
}

func (f *foundRecord) checkPath(object map[string]any, c []byte) error {
	epoch, isNumber := object["epoch"].(int64)
	place, alsoNumber := object["place"].(int64)
	text, isText := object["leaf"].(string)
	if !isNumber || !alsoNumber || !isText || place < 0 || place >= 1<<epochDepth {
		return fmt.Errorf("an epoch, place or leaf of another type")
	}
	path, err := listOfHashes(object["path"], epochDepth)
	if err != nil {
		return err
	}
	leaf, err := parseLeaf([]byte(text))
	if err != nil {
		return err
	}
	if leaf["t"] != "epoch" || leaf["e"] != fmt.Sprintf("%010d", epoch) {
		return fmt.Errorf("not the leaf of epoch %d", epoch)
	}
	if b64(climb(epochLeaf(epoch, int(place), c), int(place), path, epochNode)) != leaf["r"] {
		return fmt.Errorf("the path does not lead to the epoch's root")
	}
	f.epoch = epoch
	return nil
}

func (f *foundRecord) checkProof(object map[string]any, origin any, p *policy) error {
	text, isText := object["proof"].(string)
	if !isText {
		return fmt.Errorf("a proof that is no text")
	}
	proof, err := parseProof(text)
	if err != nil {
		return err
	}
	if proof.hasExtra {
		return fmt.Errorf("extra in a receipt")
	}
	opened, err := p.open(proof.checkpoint)
	if err != nil {
		return err
	}
	if opened.origin != origin {
		return fmt.Errorf("a checkpoint of another log")
	}
	leaf := leafHash([]byte(object["leaf"].(string)))
	if proof.index >= opened.size {
		return fmt.Errorf("leaf %s is not in the log", strconv.FormatInt(proof.index, 10))
	}
	if err := tlog.CheckRecord(xHashes(proof.hashes), opened.size, xHash(opened.root), proof.index, xHash(leaf)); err != nil {
		return err
	}
	f.witnessed = p.witnessed(opened.cosigned)
	f.unchecked = opened.unchecked
	return nil
}

// checkAudience wants exactly the fields of the audience's list, or, for an auditor, those that an erasure keeps.
func checkAudience(values map[string]any, audience string) error {
	if audience == "auditor" && sameNames(values, survivesErasure) {
		return nil
	}
	if !sameNames(values, audiences[audience]) {
		return fmt.Errorf("other fields are opened than the audience %s sees", audience)
	}
	return nil
}

func sameNames(values map[string]any, names []string) bool {
	for _, name := range names {
		if _, found := values[name]; !found {
			return false
		}
	}
	return len(values) == len(names)
}
