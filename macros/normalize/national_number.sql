{# The national part of a phone number, without what is dialled before it; NULL when the number is of another country,
   when the country is not known, or when no number of the country has this length and first digit. The trunk prefix
   goes when what is left is a number; a number that is one as it stands stays; else what the country's own pattern
   finds goes. Zeros that are left over go too. #}
{% macro national_number(dialled, calling_code, trunk_prefix, trunk_pattern, trunk_becomes, shapes, code_lengths) -%}
    {% call bind_name('own_number', own_country_number(dialled, calling_code, trunk_prefix, shapes, code_lengths)) -%}
        {% set rest = "substr(own_number, 1 + length(" ~ trunk_prefix ~ "))" -%}
        {% call bind_name('own_part', "case"
            ~ " when own_number like " ~ trunk_prefix ~ " || '%' and " ~ has_shape(rest, shapes) ~ " then " ~ rest
            ~ " when " ~ trunk_pattern ~ " is null or " ~ has_shape('own_number', shapes) ~ " then own_number"
            ~ " else " ~ without_trunk('own_number', trunk_pattern, trunk_becomes) ~ " end") -%}
            {% set digits = "trim(leading '0' from own_part)" -%}
            case
                when {{ has_shape('own_part', shapes) }} then own_part
                when ({{ dialled }} like '+%' or {{ trunk_prefix }} like '0%') and {{ has_shape(digits, shapes) }}
                    then {{ digits }}
            end
        {%- endcall %}
    {%- endcall %}
{%- endmacro %}

{# The number without + and calling code, if it belongs to this country. Without + it is national, unless it begins with
   the calling code and either has a length that no number of the country has, or is one without the code. A number
   that is one with and without it has the code where a trunk zero would have been written before it. #}
{% macro own_country_number(dialled, calling_code, trunk_prefix, shapes, code_lengths) -%}
    {% set after_code = "substr(" ~ dialled ~ ", 1 + length(" ~ calling_code ~ "))" -%}
    case
        when {{ dialled }} like '+' || {{ calling_code }} || '%' then substr({{ dialled }}, 2 + length({{ calling_code }}))
        when {{ dialled }} like '+%' then null
        when {{ dialled }} like {{ calling_code }} || '%' and (
            position('|' || length({{ dialled }}) || ':' in {{ shapes }}) = 0
            or {{ trunk_prefix }} like '0%' and {{ has_shape("trim(leading '0' from " ~ after_code ~ ")", shapes) }}
            or position('|' || length({{ dialled }}) || '|' in {{ code_lengths }}) = 0 and {{ has_shape(after_code, shapes) }}
        ) then {{ after_code }}
        else {{ dialled }}
    end
{%- endmacro %}

{# The number without what the country's pattern finds at its beginning (a carrier's code, the 15 of an Argentine
   mobile); the group of the pattern stays, as trunk_becomes says. #}
{% macro without_trunk(number, trunk_pattern, trunk_becomes) -%}
    {% set found = regexp_first_by(number, "'^(' || " ~ trunk_pattern ~ " || ')'") -%}
    {% set group = regexp_first_by(number, "'^(?:' || " ~ trunk_pattern ~ " || ')'") -%}
    case when {{ trunk_becomes }} is not null then coalesce(replace({{ trunk_becomes }}, '*', {{ group }}), '') else '' end
        || substr({{ number }}, 1 + coalesce(length({{ found }}), 0))
{%- endmacro %}

{# Whether numbers of the country can have this length and first digit. #}
{% macro has_shape(number, shapes) -%}
    position('|' || length({{ number }}) || ':' || substr({{ number }}, 1, 1) || '|' in {{ shapes }}) > 0
{%- endmacro %}
