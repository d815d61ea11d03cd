{# A phone number as digits with its country code, without +. The arguments after the first are phone_plan(): columns of
   seeds/countries.csv for the country of the order or session; they may be NULL, then only an international number
   (+ or 00) can be told. NULL when no full number can be told. #}
{% macro normalize_phone(
    expression, calling_code, trunk_prefix, trunk_pattern, trunk_becomes, international_prefix, shapes, code_lengths
) -%}
    {% set plan = [calling_code, trunk_prefix, trunk_pattern, trunk_becomes, shapes, code_lengths] -%}
    {% call bind_name('plain_phone', phone_text(expression)) -%}
        {% set dialled = dialled_number('plain_phone', calling_code, international_prefix, shapes) -%}
        {% call bind_name('dialled_phone', dialled) -%}
            {% call bind_name('full_number', "case"
                ~ " when dialled_phone not like '+%' or dialled_phone like '+' || " ~ calling_code ~ " || '%' then "
                ~ calling_code ~ " || " ~ national_number('dialled_phone', *plan)
                ~ " else " ~ foreign_number('dialled_phone') ~ " end") -%}
                case when length(full_number) between 7 and 15 then full_number end
            {%- endcall %}
        {%- endcall %}
    {%- endcall %}
{%- endmacro %}
