package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"
)

const (
	intakeNote = "This paper arrived at the operator at the time named here, and the operator promises that the record of its " +
		"arrival stands in its public log no later than the epoch named here. This proves arrival, not authority: it does " +
		"not say that the paper is genuine, lawful or complete, or that anything will be handed over."
	epochsToSeal = 2
)

// promises computes specs/promise/vectors.json from specs/promise/README.md.
func (f *file) promises() {
	key, seed := must(parseVkey(f.text("vkey"))), f.hash("key_seed")
	private := ed25519.NewKeyFromSeed(seed)
	origin, label := f.text("origin"), f.text("case")
	public := []byte(private.Public().(ed25519.PublicKey))
	name := origin + "/intake"
	f.is((&vkey{name, keyID(name, plain, public), plain, public}).text(), "vkey")

	given := must(parseCanonical([]byte(f.text("receipt")))).(map[string]any)
	made := newRecord(f.hash("secret"), f.input("values").(map[string]any))
	received, isText := given["received_at"].(string)
	if !isText {
		panic("received_at is no text")
	}
	at := must(time.Parse("2006-01-02T15:04:05Z", received))
	paper := must(base64.StdEncoding.Strict().DecodeString(f.text("paper")))
	f.is(hex.EncodeToString(sha(paper)), "values", "paper_sha256")
	f.is(received[:7], "values", "month")
	opened := given["opening"].(map[string]any)["opened"].(map[string]any)
	receipt := map[string]any{
		"v": int64(version), "kind": "intake", "origin": origin, "case": label, "paper_sha256": hex.EncodeToString(sha(paper)),
		"received_at": received, "commitment": hex.EncodeToString(made.commitment()),
		"opening": made.opening(sortedNames(opened)), "note": intakeNote,
		"sealed_by_epoch": at.Unix()/f.integer("epoch_seconds") + epochsToSeal,
	}
	message := promiseMessage(receipt)
	f.is(hex.EncodeToString(message), "message")
	receipt["sig"] = b64(ed25519.Sign(private, message))
	f.is(string(canonical(receipt)), "receipt")
	f.holds(checkPromise([]byte(f.text("receipt")), key), "receipt")
	for _, name := range f.names("refused") {
		f.holds(refusedForOneMember(f.at("refused", name), receipt, key), "refused", name)
	}
}

func promiseMessage(receipt map[string]any) []byte {
	without := map[string]any{}
	for name, value := range receipt {
		if name != "sig" {
			without[name] = value
		}
	}
	message := append([]byte("dueprocess/intake/v1\n"), lp(receipt["origin"].(string))...)
	return append(append(message, lp(receipt["case"].(string))...), sha(canonical(without))...)
}

// refusedForOneMember checks that a vector is like the good receipt but for one member, and is refused.
func refusedForOneMember(value any, good map[string]any, key *vkey) error {
	forged, ok := value.(map[string]any)
	if !ok || len(forged) != len(good) {
		return fmt.Errorf("not a receipt with one member changed")
	}
	changed := 0
	for name := range good {
		if string(canonical(forged[name])) != string(canonical(good[name])) {
			changed++
		}
	}
	if changed != 1 {
		return fmt.Errorf("%d members differ", changed)
	}
	if checkPromise(canonical(forged), key) == nil {
		return fmt.Errorf("a forged receipt is accepted")
	}
	return nil
}

// checkPromise verifies an intake receipt under the operator's intake key.
func checkPromise(content []byte, key *vkey) error {
	value, err := parseCanonical(content)
	if err != nil {
		return err
	}
	receipt, err := members(value, "v", "kind", "origin", "case", "paper_sha256", "received_at", "commitment", "opening",
		"sealed_by_epoch", "note", "sig")
	if err != nil {
		return err
	}
	for name, fits := range map[string]shape{
		"kind": oneOf("intake"), "origin": matches(`(?s:.+)`), "case": isHex, "paper_sha256": digest, "received_at": instant,
		"commitment": digest, "sealed_by_epoch": between(0, 9_999_999_999), "note": oneOf(intakeNote), "sig": base64Of(64),
	} {
		if !fits(receipt[name]) {
			return fmt.Errorf("%s: %v", name, receipt[name])
		}
	}
	if receipt["v"] != int64(version) {
		return fmt.Errorf("version %v", receipt["v"])
	}
	if key.algorithm != plain || key.name != receipt["origin"].(string)+"/intake" {
		return fmt.Errorf("the intake key of another log")
	}
	if err := checkPlain(key, promiseMessage(receipt), receipt["sig"].(string)); err != nil {
		return err
	}
	return checkArrival(receipt)
}

// checkArrival checks that the opened record is the arrival of this paper.
func checkArrival(receipt map[string]any) error {
	c, values, err := checkOpening(receipt["opening"])
	if err != nil {
		return err
	}
	if err := checkAudience(values, "requester"); err != nil {
		return err
	}
	prev, opened := values["prev"]
	if hex.EncodeToString(c) != receipt["commitment"] || values["kind"] != "DemandReceived" || !opened || prev != nil ||
		values["paper_sha256"] != receipt["paper_sha256"] || values["month"] != receipt["received_at"].(string)[:7] {
		return fmt.Errorf("the opened record is not the arrival of this paper")
	}
	return nil
}
