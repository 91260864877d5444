"""Which characters nobody sees, and which are no text: the one list of each, as the insides of regular expressions, for
what comes in (`incoming.py`) and what goes out (`outgoing.py`). `_BEYOND` are those above U+FFFF.
"""

# Unicode 17: the format characters (Cf) and what DerivedCoreProperties.txt names "default ignorable". A code point that
# is not assigned yet stays where it would be drawn: it may be an emoji newer than we are.
UNSEEN = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # soft hyphen, joiners, blank letters
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"  # zero width, bidi, variations
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\ufff0-\ufffb"  # other formats
)
UNSEEN_BEYOND = (
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # other formats
    "\U000e0000-\U000e0fff"  # tags: a second text, which nobody sees and a model reads
)
CONTROLS = "\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029"  # ESC, CSI and every end of a line among them, but the newline
NO_TEXT = (
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"  # halves of a character, which UTF-8 cannot carry, and what is none
    "\ue000-\uf8ff"  # private use: every font draws something else
)
NO_TEXT_BEYOND = "\U000f0000-\U0010ffff"  # private use
