"""Tokens of the package `tokenizers`: writes to a directory tokenizers of two kinds and their tokens of 10^5 lines.

    python tokenizers_interop.py DIR

DIR/lines.bin: the lines, each as its length (int32) and its bytes. For NAME in gpt2, llama: DIR/NAME.json, and
DIR/NAME.bin, the tokens of each line as their number and themselves (int32). DIR/text.txt and DIR/trained.json: a text
and what BpeTrainer made of it as a whole; DIR/trained.bin: its tokens, as one line.
"""

import glob
import random
import struct
import sys

from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, trainers

directory = sys.argv[1]
random.seed(0)

LLAMA = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")
ODD = [" ", "  ", "\t", "\u00a0", "\u1680", "\u180e", "\u2003", "\u2028", "\u2029", "\u3000", "\ufeff", "\u0085", "\u001c",
       "\u001f", "\u000b", "\u000c", "\r", "\r\n", "\u200b", "\u200d", "e\u0301", "\u0130", "\u01c5", "\u02b0", "\u0660", "\u00b2",
       "\u00bd", "\u2167", "\u4e00", "\u3007", "\ud55c\uae00", "\u0e33", "\u0915\u094d\u0937\u093f", "\ud7ff", "\ue000", "\uffff",
       "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U00010330", "\U0001d7d9", "\U000e0001", "\U0010ffff", "\u0000", "'s", "'S", "'\u017f",
       "'ll", "\u2019s", "don't", "I'VE", "\u212a", "\u00df", "123456", "1,000.5", "<|end|>", "<|en", "<keep>", "...", "-->", "_", "\u203f"]


def odd_line():
    parts = []
    for _ in range(random.randrange(1, 12)):
        kind = random.random()
        if kind < 0.5:
            parts.append(random.choice(ODD))
        elif kind < 0.8:
            parts.append("".join(random.choice("abcdefgh ") for _ in range(random.randrange(9))))
        else:  # planes 0 and 1, without what Unicode has assigned since the oldest table in use, and without surrogates
            parts.append(chr(random.choice([random.randrange(0x20, 0x530), random.randrange(0x900, 0xd00),
                                            random.randrange(0x1e00, 0x2060), random.randrange(0x3041, 0x9fa5),
                                            random.randrange(0xac00, 0xd7a3), random.randrange(0x1f600, 0x1f640)])))
    return "".join(parts)


def write_rows(name, rows, item):
    with open(f"{directory}/{name}.bin", "wb") as file:
        for row in rows:
            file.write(struct.pack("<i", len(row)))
            file.write(bytes(row) if item == 1 else struct.pack(f"<{len(row)}i", *row))


prose = []
for path in sorted(glob.glob("/usr/share/games/fortunes/*")) + sorted(glob.glob("/usr/share/common-licenses/*")):
    try:
        prose += open(path, encoding="utf-8").read().split("\n")
    except (UnicodeDecodeError, IsADirectoryError):
        pass
if not prose:
    prose = [line for path in sorted(glob.glob(sys.prefix + "/lib/python3*/**/*.py", recursive=True))[:200]
             for line in open(path, encoding="utf-8", errors="ignore").read().split("\n")]
random.shuffle(prose)
text = "\n".join(prose[:4000])
lines = prose[:50000]
lines += [odd_line() for _ in range(100000 - len(lines))]
write_rows("lines", [line.encode() for line in lines], 1)


def trainer(**options):
    return trainers.BpeTrainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, **options)


def byte_level(**options):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, **options)


trained = Tokenizer(models.BPE())
trained.pre_tokenizer = byte_level()
trained.train_from_iterator([text], trainer(vocab_size=2000, min_frequency=2, special_tokens=["<|end|>"]))
trained.save(f"{directory}/trained.json")
open(f"{directory}/text.txt", "w", encoding="utf-8", newline="").write(text)
write_rows("trained", [trained.encode(text).ids], 4)

for name, words, ignore_merges in [
        ("gpt2", pre_tokenizers.ByteLevel(add_prefix_space=True), False),
        ("llama", pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA), "isolated"), byte_level(use_regex=False)]), True)]:
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = words
    tokenizer.train_from_iterator(lines[::9], trainer(vocab_size=5000, special_tokens=["<|end|>", "<|end|>\n"]))
    tokenizer.add_tokens([AddedToken("<keep>", normalized=True)])
    tokenizer.save(f"{directory}/{name}.json")
    write_rows(name, [row.ids for row in tokenizer.encode_batch(lines, add_special_tokens=False)], 4)
