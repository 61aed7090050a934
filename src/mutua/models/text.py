"""Text as tokens: words, and pairs of neighbouring characters for scripts that write no spaces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_UNSPACED = "\u2e80-\u9fff\uf900-\ufaff\uac00-\ud7af\u0e00-\u0eff\u1780-\u17ff\U00020000-\U0003134f"
_RUN = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+(?:['’][^\W\d_{_UNSPACED}]+)?")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")


def tokens(text: str) -> Iterator[str]:
    """Yields the tokens of `text`: case and width folded, words whole, unspaced scripts as character bigrams.

    Chinese, Japanese, Korean, Thai, Lao and Khmer count as unspaced.

    Example:
        >>> list(tokens("Café-Crème 250 ml, 有机牛奶"))
        ['café', 'crème', '250', 'ml', '有机', '机牛', '牛奶']
    """
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if len(run) > 1 and _IS_UNSPACED.match(run):
            yield from (run[place : place + 2] for place in range(len(run) - 1))
        else:
            yield run
