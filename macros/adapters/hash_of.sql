{# A whole number that stands for some values, NULL among them: the same for the same values in one version of the
   warehouse, another one for others. Only compared where `can_slice` is true. #}
{% macro hash_of(expressions) -%}
    {{ adapter.dispatch('hash_of', 'conversions')(expressions) }}
{%- endmacro %}

{% macro default__hash_of(expressions) -%}
    {{ unsupported_adapter('hash_of') }}
{%- endmacro %}

{% macro duckdb__hash_of(expressions) -%}
    hash({{ expressions | join(', ') }})
{%- endmacro %}

{# Whether a run may build a part of the tables anew and leave the rest: where hash_of() has a body. #}
{% macro can_slice() %}
    {{ return(adapter.dispatch('can_slice', 'conversions')()) }}
{% endmacro %}

{% macro default__can_slice() %}
    {{ return(false) }}
{% endmacro %}

{% macro duckdb__can_slice() %}
    {{ return(true) }}
{% endmacro %}
