{# A phone number as it was written, without its decoration: digits, after a + where there is one. Words before the
   number and everything from an extension on are cut off. NULL for what holds no number, for numbers that a
   spreadsheet has rounded (1.65E+10), and for the hexadecimal digits of an MD5 or UUID. #}
{% macro phone_text(expression) -%}
    {% call bind_name('phone_raw', ascii_digits(expression)) -%}
        {{ bare_number(written_number('phone_raw')) }}
    {%- endcall %}
{%- endmacro %}

{# The same at less cost, for many numbers: most are written with digits, blanks, brackets, dashes and slashes alone, and
   with fewer digits than an MD5 has, and need no search. #}
{% macro phone_text_of_many(expression) -%}
    case
        when {{ regexp_matches(expression, '^[+(]?[0-9][0-9 ()/-]{0,29}$') }} then {{ bare_number(expression) }}
        else {{ phone_text(expression) }}
    end
{%- endmacro %}

{# A number without what is written between its digits. #}
{% macro bare_number(text) -%}
    {{ regexp_replace_all(regexp_replace_all(regexp_remove(text, '[^0-9+]+'), '^[+]+', '+'), '^[+]0', '0') }}
{%- endmacro %}

{# The first number in a text: digits and what people write between them. A whole number followed by a fraction of zeros
   comes from a column of floats. A number must not be followed by an exponent. #}
{% macro written_number(text) -%}
    {% set blanks = blank_characters() -%}
    {% set between = blanks ~ "'()./_\u00b7\u2010-\u2015\u2212\u30fb\u30fc\uff08\uff09\uff0d-\uff0f-" -%}
    {% set whole = '^[' ~ blanks ~ ']*([+]?[0-9]{7,})[.]0+[' ~ blanks ~ ']*$' -%}
    {% set first = '^[^0-9+]*([+]*[' ~ between ~ ']*[0-9][0-9' ~ between ~ ']*)' -%}
    {% set no_exponent = '(?:$|[^0-9eE' ~ between ~ ']|[eE](?:$|[^0-9+]))' -%}
    {% set code = '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$' -%}
    case when not ({{ regexp_matches(text, code) }})
        then coalesce({{ regexp_first(text, whole) }}, {{ regexp_first(text, first ~ no_exponent) }}) end
{%- endmacro %}
