"""What vendors' answers look like on the wire, one folder for each family, and what we are to make of them.

A folder is named after a provider's row, whose dialect and quirks it is then read with, or after a dialect. It holds
`plain`, `tools`, `stream`, `error` and `cut`, maybe several of each (`stream_thinking.sse`), and `expected.py`: the
source of the shapes with its date, and the answer to every file as literals. Values are made up, shapes are not.
"""
