package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"strconv"
)

// keys derives the verifier keys from their seeds.
func (f *file) keys() {
	for _, name := range f.names("keys") {
		given := must(parseVkey(f.text("keys", name, "vkey")))
		f.is(int64(given.algorithm), "keys", name, "type")
		if given.algorithm == mlDSA44 {
			f.answer.Seeds = append(f.answer.Seeds, seeded{hex.EncodeToString(f.hash("keys", name, "seed")), b64(given.public)})
			f.mark(f.at("keys", name, "seed"), "handed out", "keys", name, "seed")
			f.mark(f.at("keys", name, "vkey"), "handed out", "keys", name, "vkey")
			continue
		}
		public := []byte(f.private(name).Public().(ed25519.PublicKey))
		made := &vkey{given.name, keyID(given.name, given.algorithm, public), given.algorithm, public}
		f.is(made.text(), "keys", name, "vkey")
	}
}

func (f *file) key(name string) *vkey { return must(parseVkey(f.text("keys", name, "vkey"))) }

func (f *file) private(name string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(f.hash("keys", name, "seed"))
}

// signedLeaves builds the leaves that carry signatures, and signs them again.
func (f *file) signedLeaves() {
	list, _ := f.at("signed_leaves").([]any)
	for i := range list {
		number := strconv.Itoa(i)
		leaf := must(parseLeaf([]byte(f.text("signed_leaves", number, "leaf"))))
		signer := f.text("signed_leaves", number, "signer")
		var message []byte
		var member string
		if leaf["t"] == "attest" {
			f.holds(same(leaf["auditor"].(string), f.key(signer).text()), "signed_leaves", number, "signer")
			message = attestMessage(leaf["period"].(string), must(hash16(leaf["statement_sha256"].(string))))
			member = "sig"
		} else {
			message, member = keyMessage(leaf["op"].(string), leaf["vkey"].(string)), "sig_by_old"
		}
		f.is(hex.EncodeToString(message), "signed_leaves", number, "message")
		leaf[member] = b64(ed25519.Sign(f.private(signer), message))
		f.is(string(canonical(leaf)), "signed_leaves", number, "leaf")
	}
}

// line signs a checkpoint's text. An ML-DSA-44 signature is taken from the note of the vectors, and handed out.
func (f *file) line(name, text string) signature {
	key := f.key(name)
	if key.algorithm == plain {
		return signature{key.name, key.id, ed25519.Sign(f.private(name), []byte(text))}
	}
	at := f.integer("checkpoint", "times", name)
	message := f.cosigned(name, text)
	f.is(hex.EncodeToString(message), "checkpoint", "messages", name)
	if key.algorithm == cosignature {
		return signature{key.name, key.id, append(u64(at), ed25519.Sign(f.private(name), message)...)}
	}
	_, signatures, err := splitNote([]byte(f.text("checkpoint", "note")))
	if err != nil {
		panic(err)
	}
	for _, each := range signatures {
		if each.name == key.name && each.id == key.id {
			_, handed, err := key.verify(text, each.raw)
			if err != nil {
				panic(err)
			}
			f.answer.MLDSA44 = append(f.answer.MLDSA44, *handed)
			return signature{key.name, key.id, append(u64(at), each.raw[8:]...)}
		}
	}
	panic("no line of " + name)
}

func (f *file) cosigned(name, text string) []byte {
	at, key := f.integer("checkpoint", "times", name), f.key(name)
	if key.algorithm == cosignature {
		return []byte(fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, text))
	}
	return must(cosignedMessage(key.name, at, text))
}
