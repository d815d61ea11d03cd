{# What birth_date_text found as YYYY-MM-DD, not yet checked against the calendar; NULL when the order of day and month
   cannot be told. One branch for each way of writing a date, so longer than other macros. #}
{% macro birth_date_iso(date_text) -%}
    {% set gap = '(st|nd|rd|th)?[./,年月' ~ blank_characters() ~ '-]+' -%}
    {% set year_last = "split_part(birth_parts, '-', 3) || '-' || " -%}
    {% call bind_name('birth_parts', regexp_replace_all(date_text, gap, '-')) -%}
        {% call bind_name('birth_first', birth_date_part(1)) -%}
            {% call bind_name('birth_second', birth_date_part(2)) -%}
                case
                    when birth_parts not like '%-%'
                        then substr(birth_parts, 1, 4) || '-' || substr(birth_parts, 5, 2) || '-' || substr(birth_parts, 7, 2)
                    when length(birth_first) = 4
                        then birth_first || '-' || birth_second || '-' || {{ birth_date_part(3) }}
                    when {{ regexp_matches(date_text, '^[0-9]+([.]|[a-z]*[^0-9a-z]+[a-z])') }}
                        or birth_first between '13' and '31' or birth_first = birth_second
                        then {{ year_last }}birth_second || '-' || birth_first
                    when {{ regexp_matches(date_text, '^[a-z]') }} or birth_second between '13' and '31'
                        then {{ year_last }}birth_first || '-' || birth_second
                end
            {%- endcall %}
        {%- endcall %}
    {%- endcall %}
{%- endmacro %}

{# A part of birth_parts: a year of four digits, or two digits for a number or for an English month. #}
{% macro birth_date_part(number) -%}
    {% set part = "split_part(birth_parts, '-', " ~ number ~ ")" -%}
    case
        when length({{ part }}) = 1 then '0' || {{ part }}
        when {{ part }} < 'a' then {{ part }}
        else substr(
            '01 02 03 04 05 06 07 08 09 10 11 12',
            position(substr({{ part }}, 1, 3) in 'janfebmaraprmayjunjulaugsepoctnovdec'), 2
        )
    end
{%- endmacro %}
