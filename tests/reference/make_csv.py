"""Writes csv.json: odd CSV files, and what pandas reads from them.

    python3 tests/reference/make_csv.py > tests/reference/csv.json
"""

import io
import json
import math
import random
import sys

import pandas

random.seed(0)

WRITTEN = [
    "a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4", "a,b\r1,2\r3,4\r", "\ufeffa,b\n1,2\n", "a\n1\n\n2\n   \n3\n", "a,b\n1\n,\n2,3\n",
    "a,b\n1.5,x\n,\n-2e3,y\n", "a,a,a\n1,2,3\n", ",b,\n1,2,3\n", "a,b\nTrue,true\nFALSE,false\n", "a\nTrue\n\"\"\nFalse\n",
    "a\n1\nTrue\n", 'a,b\n"1","x,y"\n"2","say ""hi"""\n', 'a,b\n"line\nbreak",1\n"",2\n', 'a,b\nx"y,1\n"x"y,2\n', 'a b,"c"\n 1 , 2\n3 ,x \n',
    "a\n+1\n-1\n007\n", "a\n1.\n.5\n1e5\n1E-3\n", "a\ninf\n-inf\nInfinity\n", "a\n1e400\n-1e400\n1e-400\n", "a\n0.1\n1e\n", "a\n1_000\n2\n",
    "a\n99999999999999999999\n1\n", "a\n9223372036854775807\n-9223372036854775808\n", "a\n9007199254740993\n0.5\n", "a\n0x10\n1\n",
    "a,b,c\nNA,null,n/a\nNaN,None,<NA>\n", "a,b\nNA,x\nz,null\n", "a,b\n1,\n2,\n", "a;b\n1;2,5\n", "a\tb\n1\t2\n", "a\n\u00e9\n\u4e2d\nz\n",
    "a\n1 2\n3\n", "a\n-\n+\n", "a\n2020-01-01\n2020-12-31\n", "a\n0.30000000000000004\n5e-324\n1.7976931348623157e308\n",
    "a\n123456789012345678901234567890.5\n1\n", "a,b\n'x,y'\n", 'a\n""""\n"a"\n', 'a,b\n1,"2"\n3,"4"\n', "a\nnan\n1\n", "a\n1\n \n2\n",
]

FIELDS = ["1", "-7", "+3", "0", "12345678901", "1.5", "-0.25", "1e3", ".5", "2.", "", "NA", "nan", "null", "True", "false", "x", "a b", " 1",
          "2 ", '"q"', '"a,b"', '"a""b"', '"1"', '"1.5"', '"l\nb"', "x\"y", "\u00fc", "inf", "-inf", "1e-5", "0.1", "3.14159"]


def random_file():
    """A file whose columns draw from few kinds of fields, so that columns of every type come about."""
    kinds = [random.sample(FIELDS, random.randint(1, 4)) if random.random() < 0.5 else
             random.sample(FIELDS[:12] if random.random() < 0.7 else FIELDS, 5) for _ in range(random.randint(1, 5))]
    end = random.choice(["\n", "\r\n"])
    text = ",".join(random.choice(["a", "b", '"c d"', "e", "f"]) for _ in kinds) + end
    for _ in range(random.randint(1, 8)):
        row = [random.choice(kind) for kind in kinds]
        if len(row) > 1 and random.random() < 0.1:
            row = row[:-1]
        text += ",".join(row) + end
    return text if random.random() < 0.8 else text.rstrip("\r\n")


def plain(value):
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value.item() if hasattr(value, "item") else value


def column(values, written):
    """`written`: the same as text. Of true, false and missing ones pandas makes Python's objects: here they are text."""
    kind = {"i": "int64", "f": "float64", "b": "bool"}.get(values.dtype.kind, "text")
    if kind == "text":
        return {"kind": kind, "values": [None if pandas.isna(v) else w for v, w in zip(values, written)]}
    return {"kind": kind, "values": [plain(v) for v in values]}


def problem(text):
    delimiter = next((d for d in ";\t" if d in text.split("\n")[0]), ",")
    options = {"sep": delimiter, "float_precision": "round_trip", "low_memory": False, "index_col": False}
    table = pandas.read_csv(io.BytesIO(text.encode()), **options)
    written = pandas.read_csv(io.BytesIO(text.encode()), dtype=str, **options)
    if any(t.dtype.kind == "u" for _, t in table.items()):
        return None  # uint64: no dtype of tensors
    return {"text": text, "delimiter": delimiter,
            "columns": [{"name": name, **column(values, written[name])} for name, values in table.items()]}


problems = [problem(text) for text in WRITTEN] + [problem(random_file()) for _ in range(200 - len(WRITTEN))]
json.dump([p for p in problems if p], sys.stdout, separators=(",", ":"))
print()
