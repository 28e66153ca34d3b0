// Program tlog verifies a log that the Rust crate `tlog` wrote, with the Merkle trees and notes of the Go checksum
// database (golang.org/x/mod/sumdb) and the C2SP formats of filippo.io/torchwood, and makes one for the Rust crate.
//
//	tlog verify DIR   verifies what `sample_log DIR` wrote, and sees that forgeries are refused
//	tlog make DIR     writes a log of a few entries, with its policy and receipts
package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 3 {
		fail("usage: tlog verify|make DIR")
	}
	log := sample{dir: os.Args[2]}
	switch os.Args[1] {
	case "verify":
		log.verify()
	case "make":
		log.make()
	default:
		fail("usage: tlog verify|make DIR")
	}
}

// A sample is a directory with a log in it.
type sample struct{ dir string }

func (s sample) verify() {
	logKey := must(note.NewVerifier(string(s.read("log.vkey"))))
	witnessKey := must(torchwood.NewCosignatureVerifier(string(s.read("witness.vkey"))))
	trees := s.checkpoints(logKey, witnessKey)
	last := trees[len(trees)-1]
	entries := s.entries(last.N)
	s.tiles(trees, entries)
	s.records(last, entries)
	s.consistency(trees, logKey)
	s.receipts(entries)
	fmt.Printf("ok: %d checkpoints, %d entries\n", len(trees), len(entries))
}

// checkpoints opens every checkpoint with the keys of log and witness, and sees that a changed one is refused.
func (s sample) checkpoints(keys ...note.Verifier) (trees []tlog.Tree) {
	for _, size := range []int64{1, 2, 255, 256, 257, 1000, 65535, 65536, 70000} {
		text := s.read("checkpoints/" + strconv.FormatInt(size, 10))
		opened := must(note.Open(text, note.VerifierList(keys...)))
		check(len(opened.Sigs) == 2 && len(opened.UnverifiedSigs) == 0, "checkpoint %d: both signatures", size)
		parsed := must(torchwood.ParseCheckpoint(opened.Text))
		check(parsed.Origin == "log.example/sample" && parsed.Extension == "", "checkpoint %d: origin", size)
		check(parsed.N == size && parsed.String() == opened.Text, "checkpoint %d: text", size)
		time := must(torchwood.CosignatureTimestamp(opened.Sigs[1]))
		check(time == 1790000000+size, "checkpoint %d: time of the cosignature", size)
		trees = append(trees, parsed.Tree)

		forged := bytes.Replace(text, []byte(parsed.Hash.String()), []byte(tlog.Hash{}.String()), 1)
		_, err := note.Open(forged, note.VerifierList(keys...))
		check(err != nil, "checkpoint %d: a changed root must be refused", size)
	}
	check(bytes.Equal(s.read("checkpoint"), s.read("checkpoints/70000")), "the newest checkpoint is served")
	return trees
}

// entries reads the bundles at the last size.
func (s sample) entries(size int64) (entries [][]byte) {
	for start := int64(0); start < size; start += 256 {
		tile := tlog.Tile{H: 8, L: -1, N: start / 256, W: int(min(256, size-start))}
		rest := s.read(torchwood.TilePath(tile))
		for range tile.W {
			entry, after, err := torchwood.ReadTileEntry(rest)
			check(err == nil && len(entry) == 32, "entry %d: %v", len(entries), err)
			entries, rest = append(entries, entry), after
		}
		check(len(rest) == 0, "bundle %d: bytes after the last entry", tile.N)
	}
	return entries
}

// tiles hashes the entries again and compares every root and every tile of every checkpoint.
func (s sample) tiles(trees []tlog.Tree, entries [][]byte) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (hashes []tlog.Hash, err error) {
		for _, index := range indexes {
			hashes = append(hashes, stored[index])
		}
		return hashes, nil
	})
	size, count := int64(0), 0
	for _, tree := range trees {
		for n := size; n < tree.N; n++ {
			stored = append(stored, must(tlog.StoredHashes(n, entries[n], reader))...)
		}
		check(must(tlog.TreeHash(tree.N, reader)) == tree.Hash, "root at size %d", tree.N)
		for _, tile := range tlog.NewTiles(8, size, tree.N) {
			check(must(torchwood.ParseTilePath(torchwood.TilePath(tile))) == tile, "path of %v", tile)
			want := must(tlog.ReadTileData(tile, reader))
			check(bytes.Equal(s.read(torchwood.TilePath(tile)), want), "tile %s", torchwood.TilePath(tile))
			count++
		}
		size = tree.N
	}
	// Not a file more than these tiles and the bundles beside those of level 0.
	files := 0
	must(0, filepath.WalkDir(filepath.Join(s.dir, "tile"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.Contains(path, "/entries/") {
			files++
		}
		return err
	}))
	check(files == count, "%d tiles on disk, %d expected", files, count)
}

// records proves entries out of the tiles, which checks the tiles against the root, and refuses forgeries.
func (s sample) records(tree tlog.Tree, entries [][]byte) {
	reader := torchwood.TileHashReaderWithContext(context.Background(), tree, tileReader{s, ""})
	for _, index := range []int64{0, 1, 255, 256, 40000, 65535, 65536, 69999} {
		proof := must(tlog.ProveRecord(tree.N, index, reader))
		leaf := tlog.RecordHash(entries[index])
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf) == nil, "record %d", index)
		forged := tlog.RecordHash([]byte("forged"))
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, forged) != nil, "record %d: forged leaf", index)
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, index^1, leaf) != nil, "record %d: other index", index)
	}
	damaged := tileReader{s, "tile/0/003"}
	reader = torchwood.TileHashReaderWithContext(context.Background(), tree, damaged)
	_, err := tlog.ProveRecord(tree.N, 3*256+5, reader)
	check(err != nil, "a damaged tile must be refused")
}

// consistency checks the proofs that the witness was sent.
func (s sample) consistency(trees []tlog.Tree, logKey note.Verifier) {
	old := tlog.Tree{}
	for _, tree := range trees {
		request := string(s.read(fmt.Sprintf("requests/%d-%d", old.N, tree.N)))
		head, checkpoint, found := strings.Cut(request, "\n\n")
		opened := must(note.Open([]byte(checkpoint), note.VerifierList(logKey)))
		check(must(torchwood.ParseCheckpoint(opened.Text)).Tree == tree, "request %d: checkpoint", tree.N)
		lines := strings.Split(head, "\n")
		check(found && lines[0] == fmt.Sprintf("old %d", old.N), "request %d: first line", tree.N)
		var proof tlog.TreeProof
		for _, line := range lines[1:] {
			proof = append(proof, tlog.Hash(must(base64.StdEncoding.DecodeString(line))))
		}
		if old.N == 0 {
			check(len(proof) == 0, "request %d: a proof from nothing is empty", tree.N)
		} else {
			check(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash) == nil, "tree %d to %d", old.N, tree.N)
			forked := tlog.RecordHash([]byte("fork"))
			check(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, forked) != nil, "tree %d to %d: a fork", old.N, tree.N)
		}
		old = tree
	}
}

// receipts verifies the `.tlog-proof` files under the policy.
func (s sample) receipts(entries [][]byte) {
	policy := must(torchwood.ParsePolicy(s.read("policy")))
	files := must(filepath.Glob(filepath.Join(s.dir, "receipts", "*.tlog-proof")))
	check(len(files) == 7, "%d receipts", len(files))
	for _, file := range files {
		index := must(strconv.Atoi(strings.TrimSuffix(filepath.Base(file), ".tlog-proof")))
		proof := must(os.ReadFile(file))
		err := torchwood.VerifyProof(policy, tlog.RecordHash(entries[index]), proof)
		check(err == nil, "receipt %d: %v", index, err)
		err = torchwood.VerifyProof(policy, tlog.RecordHash(entries[(index+1)%len(entries)]), proof)
		refused := new(torchwood.VerifyRecordError)
		check(errors.As(err, &refused), "receipt %d: a forged leaf must be refused, got %v", index, err)
		// Without the witness's line there is no quorum.
		at := bytes.LastIndex(proof, []byte("— witness.example/w1 "))
		err = torchwood.VerifyProof(policy, tlog.RecordHash(entries[index]), proof[:at])
		check(err != nil, "receipt %d: a receipt without witness must be refused", index)
	}
}

// make writes a log of 300 entries, with seeds that are numbers: what the tests of the crate read.
func (s sample) make() {
	skey, vkey := fixedKey("go.example/log", 11)
	signer := must(note.NewSigner(skey))
	w1 := must(torchwood.NewCosignatureSigner("go.example/w1", ed25519.NewKeyFromSeed(bytes.Repeat([]byte{12}, 32))))
	w2 := must(torchwood.NewCosignatureSigner("go.example/w2", ed25519.NewKeyFromSeed(bytes.Repeat([]byte{13}, 32))))
	s.write("policy", fmt.Sprintf("log %s\nwitness one %s\nwitness two %s\ngroup both all one two\nquorum both\n",
		vkey, w1.Verifier(), w2.Verifier()))
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (hashes []tlog.Hash, err error) {
		for _, index := range indexes {
			hashes = append(hashes, stored[index])
		}
		return hashes, nil
	})
	const size = 300
	for n := range int64(size) {
		stored = append(stored, must(tlog.StoredHashes(n, []byte(strconv.FormatInt(n, 10)), reader))...)
	}
	tree := tlog.Tree{N: size, Hash: must(tlog.TreeHash(size, reader))}
	text := torchwood.Checkpoint{Origin: "go.example/log", Tree: tree}.String()
	signed := must(note.Sign(&note.Note{Text: text}, signer, w1, w2))
	for _, index := range []int64{0, 255, 299} {
		proof := must(tlog.ProveRecord(size, index, reader))
		s.write(fmt.Sprintf("%d.tlog-proof", index), string(torchwood.FormatProofWithExtraData(index, []byte("go"), proof, signed)))
	}
	for _, old := range []int64{1, 100, 256, 299} {
		var lines strings.Builder
		fmt.Fprintf(&lines, "old %d\n", old)
		for _, hash := range must(tlog.ProveTree(size, old, reader)) {
			fmt.Fprintf(&lines, "%s\n", hash)
		}
		fmt.Fprintf(&lines, "\n%s", signed)
		s.write(fmt.Sprintf("%d.request", old), lines.String())
		s.write(fmt.Sprintf("%d.root", old), must(tlog.TreeHash(old, reader)).String()+"\n")
	}
}

// fixedKey encodes a key of the checksum database whose seed is one number, over and over.
func fixedKey(name string, seed byte) (skey, vkey string) {
	skey, vkey, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{seed}, 64)), name)
	check(err == nil, "key: %v", err)
	return skey, vkey
}

// A tileReader reads tiles from the sample, one of them damaged.
type tileReader struct {
	sample
	damaged string
}

func (r tileReader) ReadTiles(_ context.Context, tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		bytes, err := os.ReadFile(filepath.Join(r.dir, torchwood.TilePath(tile)))
		if err != nil {
			return nil, err
		}
		if torchwood.TilePath(tile) == r.damaged {
			bytes[5*32] ^= 1
		}
		data = append(data, bytes)
	}
	return data, nil
}

func (r tileReader) ReadEndpoint(_ context.Context, path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(r.dir, path))
}

func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func (s sample) read(path string) []byte { return must(os.ReadFile(filepath.Join(s.dir, path))) }

func (s sample) write(path, text string) {
	must(0, os.MkdirAll(s.dir, 0o777))
	must(0, os.WriteFile(filepath.Join(s.dir, path), []byte(text), 0o666))
}

func must[T any](value T, err error) T {
	if err != nil {
		fail(err.Error())
	}
	return value
}

func check(holds bool, format string, args ...any) {
	if !holds {
		fail(fmt.Sprintf(format, args...))
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "tlog conformance: "+message)
	os.Exit(1)
}
