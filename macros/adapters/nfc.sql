{# The text in Unicode normalization form C. #}
{% macro nfc(expression) -%}
    {{ adapter.dispatch('nfc', 'conversions')(expression) }}
{%- endmacro %}

{% macro default__nfc(expression) -%}
    {{ unsupported_adapter('nfc') }}
{%- endmacro %}

{% macro duckdb__nfc(expression) -%}
    nfc_normalize({{ expression }})
{%- endmacro %}

{# The database must be in UTF8: normalize() accepts no other encoding. #}
{% macro postgres__nfc(expression) -%}
    normalize({{ expression }}, nfc)
{%- endmacro %}

{# Spark SQL has no Unicode normalization before 4.4 (SPARK-58275, read 2026-11-21): the text passes as it is. Text that is not in form C already (mostly names
   typed on Apple devices) hashes to a value that no platform can match; normalize it on the way into the warehouse. #}
{% macro spark__nfc(expression) -%}
    {{ expression }}
{%- endmacro %}
