{# What an order is worth as a conversion, by the variable value_basis. An absent tax or shipping is none. #}
{% macro conversion_value(total, subtotal, tax, shipping) -%}
    {%- set bases = {
        'total': total,
        'net_of_tax': total ~ ' - coalesce(' ~ tax ~ ', 0)',
        'net_of_tax_and_shipping': total ~ ' - coalesce(' ~ tax ~ ', 0) - coalesce(' ~ shipping ~ ', 0)',
        'subtotal': subtotal,
    } -%}
    {%- set basis = var('value_basis') -%}
    {%- if execute and basis not in bases -%}
        {{ exceptions.raise_compiler_error(
            "The dbt var value_basis is '" ~ basis ~ "'. It can be one of: " ~ bases | join(', ') ~ "."
        ) }}
    {%- endif -%}
    {{ bases.get(basis, total) }}
{%- endmacro %}
