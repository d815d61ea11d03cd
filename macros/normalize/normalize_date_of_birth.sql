{# A date of birth as YYYYMMDD, from 1900-01-01 to the run's day; NULL when there is no such day or it cannot be told.
   Year first (1997-02-16, 19970216) is unambiguous, dots mean the day first (16.02.1997), a month's English name or
   abbreviation tells itself (16 Feb 1997). With slashes or dashes (2/16/1997) the order is told by a number above 12;
   02/01/1990 could be either, so it is NULL, and so is a year of two digits. #}
{% macro normalize_date_of_birth(expression) -%}
    {% set read %}{% call bind_name('birth_text', birth_date_text(expression)) -%}
        {{ birth_date_iso('birth_text') }}
    {%- endcall %}{% endset -%}
    {#- What is written like 1997-02-16 is read already. -#}
    {% set is_read = regexp_matches(expression, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$') -%}
    {% call bind_name('birth_day', "case when " ~ is_read ~ " then " ~ expression ~ " else " ~ read ~ " end") -%}
        case
            when birth_day between '1900-01-01' and '{{ as_of_text("%Y-%m-%d") }}'
                and {{ try_date('birth_day') }} is not null
                then replace(birth_day, '-', '')
        end
    {%- endcall %}
{%- endmacro %}
