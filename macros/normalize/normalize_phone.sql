{# A phone number as digits with its country code, without +. The arguments after the first are phone_plan(): columns of
   seeds/countries.csv for the country of the order or session; they may be NULL, then only an international number
   (+ or 00) can be told. NULL when no full number can be told. #}
{% macro normalize_phone(
    expression, calling_code, trunk_prefix, trunk_pattern, trunk_becomes, international_prefix, shapes, code_lengths
) -%}
    {% set plan = [calling_code, trunk_prefix, trunk_pattern, trunk_becomes, shapes, code_lengths] -%}
    {% call bind_name('plain_phone', phone_text(expression)) -%}
        {% set dialled = dialled_number('plain_phone', calling_code, international_prefix, shapes) -%}
        {% call bind_name('dialled_phone', dialled) -%} {{ full_number('dialled_phone', *plan) }} {%- endcall %}
    {%- endcall %}
{%- endmacro %}

{# The same of a number that phone_text and dialled_number have read. #}
{% macro full_number(dialled, calling_code, trunk_prefix, trunk_pattern, trunk_becomes, shapes, code_lengths) -%}
    {% set national = national_number(
        dialled, calling_code, trunk_prefix, trunk_pattern, trunk_becomes, shapes, code_lengths
    ) -%}
    {% call bind_name('number', "case when " ~ dialled ~ " not like '+%' or " ~ dialled ~ " like '+' || " ~ calling_code
        ~ " || '%' then " ~ calling_code ~ " || " ~ national ~ " else " ~ foreign_number(dialled) ~ " end") -%}
        case when length(number) between 7 and 15 then number end
    {%- endcall %}
{%- endmacro %}
