{# What the list of suppressions keeps of one id of a person: a hash of its own, which no platform ever gets, so that the
   list cannot be joined with anything that left. It is made of the id's SHA-256 (hashed()), because a raw value may
   already be one. #}
{% macro suppression_key(kind, sha256) -%}
    {{ sha256_hex("'suppression:' || " ~ kind ~ " || ':' || " ~ sha256) }}
{%- endmacro %}
