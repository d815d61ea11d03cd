{# Names a value inside one expression, so that it is written once and computed once. Used as a call block:
   {% call bind_name('digits', <expression>) %} case when digits like '0%' then … end {% endcall %} #}
{% macro bind_name(name, expression) -%}
    {{ adapter.dispatch('bind_name', 'conversions')(name, expression, caller() | trim) }}
{%- endmacro %}

{% macro default__bind_name(name, expression, body) -%}
    {{ unsupported_adapter('bind_name') }}
{%- endmacro %}

{# A scalar subquery would become a hash join; a lambda over one element stays inside the projection. #}
{% macro duckdb__bind_name(name, expression, body) -%}
    list_transform([{{ expression }}], lambda {{ name }}: {{ body }})[1]
{%- endmacro %}

{# Without the offset the planner would write the value out wherever its name stands, once more on every level. #}
{% macro postgres__bind_name(name, expression, body) -%}
    (select {{ body }} from (select {{ expression }} as {{ name }} offset 0) as bound_{{ name }})
{%- endmacro %}

{% macro spark__bind_name(name, expression, body) -%}
    transform(array({{ expression }}), {{ name }} -> {{ body }})[0]
{%- endmacro %}
