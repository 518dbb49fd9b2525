"""How gdb prints xgrad's types: `source .../tensor_gdb.py`, then `print x` of a Tensor, Operand, Saved, Shape or DType.

    $1 = float32 (2, 3) [[1, 2, 3], [4, 5, 6]]
"""
import struct

import gdb
import gdb.printing

TYPES = {"bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short", "int32": "int", "int64": "long",
         "bfloat16": "unsigned short", "float16": "unsigned short", "float32": "float", "float64": "double"}
MOST = 6  # elements shown of an axis


def sizes(shape):
    return [int(shape["sizes_"][i]) for i in range(int(shape["rank_"]))]


def tuple_text(numbers):
    return "(" + ", ".join(map(str, numbers)) + ("," if len(numbers) == 1 else "") + ")"


def dtype_name(dtype):
    return dtype.format_string(raw=True).split("::")[-1].rstrip("_")


def element_text(dtype, value):
    if dtype == "bfloat16":
        return "%g" % struct.unpack("<f", struct.pack("<I", int(value) << 16))
    if dtype == "float16":
        return "%g" % struct.unpack("<e", struct.pack("<H", int(value)))
    return str(int(value)) if "int" in dtype else str(value)


def tensor_text(tensor):
    impl = tensor["impl_"]["object_"]
    if not impl:
        return "undefined"
    impl = impl.dereference()
    if not any(field.name == "output_index" for field in impl.type.fields()):
        return "a tensor of which this program has no debug information; for clang: -fstandalone-debug"
    dtype = dtype_name(impl["dtype"])
    shape, strides = sizes(impl["shape"]), sizes(impl["strides"])
    data = impl["data"].cast(gdb.lookup_type(TYPES[dtype]).pointer())

    def elements(axis, offset):
        if axis == len(shape):
            return element_text(dtype, (data + offset).dereference())
        shown = [elements(axis + 1, offset + i * strides[axis]) for i in range(min(shape[axis], MOST))]
        return "[" + ", ".join(shown + ["..."] * (shape[axis] > MOST)) + "]"

    text = "%s %s %s" % (dtype, tuple_text(shape), elements(0, 0))
    return text + (" requires_grad" if impl["node"]["object_"] else "")


class Text:
    """A printer that writes text(value)."""

    def __init__(self, value, text):
        self.value, self.text = value, text

    def to_string(self):
        try:
            return self.text(self.value)
        except gdb.MemoryError:
            return "not initialised yet"


def printer(name, pattern, text):
    printers.add_printer(name, pattern, lambda value: Text(value, text))


printers = gdb.printing.RegexpCollectionPrettyPrinter("xgrad")
printer("DType", "^xgrad::DType$", dtype_name)
printer("Shape", "^xgrad::Shape$", lambda value: tuple_text(sizes(value)))
printer("Tensor", "^xgrad::Tensor$", tensor_text)
printer("Saved", "^xgrad::Saved$", lambda value: tensor_text(value["tensor_"]))
printer("Operand", "^xgrad::(Operand|detail::MaybeOwned)$", lambda value: tensor_text(value["tensor_"].referenced_value()))
gdb.printing.register_pretty_printer(None, printers, replace=True)
