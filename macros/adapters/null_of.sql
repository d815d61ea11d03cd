{# A NULL of a kind: text, time, number, integer, bool, texts (a list of texts), contents (see line_items). #}
{% macro null_of(kind) -%}
    {{ adapter.dispatch('null_of', 'conversions')(kind) }}
{%- endmacro %}

{% macro default__null_of(kind) -%}
    {{ unsupported_adapter('null_of') }}
{%- endmacro %}

{% macro duckdb__null_of(kind) -%}
    {% set types = {
        'texts': 'varchar[]',
        'contents': 'struct(id varchar, quantity bigint, item_price decimal(18, 4), title varchar, category varchar)[]',
    } -%}
    cast(null as {{ types.get(kind) or scalar_type(kind) }})
{%- endmacro %}

{% macro postgres__null_of(kind) -%}
    {% set types = {'texts': 'text[]', 'contents': 'json'} -%}
    cast(null as {{ types.get(kind) or scalar_type(kind) }})
{%- endmacro %}

{% macro spark__null_of(kind) -%}
    {% set types = {
        'texts': 'array<string>',
        'contents': 'array<struct<id: string, quantity: bigint, item_price: decimal(18, 4), title: string, category: string>>',
    } -%}
    cast(null as {{ types.get(kind) or scalar_type(kind) }})
{%- endmacro %}

{# The type of a scalar kind. #}
{% macro scalar_type(kind) -%}
    {{ {
        'text': dbt.type_string(), 'time': 'timestamp', 'number': 'decimal(28, 10)', 'integer': 'bigint',
        'bool': 'boolean',
    }[kind] }}
{%- endmacro %}
