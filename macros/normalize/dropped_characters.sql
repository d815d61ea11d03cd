{# What a name loses: punctuation, symbols, emoji and blanks of every kind, as the inside of a regular expression's
   class. A fixed list of ranges, because PostgreSQL has no class for letters. It has no backslash and no bracket:
   the range from colon to backquote takes those in, and with them A-Z, so apply it to lower-case text only.
   Letters, combining marks and digits of any script stay; modifier letters that stand for an apostrophe go. #}
{% macro dropped_characters() -%}
    {{ "\u0001-/:-`{-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7\u02b9-\u02df\u02e5-\u02ff" -}}
    {{ "\u0374\u0375\u037e\u0387\u055a-\u055f\u0589-\u058f\u05be\u05c0\u05c3\u05c6\u05f3\u05f4\u0600-\u060f" -}}
    {{ "\u061b-\u061f\u066a-\u066d\u06d4\u0964\u0965\u0e3f\u0e4f\u0e5a\u0e5b\u0f08-\u0f14\u104a-\u104f" -}}
    {{ "\u115f\u1160\u1361-\u1368\u1680\u17d4-\u17d6\u17d8-\u17db\u1800-\u180e\u1fbd\u1fbf-\u1fc1\u1fcd-\u1fcf\u1fdd-\u1fdf\u1fed-\u1fef\u1ffd\u1ffe" -}}
    {{ "\u2000-\u206f\u207a-\u207e\u208a-\u208e\u20a0-\u20ff\u2116\u2117\u2120-\u2122\u2190-\u2bff" -}}
    {{ "\u2e00-\u3004\u3008-\u3020\u3030\u3036\u3037\u303d-\u303f\u309b\u309c\u30a0\u30fb\u3164" -}}
    {{ "\u3200-\u33ff\ua4fe\ua4ff\ue000-\uf8ff\ufd3e\ufd3f\ufe00-\ufe1f\ufe30-\ufe6f\ufeff" -}}
    {{ "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffa0\uffe0-\ufffd" -}}
    {{ "\U0001f000-\U0001faff\U000e0000-\U000e0fff\U000f0000-\U0010fffd" }}
{%- endmacro %}
