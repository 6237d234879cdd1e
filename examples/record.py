"""Writes a record's YAML as a person would: short things on one line, long ones laid out."""

import textwrap

import yaml

WIDTH = 110


def written(record: dict) -> str:
    return "\n".join(_lines(record, 0)) + "\n"


def _lines(value, indent: int) -> list[str]:
    pad = " " * indent
    lines = []
    for key, item in value.items():
        inline = f"{pad}{key}: {_inline(item)}"
        if indent > 0 and (len(inline) <= WIDTH or not isinstance(item, (dict, list))):
            lines.append(inline)
        elif indent == 0 and not isinstance(item, dict):
            lines.append(inline)
        elif isinstance(item, dict):
            lines += [f"{pad}{key}:", *_lines(item, indent + 2)]
        elif isinstance(item[0], (dict, str)):
            lines += [f"{pad}{key}:", *_items(item, indent + 2)]
        else:
            lines += [f"{pad}{key}:", *_wrapped(item, indent + 2)]
    return lines


def _items(values: list, indent: int) -> list[str]:
    pad = " " * indent
    lines = []
    for value in values:
        inline = f"{pad}- {_inline(value)}"
        if len(inline) <= WIDTH or not isinstance(value, dict):
            lines.append(inline)
        else:
            first, *rest = _lines(value, indent + 2)
            lines += [f"{pad}- {first.lstrip()}", *rest]
    return lines


def _wrapped(values: list, indent: int) -> list[str]:
    pad = " " * indent
    text = textwrap.fill(
        _inline(values), WIDTH, initial_indent=pad, subsequent_indent=pad + " ", break_on_hyphens=False
    )
    return text.split("\n")


def _inline(value) -> str:
    return yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, width=10**9, allow_unicode=True
    ).removesuffix("...\n").strip()
