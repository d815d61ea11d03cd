{# A timestamp (UTC) as whole milliseconds since 1970, bigint. #}
{% macro epoch_ms(expression) -%}
    {{ adapter.dispatch('epoch_ms', 'conversions')(expression) }}
{%- endmacro %}

{% macro default__epoch_ms(expression) -%}
    {{ unsupported_adapter('epoch_ms') }}
{%- endmacro %}

{% macro duckdb__epoch_ms(expression) -%}
    epoch_ms({{ expression }})
{%- endmacro %}

{% macro postgres__epoch_ms(expression) -%}
    cast(floor(extract(epoch from {{ expression }}) * 1000) as bigint)
{%- endmacro %}

{% macro spark__epoch_ms(expression) -%}
    unix_millis({{ expression }})
{%- endmacro %}
