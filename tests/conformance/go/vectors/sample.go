package main

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"sort"
	"strconv"
)

// draws computes specs/audit/vectors.json from specs/audit/README.md, "Sample".
func (f *file) draws() {
	for i := range f.at("draws").([]any) {
		at := strconv.Itoa(i)
		f.text("draws", at, "name")
		origin, size := f.text("draws", at, "origin"), f.integer("draws", at, "size")
		message := append([]byte("dueprocess/sample/v1\n"), lp(origin)...)
		message = binary.BigEndian.AppendUint64(message, uint64(size))
		seed := sha(append(message, f.hash("draws", at, "root")...))
		f.is(hex.EncodeToString(seed), "draws", at, "seed")
		numbers := []int64{}
		for _, each := range f.input("draws", at, "numbers").([]any) {
			numbers = append(numbers, each.(int64))
		}
		drawn := []any{}
		for _, each := range draw(seed, numbers, int(f.integer("draws", at, "count"))) {
			drawn = append(drawn, each)
		}
		f.is(drawn, "draws", at, "drawn")
	}
}

// draw takes count of the numbers, each equally likely.
func draw(seed []byte, left []int64, count int) []int64 {
	drawn := []int64{}
	for next := uint64(0); len(drawn) < count && len(left) > 0; next++ {
		message := append([]byte("dueprocess/sample-draw/v1\n"), seed...)
		word := binary.BigEndian.Uint64(sha(binary.BigEndian.AppendUint64(message, next)))
		many := uint64(len(left))
		// 2^64 mod many; the words from 2^64 - over on are thrown away. -over is that number, in 64 bits.
		over := (math.MaxUint64%many + 1) % many
		if over != 0 && word >= -over {
			continue
		}
		index := int(word % many)
		drawn = append(drawn, left[index])
		left = append(append([]int64{}, left[:index]...), left[index+1:]...)
	}
	sort.Slice(drawn, func(i, j int) bool { return drawn[i] < drawn[j] })
	return drawn
}
