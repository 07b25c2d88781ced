package main

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"regexp"
	"sort"
	"time"
)

// A shape says whether a member's value is allowed.
type shape func(value any) bool

func matches(pattern string) shape {
	compiled := regexp.MustCompile(`\A(?:` + pattern + `)\z`)
	return func(value any) bool {
		text, ok := value.(string)
		return ok && compiled.MatchString(text)
	}
}

func oneOf(texts ...string) shape {
	return func(value any) bool {
		text, ok := value.(string)
		return ok && contains(texts, text)
	}
}

func orNull(other shape) shape {
	return func(value any) bool { return value == nil || other(value) }
}

func between(least, most int64) shape {
	return func(value any) bool {
		number, ok := value.(int64)
		return ok && number >= least && number <= most
	}
}

func base64Of(length int) shape {
	return func(value any) bool {
		text, ok := value.(string)
		if !ok {
			return false
		}
		content, err := unb64(text)
		return err == nil && len(content) == length
	}
}

func vkeyOf(algorithms ...byte) shape {
	return func(value any) bool {
		text, ok := value.(string)
		if !ok {
			return false
		}
		key, err := parseVkey(text)
		return err == nil && bytes.IndexByte(algorithms, key.algorithm) >= 0
	}
}

func instant(value any) bool {
	text, ok := value.(string)
	if !ok {
		return false
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", text)
	return err == nil && at.Format("2006-01-02T15:04:05Z") == text
}

func day(value any) bool {
	text, ok := value.(string)
	if !ok {
		return false
	}
	_, err := time.Parse("2006-01-02", text)
	return err == nil
}

func risingIntegers(value any) bool {
	list, ok := value.([]any)
	before := int64(-1)
	for _, each := range list {
		number, isNumber := each.(int64)
		if !isNumber || number <= before || number > 1_000_000_000 {
			return false
		}
		before = number
	}
	return ok
}

func sortedModes(value any) bool {
	list, ok := value.([]any)
	var texts []string
	for _, each := range list {
		text, isText := each.(string)
		if !isText || !contains([]string{"two", "solo_cosigner", "solo_timelock", "after_the_fact"}, text) || contains(texts, text) {
			return false
		}
		texts = append(texts, text)
	}
	return ok && len(list) > 0 && sort.StringsAreSorted(texts)
}

var (
	digest  = matches(`[0-9a-f]{64}`)
	epochNo = matches(`[0-9]{10}`)
	half    = matches(`[0-9]{4}H[12]`)
)

var leafShapes = map[string]map[string]shape{
	"epoch": {"e": epochNo, "r": base64Of(32), "ts": instant},
	"policy": {
		"n": between(1, 1_000_000), "epoch_s": between(1, 86_400), "depth": between(1, 32), "k": between(1, 1_000_000),
		"delay_days": between(0, 36_500),
		"bands":      risingIntegers, "quorum_modes": sortedModes, "clock": oneOf("system", "simulated"),
		"witness_policy_sha256": digest, "sw_sha256": digest, "from": day, "intake": orNull(vkeyOf(plain)),
	},
	"register": {"period": half, "sha256": digest, "replaces": orNull(digest)},
	"report": {
		"period": half, "sha256": digest, "register_leaf": between(0, maxInteger), "code_sha256": digest, "replaces": orNull(digest),
	},
	"attest": {"period": half, "auditor": vkeyOf(plain), "statement_sha256": digest, "sig": base64Of(64)},
	"key":    {"op": oneOf("add", "retire"), "vkey": vkeyOf(plain, mlDSA44), "sig_by_old": base64Of(64)},
	"gap":    {"from_e": epochNo, "to_e": epochNo},
	"incident": {
		"code": oneOf("clock-moved", "epochs-late", "log-key-exposed", "operator-compromised", "record-lost",
			"software-fault", "store-restored", "tiles-damaged", "witness-lost"),
		"from_e": epochNo, "to_e": epochNo,
	},
}

// parseLeaf reads a public leaf in its one spelling.
func parseLeaf(content []byte) (map[string]any, error) {
	value, err := parseCanonical(content)
	if err != nil {
		return nil, err
	}
	leaf, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a leaf that is no object")
	}
	kind, _ := leaf["t"].(string)
	shapes := leafShapes[kind]
	if shapes == nil || leaf["v"] != int64(version) || len(leaf) != len(shapes)+2 {
		return nil, fmt.Errorf("a leaf of the kind %q with %d members, v %v", kind, len(leaf), leaf["v"])
	}
	for name, fits := range shapes {
		if value, found := leaf[name]; !found || !fits(value) {
			return nil, fmt.Errorf("%s of the %s leaf: %v", name, kind, value)
		}
	}
	if from, given := leaf["from_e"].(string); given && from > leaf["to_e"].(string) {
		return nil, fmt.Errorf("a %s leaf that ends before it begins", kind)
	}
	return leaf, nil
}

// checkAttest checks an auditor's signature.
func checkAttest(leaf map[string]any) error {
	auditor, err := parseVkey(leaf["auditor"].(string))
	if err != nil {
		return err
	}
	statement, err := hash16(leaf["statement_sha256"].(string))
	if err != nil {
		return err
	}
	return checkPlain(auditor, attestMessage(leaf["period"].(string), statement), leaf["sig"].(string))
}

func attestMessage(period string, statement []byte) []byte {
	return bytes.Join([][]byte{[]byte("dueprocess/attest/v1\n"), lp(period), statement}, nil)
}

func keyMessage(op, vkey string) []byte {
	return bytes.Join([][]byte{[]byte("dueprocess/key/v1\n"), lp(op), lp(vkey)}, nil)
}

// checkKey checks the signature of the key that was there before.
func checkKey(leaf map[string]any, old *vkey) error {
	return checkPlain(old, keyMessage(leaf["op"].(string), leaf["vkey"].(string)), leaf["sig_by_old"].(string))
}

func checkPlain(key *vkey, message []byte, text string) error {
	raw, err := unb64(text)
	if err != nil {
		return err
	}
	if key.algorithm == mlDSA44 || len(raw) != 64 || !ed25519.Verify(key.public, message, raw) {
		return fmt.Errorf("a bad signature by %s", key.name)
	}
	return nil
}
