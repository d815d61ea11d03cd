{# An aggregate: the values of an expression that are not NULL as a list, in the order of another one; NULL when there
   are none. #}
{% macro listed(expression, position) -%}
    {{ adapter.dispatch('listed', 'conversions')(expression, position) }}
{%- endmacro %}

{% macro default__listed(expression, position) -%}
    {{ unsupported_adapter('listed') }}
{%- endmacro %}

{% macro duckdb__listed(expression, position) -%}
    list({{ expression }} order by {{ position }}) filter (where {{ expression }} is not null)
{%- endmacro %}

{% macro postgres__listed(expression, position) -%}
    array_agg({{ expression }} order by {{ position }}) filter (where {{ expression }} is not null)
{%- endmacro %}

{# Spark's aggregates know no order: the values are sorted with their positions, which then go. #}
{% macro spark__listed(expression, position) -%}
    nullif(transform(
        array_sort(collect_list(
            case when {{ expression }} is not null then struct({{ position }} as position, {{ expression }} as value) end
        )),
        found -> found.value
    ), array())
{%- endmacro %}
