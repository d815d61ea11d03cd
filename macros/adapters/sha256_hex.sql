{# Lower-case hexadecimal SHA-256 of the UTF-8 bytes of a text expression. NULL in, NULL out. #}
{% macro sha256_hex(expression) -%}
    {{ adapter.dispatch('sha256_hex', 'conversions')(expression) }}
{%- endmacro %}

{% macro default__sha256_hex(expression) -%}
    {{ unsupported_adapter('sha256_hex') }}
{%- endmacro %}

{% macro duckdb__sha256_hex(expression) -%}
    sha256({{ expression }})
{%- endmacro %}

{% macro postgres__sha256_hex(expression) -%}
    encode(sha256(convert_to({{ expression }}, 'UTF8')), 'hex')
{%- endmacro %}

{% macro spark__sha256_hex(expression) -%}
    sha2({{ expression }}, 256)
{%- endmacro %}
