package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	plain       = 0x01
	cosignature = 0x04
	mlDSA44     = 0x06
)

type vkey struct {
	name      string
	id        uint32
	algorithm byte
	public    []byte
}

type signature struct {
	name string
	id   uint32
	raw  []byte
}

// unchecked is an ML-DSA-44 signature: Go 1.19 has no ML-DSA, so the message is handed out for another program.
type unchecked struct {
	Public    string `json:"public"`
	Message   string `json:"message"`
	Signature string `json:"signature"`
}

// seeded is an ML-DSA-44 key with the seed that it comes from, for the same reason.
type seeded struct {
	Seed   string `json:"seed"`
	Public string `json:"public"`
}

const lastSecond = 253402300799 // the end of the year 9999

func keyID(name string, algorithm byte, public []byte) uint32 {
	return binary.BigEndian.Uint32(sha([]byte(name+"\n"), u8(int(algorithm)), public))
}

func validName(name string) bool {
	if name == "" || !utf8.ValidString(name) || strings.Contains(name, "+") {
		return false
	}
	for _, char := range name {
		if unicode.IsSpace(char) || char < 0x20 {
			return false
		}
	}
	return true
}

func parseVkey(text string) (*vkey, error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 || !validName(parts[0]) {
		return nil, fmt.Errorf("%q is no vkey", text)
	}
	id, err := hex.DecodeString(parts[1])
	if err != nil || len(id) != 4 || hex.EncodeToString(id) != parts[1] {
		return nil, fmt.Errorf("%q is no key id", parts[1])
	}
	key, err := unb64(parts[2])
	if err != nil {
		return nil, err
	}
	if len(key) < 2 {
		return nil, fmt.Errorf("%q has no key", text)
	}
	made := &vkey{parts[0], binary.BigEndian.Uint32(id), key[0], key[1:]}
	if made.id != keyID(made.name, made.algorithm, made.public) {
		return nil, fmt.Errorf("the key id of %q is not that of its key", text)
	}
	return made, made.check()
}

func (k *vkey) check() error {
	switch {
	case k.algorithm == mlDSA44 && len(k.public) == 1312 && len(k.name) <= 255:
		return nil
	case (k.algorithm == plain || k.algorithm == cosignature) && len(k.public) == 32:
		return strongPoint(k.public)
	}
	return fmt.Errorf("a key of type %#x with %d bytes", k.algorithm, len(k.public))
}

func (k *vkey) text() string {
	return fmt.Sprintf("%s+%08x+%s", k.name, k.id, b64(append(u8(int(k.algorithm)), k.public...)))
}

// smallOrder are the encodings of the eight points whose order divides eight, without the sign.
var smallOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// strongPoint refuses points of small order, encodings of y that are not below the prime, and what is no point.
func strongPoint(public []byte) error {
	without := append([]byte{}, public...)
	without[31] &= 0x7f
	if contains(smallOrder, hex.EncodeToString(without)) {
		return fmt.Errorf("a key of small order")
	}
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	y := new(big.Int).SetBytes(reversed(without))
	if y.Cmp(prime) >= 0 {
		return fmt.Errorf("a key that is not in its one encoding")
	}
	// x² = (y² - 1) / (d·y² + 1) must have a root.
	d, _ := new(big.Int).SetString("37095705934669439343138083508754565189542113879843219016388785533085940283555", 10)
	one, square := big.NewInt(1), new(big.Int).Mul(y, y)
	above := new(big.Int).Mod(new(big.Int).Sub(square, one), prime)
	below := new(big.Int).Mod(new(big.Int).Add(new(big.Int).Mul(d, square), one), prime)
	x2 := new(big.Int).Mod(new(big.Int).Mul(above, new(big.Int).ModInverse(below, prime)), prime)
	if big.Jacobi(x2, prime) == -1 {
		return fmt.Errorf("a key that is no point of the curve")
	}
	return nil
}

func reversed(content []byte) []byte {
	turned := make([]byte, len(content))
	for i, each := range content {
		turned[len(content)-1-i] = each
	}
	return turned
}

// splitNote gives the text and the signature lines; it checks no signature.
func splitNote(content []byte) (string, []signature, error) {
	if !utf8.Valid(content) {
		return "", nil, fmt.Errorf("a note that is not UTF-8")
	}
	for _, each := range content {
		if each < 0x20 && each != '\n' {
			return "", nil, fmt.Errorf("a note with control characters")
		}
	}
	at := bytes.LastIndex(content, []byte("\n\n"))
	if at < 0 || !bytes.HasSuffix(content, []byte("\n")) || at+2 == len(content) {
		return "", nil, fmt.Errorf("a note without signatures")
	}
	var found []signature
	for _, line := range strings.Split(strings.TrimSuffix(string(content[at+2:]), "\n"), "\n") {
		each, err := parseSignature(line)
		if err != nil {
			return "", nil, err
		}
		found = append(found, *each)
	}
	if len(found) > 100 {
		return "", nil, fmt.Errorf("%d signatures", len(found))
	}
	return string(content[:at+1]), found, nil
}

func parseSignature(line string) (*signature, error) {
	if !strings.HasPrefix(line, "— ") {
		return nil, fmt.Errorf("%q is no signature line", line)
	}
	parts := strings.Split(strings.TrimPrefix(line, "— "), " ")
	if len(parts) != 2 || !validName(parts[0]) {
		return nil, fmt.Errorf("%q is no signature line", line)
	}
	content, err := unb64(parts[1])
	if err != nil {
		return nil, err
	}
	if len(content) < 5 {
		return nil, fmt.Errorf("%q has no signature", line)
	}
	return &signature{parts[0], binary.BigEndian.Uint32(content), content[4:]}, nil
}

// verify gives the time stamp of a valid signature. For ML-DSA-44 it checks all but the signature itself
// and hands that out.
func (k *vkey) verify(text string, raw []byte) (int64, *unchecked, error) {
	if k.algorithm == plain {
		if len(raw) != 64 || !ed25519.Verify(k.public, []byte(text), raw) {
			return 0, nil, fmt.Errorf("a bad signature by %s", k.name)
		}
		return 0, nil, nil
	}
	if len(raw) < 8 || binary.BigEndian.Uint64(raw) >= 1<<63 {
		return 0, nil, fmt.Errorf("a cosignature without a time by %s", k.name)
	}
	at := int64(binary.BigEndian.Uint64(raw))
	if k.algorithm == cosignature {
		message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, text)
		if len(raw) != 72 || !ed25519.Verify(k.public, []byte(message), raw[8:]) {
			return 0, nil, fmt.Errorf("a bad cosignature by %s", k.name)
		}
		return at, nil, nil
	}
	if len(raw) != 8+2420 {
		return 0, nil, fmt.Errorf("an ML-DSA-44 signature of %d bytes", len(raw)-8)
	}
	message, err := cosignedMessage(k.name, at, text)
	if err != nil {
		return 0, nil, err
	}
	return at, &unchecked{b64(k.public), hex.EncodeToString(message), b64(raw[8:])}, nil
}

// cosignedMessage is the structure of that name in tlog-cosignature, for a whole tree.
func cosignedMessage(cosigner string, at int64, text string) ([]byte, error) {
	head, err := parseHead(text)
	if err != nil {
		return nil, err
	}
	if len(cosigner) > 255 || len(head.origin) > 255 {
		return nil, fmt.Errorf("a name of more than 255 bytes")
	}
	return bytes.Join([][]byte{
		[]byte("subtree/v1\n\x00"), u8(len(cosigner)), []byte(cosigner), u64(at),
		u8(len(head.origin)), []byte(head.origin), u64(0), u64(head.size), head.root,
	}, nil), nil
}

type head struct {
	origin string
	size   int64
	root   []byte
}

func parseHead(text string) (*head, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 3 {
		return nil, fmt.Errorf("a checkpoint of %d lines", len(lines))
	}
	for _, line := range lines {
		if line == "" {
			return nil, fmt.Errorf("a checkpoint with an empty line")
		}
	}
	size, err := parseDecimal(lines[1])
	if err != nil {
		return nil, err
	}
	root, err := hash64(lines[2])
	if err != nil {
		return nil, err
	}
	if size == 0 && !bytes.Equal(root, sha()) {
		return nil, fmt.Errorf("a root of no leaves that is not SHA-256 of nothing")
	}
	return &head{lines[0], size, root}, nil
}

func parseDecimal(text string) (int64, error) {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 || number > maxInteger || strconv.FormatInt(number, 10) != text {
		return 0, fmt.Errorf("%q is no decimal number of at most 53 bits", text)
	}
	return number, nil
}
