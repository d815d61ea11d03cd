{# A text in lower case with each of some letters, which are a-z with marks, replaced by its letter a-z. #}
{% macro translated(text, accented, plain) -%}
    {{ adapter.dispatch('translated', 'conversions')(text, accented, plain) }}
{%- endmacro %}

{% macro default__translated(text, accented, plain) -%}
    {{ unsupported_adapter('translated') }}
{%- endmacro %}

{# translate() reads its two lists anew for each value. strip_accents() does the same with these letters, and more with
   others: so only where there are no others. #}
{% macro duckdb__translated(text, accented, plain) -%}
    case
        when not {{ regexp_matches(text, "[^\u0001-\u007f" ~ accented ~ "]") }} then strip_accents({{ text }})
        else translate({{ text }}, '{{ accented }}', '{{ plain }}')
    end
{%- endmacro %}

{% macro postgres__translated(text, accented, plain) -%}
    translate({{ text }}, '{{ accented }}', '{{ plain }}')
{%- endmacro %}

{% macro spark__translated(text, accented, plain) -%}
    translate({{ text }}, '{{ accented }}', '{{ plain }}')
{%- endmacro %}
