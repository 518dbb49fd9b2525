"""How gdb prints xgrad's types: `source .../tensor_gdb.py`, then `print x` of a Tensor, Operand, Saved, Shape or DType.

    $1 = float32 (2, 3) [[1, 2, 3], [4, 5, 6]]
"""
import gdb
import gdb.printing

NAMES = ("bool", "int64", "float32", "float64")
TYPES = ("bool", "long", "float", "double")
MOST = 6  # elements shown of an axis


def sizes(shape):
    return [int(shape["sizes_"][i]) for i in range(int(shape["rank_"]))]


def tuple_text(numbers):
    return "(" + ", ".join(map(str, numbers)) + ("," if len(numbers) == 1 else "") + ")"


def tensor_text(tensor):
    impl = tensor["impl_"]["object_"]
    if not impl:
        return "undefined"
    impl = impl.dereference()
    if not any(field.name == "output_index" for field in impl.type.fields()):
        return "a tensor of which this program has no debug information; for clang: -fstandalone-debug"
    dtype = int(impl["dtype"])
    shape, strides = sizes(impl["shape"]), sizes(impl["strides"])
    data = impl["data"].cast(gdb.lookup_type(TYPES[dtype]).pointer())

    def elements(axis, offset):
        if axis == len(shape):
            return str((data + offset).dereference())
        shown = [elements(axis + 1, offset + i * strides[axis]) for i in range(min(shape[axis], MOST))]
        return "[" + ", ".join(shown + ["..."] * (shape[axis] > MOST)) + "]"

    text = "%s %s %s" % (NAMES[dtype], tuple_text(shape), elements(0, 0))
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
printer("DType", "^xgrad::DType$", lambda value: NAMES[int(value)])
printer("Shape", "^xgrad::Shape$", lambda value: tuple_text(sizes(value)))
printer("Tensor", "^xgrad::Tensor$", tensor_text)
printer("Saved", "^xgrad::Saved$", lambda value: tensor_text(value["tensor_"]))
printer("Operand", "^xgrad::(Operand|detail::MaybeOwned)$", lambda value: tensor_text(value["tensor_"].referenced_value()))
gdb.printing.register_pretty_printer(None, printers, replace=True)
