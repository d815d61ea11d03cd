{# An amount rounded half up to its currency's minor unit, as decimal(18, 4). NULL for an amount so large that it is
   none (ten trillions and more), which also keeps the cast from failing. #}
{% macro rounded_money(amount, minor_units) -%}
    cast(case
        when abs({{ amount }}) >= 10000000000000 then null
        when {{ minor_units }} = 0 then round({{ amount }}, 0)
        when {{ minor_units }} = 3 then round({{ amount }}, 3)
        when {{ minor_units }} = 4 then round({{ amount }}, 4)
        else round({{ amount }}, 2)
    end as decimal(18, 4))
{%- endmacro %}
