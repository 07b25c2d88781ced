package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"unicode/utf16"
)

const maxInteger = 1<<53 - 1

// parseJSON reads one JSON value; integers come as int64, fractions are refused.
func parseJSON(content []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return withIntegers(value)
}

func withIntegers(value any) (any, error) {
	var err error
	switch each := value.(type) {
	case json.Number:
		number, failed := strconv.ParseInt(each.String(), 10, 64)
		if failed != nil || number > maxInteger || number < -maxInteger {
			return nil, fmt.Errorf("%s is no integer of at most 53 bits", each)
		}
		return number, nil
	case []any:
		for i := range each {
			if each[i], err = withIntegers(each[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for name := range each {
			if each[name], err = withIntegers(each[name]); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}

// parseCanonical reads JSON that is in its one spelling. Whatever encoding/json reads generously
// (spaces, members given twice, broken UTF-8, text behind the value) is not spelled like the answer of canonical.
func parseCanonical(content []byte) (any, error) {
	value, err := parseJSON(content)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(canonical(value), content) {
		return nil, fmt.Errorf("not in canonical spelling")
	}
	return value, nil
}

// canonical writes RFC 8785 for values without fractions.
func canonical(value any) []byte {
	var out bytes.Buffer
	writeCanonical(&out, value)
	return out.Bytes()
}

func writeCanonical(out *bytes.Buffer, value any) {
	switch each := value.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		out.WriteString(strconv.FormatBool(each))
	case int64:
		out.WriteString(strconv.FormatInt(each, 10))
	case int:
		out.WriteString(strconv.Itoa(each))
	case string:
		writeString(out, each)
	case []string:
		list := make([]any, len(each))
		for i := range each {
			list[i] = each[i]
		}
		writeCanonical(out, list)
	case []any:
		out.WriteByte('[')
		for i, item := range each {
			if i > 0 {
				out.WriteByte(',')
			}
			writeCanonical(out, item)
		}
		out.WriteByte(']')
	case map[string]any:
		out.WriteByte('{')
		for i, name := range sortedNames(each) {
			if i > 0 {
				out.WriteByte(',')
			}
			writeString(out, name)
			out.WriteByte(':')
			writeCanonical(out, each[name])
		}
		out.WriteByte('}')
	default:
		panic(fmt.Sprintf("%T has no canonical spelling", value))
	}
}

// sortedNames orders by UTF-16 code units, as RFC 8785 section 3.2.3 says.
func sortedNames(object map[string]any) []string {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		one, two := utf16.Encode([]rune(names[i])), utf16.Encode([]rune(names[j]))
		for k := 0; k < len(one) && k < len(two); k++ {
			if one[k] != two[k] {
				return one[k] < two[k]
			}
		}
		return len(one) < len(two)
	})
	return names
}

func writeString(out *bytes.Buffer, text string) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	out.WriteByte('"')
	for _, char := range text {
		if spelled, ok := short[char]; ok {
			out.WriteString(spelled)
		} else if char < 0x20 {
			fmt.Fprintf(out, `\u%04x`, char)
		} else {
			out.WriteRune(char)
		}
	}
	out.WriteByte('"')
}

func b64(content []byte) string { return base64.StdEncoding.EncodeToString(content) }

// unb64 reads base64 in its one canonical form.
func unb64(text string) ([]byte, error) {
	content, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || b64(content) != text {
		return nil, fmt.Errorf("%q is not canonical base64", text)
	}
	return content, nil
}

func hash64(text string) ([]byte, error) {
	content, err := unb64(text)
	if err != nil {
		return nil, err
	}
	if len(content) != 32 {
		return nil, fmt.Errorf("%q has %d bytes, not 32", text, len(content))
	}
	return content, nil
}

// hash16 reads a digest of 64 lower-case hex digits.
func hash16(text string) ([]byte, error) {
	content, err := hex.DecodeString(text)
	if err != nil || len(content) != 32 || hex.EncodeToString(content) != text {
		return nil, fmt.Errorf("%q is no lower-case SHA-256 digest", text)
	}
	return content, nil
}
