"""A copy of the channel, or a list that names its files, that would bring the fault back.

What it finds
    Finds what belongs to a patched channel in NanoClaw's skills: manifests whose lists do
    not name the added module, intent files beside modified copies, and the copy that the
    skills engine keeps of the unpatched file (``.nanoclaw/base``).

Why it is bad
    A skill that is applied later copies its own version of the channel over the patched
    one. The original fix left three of the four copies in the skill assets as they were;
    each of them makes 72,001 attempts in 24 hours when the link closes at once for six.

What is done
    Every whole-file copy is patched with the source. The added module stands in the
    manifest's ``adds:`` of the skill that brings the channel, that skill in the
    ``depends:`` of others whose copies import it, and the intent file says what changed.

When it is handed off
    Where the skills engine keeps the unpatched file: it puts it back on replay.
"""

from __future__ import annotations

from modify.rules import Example, Rule

rule = Rule(
    __name__,
    fix="",
    examples=(
        Example(
            "skill-manifest",
            """\
skill: whatsapp
adds:
  - src/channels/whatsapp.ts
modifies:
  - src/index.ts
""",
            """\
skill: whatsapp
adds:
  - src/channels/whatsapp.ts
  - src/channels/whatsapp-reconnect.ts
modifies:
  - src/index.ts
""",
            is_whole=True,
        ),
    ),
)
