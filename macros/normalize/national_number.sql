{# The national part of a phone number, without trunk prefix; NULL when the number is of another country, when the
   country is not known, or when a number without + has a length that the country does not know.
   Without + or 00 a number is national, unless it begins with the country's calling code and is too long to be
   national, or could have been written with a trunk zero and was not. A trunk prefix without a zero (1, 8) may begin
   a number of its own, so it goes only from numbers that are too long. In North America (calling code 1) no number
   begins with 0 or 1. #}
{% macro national_number(phone, calling_code, trunk_prefix, shortest, longest) -%}
    {% set plan = [calling_code, trunk_prefix, shortest, longest] -%}
    {% call bind_name('own_number', own_country_number(phone, *plan)) -%}
        {% set without_trunk = "substr(own_number, 1 + length(" ~ trunk_prefix ~ "))" -%}
        {% call bind_name('own_rest', "case"
            ~ " when own_number not like " ~ trunk_prefix ~ " || '%' then own_number"
            ~ " when " ~ trunk_prefix ~ " like '0%' then trim(leading '0' from " ~ without_trunk ~ ")"
            ~ " when " ~ trunk_prefix ~ " <> '' and length(own_number) > " ~ longest ~ " then " ~ without_trunk
            ~ " else own_number end") -%}
            case
                when {{ trunk_prefix }} like '0%' and own_rest like '0%' then null
                when {{ calling_code }} = '1' and (own_rest like '0%' or own_rest like '1%') then null
                when {{ phone }} like '+%' or length(own_rest) between {{ shortest }} and {{ longest }} then own_rest
            end
        {%- endcall %}
    {%- endcall %}
{%- endmacro %}

{# The number without + and calling code, if it belongs to this country. #}
{% macro own_country_number(phone, calling_code, trunk_prefix, shortest, longest) -%}
    case
        when {{ phone }} like '+' || {{ calling_code }} || '%' then substr({{ phone }}, 2 + length({{ calling_code }}))
        when {{ phone }} like '+%' then null
        when {{ phone }} like {{ calling_code }} || '%' and (
            length({{ phone }}) > {{ longest }}
            or ({{ trunk_prefix }} like '0%' and length({{ phone }}) - length({{ calling_code }}) >= {{ shortest }})
        ) then substr({{ phone }}, 1 + length({{ calling_code }}))
        else {{ phone }}
    end
{%- endmacro %}
