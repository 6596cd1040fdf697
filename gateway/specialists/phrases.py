"""Plain English about mathematics as notation: "twelve plus seven" is ``12 + 7``."""

from __future__ import annotations

import re

from text_to_num import alpha2digit

MAX_CHARACTERS = 2_000

_SIGNS = str.maketrans(
    {
        **dict.fromkeys("\N{MULTIPLICATION SIGN}\N{DOT OPERATOR}\N{MIDDLE DOT}\N{BULLET OPERATOR}", "*"),
        **dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}", "-"),
        **dict.fromkeys("\N{NO-BREAK SPACE}$\N{POUND SIGN}\N{EURO SIGN}`", " "),
        **dict.fromkeys("{[", "("),
        **dict.fromkeys("}]", ")"),
        "\N{DIVISION SIGN}": "/",
        "\N{SUPERSCRIPT TWO}": "^2",
        "\N{SUPERSCRIPT THREE}": "^3",
        "\N{SQUARE ROOT}": " sqrt ",
        "\N{GREEK SMALL LETTER PI}": " pi ",
        "\N{INFINITY}": " infinity ",
        "\N{DEGREE SIGN}": " deg ",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    }
)

_LATEX = [
    (re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}"), r"((\1)/(\2))"),
    (re.compile(r"\\(?:times|cdot)"), "*"),
    (re.compile(r"\\div"), "/"),
    (re.compile(r"\\(?:left|right|[()\[\],;!])"), " "),
    (re.compile(r"\\"), " "),
]

_OPENING = re.compile(
    r"^(?:(?:please|ok(?:ay)?|so|hi|hey|hello|quick question|question|math(?:s|ematics)?|(?:can|could|would|will) you"
    r"|tell me|show me|i need(?: to know)?|i want to know|help me|do you know|what(?:'s| is| are| does| will| do)|whats"
    r"|if (?:you|i|we)|what(?= \d)|(?:you|i|we) get (?:if|when) (?:you|i|we)|how much (?:is|are|does|do|will)"
    r"|how many (?:is|are)|calculate|compute|evaluate|work out|work|figure out|find|give me|determine|get"
    r"|(?:the )?(?:exact )?(?:value|result|answer)(?: of| to| for)?|total(?! of)|the|a(?= \d)|an|result|answer)"
    r"\b[\s,:!.]*)+"
)
_CLOSING = re.compile(
    r"(?:[\s,;:]*(?:[?.=]|(?<!\d)!|\bequals?(?: to)?|\bcome to|\bmake|\bgive|\bis|\bplease|\bthanks?(?: you)?|\bfor me"
    r"|\bexactly|\bin total|\b(?:al)?together|\bwhat do (?:you|i|we) (?:get|have)|\bis what"
    r"|\bdollars?|\beuros?|\bpounds?|\bas a (?:decimal|fraction|number)|\bdx))+$"
)

# In this order: each turns a phrase into notation, and leaves the rest of the text as it is.
_NUMBER = r"\d+(?:\.\d+)?"
_PHRASES = [
    (r"\b(\d+|an?) (?:half|halves)\b(?: of\b)?", r"(\1/2)*"),
    (r"\b(\d+|an?) quarters?\b(?: of\b)?", r"(\1/4)*"),
    (r"\b(\d+|an?) (\d+)(?:st|nd|rd|th)s?\b(?: of\b)?", r"(\1/\2)*"),
    (r"\bhalf of\b", "(1/2)*"),
    (r"\ba(?=/\d)", "1"),
    (r"\b(?:twice|double)\b(?: of)?", "2*"),
    (r"\b(?:triple|thrice)\b(?: of)?", "3*"),
    (r"\bper ?cent\b", "%"),
    (r"%\s*of\b", "%*"),
    (r"\bsquare root(?: of)?\b", "sqrt"),
    (r"\bcube root(?: of)?\b", "cbrt"),
    (r"\babsolute value(?: of)?\b", "abs"),
    (r"\bnatural log(?:arithm)?(?: of)?\b", "ln"),
    (rf"\blog(?:arithm)? base ({_NUMBER})(?: of)? ({_NUMBER}|[a-z]\b|\([^()]*\))", r"log(\2,\1)"),
    (r"\blog(?:arithm)?(?: of)?\b", "log"),
    (r"\b(sin|cos)(?:e|ine)?(?: of)?\b", r"\1"),
    (r"\btan(?:gent)?(?: of)?\b", "tan"),
    (rf"\bfactorial of ({_NUMBER})", r"(\1)!"),
    (rf"({_NUMBER}) factorial\b", r"(\1)!"),
    (r"\b(?:raised )?to the (?:power(?: of)?)\b", "^"),
    (r"\b(?:raised )?to the (-?\d+)(?:st|nd|rd|th)(?: power)?\b", r"^\1"),
    (r"\braised to\b", "^"),
    (r"\bsquared\b", "^2"),
    (r"\bcubed\b", "^3"),
    (r"\b(?:plus|added to)\b", "+"),
    (r"\b(?:minus|less|negative)\b", "-"),
    (r"\b(?:multiplied by|times)\b", "*"),
    (rf"(?<=[\d)])(?<!\b0)\s*x\s*(?={_NUMBER}(?:\D|$))", "*"),
    (r"\b(?:divided by|over)\b", "/"),
    (r"\b(?:modulo|modulus)\b", "mod"),
    (r"\bdegrees?\b", "deg"),
    (r"\b(?:equals|is equal to|equal to)\b", "="),
    (r"\b(?:an?|the) (?=[\d(])", ""),
    (r"\*\s*(?=[-+*/=),]|$)", ""),
]
_COMPILED = [(re.compile(phrase), replacement) for phrase, replacement in _PHRASES]


def plain(prompt: str) -> str:
    """``prompt`` in lower case and ASCII signs, number words as digits, without the words around the question."""
    text = prompt
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    text = " ".join(text.translate(_SIGNS).lower().replace("**", "^").split())
    text = re.sub(r"(?<=\d),(?=\d{3}(?:\D|$))", "", text)
    text = alpha2digit(text, "en", 0)
    return _CLOSING.sub("", _OPENING.sub("", text)).strip()


def notation(text: str) -> str:
    """The phrases within a plain text as notation; words that are no mathematics stay, for the reader to refuse."""
    for pattern, replacement in _COMPILED:
        text = pattern.sub(replacement, text)
    return text.strip()
