{# A number without decoration as + and digits when it is international, else as it is. 00 stands for + everywhere; some
   countries dial something else (011, 810), which begins like 00 in a few (00 and a carrier's digits). Where both
   readings are possible, that of the own country counts; where neither is of the own country, nobody can tell: NULL. #}
{% macro dialled_number(plain_phone, calling_code, international_prefix, shapes) -%}
    {% set after_zeros = "case when " ~ plain_phone ~ " like '00%' then '+' || trim(leading '0' from " ~ plain_phone
        ~ ") end" -%}
    {% set after_prefix = "'+' || " ~ regexp_first_by(
        plain_phone, "'^(?:' || " ~ international_prefix ~ " || ')([1-9][0-9]+)$'"
    ) -%}
    {#- A pattern that differs from row to row is read anew for each, so only where the number's first digit is in it. -#}
    {% set first_digit = "position(substr(" ~ plain_phone ~ ", 1, 1) in " ~ international_prefix ~ ")" -%}
    {% set own = "'+' || " ~ calling_code ~ " || '%'" -%}
    case
        when {{ plain_phone }} like '+%' then {{ plain_phone }}
        when {{ plain_phone }} not like '0%' and {{ has_shape(plain_phone, shapes) }} then {{ plain_phone }}
        when coalesce({{ first_digit }}, 0) = 0 then coalesce({{ after_zeros }}, {{ plain_phone }})
        else {% call bind_name('zeros_read', after_zeros) -%}
            {% call bind_name('prefix_read', after_prefix) -%}
                {{ told_reading(plain_phone, own) }}
            {%- endcall %}
        {%- endcall %}
    end
{%- endmacro %}

{# Which of the two readings is meant. #}
{% macro told_reading(plain_phone, own) -%}
    case
        when zeros_read is null then coalesce(prefix_read, {{ plain_phone }})
        when prefix_read is null or zeros_read like {{ own }} then zeros_read
        when prefix_read like {{ own }} or {{ impossible_in_america('zeros_read') }} then prefix_read
    end
{%- endmacro %}

{# Whether an international number has the calling code 1 and cannot be one of its: area codes and exchanges begin with
   2 to 9. #}
{% macro impossible_in_america(international) -%}
    ({{ international }} like '+1%' and not {{ regexp_matches(international, '^[+]1([2-9][0-9]{2}){2}[0-9]{4}$') }})
{%- endmacro %}
