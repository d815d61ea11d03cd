{# A phone number as it was written, without its decoration: digits, after a + where there is one. Words before the
   number and everything from an extension on are cut off. NULL for what holds no number, for numbers that a
   spreadsheet has rounded (1.65E+10), and for the hexadecimal digits of an MD5 or UUID. #}
{% macro phone_text(expression) -%}
    {#- Most numbers have nothing but digits, blanks, brackets, dashes and slashes, behind a + or none; as many digits as
        an MD5 has they do not have. -#}
    case
        when length({{ expression }}) < 32 and {{ regexp_matches(expression, '^[+]?[0-9 ()/-]*[0-9][0-9 ()/-]*$') }}
            then {{ regexp_replace_all(regexp_remove(expression, '[^0-9+]+'), '^[+]0', '0') }}
        else {% call bind_name('phone_raw', ascii_digits(expression)) -%}
            {% set bare = regexp_remove(written_number('phone_raw'), '[^0-9+]+') -%}
            {{ regexp_replace_all(regexp_replace_all(bare, '^[+]+', '+'), '^[+]0', '0') }}
        {%- endcall %}
    end
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
