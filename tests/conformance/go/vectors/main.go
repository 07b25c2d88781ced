// Vectors computes every vector of specs/tlog, specs/promise and specs/audit a second time, from the README beside
// each and the C2SP specifications alone. It shares no code with the package.
//
//	vectors FILE ...          what became of each vector of each file, one JSON object a line
//	vectors -receipts         JSON lines {"policy","receipt"} on standard input: "" or why the receipt is refused
//	vectors -read             JSON lines {"kind","content" (base64)} on standard input: "" or why it cannot be read
//
// A vector is a value of the file at a path. Each is either "input" (read, and used in a computation), "ok" (computed
// here, and equal), "handed out" (Go 1.19 has no ML-DSA: given to another program to compute) or the reason why it is
// not equal. What no code here touched is missing from the answer.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// version is the "v" of every JSON value of these formats.
const version = 1

const separator = " > "

type answer struct {
	Version int64             `json:"v"`
	Vectors map[string]string `json:"vectors"`
	Errors  []string          `json:"errors"`
	MLDSA44 []unchecked       `json:"ml_dsa_44"`
	Seeds   []seeded          `json:"ml_dsa_44_seeds"`
}

// file is the vectors with a note of what has been read and computed.
type file struct {
	root   any
	answer answer
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "-receipts" {
		answerLines(func(asked question) string { return judge(asked.Policy, asked.Receipt) })
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "-read" {
		answerLines(func(asked question) string { return reason(read(asked.Kind, asked.Content)) })
		return
	}
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: vectors FILE ... | vectors -receipts | vectors -read"))
	}
	out := json.NewEncoder(os.Stdout)
	for _, path := range os.Args[1:] {
		content, err := os.ReadFile(path)
		if err != nil {
			fail(err)
		}
		out.Encode(compute(content))
	}
}

func compute(content []byte) answer {
	vectors := &file{answer: answer{Vectors: map[string]string{}, Errors: []string{}, MLDSA44: []unchecked{}, Seeds: []seeded{}}}
	root, err := parseJSON(content)
	if err != nil {
		vectors.answer.Errors = append(vectors.answer.Errors, err.Error())
		return vectors.answer
	}
	vectors.root = root
	vectors.run()
	return vectors.answer
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func (f *file) run() {
	defer func() {
		if problem := recover(); problem != nil {
			f.answer.Errors = append(f.answer.Errors, fmt.Sprint(problem))
		}
	}()
	if object, ok := f.root.(map[string]any); ok && object["receipt"] != nil && object["keys"] == nil {
		f.answer.Version = version
		f.section("promise", f.promises)
		return
	}
	if object, ok := f.root.(map[string]any); ok && object["draws"] != nil {
		f.answer.Version = version
		f.section("audit", f.draws)
		return
	}
	f.answer.Version = f.integer("v")
	if f.answer.Version != version {
		panic(fmt.Sprintf("vectors of version %d", f.answer.Version))
	}
	f.section("subjects", f.subjects)
	f.section("record", f.record)
	f.section("epoch", f.epoch)
	f.section("keys", f.keys)
	f.section("log", f.log)
	f.section("signed_leaves", f.signedLeaves)
	f.section("checkpoint", f.checkpoint)
	f.section("receipt", f.receipt)
}

// section goes on with the next one when a vector of this one is broken beyond use.
func (f *file) section(name string, compute func()) {
	defer func() {
		if problem := recover(); problem != nil {
			f.answer.Errors = append(f.answer.Errors, fmt.Sprintf("%s: %v", name, problem))
		}
	}()
	compute()
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// at gives the value at a path.
func (f *file) at(path ...string) any {
	value := f.root
	for i, name := range path {
		below, ok := member(value, name)
		if !ok {
			panic(fmt.Sprintf("%s is missing", strings.Join(path[:i+1], separator)))
		}
		value = below
	}
	return value
}

// member gives what an object has under a name, or a list at an index.
func member(value any, name string) (any, bool) {
	switch each := value.(type) {
	case map[string]any:
		below, ok := each[name]
		return below, ok
	case []any:
		index, err := strconv.Atoi(name)
		if err != nil || index < 0 || index >= len(each) {
			return nil, false
		}
		return each[index], true
	}
	return nil, false
}

// mark notes what became of the value at a path and of everything below it.
func (f *file) mark(value any, result string, path ...string) {
	if list, ok := value.([]any); ok && len(list) == 0 {
		value = nil // an empty list is a vector of its own
	}
	switch each := value.(type) {
	case map[string]any:
		for name, below := range each {
			f.mark(below, result, append(append([]string{}, path...), name)...)
		}
	case []any:
		for i, below := range each {
			f.mark(below, result, append(append([]string{}, path...), fmt.Sprint(i))...)
		}
	default:
		name := strings.Join(path, separator)
		if before := f.answer.Vectors[name]; before == "" || before == "input" || result != "input" && before == "ok" {
			f.answer.Vectors[name] = result
		}
	}
}

// input reads a value that the computation starts from.
func (f *file) input(path ...string) any {
	value := f.at(path...)
	f.mark(value, "input", path...)
	return value
}

// is compares a computed value with the vector.
func (f *file) is(computed any, path ...string) {
	result := "ok"
	given := f.at(path...)
	if one, two := string(canonical(computed)), string(canonical(given)); one != two {
		result = fmt.Sprintf("computed %.200s", one)
	}
	f.mark(given, result, path...)
}

// holds notes a check of a vector that cannot be computed, such as a signature.
func (f *file) holds(err error, path ...string) {
	result := "ok"
	if err != nil {
		result = err.Error()
	}
	f.mark(f.at(path...), result, path...)
}

func (f *file) text(path ...string) string {
	text, ok := f.input(path...).(string)
	if !ok {
		panic(fmt.Sprintf("%s is no text", strings.Join(path, separator)))
	}
	return text
}

func (f *file) integer(path ...string) int64 {
	number, ok := f.input(path...).(int64)
	if !ok {
		panic(fmt.Sprintf("%s is no number", strings.Join(path, separator)))
	}
	return number
}

func (f *file) hash(path ...string) []byte { return must(hash16(f.text(path...))) }

func (f *file) texts(path ...string) []string {
	list, ok := f.input(path...).([]any)
	texts := []string{}
	for _, each := range list {
		text, isText := each.(string)
		ok = ok && isText
		texts = append(texts, text)
	}
	if !ok {
		panic(fmt.Sprintf("%s is no list of texts", strings.Join(path, separator)))
	}
	return texts
}

func (f *file) names(path ...string) []string {
	object, ok := f.at(path...).(map[string]any)
	if !ok {
		panic(fmt.Sprintf("%s is no object", strings.Join(path, separator)))
	}
	return sortedNames(object)
}

func hexes(hashes [][]byte) []any {
	texts := []any{}
	for _, hash := range hashes {
		texts = append(texts, hex.EncodeToString(hash))
	}
	return texts
}

func b64s(hashes [][]byte) []any {
	texts := []any{}
	for _, hash := range hashes {
		texts = append(texts, b64(hash))
	}
	return texts
}

// question is a line of standard input; each mode uses the members that it needs.
type question struct {
	Policy, Receipt string
	Kind            string
	Content         []byte
}

// answerLines answers each line of standard input with a line.
func answerLines(answer func(question) string) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fail(err)
		}
		out.Encode(answer(asked))
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// read says why content cannot be read as a kind of document; no signature is checked.
func read(kind string, content []byte) error {
	var err error
	switch kind {
	case "note":
		_, _, err = splitNote(content)
	case "vkey":
		_, err = parseVkey(string(content))
	case "policy":
		_, err = parsePolicy(content)
	case "proof":
		_, err = parseProof(string(content))
	case "leaf":
		_, err = parseLeaf(content)
	case "opening":
		_, err = parseCanonical(content)
		if err == nil {
			_, _, err = checkOpening(must(parseCanonical(content)))
		}
	default:
		fail(fmt.Errorf("no kind %q", kind))
	}
	return err
}

func judge(policyText, receiptText string) string {
	p, err := parsePolicy([]byte(policyText))
	if err != nil {
		return "policy: " + err.Error()
	}
	_, err = checkReceipt([]byte(receiptText), p)
	return reason(err)
}
