{# A phone number as digits with its country code, without +. The arguments after the first are columns of
   seeds/countries.csv for the country of the order or session; they may be NULL, then only an international number
   (+ or 00) can be told. NULL when no full number can be told. #}
{% macro normalize_phone(expression, calling_code, trunk_prefix, shortest, longest) -%}
    {% set plan = [calling_code, trunk_prefix, shortest, longest] -%}
    {% call bind_name('plain_phone', phone_text(expression)) -%}
        {% call bind_name('national_part', national_number('plain_phone', *plan)) -%}
            {% call bind_name('full_number', "coalesce(" ~ calling_code ~ " || national_part,"
                ~ " case when plain_phone like '+%' then substr(plain_phone, 2) end)") -%}
                case when length(full_number) between 7 and 15 then full_number end
            {%- endcall %}
        {%- endcall %}
    {%- endcall %}
{%- endmacro %}
