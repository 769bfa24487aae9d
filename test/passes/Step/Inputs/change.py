# change.py - writes decoder.mlir with some nodes changed.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""usage: change.py 'NAME = OP(OPERAND, ...) {ATTRIBUTES} : TYPE' ...

A node of a name that the decoder has replaces it; others are written before the next that does.
`OLD=>NEW` replaces a text. Types of operands are found by name.
"""
import re
import sys
from pathlib import Path

text = Path(__file__).with_name("decoder.mlir").read_text()
pending = ""


def type_of(name: str) -> str:
    argument = re.search(rf"%{name}: (!\w+)", text)
    node = re.search(rf"%{name} = .*-> (\S+)(?: loc.*)?$", text + pending, re.MULTILINE)
    results = re.search(r"%(y\d), %(nk\d), %(nv\d) = ", text)
    if argument or node:
        return (argument or node).group(1)
    if re.fullmatch(r"[yn][kv]?\d", name) and results:
        return "!x" if name.startswith("y") else "!any"
    sys.exit(f"change.py: there is no value {name}")


for change in sys.argv[1:]:
    if "=>" in change:
        old, new = change.split("=>")
        assert old in text, old
        text = text.replace(old, new)
        continue
    name, op, operands, attributes, result = re.fullmatch(r"(\S+) = ([\w.]+)\((.*?)\) ?({.*})? : (\S+)", change).groups()
    values = [v for v in operands.split(", ") if v]
    domain, _, op = op.rpartition(".")
    result = result if result.startswith("!") else f"tensor<{result}>"
    line = (f'  %{name} = onnx.node "{op}"{f" domain {chr(34)}{domain}{chr(34)}" if domain else ""} version 24 '
            f'({", ".join("%" + v for v in values)}) {f"attributes {attributes} " if attributes else ""}: '
            f'({", ".join(map(type_of, values))}) -> {result} loc("changed")')
    text, found = re.subn(rf"^  %{name} = .*$", lambda _: pending + line, text, flags=re.MULTILINE)
    pending = "" if found else pending + line + "\n"
if pending:
    sys.exit("change.py: the last node replaces none")
print(text, end="")
