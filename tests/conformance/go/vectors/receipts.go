package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

func (f *file) leafHashes() [][]byte {
	var hashes [][]byte
	for _, leaf := range f.texts("log", "leaves") {
		hashes = append(hashes, leafHash([]byte(leaf)))
	}
	return hashes
}

func (f *file) headText() string {
	hashes := f.leafHashes()
	return fmt.Sprintf("%s\n%d\n%s\n", f.key("log").name, len(hashes), b64(logRoot(hashes)))
}

// checkpoint signs the head again and judges it under each policy.
func (f *file) checkpoint() {
	text := f.headText()
	f.is(text, "checkpoint", "text")
	lines := []signature{f.line("log", text), f.line("log_ml_dsa_44", text), f.line("w1", text), f.line("w2", text)}
	note := joinNote(text, lines)
	f.is(string(note), "checkpoint", "note")
	near := f.policyOf("near")
	f.is(string(must(near.smallest(note))), "checkpoint", "note_as_small_as_near_allows")
	f.is(string(must(f.policyOf("both").smallest(note))), "checkpoint", "note_as_small_as_both_allows")
	list, _ := f.at("checkpoint", "policies").([]any)
	for i := range list {
		f.judge(note, strconv.Itoa(i))
	}
}

// policyOf is the first policy of the vectors with another quorum.
func (f *file) policyOf(quorum string) *policy {
	made := *must(parsePolicy([]byte(f.text("checkpoint", "policies", "0", "policy"))))
	made.quorum = quorum
	return &made
}

func (f *file) judge(note []byte, number string) {
	p := must(parsePolicy([]byte(f.text("checkpoint", "policies", number, "policy"))))
	opened, err := p.open(note)
	var refused, at any
	if err != nil {
		refused = err.Error()
	} else if seconds, witnessed := p.witnessedAt(opened.cosigned); witnessed {
		at = time.Unix(seconds, 0).UTC().Format("2006-01-02T15:04:05Z")
	}
	f.is(refused, "checkpoint", "policies", number, "refused")
	f.is(at, "checkpoint", "policies", number, "witnessed_at")
}

func (f *file) receipt() {
	p := must(parsePolicy([]byte(f.text("receipt", "policy"))))
	for _, key := range append(append([]*vkey{}, p.logs...), p.witnesses()...) {
		f.holds(f.listed(key), "receipt", "policy")
	}
	text := f.headText()
	checkpoint := string(joinNote(text, []signature{f.line("log", text), f.line("w1", text)}))
	f.is(checkpoint, "receipt", "checkpoint")
	hashes := f.leafHashes()
	proof := formatProof(2, inclusionProof(2, hashes), checkpoint)
	f.is(proof, "receipt", "proof")
	alone := formatProof(2, inclusionProof(2, hashes), string(joinNote(text, []signature{f.line("log", text)})))
	user, erased := f.at("record", "opening_user"), f.at("record", "opening_erased")
	unwitnessed := must(parsePolicy([]byte(f.text("receipt", "policy_unwitnessed"))))
	f.holds(isUnwitnessedForm(unwitnessed, p), "receipt", "policy_unwitnessed")
	f.wholeReceipt(p, whole{"receipt", "user", user, f.at("subjects", "proof"), proof, false})
	f.wholeReceipt(unwitnessed, whole{"unwitnessed", "user", user, f.at("subjects", "proof"), alone, true})
	f.wholeReceipt(p, whole{"erased", "auditor", erased, nil, proof, false})
	f.is(len(f.text("receipt", "receipt")), "receipt", "receipt_bytes")
}

// isUnwitnessedForm says whether one policy accepts the other's logs and demands no witness.
func isUnwitnessedForm(one, other *policy) error {
	if one.quorum != "none" || len(one.logs) != len(other.logs) {
		return fmt.Errorf("not the unwitnessed form of the policy")
	}
	for i := range one.logs {
		if one.logs[i].text() != other.logs[i].text() {
			return fmt.Errorf("other logs than the policy's")
		}
	}
	return nil
}

// listed says whether a key of the policy is one of the vectors' keys.
func (f *file) listed(key *vkey) error {
	for _, name := range f.names("keys") {
		if f.text("keys", name, "vkey") == key.text() {
			return nil
		}
	}
	return fmt.Errorf("%.60s is none of the keys", key.text())
}

type whole struct {
	name, audience   string
	opening, subject any
	proof            string
	unwitnessed      bool
}

// wholeReceipt builds a receipt from the other vectors (only the case's label is free) and verifies it.
func (f *file) wholeReceipt(p *policy, parts whole) {
	given := must(parseCanonical([]byte(f.text("receipt", parts.name)))).(map[string]any)
	path := [][]byte{}
	for _, each := range f.texts("epoch", "path_of_4242") {
		path = append(path, must(hash16(each)))
	}
	receipt := map[string]any{
		"v": version, "origin": f.key("log").name, "audience": parts.audience, "case": given["case"],
		"unwitnessed": parts.unwitnessed, "note": noteFor(parts.unwitnessed),
		"records": []any{map[string]any{
			"epoch": f.integer("epoch", "epoch"), "place": 4242, "path": b64s(path), "opening": parts.opening,
			"subject": parts.subject, "leaf": f.texts("log", "leaves")[2], "proof": parts.proof,
		}},
	}
	receipt["sha256"] = hex.EncodeToString(sha(canonical(receipt)))
	f.is(string(canonical(receipt)), "receipt", parts.name)
	_, err := checkReceipt([]byte(f.text("receipt", parts.name)), p)
	f.holds(err, "receipt", parts.name)
}

func same(given, computed string) error {
	if given != computed {
		return fmt.Errorf("computed %.200s", computed)
	}
	return nil
}
